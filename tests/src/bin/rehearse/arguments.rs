//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use cutover_tests::faults::campaign::Part;
use cutover_tests::machines::{MACHINES, Machine};

/// Rehearse a cutover on this machine: an emulated AWS, real servers for the old and the new side, and users between
/// them.
#[derive(Debug, Parser)]
#[command(name = "cargo rehearse", bin_name = "cargo rehearse", version, after_help = EXAMPLES)]
pub struct Arguments {
    /// The plan; what it does not say about its environment may lie in <PLAN's name>.world.json beside it [default:
    /// events/cutover.json]
    #[arg(conflicts_with = "serve")]
    pub plan: Option<PathBuf>,

    /// Judge the plan alone, in no time: form, sense, steps, time, history, cost. Nothing is started
    #[arg(long, conflicts_with_all = ["serve", "many", "machine", "through", "speed"])]
    pub check: bool,

    /// Go on, after the cutover, to the end of this machine
    #[arg(long, value_enum, conflicts_with_all = ["serve", "faults", "machine"], value_name = "MACHINE")]
    pub through: Option<Through>,

    /// Start another machine of the stack than cutover: start, rollback or cleanup. PLAN may then be the machine's own input;
    /// without one it is made from the plan
    #[arg(long, conflicts_with_all = ["serve", "faults"], value_name = "NAME", value_parser = Machine::named, default_value = "cutover",
          hide_default_value = true, long_help = machines())]
    pub machine: &'static Machine,

    /// The plan of the run that the machine's own input is about [default: events/cutover.json]
    #[arg(long, requires = "machine", requires = "plan", value_name = "PLAN")]
    pub of: Option<PathBuf>,

    /// How many times faster than the clock waits pass [default: 120; with --serve: 1; with --prove-gates: 600]. A plan ends alike at any speed; a
    /// rehearsal runs at 600 at the most, since functions take real time
    #[arg(long)]
    pub speed: Option<f64>,

    /// Print one JSON document at the end, and nothing else, on stdout
    #[arg(long, conflicts_with = "serve")]
    pub json: bool,

    /// Bring up the emulated AWS with Cutover deployed, print one JSON line, and serve until stopped
    #[arg(long)]
    pub serve: bool,

    /// The port to serve on; 0: any free one
    #[arg(long, default_value_t = 0, requires = "serve")]
    pub port: u16,

    /// Make requests fail, one in each run, and check what every run leaves: quick covers each operation with each fault, all is
    /// every request with every fault. Without a PLAN: plans of every shape of route
    #[arg(long, value_enum, conflicts_with_all = ["serve", "json", "speed"], group = "many")]
    pub faults: Option<Faults>,

    /// Make each gate of the plan fail once, by making the new side bad in that way, and tell which gate turned the run back
    #[arg(long, conflicts_with_all = ["serve", "machine", "through", "faults"], group = "many")]
    pub prove_gates: bool,

    /// Of the plans of --faults without a PLAN, only this one; may be given again
    #[arg(long, requires = "faults", conflicts_with_all = ["plan", "check"], value_name = "NAME")]
    pub shape: Vec<String>,

    /// Of --faults, only the case of this name; may be given again
    #[arg(long, requires = "faults", conflicts_with = "check", value_name = "NAME")]
    pub case: Vec<String>,

    /// Of --faults all, only a part of the cases, evenly spread: 1/4 is the first of four
    #[arg(long, requires = "faults", conflicts_with = "check", value_name = "K/N")]
    pub part: Option<Part>,

    /// How many runs with --faults or --prove-gates go on at once [default: three for each processor, one with --prove-gates]
    #[arg(long, requires = "many", value_name = "N")]
    pub jobs: Option<usize>,

    /// Where the page of what happened is written [default: target/rehearsal.html; with --faults: target/faults.html, with --prove-gates: target/gates.html]
    #[arg(long, conflicts_with_all = ["serve", "check"], value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// Deploy functions/ and statemachine/ of this folder instead of this checkout's
    #[arg(long, hide = true)]
    pub root: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Through {
    /// What the plan's cleanup removes, without waiting for its time
    Cleanup,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Faults {
    Quick,
    All,
}

const EXAMPLES: &str = "\
Examples:
  cargo rehearse                               the default plan, an hour in half a minute
  cargo rehearse my-plan.json --speed 600      your own plan, faster
  cargo rehearse my-plan.json --json | jq .users
  cargo rehearse my-plan.json --check          is it right, how long does it take, what does it cost; of a wave or a portfolio: what moves when
  cargo rehearse my-plan.json --through cleanup
  cargo rehearse --machine rollback            a cutover of the default plan, then a rollback by a person
  cargo rehearse --machine cleanup release.json --of my-plan.json
  cargo rehearse my-plan.json --prove-gates    which gate catches what: each is made to fail once
  cargo rehearse my-plan.json --faults quick   the proof for your own plan: what is left when AWS fails
  cargo rehearse --serve --port 4566           then: aws --endpoint-url http://127.0.0.1:4566 stepfunctions list-state-machines

Exit codes:
  0 Succeeded   2 plan or precheck errors   3 RolledBack   4 Stuck   5 Held   1 the rehearsal itself failed
  6 Succeeded, but a gate never saw a value, so that it has guarded nothing
  7 with --prove-gates: a gate caught nothing";

fn machines() -> String {
    let row = |machine: &Machine| format!("\n  {:<9} {}", machine.name, machine.does);
    let intro = "Start another machine of the stack than cutover. PLAN may then be the machine's own input; without one it is made from the plan. \
                 NAME is one of these";
    let others =
        "A wave and a portfolio are rehearsed by giving theirs as PLAN: events/wave.json, events/portfolio.json";
    format!("{intro}:{}\n{others}", MACHINES.iter().map(row).collect::<String>())
}

impl Arguments {
    /// The machine whose end is the rehearsal's.
    pub fn machine(&self) -> &'static Machine {
        match self.through {
            Some(Through::Cleanup) => Machine::cleanup(),
            None => self.machine,
        }
    }
}
