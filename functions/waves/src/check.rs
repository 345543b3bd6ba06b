//! What makes a well-formed wave sensible. Every rule reports on its own, so that all errors come at once. Pure.

pub mod twice;
mod unread;

use std::collections::{BTreeMap, BTreeSet};

use cutover::finding::{self, Finding};
use cutover::plan::Mode;
use cutover::text::{is_key_below, is_name, named, quoted};
use cutover::{Plan, Seconds};
use jiff::Timestamp;
use schemars::Schema;
use serde_json::Value;

use self::unread::NO_APPLICATION;
use crate::order::groups;
use crate::plan::{Member, WavePlan};

const LONGEST_SPREAD: Seconds = Seconds::hours(1);
const TIMEOUT: (Seconds, Seconds) = (Seconds::minutes(1), Seconds::hours(30 * 24));
const APPROVAL: (Seconds, Seconds) = (Seconds::minutes(1), Seconds::hours(7 * 24));
const DOWNTIME: (Seconds, Seconds) = (Seconds(0), Seconds::hours(48));
const TAKES: (Seconds, Seconds) = (Seconds::minutes(1), Seconds::hours(48));

impl WavePlan {
    /// Reads a wave as its author wrote it.
    ///
    /// # Errors
    /// Every error at once, of form and of sense, the cutover plans' included, in the order of their paths.
    pub fn read(value: &Value) -> Result<Self, Vec<Finding>> {
        let cutover::read::Read { value, unread, mut findings } = cutover::read::form::<Self>(value);
        if let Some(wave) = &value {
            let told: Vec<String> = findings.iter().map(|finding| finding.path.clone()).collect();
            let found = check(wave).into_iter().filter(|finding| !told.contains(&finding.path));
            findings.extend(found.filter(|finding| unread::is_of_what_was_read(finding, &unread)));
        }
        match value {
            Some(wave) if findings.is_empty() => Ok(wave),
            _ => Err(finding::in_order(findings)),
        }
    }

    /// The JSON Schema of a wave as its author writes it: `events/wave.schema.json`.
    pub fn schema() -> Schema {
        cutover::read::gesture_schema::<Self>()
    }
}

fn check(wave: &WavePlan) -> Vec<Finding> {
    let mut findings = Vec::new();
    name(&wave.wave, "$.wave", &mut findings);
    names(wave, &mut findings);
    for (place, member) in wave.applications.iter().enumerate() {
        content(member, place, &wave.wave, &mut findings);
    }
    findings.extend(twice::within(wave));
    if findings.is_empty() {
        order(wave, &mut findings);
    }
    times(wave, &mut findings);
    findings.extend(cutover::read::problems_of_groups(&wave.stakeholders.groups, "$.stakeholders.groups"));
    if let Some(downtime) = wave.announcement.expected_downtime {
        within(downtime, DOWNTIME, "$.announcement.expected_downtime", &mut findings);
    }
    findings
}

fn name(text: &str, path: &str, findings: &mut Vec<Finding>) {
    if !is_name(text, 64) {
        let problem = format!("is {}", quoted(text, 80));
        findings.push(Finding::plan(path, problem, "give 1 to 64 of the characters A-Z a-z 0-9 - _"));
    }
}

/// Names that are none, names that are there twice, and names of what is not there.
fn names(wave: &WavePlan, findings: &mut Vec<Finding>) {
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    if wave.applications.is_empty() {
        findings.push(Finding::plan("$.applications", "is empty", "name what moves"));
    }
    for (place, member) in wave.applications.iter().enumerate() {
        name(&member.name, &format!("$.applications[{place}].name"), findings);
        if let Some(before) = first.get(member.name.as_str()) {
            let problem = format!("{} is also $.applications[{before}].name", named(&member.name, 64));
            let fix = "give each application once";
            findings.push(Finding::plan(format!("$.applications[{place}].name"), problem, fix));
        }
        first.entry(&member.name).or_insert(place);
    }
    let mut known = |name: &str, path: String| {
        if first.contains_key(name) {
            return;
        }
        let near = cutover::read::nearest_name(name, first.keys().copied());
        let fix = near.map_or_else(
            || "name one of this wave's applications; what moved in an earlier wave is there already".to_owned(),
            |near| format!("write {}", named(near, 64)),
        );
        findings.push(Finding::plan(path, format!("{} {NO_APPLICATION}", named(name, 64)), fix));
    };
    for (place, member) in wave.applications.iter().enumerate() {
        for (of, need) in member.needs.iter().enumerate() {
            known(need, format!("$.applications[{place}].needs[{of}]"));
        }
        for (of, with) in member.together_with.iter().enumerate() {
            known(with, format!("$.applications[{place}].together_with[{of}]"));
        }
    }
    for (place, freeze) in wave.freezes.iter().enumerate() {
        for (of, name) in freeze.applications.iter().enumerate() {
            known(name, format!("$.freezes[{place}].applications[{of}]"));
        }
    }
}

/// What one application has to have.
fn content(member: &Member, place: usize, wave: &str, findings: &mut Vec<Finding>) {
    let path = format!("$.applications[{place}]");
    match (&member.cutover, &member.cutover_from) {
        (Some(_), Some(_)) => findings.push(Finding::plan(
            format!("{path}.cutover_from"),
            "stands beside `cutover`",
            "give the plan itself, or where it is",
        )),
        (None, None) if member.tasks.is_empty() => findings.push(Finding::plan(
            &path,
            "has neither a cutover plan nor tasks",
            "give `cutover`, `cutover_from` or `tasks`",
        )),
        (Some(plan), None) => findings.extend(cutover_plan(member, plan, &format!("{path}.cutover"))),
        _ => {}
    }
    if let Some(key) = &member.cutover_from
        && !is_key_below("plans/", key)
    {
        let problem = format!("is {}", quoted(key, 100));
        let fix = "write the key of an object below plans/, such as plans/shop.json";
        findings.push(Finding::plan(format!("{path}.cutover_from"), problem, fix));
    }
    for (of, need) in member.needs_moved.iter().enumerate() {
        let path = format!("{path}.needs_moved[{of}]");
        name(&need.application, &format!("{path}.application"), findings);
        name(&need.wave, &format!("{path}.wave"), findings);
        if need.wave == wave {
            let fix = "what moves in the same wave stands in `needs`";
            findings.push(Finding::plan(format!("{path}.wave"), "is this wave itself", fix));
        }
    }
    for (task, _) in member.tasks.iter().enumerate().filter(|(_, task)| task.what.trim().is_empty()) {
        findings.push(Finding::plan(format!("{path}.tasks[{task}].what"), "is empty", "say what is to be done"));
    }
    if let Some(takes) = member.takes {
        within(takes, TAKES, &format!("{path}.takes"), findings);
    }
}

/// Every error of an application's cutover plan, where it stands. A plan from elsewhere is read by this, too.
pub fn cutover_plan(member: &Member, plan: &Value, path: &str) -> Vec<Finding> {
    match Plan::read(plan) {
        Ok(plan) if plan.application != member.name => {
            let problem = format!("is {}, and not {}", named(&plan.application, 64), named(&member.name, 64));
            vec![Finding::plan(format!("{path}.application"), problem, "give the application one name in both places")]
        }
        Ok(plan) if plan.mode == Mode::Precheck => {
            let fix = "leave it out: the wave has every application checked first";
            vec![Finding::plan(format!("{path}.mode"), "is `precheck`, so that nothing would move", fix)]
        }
        Ok(_) => Vec::new(),
        Err(found) => {
            let at_its_place = |finding: Finding| {
                let below = finding.path.strip_prefix('$').unwrap_or_default();
                Finding { path: finding::shown_path(&format!("{path}{below}")), ..finding }
            };
            found.into_iter().map(at_its_place).collect()
        }
    }
}

/// Whether what is needed can be kept. All names are known.
fn order(wave: &WavePlan, findings: &mut Vec<Finding>) {
    let place_of: BTreeMap<&str, usize> =
        wave.applications.iter().enumerate().map(|(place, member)| (member.name.as_str(), place)).collect();
    let group_of = groups(wave);
    for (place, member) in wave.applications.iter().enumerate() {
        for (of, need) in member.needs.iter().enumerate() {
            if group_of[place_of[need.as_str()]] == group_of[place] {
                let problem = format!("{} moves in lockstep with it, or is itself", named(need, 64));
                let fix = "what is needed first cannot move at the same time: remove one of the two";
                findings.push(Finding::plan(format!("$.applications[{place}].needs[{of}]"), problem, fix));
            }
        }
    }
    for group in 0..wave.applications.len() {
        let cutovers = |place: &usize| group_of[*place] == group && wave.applications[*place].moves();
        let size = (0..wave.applications.len()).filter(cutovers).count();
        if size > wave.parallel_cutovers as usize {
            let name = named(&wave.applications[group].name, 64);
            let problem =
                format!("is {}, and {size} applications move in lockstep with {name}", wave.parallel_cutovers);
            findings.push(Finding::plan("$.parallel_cutovers", problem, format!("write {size} at the least")));
        }
    }
    if findings.is_empty()
        && let Some(circle) = circle(wave, &place_of, &group_of)
    {
        let problem = format!("need each other in a circle: {}", circle.join(", which needs "));
        findings.push(Finding::plan("$.applications", problem, "remove one of these needs"));
    }
}

/// A circle of needs, from a name back to it, lockstep groups being one.
fn circle(wave: &WavePlan, place_of: &BTreeMap<&str, usize>, group_of: &[usize]) -> Option<Vec<String>> {
    let needs_of = |group: usize| {
        let members = (0..group_of.len()).filter(move |place| group_of[*place] == group);
        members.flat_map(|place| wave.applications[place].needs.iter().map(|need| group_of[place_of[need.as_str()]]))
    };
    let mut clear = BTreeSet::new();
    for start in group_of {
        // Depth first, with the way here; each entry with what is still to be looked at.
        let mut way: Vec<(usize, Vec<usize>)> = vec![(*start, needs_of(*start).collect())];
        while let Some((group, left)) = way.last_mut() {
            let Some(next) = left.pop() else {
                clear.insert(*group);
                way.pop();
                continue;
            };
            if let Some(from) = way.iter().position(|(group, _)| *group == next) {
                let around = way[from..].iter().map(|(group, _)| *group).chain([next]);
                return Some(around.map(|group| named(&wave.applications[group].name, 64)).collect());
            }
            if !clear.contains(&next) {
                way.push((next, needs_of(next).collect()));
            }
        }
    }
    None
}

fn times(wave: &WavePlan, findings: &mut Vec<Finding>) {
    within(wave.timeout, TIMEOUT, "$.timeout", findings);
    within(wave.spread_starts_over, (Seconds(0), LONGEST_SPREAD), "$.spread_starts_over", findings);
    let topics = [
        ("$.approval.topic_arn", wave.approval.as_ref().map(|approval| &approval.topic_arn)),
        ("$.notify.topic_arn", wave.notify.as_ref().map(|notify| &notify.topic_arn)),
    ];
    for (path, arn) in topics {
        if let Some(arn) = arn.filter(|arn| !is_topic(arn)) {
            let problem = format!("is {}", quoted(arn, 100));
            findings.push(Finding::plan(path, problem, "give the ARN of a standard SNS topic"));
        }
    }
    if let Some(approval) = &wave.approval {
        within(approval.within, APPROVAL, "$.approval.within", findings);
    }
    if let Some(window) = &wave.window {
        let closes = time(&window.closes, "$.window.closes", findings);
        let opens = window.opens.as_ref().and_then(|opens| time(opens, "$.window.opens", findings));
        if let (Some(opens), Some(closes)) = (opens, closes) {
            after(opens, closes, "$.window.closes", findings);
            for (place, member) in wave.applications.iter().enumerate().filter(|_| opens < closes) {
                let longer = member.takes.filter(|takes| i128::from(takes.0) > seconds_between(opens, closes));
                if let Some(takes) = longer {
                    let problem = format!("is {takes}, longer than the window: it would never start");
                    let fix = "open a longer window, or move it in another one";
                    findings.push(Finding::plan(format!("$.applications[{place}].takes"), problem, fix));
                }
            }
        }
    }
    for (place, freeze) in wave.freezes.iter().enumerate() {
        let from = time(&freeze.from, &format!("$.freezes[{place}].from"), findings);
        let path = format!("$.freezes[{place}].to");
        let to = time(&freeze.to, &path, findings);
        if let (Some(from), Some(to)) = (from, to) {
            after(from, to, &path, findings);
        }
    }
}

fn is_topic(arn: &str) -> bool {
    let parts: Vec<&str> = arn.split(':').collect();
    matches!(parts[..], ["arn", _, "sns", region, account, name] if !region.is_empty() && account.len() == 12 && is_name(name, 256))
}

fn seconds_between(from: Timestamp, to: Timestamp) -> i128 {
    i128::from(to.as_second()) - i128::from(from.as_second())
}

fn time(text: &str, path: &str, findings: &mut Vec<Finding>) -> Option<Timestamp> {
    let time = text.parse().ok();
    if time.is_none() {
        let problem = format!("{} is no point in time", named(text, 64));
        findings.push(Finding::plan(path, problem, "write it as 2026-03-07T20:00:00+01:00"));
    }
    time
}

fn after(from: Timestamp, to: Timestamp, path: &str, findings: &mut Vec<Finding>) {
    if from >= to {
        findings.push(Finding::plan(path, "is not after its beginning", "write a later time"));
    }
}

fn within(value: Seconds, (least, most): (Seconds, Seconds), path: &str, findings: &mut Vec<Finding>) {
    if value < least || value > most {
        let problem = format!("is {value}");
        findings.push(Finding::plan(path, problem, format!("write a duration from {least} to {most}")));
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
