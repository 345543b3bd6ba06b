//! Whether the old side's writers have stopped, as the replication shows it: pure.
//!
//! A hook that returns says that it has done something; whether anybody still writes, the source's changes tell.
//!
//! | seen | by | good for |
//! |---|---|---|
//! | rows captured from the source, table by table | `Inserts`, `Updates`, `Deletes`, `Ddls` of the table statistics | counted exactly, never forgotten: what decides |
//! | rows that come in | `CDCThroughputRowsSource`, rows a second | a minute's worst value; not there for every replication |
//! | more changes wait than before | `CDCIncomingChanges` | what waits is no rate: applied at once, it stays at 0, so it only counts when it rises |
//!
//! Sources: API reference of TableStatistics; DMS user guide, "Replication task metrics", which warns of taking
//! `CDCIncomingChanges` for the source's rate of change.
//!
//! Nothing says how old the table statistics may be, so both they and the rate have to be quiet where there are both. And what
//! comes in may have been written before the hooks: the replication is behind. So it is held against the writers only where it
//! was captured longer after the hooks than the lag, with a period for clocks and rounding, and several times in a row.

use replication::judge::number;
use replication::{PERIOD_SECONDS, Table};
use serde::{Deserialize, Serialize};

use crate::sample::Sample;

/// So many samples in a row without a new change show that the writers have stopped.
pub const QUIET_SAMPLES: u32 = 2;
/// So many samples in a row with changes that were made after the hooks show that they have not.
const BUSY_SAMPLES: u32 = 3;

/// What is remembered of the source's changes from look to look.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Writers {
    /// Changes captured so far, over all tables, as of the last look; `None` before the first, and where DMS lists no table.
    pub changes: Option<i64>,
    /// How many were captured since the last sample. Below 0 where the replication was started again and counts from 0.
    pub since_sample: i64,
    /// When the last sample was looked at: seconds since the first look, as the state machine counts them.
    pub sampled_at: Option<i64>,
    /// How many changes waited at the last sample.
    pub backlog: Option<f64>,
    /// How many of the latest samples in a row showed no new change.
    pub quiet_in_row: u32,
    /// How many of the latest in a row showed changes that were made after the hooks.
    pub busy_in_row: u32,
    /// What the last sample showed of new changes, for a person; empty if none.
    pub shown: String,
}

/// A look at a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// What was read.
    pub sample: Sample,
    /// Whether it is another one than at the look before.
    pub is_new: bool,
    /// When: seconds since the first look, as the state machine counts them.
    pub elapsed_seconds: i64,
}

impl Writers {
    /// After one more look at the tables and, where there is a fresh one, at a sample.
    pub fn count(&self, tables: &[Table], look: Option<Look>) -> Self {
        let changes = (!tables.is_empty()).then(|| tables.iter().map(|table| table.changes).sum::<i64>());
        let more = self.changes.zip(changes).map(|(before, now)| now - before);
        let counted = Self { changes, since_sample: self.since_sample + more.unwrap_or(0), ..self.clone() };
        match look {
            None => Self { quiet_in_row: 0, ..counted },
            Some(Look { is_new: false, .. }) => counted,
            Some(look) => counted.sampled(look, more.is_some()),
        }
    }

    /// After a new sample. `is_compared`: whether this look's tables could be compared with those of the one before.
    fn sampled(self, Look { sample, elapsed_seconds, .. }: Look, is_compared: bool) -> Self {
        let rows_in = sample.rows_in.filter(|rows| *rows > 0.0);
        let more_waiting =
            self.backlog.zip(sample.backlog).map(|(before, now)| now - before).filter(|more| *more > 0.0);
        let shown = [
            (self.since_sample > 0).then(|| format!("{} new changes were captured", self.since_sample)),
            rows_in.map(|rows| format!("{} rows a second came in", number(rows))),
            more_waiting.map(|more| format!("{} more changes wait than before", number(more))),
        ];
        let shown = shown.into_iter().flatten().next();
        // What the sample says of came after its start; what was compared, after the sample before.
        let captured_at = if rows_in.is_some() { Some(sample.at) } else { self.sampled_at };
        let is_after_hooks = captured_at.is_some_and(|at| is_younger(at, sample.lag_seconds));
        let is_known = is_compared || (self.changes.is_none() && sample.rows_in.is_some());
        let is_quiet = is_known && self.since_sample == 0 && shown.is_none();
        Self {
            since_sample: 0,
            sampled_at: Some(elapsed_seconds),
            backlog: sample.backlog,
            quiet_in_row: if is_quiet { self.quiet_in_row.saturating_add(1) } else { 0 },
            busy_in_row: if shown.is_some() && is_after_hooks { self.busy_in_row.saturating_add(1) } else { 0 },
            shown: shown.unwrap_or_default(),
            ..self
        }
    }

    /// Whether the writers are seen to have stopped.
    pub fn have_stopped(&self) -> bool {
        self.quiet_in_row >= QUIET_SAMPLES
    }

    /// For a person.
    pub fn describe(&self) -> String {
        match self.quiet_in_row {
            _ if !self.shown.is_empty() => format!("the source is not quiet: {}", self.shown),
            0 => "it is not known yet whether the source is quiet".to_owned(),
            quiet if quiet < QUIET_SAMPLES => {
                format!("no new change in {quiet} of the {QUIET_SAMPLES} readings in a row that are needed")
            }
            _ => "the writers have stopped: no new change comes in".to_owned(),
        }
    }

    /// Why waiting does not help: somebody writes on, whatever the hooks have stopped.
    pub fn went_on(&self, lag_seconds: f64) -> Option<String> {
        (self.busy_in_row >= BUSY_SAMPLES).then(|| past_the_hooks(&self.shown, lag_seconds))
    }

    /// The same, once the time is up: by what was seen last, or, where nothing is known of the source, since what waits is younger
    /// than the hooks. While the source is quiet, what waits only stays: something keeps it from the target.
    pub fn still_write(&self, sample: Sample) -> Option<String> {
        if self.quiet_in_row > 0 {
            return None;
        }
        let waiting = sample.backlog.filter(|waiting| *waiting > 0.0 && is_younger(sample.at, sample.lag_seconds));
        let seen = match waiting {
            _ if self.busy_in_row > 0 => self.shown.clone(),
            waiting => format!("{} changes wait", number(waiting?)),
        };
        Some(past_the_hooks(&seen, sample.lag_seconds))
    }
}

/// Whether what was captured at a moment was made after the hooks had ended.
fn is_younger(captured_at: i64, lag_seconds: f64) -> bool {
    (captured_at - PERIOD_SECONDS) as f64 >= lag_seconds
}

fn past_the_hooks(seen: &str, lag_seconds: f64) -> String {
    let lag = number(lag_seconds);
    format!(
        "still gets changes that were made after the quiesce hooks had ended: {seen}, and it is {lag} s behind. Writers \
         went round the hooks: find out who else writes to the old database, and let a hook stop them too"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One look a minute, each at the sample of the minute before, 2 s behind: changes captured so far, rows a second.
    fn looks(seen: &[(i64, Option<f64>)]) -> Writers {
        let mut writers = Writers::default();
        for (index, (changes, rows_in)) in seen.iter().enumerate() {
            let at = 60 * (index as i64 - 1);
            let look = Look { sample: sample(at, *rows_in), is_new: true, elapsed_seconds: at + 60 };
            writers = writers.count(&[table(*changes)], (at >= 0).then_some(look));
        }
        writers
    }

    fn sample(at: i64, rows_in: Option<f64>) -> Sample {
        Sample { at, lag_seconds: 2.0, backlog: Some(0.0), rows_in }
    }

    fn table(changes: i64) -> Table {
        Table { changes, ..Table::default() }
    }

    #[test]
    fn two_samples_without_a_new_change_show_that_the_writers_have_stopped() {
        assert!(!looks(&[(7, None), (7, None)]).have_stopped());
        assert!(looks(&[(7, None), (7, None), (7, None)]).have_stopped());
        assert!(looks(&[(7, Some(0.0)), (7, Some(0.0)), (7, Some(0.0))]).have_stopped());
        assert!(!looks(&[(7, None), (7, None), (8, None)]).have_stopped());
        assert!(!looks(&[(7, None), (8, None), (8, None)]).have_stopped());
        assert!(looks(&[(7, None), (8, None), (8, None), (8, None)]).have_stopped());
        assert!(!looks(&[(7, None), (7, None), (7, Some(0.5))]).have_stopped());
        assert!(!looks(&[(7, None), (7, None), (3, None)]).have_stopped(), "the replication was started again");
    }

    #[test]
    fn one_sample_counts_once_and_none_is_not_quiet() {
        let quiet = looks(&[(7, None), (7, None)]);
        let again = Look { sample: sample(0, None), is_new: false, elapsed_seconds: 90 };
        assert_eq!(quiet.count(&[table(7)], Some(again)), quiet);
        assert_eq!(quiet.count(&[table(7)], None).quiet_in_row, 0);
        let moved = quiet.count(&[table(9)], Some(again));
        let next = Look { sample: sample(60, None), is_new: true, elapsed_seconds: 120 };
        assert_eq!(
            moved.count(&[table(9)], Some(next)).quiet_in_row,
            0,
            "what was captured between two samples counts"
        );
        assert_eq!(moved.count(&[table(9)], Some(next)).shown, "2 new changes were captured");
    }

    #[test]
    fn without_tables_the_rate_decides_and_without_both_nothing_is_known() {
        let seen = |rows_in| {
            let look = |at| Look { sample: sample(at, rows_in), is_new: true, elapsed_seconds: at + 60 };
            Writers::default().count(&[], Some(look(0))).count(&[], Some(look(60)))
        };
        assert!(seen(Some(0.0)).have_stopped());
        assert!(!seen(None).have_stopped());
        assert!(!seen(Some(1.0)).have_stopped());
        let first = Look { sample: sample(0, None), is_new: true, elapsed_seconds: 0 };
        assert_eq!(
            Writers::default().count(&[table(7)], Some(first)).quiet_in_row,
            0,
            "there is nothing to compare with"
        );
    }

    #[test]
    fn changes_made_after_the_hooks_three_times_in_a_row_are_somebody_who_writes_on() {
        let busy: Vec<(i64, Option<f64>)> = (0..5).map(|minute| (10 * minute, None)).collect();
        assert_eq!(looks(&busy).went_on(2.0), None);
        let busy: Vec<(i64, Option<f64>)> = (0..6).map(|minute| (10 * minute, None)).collect();
        let text = looks(&busy).went_on(2.0).unwrap();
        assert!(text.contains("10 new changes were captured, and it is 2 s behind. Writers went round"), "{text}");
        let busy: Vec<(i64, Option<f64>)> = (0..6).map(|_| (0, Some(1.5))).collect();
        assert!(looks(&busy).went_on(2.0).is_some_and(|text| text.contains("1.5 rows a second")));
        let paused = [(0, None), (10, None), (20, None), (30, None), (40, None), (40, None), (50, None)];
        assert_eq!(looks(&paused).busy_in_row, 1);
    }

    #[test]
    fn what_was_written_before_the_hooks_and_comes_late_is_nobodys_fault() {
        let mut writers = Writers::default();
        for minute in 0..10 {
            let sample = Sample { lag_seconds: 600.0, ..sample(60 * minute, Some(50.0)) };
            let look = Look { sample, is_new: true, elapsed_seconds: 60 * minute + 60 };
            writers = writers.count(&[table(3_000 * minute)], Some(look));
            assert_eq!((writers.busy_in_row, writers.quiet_in_row), (0, 0));
        }
    }

    #[test]
    fn more_changes_that_wait_than_before_are_new_changes() {
        let look = |at, backlog| {
            let sample = Sample { backlog: Some(backlog), ..sample(at, None) };
            Some(Look { sample, is_new: true, elapsed_seconds: at + 60 })
        };
        let writers = Writers::default().count(&[table(7)], None).count(&[table(7)], look(0, 5.0));
        assert_eq!(writers.quiet_in_row, 1, "what waits may have waited before");
        assert_eq!(writers.count(&[table(7)], look(60, 4.0)).quiet_in_row, 2);
        let rising = writers.count(&[table(7)], look(60, 9.0));
        assert_eq!((rising.quiet_in_row, rising.shown.as_str()), (0, "4 more changes wait than before"));
    }

    #[test]
    fn once_the_time_is_up_what_waits_and_is_younger_than_the_hooks_tells() {
        let waiting = |at, lag_seconds| Sample { at, lag_seconds, backlog: Some(40.0), rows_in: None };
        let text = Writers::default().still_write(waiting(600, 2.0)).unwrap();
        assert!(text.contains("40 changes wait, and it is 2 s behind"), "{text}");
        assert_eq!(Writers::default().still_write(waiting(600, 900.0)), None, "it may be from before the hooks");
        assert_eq!(Writers::default().still_write(sample(600, None)), None);
        let busy = looks(&[(0, None), (1, None), (2, None), (3, None), (4, None)]);
        assert!(busy.still_write(sample(600, None)).is_some());
        for quiet in [&[(7, None), (7, None)][..], &[(7, None), (7, None), (7, None)]] {
            assert_eq!(looks(quiet).still_write(waiting(600, 2.0)), None, "nothing new came in: it only stays");
        }
    }
}
