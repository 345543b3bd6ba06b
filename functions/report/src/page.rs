//! What stands on the page, as texts and drawn plots: what both templates are filled with. Pure.

use cutover::Seconds;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use load_results::compare::{Change, Direction};
use load_results::report::Verdict as LoadVerdict;
use load_results::sla::Line as Bound;
use serde::Serialize;

use crate::advice::{About, Advice};
use crate::facts::{Entry, Facts, Gate, Kind, Limit, RouteFacts};
use crate::load::Load;
use crate::resources::{self, Compared, ResourceChange};
use crate::verdict::{Standing, Verdict, metric, signed};
use crate::words::short;

mod plots;

/// How much is drawn and listed.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Routes with plots of their own.
    pub routes: usize,
    /// Checks with a plot of their own.
    pub gates: usize,
    /// Lines of a list or table.
    pub lines: usize,
}

/// What the templates are filled with. Plots are SVG whose texts are escaped; everything else is plain text, which the page's template
/// escapes.
#[derive(Debug, Serialize)]
pub struct Page {
    application: String,
    run_id: String,
    class: &'static str,
    verdict: String,
    summary: Vec<String>,
    facts: Vec<(String, String)>,
    sla: Vec<Row>,
    limits: Vec<Row>,
    score: Option<String>,
    breakdown: Vec<(String, String, String)>,
    load_notes: Vec<String>,
    not_compared: Option<String>,
    figures: Vec<Row>,
    load_plots: Vec<String>,
    routes: Vec<RoutePart>,
    gates: Vec<Row>,
    gate_plots: Vec<String>,
    resources: Vec<Row>,
    resource_plots: Vec<String>,
    baseline: Vec<String>,
    timeline: Vec<(String, &'static str, String)>,
    left_out: usize,
    not_done: Vec<String>,
    not_measured: Vec<String>,
    advice: Vec<(&'static str, String, String)>,
}

/// A row of a table: its cells, and how it stands.
#[derive(Debug, Serialize)]
struct Row {
    class: &'static str,
    cells: Vec<String>,
}

/// One route.
#[derive(Debug, Serialize)]
struct RoutePart {
    title: String,
    text: String,
    plots: Vec<String>,
}

/// The page of a run.
pub fn page(facts: &Facts, verdict: &Verdict, summary: &[String; 3], advice: &[Advice], extent: Extent) -> Page {
    let load = facts.load.as_ref();
    let (timeline, left_out) = timeline(&facts.timeline, extent.lines);
    Page {
        application: facts.application.clone(),
        run_id: facts.run_id.clone(),
        class: class(verdict.standing),
        verdict: verdict.line.clone(),
        summary: summary.to_vec(),
        facts: in_short(facts),
        sla: load.map(|load| load.sla.iter().map(|line| bound(line, load.verdict)).collect()).unwrap_or_default(),
        limits: facts.limits.iter().map(limit).collect(),
        score: load.filter(|load| load.verdict != LoadVerdict::Invalid).and_then(|load| load.score).map(short),
        breakdown: load.map(breakdown).unwrap_or_default(),
        load_notes: load.map(notes).unwrap_or_default(),
        not_compared: load.and_then(|load| load.comparison.why_not.clone()),
        figures: load.map(figures).unwrap_or_default(),
        load_plots: load.map(plots::of_load).unwrap_or_default(),
        routes: facts
            .routes
            .iter()
            .enumerate()
            .map(|(place, route)| part(facts, route, place < extent.routes))
            .collect(),
        gates: facts.gates.iter().take(extent.lines).map(gate).collect(),
        gate_plots: facts.gates.iter().filter_map(|gate| plots::of_gate(gate, facts)).take(extent.gates).collect(),
        resources: facts.resource_changes.iter().take(extent.lines).map(resource).collect(),
        resource_plots: facts
            .resources
            .iter()
            .filter_map(|series| plots::of_resource(series, facts))
            .take(extent.gates)
            .collect(),
        baseline: facts.baseline.clone(),
        timeline,
        left_out,
        not_done: facts.not_done.clone(),
        not_measured: facts.not_measured.clone(),
        advice: advice.iter().map(|one| (about(one.about), one.finding.clone(), one.advice.clone())).collect(),
    }
}

fn class(standing: Standing) -> &'static str {
    match standing {
        Standing::Good => "good",
        Standing::Doubtful | Standing::TurnedBack => "note",
        Standing::NeedsPerson => "bad",
    }
}

fn about(about: About) -> &'static str {
    match about {
        About::Now => "now",
        About::Tuning => "tuning",
        About::Measure => "measure",
        About::Watch => "watch",
        About::Sizing => "sizing",
        About::Cost => "cost",
    }
}

/// `2026-11-26 21:05:09`, in UTC, as the page says.
fn moment(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%F %T").to_string()
}

fn in_short(facts: &Facts) -> Vec<(String, String)> {
    let took = u64::try_from(facts.until.as_second() - facts.began_at.as_second()).unwrap_or(0);
    let mut told = vec![
        ("ending".to_owned(), facts.ending.clone()),
        ("began (UTC)".to_owned(), moment(facts.began_at)),
        ("took".to_owned(), Seconds(took).to_string()),
        ("routes".to_owned(), facts.routes.len().to_string()),
    ];
    if let Some(seconds) = facts.recovery_seconds {
        told.push(("from the first bad look to restored".to_owned(), Seconds(seconds).to_string()));
    }
    let requests: Vec<(f64, f64)> = facts.routes.iter().filter_map(RouteFacts::requests).collect();
    if !requests.is_empty() {
        let (old, new) = requests.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        told.push(("users' requests, old / new".to_owned(), format!("{} / {}", short(old), short(new))));
    }
    if let Some(load) = &facts.load {
        let old = load.old.as_ref().map_or("not loaded".to_owned(), |old| old.figures.sent.to_string());
        told.push(("load test's requests, old / new".to_owned(), format!("{old} / {}", load.new.figures.sent)));
    }
    told
}

/// Of an invalid test no bound is judged.
fn bound(line: &Bound, verdict: LoadVerdict) -> Row {
    let (class, is) = match (verdict, line.holds) {
        (LoadVerdict::Invalid, _) => ("", "not judged"),
        (_, true) if line.is_unsure() => ("note", "holds, of too few requests to be certain"),
        (_, true) => ("good", "holds"),
        (_, false) => ("bad", "violated"),
    };
    let is = match line.needs.filter(|_| line.is_unsure()) {
        Some(needs) => format!("{is}: it takes {needs}"),
        None => is.to_owned(),
    };
    let of = line.requests.map(|requests| format!(", of {requests} requests")).unwrap_or_default();
    let cells = vec![
        line.bound.clone(),
        short(line.limit),
        line.measured.map_or("not measured".to_owned(), |measured| format!("{}{of}", short(measured))),
        line.margin.map_or("none".to_owned(), signed),
        is,
    ];
    Row { class, cells }
}

/// A limit of the plan, and how much is left until it.
fn limit(limit: &Limit) -> Row {
    let (class, is) = if limit.holds { ("good", "holds") } else { ("bad", "violated") };
    let cells = vec![
        limit.name.clone(),
        short(limit.max),
        limit.measured.map_or("not measured".to_owned(), short),
        limit.margin.map_or("none".to_owned(), signed),
        is.to_owned(),
    ];
    Row { class, cells }
}

fn breakdown(load: &Load) -> Vec<(String, String, String)> {
    load.sla.iter().map(|line| (line.bound.clone(), short(line.points), short(line.weight))).collect()
}

fn notes(load: &Load) -> Vec<String> {
    let sides = load.old.iter().map(|old| old.line("old")).chain([load.new.line("new")]);
    sides.chain(load.problems.iter().chain(&load.notes).cloned()).collect()
}

/// Figure by figure: old, new, samples, change, interval, what it means. Without a comparison, the figures alone.
fn figures(load: &Load) -> Vec<Row> {
    if !load.comparison.changes.is_empty() {
        return load.comparison.changes.iter().map(change).collect();
    }
    let (new, old) = (&load.new.figures, load.old.as_ref().map(|old| &old.figures));
    let named = [
        ("mean_ms", new.mean_ms, old.and_then(|old| old.mean_ms)),
        ("p50_ms", new.p50_ms, old.and_then(|old| old.p50_ms)),
        ("p90_ms", new.p90_ms, old.and_then(|old| old.p90_ms)),
        ("p95_ms", new.p95_ms, old.and_then(|old| old.p95_ms)),
        ("p99_ms", new.p99_ms, old.and_then(|old| old.p99_ms)),
        ("p999_ms", new.p999_ms, old.and_then(|old| old.p999_ms)),
        ("success_percent", new.success_percent, old.and_then(|old| old.success_percent)),
        ("throughput_rps", new.throughput_rps, old.and_then(|old| old.throughput_rps)),
    ];
    let value = |value: Option<f64>| value.map_or("not measured".to_owned(), short);
    let row = |(name, new_value, old_value): (&str, Option<f64>, Option<f64>)| {
        let sample = format!("{} / {}", old.map_or(0, |old| old.sent), new.sent);
        let cells = vec![
            title(name),
            value(old_value),
            value(new_value),
            sample,
            String::new(),
            String::new(),
            "not compared".to_owned(),
        ];
        Row { class: "", cells }
    };
    named.map(row).into()
}

/// A metric before and after: no judgement, as load is not the same.
fn resource(change: &ResourceChange) -> Row {
    let name = match change.compared {
        Compared::OldWithNew => format!("{}, then {}", change.before_name, change.after_name),
        Compared::WithItself => change.before_name.clone(),
    };
    let is = match change.direction {
        resources::Direction::Higher => "higher",
        resources::Direction::Lower => "lower",
        resources::Direction::Same => "the same",
    };
    let before_periods = change.before_periods.map_or("not known".to_owned(), |periods| periods.to_string());
    let cells = vec![
        name,
        short(change.before),
        short(change.after),
        format!("{before_periods} / {}", change.after_periods),
        change.percent.map_or("none".to_owned(), signed),
        is.to_owned(),
    ];
    Row { class: "", cells }
}

fn change(change: &Change) -> Row {
    let (class, meaning) = match change.direction {
        Direction::Better => ("good", "better"),
        Direction::Worse => ("bad", "worse"),
        Direction::NoDifference => ("", "no difference to tell"),
        Direction::NotKnown => ("", "cannot be told"),
    };
    let interval =
        change.interval_percent.map_or("none".to_owned(), |(low, high)| format!("{} to {}", signed(low), signed(high)));
    let cells = vec![
        title(&change.metric),
        short(change.old),
        short(change.new),
        format!("{} / {}", change.old_sample, change.new_sample),
        change.percent.map_or("none".to_owned(), signed),
        interval,
        meaning.to_owned(),
    ];
    Row { class, cells }
}

/// With its unit.
fn title(name: &str) -> String {
    let unit = match name {
        name if name.ends_with("_ms") => "ms",
        name if name.ends_with("_percent") => "%",
        _ => "a second",
    };
    format!("{}, {unit}", metric(name).trim_start_matches("the "))
}

fn part(facts: &Facts, route: &RouteFacts, is_drawn: bool) -> RoutePart {
    let text = match route.requests() {
        Some((old, new)) => {
            let share = if old + new > 0.0 {
                format!(", {} % of them on the new side", short(100.0 * new / (old + new)))
            } else {
                String::new()
            };
            format!("{} requests in all{share}", short(old + new))
        }
        None => "its requests were not counted".to_owned(),
    };
    RoutePart {
        title: route.title.clone(),
        text,
        plots: if is_drawn { plots::of_route(route, facts) } else { Vec::new() },
    }
}

fn gate(gate: &Gate) -> Row {
    let class = if gate.unhealthy > 0 {
        "bad"
    } else if gate.healthy == 0 {
        "note"
    } else {
        "good"
    };
    let counts = [
        (gate.healthy, "well"),
        (gate.unhealthy, "wrong"),
        (gate.too_little, "too little to tell"),
        (gate.not_known, "not known"),
    ];
    let counts = counts.map(|(count, what)| format!("{count} {what}"));
    let looks = format!("{} looks: {}", gate.looks, counts.join(", "));
    Row { class, cells: vec![gate.name.clone(), looks, gate.last_seen.clone()] }
}

/// The first and the last of them, where there are too many.
fn timeline(entries: &[Entry], most: usize) -> (Vec<(String, &'static str, String)>, usize) {
    let told = |entry: &Entry| {
        let kind = match entry.kind {
            Kind::Done => "done",
            Kind::Moved => "moved",
            Kind::Person => "person",
            Kind::Trouble => "trouble",
        };
        (moment(entry.at), kind, entry.text.clone())
    };
    if entries.len() <= most {
        return (entries.iter().map(told).collect(), 0);
    }
    let (first, last) = (&entries[..most / 2], &entries[entries.len() - most / 2..]);
    (first.iter().chain(last).map(told).collect(), entries.len() - first.len() - last.len())
}
