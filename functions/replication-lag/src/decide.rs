//! Whether the replication has caught up. Pure: what was observed, and the time, are arguments.

use std::collections::BTreeMap;

use cutover::error::name;
use cutover::plan::Database;
use cutover::verdict::Verdict;
use cutover::{StepError, StepResult};
use jiff::Timestamp;

use crate::{Mode, Tally};

/// DMS reports its metrics once a minute (DMS user guide, "Monitoring replication tasks").
pub const PERIOD_SECONDS: i64 = 60;
/// A sample older than this says nothing about now: three periods.
const FRESH_SECONDS: i64 = 3 * PERIOD_SECONDS;
/// A sample is another one if it is this much newer. The machine's clock stands still while a function runs, so on it
/// one and the same sample seems a little older at every look, and the next one a little less than a period newer.
const ANOTHER_SECONDS: i64 = PERIOD_SECONDS / 2;
/// So many tables are named in a message.
const MOST_TABLES_NAMED: usize = 5;

/// Values by the start of their period, in seconds since 1970.
pub type Series = BTreeMap<i64, f64>;

/// The task's metrics in `AWS/DMS`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// `CDCLatencySource`, seconds. It falls to 0 while the source is idle, so alone it proves nothing.
    pub source_latency: Series,
    /// `CDCLatencyTarget`, seconds.
    pub target_latency: Series,
    /// `CDCIncomingChanges`, `CDCChangesMemoryTarget`, `CDCChangesDiskTarget`: changes that wait, in rows.
    pub backlog: [Series; 3],
}

/// What DescribeReplicationTasks says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Task {
    /// `running`, `stopped`, `failed`, ...
    pub status: String,
    /// Why it stopped or failed, where DMS says so.
    pub reason: String,
    /// `None`: DMS gave no statistics.
    pub stats: Option<TaskStats>,
}

/// How many of the task's tables are where.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TaskStats {
    /// Tables in error.
    pub errored: i32,
    /// Tables that are queued for the full load, or in it.
    pub unloaded: i32,
}

/// What DescribeTableStatistics says of one table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// `schema.table`.
    pub name: String,
    /// `ValidationState`.
    pub validation: String,
}

/// Everything that was looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// The task.
    pub task: Task,
    /// Its metrics.
    pub metrics: Metrics,
    /// Its tables; `None`: the plan does not ask for validated tables.
    pub tables: Option<Vec<Table>>,
}

/// One reading of lag and backlog.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// The start of its period on the state machine's clock, which counts waits: seconds since the first look, below
    /// zero before it.
    pub at: i64,
    /// Source and target latency together.
    pub lag_seconds: f64,
    /// Changes that wait, in rows; `None` where a metric of the three is missing.
    pub backlog: Option<f64>,
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
    /// The fresh sample, if there is one.
    pub sample: Option<Sample>,
}

/// Judges one look.
///
/// # Errors
/// `Cutover.Unhealthy` where waiting does not help, or the time is up; `Cutover.Inconclusive` where the time is up and
/// there never was a sample.
pub fn decide(
    mode: Mode,
    database: &Database,
    observed: &Observed,
    tally: &Tally,
    elapsed_seconds: u64,
    now: Timestamp,
) -> StepResult<Decision> {
    let trouble = task_trouble(&observed.task).or_else(|| observed.tables.as_deref().and_then(table_trouble));
    if let Some(problem) = trouble {
        return Err(StepError::new(name::UNHEALTHY, format!("{}: {problem}", database.replication_task_arn)));
    }
    let sample = newest_sample(mode, &observed.metrics, elapsed_seconds, now);
    let waiting_for = waiting_for(observed);
    let good = sample.is_some_and(|sample| is_good(mode, database, sample));
    let is_running = observed.task.status == "running";
    let tally = tally.count(sample, good && is_running);
    let passed = good && waiting_for.is_none() && tally.passed_in_row >= database.samples;
    let verdict = match (sample, &waiting_for) {
        (Some(_), None) if good => Verdict::Healthy,
        (Some(_), _) if !good => Verdict::Unhealthy,
        _ => Verdict::Inconclusive,
    };
    let seen = describe(sample, &tally, database.samples, waiting_for.as_deref());
    if !passed && elapsed_seconds >= database.give_up_after.0 {
        return Err(gave_up(database, &tally, &seen));
    }
    Ok(Decision { verdict, passed, tally, seen, sample })
}

impl Tally {
    /// Counts a sample once: the same one again is neither a pass nor a failure.
    fn count(&self, sample: Option<Sample>, good: bool) -> Self {
        let Some(sample) = sample else { return Self { passed_in_row: 0, ..self.clone() } };
        let is_new = self.newest.is_none_or(|newest| sample.at >= newest.saturating_add(ANOTHER_SECONDS));
        let passed_in_row = match (good, is_new) {
            (false, _) => 0,
            (true, true) => self.passed_in_row.saturating_add(1),
            (true, false) => self.passed_in_row,
        };
        let newest = if is_new { Some(sample.at) } else { self.newest };
        Self { passed_in_row, newest, lag_seconds: Some(sample.lag_seconds) }
    }
}

/// The newest fresh period for which there is all that the mode needs. While draining, one from before the first look
/// is no data: the writers had not stopped.
fn newest_sample(mode: Mode, metrics: &Metrics, elapsed_seconds: u64, now: Timestamp) -> Option<Sample> {
    let elapsed = i64::try_from(elapsed_seconds).unwrap_or(i64::MAX);
    let periods = metrics.source_latency.range(now.as_second() - FRESH_SECONDS..).rev();
    let mut samples = periods.filter_map(|(period, source)| {
        let target = metrics.target_latency.get(period)?;
        let waiting: Option<Vec<f64>> = metrics.backlog.iter().map(|series| series.get(period).copied()).collect();
        let backlog = waiting.map(|waiting| waiting.iter().sum());
        let at = elapsed.saturating_sub(now.as_second() - period);
        Some(Sample { at, lag_seconds: source + target, backlog })
    });
    samples.find(|sample| match mode {
        Mode::Gate => true,
        Mode::Drain => sample.at >= 0 && sample.backlog.is_some(),
    })
}

fn is_good(mode: Mode, database: &Database, sample: Sample) -> bool {
    match mode {
        Mode::Gate => sample.lag_seconds <= database.max_lag.0 as f64,
        Mode::Drain => sample.lag_seconds <= 0.0 && sample.backlog.is_some_and(|backlog| backlog <= 0.0),
    }
}

/// What is wrong with the task so that waiting does not help.
fn task_trouble(task: &Task) -> Option<String> {
    if ["failed", "stopping", "stopped", "deleting", "failed-move"].contains(&task.status.as_str()) {
        return Some(format!("the task is {}; {}", task.status, task.reason));
    }
    let errored = task.stats.map_or(0, |stats| stats.errored);
    (errored > 0).then(|| format!("{errored} tables of the task are in error"))
}

/// Tables whose validation failed (API reference of TableStatistics, ValidationState).
fn table_trouble(tables: &[Table]) -> Option<String> {
    let failed = tables.iter().filter(|table| {
        let state = table.validation.as_str();
        matches!(state, "Mismatched records" | "Table error" | "Error") || state.starts_with("Suspended")
    });
    let failed: Vec<&Table> = failed.collect();
    (!failed.is_empty()).then(|| format!("the validation of {} failed", named(&failed)))
}

/// What else is needed, and may come by waiting.
fn waiting_for(observed: &Observed) -> Option<String> {
    let task = &observed.task;
    if task.status != "running" {
        return Some(format!("the task is `{}`, not running", task.status));
    }
    match task.stats {
        None => return Some("DMS gives no statistics of the task".to_owned()),
        Some(stats) if stats.unloaded > 0 => return Some(format!("{} tables are not loaded yet", stats.unloaded)),
        Some(_) => {}
    }
    let tables = observed.tables.as_deref()?;
    if tables.is_empty() {
        return Some("DMS lists no tables of the task".to_owned());
    }
    // A table without a primary key never validates; that is known before a cutover and no reason to hold it.
    let is_done = |table: &&Table| matches!(table.validation.as_str(), "Validated" | "No primary key");
    let open: Vec<&Table> = tables.iter().filter(|table| !is_done(table)).collect();
    (!open.is_empty()).then(|| format!("not validated yet: {}", named(&open)))
}

fn named(tables: &[&Table]) -> String {
    let named = tables.iter().take(MOST_TABLES_NAMED).map(|table| format!("{} ({})", table.name, table.validation));
    let mut text = named.collect::<Vec<_>>().join(", ");
    if tables.len() > MOST_TABLES_NAMED {
        text.push_str(&format!(" and {} more", tables.len() - MOST_TABLES_NAMED));
    }
    text
}

fn describe(sample: Option<Sample>, tally: &Tally, samples: u32, waiting_for: Option<&str>) -> String {
    let mut text = match sample {
        None => "no fresh data".to_owned(),
        Some(Sample { lag_seconds, backlog: Some(backlog), .. }) => {
            format!("lag {lag_seconds} s, backlog {backlog} changes")
        }
        Some(Sample { lag_seconds, backlog: None, .. }) => format!("lag {lag_seconds} s, backlog unknown"),
    };
    text.push_str(&format!("; {} of {samples} samples in a row are good", tally.passed_in_row));
    if let Some(waiting_for) = waiting_for {
        text.push_str(&format!("; {waiting_for}"));
    }
    text
}

fn gave_up(database: &Database, tally: &Tally, seen: &str) -> StepError {
    let Database { replication_task_arn, give_up_after, .. } = database;
    let problem = format!("{replication_task_arn} has not caught up within {give_up_after}: {seen}");
    match tally.lag_seconds {
        Some(lag) => StepError::new(name::UNHEALTHY, format!("{problem}; the last lag was {lag} s")),
        None => StepError::new(name::INCONCLUSIVE, format!("{problem}; there never was a lag")),
    }
}

#[cfg(test)]
mod tests {
    use cutover::Seconds;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn database() -> Database {
        Database {
            replication_task_arn: "arn:aws:dms:eu-central-1:1:task:T".to_owned(),
            max_lag: Seconds(60),
            samples: 3,
            interval: Seconds(30),
            give_up_after: Seconds(1800),
            require_validated_tables: true,
            drain: true,
            shared: false,
            reverse_replication_task_arn: None,
        }
    }

    /// A running task with one validated table, and one sample of that age.
    fn observed(age_seconds: i64, lag: f64, backlog: f64) -> Observed {
        let at = |value: f64| Series::from([(NOW - age_seconds, value)]);
        Observed {
            task: Task { status: "running".to_owned(), reason: String::new(), stats: Some(TaskStats::default()) },
            metrics: Metrics {
                source_latency: at(lag),
                target_latency: at(0.0),
                backlog: [at(0.0), at(backlog), at(0.0)],
            },
            tables: Some(vec![table("Validated")]),
        }
    }

    fn table(validation: &str) -> Table {
        Table { name: "public.orders".to_owned(), validation: validation.to_owned() }
    }

    fn look(mode: Mode, observed: &Observed, tally: &Tally, elapsed_seconds: u64) -> StepResult<Decision> {
        decide(mode, &database(), observed, tally, elapsed_seconds, Timestamp::from_second(NOW).unwrap())
    }

    /// Looks every 30 s, as the machine waits, at samples one minute apart; whether each sample's first look passed.
    fn looks(mode: Mode, samples: &[(f64, f64)]) -> Vec<bool> {
        let mut tally = Tally::default();
        let mut passed = Vec::new();
        for (index, (lag, backlog)) in samples.iter().enumerate() {
            for age_seconds in [30, 61] {
                let elapsed_seconds = 60 * (index as u64 + 1) + age_seconds as u64 / 60 * 30;
                let decision = look(mode, &observed(age_seconds, *lag, *backlog), &tally, elapsed_seconds).unwrap();
                if age_seconds == 30 {
                    passed.push(decision.passed);
                } else {
                    assert_eq!(decision.tally.passed_in_row, tally.passed_in_row, "a sample counts once");
                }
                tally = decision.tally;
            }
        }
        passed
    }

    #[test]
    fn several_good_samples_in_a_row_open_the_gate() {
        assert_eq!(looks(Mode::Gate, &[(60.0, 9.0), (60.0, 9.0), (60.0, 9.0)]), [false, false, true]);
        assert_eq!(looks(Mode::Gate, &[(1.0, 0.0), (61.0, 0.0), (1.0, 0.0), (1.0, 0.0)]), [false; 4]);
    }

    #[test]
    fn a_drain_needs_lag_and_backlog_at_zero() {
        assert_eq!(looks(Mode::Drain, &[(0.0, 0.0), (0.0, 0.0), (0.0, 0.0)]), [false, false, true]);
        assert_eq!(looks(Mode::Drain, &[(0.0, 1.0); 4]), [false; 4]);
        assert_eq!(looks(Mode::Drain, &[(0.5, 0.0); 4]), [false; 4]);
    }

    #[test]
    fn no_data_stale_data_and_repeated_data_are_never_a_pass() {
        let almost = Tally { passed_in_row: 2, newest: Some(0), lag_seconds: Some(0.0) };
        let missing = Observed { metrics: Metrics::default(), ..observed(60, 0.0, 0.0) };
        for (seen, left) in [(missing, 0), (observed(181, 0.0, 0.0), 0), (observed(60, 0.0, 0.0), 2)] {
            let decision = look(Mode::Gate, &seen, &almost, 60).unwrap();
            assert!(!decision.passed, "{}", decision.seen);
            assert_eq!(decision.tally.passed_in_row, left, "{}", decision.seen);
        }
        assert!(look(Mode::Gate, &observed(0, 0.0, 0.0), &almost, 60).unwrap().passed);
    }

    #[test]
    fn a_missing_part_of_the_lag_or_of_the_backlog_is_no_data() {
        let mut no_target = observed(60, 0.0, 0.0);
        no_target.metrics.target_latency.clear();
        assert_eq!(look(Mode::Gate, &no_target, &Tally::default(), 600).unwrap().verdict, Verdict::Inconclusive);
        let mut no_disk = observed(60, 0.0, 0.0);
        no_disk.metrics.backlog[2].clear();
        assert_eq!(look(Mode::Drain, &no_disk, &Tally::default(), 600).unwrap().verdict, Verdict::Inconclusive);
        assert_eq!(look(Mode::Gate, &no_disk, &Tally::default(), 600).unwrap().verdict, Verdict::Healthy);
    }

    #[test]
    fn a_sample_from_before_the_writers_stopped_does_not_count_as_drained() {
        let seen = observed(60, 0.0, 0.0);
        assert_eq!(look(Mode::Drain, &seen, &Tally::default(), 59).unwrap().verdict, Verdict::Inconclusive);
        assert_eq!(look(Mode::Drain, &seen, &Tally::default(), 60).unwrap().verdict, Verdict::Healthy);
    }

    #[test]
    fn failures_that_waiting_does_not_mend_end_the_gate_at_once() {
        let bad_tables = ["Mismatched records", "Suspended records", "Suspended tables", "Table error", "Error"]
            .map(|state| Observed { tables: Some(vec![table("Validated"), table(state)]), ..observed(60, 0.0, 0.0) });
        let bad_tasks = ["failed", "stopped", "stopping", "deleting"].map(|status| {
            let mut seen = observed(60, 0.0, 0.0);
            seen.task.status = status.to_owned();
            seen
        });
        let mut errored = observed(60, 0.0, 0.0);
        errored.task.stats = Some(TaskStats { errored: 1, unloaded: 0 });
        for seen in bad_tables.into_iter().chain(bad_tasks).chain([errored]) {
            let result = look(Mode::Gate, &seen, &Tally::default(), 0);
            assert_eq!(result.map_err(|error| error.name), Err(name::UNHEALTHY), "{seen:?}");
        }
    }

    #[test]
    fn what_may_still_come_is_waited_for() {
        let almost = Tally { passed_in_row: 2, newest: Some(-60), lag_seconds: Some(0.0) };
        let unvalidated = ["Pending records", "Not enabled", "Preparing table", "", "validated"]
            .map(|state| Observed { tables: Some(vec![table(state)]), ..observed(60, 0.0, 0.0) });
        let no_tables = Observed { tables: Some(vec![]), ..observed(60, 0.0, 0.0) };
        let mut loading = observed(60, 0.0, 0.0);
        loading.task.stats = Some(TaskStats { errored: 0, unloaded: 2 });
        let mut unknown = observed(60, 0.0, 0.0);
        unknown.task.stats = None;
        let mut starting = observed(60, 0.0, 0.0);
        starting.task.status = "starting".to_owned();
        for seen in unvalidated.into_iter().chain([no_tables, loading, unknown, starting]) {
            let decision = look(Mode::Gate, &seen, &almost, 60).unwrap();
            assert_eq!((decision.passed, decision.verdict), (false, Verdict::Inconclusive), "{}", decision.seen);
        }
        let no_key = Observed { tables: Some(vec![table("No primary key")]), ..observed(60, 0.0, 0.0) };
        let unasked = Observed { tables: None, ..observed(60, 0.0, 0.0) };
        assert!(look(Mode::Gate, &no_key, &almost, 60).unwrap().passed);
        assert!(look(Mode::Gate, &unasked, &almost, 60).unwrap().passed);
    }

    #[test]
    fn giving_up_tells_bad_data_from_no_data() {
        let error = look(Mode::Gate, &observed(60, 75.0, 0.0), &Tally::default(), 1800).unwrap_err();
        assert_eq!(error.name, name::UNHEALTHY);
        assert!(error.message.contains("the last lag was 75 s"), "{}", error.message);
        let silent = Observed { metrics: Metrics::default(), ..observed(60, 0.0, 0.0) };
        assert_eq!(look(Mode::Gate, &silent, &Tally::default(), 1800).unwrap_err().name, name::INCONCLUSIVE);
        assert!(look(Mode::Gate, &silent, &Tally::default(), 1799).is_ok());
        let almost = Tally { passed_in_row: 2, newest: Some(-60), lag_seconds: Some(0.0) };
        assert!(look(Mode::Gate, &observed(60, 0.0, 0.0), &almost, 1800).unwrap().passed, "in time, at the last look");
    }
}
