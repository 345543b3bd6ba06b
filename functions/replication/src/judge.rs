//! What is wrong with a replication: pure. Texts are for a person.

use std::collections::BTreeMap;

/// So many tables are named in a message.
const MOST_TABLES_NAMED: usize = 5;
/// States that nothing leaves by itself.
const ENDED: [&str; 7] =
    ["failed", "stopping", "stopped", "deleting", "failed-move", "deprovisioning", "deprovisioned"];

/// Of a table whose turn to be loaded has not come.
const BEFORE_LOAD: &str = "Before load";

/// Values by the start of their period, in seconds since 1970.
pub type Series = BTreeMap<i64, f64>;

/// What DMS says of a task or a serverless replication.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replication {
    /// `running`, `stopped`, `failed`, ... DMS writes them alike for tasks and for serverless replications.
    pub status: String,
    /// Why it stopped or failed, where DMS says so; empty where it does not.
    pub reason: String,
    /// Whether it loads the tables once and then ends: no change follows (`MigrationType` is `full-load`).
    pub is_full_load_only: bool,
    /// Whether it copies changes alone, and never loads a table (`MigrationType` is `cdc`).
    pub is_cdc_only: bool,
    /// `None`: DMS gave no statistics.
    pub stats: Option<Stats>,
    /// The ARN of a task's instance; none of a serverless replication.
    pub instance_arn: Option<String>,
}

/// How many of its tables are where.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Tables in error.
    pub errored: i32,
    /// Tables that are queued for the full load, or in it.
    pub unloaded: i32,
}

/// What DMS says of one table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// `schema.table`.
    pub name: String,
    /// `TableState`.
    pub state: String,
    /// `ValidationState`.
    pub validation: String,
    /// Rows inserted, updated and deleted and DDL statements, as captured from the source since the replication was started.
    pub changes: i64,
}

/// The metrics of what waits, in the order of [`Metrics::backlog`]: the first counts every change that waits, the others those of
/// them that are on their way to the target.
pub const BACKLOG: [&str; 3] = ["CDCIncomingChanges", "CDCChangesMemoryTarget", "CDCChangesDiskTarget"];

/// The metrics of a replication in `AWS/DMS`: of each minute the worst value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// `CDCLatencySource`, seconds. It falls to 0 while the source is idle, so alone it proves nothing.
    pub source_latency: Series,
    /// `CDCLatencyTarget`, seconds.
    pub target_latency: Series,
    /// Changes that wait, in rows: a series for each metric of [`BACKLOG`] that there has to be.
    pub backlog: Vec<Series>,
    /// `CDCThroughputRowsSource`, rows a second that come in from the source.
    pub rows_in: Series,
}

impl Metrics {
    /// The lag at a minute, seconds: the larger of the two latencies. `None` where one of them is missing.
    pub fn lag_seconds(&self, minute: i64) -> Option<f64> {
        Some(self.source_latency.get(&minute)?.max(*self.target_latency.get(&minute)?))
    }

    /// The newest lag since a minute, seconds.
    pub fn newest_lag_seconds(&self, since: i64) -> Option<f64> {
        self.source_latency.range(since..).rev().find_map(|(minute, _)| self.lag_seconds(*minute))
    }

    /// The metrics of the lag, and of what waits if that is asked, that have no value since a minute.
    pub fn missing(&self, since: i64, with_backlog: bool) -> Vec<&'static str> {
        let lag = [("CDCLatencySource", &self.source_latency), ("CDCLatencyTarget", &self.target_latency)];
        let waiting = BACKLOG.into_iter().zip(&self.backlog).filter(|_| with_backlog);
        let missing = lag.into_iter().chain(waiting).filter(|(_, series)| series.range(since..).next().is_none());
        missing.map(|(name, _)| name).collect()
    }
}

impl Replication {
    /// Whether changes flow.
    pub fn is_running(&self) -> bool {
        self.status == "running"
    }

    /// Why it does not flow and will not by waiting.
    pub fn trouble(&self) -> Option<String> {
        if ENDED.contains(&self.status.as_str()) {
            return Some(self.told_status());
        }
        let errored = self.stats.map_or(0, |stats| stats.errored);
        (errored > 0)
            .then(|| format!("has {} in error, and replicates nothing into {}", tables(errored), them(errored)))
    }

    /// Whether it is on its way from one state to another, so that waiting helps: it starts, is made, changed, moved or tested. What
    /// else there is has ended, or waits for somebody to start it.
    pub fn is_under_way(&self) -> bool {
        const AT_REST: [&str; 4] = ["", "running", "ready", "created"];
        !AT_REST.contains(&self.status.as_str()) && !ENDED.contains(&self.status.as_str())
    }

    /// How many of its tables DMS still has to load, by its counts.
    pub fn unloaded(&self) -> Option<String> {
        let unloaded = self.stats.map_or(0, |stats| stats.unloaded);
        (unloaded > 0).then(|| tables(unloaded))
    }

    /// Its status, with the reason: `is stopped (Stop Reason NORMAL)`.
    pub fn told_status(&self) -> String {
        let reason = if self.reason.is_empty() { String::new() } else { format!(" ({})", self.reason) };
        format!("is {}{reason}", if self.status.is_empty() { "in no known status" } else { &self.status })
    }
}

fn tables(count: i32) -> String {
    if count == 1 { "1 table".to_owned() } else { format!("{count} tables") }
}

fn them(count: i32) -> &'static str {
    if count == 1 { "it" } else { "them" }
}

impl Table {
    /// Whether changes are no longer replicated into it (API reference of TableStatistics, TableState).
    pub fn is_left_out(&self) -> bool {
        matches!(self.state.as_str(), "Table error" | "Table cancelled" | "Table does not exist")
    }

    /// Whether its rows are still to be copied, or are being copied: changes may be missing on the target, whatever the lag says
    /// (TableState, as above).
    pub fn is_loading(&self) -> bool {
        matches!(self.state.as_str(), BEFORE_LOAD | "Full load" | "Table is being reloaded")
    }

    /// Whether its rows were compared, and differ or could not be read (ValidationState, as above).
    pub fn failed_validation(&self) -> bool {
        matches!(self.validation.as_str(), "Mismatched records" | "Table error" | "Error")
            || self.validation.starts_with("Suspended")
    }

    /// Whether nothing compares its rows: validation is off unless a task's settings switch it on.
    pub fn is_validation_off(&self) -> bool {
        self.validation == "Not enabled"
    }

    /// Whether its rows cannot be compared by DMS.
    pub fn has_no_key(&self) -> bool {
        self.validation == "No primary key"
    }

    /// Whether all that can be compared was, and is the same.
    pub fn is_validated(&self) -> bool {
        self.validation == "Validated" || self.has_no_key()
    }
}

/// Tables that changes no longer reach.
pub fn left_out(tables: &[Table]) -> Option<String> {
    named(tables, Table::is_left_out, |table| &table.state)
        .map(|tables| format!("changes are no longer replicated into {tables}"))
}

/// Tables that are not loaded yet, by name or, where DMS names none, how many. In what copies changes alone, no table has a load to
/// wait for; one that somebody loads again there has.
pub fn not_loaded(replication: &Replication, tables: &[Table]) -> Option<String> {
    let waits = |table: &Table| table.is_loading() && !(replication.is_cdc_only && table.state == BEFORE_LOAD);
    named(tables, waits, |table| &table.state).or_else(|| replication.unloaded())
}

/// Tables that failed their validation.
pub fn failed_validation(tables: &[Table]) -> Option<String> {
    named(tables, Table::failed_validation, |table| &table.validation)
        .map(|tables| format!("the validation of {tables} failed"))
}

/// The first tables of a kind by name, each with what is told of it, and how many more there are.
pub fn named(tables: &[Table], is_one: impl Fn(&Table) -> bool, what: impl Fn(&Table) -> &str) -> Option<String> {
    let chosen: Vec<&Table> = tables.iter().filter(|table| is_one(table)).collect();
    let first = chosen.iter().take(MOST_TABLES_NAMED).map(|table| format!("{} ({})", table.name, what(table)));
    let mut text = first.collect::<Vec<_>>().join(", ");
    if chosen.len() > MOST_TABLES_NAMED {
        text.push_str(&format!(" and {} more", chosen.len() - MOST_TABLES_NAMED));
    }
    (!chosen.is_empty()).then_some(text)
}

/// Seconds or rows for a person: at most one decimal.
pub fn number(value: f64) -> String {
    format!("{}", (value * 10.0).round() / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replication(status: &str, errored: i32) -> Replication {
        Replication { status: status.to_owned(), stats: Some(Stats { errored, unloaded: 0 }), ..Replication::default() }
    }

    fn table(name: &str, validation: &str) -> Table {
        Table { name: name.to_owned(), validation: validation.to_owned(), ..Table::default() }
    }

    #[test]
    fn the_lag_is_the_larger_latency_and_missing_where_one_is_missing() {
        let metrics = Metrics {
            source_latency: Series::from([(0, 3.0), (60, 40.0), (120, 1.0)]),
            target_latency: Series::from([(0, 5.0), (60, 2.0)]),
            ..Metrics::default()
        };
        assert_eq!([0, 60, 120].map(|minute| metrics.lag_seconds(minute)), [Some(5.0), Some(40.0), None]);
        assert_eq!(metrics.newest_lag_seconds(0), Some(40.0));
        assert_eq!(metrics.newest_lag_seconds(61), None);
    }

    #[test]
    fn a_replication_that_has_ended_or_has_tables_in_error_is_in_trouble() {
        for status in ["failed", "stopping", "stopped", "deleting", "failed-move", "deprovisioned"] {
            assert!(replication(status, 0).trouble().is_some_and(|text| text.contains(status)), "{status}");
        }
        for status in ["running", "starting", "replication_starting", "modifying", ""] {
            assert_eq!(replication(status, 0).trouble(), None, "{status}");
        }
        let text = replication("running", 1).trouble().unwrap();
        assert!(text.contains("1 table in error"), "{text}");
        assert!(replication("running", 2).trouble().is_some_and(|text| text.contains("2 tables in error")));
        assert_eq!(Replication::default().trouble(), None, "without statistics nothing is known, and nothing is wrong");
    }

    #[test]
    fn a_status_is_told_with_its_reason() {
        let stopped = Replication { reason: "Stop Reason NORMAL".to_owned(), ..replication("stopped", 0) };
        assert_eq!(stopped.told_status(), "is stopped (Stop Reason NORMAL)");
        assert_eq!(replication("stopped", 0).told_status(), "is stopped");
        assert_eq!(replication("", 0).told_status(), "is in no known status");
    }

    #[test]
    fn tables_are_told_by_name_and_by_kind() {
        let tables = [
            table("public.a", "Validated"),
            table("public.b", "Mismatched records"),
            table("public.c", "Suspended tables"),
            Table { state: "Table error".to_owned(), ..table("public.d", "No primary key") },
        ];
        assert_eq!(
            failed_validation(&tables).as_deref(),
            Some("the validation of public.b (Mismatched records), public.c (Suspended tables) failed")
        );
        assert_eq!(left_out(&tables).as_deref(), Some("changes are no longer replicated into public.d (Table error)"));
        assert_eq!((failed_validation(&tables[..1]), left_out(&tables[..3])), (None, None));
        let many: Vec<Table> = (0..7).map(|index| table(&format!("t{index}"), "Not enabled")).collect();
        let text = named(&many, Table::is_validation_off, |table| &table.validation).unwrap();
        assert!(text.ends_with("t4 (Not enabled) and 2 more"), "{text}");
    }

    #[test]
    fn a_table_that_is_loaded_or_loaded_again_is_not_there_yet() {
        let in_state = |state: &str| Table { state: state.to_owned(), ..table("public.orders", "Validated") };
        for state in ["Before load", "Full load", "Table is being reloaded"] {
            let told = not_loaded(&replication("running", 0), &[table("public.a", ""), in_state(state)]);
            assert_eq!(told, Some(format!("public.orders ({state})")));
        }
        for state in ["Table completed", "Table error", "Table cancelled", "Table does not exist", ""] {
            assert_eq!(not_loaded(&replication("running", 0), &[in_state(state)]), None, "{state}");
        }
        let stats = |unloaded| Some(Stats { errored: 0, unloaded });
        let by_counts = |unloaded| Replication { stats: stats(unloaded), ..replication("running", 0) };
        assert_eq!(not_loaded(&by_counts(2), &[in_state("Table completed")]).as_deref(), Some("2 tables"));
        assert_eq!(not_loaded(&by_counts(0), &[]), None);
    }

    #[test]
    fn what_copies_changes_alone_has_no_table_to_load_but_one_that_is_loaded_again() {
        let changes_alone = Replication { is_cdc_only: true, ..replication("running", 0) };
        let in_state = |state: &str| Table { state: state.to_owned(), ..table("public.orders", "Validated") };
        assert_eq!(not_loaded(&changes_alone, &[in_state("Before load")]), None);
        assert!(not_loaded(&changes_alone, &[in_state("Table is being reloaded")]).is_some());
    }

    #[test]
    fn metrics_without_a_value_are_named() {
        let at = |minute: i64| Series::from([(minute, 0.0)]);
        let metrics = Metrics {
            source_latency: at(120),
            target_latency: at(60),
            backlog: vec![at(120), at(120), Series::new()],
            rows_in: Series::new(),
        };
        assert_eq!(metrics.missing(60, true), ["CDCChangesDiskTarget"]);
        assert_eq!(metrics.missing(120, true), ["CDCLatencyTarget", "CDCChangesDiskTarget"]);
        assert_eq!(metrics.missing(60, false), [""; 0]);
        let serverless = Metrics { backlog: vec![Series::new()], ..metrics };
        assert_eq!(serverless.missing(60, true), ["CDCIncomingChanges"]);
    }

    #[test]
    fn what_is_under_way_is_told_from_what_somebody_has_to_start() {
        for status in ["starting", "creating", "modifying", "moving", "testing", "replication_starting", "initialising"]
        {
            assert!(replication(status, 0).is_under_way(), "{status}");
        }
        for status in ["running", "ready", "created", "stopped", "stopping", "failed", "failed-move", "deleting", ""] {
            assert!(!replication(status, 0).is_under_way(), "{status}");
        }
    }

    #[test]
    fn numbers_are_told_with_one_decimal_at_the_most() {
        assert_eq!([75.0, 0.5, 1.0 / 3.0, 0.04].map(number), ["75", "0.5", "0.3", "0"]);
    }
}
