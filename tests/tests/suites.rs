//! The test suites in other languages: the emulated AWS's own (Python) and the CDK app's (Node.js).

use std::process::Command;

use anyhow::{Context, Result, ensure};
use cutover_tests::setup::{self, Checkout};

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{command:?}: {}\n{out}\n{err}", output.status);
    Ok(())
}

#[test]
fn every_correction_to_the_emulator_has_a_test_that_passes() -> Result<()> {
    let checkout = Checkout::of_this_build();
    let python = setup::python_environment(&checkout)?;
    let tests = ["-m", "unittest", "discover", "-t", "tests", "-s", "tests/local_aws/tests"];
    run(Command::new(python).args(tests).current_dir(&checkout.root))
}

#[test]
fn the_cdk_app_passes_its_tests() -> Result<()> {
    let infra = Checkout::of_this_build().root.join("infra");
    run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&infra))?;
    run(Command::new("npm").args(["test"]).current_dir(&infra))
}
