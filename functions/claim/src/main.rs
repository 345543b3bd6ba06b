//! The Lambda function `claim`: composes, nothing else.

use claim::{Clients, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            Ok(Clients {
                routes: routes::any::Clients::new(&environment.aws),
                journal: journal::Journal::of(environment)?,
                approval: cutover::authority::Demanded::of(environment)?,
            })
        },
        handle,
    )
}
