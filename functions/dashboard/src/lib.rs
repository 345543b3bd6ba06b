//! `dashboard`: a CloudWatch dashboard for each cutover, with both sides beside each other.
//!
//! | action | reads | writes |
//! |---|---|---|
//! | show | the run item; the dashboard as it is | the dashboard, where something is new in it; the weights, as a metric |
//! | remove | the run item | nothing is left of it |
//!
//! What is on it is made from the plan alone ([`body`]). What was done when are the vertical lines in it: they are kept on the dashboard itself,
//! and a step that is told twice has one line. It costs $3 a month while it stands (CloudWatch's price list), so cleanup and
//! rollback remove it; where something is left it stays for those who look for the cause, until the next dashboard is made a week later or more
//! ([`stale`]).
//!
//! Nothing depends on it: the machines go on without it, and say so. Nothing of it is undone.
//!
//! Errors: `Cutover.Fenced`, `Cutover.InvalidPlan` for a body that CloudWatch refuses, and AWS errors.

pub mod body;
pub mod done;
pub mod stale;
mod write;

use cutover::arn::Place;
use cutover::contract::Caller;
use cutover::dashboards;
use cutover::{StepError, StepResult, input};
use jiff::Timestamp;
use journal::{Journal, Phase};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::done::Done;

/// What this function talks to.
#[derive(Clone, Debug)]
pub struct Clients {
    /// CloudWatch.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// The journal.
    pub journal: Journal,
}

/// One call.
#[derive(Clone, Debug, Deserialize)]
pub struct Request {
    /// Who is calling.
    #[serde(flatten)]
    pub caller: Caller,
    /// What to do.
    #[serde(flatten)]
    pub action: Action,
}

/// The actions.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub enum Action {
    /// Show the run, and what was just done.
    Show(Step),
    /// Remove what was shown.
    Remove,
}

/// A step that was just taken; none before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Step {
    /// The route's place in the plan.
    #[serde(default)]
    pub route: Option<usize>,
    /// The new side's share in percent.
    #[serde(default)]
    pub new_weight: Option<u8>,
}

/// By hand, since serde does not name the fields of a tagged part.
impl TryFrom<Value> for Action {
    type Error = String;

    fn try_from(request: Value) -> Result<Self, String> {
        match input::text(&request, "action")?.as_str() {
            "show" => input::read(request).map(Self::Show),
            "remove" => Ok(Self::Remove),
            other => Err(input::not_an_action(other, &["show", "remove"])),
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reply {
    /// The dashboard's name.
    pub name: String,
    /// Where it is in the console.
    pub url: String,
    /// What CloudWatch said of it, and took all the same.
    pub warnings: Vec<String>,
}

/// Shows or removes it.
///
/// # Errors
/// See the module.
pub async fn handle(clients: &Clients, request: Request, now: Timestamp) -> StepResult<Reply> {
    let Request { caller, action } = request;
    let prefix = dashboards::prefix(&caller.run_id);
    let name = dashboards::name_of(&caller.run_id);
    let place = Place::of(&caller.run_id).ok_or_else(|| StepError::invalid("run_id is no ARN"))?;
    let url = dashboards::in_console(&caller.run_id).unwrap_or_default();
    let Action::Show(step) = action else {
        write::remove(&clients.cloudwatch, std::slice::from_ref(&name)).await?;
        return Ok(Reply { name, url, warnings: Vec::new() });
    };
    // Before the first step the run is claimed only. What is shown later would be left standing after cleanup.
    let phase = if step.route.is_some() { Phase::Forward } else { Phase::Claimed };
    let run = clients.journal.fence(&caller, phase).await?;
    let earlier = write::read(&clients.cloudwatch, &name).await?;
    let done = Done::after(earlier.as_deref(), &run.plan, step, now);
    let body = body::of(&run.plan, place.region, &done).to_string();
    let mut warnings = Vec::new();
    if earlier.as_deref() != Some(&body) {
        warnings = write::put(&clients.cloudwatch, &name, &body).await?;
    }
    write::weight(&clients.cloudwatch, &run.plan, step, now).await?;
    if earlier.is_none() {
        write::remove_stale(&clients.cloudwatch, &prefix, now).await?;
    }
    Ok(Reply { name, url, warnings })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(extra: &Value) -> Result<Request, serde_json::Error> {
        let mut request = json!({ "run_id": "r", "execution_arn": "e", "state": "s" });
        let fields = request.as_object_mut().unwrap();
        fields.extend(extra.as_object().unwrap().clone());
        serde_json::from_value(request)
    }

    #[test]
    fn actions_are_read_and_others_are_refused() {
        let show = request(&json!({ "action": "show", "route": 1, "new_weight": 50 })).unwrap();
        assert_eq!(show.action, Action::Show(Step { route: Some(1), new_weight: Some(50) }));
        assert_eq!(request(&json!({ "action": "show" })).unwrap().action, Action::Show(Step::default()));
        assert_eq!(request(&json!({ "action": "remove" })).unwrap().action, Action::Remove);
        let error = request(&json!({ "action": "paint" })).unwrap_err().to_string();
        assert!(error.contains("paint") && error.contains("show"), "{error}");
    }
}
