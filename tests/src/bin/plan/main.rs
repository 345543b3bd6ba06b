//! `cargo plan`: drafts a plan of what there is.
//!
//! Contract: stdout carries the plan as JSON and nothing else; stderr tells what is in it, what has to be decided, and what precheck
//! says of it. Exit codes: 0 a plan was drafted, 2 what is asked for is not clear or not there, or AWS did not answer. Nothing is
//! written to AWS.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use cutover::error::name;
use cutover::{Severity, StepError};
use cutover_tests::draft::account::Account;
use cutover_tests::draft::aws::Clients;
use cutover_tests::draft::wanted::Wanted;
use cutover_tests::draft::{Drafted, draft, seen};

const NOT_DRAFTED: u8 = 2;

/// Draft a plan of what there is: routes, gates, alarms, and who would stay behind. Asks AWS, and writes nothing to it.
#[derive(Debug, Parser)]
#[command(name = "cargo plan", bin_name = "cargo plan", version, after_help = EXAMPLES)]
struct Arguments {
    #[command(flatten)]
    wanted: Wanted,

    #[command(flatten)]
    account: Account,
}

const EXAMPLES: &str = "\
Examples:
  cargo plan --old shop-old --new shop-new > plan.json      every listener and rule that forwards to shop-old
  cargo plan --balancer shop --old shop-old --new shop-new  only those of this load balancer
  cargo plan --listener ARN --old shop-old --new shop-new   only this listener or rule
  cargo plan --old-tag env=old --new-tag env=new            target groups by their tags
  cargo plan --name api.example.com --new 198.51.100.20,2001:db8::20
  cargo plan --name api.example.com --new-alias shop-2      an alias to a load balancer
  cargo plan --old shop-old --new shop-new --replication-task shop-copy --topic ARN
  cargo plan --endpoint-url http://127.0.0.1:4566 ...       of `cargo rehearse --serve --port 4566`

Then: cargo rehearse plan.json --check, and cargo rehearse plan.json

Credentials are those of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; without these, what `aws configure
export-credentials` of the AWS CLI gives: profiles, SSO, roles. They need to read Elastic Load Balancing, Route 53,
CloudWatch, and with --replication-task DMS.";

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", why(&error));
            ExitCode::from(NOT_DRAFTED)
        }
    }
}

/// What AWS said, with what a person may do about it.
fn why(error: &anyhow::Error) -> String {
    match error.downcast_ref::<StepError>() {
        Some(error) if error.is_passing() => {
            format!(
                "AWS did not answer: {}; see --endpoint-url, --region and the network, and try again",
                error.message
            )
        }
        Some(StepError { name: name::NOT_PERMITTED, message }) => {
            format!("{message}; sign in as somebody who may read this (--profile)")
        }
        Some(error) => error.message.clone(),
        None => format!("{error:#}"),
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    // What is asked for is judged before credentials are: it takes no time.
    arguments.wanted.check()?;
    let clients = Clients::new(&arguments.account.settings()?);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start the runtime")?;
    let drafted = runtime.block_on(draft(&clients, &arguments.wanted))?;
    println!("{}", serde_json::to_string_pretty(&drafted.draft).context("cannot print the plan")?);
    eprint!("{}", told(&drafted));
    Ok(())
}

fn told(drafted: &Drafted) -> String {
    let draft = &drafted.draft;
    let counts = [
        (draft.routes.len(), "routes"),
        (draft.monitoring.metrics.len() + draft.monitoring.alarms.len(), "gates"),
        (draft.alarms.len(), "alarms to set"),
        (draft.leaves_behind.len(), "left behind"),
    ];
    let counts: Vec<String> = counts.iter().map(|(count, what)| format!("{what}: {count}")).collect();
    let mut told = format!("\nDrafted `{}`: {}\n", draft.application, counts.join(", "));
    told.extend(drafted.found.iter().map(|line| format!("  {line}\n")));
    told.push_str("\nTo decide:\n");
    told.extend(drafted.open.iter().map(|line| format!("  - {line}\n")));
    let of = |severity: Severity| drafted.findings.iter().filter(move |finding| finding.severity == severity);
    let lines: Vec<String> = of(Severity::Error).chain(of(Severity::Warning)).map(seen::line).collect();
    if !lines.is_empty() {
        told.push_str("\nPrecheck says of the routes and gates:\n");
        told.extend(lines.iter().map(|line| format!("  - {line}\n")));
    }
    told.push_str("\nNext: cargo rehearse plan.json --check\n");
    told
}
