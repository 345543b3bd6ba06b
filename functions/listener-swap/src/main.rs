//! The Lambda function `listener-swap`: composes, nothing else.

use cutover::authority::Destinations;
use listener_swap::{Clients, ELSEWHERE, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            Ok(Clients {
                elb: aws_sdk_elasticloadbalancingv2::Client::new(&environment.aws),
                access: access::Access::of(environment, ELSEWHERE)?,
                journal: journal::Journal::of(environment)?,
                destinations: Destinations::of(environment)?,
            })
        },
        handle,
    )
}
