//! What a wave says in the place of each of its runs.
//!
//! - A run that has gone back is in its wave's incident, if there is one: groups that hear of the incident do not hear of the run's ending as well.
//! - That a run has begun, is being verified, and has succeeded, its wave says of all of them: executives and business users who hear of the wave do not
//!   hear that of each. Engineers do, and so does a group that has written down its moments.
//!
//! A run that is in no incident, or of whose wave the journal knows nothing, is told of as always: nobody misses what nothing else says.

use cutover::StepResult;
use cutover::plan::{Format, Group, Moment, Stakeholders};
use incidents::incident::Incident;
use incidents::taken::id_of;
use incidents::wave::{self, Pointer};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Clients;

/// What says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instead {
    Incident,
    Wave,
}

fn instead(moment: Moment) -> Option<Instead> {
    match moment {
        Moment::RolledBack | Moment::Stuck => Some(Instead::Incident),
        Moment::Started | Moment::Verifying | Moment::Succeeded => Some(Instead::Wave),
        _ => None,
    }
}

/// Takes out the groups that hear of a moment of a wave's run by something else.
///
/// # Errors
/// AWS errors; an incident that cannot be read.
pub(crate) async fn quiet(
    clients: &Clients,
    (run_id, wave): (&str, &str),
    moment: Moment,
    groups: &mut Vec<&Group>,
) -> StepResult<()> {
    let Some(instead) = instead(moment) else { return Ok(()) };
    let hearers = match instead {
        Instead::Incident => of_incident(clients, run_id).await?,
        Instead::Wave => of_wave(clients, wave).await?,
    };
    if let Some(stakeholders) = hearers {
        let hearers = clients.stack.hearers(&stakeholders);
        groups.retain(|group| !hears(instead, group, &hearers));
    }
    Ok(())
}

/// Whether a group hears of it that way: the very same group, by the same channels.
fn hears(instead: Instead, group: &Group, hearers: &[&Group]) -> bool {
    match instead {
        Instead::Incident => wave::is_told(group, hearers),
        Instead::Wave => {
            let wants_each = group.moments.is_some() || group.format() == Format::Technical;
            !wants_each && group.hears(Moment::Wave) && hearers.contains(&group)
        }
    }
}

/// Who hears of the incident that a run is in, if it is in one of its wave.
async fn of_incident(clients: &Clients, run_id: &str) -> StepResult<Option<Stakeholders>> {
    let journal = &clients.journal;
    let Some((text, _)) = journal.incident(&id_of(run_id)).await? else { return Ok(None) };
    let Ok(Pointer { within }) = serde_json::from_str(&text) else { return Ok(None) };
    let Some((text, _)) = journal.incident(&within).await? else { return Ok(None) };
    let of_wave = Incident::read(&within, &text)?.of_wave;
    let of_wave = of_wave.filter(|of_wave| of_wave.members.iter().any(|member| member.run_id == run_id));
    Ok(of_wave.map(|of_wave| of_wave.stakeholders))
}

/// Who hears of a wave, as it was claimed.
async fn of_wave(clients: &Clients, wave: &str) -> StepResult<Option<Stakeholders>> {
    /// Of how a wave stands, which execution claimed it.
    #[derive(Deserialize)]
    struct Claimed {
        id: String,
    }
    /// Of what a wave goes by, who hears of it.
    #[derive(Deserialize)]
    struct Order {
        stakeholders: Stakeholders,
    }
    let journal = &clients.journal;
    let claimed = journal.wave(wave).await?.and_then(|(text, _)| part::<Claimed>(&text));
    let Some(Claimed { id }) = claimed else { return Ok(None) };
    let order = journal.wave_part(&id, waves::order::PART).await?.and_then(|text| part::<Order>(&text));
    Ok(order.map(|order| order.stakeholders))
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn endings_that_an_incident_tells_and_what_a_wave_tells_of_all_are_quieted_and_nothing_else_is() {
        let by =
            |what| -> Vec<Moment> { Moment::ALL.into_iter().filter(|moment| instead(*moment) == Some(what)).collect() };
        assert_eq!(by(Instead::Incident), [Moment::RolledBack, Moment::Stuck]);
        assert_eq!(by(Instead::Wave), [Moment::Started, Moment::Verifying, Moment::Succeeded]);
    }

    #[test]
    fn a_wave_speaks_for_its_runs_to_those_who_hear_of_it_but_not_to_engineers_or_who_asked_for_each() {
        let group = |name: &str, moments: serde_json::Value| -> Group {
            let channels = json!([{ "type": "mail", "to": ["a@example.com"] }]);
            serde_json::from_value(json!({ "name": name, "channels": channels, "moments": moments })).unwrap()
        };
        let [board, shop] = ["executives", "business-users"].map(|name| group(name, json!(null)));
        let team = group("technical-teams", json!(null));
        let each = group("executives", json!(["started", "wave"]));
        let all = [&board, &shop, &team, &each];
        assert_eq!(all.map(|group| hears(Instead::Wave, group, &all)), [true, true, false, false]);
        assert!(!hears(Instead::Wave, &shop, &[&board]), "the wave does not tell them");
        let elsewhere = Group { may_answer: true, ..board.clone() };
        assert!(!hears(Instead::Wave, &elsewhere, &all), "another group of that name");
    }
}
