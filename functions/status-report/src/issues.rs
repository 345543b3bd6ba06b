//! What somebody should know of, or has to do. Pure.

use cutover::text::{quoted, shown};
use history::Call;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::known::{Known, replies};
use crate::standing::{Standing, words};

/// So many of each kind are listed; the rest is counted.
const MOST_OF_KIND: usize = 20;
const MOST_TEXT_BYTES: usize = 500;
const MOST_TITLE_BYTES: usize = 250;

/// What kind of issue it is, from what a person has to do to what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// What is left by a rollback that is stuck.
    Stuck,
    /// Why a rollback is held.
    Held,
    /// What a person is asked.
    Question,
    /// A check of the last look that is not healthy.
    Check,
    /// What the run wanted to do, and did not.
    NotDone,
    /// A message that did not reach its group.
    NotDelivered,
    /// What a person has decided.
    Decision,
    /// What precheck found.
    Finding,
}

impl About {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Stuck => "left to do",
            Self::Held => "held",
            Self::Question => "question",
            Self::Check => "check",
            Self::NotDone => "not done",
            Self::NotDelivered => "not delivered",
            Self::Decision => "decision",
            Self::Finding => "finding",
        }
    }
}

/// One issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Issue {
    /// Its kind.
    pub about: About,
    /// In words; what somebody else wrote in quotes.
    pub text: String,
}

/// All of them, most urgent first.
pub fn issues(known: &Known, calls: &[Call], standing: Standing) -> Vec<Issue> {
    let mut issues = Vec::new();
    let mut add = |about: About, texts: Vec<String>| {
        let more = texts.len().saturating_sub(MOST_OF_KIND);
        issues.extend(texts.into_iter().take(MOST_OF_KIND).map(|text| Issue { about, text }));
        issues.extend((more > 0).then(|| Issue { about, text: format!("and {more} more") }));
    };
    match standing {
        Standing::Stuck => add(About::Stuck, left(known)),
        Standing::Held => add(About::Held, held(known)),
        Standing::WaitsForApproval | Standing::WaitsForDecision => add(About::Question, question(known)),
        _ => {}
    }
    if standing.is_going_forward() {
        add(About::Check, checks(calls));
    }
    add(About::NotDone, not_done(known, calls));
    add(About::NotDelivered, known.undelivered.clone());
    add(About::Decision, decisions(known, calls));
    if known.run.is_none() || standing.is_going_forward() {
        add(About::Finding, findings(calls, known.run.is_none()));
    }
    issues
}

fn report(known: &Known) -> Option<&Value> {
    Some(&known.run.as_ref()?.ending.as_ref()?.report)
}

/// What a rollback could not put back. The commands are in the message that a person got.
fn left(known: &Known) -> Vec<String> {
    let Some(report) = report(known) else { return Vec::new() };
    let routes = report["routes"].as_array().into_iter().flatten().filter(|thing| thing["restored"] != true);
    let told = |thing: &Value| {
        let title = words(&thing["title"]).unwrap_or("something without a name");
        let error = words(&thing["error"]).map(|error| format!(": {}", quoted(error, MOST_TEXT_BYTES)));
        format!("{}{}", shown(title, MOST_TITLE_BYTES), error.unwrap_or_default())
    };
    routes.map(told).chain(words(&report["problem"]).map(|problem| quoted(problem, MOST_TEXT_BYTES))).collect()
}

fn held(known: &Known) -> Vec<String> {
    let Some(report) = report(known) else { return Vec::new() };
    let hold = &report["hold"];
    let why = words(hold).or_else(|| words(&hold["why"])).or_else(|| words(&report["problem"]));
    vec![why.map_or_else(
        || "a person decides; the message that they got says why".to_owned(),
        |why| quoted(why, MOST_TEXT_BYTES),
    )]
}

fn question(known: &Known) -> Vec<String> {
    let (_, asked) = history::calls::asked(&known.cutover.events);
    let why = words(&asked["detail"]["why"]).map(|why| format!("go on, or back? {}", quoted(why, MOST_TEXT_BYTES)));
    vec![why.unwrap_or_else(|| "may the run begin? The message to those who may agree has the commands".to_owned())]
}

/// What the last look did not find healthy.
fn checks(calls: &[Call]) -> Vec<String> {
    let Some(reply) = replies(calls, "Monitor").next_back() else { return Vec::new() };
    let checks = reply["checks"].as_array().into_iter().flatten();
    let wrong = checks.filter(|check| check["verdict"] != "healthy" && check["is_early"] != true);
    let told = |check: &Value| {
        let name = quoted(words(&check["name"]).unwrap_or("a check"), MOST_TITLE_BYTES);
        let verdict = words(&check["verdict"]).unwrap_or("not known").replace('_', " ");
        let seen = words(&check["seen"]).map(|seen| format!(": {}", quoted(seen, MOST_TEXT_BYTES)));
        format!("{name} is {}{}", shown(&verdict, MOST_TITLE_BYTES), seen.unwrap_or_default())
    };
    wrong.map(told).collect()
}

/// States whose failure the run goes on without.
const BESIDE: [&str; 6] = ["ShowRun", "AnnounceStart", "TakeBaseline", "AnnounceStep", "ShowStep", "SetAlarm"];

/// What the ending says was not done; before it, what failed beside the way.
fn not_done(known: &Known, calls: &[Call]) -> Vec<String> {
    let ending = known.run.as_ref().and_then(|run| run.ending.as_ref());
    if let Some(ending) = ending {
        return ending.not_done().iter().map(|text| quoted(text, MOST_TEXT_BYTES)).collect();
    }
    let last = |state: &&str| calls.iter().rev().find(|call| call.state == **state);
    let failed = BESIDE.iter().filter_map(last).filter_map(|call| {
        let (error, cause) = call.answer.as_ref().err()?;
        Some(format!("{}: {}: {}", call.state, shown(error, MOST_TITLE_BYTES), quoted(cause, MOST_TEXT_BYTES)))
    });
    failed.collect()
}

fn decisions(known: &Known, calls: &[Call]) -> Vec<String> {
    let said = |reply: &Value, what: &str| {
        let [by, why] = ["by", "why"].map(|field| words(&reply[field]).unwrap_or("not said"));
        format!("{what} by {}: {}", quoted(by, MOST_TITLE_BYTES), quoted(why, MOST_TEXT_BYTES))
    };
    let mut told: Vec<String> = replies(calls, "AwaitApproval").map(|reply| said(reply, "approved")).collect();
    for (state, what) in [("AskAfterLoadTest", "let go on after its load test"), ("AwaitDecision", "let go on")] {
        told.extend(replies(calls, state).map(|reply| said(reply, what)));
    }
    let forced = known.run.as_ref().and_then(|run| run.forced.as_deref());
    told.extend(
        forced.map(|forced| format!("put back in spite of a reason to hold: {}", quoted(forced, MOST_TEXT_BYTES))),
    );
    told
}

/// What precheck found; of a run that was not claimed its errors too.
fn findings(calls: &[Call], with_errors: bool) -> Vec<String> {
    let Some(reply) = replies(calls, "Precheck").next_back() else { return Vec::new() };
    let mut findings: Vec<&Value> = reply["findings"].as_array().into_iter().flatten().collect();
    findings.retain(|finding| with_errors || finding["severity"] != "error");
    findings.sort_by_key(|finding| finding["severity"] != "error");
    let told = |finding: &Value| {
        let severity = if finding["severity"] == "error" { "error" } else { "warning" };
        let problem = quoted(words(&finding["problem"]).unwrap_or("not said"), MOST_TEXT_BYTES);
        format!("{severity}: {problem}")
    };
    findings.into_iter().map(told).collect()
}
