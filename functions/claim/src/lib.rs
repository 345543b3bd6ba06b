//! `claim`: the journal's side of the way forward.
//!
//! | action | reads | writes | undone by |
//! |---|---|---|---|
//! | claim | the line, who has agreed to which plan, every route again | the run item and all locks, in one transaction | rollback's end |
//! | line | the run, the line | - | - |
//! | forward | the run | phase `claimed` to `forward`: routes may be touched from here on | rollback |
//! | quiesce | the run | the mark that resume is owed | - |
//! | no_return | the run | the mark that writes may not flow back | - |
//! | finish | the run | phase `forward` to `finished`, and what was not done | rollback, until cleanup |
//!
//! Errors: `Cutover.LineStopped` while the line is stopped (`cutover::line`), `Cutover.Conflict` when another run holds a lock,
//! `Cutover.PrecheckFailed` when a route is no longer what precheck saw (approval may have taken a day), or nobody has agreed to this very plan who has to, `Cutover.Fenced`, and AWS errors. After
//! any of the first three nothing was written. A line that is stopped while a claim is written lets that claim pass: it moves nothing, since
//! the line is looked at again before the first traffic, and at each hold.

use cutover::ask::{self, Answer, Choice, Kind};
use cutover::authority::Demanded;
use cutover::budget::{MOST_APPROVAL_BYTES, fit};
use cutover::contract::Caller;
use cutover::error::name;
use cutover::line::Line;
use cutover::rate::Lane;
use cutover::stakeholders::StackGroups;
use cutover::{Plan, StepError, StepResult, gestures, input};
use jiff::Timestamp;
use journal::{Asked, Claim, Ending, Journal, Phase, Run, Transition};
use routes::RouteState;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What this function does in other accounts, and no more, whatever the role there may do.
pub const ELSEWHERE: &[&str] =
    &["elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeRules", "route53:ListResourceRecordSets"];

/// What this function talks to.
#[derive(Clone, Debug)]
pub struct Clients {
    /// Those of routes, to look again.
    pub routes: routes::any::Clients,
    /// The journal.
    pub journal: Journal,
    /// Who has to agree.
    pub approval: Demanded,
    /// The stack's groups of stakeholders, of whom some may answer.
    pub stakeholders: StackGroups,
}

/// What is asked.
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
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Value")]
pub enum Action {
    /// Claim the run.
    Claim(Box<Claimed>),
    /// Whether the line lets it go on.
    Line,
    /// From here on routes may be touched.
    Forward,
    /// The quiesce hooks are about to run.
    Quiesce,
    /// Writes may no longer flow back.
    NoReturn,
    /// All traffic is on the new side.
    Finish(Finished),
}

/// What is finished.
#[derive(Clone, Debug, Deserialize)]
pub struct Finished {
    /// What the run wanted to do, and did not.
    #[serde(default)]
    pub not_done: Vec<String>,
}

/// What is claimed.
#[derive(Clone, Debug, Deserialize)]
pub struct Claimed {
    /// The normalised plan.
    pub plan: Plan,
    /// The before-images that precheck saw.
    pub before: Vec<RouteState>,
    /// Who agreed to it, when and why, if somebody was asked.
    #[serde(default)]
    pub approval: Option<Value>,
}

/// By hand, since serde does not name the fields of a tagged part.
impl TryFrom<Value> for Action {
    type Error = String;

    fn try_from(request: Value) -> Result<Self, String> {
        match input::text(&request, "action")?.as_str() {
            "claim" => input::read(request).map(Self::Claim),
            "line" => Ok(Self::Line),
            "forward" => Ok(Self::Forward),
            "quiesce" => Ok(Self::Quiesce),
            "no_return" => Ok(Self::NoReturn),
            "finish" => input::read(request).map(Self::Finish),
            other => Err(input::not_an_action(other, &["claim", "line", "forward", "quiesce", "no_return", "finish"])),
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Reply {
    /// The run.
    pub run_id: String,
    /// When this was done, RFC 3339.
    pub at: String,
    /// Why the run is not to go on yet, where the line is stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
    /// How long to wait before asking again, then.
    pub wait_seconds: u64,
    /// Who agreed to what was claimed, and whether the name is verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Value>,
}

/// The time between two looks at a line that has just been stopped.
const LINE_INTERVAL_SECONDS: u64 = 30;

/// Does one action.
///
/// # Errors
/// See the module.
pub async fn handle(clients: &Clients, request: Request, now: Timestamp) -> StepResult<Reply> {
    let caller = &request.caller;
    let journal = &clients.journal;
    let mut reply =
        Reply { run_id: caller.run_id.clone(), at: now.to_string(), held: None, wait_seconds: 0, approval: None };
    match request.action {
        Action::Line => {
            let run = journal.fence(caller, Phase::Forward).await?;
            let line = journal.line().await?;
            reply.held = line.holds(&run.plan.application);
            reply.wait_seconds = reply.held.as_ref().map_or(0, |_| line.wait_seconds(LINE_INTERVAL_SECONDS, now));
        }
        Action::Claim(claimed) => {
            let Claimed { plan, before, approval } = *claimed;
            let approval = approved(clients, caller, &plan, approval).await?;
            reply.approval = approval.clone();
            let run = Run { approval, ..Run::claimed(caller, plan, before, now) };
            let draw = journal.share(&run.plan, Lane::Forward, run.plan.names(), now);
            claim(&Clients { routes: clients.routes.for_run(&run.run_id, now, draw), ..clients.clone() }, &run).await?;
        }
        Action::Forward => advance(journal, caller, Phase::Claimed, Phase::Forward, None).await?,
        Action::Quiesce => journal.mark_quiesced(caller).await?,
        Action::NoReturn => journal.mark_past_no_return(caller).await?,
        Action::Finish(finished) => {
            let report = json!({ "ending": "Succeeded", "not_done": journal::kept(finished.not_done) });
            let ending = Ending { at: now.to_string(), report };
            advance(journal, caller, Phase::Forward, Phase::Finished, Some(&ending)).await?;
        }
    }
    Ok(reply)
}

/// Who agreed to this very plan, with whether their name is verified.
async fn approved(
    clients: &Clients,
    caller: &Caller,
    plan: &Plan,
    approval: Option<Value>,
) -> StepResult<Option<Value>> {
    let approval = approval.map(|approval| fit(approval, MOST_APPROVAL_BYTES));
    let digest = serde_json::to_value(plan).map(|plan| ask::digest_of(&plan));
    let digest = digest.map_err(|error| StepError::invalid(format!("the plan: {error}")))?;
    let id = approval.as_ref().and_then(|approval| approval["question"].as_str());
    let asked = match id {
        Some(id) => clients.journal.asked(id).await?,
        None => None,
    };
    let answer = asked.as_ref().and_then(|asked| answer_of(asked, &caller.run_id));
    clients.approval.judge(plan, approval, &digest, answer, &clients.stakeholders)
}

/// What the journal has as the answer to whether this very run may begin. Pure.
fn answer_of<'a>(asked: &'a Asked, run_id: &str) -> Option<&'a Answer> {
    let is_its = asked.question.run_id == run_id && asked.question.kind == Kind::Approval;
    asked.answer.as_ref().filter(|answer| is_its && answer.choice == Choice::Approve)
}

/// Claims a run, unless an earlier try of this very run did, whose answer was lost.
async fn claim(clients: &Clients, run: &Run) -> StepResult<()> {
    if clients.journal.read(&run.run_id).await?.is_some() {
        return Ok(());
    }
    may_claim(&clients.journal.line().await?, &run.plan.application)?;
    for (index, route) in run.plan.routes.iter().enumerate() {
        let live = routes::any::observe(&clients.routes, route).await?;
        unchanged(run, index, &live)?;
    }
    match clients.journal.claim(run).await? {
        Claim::Claimed => Ok(()),
        Claim::Held { key, holder } => {
            Err(StepError::new(name::CONFLICT, format!("{key} is held by {holder}; nothing was touched")))
        }
    }
}

/// Whether the line lets an application's run begin. Pure.
fn may_claim(line: &Line, application: &str) -> StepResult<()> {
    let Some(why) = line.holds(application) else { return Ok(()) };
    let problem = format!("{why}; nothing was touched: {}", gestures::HOW_THE_LINE_IS_LIFTED);
    Err(StepError::new(name::LINE_STOPPED, problem))
}

/// Whether a route is what precheck saw: exactly, since that is what undo would restore. Pure.
fn unchanged(run: &Run, index: usize, live: &RouteState) -> StepResult<()> {
    run.route(index)?; // each has a before-image, and one of its kind
    if run.before.get(index).is_some_and(|before| live.is_unchanged(before)) {
        return Ok(());
    }
    let title = run.plan.routes.get(index).map(|route| route.title()).unwrap_or_default();
    let problem = format!("routes[{index}], {title}, changed since precheck saw it; nothing was touched");
    Err(StepError::new(name::PRECHECK_FAILED, problem))
}

/// Changes the phase, unless an earlier try did.
async fn advance(
    journal: &Journal,
    caller: &Caller,
    from: Phase,
    to: Phase,
    ending: Option<&Ending>,
) -> StepResult<()> {
    let run = match journal.fence(caller, from).await {
        Ok(run) => run,
        Err(error) => return journal.fence(caller, to).await.map(drop).map_err(|_| error),
    };
    journal.transition(&Transition { run: &run, to, owner: &caller.execution_arn, ending }).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(old: i32, new: i32) -> RouteState {
        let group = |arn: &str, weight: i32| json!({ "arn": arn, "weight": weight });
        let forward = json!({ "order": null, "target_group_arn": null, "stickiness": null,
            "groups": [group("old", old), group("new", new)] });
        serde_json::from_value(json!({ "type": "listener", "forward": forward, "others": [] })).unwrap()
    }

    fn run(before: Vec<RouteState>) -> Run {
        let route = |arn: &str| {
            json!({ "type": "listener", "listener_arn": arn, "old_target_group_arn": "old",
            "new_target_group_arn": "new", "steps": [{ "new_weight": 100 }] })
        };
        let plan = json!({ "application": "shop", "routes": [route("one"), route("two")] });
        let caller = json!({ "run_id": "run", "execution_arn": "me", "state": "Claim" });
        let caller: Caller = serde_json::from_value(caller).unwrap();
        Run::claimed(&caller, serde_json::from_value(plan).unwrap(), before, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_route_that_changed_since_precheck_is_not_claimed() {
        let run = run(vec![state(100, 0), state(1, 0)]);
        assert_eq!(unchanged(&run, 0, &state(100, 0)), Ok(()));
        assert_eq!(unchanged(&run, 1, &state(1, 0)), Ok(()));
        for (index, live) in [(0, state(99, 1)), (0, state(1, 0)), (1, state(100, 0))] {
            let error = unchanged(&run, index, &live).unwrap_err();
            assert_eq!(error.name, name::PRECHECK_FAILED, "{index}");
            assert!(
                error.message.contains(&format!("routes[{index}]")) && error.message.contains("nothing was touched")
            );
        }
    }

    #[test]
    fn what_counts_is_the_answer_to_whether_this_run_may_begin() {
        let asked = |kind: &str, choice: Value| {
            let question = json!({ "kind": kind, "run_id": "run", "application": "a", "task_token": "T", "asked_at": "2026-11-27T02:00:00Z",
                "ends_at": "2026-11-27T03:00:00Z", "detail": null, "plan": null });
            let answer = json!({ "choice": choice, "by": "ada@example.com", "verified": true, "why": "x", "recipient": "topic.t",
                "at": "2026-11-27T02:30:00Z" });
            let (question, answer) = (serde_json::from_value(question).unwrap(), serde_json::from_value(answer).ok());
            Asked { question, links: Default::default(), answer, handed: None }
        };
        let yes = asked("approval", json!("approve"));
        assert_eq!(answer_of(&yes, "run").map(|answer| answer.by.as_str()), Some("ada@example.com"));
        assert_eq!(answer_of(&yes, "another"), None, "a question of another run");
        assert_eq!(answer_of(&asked("load_test", json!("approve")), "run"), None, "it asks for something else");
        assert_eq!(answer_of(&asked("approval", json!("reject")), "run"), None);
        assert_eq!(answer_of(&asked("approval", Value::Null), "run"), None, "nobody has answered");
    }

    #[test]
    fn nothing_claims_while_the_line_is_stopped() {
        let line = |line: Value| serde_json::from_value::<Line>(line).unwrap();
        assert_eq!(may_claim(&Line::default(), "shop"), Ok(()));
        let stopped = json!({ "by": "Ada", "why": "packets are lost", "at": "2026-11-27T08:00:00Z" });
        let error = may_claim(&line(json!({ "stopped": stopped })), "shop").unwrap_err();
        assert_eq!(error.name, name::LINE_STOPPED);
        for part in [
            "\"Ada\"",
            "since 2026-11-27 08:00:00 UTC",
            "packets are lost",
            "nothing was touched",
            "{\"line\": {\"lift\":",
        ] {
            assert!(error.message.contains(part), "no {part} in {error}");
        }
        let excepted = json!([{ "application": "shop", "asked_by": "Ada", "why": "x", "at": "2026-11-27T08:00:00Z", "approved_by": "Grace" }]);
        let excepted = line(json!({ "stopped": stopped, "exceptions": excepted }));
        assert_eq!((may_claim(&excepted, "shop"), may_claim(&excepted, "billing").is_err()), (Ok(()), true));
    }

    #[test]
    fn a_route_without_a_before_image_is_not_claimed() {
        let error = unchanged(&run(vec![state(100, 0)]), 1, &state(100, 0)).unwrap_err();
        assert_eq!(error.name, name::INVALID_PLAN);
    }
}
