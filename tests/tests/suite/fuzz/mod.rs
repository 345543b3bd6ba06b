//! Hostile input: plans and every function's input, mutated at random. Nothing panics, hangs or grows without bounds, and
//! every error names the field.
//!
//! At scale: `PROPTEST_CASES=10000 cargo test --workspace --test suite fuzz::`. Without it each property is tried 256
//! times.

mod hostile;
mod inputs;
mod plans;
mod processes;
mod routes;
mod schema;

use std::path::PathBuf;

use cutover_tests::setup::Checkout;
use serde_json::Value;

use crate::harness::Test;

fn root() -> PathBuf {
    Checkout::of_this_build().root
}

/// Every plan of `events/`.
fn plans_to_start_from() -> Vec<Value> {
    let files =
        std::fs::read_dir(root().join("events")).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let values = files.filter_map(|file| serde_json::from_str::<Value>(&std::fs::read_to_string(file).ok()?).ok());
    values.filter(|value| value.get("application").is_some() && value.get("routes").is_some()).collect()
}

/// What is run.
pub fn tests() -> Vec<Test> {
    [inputs::tests(), plans::tests(), processes::tests(), routes::tests(), schema::tests()]
        .into_iter()
        .flatten()
        .collect()
}
