//! Planning, asking and scheduling: reading, deciding by the pure modules, writing.

use cutover::error::name;
use cutover::finding::settled;
use cutover::text::named;
use cutover::{Seconds, StepError, StepResult};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wave_plan::{Portfolio, Programme, Progress};

use crate::asked::{Asked, Estimates, Input, asked};
use crate::decide::{self, Change, Found};
use crate::documents::{JSON, PORTFOLIO, PROGRAMME, WAVES};
use crate::estimates::Learned;
use crate::message::Answering;
use crate::store::folder;
use crate::zone::Zone;
use crate::{
    AskRequest, Clients, OfProgramme, PlanRequest, Planned, ScheduleRequest, Scheduled, Told, estimates, message,
    names, planning, waves,
};

/// A wave's prechecks are done by then, usually.
const START_BEFORE: Seconds = Seconds::minutes(15);
/// So many schedules are changed by one call: it has half a minute, and three calls for each.
const MOST_CHANGES: usize = 40;
/// What was changed is looked at again after so many seconds.
const LOOK_AGAIN_SECONDS: u64 = 2;
/// More missing plans are not named.
const MOST_NAMED: usize = 10;

/// Which programme of a portfolio is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct InForce {
    /// The execution that planned it.
    execution_arn: String,
    /// Where it is.
    folder: String,
    /// Since when.
    since: Timestamp,
}

pub(crate) async fn plan(clients: &Clients, request: &PlanRequest) -> StepResult<Planned> {
    let Asked { input, today, done, not_done } = asked(&request.input)?;
    let mut value = given(clients, &input).await?;
    let mut portfolio = planning::portfolio(&value)?;
    let mut notes = Vec::new();
    let (in_force, version) = in_force(clients, &portfolio.name).await?.unzip();
    let previous = previous(clients, in_force.as_ref(), &mut notes).await?;
    let runs = match settled(clients.journal.past_runs().await)? {
        Ok(runs) => runs,
        Err(error) => {
            notes.push(format!("what cutovers have done is not known, but for what you say: {}", error.message));
            Vec::new()
        }
    };
    let told = planning::Told { today, done: Some(&done), not_done: Some(&not_done) };
    let progress = planning::progress(&portfolio, previous.as_ref(), &runs, &told, request.at)?;
    if input.estimates == Estimates::Learned {
        let settled = progress.settled.keys().map(String::as_str).collect();
        let learned = estimates::learned(&portfolio, &runs, &settled);
        (value, portfolio) = with_learned((value, portfolio), learned, (previous.as_ref(), &progress), &mut notes)?;
    }
    // No clock: the search ends by what it has tried, and the same portfolio has the same programme.
    let programme = planning::programme(&portfolio, previous.as_ref(), progress, &mut || false)?;
    let planned =
        waves::planned(&portfolio, &programme, &input.waves).map_err(|findings| planning::invalid(&findings))?;
    notes.extend(missing_plans(clients, &portfolio).await?);

    let folder = folder(&portfolio.name, &request.execution_arn);
    for (key, text) in [(PORTFOLIO, pretty(&value)?), (WAVES, pretty(&planned)?), (PROGRAMME, pretty(&programme)?)] {
        clients.store.put(&format!("{folder}/{key}"), JSON, text).await?;
    }
    let Programme { start, end, baseline, changes, .. } = programme;
    tracing::info!(portfolio = portfolio.name, waves = planned.len(), end, "planned");
    Ok(Planned {
        portfolio: portfolio.name,
        mode: input.mode,
        approval: input.approval,
        start_before: input.start_before.unwrap_or(START_BEFORE),
        timelines: input.timelines,
        version: version.flatten(),
        from_to: [start, end],
        waves: planned.len(),
        slip_days: baseline.map(|baseline| baseline.slip_days),
        changes: changes.len(),
        notes,
    })
}

/// The portfolio with longer estimates; as it was written where these would leave no programme: what was learned must not keep people from planning at all.
fn with_learned(
    (value, portfolio): (Value, Portfolio),
    learned: Learned,
    (previous, progress): (Option<&Programme>, &Progress),
    notes: &mut Vec<String>,
) -> StepResult<(Value, Portfolio)> {
    notes.extend(learned.notes.iter().cloned());
    if learned.takes.is_empty() {
        return Ok((value, portfolio));
    }
    let mut longer = value.clone();
    estimates::write(&mut longer, &learned);
    let with = planning::portfolio(&longer)?;
    if planning::programme(&with, previous, progress.clone(), &mut || false).is_ok() {
        return Ok((longer, with));
    }
    notes.push("with these longer estimates there is no programme: what is written is planned".to_owned());
    Ok((value, portfolio))
}

/// The portfolio's JSON.
async fn given(clients: &Clients, input: &Input) -> StepResult<Value> {
    let Some(key) = &input.portfolio_from else { return Ok(input.portfolio.clone().unwrap_or_default()) };
    let Some(text) = clients.store.get(key).await? else {
        let bucket = &clients.store.bucket;
        let problem = format!(
            "there is no object {key} in the bucket {bucket}, and nothing was done: put the portfolio there first"
        );
        return Err(StepError::new(name::INVALID_GESTURE, problem));
    };
    serde_json::from_str(&text).map_err(|error| {
        StepError::new(name::INVALID_PORTFOLIO, format!("{key} is no JSON, and nothing was done: {error}"))
    })
}

/// What is in force, and its version.
async fn in_force(clients: &Clients, portfolio: &str) -> StepResult<Option<(InForce, Option<u64>)>> {
    let Some((text, version)) = clients.journal.programme(portfolio).await? else { return Ok(None) };
    let read = serde_json::from_str(&text);
    let read = read.map_err(|error| StepError::new(name::REFUSED, format!("programme {portfolio}: {error}")))?;
    Ok(Some((read, Some(version))))
}

async fn previous(
    clients: &Clients,
    in_force: Option<&InForce>,
    notes: &mut Vec<String>,
) -> StepResult<Option<Programme>> {
    let Some(in_force) = in_force else { return Ok(None) };
    let key = format!("{}/{PROGRAMME}", in_force.folder);
    let Some(text) = clients.store.get(&key).await? else {
        notes.push(format!("the programme before, {key}, is gone: this one is planned as if it were the first"));
        return Ok(None);
    };
    serde_json::from_str(&text).map(Some).map_err(|error| StepError::new(name::REFUSED, format!("{key}: {error}")))
}

/// Cutover plans that are not there yet: a wave that has one of them would stop at it.
async fn missing_plans(clients: &Clients, portfolio: &Portfolio) -> StepResult<Option<String>> {
    let wanted: Vec<&str> = portfolio.applications.iter().filter_map(|one| one.cutover_plan.as_deref()).collect();
    if wanted.is_empty() {
        return Ok(None);
    }
    let there = clients.store.keys("plans/").await?;
    let missing: Vec<&str> = wanted.into_iter().filter(|key| there.iter().all(|one| one != key)).collect();
    let more = missing.len().saturating_sub(MOST_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let named: Vec<String> = missing.iter().take(MOST_NAMED).map(|key| named(key, 200)).collect();
    Ok((!missing.is_empty()).then(|| {
        format!(
            "put these cutover plans into the bucket {} before their waves start: {}{more}",
            clients.store.bucket,
            named.join(", ")
        )
    }))
}

/// What an earlier action has left.
pub(crate) async fn stored<T: DeserializeOwned>(clients: &Clients, key: &str) -> StepResult<T> {
    let text = clients.store.get(key).await?;
    let text = text.ok_or_else(|| StepError::new(name::REFUSED, format!("{key} is gone")))?;
    serde_json::from_str(&text).map_err(|error| StepError::new(name::REFUSED, format!("{key}: {error}")))
}

pub(crate) async fn ask(clients: &Clients, request: &AskRequest, now: Timestamp) -> StepResult<Told> {
    let OfProgramme { execution_arn, portfolio } = &request.of;
    let programme: Programme = stored(clients, &format!("{}/{PROGRAMME}", folder(portfolio, execution_arn))).await?;
    clients.topics.check("$.approval.topic_arn", &request.topic_arn)?;
    let asked = message::question(&programme, execution_arn, &request.task_token, request.within, now);
    let asked = links::asking::remember(clients.pages.as_ref(), asked, &request.topic_arn, now).await;
    let by = Answering {
        execution_arn,
        task_token: &request.task_token,
        link: asked.as_ref().map(|asked| asked.link.as_str()),
        within: request.within,
    };
    let text = message::asking(&programme, &request.page, &by);
    let publish =
        clients.sns.publish().topic_arn(&request.topic_arn).subject(message::subject(portfolio)).message(text);
    let answer = publish.send().await;
    let answer = answer.map_err(|error| StepError::from_aws(&format!("sns:Publish {}", request.topic_arn), &error))?;
    Ok(Told { message_id: answer.message_id })
}

pub(crate) async fn schedule(clients: &Clients, request: &ScheduleRequest, now: Timestamp) -> StepResult<Scheduled> {
    let OfProgramme { execution_arn, portfolio } = &request.of;
    let folder = folder(portfolio, execution_arn);
    let planned: Vec<waves::Planned> = stored(clients, &format!("{folder}/{WAVES}")).await?;
    let programme: Programme = stored(clients, &format!("{folder}/{PROGRAMME}")).await?;
    put_in_force(clients, request, folder, now).await?;

    let (target, zone) = (clients.schedules.target(), programme.time_zone.as_str());
    let of_zone = Zone::of(zone).ok_or_else(|| StepError::invalid(format!("there is no time zone {zone}")))?;
    let before = request.start_before.0;
    let (mut wanted, mut over) = (Vec::new(), Vec::new());
    for wave in &planned {
        let name = names::wave(portfolio, &wave.date);
        let last = clients.journal.wave(&name).await?;
        let last = last.map(|(text, _)| serde_json::from_str::<::waves::State>(&text)).transpose();
        let last = last.map_err(|error| StepError::new(name::REFUSED, format!("wave {name}: {error}")))?;
        let execution = decide::execution(&name, last.as_ref());
        match decide::wanted(portfolio, (wave, &execution), before, (zone, &of_zone), target, request.at) {
            Some(one) => wanted.push(one),
            None => over.push(name.clone()),
        }
        // One that has begun reads its date anew at each look: it is begun once.
        let timeline = decide::wanted_timeline(portfolio, wave, (zone, &of_zone), target, request.at);
        if let Some(timeline) = timeline.filter(|_| request.timelines)
            && clients.journal.timeline(&name).await?.is_none()
        {
            wanted.push(timeline);
        }
    }
    let needed: Vec<String> =
        wanted.iter().map(|one| one.name.clone()).filter(|name| !names::is_timeline(name)).collect();
    let found = found(clients, portfolio).await?;
    let todo = decide::compare(wanted, &found, target, request.at);
    let mut reply = Scheduled {
        done: todo.changes.is_empty(),
        kept: todo.kept,
        foreign: todo.foreign,
        over,
        ..Scheduled::default()
    };
    for change in todo.changes.iter().take(MOST_CHANGES) {
        clients.schedules.make(change).await?;
        match change {
            Change::Make(one) => reply.made.push(one.name.clone()),
            Change::Change(one) => reply.moved.push(one.name.clone()),
            Change::Remove(name) => reply.removed.push(name.clone()),
        }
    }
    if reply.done
        && let Some(taken) = reply.foreign.iter().find(|name| needed.contains(name))
    {
        let group = &clients.schedules.group;
        let problem = format!(
            "the schedule {taken} of the group {group} was made or changed by somebody else, and is left alone, so nothing starts its wave: delete it, and start \
             this again"
        );
        return Err(StepError::new(name::DRIFT, problem));
    }
    reply.wait_seconds = if reply.done { 0 } else { LOOK_AGAIN_SECONDS };
    Ok(reply)
}

/// The schedules of a portfolio's waves and timelines: of a long name these begin otherwise.
async fn found(clients: &Clients, portfolio: &str) -> StepResult<Vec<Found>> {
    let (of_waves, of_timelines) = (names::prefix(portfolio), names::timeline_prefix(portfolio));
    let mut found = clients.schedules.found(&of_waves).await?;
    if of_timelines != of_waves {
        found.extend(clients.schedules.found(&of_timelines).await?);
    }
    Ok(found)
}

/// From here on this programme is the one in force: unless another one has become that since it was planned.
async fn put_in_force(clients: &Clients, request: &ScheduleRequest, folder: String, now: Timestamp) -> StepResult<()> {
    let OfProgramme { execution_arn, portfolio } = &request.of;
    let is_ours = |there: &Option<(InForce, Option<u64>)>| {
        there.as_ref().is_some_and(|(in_force, _)| in_force.execution_arn == *execution_arn)
    };
    let there = in_force(clients, portfolio).await?;
    if is_ours(&there) {
        return Ok(());
    }
    let ours = InForce { execution_arn: execution_arn.clone(), folder, since: now };
    let is_as_planned = there.as_ref().and_then(|(_, version)| *version) == request.version;
    if is_as_planned && clients.journal.remember_programme(portfolio, compact(&ours)?, request.version).await? {
        return Ok(());
    }
    // The answer of an earlier try may have been lost.
    let there = in_force(clients, portfolio).await?;
    if is_ours(&there) {
        return Ok(());
    }
    let by = there.map(|(in_force, _)| in_force.execution_arn).unwrap_or_default();
    let problem = format!(
        "another programme of {} came into force since this one was planned, by {by}: nothing of this one is scheduled; start it again, and it is planned on from there",
        named(portfolio, 64)
    );
    Err(StepError::new(name::CONFLICT, problem))
}

fn pretty<T: Serialize>(value: &T) -> StepResult<String> {
    serde_json::to_string_pretty(value).map_err(|error| StepError::invalid(error.to_string()))
}

fn compact<T: Serialize>(value: &T) -> StepResult<String> {
    serde_json::to_string(value).map_err(|error| StepError::invalid(error.to_string()))
}
