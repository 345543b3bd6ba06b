//! The Lambda function `weight-shift`: composes, nothing else.

use cutover::authority::Destinations;
use weight_shift::{Clients, ELSEWHERE, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            Ok(Clients {
                routes: routes::any::Clients::new(environment, ELSEWHERE)?,
                journal: journal::Journal::of(environment)?,
                destinations: Destinations::of(environment)?,
            })
        },
        handle,
    )
}
