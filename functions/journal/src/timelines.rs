//! Timelines of waves, which `timeline` reads and writes, and whoever ticks what is done: an item each, changed only where nobody else has changed it.

use cutover::StepResult;
use jiff::Timestamp;

use crate::followed::Follow;
use crate::table::Journal;
use crate::versioned::Versioned;

/// How long one is kept after its last change, by DynamoDB's time to live.
const KEPT_SECONDS: i64 = 400 * 24 * 3600;

impl Journal {
    /// How the timeline of a wave stands, and its version; none if there is no such.
    ///
    /// # Errors
    /// AWS errors; an item that cannot be read.
    pub async fn timeline(&self, wave: &str) -> StepResult<Option<(String, u64)>> {
        self.versioned(&item(wave)).await
    }

    /// Writes it in the place of a version, or where there was none; whether it was: not where somebody else was faster. `follow`: until it is over.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn remember_timeline(
        &self,
        wave: &str,
        text: String,
        version: Option<u64>,
        follow: Option<&Follow>,
        now: Timestamp,
    ) -> StepResult<bool> {
        self.write_versioned(&item(wave), text, version, Some(now.as_second() + KEPT_SECONDS), follow).await
    }
}

fn item(wave: &str) -> Versioned {
    Versioned { pk: format!("timeline#{wave}"), attribute: "timeline" }
}
