//! Hello world: the runtime client, a thread, and nothing else.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

fn main() -> Result<(), Error> {
    let hello = async |_: LambdaEvent<Value>| -> Result<&str, Error> { Ok("hello") };
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(lambda_runtime::run(service_fn(hello)))
}
