//! What was told of a moment of a run, which `tell` alone reads and writes, and which messages of the run were not delivered: items beside the run's.

use cutover::error::name;
use cutover::undelivered::Undelivered;
use cutover::{StepError, StepResult};
use jiff::Timestamp;

use crate::table::Journal;
use crate::versioned::Versioned;

/// How long it is kept, by DynamoDB's time to live: as long as an execution's history.
const KEPT_SECONDS: i64 = 90 * 24 * 3600;

impl Journal {
    /// What is remembered of a moment, and its version; none if nothing is.
    ///
    /// # Errors
    /// AWS errors; an item that cannot be read.
    pub async fn told(&self, moment: &str) -> StepResult<Option<(String, u64)>> {
        self.versioned(&item(moment)).await
    }

    /// Writes it in the place of a version, or where there was none; whether it was: not where somebody else was faster.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn remember_told(
        &self,
        moment: &str,
        text: String,
        version: Option<u64>,
        now: Timestamp,
    ) -> StepResult<bool> {
        self.write_versioned(&item(moment), text, version, Some(now.as_second() + KEPT_SECONDS), None).await
    }

    /// The messages of a run that were not delivered, as far as is known; with the version, none where nothing was ever written.
    ///
    /// # Errors
    /// AWS errors; an item that cannot be read.
    pub async fn undelivered(&self, run_id: &str) -> StepResult<(Undelivered, Option<u64>)> {
        let Some((text, version)) = self.versioned(&undelivered(run_id)).await? else { return Ok(Default::default()) };
        let read = serde_json::from_str(&text);
        let read = read.map_err(|error| StepError::new(name::REFUSED, format!("undelivered#{run_id}: {error}")))?;
        Ok((read, Some(version)))
    }

    /// The same as a run's ending tells it. Where it is not known, it says so: a record that cannot be read keeps nothing from its end.
    pub async fn undelivered_lines(&self, run_id: &str) -> Vec<String> {
        match self.undelivered(run_id).await {
            Ok((messages, _)) => messages.lines(),
            Err(error) => vec![format!("which messages were not delivered is not known: {}", error.message)],
        }
    }

    /// Writes them in the place of a version, or where there was none; whether it was: not where somebody else was faster.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn remember_undelivered(
        &self,
        run_id: &str,
        messages: &Undelivered,
        version: Option<u64>,
        now: Timestamp,
    ) -> StepResult<bool> {
        let text = serde_json::to_string(messages).map_err(|error| StepError::invalid(error.to_string()))?;
        self.write_versioned(&undelivered(run_id), text, version, Some(now.as_second() + KEPT_SECONDS), None).await
    }
}

fn undelivered(run_id: &str) -> Versioned {
    Versioned { pk: format!("undelivered#{run_id}"), attribute: "messages" }
}

fn item(moment: &str) -> Versioned {
    Versioned { pk: format!("told#{moment}"), attribute: "messages" }
}
