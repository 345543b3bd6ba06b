//! The wave as the programme in force has it, and how its run stands.

use cutover::error::name;
use cutover::{StepError, StepResult};
use jiff::{SignedDuration, Timestamp};
use journal::Phase;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use timelines::decide::{Run, Seen, around};
use timelines::digest::{Ended, Programme, Wave, digest as of_programme};
use timelines::message;
use timelines::single::{ANOTHER_BEFORE, Single};
use timelines::state::{Period, State};
use waves::state::{Stage, State as WaveState};
use waves::{Order, WavePlan, news, order};

use crate::Clients;

/// Which programme of a portfolio is in force, as `program` remembers it.
#[derive(Debug, Deserialize)]
struct InForce {
    folder: String,
}

/// A wave as `program` leaves it in `waves.json`.
#[derive(Debug, Deserialize)]
struct Planned {
    opens: String,
    closes: String,
    input: Value,
}

/// What is seen.
#[derive(Clone, Debug)]
pub struct Observed {
    /// What decides.
    pub seen: Seen,
    /// The wave as it is scheduled; none where the programme in force has no such wave.
    pub plan: Option<WavePlan>,
    /// When its window closes.
    pub closes: Option<Timestamp>,
    /// How its run stands, in numbers.
    pub run: Value,
    /// The programme, and its waves: for digests.
    pub programme: Programme,
    /// Its waves.
    pub waves: Vec<Wave>,
}

/// Looks.
///
/// # Errors
/// AWS errors; a programme that cannot be read.
pub(crate) async fn observe(clients: &Clients, state: &State, at: Timestamp) -> StepResult<Observed> {
    if let Some(single) = &state.single {
        return of_one(clients, state, single, at).await;
    }
    let (planned, programme) = in_force(clients, &state.portfolio).await?;
    let waves = planned.iter().filter_map(wave).collect();
    let mine = planned.iter().find(|one| one.input["wave"] == state.wave.as_str());
    let plan: Option<WavePlan> = mine.and_then(|one| WavePlan::read(&one.input).ok());
    let time = |text: &String| text.parse::<Timestamp>().ok();
    let opens = mine.and_then(|one| time(&one.opens));
    let (run, standing) = run(clients, &state.wave, state.opens.or(opens)).await?;
    let moves = plan.iter().flat_map(|plan| &plan.applications).filter(|member| member.moves());
    let seen = Seen {
        opens,
        applications: moves.map(|member| member.name.clone()).collect(),
        run,
        time_zone: programme.time_zone.clone(),
    };
    Ok(Observed { seen, plan, closes: mine.and_then(|one| time(&one.closes)), run: standing, programme, waves })
}

/// A single cutover, as a person has given it. What its runs have done is looked for once one can have begun.
async fn of_one(clients: &Clients, state: &State, single: &Single, at: Timestamp) -> StepResult<Observed> {
    let application = single.plan.applications.first().map(|member| member.name.clone()).unwrap_or_default();
    // Of one that has begun the date stays.
    let opens = state.opens.or(single.opens);
    let runs = match opens {
        Some(opens) if at >= opens - ANOTHER_BEFORE => clients.journal.past_runs().await?,
        _ => Vec::new(),
    };
    let runs: Vec<timelines::single::Seen> =
        runs.iter().filter(|run| run.application == application).filter_map(seen).collect();
    let (run, standing) = timelines::single::standing(&runs, opens);
    let programme = Programme::default();
    let seen =
        Seen { opens: single.opens, applications: vec![application], run, time_zone: programme.time_zone.clone() };
    let plan = Some(single.plan.clone());
    Ok(Observed { seen, plan, closes: None, run: standing, programme, waves: Vec::new() })
}

/// A run, as far as a timeline goes: once all traffic has moved it is over, though the old side is kept.
fn seen(run: &journal::PastRun) -> Option<timelines::single::Seen> {
    let began = run.started_at.parse().ok()?;
    let is = match run.phase {
        Phase::Finished | Phase::Cleaning | Phase::Closed => "new",
        Phase::RolledBack => "before",
        Phase::Stuck => "person",
        Phase::Claimed | Phase::Forward | Phase::RollingBack => "under_way",
    };
    let ending = run.ending.as_ref().filter(|_| matches!(is, "new" | "before"));
    // A run that was closed says when its traffic had moved.
    let ended = ending.and_then(|ending| ending.report["moved_at"].as_str().unwrap_or(&ending.at).parse().ok());
    Some(timelines::single::Seen { began, ended, is })
}

fn wave(planned: &Planned) -> Option<Wave> {
    Some(Wave {
        name: planned.input["wave"].as_str()?.to_owned(),
        opens: planned.opens.parse().ok()?,
        closes: planned.closes.parse().ok()?,
        count: planned.input["applications"].as_array().map_or(0, Vec::len),
    })
}

/// The waves of the programme in force, and the programme.
async fn in_force(clients: &Clients, portfolio: &str) -> StepResult<(Vec<Planned>, Programme)> {
    let Some((text, _)) = clients.journal.programme(portfolio).await? else {
        return Ok((Vec::new(), Programme::default()));
    };
    let in_force: InForce = serde_json::from_str(&text)
        .map_err(|error| StepError::new(name::REFUSED, format!("programme {portfolio}: {error}")))?;
    let waves = object(clients, &format!("{}/waves.json", in_force.folder)).await?;
    let programme = object(clients, &format!("{}/programme.json", in_force.folder)).await?;
    Ok((waves, programme))
}

async fn object<T: DeserializeOwned>(clients: &Clients, key: &str) -> StepResult<T> {
    let refused = |problem: String| StepError::new(name::REFUSED, format!("{key} {problem}"));
    let content = bucket::get(&clients.s3, &clients.bucket, key).await?;
    let content = content.ok_or_else(|| refused("is gone".to_owned()))?;
    serde_json::from_slice(&content).map_err(|error| refused(format!("cannot be read: {error}")))
}

/// How far the wave is, and in numbers. One that has ended without having started anything has not begun.
async fn run(clients: &Clients, wave: &str, opens: Option<Timestamp>) -> StepResult<(Run, Value)> {
    let nothing = (Run::NotBegun, Value::Null);
    let Some((text, _)) = clients.journal.wave(wave).await? else { return Ok(nothing) };
    let unreadable = |error: serde_json::Error| StepError::new(name::REFUSED, format!("wave {wave}: {error}"));
    let state: WaveState = serde_json::from_str(&text).map_err(unreadable)?;
    let Some(began) = state.members.iter().filter_map(|member| member.started_at).min() else { return Ok(nothing) };
    if state.stage == Stage::Over && opens.is_some_and(|opens| began < opens - ANOTHER_BEFORE) {
        return Ok(nothing);
    }
    let order = clients.journal.wave_part(&state.id, order::PART).await?;
    let order: Option<Order> = order.map(|text| serde_json::from_str(&text)).transpose().map_err(unreadable)?;
    let standing = order.map_or(Value::Null, |order| news::standing(&order, &state));
    Ok((if state.stage == Stage::Over { Run::Over } else { Run::Going(began) }, standing))
}

/// The digest of a period that ended at `at`; none where there is nothing in it.
pub(crate) async fn digest(
    clients: &Clients,
    state: &State,
    observed: &Observed,
    period: Period,
    at: Timestamp,
) -> StepResult<Option<cutover::told::Told>> {
    let zone = &observed.seen.time_zone;
    let before = around(period, zone, at - SignedDuration::from_secs(1)).map(|(before, _)| before);
    let after = around(period, zone, at).map(|(_, after)| after);
    let (Some(before), Some(after)) = (before, after) else { return Ok(None) };
    let ended: Vec<Ended> = clients.journal.past_runs().await?.into_iter().filter_map(ended).collect();
    let said = of_programme(&observed.programme, &observed.waves, &ended, (before, at, after), period);
    Ok(said.map(|said| message::digest(state, said, period, at)))
}

fn ended(run: journal::PastRun) -> Option<Ended> {
    let ending = run.ending?;
    Some(Ended { application: run.application, ending: ending.name()?.to_owned(), at: ending.at.parse().ok()? })
}
