//! The line, which Claim and every look of the monitor read, and people change: one item, whatever the number of runs.
//!
//! It costs one consistent read for each claim and each look: half a millionth of a dollar's read unit more than the run's item, since both
//! stand in one table and are read one after the other. A look that finds the line as it was a moment ago is right: what it lets pass is held
//! at the next.

use cutover::deadline::check_deadline;
use cutover::error::name;
use cutover::line::{Gesture, Line};
use cutover::{StepError, StepResult};
use jiff::{SignedDuration, Timestamp};

use crate::item::Run;
use crate::table::Journal;
use crate::versioned::Versioned;

/// So often what a person says meets what another one says at the same time.
const TRIES: u32 = 5;

impl Journal {
    /// The line as it stands; one that nobody has ever stopped has no item.
    ///
    /// # Errors
    /// AWS errors; an item that cannot be read.
    pub async fn line(&self) -> StepResult<Line> {
        self.versioned_line().await.map(|(line, _)| line)
    }

    /// Does what a person says of the line, and says what was done.
    ///
    /// # Errors
    /// `Cutover.InvalidGesture` where it cannot be done as it stands, and nothing was; AWS errors.
    pub async fn line_said(&self, gesture: &Gesture, at: Timestamp) -> StepResult<String> {
        for _ in 0..TRIES {
            let (before, version) = self.versioned_line().await?;
            let mut line = before.clone();
            let words = line.say(gesture, at)?;
            if line == before {
                return Ok(words);
            }
            let text = serde_json::to_string(&line).map_err(|error| StepError::invalid(error.to_string()))?;
            if self.write_versioned(&item(), text, version, None, None).await? {
                return Ok(words);
            }
        }
        Err(StepError::new(name::TRANSIENT, "other people say something of the line at the same time, again and again"))
    }

    /// Whether a run may go on at `now`. The time in which the line stood is not the run's: only where its time is over is that looked up.
    ///
    /// # Errors
    /// `Cutover.DeadlineExceeded` after its `timeout`; AWS errors.
    pub async fn check_deadline(&self, run: &Run, now: Timestamp) -> StepResult<()> {
        match check_deadline(&run.started_at, run.plan.timeout, SignedDuration::ZERO, now) {
            Err(error) if error.name == name::DEADLINE_EXCEEDED => run.check_deadline(&self.line().await?, now),
            checked => checked,
        }
    }

    async fn versioned_line(&self) -> StepResult<(Line, Option<u64>)> {
        let Some((text, version)) = self.versioned(&item()).await? else { return Ok((Line::default(), None)) };
        let line = serde_json::from_str(&text)
            .map_err(|error| StepError::new(name::REFUSED, format!("line: the item cannot be read: {error}")))?;
        Ok((line, Some(version)))
    }
}

impl Run {
    /// Whether it may go on at `now`, as long as the line says. Pure.
    ///
    /// # Errors
    /// `Cutover.DeadlineExceeded` after its `timeout`.
    pub fn check_deadline(&self, line: &Line, now: Timestamp) -> StepResult<()> {
        let stood_still = self.started_at.parse().map_or(SignedDuration::ZERO, |since| line.stood_still(since, now));
        check_deadline(&self.started_at, self.plan.timeout, stood_still, now)
    }
}

fn item() -> Versioned {
    Versioned { pk: "line".to_owned(), attribute: "line" }
}
