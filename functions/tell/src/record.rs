//! The record of what was told of a moment: changed only where nobody else has changed it since.

use std::collections::BTreeMap;

use cutover::error::name;
use cutover::{StepError, StepResult};
use jiff::Timestamp;
use journal::Journal;

use crate::decide::{self, Outcome, Standing, Turn};

/// Calls that meet read again so often. Each loses to one that has got on.
const MOST_TRIES: usize = 10;

type Standings = BTreeMap<String, Standing>;

/// Whose turn each message of a moment is; those that are this call's are claimed.
pub(crate) async fn claim(journal: &Journal, moment: &str, keys: &[&str], now: Timestamp) -> StepResult<Vec<Turn>> {
    for _ in 0..MOST_TRIES {
        let (mut standings, version) = read(journal, moment).await?;
        let turns: Vec<Turn> = keys.iter().map(|key| decide::turn(standings.get(*key), now)).collect();
        let ours = keys.iter().zip(&turns).filter(|(_, turn)| matches!(turn, Turn::Send { .. }));
        let ours: Vec<&str> = ours.map(|(key, _)| *key).collect();
        for key in &ours {
            let claimed = decide::claimed(standings.get(*key), now);
            standings.insert((*key).to_owned(), claimed);
        }
        if ours.is_empty() || journal.remember_told(moment, written(&standings)?, version, now).await? {
            return Ok(turns);
        }
    }
    Err(contended(moment))
}

/// What came of those that were this call's.
pub(crate) async fn write(
    journal: &Journal,
    moment: &str,
    outcomes: &[(String, Outcome)],
    now: Timestamp,
) -> StepResult<()> {
    if outcomes.is_empty() {
        return Ok(());
    }
    for _ in 0..MOST_TRIES {
        let (mut standings, version) = read(journal, moment).await?;
        for (key, outcome) in outcomes {
            let claims = standings.get(key).map_or(1, |standing| standing.claims);
            standings.insert(key.clone(), decide::after(claims, outcome, now));
        }
        if journal.remember_told(moment, written(&standings)?, version, now).await? {
            return Ok(());
        }
    }
    Err(contended(moment))
}

async fn read(journal: &Journal, moment: &str) -> StepResult<(Standings, Option<u64>)> {
    let Some((text, version)) = journal.told(moment).await? else { return Ok((Standings::new(), None)) };
    let standings = serde_json::from_str(&text);
    let standings =
        standings.map_err(|error| StepError::new(name::REFUSED, format!("the record of {moment}: {error}")))?;
    Ok((standings, Some(version)))
}

fn written(standings: &Standings) -> StepResult<String> {
    serde_json::to_string(standings).map_err(|error| StepError::invalid(format!("the record: {error}")))
}

fn contended(moment: &str) -> StepError {
    StepError::new(name::TRANSIENT, format!("the record of {moment} is changed by others all the time"))
}
