//! What a look says to a person. Pure.

use cutover::StepError;
use cutover::error::name;
use cutover::plan::Database;
use replication::judge::number;
use replication::kind;

use crate::decide::Wanted;
use crate::sample::{FRESH_SECONDS, Part, Sample};
use crate::{Mode, Tally};

/// What is seen, with values and limits.
pub(crate) fn describe(
    wanted: &Wanted,
    newest: &Result<Sample, Part>,
    tally: &Tally,
    waiting_for: Option<&str>,
) -> String {
    let Wanted { mode, database, verifies_quiesce } = *wanted;
    let sample = match newest {
        Ok(sample) => sample,
        Err(part) => {
            let lag = part.lag_seconds.map(|lag| behind(wanted, lag));
            let parts = lag.into_iter().chain([not_reported(mode, part)]).chain(waiting_for.map(str::to_owned));
            return parts.collect::<Vec<_>>().join("; ");
        }
    };
    let mut parts = vec![behind(wanted, sample.lag_seconds)];
    if mode == Mode::Drain && database.drain {
        parts.push(match sample.backlog {
            Some(backlog) if backlog > 0.0 => format!("{} changes wait, and none may", number(backlog)),
            _ => "no change waits".to_owned(),
        });
    }
    if verifies_quiesce {
        parts.push(tally.writers.describe());
    }
    parts.extend(waiting_for.map(str::to_owned));
    let (passed, samples) = (tally.passed_in_row.min(database.samples), database.samples);
    if (1..samples).contains(&passed) {
        parts.push(format!("{passed} of the {samples} good readings in a row that are needed"));
    }
    parts.join("; ")
}

/// How far behind it is, and how far it may be.
fn behind(wanted: &Wanted, lag_seconds: f64) -> String {
    let Wanted { mode, database, .. } = wanted;
    let lag = number(lag_seconds);
    match mode {
        Mode::Gate => format!("the replication is {lag} s behind (at most {} is allowed)", database.max_lag),
        Mode::Drain if database.drain => {
            format!("the replication is {lag} s behind (at most {} is allowed)", database.drain_latency)
        }
        Mode::Drain => format!("the replication is {lag} s behind"),
    }
}

/// Which metrics are missing. Where the whole lag is, nobody looks for the others.
fn not_reported(mode: Mode, part: &Part) -> String {
    const LAG: [&str; 2] = ["CDCLatencySource", "CDCLatencyTarget"];
    let minutes = FRESH_SECONDS / 60;
    let since = if mode == Mode::Drain { " since the writers were told to stop" } else { "" };
    let what = match &part.missing[..] {
        [] => "no minute with all that is needed".to_owned(),
        missing if LAG.iter().all(|metric| missing.contains(metric)) => "no lag".to_owned(),
        missing => format!("no {}", missing.join(" and no ")),
    };
    format!("DMS has reported {what} in the last {minutes} minutes{since}")
}

/// The time is up.
pub(crate) fn gave_up(wanted: &Wanted, tally: &Tally, newest: &Result<Sample, Part>, seen: &str) -> StepError {
    let database = wanted.database;
    let within = format!("within {}", database.give_up_after);
    if wanted.verifies_quiesce
        && let Some(problem) = newest.as_ref().ok().and_then(|sample| tally.writers.still_write(*sample))
    {
        let problem = format!("{problem}; it did not come to rest {within}");
        return StepError::new(name::UNHEALTHY, of_replication(database, &problem));
    }
    let done = if wanted.mode == Mode::Drain { "run dry" } else { "caught up" };
    let problem = of_replication(database, &format!("has not {done} {within}: {seen}"));
    match (newest, tally.lag_seconds) {
        (_, Some(lag)) => {
            let last = number(lag);
            let stuck = if is_stuck(wanted, tally, newest) { STUCK } else { "" };
            StepError::new(name::UNHEALTHY, format!("{problem}; the last lag was {last} s{stuck}"))
        }
        (Err(Part { lag_seconds: Some(_), .. }), None) => {
            StepError::new(name::INCONCLUSIVE, format!("{problem}; no reading had all that is needed"))
        }
        (_, None) => StepError::new(name::INCONCLUSIVE, format!("{problem}; DMS never reported a lag")),
    }
}

const STUCK: &str =
    ". Something keeps these changes from the target: look for locks there, and into the replication's log";

/// Whether nobody writes any more, and changes wait all the same.
fn is_stuck(wanted: &Wanted, tally: &Tally, newest: &Result<Sample, Part>) -> bool {
    let waiting = newest.as_ref().ok().and_then(|sample| sample.backlog);
    wanted.mode == Mode::Drain && tally.writers.have_stopped() && waiting.is_some_and(|waiting| waiting > 0.0)
}

/// A sentence about the replication.
pub(crate) fn of_replication(database: &Database, what: &str) -> String {
    let arn = &database.replication_task_arn;
    format!("the {} {arn} {what}", kind(arn))
}
