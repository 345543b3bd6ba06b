//! The test suites in other languages: the emulated AWS's own (Python) and the CDK app's (Node.js); and cfn-lint on what
//! the app synthesizes.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::harness::{Test, synchronous};
use crate::support;
use crate::support::template::{synthesize, synthesize_access, synthesize_by_command};
use anyhow::{Context, Result, ensure};
use cutover_tests::setup::{self, Checkout};
use serde_json::Value;

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{command:?}: {}\n{out}\n{err}", output.status);
    Ok(())
}

fn every_correction_to_the_emulator_has_a_test_that_passes() -> Result<()> {
    let checkout = Checkout::of_this_build();
    let python = setup::python_environment(&checkout)?;
    let tests = ["-m", "unittest", "discover", "-t", "tests", "-s", "tests/local_aws/tests"];
    run(Command::new(python).args(tests).current_dir(&checkout.root))
}

/// Licences, sources, duplicates; of Python's packages those of the emulated AWS.
fn every_dependency_is_as_deny_toml_allows() -> Result<()> {
    let checkout = Checkout::of_this_build();
    let python = setup::python_environment(&checkout)?;
    run(Command::new(python).arg(".ci/dependencies").current_dir(&checkout.root))
}

fn the_cdk_app_passes_its_tests() -> Result<()> {
    let infra = setup::infra()?;
    run(Command::new("npm").args(["test"]).current_dir(&infra))
}

/// A context that uses all that can be configured.
const EVERYTHING: [&str; 14] = [
    "emails=oncall@example.com",
    "hookFunctionArns=arn:aws:lambda:eu-west-1:123456789012:function:stop-writers",
    "topicArns=arn:aws:sns:eu-west-1:123456789012:shop-cutover",
    "topicKeyArns=arn:aws:kms:eu-west-1:123456789012:key/0b1c2d3e",
    "hostedZones=Z0123456789TEST00",
    "recordNames=shop.example.com",
    "alarmNames=shop-*",
    "alarmActions=arn:aws:sns:eu-west-1:123456789012:shop-*",
    "newTargetGroups=arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop-*",
    "recordValues=10.0.0.0/8",
    "aliasTargets=*.elb.amazonaws.com",
    "userPoolArns=arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_a",
    r#"probeVpc={"subnetIds":["subnet-0a1b2c3d"],"securityGroupIds":["sg-0c1d2e3f"]}"#,
    r#"schedules=[{"name":"shop","at":"2030-03-01T02:00:00","input":{"application":"shop"}}]"#,
];

/// What lets a central stack into another account.
const ACCESS: [&str; 2] = ["centralAccount=111111111111", "externalId=sixteen-or-more-characters"];

/// By the resource schemas that CloudFormation itself publishes: what it would refuse, or warn of.
fn the_template_passes_cfn_lint() -> Result<()> {
    let checkout = Checkout::of_this_build();
    let python = setup::python_environment(&checkout)?;
    let templates = [synthesize("lint-plain", &[])?, synthesize("lint-everything", &EVERYTHING)?];
    let access = synthesize_access("lint-access", &ACCESS)?.join("CutoverAccess.template.json");
    let ground = checkout.root.join("infra/test/proving-ground.snapshot.json"); // what the app's own tests say that it synthesizes
    let configuration = checkout.root.join("infra/.cfnlintrc.yaml");
    run(Command::new(python.with_file_name("cfn-lint"))
        .arg("--config-file")
        .arg(configuration)
        .arg("--")
        .args(templates.map(|template| template.join("Cutover.template.json")))
        .args([access, ground]))
}

/// What the tests deploy is what a user would deploy.
fn the_cdk_command_synthesizes_the_same() -> Result<()> {
    let template = |folder: PathBuf| -> Result<Value> {
        let text = fs::read_to_string(folder.join("Cutover.template.json")).context("there is no template")?;
        serde_json::from_str(&text).context("the template is no JSON")
    };
    let (ours, commands) = (synthesize("ours", &EVERYTHING)?, synthesize_by_command("commands", &EVERYTHING)?);
    support::ensure_same(&template(commands)?, &template(ours)?)
}

/// What is run.
pub fn tests() -> Vec<Test> {
    synchronous![
        every_correction_to_the_emulator_has_a_test_that_passes,
        every_dependency_is_as_deny_toml_allows,
        the_cdk_app_passes_its_tests,
        the_template_passes_cfn_lint,
        the_cdk_command_synthesizes_the_same,
    ]
}
