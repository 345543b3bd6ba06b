//! A wave is claimed: everything that it goes by is kept first, then its name is taken, in one conditional write. A second wave of a name that runs is
//! refused; the same execution asking again is told that it has it.

use cutover::error::name;
use cutover::finding::{self, Finding};
use cutover::{Plan, Seconds, StepError, StepResult};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde_json::Value;
use waves::asked::in_words;
use waves::check::twice::Placed;
use waves::plan::{Approval, Member};
use waves::state::{Stage, State};
use waves::{Order, WavePlan};

use crate::{Clients, TakeReply};

/// So many plans are read and kept at a time.
const AT_A_TIME: usize = 32;

/// Claims a wave.
///
/// # Errors
/// `Cutover.InvalidPlan` with every finding; `Cutover.Conflict` where a wave of this name runs; AWS errors.
pub(crate) async fn open(clients: &Clients, mut wave: WavePlan, me: &str, at: Timestamp) -> StepResult<TakeReply> {
    allowed(clients, &mut wave)?;
    let plans = plans(clients, &wave).await?;
    let read: Vec<Option<Plan>> =
        plans.iter().map(|plan| plan.as_ref().and_then(|plan| Plan::read(plan).ok())).collect();
    let order = Order::of(&wave, &read);
    let mut findings = order.problems();
    findings.extend(moved_twice(&wave, &read));
    findings.extend(clients.stack.unknown(&wave.stakeholders));
    let own = &wave.stakeholders.groups;
    findings.extend(clients.mails.findings(own, "$.stakeholders.groups", &clients.stack));
    if !findings.is_empty() {
        return Err(StepError::new(name::INVALID_PLAN, in_words(&finding::in_order(findings))));
    }
    keep(clients, &wave, &plans, &order, me, at).await?;
    for _ in 0..crate::MOST_TRIES {
        let version = match clients.journal.wave(&wave.wave).await? {
            None => None,
            Some((text, version)) => match held(&wave.wave, &text, me)? {
                Some(reply) => return Ok(reply),
                None => Some(version),
            },
        };
        let state = State::opened(&order, me, at);
        if crate::remember(clients, &wave.wave, &state, version, at).await? {
            return Ok(reply(&wave.wave, "the wave is claimed"));
        }
    }
    Err(crate::contended(&wave.wave))
}

/// Asks whom the stack names, and tells nobody whom it does not list.
fn allowed(clients: &Clients, wave: &mut WavePlan) -> StepResult<()> {
    let named = wave.approval.as_ref().map(|approval| approval.topic_arn.as_str());
    let topic = clients.approval.topic(named, wave.applications.len());
    let topic = topic.map_err(|finding| StepError::new(name::INVALID_PLAN, in_words(&[*finding])))?;
    if let Some(topic) = topic.filter(|_| named.is_none()) {
        wave.approval = Some(Approval { topic_arn: topic.to_owned(), within: Seconds::hours(24) });
    }
    let notify = wave.notify.iter().map(|notify| ("$.notify.topic_arn", &notify.topic_arn));
    let approval = wave.approval.iter().map(|approval| ("$.approval.topic_arn", &approval.topic_arn));
    for (path, topic) in notify.chain(approval) {
        let refused = clients.topics.check(path, topic);
        refused.map_err(|StepError { message, .. }| StepError::new(name::INVALID_PLAN, message))?;
    }
    Ok(())
}

fn reply(wave: &str, said: &str) -> TakeReply {
    TakeReply { wave: Some(wave.to_owned()), follows: true, followed: 0, said: said.to_owned() }
}

/// Whether this very execution has the name, or another wave that runs; none where it is free.
fn held(wave: &str, text: &str, me: &str) -> StepResult<Option<TakeReply>> {
    let state: State = serde_json::from_str(text)
        .map_err(|error| StepError::new(name::REFUSED, format!("wave {wave} cannot be read: {error}")))?;
    if state.id == me {
        return Ok(Some(reply(wave, "the wave was claimed before")));
    }
    if state.stage == Stage::Over {
        return Ok(None);
    }
    let resume = r#""resume": {"by": "YOUR NAME", "why": "YOUR REASON"}"#;
    let problem = format!(
        "a wave of the name {wave} runs, and nothing was touched: its execution is {}; if that has ended, \
         {{\"of\": \"{wave}\", {resume}}} has it go on",
        state.owner
    );
    Err(StepError::new(name::CONFLICT, problem))
}

/// What two applications move, wherever their plans stand.
fn moved_twice(wave: &WavePlan, plans: &[Option<Plan>]) -> Vec<Finding> {
    let placed = wave.applications.iter().zip(plans).filter_map(|(member, plan)| {
        let field = if member.cutover_from.is_some() { "cutover_from" } else { "cutover" };
        let path = format!("$.applications.{}.{field}", member.name);
        Some(Placed { application: &member.name, path, plan: plan.as_ref()? })
    });
    waves::check::twice::moved_twice(placed)
}

/// The cutover plan of each application, as its author wrote it; with what the wave adds.
async fn plans(clients: &Clients, wave: &WavePlan) -> StepResult<Vec<Option<Value>>> {
    let reads = wave.applications.iter().map(|member| async move {
        match &member.cutover_from {
            Some(key) => read(clients, member, key).await.map(Some),
            None => Ok(Ok(member.cutover.clone()).transpose()),
        }
    });
    let read: Vec<Option<Result<Value, Vec<Finding>>>> = stream::iter(reads).buffered(AT_A_TIME).try_collect().await?;
    let mut findings = Vec::new();
    let mut plans = Vec::new();
    for plan in read {
        match plan.transpose() {
            Ok(plan) => plans.push(plan),
            Err(found) => findings.extend(found),
        }
    }
    if findings.is_empty() {
        Ok(plans)
    } else {
        Err(StepError::new(name::INVALID_PLAN, in_words(&finding::in_order(findings))))
    }
}

/// A plan from the bucket.
async fn read(clients: &Clients, member: &Member, key: &str) -> StepResult<Result<Value, Vec<Finding>>> {
    let path = format!("$.applications.{}.cutover_from", member.name);
    let not_there = |problem: String| {
        let fix = format!("put the plan at {key} in the bucket {}", clients.bucket);
        Ok(Err(vec![Finding::plan(path.clone(), problem, fix)]))
    };
    let content = match bucket::get(&clients.s3, &clients.bucket, key).await {
        Ok(Some(content)) => content,
        Ok(None) => return not_there("cannot be read: there is no such object".to_owned()),
        Err(error) if error.is_passing() => return Err(error),
        Err(error) => return not_there(format!("cannot be read: {}", error.message)),
    };
    let plan: Result<Value, _> = serde_json::from_slice(&content);
    let plan = match plan {
        Ok(plan) => plan,
        Err(error) => {
            return Ok(Err(vec![Finding::plan(path, format!("{key} is no JSON: {error}"), "correct the plan")]));
        }
    };
    let findings = waves::check::cutover_plan(member, &plan, &path);
    Ok(if findings.is_empty() { Ok(plan) } else { Err(findings) })
}

/// Everything that the wave goes by, written once for this execution.
async fn keep(
    clients: &Clients,
    wave: &WavePlan,
    plans: &[Option<Value>],
    order: &Order,
    me: &str,
    at: Timestamp,
) -> StepResult<()> {
    let json = |value: &Value| value.to_string();
    let parts =
        wave.applications.iter().zip(plans).filter_map(|(member, plan)| plan.as_ref().map(|plan| (member, plan)));
    let parts: Vec<(String, String)> = parts.map(|(member, plan)| (member.name.clone(), json(plan))).collect();
    let order =
        serde_json::to_string(order).map_err(|error| StepError::invalid(format!("the wave's order: {error}")))?;
    let all = parts.into_iter().chain([(waves::order::PART.to_owned(), order)]);
    let writes = all.map(|(part, text)| async move { clients.journal.keep_wave_part(me, &part, text, at).await });
    stream::iter(writes).buffer_unordered(AT_A_TIME).try_collect::<()>().await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plans_from_elsewhere_that_move_one_route_are_told_with_those_of_the_wave() {
        let plan = |application: &str| {
            json!({ "application": application, "routes": [{ "type": "dns", "hosted_zone_id": "Z1", "record_name": "www.example.com",
                    "records": [{ "type": "A", "new": { "values": ["192.0.2.7"] } }], "steps": [{ "new_weight": 100 }] }] })
        };
        let wave = json!({ "wave": "w", "applications": [
            { "name": "web", "cutover": plan("web") }, { "name": "fax", "tasks": [{ "what": "call" }] },
            { "name": "api", "cutover_from": "plans/api.json" }] });
        let wave = WavePlan::read(&wave).unwrap();
        let read = |name: &str| Plan::read(&plan(name)).ok();
        let found = moved_twice(&wave, &[read("web"), None, read("api")]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "$.applications.api.cutover_from.routes[0]");
        assert!(
            found[0].problem.contains("web moves it already, at $.applications.web.cutover.routes[0]"),
            "{found:?}"
        );
        assert_eq!(moved_twice(&wave, &[read("web"), None, None]), []);
    }
}
