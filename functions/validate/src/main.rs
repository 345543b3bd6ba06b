//! The Lambda function `validate`: composes, nothing else.

use validate::{Clients, handle};

fn main() -> Result<(), lambda_runtime::Error> {
    cutover::bootstrap::run(|environment| Ok(Clients { journal: journal::Journal::of(environment)? }), handle)
}
