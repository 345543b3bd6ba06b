//! `cargo rehearse`: runs a plan on an emulated AWS on this machine, with users, and tells what happened.
//!
//! Contract: stdout carries the progress and the summary; with `--json` one JSON document and nothing else; with
//! `--serve` one JSON line. Exit codes: 0 Succeeded, 2 the plan or its precheck is at fault, 3 RolledBack, 4 Stuck, 1
//! the rehearsal itself failed. Ctrl-C and SIGTERM end everything that was started.

mod faults;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use cutover_tests::control::Client;
use cutover_tests::emulator::{Emulator, Options, Ready};
use cutover_tests::faults::campaign::{Part, Selection};
use cutover_tests::faults::shape::Shape;
use cutover_tests::machines::{MACHINES, Machine};
use cutover_tests::outcome::Outcome;
use cutover_tests::report::{self, Progress};
use cutover_tests::run::rehearse;
use cutover_tests::setup::{self, Checkout};
use cutover_tests::stage::Stage;
use cutover_tests::world::World;
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

const PLAN_AT_FAULT: u8 = 2;
const INTERRUPTED: u8 = 130;
const DEFAULT_PLAN: &str = "events/cutover.json";
const DEFAULT_SPEED: f64 = 120.0;

/// Rehearse a cutover on this machine: an emulated AWS, real servers for the old and the new side, and users between
/// them.
#[derive(Debug, Parser)]
#[command(name = "cargo rehearse", bin_name = "cargo rehearse", after_help = EXAMPLES)]
struct Arguments {
    /// The plan; what it does not say about its environment may lie in <PLAN's name>.world.json beside it [default:
    /// events/cutover.json]
    #[arg(conflicts_with = "serve")]
    plan: Option<PathBuf>,

    /// Start another machine of the stack than cutover. PLAN may then be the machine's own input; without one it is made from
    /// the plan
    #[arg(long, conflicts_with_all = ["serve", "faults"], value_name = "NAME", value_parser = Machine::named, default_value = "cutover",
          hide_default_value = true, long_help = machines())]
    machine: &'static Machine,

    /// The plan of the run that the machine's own input is about [default: events/cutover.json]
    #[arg(long, requires = "machine", requires = "plan", value_name = "PLAN")]
    of: Option<PathBuf>,

    /// How many times faster than the clock waits pass [default: 120; with --serve: 1]
    #[arg(long)]
    speed: Option<f64>,

    /// Print one JSON document at the end, and nothing else, on stdout
    #[arg(long, conflicts_with = "serve")]
    json: bool,

    /// Bring up the emulated AWS with Cutover deployed, print one JSON line, and serve until stopped
    #[arg(long)]
    serve: bool,

    /// The port to serve on; 0: any free one
    #[arg(long, default_value_t = 0, requires = "serve")]
    port: u16,

    /// Make requests fail, one in each run, and check what every run leaves: quick covers each operation with each fault, all is
    /// every request with every fault. Without a PLAN: plans of every shape of route
    #[arg(long, value_enum, conflicts_with_all = ["serve", "json", "speed"])]
    faults: Option<Faults>,

    /// Of the plans of --faults without a PLAN, only this one; may be given again
    #[arg(long, requires = "faults", conflicts_with = "plan", value_name = "NAME")]
    shape: Vec<String>,

    /// Of --faults, only the case of this name; may be given again
    #[arg(long, requires = "faults", value_name = "NAME")]
    case: Vec<String>,

    /// Of --faults all, only a part of the cases, evenly spread: 1/4 is the first of four
    #[arg(long, requires = "faults", value_name = "K/N")]
    part: Option<Part>,

    /// How many runs with --faults go on at once [default: three for each processor]
    #[arg(long, requires = "faults", value_name = "N")]
    jobs: Option<usize>,

    /// Where --faults writes its page
    #[arg(long, requires = "faults", value_name = "FILE", default_value = "target/faults.html")]
    report: PathBuf,

    /// Deploy functions/ and statemachine/ of this folder instead of this checkout's
    #[arg(long, hide = true)]
    root: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Faults {
    Quick,
    All,
}

const EXAMPLES: &str = "\
Examples:
  cargo rehearse                               the default plan, an hour in half a minute
  cargo rehearse my-plan.json --speed 600      your own plan, faster
  cargo rehearse my-plan.json --json | jq .users
  cargo rehearse --machine rollback            a cutover of the default plan, then a rollback by a person
  cargo rehearse --machine cleanup release.json --of my-plan.json
  cargo rehearse my-plan.json --faults quick   the proof for your own plan: what is left when AWS fails
  cargo rehearse --serve --port 4566           then: aws --endpoint-url http://127.0.0.1:4566 stepfunctions list-state-machines

Exit codes:
  0 Succeeded   2 plan or precheck errors   3 RolledBack   4 Stuck   1 the rehearsal itself failed";

fn machines() -> String {
    let row = |machine: &Machine| format!("\n  {:<9} {}", machine.name, machine.does);
    let intro = "Start another machine of the stack than cutover. PLAN may then be the machine's own input; without one it is made from the plan";
    format!("{intro}:{}", MACHINES.iter().map(row).collect::<String>())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    rehearse_or_serve(&arguments).map_or_else(failed, ExitCode::from)
}

fn failed(error: anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::from(if error.is::<PlanAtFault>() { PLAN_AT_FAULT } else { 1 })
}

/// Set-up is done before the runtime and its signal handlers exist: there, Ctrl-C ends us and what we wait for, as in
/// any command.
fn rehearse_or_serve(arguments: &Arguments) -> Result<u8> {
    if let Some(faults) = arguments.faults {
        return prove(arguments, faults);
    }
    let scenario = if arguments.serve { None } else { Some(Scenario::read(arguments)?) };
    let speed = arguments.speed.unwrap_or(if arguments.serve { 1.0 } else { DEFAULT_SPEED });
    ensure!(speed.is_finite() && speed > 0.0, "--speed must be above 0, not {speed}");
    let options = set_up(arguments, speed)?;
    runtime()?.block_on(bring_up(arguments, &options, scenario))
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

fn prove(arguments: &Arguments, faults: Faults) -> Result<u8> {
    let shapes = match &arguments.plan {
        Some(path) => vec![Shape::of_plan(path, Scenario::read(arguments)?.plan)?],
        None => shapes(&arguments.shape)?,
    };
    let selection = match faults {
        _ if !arguments.case.is_empty() => Selection::Named(arguments.case.clone()),
        Faults::Quick => Selection::Quick,
        Faults::All => Selection::All(arguments.part.unwrap_or(Part::WHOLE)),
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let fields = arguments.jobs.unwrap_or(processors * 3).max(1);
    let campaign = faults::Campaign { plan: arguments.plan.as_deref(), selection, fields, report: &arguments.report };
    let options = set_up(arguments, DEFAULT_SPEED)?;
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

async fn bring_up(arguments: &Arguments, options: &Options, scenario: Option<Scenario>) -> Result<u8> {
    eprintln!("Emulated AWS: starting...");
    let mut emulator = tokio::select! {
        emulator = Emulator::start(options) => emulator?,
        signal = interrupted() => return signal.map(|()| INTERRUPTED),
    };
    let (client, ready) = (emulator.client().clone(), emulator.ready().clone());
    let code = tokio::select! {
        code = work(arguments, &client, &ready, scenario, options.speed) => code,
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

async fn work(
    arguments: &Arguments,
    client: &Client,
    ready: &Ready,
    scenario: Option<Scenario>,
    speed: f64,
) -> Result<u8> {
    let Some(scenario) = scenario else {
        println!("{}", serde_json::to_string(ready).context("cannot print the ready line")?);
        return std::future::pending().await;
    };
    let outcome = play(arguments, client, ready, scenario, speed).await?;
    tell(arguments, &outcome)?;
    eprintln!("\nLogs of the functions: {}", ready.home.join("logs").display());
    Ok(outcome.exit_code)
}

async fn play(
    arguments: &Arguments,
    client: &Client,
    ready: &Ready,
    scenario: Scenario,
    speed: f64,
) -> Result<Outcome> {
    if let Some(description) = &scenario.world.description {
        eprintln!("\n{description}");
    }
    let stage = Stage::set(client, ready, &scenario.plan, scenario.world, speed).await?;
    let out: Box<dyn Write> = if arguments.json { Box::new(anstream::stderr()) } else { Box::new(anstream::stdout()) };
    let mut progress = Progress::new(out);
    rehearse(&stage, arguments.machine, scenario.given.as_ref(), |at, happening| progress.show(at, happening)).await
}

fn tell(arguments: &Arguments, outcome: &Outcome) -> Result<()> {
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(outcome).context("cannot print the outcome")?);
    } else {
        anstream::print!("{}", report::summary(outcome));
    }
    Ok(())
}

/// A plan, the world it meets, and what the machine was given.
struct Scenario {
    plan: Value,
    world: World,
    given: Option<Value>,
}

impl Scenario {
    /// What is given may be the plan, or have it within, or be the input of a machine that is about a run of another plan.
    fn read(arguments: &Arguments) -> Result<Self> {
        let default = || Checkout::of_this_build().root.join(DEFAULT_PLAN);
        let path = arguments.plan.clone().unwrap_or_else(default);
        let given = json_at(&path)?;
        if let Some(plan) = arguments.machine.plan_in(&given) {
            ensure!(
                arguments.of.is_none(),
                "{} has a plan of its own: --of is for an input without one",
                path.display()
            );
            return Ok(Self { plan: plan.clone(), world: World::beside(&path)?, given: Some(given) });
        }
        if !arguments.machine.is_about_a_run {
            // A plan without routes: that is for the product to say.
            return Ok(Self { plan: given.clone(), world: World::beside(&path)?, given: Some(given) });
        }
        let path = arguments.of.clone().unwrap_or_else(default);
        Ok(Self { plan: json_at(&path)?, world: World::beside(&path)?, given: Some(given) })
    }
}

fn json_at(path: &Path) -> Result<Value> {
    let fault = || PlanAtFault(path.to_owned());
    let text = std::fs::read_to_string(path).with_context(fault)?;
    serde_json::from_str(&text).with_context(fault)
}

/// The plan cannot even be read: the product never sees it, but the exit code is the same.
#[derive(Debug)]
struct PlanAtFault(PathBuf);

impl std::fmt::Display for PlanAtFault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} is no plan (scenarios to start from lie in events/)", self.0.display())
    }
}
