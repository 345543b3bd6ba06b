//! The end of a rollback: what was restored, and, precisely, what is left. And, where an end cannot be written, a report of
//! the same that writes nothing.

use cutover::plan::{Hook, Route};
use cutover::{StepError, StepResult};
use futures_util::future::join_all;
use jiff::Timestamp;
use journal::{Ending, Phase, Run, Transition};
use routes::RouteOfRun;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::look::in_time;
use crate::{Clients, Input, by_hand, caller};

/// What is asked.
#[derive(Clone, Debug, Deserialize)]
pub struct EndRequest {
    /// The run.
    pub run_id: String,
    /// The rollback's execution.
    pub execution_arn: String,
    /// Why nothing was restored, if a person has to decide.
    #[serde(default)]
    pub hold: Option<String>,
    /// What came of the alarms that were set.
    #[serde(default)]
    pub alarms: Vec<AlarmOutcome>,
    /// What came of the hooks that undo quiesce.
    #[serde(default)]
    pub hooks: Vec<Outcome>,
    /// What came of each route, at the second look.
    pub outcomes: Vec<Outcome>,
    /// What came of each route at the first.
    #[serde(default)]
    pub first: Vec<Outcome>,
}

/// What came of undoing one thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The route's place in the plan; none for a hook or an alarm.
    #[serde(default)]
    pub route: Option<usize>,
    /// How a person calls it.
    pub title: String,
    /// Whether it is as it was before.
    pub restored: bool,
    /// Whether this rollback wrote.
    #[serde(default)]
    pub changed: bool,
    /// What went wrong.
    #[serde(default)]
    pub error: Option<String>,
    /// The live state.
    #[serde(default)]
    pub live: Option<String>,
    /// The exact change to make by hand.
    #[serde(default)]
    pub change: Option<String>,
    /// When, RFC 3339.
    #[serde(default)]
    pub at: Option<String>,
}

/// What came of putting back an alarm, as `alarms` says or as its failure was caught.
#[derive(Clone, Debug, Deserialize)]
pub struct AlarmOutcome {
    /// The alarm's place in the plan; only of a failure.
    #[serde(default)]
    pub index: usize,
    /// What went wrong: an error's name.
    #[serde(default)]
    pub error: Option<String>,
    /// Its text.
    #[serde(default)]
    pub cause: Option<String>,
}

/// How it ended.
#[derive(Clone, Debug, Serialize)]
pub struct EndReply {
    /// `RolledBack` or `Stuck`; `Unfinished` in a report.
    pub ending: &'static str,
    /// Why a person has to decide, if so.
    pub hold: Option<String>,
    /// What came of each thing.
    pub routes: Vec<Outcome>,
    /// When, RFC 3339.
    pub at: String,
}

/// What is asked when a rollback could not be begun or ended.
#[derive(Clone, Debug, Deserialize)]
pub struct ReportRequest {
    /// The input of the rollback's execution.
    pub input: Input,
    /// What kept it from its end.
    pub problem: String,
}

/// What a person has to know of a run whose rollback was not begun or not ended.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The run.
    pub run_id: String,
    /// Its application.
    pub application: String,
    /// Who is told.
    pub topic_arn: Option<String>,
    /// What kept the rollback from its end.
    pub why: String,
    /// What is left of each route.
    pub end: EndReply,
}

/// Looks at every route of a run that is still owed an ending, or is stuck; none if there is no such run.
pub(crate) async fn report(clients: &Clients, request: ReportRequest, now: Timestamp) -> StepResult<Option<Report>> {
    let (run_id, application) = (request.input.run_id.as_deref(), request.input.application.as_deref());
    let is_left = |run: &Run| run.phase.is_open() || run.phase == Phase::Stuck;
    let Some(run) = clients.journal.find(run_id, application).await?.filter(is_left) else {
        return Ok(None);
    };
    let mut outcomes: Vec<Outcome> = run.plan.routes.iter().enumerate().map(unrestored).collect();
    look(clients, &run, &mut outcomes).await;
    outcomes.extend(owed_besides_routes(&run));
    let and_now = if run.phase.is_open() { ". The rollback is started again by itself, a number of times" } else { "" };
    Ok(Some(Report {
        run_id: run.run_id,
        application: run.plan.application,
        topic_arn: run.plan.notify.map(|notify| notify.topic_arn),
        why: format!("{}{and_now}", request.problem),
        end: EndReply { ending: "Unfinished", hold: None, routes: outcomes, at: now.to_string() },
    }))
}

/// Looks at what is left, and writes the ending.
pub(crate) async fn end(clients: &Clients, request: EndRequest, now: Timestamp) -> StepResult<EndReply> {
    let run = match clients.journal.read(&request.run_id).await? {
        Some(run) if run.owner == request.execution_arn && matches!(run.phase, Phase::RolledBack | Phase::Stuck) => {
            return already_ended(&run);
        }
        _ => clients.journal.fence(&caller(&request.run_id, &request.execution_arn), Phase::RollingBack).await?,
    };
    let mut outcomes: Vec<Outcome> = if request.hold.is_some() {
        run.plan.routes.iter().enumerate().map(unrestored).chain(owed_besides_routes(&run)).collect()
    } else {
        let routes = request.outcomes.into_iter().map(|outcome| with_first_pass(outcome, &request.first));
        let alarms = request.alarms.iter().filter_map(|alarm| left_alarm(&run, alarm));
        routes.chain(resumed(&run, request.hooks)).chain(alarms).collect()
    };
    look(clients, &run, &mut outcomes).await;
    let to = ending(request.hold.is_some(), &outcomes);
    let reply = EndReply { ending: name_of(to), hold: request.hold, routes: outcomes, at: now.to_string() };
    let report = serde_json::to_value(&reply).map_err(|error| StepError::invalid(error.to_string()))?;
    let ending = Ending { at: now.to_string(), report };
    let change = Transition { run: &run, to, owner: &request.execution_arn, ending: Some(&ending) };
    clients.journal.transition(&change).await?;
    Ok(reply)
}

/// A rollback that was held has undone nothing: even where all routes are as before, hooks and alarms may be owed.
fn ending(is_held: bool, outcomes: &[Outcome]) -> Phase {
    if !is_held && outcomes.iter().all(|outcome| outcome.restored) { Phase::RolledBack } else { Phase::Stuck }
}

/// What the first pass wrote was written by this rollback too, and at its time.
fn with_first_pass(second: Outcome, first: &[Outcome]) -> Outcome {
    let first = first.iter().find(|first| first.route == second.route && first.changed && !second.changed);
    first.map_or(second.clone(), |first| Outcome { changed: true, at: first.at.clone(), ..second })
}

/// What a rollback that did not get to it owes beside the routes: the hooks that undo quiesce, and the alarms that were set.
fn owed_besides_routes(run: &Run) -> Vec<Outcome> {
    let not_looked_at = |index| AlarmOutcome { index, error: Some("not looked at".to_owned()), cause: None };
    let alarms = (0..run.plan.alarms.len()).filter_map(|index| left_alarm(run, &not_looked_at(index)));
    resumed(run, Vec::new()).into_iter().chain(alarms).collect()
}

/// What came of the hooks that undo quiesce. One that was not seen to end well is owed, with the command that invokes it.
fn resumed(run: &Run, seen: Vec<Outcome>) -> Vec<Outcome> {
    if !run.quiesced {
        return seen;
    }
    let of_hook = |hook: &Hook| {
        let title = format!("resume hook {}", hook.function_arn);
        let not_seen =
            || Outcome { error: Some("not seen to have run".to_owned()), title: title.clone(), ..Outcome::default() };
        let outcome = seen.iter().find(|outcome| outcome.title == title).cloned().unwrap_or_else(not_seen);
        let change = (!outcome.restored).then(|| by_hand::resume(run, hook));
        Outcome { change, ..outcome }
    };
    run.plan.hooks.resume.iter().map(of_hook).collect()
}

/// An alarm that could not be put back, with the command that does it.
fn left_alarm(run: &Run, alarm: &AlarmOutcome) -> Option<Outcome> {
    let error = alarm.error.as_deref()?;
    let planned = run.plan.alarms.get(alarm.index)?;
    let before = run.alarms_before.get(&planned.alarm_name)?;
    Some(Outcome {
        title: format!("alarm {}", planned.alarm_name),
        error: Some(alarm.cause.as_deref().map_or(error.to_owned(), |cause| format!("{error}: {cause}"))),
        change: Some(by_hand::alarm(&run.run_id, &planned.alarm_name, before.as_ref())),
        ..Outcome::default()
    })
}

fn name_of(phase: Phase) -> &'static str {
    if phase == Phase::RolledBack { "RolledBack" } else { "Stuck" }
}

fn unrestored((index, route): (usize, &Route)) -> Outcome {
    Outcome { route: Some(index), title: route.title(), ..Outcome::default() }
}

/// An earlier try wrote the ending, and its answer was lost.
fn already_ended(run: &Run) -> StepResult<EndReply> {
    let report = run.ending.as_ref().map_or(Value::Null, |ending| ending.report.clone());
    let routes = report.get("routes").cloned().unwrap_or(Value::Array(Vec::new()));
    Ok(EndReply {
        ending: name_of(run.phase),
        hold: report.get("hold").and_then(Value::as_str).map(str::to_owned),
        routes: serde_json::from_value(routes).map_err(|error| StepError::invalid(error.to_string()))?,
        at: run.ending.as_ref().map(|ending| ending.at.clone()).unwrap_or_default(),
    })
}

/// Looks at everything that was not seen to be restored. Restoring a name also deletes the health checks that the run made
/// for it: those that are there still are left too.
async fn look(clients: &Clients, run: &Run, outcomes: &mut Vec<Outcome>) {
    let unrestored = outcomes.iter_mut().filter(|outcome| !outcome.restored);
    let looks = unrestored.map(|outcome| async move {
        let as_told = outcome.clone();
        tokio::join!(describe(clients, run, outcome), left_beside(clients, run, &as_told)).1
    });
    let left = join_all(looks).await;
    outcomes.extend(left.into_iter().flatten());
}

/// The live state of a route that was not seen to be restored, and the exact change that restores it. One that is as it was
/// before all the same is restored: whatever could still write has ended by now.
async fn describe(clients: &Clients, run: &Run, outcome: &mut Outcome) {
    let Some((route, before)) = outcome.route.and_then(|index| run.plan.routes.get(index).zip(run.before.get(index)))
    else {
        return;
    };
    let Ok(of_run) = RouteOfRun::of(route, before) else { return };
    let live = in_time(&route.title(), routes::any::observe(&clients.routes, route)).await;
    outcome.restored = live.as_ref().is_ok_and(|live| live.is_like(before));
    outcome.change = (!outcome.restored).then(|| of_run.by_hand(live.as_ref().ok()));
    outcome.live = Some(live.map_or_else(|error| error.to_string(), |live| live.describe()));
}

/// What the run made beside a route and that is there still, or may be.
async fn left_beside(clients: &Clients, run: &Run, outcome: &Outcome) -> Vec<Outcome> {
    let Some((index, route)) = outcome.route.and_then(|index| Some((index, run.plan.routes.get(index)?))) else {
        return Vec::new();
    };
    let Some(unseen) = routes::kind::unseen_by_hand(route, &run.run_id, index) else { return Vec::new() };
    let left = |live: String, change: String| Outcome {
        title: format!("health check of {}", outcome.title),
        error: outcome.error.clone(),
        live: Some(live),
        change: Some(change),
        ..Outcome::default()
    };
    let look = routes::any::left(&clients.routes, route, &run.run_id, index);
    match in_time("the list of health checks", look).await {
        Ok(found) => found.into_iter().map(|found| left(found.live, found.change)).collect(),
        Err(error) => vec![left(error.to_string(), unseen)],
    }
}

#[cfg(test)]
mod tests {
    use cutover::Plan;
    use serde_json::json;

    use super::*;

    const RUN: &str = "arn:aws:states:eu-west-1:1:execution:cutover:run";

    fn run(quiesced: bool) -> Run {
        let hook = |name: &str| json!({ "function_arn": format!("arn:aws:lambda:eu-west-1:1:function:{name}"), "timeout": 60 });
        let alarm = json!({ "AlarmName": "late", "Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount",
            "Period": 60, "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "LessThanThreshold" });
        let hooks = json!({ "resume": [hook("one"), hook("two")] });
        let plan = json!({ "application": "portal", "routes": [], "hooks": hooks, "alarms": [alarm] });
        let plan = serde_json::from_value::<Plan>(plan).unwrap();
        let mut run = Run { quiesced, ..Run::claimed(&caller(RUN, RUN), plan, vec![], Timestamp::UNIX_EPOCH) };
        run.alarms_before.insert("late".to_owned(), None);
        run
    }

    #[test]
    fn what_a_held_rollback_has_not_done_is_owed_with_its_commands() {
        let titles = |run: &Run| owed_besides_routes(run).into_iter().map(|owed| owed.title).collect::<Vec<_>>();
        assert_eq!(titles(&run(false)), ["alarm late"]);
        assert_eq!(titles(&run(true)).len(), 3);
        assert!(owed_besides_routes(&run(true)).iter().all(|owed| !owed.restored && owed.change.is_some()));
    }

    #[test]
    fn a_hook_that_failed_or_was_not_seen_is_owed() {
        let title = "resume hook arn:aws:lambda:eu-west-1:1:function:two".to_owned();
        let done = Outcome { restored: true, title: title.clone(), ..Outcome::default() };
        let outcomes = resumed(&run(true), vec![done.clone()]);
        assert!(outcomes[0].change.is_some() && outcomes[1] == done, "{outcomes:?}");
        let failed = Outcome { error: Some("HookFailed".to_owned()), title, ..Outcome::default() };
        let outcomes = resumed(&run(true), vec![failed]);
        assert_eq!(outcomes[1].error.as_deref(), Some("HookFailed"));
        assert!(outcomes.iter().all(|outcome| outcome.change.is_some()), "{outcomes:?}");
        assert_eq!(resumed(&run(false), Vec::new()), []);
    }

    #[test]
    fn a_held_run_is_never_rolled_back() {
        let restored = Outcome { restored: true, ..Outcome::default() };
        assert_eq!(ending(false, std::slice::from_ref(&restored)), Phase::RolledBack);
        assert_eq!(ending(true, &[restored]), Phase::Stuck);
        assert_eq!(ending(false, &[Outcome::default()]), Phase::Stuck);
    }
}
