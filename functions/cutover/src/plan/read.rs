//! From JSON to [`Plan`]: every error of form at once, each with its path.

use std::ops::ControlFlow;

use deserr::{DeserializeError, ErrorKind, IntoValue, MergeWithError, Value, ValueKind, ValuePointerRef};
use serde_json::Value as Json;

use super::Plan;
use crate::{Finding, finding};

/// Reads the form of a plan; its sense is for `check`.
pub(super) fn plan(value: &Json) -> Result<Plan, Vec<Finding>> {
    deserr::deserialize(value.clone()).map_err(|Findings(findings)| finding::first(findings))
}

/// Collects errors instead of stopping at the first.
struct Findings(Vec<Finding>);

impl Findings {
    /// Reading on beyond what can be told would only take time and memory.
    fn go_on(self) -> ControlFlow<Self, Self> {
        if self.0.len() > finding::MOST_FINDINGS { ControlFlow::Break(self) } else { ControlFlow::Continue(self) }
    }
}

impl MergeWithError<Self> for Findings {
    fn merge(earlier: Option<Self>, later: Self, _: ValuePointerRef) -> ControlFlow<Self, Self> {
        let mut all = earlier.map_or_else(Vec::new, |Self(findings)| findings);
        all.extend(later.0);
        Self(all).go_on()
    }
}

impl DeserializeError for Findings {
    fn error<V: IntoValue>(
        earlier: Option<Self>,
        error: ErrorKind<V>,
        location: ValuePointerRef,
    ) -> ControlFlow<Self, Self> {
        let mut all = earlier.map_or_else(Vec::new, |Self(findings)| findings);
        all.push(told(error, location));
        Self(all).go_on()
    }
}

fn told<V: IntoValue>(error: ErrorKind<V>, location: ValuePointerRef) -> Finding {
    let here = path(location);
    match error {
        ErrorKind::IncorrectValueKind { actual, accepted } => Finding::plan(
            here,
            format!("is {}", describe(&actual)),
            format!("should be {}", any_of(accepted.iter().map(|kind| kind_name(*kind)))),
        ),
        ErrorKind::MissingField { field } => {
            Finding::plan(format!("{here}.{field}"), "is missing", format!("add `{field}`"))
        }
        ErrorKind::UnknownKey { key, accepted } => {
            let fix = if accepted.is_empty() {
                "remove it".to_owned()
            } else {
                format!("remove it, or use one of: {}", accepted.join(", "))
            };
            Finding::plan(format!("{here}.{key}"), "is not a field of a plan", fix)
        }
        ErrorKind::UnknownValue { value, accepted } => Finding::plan(
            here,
            format!("is `{value}`"),
            format!("should be {}", any_of(accepted.iter().map(|value| format!("`{value}`")))),
        ),
        ErrorKind::BadSequenceLen { expected, .. } => {
            Finding::plan(here, "has the wrong length", format!("should have {expected} elements"))
        }
        ErrorKind::Unexpected { msg } => Finding::plan(here, msg, "correct the value"),
    }
}

/// A JSON path such as `$.routes[0].steps[1].hold`.
fn path(location: ValuePointerRef) -> String {
    match location {
        ValuePointerRef::Origin => "$".to_owned(),
        ValuePointerRef::Key { key, prev } => format!("{}.{key}", path(*prev)),
        ValuePointerRef::Index { index, prev } => format!("{}[{index}]", path(*prev)),
    }
}

fn describe<V: IntoValue>(value: &Value<V>) -> String {
    match value {
        Value::Boolean(value) => format!("`{value}`"),
        Value::Integer(value) => format!("the number {value}"),
        Value::NegativeInteger(value) => format!("the number {value}"),
        Value::Float(value) => format!("the number {value}"),
        Value::String(value) => format!("the text \"{}\"", value.chars().take(80).collect::<String>()),
        other => kind_name(other.kind()),
    }
}

fn kind_name(kind: ValueKind) -> String {
    match kind {
        ValueKind::Null => "null",
        ValueKind::Boolean => "true or false",
        ValueKind::Integer => "a whole number",
        ValueKind::NegativeInteger => "a whole number below zero",
        ValueKind::Float => "a number",
        ValueKind::String => "a text",
        ValueKind::Sequence => "a list",
        ValueKind::Map => "an object",
    }
    .to_owned()
}

fn any_of(choices: impl Iterator<Item = String>) -> String {
    choices.collect::<Vec<_>>().join(" or ")
}
