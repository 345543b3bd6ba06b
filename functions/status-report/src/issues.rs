//! What somebody should know of, or has to do. Pure.

use cutover::text::{quoted, shown};
use cutover::told::by_hand;
use history::Call;
use history::calls::{UNSIGNED, is_signed};
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
    /// What cleanup kept, why, and how it is deleted.
    Kept,
}

impl About {
    /// Whether somebody may have to see to it: what was decided, and what cleanup kept, is told and is no issue.
    pub fn is_issue(self) -> bool {
        !matches!(self, Self::Decision | Self::Kept)
    }

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
            Self::Kept => "kept",
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
        Standing::Stuck | Standing::Released => add(About::Stuck, left(known)),
        Standing::Held => add(About::Held, held(known)),
        Standing::WaitsForApproval | Standing::WaitsForDecision => add(About::Question, question(known)),
        _ => {}
    }
    if standing.is_going_forward() {
        add(About::Check, checks(calls));
    }
    add(About::NotDone, not_done(known, calls));
    add(About::NotDelivered, known.undelivered.clone());
    if standing == Standing::Closed {
        add(About::Kept, kept(known));
    }
    add(About::Decision, decisions(known, calls, standing));
    if known.run.is_none() || standing.is_going_forward() {
        add(About::Finding, findings(calls, known.run.is_none()));
    }
    issues
}

/// What a rollback could not put back, also where a person has released the run since: nobody has looked again. The commands are in the message that
/// a person got.
fn left(known: &Known) -> Vec<String> {
    let Some(report) = known.reported() else { return Vec::new() };
    if let Some(unread) = report.as_str() {
        return vec![quoted(unread, MOST_TEXT_BYTES)];
    }
    let routes = report["routes"].as_array().into_iter().flatten().filter(|thing| thing["restored"] != true);
    let told = |thing: &Value| {
        let title = words(&thing["title"]).unwrap_or("something without a name");
        let error = words(&thing["error"]).map(|error| format!(": {}", quoted(error, MOST_TEXT_BYTES)));
        format!("{}{}", shown(title, MOST_TITLE_BYTES), error.unwrap_or_default())
    };
    routes.map(told).chain(words(&report["problem"]).map(|problem| quoted(problem, MOST_TEXT_BYTES))).collect()
}

fn held(known: &Known) -> Vec<String> {
    let Some(report) = known.reported() else { return Vec::new() };
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

/// What cleanup kept, and why; and the command, which is never cut.
fn kept(known: &Known) -> Vec<String> {
    let removals = known.reported().and_then(|report| report["removals"].as_array()).into_iter().flatten();
    let told = |removal: &Value| {
        let kept = removal["kept"].as_array().into_iter().flatten().filter_map(words);
        let mut lines: Vec<String> = kept.map(|why| quoted(why, MOST_TEXT_BYTES)).collect();
        lines.extend(by_hand(removal).map(|command| format!("to delete it, once nobody needs it: {command}")));
        lines
    };
    removals.flat_map(told).collect()
}

/// What people are asked, and what a yes and a no are told as.
const ASKED: [(&str, &str, &str); 3] = [
    ("AwaitApproval", "approved", "not approved"),
    ("AskAfterLoadTest", "let go on after its load test", "not let go on after its load test"),
    ("AwaitDecision", "let go on", "not let go on"),
];

/// What people have decided. A yes that the definitions did not take is none, and the last question's no stands once the run does not go on.
fn decisions(known: &Known, calls: &[Call], standing: Standing) -> Vec<String> {
    let mut told = Vec::new();
    for (state, yes, no) in ASKED {
        for reply in replies(calls, state) {
            let [by, why] = ["by", "why"].map(|field| words(&reply[field]).unwrap_or("not said"));
            told.push(match is_signed(reply) {
                true => format!("{yes} by {}: {}", quoted(by, MOST_TITLE_BYTES), quoted(why, MOST_TEXT_BYTES)),
                false => format!("{no}: {UNSIGNED}"),
            });
        }
        let refused = calls.iter().rev().find(|call| call.state == state).and_then(|call| call.answer.as_ref().err());
        told.extend(refused.filter(|_| !standing.is_going_forward()).map(|(error, cause)| {
            format!("{no}: {}: {}", shown(error, MOST_TITLE_BYTES), quoted(cause, MOST_TEXT_BYTES))
        }));
    }
    let by = |text: Option<&str>, what: &str| text.map(|text| format!("{what} {}", quoted(text, MOST_TEXT_BYTES)));
    let forced = known.run.as_ref().and_then(|run| run.forced.as_deref());
    told.extend(by(forced, "to be put back in spite of a reason to hold, by"));
    told.extend(by(known.released_by(), "released as it was by"));
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
