//! The Lambda function `replication-lag`: composes, nothing else.

use replication::Services;
use replication_lag::{Clients, ELSEWHERE, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            Ok(Clients {
                own: Services::new(&environment.aws),
                access: access::Access::of(environment, ELSEWHERE)?,
                journal: journal::Journal::of(environment)?,
            })
        },
        handle,
    )
}
