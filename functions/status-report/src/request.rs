//! What this function is asked: by the topic of moments, a schedule, or a person.

use std::collections::BTreeMap;

use cutover::error::name;
use cutover::read::nearest_name;
use cutover::text::{quoted, shown};
use cutover::told::{Record, Told};
use cutover::{StepError, StepResult};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One call. Everything may be left out: then it is about all runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What SNS calls Lambda with (SNS developer guide, Lambda endpoints).
    #[serde(rename = "Records", default)]
    pub records: Vec<Record>,
    /// Whether the schedule calls: it wants nothing where nothing is open.
    #[serde(default)]
    pub scheduled: bool,
    /// The application whose run is meant.
    #[serde(default)]
    pub application: Option<String>,
    /// The ARN of the cutover's execution that is meant.
    #[serde(default)]
    pub run_id: Option<String>,
    /// Whatever else is given: nothing that it could mean.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

/// What a person may give.
const FIELDS: [&str; 2] = ["application", "run_id"];

/// The field that somebody meant: the nearest, or the one that begins so (`app`).
fn meant(other: &str) -> Option<&'static str> {
    let begins = |field: &&str| other.len() > 1 && field.starts_with(other);
    nearest_name(other, FIELDS.into_iter()).or_else(|| FIELDS.into_iter().find(begins))
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Something happened in these runs.
    Moments(Vec<String>),
    /// All runs.
    All {
        /// Whether nothing is to be done where none is open.
        is_scheduled: bool,
    },
    /// The run of an application.
    Application(String),
    /// One run.
    Run(String),
}

impl Request {
    /// Which of them it is.
    ///
    /// # Errors
    /// `Cutover.InvalidGesture` for what a person should have written otherwise; `Cutover.InvalidPlan` for a moment that cannot be read.
    pub fn asked(&self) -> StepResult<Asked> {
        if !self.records.is_empty() {
            let told: Vec<Told> = self.records.iter().map(Record::told).collect::<StepResult<_>>()?;
            let of_runs = told.into_iter().filter(Told::is_of_run).map(|told| told.run_id);
            return Ok(Asked::Moments(of_runs.collect()));
        }
        let gesture = |problem: String| Err(StepError::new(name::INVALID_GESTURE, problem));
        if let Some(other) = self.others.keys().next() {
            let meant = meant(other).map(|name| format!("did you mean `{name}`? "));
            return gesture(format!(
                "`{}` is not known: {}give `application` or `run_id`, or neither for all runs",
                shown(other, 100),
                meant.unwrap_or_default()
            ));
        }
        match (&self.application, &self.run_id) {
            (Some(_), Some(_)) => gesture("give `application` or `run_id`, or neither for all runs".to_owned()),
            (Some(application), None) => Ok(Asked::Application(application.clone())),
            (None, Some(run_id)) if !run_id.starts_with("arn:") => {
                let given = quoted(run_id, 100);
                gesture(format!(
                    "`run_id` is {given}: write the ARN of the cutover's execution, or name its `application`"
                ))
            }
            (None, Some(run_id)) => Ok(Asked::Run(run_id.clone())),
            (None, None) => Ok(Asked::All { is_scheduled: self.scheduled }),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(request: Value) -> Result<Asked, String> {
        let request: Request = cutover::input::read(request)?;
        request.asked().map_err(|error| error.message)
    }

    #[test]
    fn whoever_calls_is_understood() {
        assert_eq!(asked(json!({})), Ok(Asked::All { is_scheduled: false }));
        assert_eq!(asked(json!({ "scheduled": true })), Ok(Asked::All { is_scheduled: true }));
        assert_eq!(asked(json!({ "application": "shop" })), Ok(Asked::Application("shop".to_owned())));
        assert_eq!(asked(json!({ "run_id": "arn:x" })), Ok(Asked::Run("arn:x".to_owned())));
        let told = json!({ "run_id": "arn:r", "application": "a", "event": "step", "at": "2026-11-26T22:00:00Z" });
        let moment = json!({ "Records": [{ "Sns": { "Message": told.to_string() } }] });
        assert_eq!(asked(moment), Ok(Asked::Moments(vec!["arn:r".to_owned()])));
        let told =
            json!({ "run_id": "arn:w", "application": "w", "event": "wave_begun", "at": "2026-11-26T22:00:00Z" });
        let moment = json!({ "Records": [{ "Sns": { "Message": told.to_string() } }] });
        assert_eq!(asked(moment), Ok(Asked::Moments(vec![])), "a wave is no run");
    }

    #[test]
    fn what_a_person_got_wrong_says_what_to_write() {
        assert!(asked(json!({ "run_id": "shop" })).unwrap_err().contains("write the ARN"));
        assert!(asked(json!({ "run_id": "arn:x", "application": "shop" })).unwrap_err().contains("or neither"));
        assert!(asked(json!({ "application": 7 })).unwrap_err().contains("`application`"));
    }

    #[test]
    fn a_key_that_is_none_is_refused_with_the_nearest() {
        let unknown = |request: Value| asked(request).unwrap_err();
        let all = "give `application` or `run_id`, or neither for all runs";
        assert_eq!(unknown(json!({ "app": "shop" })), format!("`app` is not known: did you mean `application`? {all}"));
        assert_eq!(unknown(json!({ "runId": "arn:x" })), format!("`runId` is not known: did you mean `run_id`? {all}"));
        assert_eq!(unknown(json!({ "key1": "value1" })), format!("`key1` is not known: {all}"));
    }
}
