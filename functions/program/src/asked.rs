//! What an execution of the machine `program` is started with, by a person. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cutover::error::name;
use cutover::text::{is_key_below, is_word, quoted};
use cutover::{Seconds, StepError, StepResult};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
pub use waves::plan::Approval;

/// A civil date.
const DATE: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";
const LONGEST_APPROVAL: Seconds = Seconds::hours(7 * 24);
const LONGEST_BEFORE: Seconds = Seconds::hours(7 * 24);

/// A portfolio to plan, or to plan anew, and what becomes of its programme.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Input {
    /// The portfolio, whole: see `portfolio.schema.json`.
    pub portfolio: Option<Value>,
    /// Where the portfolio is, in place of `portfolio`: the key of an object in the stack's bucket of reports. An execution's input has 256 KiB.
    #[schemars(regex(pattern = "^portfolios/[A-Za-z0-9._/=-]{1,300}$"))]
    pub portfolio_from: Option<String>,
    /// How far to go.
    pub mode: Mode,
    /// Who has to agree before anything is scheduled.
    pub approval: Option<Approval>,
    /// What people know to be done. What cutovers have done is known.
    pub progress: Progress,
    /// What cutovers are planned for.
    pub estimates: Estimates,
    /// How long before its window a wave is started, 0 s to 7 days: it prechecks, and asks for its approval, then. Nothing moves before the window.
    #[schemars(with = "Option<Seconds>")]
    pub start_before: Option<Seconds>,
    /// Whether groups of stakeholders hear of each wave beforehand, and its prechecks run daily: one schedule more a wave, thirty days before.
    pub timelines: bool,
    /// What every wave's input has besides, as `wave.schema.json` has it: `approval`, `notify`, `on_failures`, and what else a programme does not decide.
    #[schemars(with = "Value")]
    pub waves: Map<String, Value>,
}

impl Default for Input {
    fn default() -> Self {
        Self {
            portfolio: None,
            portfolio_from: None,
            mode: Mode::default(),
            approval: None,
            progress: Progress::default(),
            estimates: Estimates::default(),
            start_before: None,
            timelines: true,
            waves: Map::new(),
        }
    }
}

/// How far to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Plan, publish, ask if somebody is to be asked, and schedule the waves.
    #[default]
    Schedule,
    /// A dry run: plan and publish. It asks nobody, and no schedule is touched.
    Plan,
}

/// What cutovers are planned for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Estimates {
    /// What the portfolio says, or longer, where five or more finished runs have taken longer than planned. The notes say how many it rests on.
    #[default]
    Learned,
    /// What the portfolio says.
    AsWritten,
}

/// What people know to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Progress {
    /// The date on which the programme is planned: nothing that is not done moves before. Left out, today's in the portfolio's time zone.
    #[schemars(regex(pattern = DATE))]
    pub today: Option<String>,
    /// The applications that are done, or under way, with the date of each, such as `{"crm": "2026-03-20"}`: what people retire, retain or replace.
    pub done: BTreeMap<String, String>,
    /// The applications that are not done, whatever was said or known before, such as `["crm"]`: they are planned again.
    #[schemars(length(max = 5000))]
    pub not_done: Vec<String>,
}

/// An input that was read, with what its author left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The input.
    pub input: Input,
    /// The date that people give.
    pub today: Option<Date>,
    /// What people know to be done.
    pub done: BTreeMap<String, Date>,
    /// What they know not to be.
    pub not_done: BTreeSet<String>,
}

/// What the machine decides of a wave, and nobody else.
const DECIDED: [&str; 5] = ["wave", "applications", "parallel_cutovers", "window", "freezes"];

/// Reads an input.
///
/// # Errors
/// `Cutover.InvalidGesture`, in a person's words.
pub fn asked(value: &Value) -> StepResult<Asked> {
    let input: Input = cutover::read::gesture(value).map_err(|error: serde_json::Error| wrong(error.to_string()))?;
    if input.portfolio.is_some() == input.portfolio_from.is_some() {
        let which = if input.portfolio.is_some() { "both are given" } else { "neither is given" };
        return Err(not_right(&format!("one of `portfolio` and `portfolio_from` says what to plan, and {which}")));
    }
    if let Some(key) = input.portfolio_from.as_ref().filter(|key| !is_key_below("portfolios/", key)) {
        let problem = format!(
            "$.portfolio_from is {}, and should be a key below portfolios/, such as portfolios/spring.json",
            quoted(key, 100)
        );
        return Err(not_right(&problem));
    }
    if let Some(Approval { topic_arn, .. }) = &input.approval
        && (!topic_arn.starts_with("arn:") || topic_arn.split(':').nth(2) != Some("sns") || !is_word(topic_arn))
    {
        return Err(not_right(&format!("$.approval.topic_arn is {}, which is no topic's ARN", quoted(topic_arn, 100))));
    }
    if let Some(Approval { within, .. }) = &input.approval
        && !(Seconds::minutes(1)..=LONGEST_APPROVAL).contains(within)
    {
        return Err(not_right(&format!("$.approval.within is {within}, and should be 1m to 168h")));
    }
    if input.start_before.is_some_and(|before| before > LONGEST_BEFORE) {
        return Err(not_right("$.start_before is too long: 168h at the most"));
    }
    if let Some(decided) = DECIDED.iter().find(|field| input.waves.contains_key(**field)) {
        return Err(not_right(&format!("$.waves.{decided} is decided by the programme: remove it")));
    }
    let date = |path: String, text: &String| {
        let problem = || not_right(&format!("{path} is {}, and no date such as 2026-03-20", quoted(text, 40)));
        text.parse::<Date>().ok().filter(|date| date.to_string() == *text).ok_or_else(problem)
    };
    let today = input.progress.today.as_ref().map(|text| date("$.progress.today".to_owned(), text)).transpose()?;
    let done = input.progress.done.iter();
    let done = done.map(|(of, text)| Ok((of.clone(), date(format!("$.progress.done[{}]", quoted(of, 64)), text)?)));
    let done: BTreeMap<String, Date> = done.collect::<StepResult<_>>()?;
    let not_done: BTreeSet<String> = input.progress.not_done.iter().cloned().collect();
    if let Some(both) = not_done.iter().find(|name| done.contains_key(*name)) {
        let name = cutover::text::named(both, 64);
        return Err(not_right(&format!(
            "$.progress says that {name} is done, and that it is not: remove one of the two"
        )));
    }
    Ok(Asked { input, today, done, not_done })
}

fn wrong(problem: String) -> StepError {
    StepError::new(name::INVALID_GESTURE, problem)
}

fn not_right(problem: &str) -> StepError {
    wrong(format!("nothing was done, since the input is not right: {problem}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_said_has_its_default() {
        let read = asked(&json!({ "portfolio_from": "portfolios/spring.json" })).unwrap();
        assert_eq!((read.input.mode, read.input.approval, read.today), (Mode::Schedule, None, None));
        let read = asked(
            &json!({ "portfolio": {}, "mode": "plan", "progress": { "today": "2026-03-09", "done": { "crm": "2026-03-06" } },
            "approval": { "topic_arn": "arn:aws:sns:eu-west-1:123456789012:programme" } }),
        );
        let read = read.unwrap();
        let with = asked(&json!({ "portfolio": { "name": "x" }, "waves": { "on_failures": "continue" } })).unwrap();
        assert_eq!(
            (&with.input.portfolio.unwrap()["name"], &with.input.waves["on_failures"]),
            (&json!("x"), &json!("continue"))
        );
        assert_eq!(read.input.approval.unwrap().within, Seconds::hours(24));
        assert_eq!(read.done["crm"].to_string(), "2026-03-06");
    }

    #[test]
    fn what_cannot_be_done_is_said_with_its_place() {
        let problem = |input: Value| {
            let error = asked(&input).unwrap_err();
            assert_eq!(error.name, name::INVALID_GESTURE);
            error.message
        };
        assert!(problem(json!({})).contains("neither is given"));
        assert!(problem(json!({ "portfolio": {}, "waves": [] })).contains("waves"));
        assert!(problem(json!({ "portfolio": {}, "portfolio_from": "portfolios/a.json" })).contains("both are given"));
        assert!(problem(json!({ "portfolio_from": "elsewhere/a.json" })).contains("$.portfolio_from"));
        assert!(problem(json!({ "portfolio": {}, "waves": { "window": {} } })).contains("$.waves.window"));
        assert!(problem(json!({ "portfolio": {}, "progress": { "done": { "crm": "soon" } } })).contains("crm"));
        assert!(
            problem(json!({ "portfolio": {}, "progress": { "today": "2026-02-30" } })).contains("$.progress.today")
        );
        let both = json!({ "portfolio": {}, "progress": { "done": { "crm": "2026-03-06" }, "not_done": ["crm"] } });
        assert!(problem(both).contains("crm is done, and that it is not"));
        assert!(problem(json!({ "portfolio": {}, "mod": "plan" })).contains("$.mod"));
        let topic = "arn:aws:sns:eu-west-1:123456789012:programme";
        assert!(problem(json!({ "portfolio_from": "portfolios/../plans/a.json" })).contains("$.portfolio_from"));
        let approval = json!({ "topic_arn": "me" });
        assert!(problem(json!({ "portfolio": {}, "approval": approval })).contains("$.approval.topic_arn"));
        let approval = json!({ "topic_arn": topic, "within": "1s" });
        assert!(problem(json!({ "portfolio": {}, "approval": approval })).contains("$.approval.within"));
    }
}
