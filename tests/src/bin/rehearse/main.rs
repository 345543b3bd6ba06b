//! `cargo rehearse`: runs a plan on an emulated AWS on this machine, with users, and tells what happened.
//!
//! Contract: stdout carries the progress and the summary; with `--json` one JSON document and nothing else; with
//! `--serve` one JSON line. Exit codes: 0 Succeeded, 2 the plan or its precheck is at fault, 3 RolledBack, 4 Stuck, 5 Held, 1
//! the rehearsal itself failed, 6 it succeeded past a gate that never saw a value, 7 a gate that was proved caught nothing.
//! Ctrl-C and SIGTERM end everything that was started.

mod arguments;
mod faults;
mod mails;
mod page;
mod pages;
mod port;
mod portfolio;
mod prove;
mod scenario;
mod status;
mod wave;

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use cutover_tests::checked::Checked;
use cutover_tests::control::Client;
use cutover_tests::emulator::{Emulator, Options, Ready};
use cutover_tests::faults::campaign::{Part, Selection};
use cutover_tests::faults::shape::Shape;
use cutover_tests::left;
use cutover_tests::outcome::Outcome;
use cutover_tests::own::OwnNames;
use cutover_tests::report::{self, Progress};
use cutover_tests::run::rehearse;
use cutover_tests::setup;
use cutover_tests::stage::Stage;
use cutover_tests::traffic::{FASTEST, Pace};
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::{Arguments, Faults};
use crate::page::Page;
use crate::scenario::{PlanAtFault, Scenario};
use crate::wave::WaveScenario;

const PLAN_AT_FAULT: u8 = 2;
const INTERRUPTED: u8 = 130;
const DEFAULT_SPEED: f64 = 120.0;
/// Its first wave has a window of some hours.
const PORTFOLIO_SPEED: f64 = 60.0;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    rehearse_or_serve(&arguments).map_or_else(failed, ExitCode::from)
}

fn failed(error: anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::from(if error.is::<PlanAtFault>() { PLAN_AT_FAULT } else { 1 })
}

/// Tells it on stdout. That who reads has gone (`| head`) is no reason to fail.
pub(crate) fn out(text: std::fmt::Arguments) {
    let _ = anstream::stdout().write_fmt(text);
}

/// Set-up is done before the runtime and its signal handlers exist: there, Ctrl-C ends us and what we wait for, as in
/// any command.
fn rehearse_or_serve(arguments: &Arguments) -> Result<u8> {
    arguments.report.as_deref().map_or(Ok(()), Page::check)?;
    if let Some(faults) = arguments.faults {
        return try_faults(arguments, faults);
    }
    if arguments.prove_gates {
        return prove_gates(arguments);
    }
    let wave = WaveScenario::read(arguments)?;
    if arguments.check {
        if let Some(portfolio) = portfolio::given(arguments) {
            return Ok(portfolio::check(&portfolio, arguments.json));
        }
        return wave.map_or_else(|| check(arguments), |wave| Ok(wave.check(arguments.json)));
    }
    if let Some(wave) = wave.as_ref().filter(|wave| wave.is_refused()) {
        return Ok(wave.check(arguments.json));
    }
    let job = match wave {
        _ if arguments.serve => Job::Serve,
        Some(wave) => Job::Wave(Box::new(wave)),
        None => match portfolio::given(arguments) {
            Some(portfolio) => Job::Portfolio(Box::new(portfolio)),
            None => Job::Run(Box::new(Scenario::read(arguments)?)),
        },
    };
    let usual = if matches!(job, Job::Portfolio(_)) { PORTFOLIO_SPEED } else { DEFAULT_SPEED };
    let speed = speed(arguments, if arguments.serve { 1.0 } else { usual })?;
    // With --serve the stack has no groups of its own; those of a plan hear, and the status pages are kept.
    let stakeholders = Some(if arguments.serve { serde_json::json!([]) } else { mails::groups() });
    port::free(arguments.port)?;
    let options = Options { stakeholders, answers: !arguments.serve, ..set_up(arguments, speed)? };
    runtime()?.block_on(bring_up(arguments, &options, job))
}

/// What the emulated AWS is brought up for.
enum Job {
    Serve,
    Run(Box<Scenario>),
    Wave(Box<WaveScenario>),
    Portfolio(Box<serde_json::Value>),
}

/// The speed that was asked for, or this one.
fn speed(arguments: &Arguments, default: f64) -> Result<f64> {
    let speed = arguments.speed.unwrap_or(default);
    ensure!(speed.is_finite() && speed > 0.0, "--speed must be above 0, not {speed}");
    Ok(if arguments.serve { speed } else { bearable(speed) })
}

/// Nobody is to believe that it ran faster than it did.
fn bearable(speed: f64) -> f64 {
    let bearable = Pace::bearable(speed);
    if bearable < speed {
        eprintln!("--speed {speed}: at {bearable}, the fastest at which functions, which take real time, keep up");
    }
    bearable
}

/// A plan that is right is 0, whatever becomes of it.
fn check(arguments: &Arguments) -> Result<u8> {
    let checked = Checked::of(&Scenario::read(arguments)?.plan);
    print_checked(arguments, &checked)?;
    Ok(if checked.is_refused() { PLAN_AT_FAULT } else { 0 })
}

fn print_checked(arguments: &Arguments, checked: &Checked) -> Result<()> {
    if arguments.json {
        crate::out(format_args!("{}\n", serde_json::to_string_pretty(checked).context("cannot print what was found")?));
    } else {
        crate::out(format_args!("{}", report::checked(checked)));
    }
    Ok(())
}

fn set_up(arguments: &Arguments, speed: f64) -> Result<Options> {
    let mut options = Options { port: arguments.port, ..Options::of_this_build(speed)? };
    if let Some(root) = &arguments.root {
        options.checkout.root = root.clone();
        options.definitions = setup::definitions(&options.checkout)?;
    }
    Ok(options)
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start the runtime")
}

/// The plans of every shape of route, or those of these names.
fn shapes(names: &[String]) -> Result<Vec<Shape>> {
    let all = Shape::all();
    let known: Vec<&str> = all.iter().map(|shape| shape.name.as_str()).collect();
    let unknown = names.iter().find(|name| !known.contains(&name.as_str()));
    ensure!(
        unknown.is_none(),
        "there is no shape {}; there are {}",
        unknown.map_or("", String::as_str),
        known.join(", ")
    );
    let is_wanted = |shape: &Shape| names.is_empty() || names.contains(&shape.name);
    Ok(all.into_iter().filter(is_wanted).collect())
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn prove_gates(arguments: &Arguments) -> Result<u8> {
    let Scenario { plan, world, .. } = Scenario::read(arguments)?;
    // A plan that cannot be read has no gates.
    let checked = Checked::of(&plan);
    if checked.takes.is_none() {
        print_checked(arguments, &checked)?;
        return Ok(PLAN_AT_FAULT);
    }
    let fields = arguments.jobs.unwrap_or_else(processors).max(1);
    let options = set_up(arguments, speed(arguments, FASTEST)?)?;
    let page = Page::of(arguments, &options, "target/gates.html");
    runtime()?.block_on(async {
        tokio::select! {
            code = prove::run(&options, &plan, &world.raw, fields, arguments.json, &page) => code,
            signal = interrupted() => signal.map(|()| INTERRUPTED),
        }
    })
}

fn try_faults(arguments: &Arguments, faults: Faults) -> Result<u8> {
    let shapes = match &arguments.plan {
        Some(path) => vec![Shape::of_plan(path, Scenario::read(arguments)?.plan)?],
        None => shapes(&arguments.shape)?,
    };
    let selection = match faults {
        _ if !arguments.case.is_empty() => Selection::Named(arguments.case.clone()),
        Faults::Quick => Selection::Quick,
        Faults::All => Selection::All(arguments.part.unwrap_or(Part::WHOLE)),
    };
    let fields = arguments.jobs.unwrap_or_else(|| processors() * 3).max(1);
    let options = set_up(arguments, DEFAULT_SPEED)?;
    let page = Page::of(arguments, &options, "target/faults.html");
    let campaign = faults::Campaign { plan: arguments.plan.as_deref(), selection, fields, page: &page };
    runtime()?.block_on(async {
        tokio::select! {
            code = faults::run(&options, shapes, &campaign) => code,
            signal = interrupted() => signal.map(|()| INTERRUPTED),
        }
    })
}

async fn interrupted() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result.context("cannot wait for Ctrl-C"),
        _ = terminate.recv() => Ok(()),
    }
}

async fn bring_up(arguments: &Arguments, options: &Options, job: Job) -> Result<u8> {
    eprintln!("Emulated AWS: starting...");
    let mut emulator = tokio::select! {
        emulator = Emulator::start(options) => emulator?,
        signal = interrupted() => return signal.map(|()| INTERRUPTED),
    };
    let (client, ready) = (emulator.client().clone(), emulator.ready().clone());
    let code = tokio::select! {
        code = work(arguments, &client, &ready, job, options) => code,
        error = emulator.ended() => Err(error),
        signal = interrupted() => signal.map(|()| INTERRUPTED),
    };
    // By then the servers and users are gone: the branches that lost the race are dropped.
    emulator.stop().await?;
    if let Ok(INTERRUPTED) = code {
        eprintln!("interrupted: everything is stopped");
        return Ok(if arguments.serve { 0 } else { INTERRUPTED });
    }
    code.with_context(|| format!("logs are in {}", ready.home.display()))
}

async fn work(arguments: &Arguments, client: &Client, ready: &Ready, job: Job, options: &Options) -> Result<u8> {
    let scenario = match job {
        Job::Serve => {
            crate::out(format_args!("{}\n", serde_json::to_string(ready).context("cannot print the ready line")?));
            return std::future::pending().await;
        }
        Job::Portfolio(portfolio) => {
            let code = portfolio::play(arguments, client, ready, &portfolio, options.speed).await?;
            let none = OwnNames::new(&std::collections::BTreeMap::new());
            mails::tell(client, &none, &portfolio::folder(arguments).join("mails")).await?;
            return Ok(code);
        }
        Job::Wave(wave) => {
            let page = Page::of(arguments, options, "target/wave.html");
            return wave.play(client, ready, options.speed, arguments.json, &page.path).await;
        }
        Job::Run(scenario) => scenario,
    };
    let (outcome, own) = play(arguments, client, ready, *scenario, options.speed).await?;
    tell(arguments, &outcome, &own)?;
    let page = Page::of(arguments, options, "target/rehearsal.html");
    mails::tell(client, &own, &page.path.with_extension("mails")).await?;
    pages::tell(&outcome.preceding.as_deref().unwrap_or(&outcome).pages, &own, &page.path.with_extension("answers"))?;
    page.write(&own.in_text(&report::page(&outcome, &page.origin)?))?;
    leave(client, &outcome, &own, &page.path).await?;
    status::leave(client, &outcome, &own, &page.path.with_extension("status")).await?;
    eprintln!("\nThe report: {}\nLogs of the functions: {}", page.path.display(), ready.home.join("logs").display());
    Ok(outcome.exit_code)
}

/// The report that the run itself left, beside the rehearsal's page: `rehearsal.run.html`, and the same in Markdown and JSON.
async fn leave(client: &Client, outcome: &Outcome, own: &OwnNames, page: &Path) -> Result<()> {
    let run_id = &outcome.preceding.as_deref().unwrap_or(outcome).execution.arn;
    for kind in left::KINDS {
        let path = page.with_extension(format!("run.{kind}"));
        match left::report(client, run_id, kind).await? {
            Some(text) => {
                std::fs::write(&path, own.in_text(&text)).with_context(|| format!("cannot write {}", path.display()))?
            }
            // An earlier rehearsal's is not this one's.
            None => std::fs::remove_file(&path)
                .or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })?,
        }
        if kind == left::KINDS[0] && path.exists() {
            eprintln!("\nThe run's own report: {}, and beside it as .md and .json", path.display());
        }
    }
    Ok(())
}

async fn play(
    arguments: &Arguments,
    client: &Client,
    ready: &Ready,
    scenario: Scenario,
    speed: f64,
) -> Result<(Outcome, OwnNames)> {
    if let Some(description) = &scenario.world.description {
        eprintln!("\n{description}");
    }
    let stage = Stage::set(client, ready, &scenario.plan, scenario.world, speed).await?;
    let out: Box<dyn Write> = if arguments.json { Box::new(anstream::stderr()) } else { Box::new(anstream::stdout()) };
    let own = OwnNames::new(&stage.mapping);
    let mut progress = Progress::new(out, own.clone());
    let watch = |at, happening: &_| progress.show(at, happening);
    let outcome = rehearse(&stage, arguments.machine(), scenario.given.as_ref(), watch).await?;
    Ok((outcome, own))
}

fn tell(arguments: &Arguments, outcome: &Outcome, own: &OwnNames) -> Result<()> {
    if arguments.json {
        let text = serde_json::to_string_pretty(outcome).context("cannot print the outcome")?;
        crate::out(format_args!("{}\n", own.in_text(&text)));
        return Ok(());
    }
    if let (Some(_), Some(cutover)) = (arguments.through, &outcome.preceding) {
        crate::out(format_args!("{}", own.in_text(&report::summary(cutover))));
    }
    crate::out(format_args!("{}", own.in_text(&report::summary(outcome))));
    if arguments.machine().is_about_a_run && outcome.preceding.is_none() {
        eprintln!(
            "\nThere was nothing to clean up: only a run that has finished is cleaned up after, and others are released."
        );
    }
    Ok(())
}
