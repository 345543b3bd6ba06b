//! `cargo rehearse --faults`: a campaign, its progress bar, its table and its page.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use cutover_tests::emulator::Options;
use cutover_tests::faults::campaign::{self, Judged, Progress, Selection};
use cutover_tests::faults::report;
use cutover_tests::faults::shape::Shape;
use indicatif::{ProgressBar, ProgressStyle};

use crate::page::Page;

const BROKEN_PROMISE: u8 = 1;
/// Where there is no terminal for a bar.
const SAID_EVERY: u64 = 50;

/// What to run.
pub struct Campaign<'a> {
    pub plan: Option<&'a Path>,
    pub selection: Selection,
    pub fields: usize,
    pub page: &'a Page,
}

/// Runs a campaign, and tells.
pub async fn run(options: &Options, shapes: Vec<Shape>, campaign: &Campaign<'_>) -> Result<u8> {
    let started = Instant::now();
    let bar = ProgressBar::no_length();
    let style = "{msg} {wide_bar} {pos}/{len} {elapsed_precise}, {eta} left";
    bar.set_style(ProgressStyle::with_template(style).context("the progress bar")?);
    bar.set_message("Recording");
    let plan = campaign.plan.map(|plan| plan.display().to_string());
    let judged = campaign::run(options, shapes, &campaign.selection, campaign.fields, |progress| match progress {
        Progress::Recorded(name, points) => say(&bar, &format!("recorded {name}: {points} requests to hit")),
        Progress::Selected(count) => {
            bar.set_length(count as u64);
            bar.reset_eta();
            bar.set_message("Faults");
        }
        Progress::Over(one) => {
            bar.inc(1);
            if bar.is_hidden() && bar.position().is_multiple_of(SAID_EVERY) {
                let left = Duration::from_secs(bar.eta().as_secs());
                let left = humantime::format_duration(left);
                eprintln!("{} of {} cases, about {left} left", bar.position(), bar.length().unwrap_or_default());
            }
            if one.is_broken() {
                say(&bar, &broken(one, plan.as_deref()));
            }
        }
    })
    .await?;
    bar.finish_and_clear();
    tell(&judged, campaign, plan.as_deref(), started)
}

/// Above the bar; without a terminal there is none.
fn say(bar: &ProgressBar, text: &str) {
    if bar.is_hidden() { eprintln!("{text}") } else { bar.println(text) }
}

fn broken(one: &Judged, plan: Option<&str>) -> String {
    let violations: String = one.played.violations.iter().map(|violation| format!("\n    {violation}")).collect();
    let (ended, cause) = (&one.played.error, &one.played.cause);
    let again = report::replay(plan, one);
    format!("BROKEN  {}\n    ended {ended} {cause:.600}{violations}\n    again: {again}", one.case.id())
}

/// Whose faults they are, where no plan was given.
fn called(judged: &[Judged]) -> String {
    let shapes: BTreeSet<&str> = judged.iter().map(|one| one.case.shape.as_str()).collect();
    let shapes: Vec<&str> = shapes.into_iter().collect();
    match &shapes[..] {
        [one] => format!("the shape {one}"),
        some if some.len() < Shape::all().len() => format!("the shapes {}", some.join(", ")),
        _ => "every shape of route".to_owned(),
    }
}

fn tell(judged: &[Judged], campaign: &Campaign, plan: Option<&str>, started: Instant) -> Result<u8> {
    let heading = format!("Faults in {}", plan.map_or_else(|| called(judged), str::to_owned));
    campaign.page.write(&report::page(judged, &heading, plan, &campaign.page.origin))?;
    let broken = judged.iter().filter(|one| one.is_broken()).count();
    let missed = judged.iter().filter(|one| !one.played.is_hit).count();
    crate::out(format_args!("{}{}\n\n", report::by_state(judged), report::legend()));
    crate::out(format_args!("{}\n", report::counts(judged, "fault", |one| one.case.fault.name())));
    crate::out(format_args!("{}\n", report::counts(judged, "plan", |one| one.case.shape.clone())));
    crate::out(format_args!(
        "{} cases in {} s, {broken} break the promise; in {missed} the request was not made again. Each case: {}\n",
        judged.len(),
        started.elapsed().as_secs(),
        campaign.page.path.display()
    ));
    Ok(if broken > 0 { BROKEN_PROMISE } else { 0 })
}
