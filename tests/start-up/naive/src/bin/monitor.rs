//! `monitor` by every default.

use monitor::{Clients, ELSEWHERE, handle};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let environment = naive::environment().await;
    let clients = Clients {
        cloudwatch: aws_sdk_cloudwatch::Client::new(&environment.aws),
        routes: routes::any::Clients::new(&environment, ELSEWHERE)?,
        journal: journal::Journal::of(&environment)?,
    };
    naive::run(clients, handle).await
}
