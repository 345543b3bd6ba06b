//! What an execution of `timeline` is started with: by a programme's schedule, or by a person. Pure.

use cutover::finding::Finding;
use cutover::read::Read;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use waves::plan::Announcement;

/// A name that a wave and a portfolio may have.
const NAME: &str = "^[A-Za-z0-9_-]{1,64}$";

/// The wave of a programme, as its schedule names it; or exactly one thing that a person says of one, or of a single cutover.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Input {
    /// The portfolio whose programme has the wave: its timeline is followed from now on.
    #[schemars(regex(pattern = NAME))]
    pub portfolio: Option<String>,
    /// The wave's name; of a single cutover, a name of its own, such as `shop-2026-03-07`.
    #[schemars(regex(pattern = NAME))]
    pub of: String,
    /// A single cutover, of which no programme knows: it is told of from now on. Given again, its date or its plan is another one. Nothing of it is started.
    pub cutover: Option<Cutover>,
    /// Something of a checklist is done.
    pub tick: Option<Ticked>,
    /// A figure that only people have.
    pub report: Option<Reported>,
}

/// A single cutover, and when it begins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Cutover {
    /// Its plan, whole: see `cutover.schema.json`. Left out, it is the one that was given before.
    pub plan: Option<Value>,
    /// When it begins, with the offset from UTC, such as `2026-03-07T20:00:00+01:00`. Left out, it has no date any more, and those who had heard of one are told.
    #[schemars(length(min = 1, max = 40))]
    pub opens: Option<String>,
    /// What people are told beforehand. Left out, it is as it was given before.
    pub announcement: Option<Announcement>,
    /// Who says so.
    #[schemars(length(min = 1, max = 200))]
    pub by: String,
}

/// What is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Ticked {
    /// The item's name, as in the message: `help-desk`.
    #[schemars(length(min = 1, max = 40))]
    pub item: String,
    /// Who says so.
    #[schemars(length(min = 1, max = 200))]
    pub by: String,
}

/// What only people know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Reported {
    /// Which.
    pub figure: Figure,
    /// Its value with its unit, such as `4.2 of 5` or `17 tickets`.
    #[schemars(length(min = 1, max = 100))]
    pub value: String,
    /// Who says so.
    #[schemars(length(min = 1, max = 200))]
    pub by: String,
}

/// Figures that only people have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// How satisfied people are.
    #[default]
    Satisfaction,
    /// How many tickets came in.
    Tickets,
    /// How many were trained.
    Training,
    /// What is saved.
    Savings,
}

impl Figure {
    /// As people read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Satisfaction => "Satisfaction",
            Self::Tickets => "Tickets",
            Self::Training => "Training",
            Self::Savings => "Savings",
        }
    }
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// A timeline begins: of a wave, of the programme of a portfolio.
    Open {
        /// The wave.
        wave: String,
        /// The portfolio.
        portfolio: String,
    },
    /// A single cutover has a date, another one, or none any more.
    Cutover(String, Box<Cutover>),
    /// Something is done.
    Tick(String, Ticked),
    /// A figure is reported.
    Report(String, Reported),
}

/// Reads the input of an execution.
///
/// # Errors
/// Every error at once.
pub fn asked(input: &Value) -> Result<Asked, Vec<Finding>> {
    let Read { value, mut findings, .. } = cutover::read::form::<Input>(input);
    let Some(Input { portfolio, of, cutover, tick, report }) = value.filter(|_| findings.is_empty()) else {
        return Err(findings);
    };
    if !cutover::text::is_name(&of, 64) {
        findings.push(Finding::plan("$.of", "is no wave's name", "give the wave's name: messages have it"));
        return Err(findings);
    }
    match (portfolio, cutover, tick, report) {
        (Some(portfolio), None, None, None) => Ok(Asked::Open { wave: of, portfolio }),
        (None, Some(cutover), None, None) => Ok(Asked::Cutover(of, Box::new(cutover))),
        (None, None, Some(tick), None) => Ok(Asked::Tick(of, tick)),
        (None, None, None, Some(report)) => Ok(Asked::Report(of, report)),
        _ => {
            let fix = "give exactly one of `cutover`, `tick`, `report`, or of `portfolio`, which a programme's schedule gives";
            findings.push(Finding::plan("$", "does not say what to do", fix));
            Err(findings)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_input_is_one_thing_and_says_which() {
        let tick = json!({ "of": "spring-2026-03-07", "tick": { "item": "help-desk", "by": "Ada" } });
        assert!(matches!(asked(&tick), Ok(Asked::Tick(_, _))));
        let open = json!({ "of": "spring-2026-03-07", "portfolio": "spring" });
        assert!(matches!(asked(&open), Ok(Asked::Open { .. })));
        for (input, words) in [
            (json!({ "of": "w" }), "does not say what to do"),
            (json!({}), "$.of"),
            (json!({ "of": "w", "tick": { "item": "a", "by": "Ada" }, "portfolio": "p" }), "does not say what to do"),
            (json!({ "of": "w", "tock": {} }), "tock"),
            (json!({ "of": "w", "report": { "figure": "weather", "value": "1", "by": "Ada" } }), "weather"),
        ] {
            let found = asked(&input).unwrap_err();
            let told: Vec<String> =
                found.iter().map(|one| format!("{} {} {}", one.path, one.problem, one.fix)).collect();
            assert!(told.join("; ").contains(words), "{told:?}");
        }
    }
}
