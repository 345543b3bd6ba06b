//! `listener-swap` by every default.

use cutover::authority::Destinations;
use listener_swap::{Clients, ELSEWHERE, handle};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let environment = naive::environment().await;
    let clients = Clients {
        elb: aws_sdk_elasticloadbalancingv2::Client::new(&environment.aws),
        access: access::Access::of(&environment, ELSEWHERE)?,
        journal: journal::Journal::of(&environment)?,
        destinations: Destinations::of(&environment)?,
    };
    naive::run(clients, handle).await
}
