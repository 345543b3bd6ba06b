//! Prechecks of a wave's applications: executions of `cutover` that touch nothing, under names that are the same at every try.

use cutover::StepResult;
use cutover::arn::execution;
use cutover::contract::{digest, is_under_way};
use jiff::Timestamp;
use serde_json::Value;
use timelines::checks::{Round, Sight};
use timelines::state::State;
use waves::WavePlan;
use waves::plan::Member;

use crate::Clients;

/// What is seen of those that run. What cannot be seen is seen by a later look: a round ends by its time.
pub(crate) async fn sights(
    clients: &Clients,
    state: &State,
    plan: Option<&WavePlan>,
    at: Timestamp,
) -> Vec<(String, Sight)> {
    let Some(round) = &state.checks.round else { return Vec::new() };
    let mut sights = Vec::new();
    for name in &round.running {
        match sight(clients, &state.wave, round, name, plan).await {
            Ok(sight) => sights.push((name.clone(), sight)),
            Err(error) => {
                tracing::warn!(wave = state.wave, application = name, %at, "a precheck was not seen: {error}");
            }
        }
    }
    sights
}

async fn sight(clients: &Clients, wave: &str, round: &Round, name: &str, plan: Option<&WavePlan>) -> StepResult<Sight> {
    let arn = execution(&clients.cutover_arn, &execution_name(wave, round.at, name));
    let Some(described) = executions::describe(&clients.sfn, &arn).await? else {
        // What was not started has no plan to start with, or its start was lost.
        let missing = given(clients, plan, name).await?.err();
        return Ok(missing.map_or(Sight::Missing, |why| Sight::Ended(Some(why))));
    };
    let status = described.status().as_str();
    Ok(match status {
        status if is_under_way(status) => Sight::UnderWay,
        "SUCCEEDED" => Sight::Ended(None),
        _ => {
            let (error, cause) = (described.error().unwrap_or(status), described.cause().unwrap_or_default());
            Sight::Ended(Some(format!("{error}: {}", waves::ending::cause(cause))))
        }
    })
}

/// Starts them. One that cannot be started is seen to be missing by the next look.
pub(crate) async fn start(clients: &Clients, state: &State, plan: Option<&WavePlan>, names: &[String]) -> Vec<String> {
    let Some(round) = &state.checks.round else { return Vec::new() };
    let mut started = Vec::new();
    for name in names {
        match start_one(clients, &state.wave, round, name, plan).await {
            Ok(true) => started.push(name.clone()),
            Ok(false) => {}
            Err(error) => tracing::warn!(wave = state.wave, application = name, "a precheck was not started: {error}"),
        }
    }
    started
}

async fn start_one(
    clients: &Clients,
    wave: &str,
    round: &Round,
    name: &str,
    plan: Option<&WavePlan>,
) -> StepResult<bool> {
    let Ok(mut input) = given(clients, plan, name).await? else { return Ok(false) };
    if let Some(input) = input.as_object_mut() {
        input.insert("mode".to_owned(), "precheck".into());
        input.insert("wave".to_owned(), wave.into());
    }
    let execution = execution_name(wave, round.at, name);
    executions::start(&clients.sfn, &clients.cutover_arn, &execution, &input).await.map(|()| true)
}

/// An application's cutover plan, or why there is none.
async fn given(clients: &Clients, plan: Option<&WavePlan>, name: &str) -> StepResult<Result<Value, String>> {
    let member: Option<&Member> = plan.and_then(|plan| plan.applications.iter().find(|member| member.name == name));
    let Some(member) = member else { return Ok(Err("it is not in the wave any more".to_owned())) };
    if let Some(plan) = &member.cutover {
        return Ok(Ok(plan.clone()));
    }
    let Some(key) = &member.cutover_from else { return Ok(Err("it has no cutover plan".to_owned())) };
    let not_there = || Ok(Err(format!("its plan is not there: put it at {key} in the bucket {}", clients.bucket)));
    let content = match bucket::get(&clients.s3, &clients.bucket, key).await {
        Ok(Some(content)) => content,
        Ok(None) => return not_there(),
        Err(error) if error.is_passing() => return Err(error),
        // Without the permission to list, what is missing is denied (S3 API reference of GetObject).
        Err(_) => return not_there(),
    };
    Ok(serde_json::from_slice(&content).map_err(|error| format!("{key} is no JSON: {error}")))
}

/// Eighty characters at the most (Step Functions API reference), and another one in each round.
fn execution_name(wave: &str, at: Timestamp, name: &str) -> String {
    let kept: String = name.chars().take(40).collect();
    let round: String = digest(&format!("{wave}\n{name}\n{at}")).chars().take(16).collect();
    format!("{kept}-{round}-look")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_round_has_executions_of_its_own_whose_names_fit() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (one, other) = (at("2026-03-01T19:00:00Z"), at("2026-03-02T19:00:00Z"));
        let long = "a".repeat(64);
        assert!(execution_name("w", one, &long).len() <= 80);
        assert_ne!(execution_name("w", one, "shop"), execution_name("w", other, "shop"));
        assert_ne!(execution_name("w", one, &long), execution_name("w", one, &format!("{}b", "a".repeat(63))));
        assert_eq!(execution_name("w", one, "shop"), execution_name("w", one, "shop"));
    }
}
