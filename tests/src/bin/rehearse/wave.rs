//! `cargo rehearse` of a wave: live progress, and what became of each application.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use cutover::Plan;
use cutover_tests::control::Client;
use cutover_tests::emulator::Ready;
use cutover_tests::left;
use cutover_tests::waves::{Happening, Outcome, WaveStage, WaveWorld, is_wave, rehearse};
use serde_json::{Value, json};
use waves::state::Is;
use waves::{Order, WavePlan};

use crate::arguments::Arguments;
use crate::pages;
use crate::scenario::json_at;

const PLAN_AT_FAULT: u8 = 2;

/// A wave, and what it does not say.
pub struct WaveScenario {
    wave: Value,
    world: WaveWorld,
}

impl WaveScenario {
    /// The wave that was named; none where it is a plan, or none was.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn read(arguments: &Arguments) -> Result<Option<Self>> {
        let Some(path) = &arguments.plan else { return Ok(None) };
        let wave = json_at(path)?;
        // A world file is told to be one where a plan is read.
        if !is_wave(&wave) || path.to_string_lossy().ends_with(".world.json") {
            return Ok(None);
        }
        let world = WaveWorld::beside(path)?;
        let checked = world.check(&wave);
        checked.with_context(|| format!("{} is not the wave's", path.with_extension("world.json").display()))?;
        Ok(Some(Self { wave, world }))
    }

    /// Whether nothing would move: to be told before anything is started. In a rehearsal each application has an environment of its own, in which
    /// what two of them name stands apart: there, nobody would find it.
    pub fn is_refused(&self) -> bool {
        self.world.expect.as_deref() != Some("InvalidPlan") && WavePlan::read(&self.wave).is_err()
    }

    /// Judges it alone: every error at once, or its stages. The exit code.
    pub fn check(&self, is_json: bool) -> u8 {
        let read = WavePlan::read(&self.wave);
        if is_json {
            crate::out(format_args!("{}\n", json!({ "findings": read.as_ref().err() })));
        }
        match read {
            Err(findings) => {
                for finding in findings.iter().filter(|_| !is_json) {
                    crate::out(format_args!("ERROR {} {}\n      {}\n", finding.path, finding.problem, finding.fix));
                }
                PLAN_AT_FAULT
            }
            Ok(wave) => {
                if !is_json {
                    crate::out(format_args!("{}", stages(&wave)));
                }
                0
            }
        }
    }

    /// Rehearses it, and tells. The exit code: 0 where it ended as its world expects, or, without one, where all moved.
    ///
    /// # Errors
    /// The rehearsal itself failed.
    pub async fn play(self, client: &Client, ready: &Ready, speed: f64, is_json: bool, page: &Path) -> Result<u8> {
        if let Some(description) = &self.world.description {
            eprintln!("\n{description}");
        }
        eprintln!("Environments of {} applications...", self.wave["applications"].as_array().map_or(0, Vec::len));
        let stage = WaveStage::set(client, ready, &self.wave, self.world, speed).await?;
        let own = stage.own_names();
        let mut out: Box<dyn std::io::Write> =
            if is_json { Box::new(anstream::stderr()) } else { Box::new(anstream::stdout()) };
        let outcome = rehearse(&stage, |at, happening| {
            // A terminal that is gone is no reason to end the rehearsal.
            let _ = writeln!(out, "{}  {}", clock(at), own.in_text(&told(happening)));
        })
        .await?;
        if is_json {
            let text = serde_json::to_string_pretty(&outcome).context("cannot print the outcome")?;
            crate::out(format_args!("{}\n", own.in_text(&text)));
        } else {
            crate::out(format_args!("{}", own.in_text(&summary(&outcome))));
        }
        pages::tell(&outcome.pages, &own, &page.with_extension("answers"))?;
        if let Some(html) = left::object(client, &format!("waves/{}.html", outcome.wave)).await? {
            std::fs::write(page, own.in_text(&html)).with_context(|| format!("cannot write {}", page.display()))?;
            eprintln!("\nThe wave's page, as it stood at the end: {}", page.display());
        }
        crate::mails::tell(client, &own, &page.with_extension("mails")).await?;
        Ok(exit_code(&outcome))
    }
}

/// What moves when, by the plan alone.
fn stages(wave: &WavePlan) -> String {
    let plans: Vec<Option<Plan>> =
        wave.applications.iter().map(|member| member.cutover.as_ref().and_then(|plan| Plan::read(plan).ok())).collect();
    let order = Order::of(wave, &plans);
    let last = order.members.iter().map(|placed| placed.stage).max().unwrap_or(0);
    let mut text = format!("Wave {}, {} at a time:\n", order.wave, order.parallel_cutovers);
    for stage in 1..=last {
        let names =
            order.members.iter().filter(|placed| placed.stage == stage).map(|placed| match placed.takes_seconds {
                0 => placed.name.clone(),
                seconds => format!("{} ({})", placed.name, cutover::Seconds(seconds)),
            });
        text.push_str(&format!("  stage {stage}: {}\n", names.collect::<Vec<_>>().join(", ")));
    }
    text
}

fn clock(at: Duration) -> String {
    let seconds = at.as_secs();
    format!("{:>3}:{:02}", seconds / 60, seconds % 60)
}

fn told(happening: &Happening) -> String {
    match happening {
        Happening::Is(name, is, Some(why)) => format!("{name:<20} {}: {why}", words(*is)),
        Happening::Is(name, is, None) => format!("{name:<20} {}", words(*is)),
        Happening::Said(said) => format!("{:<20} {said}", "a person says"),
        Happening::Answered(asked) => format!("{:<20} {asked:?}", "a person answers"),
    }
}

fn words(is: Is) -> &'static str {
    match is {
        Is::Waiting => "waits",
        Is::LeftBehind => "left behind",
        Is::NotStarted => "not started",
        Is::Checking => "precheck runs",
        Is::Running => "cutover runs",
        Is::Moved => "on its new side",
        Is::RollingBack => "is put back",
        Is::Back => "exactly as before",
        Is::Refused => "refused, nothing touched",
        Is::Stuck => "NEEDS A PERSON",
        Is::Done => "done",
    }
}

fn summary(outcome: &Outcome) -> String {
    let mut text = format!(
        "\nWave {}: {}, after {}\n",
        outcome.wave,
        outcome.ending(),
        clock(Duration::from_secs_f64(outcome.seconds))
    );
    if let Some(cause) = outcome.end.cause.as_deref().filter(|_| outcome.members.is_empty()) {
        text.push_str(&format!("  {cause}\n"));
    }
    for member in &outcome.members {
        let users = member.users.map(|users| format!(", users on the {users} side")).unwrap_or_default();
        let started = member
            .started_after_seconds
            .map(|seconds| format!(", begun at {}", clock(Duration::from_secs_f64(seconds)).trim()));
        let failures =
            if member.failures > 0 { format!(", {} failed requests", member.failures) } else { String::new() };
        let why = member.why.as_ref().map(|why| format!("\n      {why}")).unwrap_or_default();
        text.push_str(&format!(
            "  {:<20} {}{users}{}{failures}{why}\n",
            member.application,
            words(member.is),
            started.unwrap_or_default()
        ));
    }
    for member in outcome.untrue() {
        let users = member.users.unwrap_or_default();
        text.push_str(&format!(
            "BROKEN: the wave says of {} that it is {:?}, and its users are on the {users} side\n",
            member.application, member.is
        ));
    }
    if let Some(expected) = outcome.expected.as_deref().filter(|expected| *expected != outcome.ending()) {
        text.push_str(&format!("It should have ended {expected}.\n"));
    }
    text
}

fn exit_code(outcome: &Outcome) -> u8 {
    let is_as_expected = outcome.ending() == outcome.expected.as_deref().unwrap_or("Succeeded");
    match outcome.ending() {
        _ if !outcome.untrue().is_empty() => 1,
        _ if is_as_expected => 0,
        "InvalidPlan" | "PrecheckFailed" => PLAN_AT_FAULT,
        "RolledBack" => 3,
        "Stuck" => 4,
        _ => 1,
    }
}
