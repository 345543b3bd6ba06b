//! `weight-shift` by every default.

use cutover::authority::Destinations;
use weight_shift::{Clients, ELSEWHERE, handle};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let environment = naive::environment().await;
    let clients = Clients {
        routes: routes::any::Clients::new(&environment, ELSEWHERE)?,
        journal: journal::Journal::of(&environment)?,
        destinations: Destinations::of(&environment)?,
    };
    naive::run(clients, handle).await
}
