//! The incident of a wave, for one of its runs ([`incidents::wave`]): found by the run's pointer, or the first one that takes it.
//!
//! A run joins first, and has its pointer then: an execution that was cut off in between finds the run where it is.

use cutover::error::name;
use cutover::{StepError, StepResult};
use incidents::asked::Event;
use incidents::incident::Incident;
use incidents::taken::{self, OfRun, Taken};
use incidents::wave::{self, Failure, Pointer, Standing};
use jiff::Timestamp;
use journal::Run;
use serde_json::Value;

use crate::{Clients, MOST_TRIES, TakeReply, contended, run_is_over};

/// Of those that need a person so many are looked at by a look, to see whether somebody has released them.
const MOST_LOOKED_AT: usize = 40;

/// What an event of a run's rollback makes of the incident that the run is in.
pub(crate) async fn rolled(
    clients: &Clients,
    event: &Event,
    of_run: OfRun,
    run: &Run,
    wave: String,
    (me, now): (&str, Timestamp),
) -> StepResult<TakeReply> {
    let input: Value = event.input.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let why = input["why"].as_str().or(run.why.as_deref()).map(str::to_owned);
    let failure = Failure { run: of_run, wave, why, stakeholders: run.plan.stakeholders.clone() };
    let own = taken::id_of(&failure.run.run_id);
    if let Some(id) = pointed(clients, &own).await? {
        let taken = take(clients, &id, event, &failure, (me, now)).await?;
        return taken
            .ok_or_else(|| StepError::new(name::REFUSED, format!("incident {id} has no run {}", failure.run.run_id)));
    }
    let cause = wave::cause(failure.why.as_deref());
    for part in 0..wave::MOST_PARTS {
        let id = wave::id_of_part(&failure.wave, &cause, part);
        if let Some(reply) = take(clients, &id, event, &failure, (me, now)).await? {
            if reply.incident.is_some() {
                let pointer = Pointer { within: id };
                let text = serde_json::to_string(&pointer).map_err(|error| StepError::invalid(error.to_string()))?;
                // Where there is one already, another execution was at the same run.
                clients.journal.remember_incident(&own, text, None, None, now).await?;
            }
            return Ok(reply);
        }
    }
    Err(StepError::new(
        name::REFUSED,
        format!("{} incidents of {} for {cause} are full", wave::MOST_PARTS, failure.wave),
    ))
}

/// The incident of a run: its own, or its wave's.
pub(crate) async fn id_of(clients: &Clients, run: &Run) -> StepResult<String> {
    let own = taken::id_of(&run.run_id);
    Ok(pointed(clients, &own).await?.unwrap_or(own))
}

async fn pointed(clients: &Clients, own: &str) -> StepResult<Option<String>> {
    let Some((text, _)) = clients.journal.incident(own).await? else { return Ok(None) };
    Ok(serde_json::from_str::<Pointer>(&text).ok().map(|pointer| pointer.within))
}

/// Makes the change where nobody else has made one meanwhile, else decides again; none where the run belongs to the next one.
async fn take(
    clients: &Clients,
    id: &str,
    event: &Event,
    failure: &Failure,
    (me, now): (&str, Timestamp),
) -> StepResult<Option<TakeReply>> {
    for _ in 0..MOST_TRIES {
        let (incident, version) = crate::read(&clients.journal, id).await?;
        let joined = wave::joined(incident.clone(), id, event, failure, me, &clients.timing, now);
        let Some(Taken { incident: after, follows, said }) = joined else { return Ok(None) };
        let has_one = incident.is_some() || after.is_some();
        let is_written = match after.filter(|after| Some(after) != incident.as_ref()) {
            Some(after) => crate::remember(&clients.journal, &after, version, now).await?,
            None => true,
        };
        if is_written {
            tracing::info!(incident = id, run_id = failure.run.run_id, "{said}");
            return Ok(Some(TakeReply { incident: has_one.then(|| id.to_owned()), follows, said }));
        }
    }
    Err(contended(id))
}

/// The incident as it is where one of its runs was released, or all are back for long enough.
pub(crate) async fn over_by_itself(
    clients: &Clients,
    incident: &Incident,
    now: Timestamp,
) -> StepResult<Option<Incident>> {
    let members = incident.of_wave.iter().flat_map(|of_wave| &of_wave.members);
    let left = members.filter(|member| member.standing == Standing::Left).take(MOST_LOOKED_AT);
    for run_id in left.map(|member| &member.run_id) {
        if clients.journal.read(run_id).await?.as_ref().and_then(run_is_over).is_some() {
            return Ok(wave::run_is_over(incident, run_id, now));
        }
    }
    Ok(wave::ended(incident, now))
}
