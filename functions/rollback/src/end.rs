//! The end of a rollback: what was restored, and, precisely, what is left.

use cutover::accounts::Accounts;
use cutover::arn::Place;
use cutover::budget::{MOST_ENDING_BYTES, fit};
use cutover::plan::{Hook, Route};
use cutover::text::{named, shown};
use cutover::{StepError, StepResult};
use futures_util::future::join_all;
use jiff::Timestamp;
use journal::{Ending, Phase, Run, Transition};
use routes::RouteOfRun;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::look::in_time;
use crate::{Clients, by_hand, caller, for_run};

/// Errors and titles are kept with the run, whose item has room for many of them (DynamoDB: 400 KB in all).
const MOST_ERROR_BYTES: usize = 2_000;
const MOST_TITLE_BYTES: usize = 500;

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
    /// Its whole ARN, where the title is shorter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
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

impl Outcome {
    /// What others have said, made fit to be kept and told: a hook says what it likes.
    fn shown(self) -> Self {
        let error = self.error.map(|error| shown(&error, MOST_ERROR_BYTES));
        Self { title: shown(&self.title, MOST_TITLE_BYTES), error, ..self }
    }
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
    /// `RolledBack`, `Stuck` or `Held`; `Unfinished` in a report.
    pub ending: &'static str,
    /// Why a person has to decide, if so.
    pub hold: Option<String>,
    /// What came of each thing.
    pub routes: Vec<Outcome>,
    /// What is as it was before, and yet was not seen to be in effect.
    pub not_done: Vec<String>,
    /// Whether the rollback is started again by itself; only in a report.
    pub is_tried_again: bool,
    /// When, RFC 3339.
    pub at: String,
}

impl EndReply {
    /// An ending, or a report, of these outcomes.
    pub(crate) fn of(ending: &'static str, hold: Option<String>, routes: Vec<Outcome>, now: Timestamp) -> Self {
        let not_done = not_done(&routes);
        Self { ending, hold, routes, not_done, is_tried_again: false, at: now.to_string() }
    }
}

/// What the journal and the state machine can carry: what is too long is cut, and says so.
pub(crate) fn within_budget(reply: &impl Serialize) -> StepResult<Value> {
    let reply = serde_json::to_value(reply).map_err(|error| StepError::invalid(error.to_string()))?;
    Ok(fit(reply, MOST_ENDING_BYTES))
}

/// Looks at what is left, and writes the ending.
pub(crate) async fn end(clients: &Clients, request: EndRequest, now: Timestamp) -> StepResult<Value> {
    let run = match clients.journal.read(&request.run_id).await? {
        Some(run) if run.owner == request.execution_arn && matches!(run.phase, Phase::RolledBack | Phase::Stuck) => {
            return Ok(already_ended(&run));
        }
        _ => clients.journal.fence(&caller(&request.run_id, &request.execution_arn), Phase::RollingBack).await?,
    };
    let mut outcomes: Vec<Outcome> = if request.hold.is_some() {
        let owed = owed_besides_routes(&run, clients.routes.access().accounts());
        run.plan.routes.iter().enumerate().map(unrestored).chain(owed).collect()
    } else {
        let routes = request.outcomes.into_iter().map(|outcome| with_first_pass(outcome, &request.first));
        let accounts = clients.routes.access().accounts();
        let alarms = request.alarms.iter().filter_map(|alarm| left_alarm(&run, alarm, accounts));
        let all = routes.chain(resumed(&run, request.hooks)).chain(alarms);
        all.map(|outcome| with_arn(&run, outcome.shown())).collect()
    };
    look(&for_run(clients, &run, now), &run, &mut outcomes).await;
    let to = ending(request.hold.is_some(), &outcomes);
    let reply = EndReply::of(name_of(to, request.hold.is_some()), request.hold, outcomes, now);
    let report = within_budget(&reply)?;
    let ending = Ending { at: now.to_string(), report };
    let change = Transition { run: &run, to, owner: &request.execution_arn, ending: Some(&ending) };
    clients.journal.transition(&change).await?;
    Ok(ending.report)
}

/// A route's outcome, as the state machine tells it, with the ARN that its title leaves out.
fn with_arn(run: &Run, outcome: Outcome) -> Outcome {
    let route = outcome.route.and_then(|index| run.plan.routes.get(index));
    let arn = route.and_then(Route::arn).map(str::to_owned).or(outcome.arn);
    Outcome { arn, ..outcome }
}

/// What is as it was before, but was not seen to be so everywhere, or left something open.
fn not_done(outcomes: &[Outcome]) -> Vec<String> {
    let restored = outcomes.iter().filter(|outcome| outcome.restored);
    restored.filter_map(|outcome| Some(format!("{}: {}", outcome.title, outcome.error.as_ref()?))).collect()
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
pub(crate) fn owed_besides_routes(run: &Run, accounts: &Accounts) -> Vec<Outcome> {
    let not_looked_at = |index| AlarmOutcome { index, error: Some("not looked at".to_owned()), cause: None };
    let alarms = (0..run.plan.alarms.len()).filter_map(|index| left_alarm(run, &not_looked_at(index), accounts));
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
        let there = |change: String| by_hand::hook_at(&change, Place::of(&hook.function_arn), run);
        let change = (!outcome.restored).then(|| there(by_hand::resume(run, hook)));
        let name = hook.function_arn.splitn(7, ':').last().unwrap_or_default();
        Outcome { change, title: format!("resume hook {name}"), arn: Some(hook.function_arn.clone()), ..outcome }
    };
    run.plan.hooks.resume.iter().map(of_hook).collect()
}

/// An alarm that could not be put back, with the command that does it.
fn left_alarm(run: &Run, alarm: &AlarmOutcome, accounts: &Accounts) -> Option<Outcome> {
    let error = alarm.error.as_deref()?;
    let planned = run.plan.alarms.get(alarm.index)?;
    let before = run.alarms_before.get(planned.key())?;
    let change = by_hand::alarm(&run.run_id, planned, before.as_ref());
    Some(Outcome {
        title: format!("alarm {}", named(&planned.alarm_name, MOST_TITLE_BYTES)),
        error: Some(alarm.cause.as_deref().map_or(error.to_owned(), |cause| format!("{error}: {cause}"))),
        arn: planned.alarm_arn.clone(),
        change: Some(by_hand::at(&change, planned.place(), run, accounts)),
        ..Outcome::default()
    })
}

/// A phase says who may act, and the ending what happened: one that is held is a person's, as one that is stuck.
fn name_of(phase: Phase, is_held: bool) -> &'static str {
    match phase {
        Phase::RolledBack => "RolledBack",
        _ if is_held => "Held",
        _ => "Stuck",
    }
}

pub(crate) fn unrestored((index, route): (usize, &Route)) -> Outcome {
    let arn = route.arn().map(str::to_owned);
    Outcome { route: Some(index), title: route.title(), arn, ..Outcome::default() }
}

/// An earlier try wrote the ending, and its answer was lost.
fn already_ended(run: &Run) -> Value {
    let named = || json!({ "ending": name_of(run.phase, false) });
    run.ending.as_ref().map_or_else(named, |ending| ending.report.clone())
}

/// Looks at everything that was not seen to be restored. Restoring a name also deletes the health checks that the run made
/// for it: those that are there still are left too.
pub(crate) async fn look(clients: &Clients, run: &Run, outcomes: &mut Vec<Outcome>) {
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
    let change = |live| by_hand::at(&of_run.by_hand(live), route.place(), run, clients.routes.access().accounts());
    outcome.change = (!outcome.restored).then(|| match &live {
        Err(error) if is_gone(error) => format!("{}{GONE}", change(None)),
        _ => change(live.as_ref().ok()),
    });
    outcome.live = Some(live.map_or_else(|error| error.to_string(), |live| live.describe_beside(before)));
}

/// What is said beside a command that would change what there is no more.
const GONE: &str =
    "\n  (it is not there any more: make it anew first, as it was, and put its new ARN into the command)";

/// Whether somebody deleted the listener, the rule or the zone (API references, errors of the Describe and List actions).
fn is_gone(error: &StepError) -> bool {
    ["RuleNotFound", "ListenerNotFound", "NoSuchHostedZone"].iter().any(|gone| error.message.contains(gone))
}

/// What the run made beside a route and that is there still, or may be.
async fn left_beside(clients: &Clients, run: &Run, outcome: &Outcome) -> Vec<Outcome> {
    let Some((index, route)) = outcome.route.and_then(|index| Some((index, run.plan.routes.get(index)?))) else {
        return Vec::new();
    };
    let Some(unseen) = routes::kind::unseen_by_hand(route, &run.run_id, index) else { return Vec::new() };
    let there = |change: String| by_hand::at(&change, route.place(), run, clients.routes.access().accounts());
    let left = |live: String, change: String| Outcome {
        title: format!("health check of {}", outcome.title),
        error: outcome.error.clone(),
        live: Some(live),
        change: Some(there(change)),
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
        let titles = |run: &Run| {
            owed_besides_routes(run, &Accounts::default()).into_iter().map(|owed| owed.title).collect::<Vec<_>>()
        };
        assert_eq!(titles(&run(false)), ["alarm late"]);
        assert_eq!(titles(&run(true)).len(), 3);
        assert!(
            owed_besides_routes(&run(true), &Accounts::default())
                .iter()
                .all(|owed| !owed.restored && owed.change.is_some())
        );
    }

    #[test]
    fn what_somebody_deleted_has_to_be_made_anew_before_the_command() {
        let gone = |message: &str| is_gone(&StepError::new(cutover::error::name::REFUSED, message));
        assert!(gone("elasticloadbalancing:DescribeRules arn: RuleNotFound: One or more rules not found"));
        assert!(gone("elasticloadbalancing:DescribeListeners arn: ListenerNotFound: no"));
        assert!(gone("route53:ListResourceRecordSets Z1: NoSuchHostedZone: no"));
        assert!(!gone("elasticloadbalancing:DescribeRules arn: AccessDenied: no"));
    }

    #[test]
    fn a_hook_that_failed_or_was_not_seen_is_owed() {
        let title = "resume hook arn:aws:lambda:eu-west-1:1:function:two".to_owned();
        let done = Outcome { restored: true, title: title.clone(), ..Outcome::default() };
        let outcomes = resumed(&run(true), vec![done]);
        assert!(outcomes[0].change.is_some() && outcomes[1].restored && outcomes[1].change.is_none(), "{outcomes:?}");
        assert_eq!(
            outcomes.iter().map(|outcome| outcome.title.as_str()).collect::<Vec<_>>(),
            ["resume hook one", "resume hook two"]
        );
        assert_eq!(outcomes[1].arn.as_deref(), Some("arn:aws:lambda:eu-west-1:1:function:two"));
        let failed = Outcome { error: Some("HookFailed".to_owned()), title, ..Outcome::default() };
        let outcomes = resumed(&run(true), vec![failed]);
        assert_eq!(outcomes[1].error.as_deref(), Some("HookFailed"));
        assert!(outcomes.iter().all(|outcome| outcome.change.is_some()), "{outcomes:?}");
        assert_eq!(resumed(&run(false), Vec::new()), []);
    }

    #[test]
    fn what_is_as_before_but_was_not_seen_in_effect_is_told() {
        let with = |restored, error: Option<&str>| Outcome {
            title: "name a".to_owned(),
            restored,
            error: error.map(str::to_owned),
            ..Outcome::default()
        };
        let outcomes = [with(true, None), with(true, Some("change C1 is PENDING")), with(false, Some("denied"))];
        assert_eq!(not_done(&outcomes), ["name a: change C1 is PENDING"]);
    }

    #[test]
    fn what_others_said_is_made_fit_to_be_kept() {
        let said = Outcome { error: Some("x\n\u{202e}".repeat(10_000)), ..Outcome::default() }.shown();
        assert!(said.error.is_some_and(|error| error.len() < 2_100 && !error.contains('\n')));
    }

    #[test]
    fn an_ending_that_waits_for_a_decision_has_a_name_of_its_own() {
        let names = [(Phase::RolledBack, false), (Phase::Stuck, false), (Phase::Stuck, true)];
        assert_eq!(names.map(|(phase, is_held)| name_of(phase, is_held)), ["RolledBack", "Stuck", "Held"]);
    }

    #[test]
    fn an_ending_that_is_too_long_is_cut_and_says_so() {
        let outcome =
            |n: usize| Outcome { title: format!("alarm {n}"), change: Some("c".repeat(9_000)), ..Outcome::default() };
        let routes = (0..250).map(outcome).collect();
        let reply = EndReply::of("Stuck", None, routes, Timestamp::UNIX_EPOCH);
        let report = within_budget(&reply).unwrap();
        assert!(report.to_string().len() <= MOST_ENDING_BYTES);
        assert_eq!((&report["ending"], &report["routes"][249]["title"]), (&json!("Stuck"), &json!("alarm 249")));
        assert!(report["routes"][0]["change"].as_str().is_some_and(|change| change.ends_with("(cut)")), "{report}");
    }

    #[test]
    fn a_held_run_is_never_rolled_back() {
        let restored = Outcome { restored: true, ..Outcome::default() };
        assert_eq!(ending(false, std::slice::from_ref(&restored)), Phase::RolledBack);
        assert_eq!(ending(true, &[restored]), Phase::Stuck);
        assert_eq!(ending(false, &[Outcome::default()]), Phase::Stuck);
    }
}
