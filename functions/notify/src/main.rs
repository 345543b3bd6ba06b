//! The Lambda function `notify`: composes, nothing else.

use notify::{Clients, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(|environment| Ok(Clients { sns: aws_sdk_sns::Client::new(&environment.aws) }), handle)
}
