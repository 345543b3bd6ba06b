//! `cargo prove`: plans run on the stack `CutoverProvingGround`, in the user's own account.
//!
//! Contract: stderr tells what happens, stdout how it ended; the report is written to a folder, as Markdown and JSON. Exit codes: 0 every promise was kept
//! (differences of answers are no failure), 1 one was not, 2 AWS was not reached, or the stacks are not there, 130 interrupted: then the run that
//! was under way is stopped, which rolls it back.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use cutover_tests::draft::account::Account;
use cutover_tests::proving::aws::Aws;
use cutover_tests::proving::ground::Ground;
use cutover_tests::proving::report::Report;
use cutover_tests::proving::trial::Trial;
use cutover_tests::proving::{prove, reset, run};
use cutover_tests::setup::{self, Checkout};

const BROKEN: u8 = 1;
const NOT_PROVEN: u8 = 2;
const INTERRUPTED: u8 = 130;

/// Run a list of plans on the stack CutoverProvingGround, judge what they leave, and compare AWS's answers with those of the emulated AWS.
#[derive(Debug, Parser)]
#[command(name = "cargo prove", bin_name = "cargo prove", version, after_help = HELP)]
struct Arguments {
    /// Only these, in this order [default: all]
    #[arg(value_enum, value_name = "TRIAL")]
    trials: Vec<Trial>,

    #[command(flatten)]
    account: Account,

    /// The prefix of both stacks
    #[arg(long, default_value = "")]
    prefix: String,

    /// Where report.md and report.json are written
    #[arg(long, value_name = "FOLDER", default_value = "target/prove")]
    out: PathBuf,

    /// How often AWS is looked at
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = humantime::parse_duration)]
    look: Duration,

    /// Only put the ground back as it was deployed, after a try that was cut off
    #[arg(long)]
    reset: bool,
}

const HELP: &str = "\
Before: deploy the stacks `cutover` and `CutoverProvingGround`: infra/README.md, \"The proving ground in ten steps\".
By the holds of its plans it takes less than an hour. Nothing but the proving ground's own listener, name, function, queue and, for the trial `denied`,
the role of `listener-swap` is changed, and all of it is put back. Another cutover of this stack that has a listener to move just then is denied, too.

Examples:
  cargo prove                                  all trials
  cargo prove succeed stopped --profile try    only these, as this profile of the AWS CLI
  cargo prove --prefix blue- --region eu-west-1
  cargo prove --reset                          after a try that was cut off

Credentials are those of the environment, or of the profile: keys, SSO, roles, as the AWS CLI has them. They need to read and change
what the trials do: see infra/README.md. The report has no names and no account numbers in it: read it, and send it to the maintainers.

It has been run on the emulated AWS only.";

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start the runtime: {error}");
            return ExitCode::from(NOT_PROVEN);
        }
    };
    match runtime.block_on(carry_out(&arguments)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(NOT_PROVEN)
        }
    }
}

async fn carry_out(arguments: &Arguments) -> Result<ExitCode> {
    let python = setup::python_environment(&Checkout::of_this_build())?;
    let aws = Aws::start(&python, &arguments.account)?;
    let ground = Ground::find(&aws, &arguments.prefix).await?;
    if arguments.reset {
        reset::take_back(&aws, &ground, arguments.look).await?;
        reset::reset(&aws, &ground).await?;
        println!("The proving ground is as it was deployed.");
        return Ok(ExitCode::SUCCESS);
    }
    let all = Trial::value_variants();
    let trials = if arguments.trials.is_empty() { all } else { &arguments.trials };
    let proven = prove(&aws, &ground, trials, arguments.look, |trial, at, what| {
        eprintln!("{:<9} {:>7}  {what}", trial.name(), clock(at));
    });
    let mut report = tokio::select! {
        report = proven => report?,
        _ = tokio::signal::ctrl_c() => {
            interrupted(&aws, &ground).await?;
            return Ok(ExitCode::from(INTERRUPTED));
        }
    };
    report.emulated = arguments.account.is_emulated()?;
    write(&report, &arguments.out)?;
    println!("{}", report.markdown());
    println!("Written to {}", arguments.out.join("report.md").display());
    Ok(if report.is_kept() { ExitCode::SUCCESS } else { ExitCode::from(BROKEN) })
}

fn clock(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

/// What was done to the account is undone; the run that is under way is stopped, and goes back by itself.
async fn interrupted(aws: &Aws, ground: &Ground) -> Result<()> {
    eprintln!("interrupted: what was denied or made unhealthy is put back ...");
    reset::undo_act(aws, ground).await?;
    reset::undo_change(aws, ground).await?;
    if let Some(run_id) = run::holder(aws, ground).await?
        && run::end_of(aws, &run_id).await?.is_none()
    {
        reset::act(aws, ground, cutover_tests::proving::trial::Act::Stop, &run_id).await?;
        eprintln!("the run is stopped, and rolls itself back");
    }
    eprintln!("then: cargo prove --reset, with the same --prefix, --profile and --region");
    Ok(())
}

fn write(report: &Report, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let json = serde_json::to_string_pretty(report).context("cannot print the report")?;
    for (name, text) in [("report.md", report.markdown()), ("report.json", json)] {
        let file = folder.join(name);
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}
