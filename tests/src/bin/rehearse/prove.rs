//! `cargo rehearse --prove-gates`: each gate of the plan made to fail once, and a table of what it caught.

use std::io::Write;

use anyhow::{Context, Result};
use cutover_tests::emulator::Options;
use cutover_tests::prove;
use serde_json::Value;

use crate::page::Page;

/// Tries every gate of a plan, and tells; answers the exit code.
pub async fn run(
    options: &Options,
    plan: &Value,
    world: &Value,
    fields: usize,
    is_json: bool,
    page: &Page,
) -> Result<u8> {
    let all = 1 + prove::trials(plan).iter().filter(|trial| trial.ill.is_some()).count();
    let mut over = 0;
    let proofs = prove::run(options, plan, world, fields, |name| {
        over += 1;
        eprintln!("{over} of {all}: {name}");
    })
    .await?;
    let told = if is_json {
        serde_json::to_string_pretty(&proofs).context("cannot print the proofs")?
    } else {
        format!("\n{}", proofs.table())
    };
    // A reader who went away (a closed pipe) must not keep the page from being written.
    let _ = writeln!(std::io::stdout(), "{told}");
    let application = plan["application"].as_str().unwrap_or("a plan without an application");
    page.write(&prove::page(application, &proofs, &page.origin))?;
    eprintln!("The report: {}", page.path.display());
    Ok(proofs.exit_code)
}
