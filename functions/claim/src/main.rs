//! The Lambda function `claim`: composes, nothing else.

use claim::{Clients, ELSEWHERE, handle};
use cutover::stakeholders::StackGroups;

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            Ok(Clients {
                routes: routes::any::Clients::new(environment, ELSEWHERE)?,
                journal: journal::Journal::of(environment)?,
                approval: cutover::authority::Demanded::of(environment)?,
                stakeholders: StackGroups::read(&environment.variable("STAKEHOLDERS")?)?,
            })
        },
        handle,
    )
}
