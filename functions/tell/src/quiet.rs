//! What the incident of a wave says in the place of each of its runs.
//!
//! A run that has gone back is in that incident, if there is one: groups that hear of the incident do not hear of the run's ending as well. A run that is in
//! none is told of as always: nobody misses what no incident has.

use cutover::StepResult;
use cutover::plan::Moment;
use incidents::incident::Incident;
use incidents::taken::id_of;
use incidents::wave::{OfWave, Pointer};

use crate::Clients;

/// Whether a wave's incident says it.
pub(crate) fn is_quieted(moment: Moment) -> bool {
    matches!(moment, Moment::RolledBack | Moment::Stuck)
}

/// The wave of the incident that a run is in, if it is in one.
pub(crate) async fn of_wave(clients: &Clients, run_id: &str) -> StepResult<Option<OfWave>> {
    let journal = &clients.journal;
    let Some((text, _)) = journal.incident(&id_of(run_id)).await? else { return Ok(None) };
    let Ok(Pointer { within }) = serde_json::from_str(&text) else { return Ok(None) };
    let Some((text, _)) = journal.incident(&within).await? else { return Ok(None) };
    let of_wave = Incident::read(&within, &text)?.of_wave;
    Ok(of_wave.filter(|of_wave| of_wave.members.iter().any(|member| member.run_id == run_id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_that_an_incident_tells_are_quieted_and_nothing_else_is() {
        let quieted: Vec<Moment> = Moment::ALL.into_iter().filter(|moment| is_quieted(*moment)).collect();
        assert_eq!(quieted, [Moment::RolledBack, Moment::Stuck]);
    }
}
