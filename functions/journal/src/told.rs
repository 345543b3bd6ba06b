//! What was told of a moment of a run, which `tell` alone reads and writes: an item beside the run's.

use cutover::StepResult;
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
}

fn item(moment: &str) -> Versioned {
    Versioned { pk: format!("told#{moment}"), attribute: "messages" }
}
