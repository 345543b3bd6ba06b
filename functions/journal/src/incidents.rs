//! Incidents, which `incident` alone reads and writes: an item each.

use cutover::StepResult;
use jiff::Timestamp;

use crate::table::Journal;
use crate::versioned::Versioned;

/// How long one is kept after its last change, by DynamoDB's time to live.
const KEPT_SECONDS: i64 = 365 * 24 * 3600;

impl Journal {
    /// An incident, and its version; none if there is no such.
    ///
    /// # Errors
    /// AWS errors; an item that cannot be read.
    pub async fn incident(&self, id: &str) -> StepResult<Option<(String, u64)>> {
        self.versioned(&item(id)).await
    }

    /// Writes it in the place of a version, or where there was none; whether it was: not where somebody else was faster.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn remember_incident(
        &self,
        id: &str,
        text: String,
        version: Option<u64>,
        now: Timestamp,
    ) -> StepResult<bool> {
        self.write_versioned(&item(id), text, version, Some(now.as_second() + KEPT_SECONDS)).await
    }
}

fn item(id: &str) -> Versioned {
    Versioned { pk: format!("incident#{id}"), attribute: "incident" }
}
