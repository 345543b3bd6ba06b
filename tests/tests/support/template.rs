//! The CDK app's template, synthesized from this checkout with the binaries of this build.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use cutover_tests::setup::{self, Checkout};

pub const STACK: &str = "cutover";

/// Synthesizes the app into a folder of its own.
pub fn synthesize(name: &str, context: &[&str]) -> Result<PathBuf> {
    let checkout = Checkout::of_this_build();
    setup::build_functions(&checkout)?;
    let infra = setup::infra()?;
    let out = checkout.target.join(format!("local-aws/cdk-{name}"));
    let binaries = out.with_extension("binaries");
    link_binaries(&checkout, &binaries)?;
    let mut command = Command::new("npx");
    command.args(["cdk", "synth", "--quiet", "--output"]).arg(&out).current_dir(&infra);
    command.arg("--context").arg(format!("binaries={}", binaries.display()));
    for value in context {
        command.args(["--context", value]);
    }
    run(&mut command)?;
    Ok(out)
}

/// `<folder>/<crate>/bootstrap` for every function: scripts that run the binaries of this build.
fn link_binaries(checkout: &Checkout, folder: &Path) -> Result<()> {
    for entry in fs::read_dir(checkout.root.join("functions"))? {
        let name = entry?.file_name().into_string().ok().context("a folder's name")?;
        if !checkout.root.join(format!("functions/{name}/src/main.rs")).exists() {
            continue;
        }
        let bootstrap = folder.join(&name).join("bootstrap");
        fs::create_dir_all(folder.join(&name))?;
        fs::write(&bootstrap, format!("#!/bin/sh\nexec '{}'\n", checkout.bin_dir().join(&name).display()))?;
        fs::set_permissions(&bootstrap, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {}\n{told}", output.status);
    Ok(())
}
