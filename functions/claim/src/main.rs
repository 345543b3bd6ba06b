//! The Lambda function `claim`: composes, nothing else.

use claim::{Clients, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(
        |environment| {
            Ok(Clients {
                elb: aws_sdk_elasticloadbalancingv2::Client::new(&environment.aws),
                route53: aws_sdk_route53::Client::new(&environment.aws),
                journal: journal::Journal::of(environment)?,
            })
        },
        handle,
    )
}
