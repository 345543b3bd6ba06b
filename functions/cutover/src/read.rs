//! From the JSON that a person wrote to a [`Plan`], or to every error, each with its JSON path, what is wrong and what would
//! be right. Pure: nothing is observed here.
//!
//! Two parts: `form` judges by the schema (types, fields, bounds), `check` what makes a well-formed plan sensible.

mod check;
mod form;
mod hint;
mod schema;
mod written;

pub use self::check::problems_of_groups;

use std::sync::LazyLock;

use schemars::{JsonSchema, Schema};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::plan::rule;
use crate::{Finding, Plan, finding, gates, input};

static SCHEMA: LazyLock<Value> = LazyLock::new(|| Plan::schema().to_value());

impl Plan {
    /// Reads a plan as its author wrote it.
    ///
    /// # Errors
    /// Every error at once, of form and, as far as that could be read, of sense, and what [`gates`] has to say; in the order of
    /// their paths, up to [`finding::MOST_FINDINGS`].
    pub fn read(value: &Value) -> Result<Self, Vec<Finding>> {
        let form::Form { normalised, unread, mut findings } = form::read(&SCHEMA, value);
        match input::read::<Self>(normalised) {
            Ok(plan) => {
                findings.extend(check::plan(&plan, &unread));
                if findings.is_empty() {
                    return Ok(plan);
                }
                findings.extend(gates::findings_as_far_as(&plan, |path| is_right(path, &unread, &findings)));
                Err(finding::in_order(findings))
            }
            // What the schema lets through is a plan: this error would be one of ours.
            Err(problem) => Err(vec![Finding::plan("$", problem, "correct the value")]),
        }
    }

    /// The JSON Schema of a plan as its author writes it: `events/cutover.schema.json`.
    pub fn schema() -> Schema {
        let mut schema = schema::of::<Self>();
        if let Some(Value::String(description)) = schema.get_mut("description") {
            description.push_str(BEYOND_THE_SCHEMA);
        }
        schema
    }
}

/// Whether nothing at a place, or below it, or of what it lies in, is wrong or could not be read.
fn is_right(place: &str, unread: &[String], findings: &[Finding]) -> bool {
    let is_below = |path: &str, place: &str| {
        path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let wrong = unread.iter().chain(findings.iter().map(|finding| &finding.path));
    let is_nothing_read = unread.iter().any(|path| path == "$");
    !is_nothing_read && !wrong.into_iter().any(|wrong| is_below(wrong, place) || is_below(place, wrong) && wrong != "$")
}

/// For authors whose editor finds nothing wrong.
const BEYOND_THE_SCHEMA: &str = "\n\nThe functions find more than this schema can say: durations out of their bounds; weights \
that fall, or split traffic between two databases; routes and alarms named twice; old and new the same; a health check of the name that is \
moved, or one of two for a record, or at an address that is not public; a range of statuses upside down; a name that leads to itself; an alias whose zone or health AWS would refuse, or that is an ARN; alarms in `alarms_missing` that are not watched; `on_failure` \
`hold` without `notify`; groups of stakeholders with one name, without a moment, or in a time zone that is none; a load test's headers, and bounds that cannot hold, its sides' URLs when they are one, and `hold` without an `approval`; a divisor's \
period, a sequential test of what are no counts, `compare_to` and `dispersion` without one, a side compared with itself, `early_end` without a sequential test, and more `successes` than `attempts`; of an alarm, `DatapointsToAlarm` above `EvaluationPeriods`, more than a week in all, \
and Ids of `Metrics` named twice or not there; a plan too large, or too long for its `timeout` or for one execution. \
`\"mode\": \"precheck\"` tells these, and whether AWS has what the plan names.";

/// The one of these names that was meant by one that is none of them; none where none is near, or several are.
pub fn nearest_name<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    hint::nearest(name, known)
}

/// The JSON Schema of a gesture's input, as a person writes it: `events/rollback.schema.json` and `events/cleanup.schema.json`.
pub fn gesture_schema<T: JsonSchema>() -> Schema {
    schema::of::<T>()
}

/// What could be read of a value.
pub struct Read<T> {
    /// The value; something stands in for what could not be read. Nothing only where the schema lets through what the type
    /// does not take.
    pub value: Option<T>,
    /// The paths of what could not be read: a rule over one of them has nothing to say.
    pub unread: Vec<String>,
    /// Every error of form.
    pub findings: Vec<Finding>,
}

/// Reads a value of another type than a plan by that type's schema ([`gesture_schema`]): every error of form at once, in the
/// words of a plan's.
pub fn form<T: DeserializeOwned + JsonSchema>(value: &Value) -> Read<T> {
    let form::Form { normalised, unread, mut findings } = form::read(&gesture_schema::<T>().to_value(), value);
    let value = input::read(normalised).map_err(|problem| Finding::plan("$", problem, "correct the value"));
    match value {
        Ok(value) => Read { value: Some(value), unread, findings },
        Err(finding) => {
            findings.push(finding);
            Read { value: None, unread, findings }
        }
    }
}

/// The one of these names that was meant, where one is near.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    hint::nearest(name, known)
}

/// A rule of a gesture's schema: one of two fields is given, and not both. The journal, which finds the run, says it in words.
pub fn exactly_one(one: &str, other: &str) -> Value {
    rule::one_of(one, other)
}

/// How the error of a gesture that cannot be read begins. Serde carries no more than a text: by this the bootstrap knows it.
pub const NOT_A_GESTURE: &str = "nothing was done, since the input is not right: ";

/// Reads the input of a gesture as a person wrote it: `#[serde(deserialize_with = "cutover::read::gesture")]`.
///
/// # Errors
/// Every error of form at once, in one text.
pub fn gesture<'de, D: Deserializer<'de>, T: DeserializeOwned + JsonSchema>(deserializer: D) -> Result<T, D::Error> {
    let form = form::read(&gesture_schema::<T>().to_value(), &Value::deserialize(deserializer)?);
    if form.findings.is_empty() {
        return input::read(form.normalised).map_err(|problem| Error::custom(format!("{NOT_A_GESTURE}{problem}")));
    }
    let line = |Finding { path, problem, fix, .. }: &Finding| format!("{path} {problem}: {fix}");
    let lines: Vec<_> = finding::in_order(form.findings).iter().map(line).collect();
    Err(Error::custom(format!("{NOT_A_GESTURE}{}", lines.join("; "))))
}
