//! Whether the replication has caught up, and whether the writers have stopped. Pure: what was observed, and the time, are
//! arguments.

use cutover::error::name;
use cutover::plan::Database;
use cutover::verdict::Verdict;
use cutover::{Plan, StepError, StepResult};
use jiff::Timestamp;
use replication::judge;
use replication::{Metrics, PERIOD_SECONDS, Replication, Table};

use crate::sample::{self, Sample};
use crate::told::{describe, gave_up, of_replication};
use crate::writers::Look;
use crate::{Mode, Tally};

/// A sample is another one if it is this much newer. The machine's clock stands still while a function runs, so on it
/// one and the same sample seems a little older at every look, and the next one a little less than a period newer.
const ANOTHER_SECONDS: i64 = PERIOD_SECONDS / 2;

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wanted<'a> {
    /// At which point of the run.
    pub mode: Mode,
    /// The plan's replication.
    pub database: &'a Database,
    /// Whether the replication has to show that the writers have stopped.
    pub verifies_quiesce: bool,
}

impl<'a> Wanted<'a> {
    /// Of a plan with a database.
    pub fn of(mode: Mode, plan: &'a Plan) -> Option<Self> {
        let verifies_quiesce = mode == Mode::Drain && plan.verifies_quiesce();
        Some(Self { mode, database: plan.database.as_ref()?, verifies_quiesce })
    }
}

/// Everything that was looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// The task or serverless replication.
    pub replication: Replication,
    /// Its metrics.
    pub metrics: Metrics,
    /// Its tables.
    pub tables: Vec<Table>,
}

/// What one look comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// What this look says.
    pub verdict: Verdict,
    /// Whether enough looks in a row were good.
    pub passed: bool,
    /// To be sent with the next request.
    pub tally: Tally,
    /// For a person.
    pub seen: String,
    /// The newest lag, seconds, also where something else of the reading is missing.
    pub lag_seconds: Option<f64>,
    /// The fresh sample, if there is one.
    pub sample: Option<Sample>,
}

/// Judges one look.
///
/// # Errors
/// `Cutover.Unhealthy` where waiting does not help, or the time is up; `Cutover.Inconclusive` where the time is up and
/// there never was a sample.
pub fn decide(
    wanted: &Wanted,
    observed: &Observed,
    tally: &Tally,
    elapsed_seconds: u64,
    now: Timestamp,
) -> StepResult<Decision> {
    let database = wanted.database;
    if let Some(problem) = trouble(observed, database.require_validated_tables) {
        return Err(StepError::new(name::UNHEALTHY, of_replication(database, &problem)));
    }
    let newest = sample::newest(wanted.mode, &observed.metrics, elapsed_seconds, now);
    let sample = newest.clone().ok();
    let waiting_for = waiting_for(observed, database.require_validated_tables);
    let good = sample.is_some_and(|sample| is_good(wanted, sample));
    let counts = good && observed.replication.is_running() && not_loaded(observed).is_none();
    let tally = tally.count(sample, counts, &observed.tables, elapsed_seconds);
    if wanted.verifies_quiesce
        && let Some(problem) = sample.and_then(|sample| tally.writers.went_on(sample.lag_seconds))
    {
        return Err(StepError::new(name::UNHEALTHY, of_replication(database, &problem)));
    }
    let is_quiet = !wanted.verifies_quiesce || tally.writers.have_stopped();
    let passed = good && waiting_for.is_none() && tally.passed_in_row >= database.samples && is_quiet;
    let verdict = match (sample, &waiting_for) {
        (Some(_), None) if good && is_quiet => Verdict::Healthy,
        (Some(_), _) if !good => Verdict::Unhealthy,
        _ => Verdict::Inconclusive,
    };
    let seen = describe(wanted, &newest, &tally, waiting_for.as_deref());
    if !passed && elapsed_seconds >= database.give_up_after.0 {
        return Err(gave_up(wanted, &tally, &newest, &seen));
    }
    let lag_seconds = newest.map_or_else(|part| part.lag_seconds, |sample| Some(sample.lag_seconds));
    Ok(Decision { verdict, passed, tally, seen, lag_seconds, sample })
}

impl Tally {
    /// Counts a sample once: the same one again is neither a pass nor a failure.
    fn count(&self, sample: Option<Sample>, good: bool, tables: &[Table], elapsed_seconds: u64) -> Self {
        let is_newer =
            |sample: Sample| self.newest.is_none_or(|newest| sample.at >= newest.saturating_add(ANOTHER_SECONDS));
        let elapsed_seconds = i64::try_from(elapsed_seconds).unwrap_or(i64::MAX);
        let look = sample.map(|sample| Look { sample, is_new: is_newer(sample), elapsed_seconds });
        let writers = self.writers.count(tables, look);
        let Some(Look { sample, is_new, .. }) = look else {
            return Self { passed_in_row: 0, writers, ..self.clone() };
        };
        let passed_in_row = match (good, is_new) {
            (false, _) => 0,
            (true, true) => self.passed_in_row.saturating_add(1),
            (true, false) => self.passed_in_row,
        };
        let newest = if is_new { Some(sample.at) } else { self.newest };
        Self { passed_in_row, newest, lag_seconds: Some(sample.lag_seconds), writers }
    }
}

fn is_good(wanted: &Wanted, sample: Sample) -> bool {
    let database = wanted.database;
    match wanted.mode {
        Mode::Gate => sample.lag_seconds <= database.max_lag.0 as f64,
        // Without a drain, only the writers are looked at.
        Mode::Drain if !database.drain => true,
        Mode::Drain => {
            let is_empty = sample.backlog.is_some_and(|backlog| backlog <= 0.0);
            is_empty && sample.lag_seconds <= database.drain_latency.0 as f64
        }
    }
}

/// What is wrong so that waiting does not help.
fn trouble(observed: &Observed, must_be_validated: bool) -> Option<String> {
    let tables = &observed.tables;
    let failed = || if must_be_validated { judge::failed_validation(tables) } else { None };
    observed.replication.trouble().or_else(|| tables_trouble(tables)).or_else(|| failed().map(colon))
}

fn tables_trouble(tables: &[Table]) -> Option<String> {
    judge::left_out(tables).map(colon)
}

/// A sentence of its own after the name of the replication.
fn colon(sentence: String) -> String {
    format!("is in trouble: {sentence}")
}

/// Tables whose rows are not all on the target: what a reading says meanwhile says nothing of them, and does not count.
fn not_loaded(observed: &Observed) -> Option<String> {
    judge::not_loaded(&observed.replication, &observed.tables)
}

/// What else is needed, and may come by waiting.
fn waiting_for(observed: &Observed, must_be_validated: bool) -> Option<String> {
    let Observed { replication, tables, .. } = observed;
    if !replication.is_running() {
        return Some(format!("the replication {}, and has to run", replication.told_status()));
    }
    if replication.stats.is_none() {
        return Some("DMS gives no statistics of the replication".to_owned());
    }
    if let Some(tables) = not_loaded(observed) {
        return Some(format!("not loaded yet: {tables}"));
    }
    if !must_be_validated {
        return None;
    }
    if tables.is_empty() {
        return Some("DMS lists no tables of the replication".to_owned());
    }
    // A table without a primary key never validates; that is known before a cutover and no reason to hold it.
    let open = judge::named(tables, |table| !table.is_validated(), |table| &table.validation);
    open.map(|tables| format!("not validated yet: {tables}"))
}

#[cfg(test)]
mod tests;
