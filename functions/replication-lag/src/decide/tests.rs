use cutover::Seconds;
use replication::{Series, Stats};

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
        drain_latency: Seconds(5),
        shared: false,
        reverse_replication_task_arn: None,
    }
}

/// A running task with one validated table, and one sample of that age.
fn observed(age_seconds: i64, lag: f64, backlog: f64) -> Observed {
    let at = |value: f64| Series::from([(NOW - age_seconds, value)]);
    Observed {
        replication: Replication {
            status: "running".to_owned(),
            stats: Some(Stats::default()),
            ..Replication::default()
        },
        metrics: Metrics {
            source_latency: at(lag),
            target_latency: at(0.0),
            backlog: vec![at(0.0), at(backlog), at(0.0)],
            rows_in: Series::new(),
        },
        tables: vec![table("Validated")],
    }
}

fn table(validation: &str) -> Table {
    Table { name: "public.orders".to_owned(), validation: validation.to_owned(), ..Table::default() }
}

fn look(mode: Mode, observed: &Observed, tally: &Tally, elapsed_seconds: u64) -> StepResult<Decision> {
    wanted(&Wanted { mode, database: &database(), verifies_quiesce: false }, observed, tally, elapsed_seconds)
}

fn wanted(wanted: &Wanted, observed: &Observed, tally: &Tally, elapsed_seconds: u64) -> StepResult<Decision> {
    decide(wanted, observed, tally, elapsed_seconds, Timestamp::from_second(NOW).unwrap())
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
fn a_drain_needs_that_nothing_waits_and_a_lag_at_rest() {
    assert_eq!(looks(Mode::Drain, &[(0.0, 0.0), (0.0, 0.0), (0.0, 0.0)]), [false, false, true]);
    assert_eq!(looks(Mode::Drain, &[(2.0, 0.0), (5.0, 0.0), (1.0, 0.0)]), [false, false, true]);
    assert_eq!(looks(Mode::Drain, &[(0.0, 1.0); 4]), [false; 4]);
    assert_eq!(looks(Mode::Drain, &[(5.5, 0.0); 4]), [false; 4]);
}

#[test]
fn the_lag_is_the_larger_of_both_latencies_and_not_their_sum() {
    let mut seen = observed(60, 40.0, 0.0);
    seen.metrics.target_latency = Series::from([(NOW - 60, 60.0)]);
    let decision = look(Mode::Gate, &seen, &Tally::default(), 60).unwrap();
    assert_eq!((decision.verdict, decision.sample.unwrap().lag_seconds), (Verdict::Healthy, 60.0));
    seen.metrics.source_latency = Series::from([(NOW - 60, 61.0)]);
    assert_eq!(look(Mode::Gate, &seen, &Tally::default(), 60).unwrap().verdict, Verdict::Unhealthy);
}

#[test]
fn what_waits_of_a_serverless_replication_is_one_metric() {
    let mut seen = observed(60, 0.0, 0.0);
    seen.metrics.backlog = vec![Series::from([(NOW - 60, 7.0)])];
    let decision = look(Mode::Drain, &seen, &Tally::default(), 60).unwrap();
    assert_eq!((decision.verdict, decision.sample.unwrap().backlog), (Verdict::Unhealthy, Some(7.0)));
    seen.metrics.backlog = vec![Series::from([(NOW - 60, 0.0)])];
    assert_eq!(look(Mode::Drain, &seen, &Tally::default(), 60).unwrap().verdict, Verdict::Healthy);
}

#[test]
fn a_table_that_changes_do_not_reach_ends_the_gate_whatever_the_plan_requires() {
    let database = Database { require_validated_tables: false, ..database() };
    let asked = Wanted { mode: Mode::Gate, database: &database, verifies_quiesce: false };
    for state in ["Table error", "Table cancelled", "Table does not exist"] {
        let table = Table { state: state.to_owned(), ..table("Validated") };
        let seen = Observed { tables: vec![table], ..observed(60, 0.0, 0.0) };
        let error = wanted(&asked, &seen, &Tally::default(), 60).unwrap_err();
        assert!(error.name == name::UNHEALTHY && error.message.contains(state), "{error:?}");
    }
}

/// Looks once a minute after the hooks, each at the sample of the minute before, with so many changes captured so far;
/// until it passes or fails.
fn after_hooks(database: &Database, captured: impl Fn(i64) -> i64) -> StepResult<i64> {
    let asked = Wanted { mode: Mode::Drain, database, verifies_quiesce: true };
    let mut tally = Tally::default();
    for minute in 0..60 {
        let mut seen = observed(60, 2.0, 0.0);
        seen.tables[0].changes = captured(minute);
        let decision = wanted(&asked, &seen, &tally, 60 * minute as u64)?;
        if decision.passed {
            return Ok(minute);
        }
        tally = decision.tally;
    }
    unreachable!("it gives up after 30 minutes")
}

#[test]
fn writers_that_have_stopped_are_seen_within_the_samples_of_the_drain() {
    assert_eq!(after_hooks(&database(), |_| 1_000), Ok(3), "as many as the plan wants, from the first after the hooks");
    let one = Database { samples: 1, ..database() };
    assert_eq!(after_hooks(&one, |_| 1_000), Ok(2), "and two at least, to see that nothing changes");
    assert_eq!(after_hooks(&one, |minute| 1_000 + minute.min(4)), Ok(6), "the last change is seen in the fifth");
}

#[test]
fn writers_that_go_round_the_hooks_end_it_long_before_the_time_is_up() {
    for drain in [true, false] {
        let error = after_hooks(&Database { drain, ..database() }, |minute| 10 * minute).unwrap_err();
        assert_eq!(error.name, name::UNHEALTHY);
        assert!(error.message.contains("Writers went round the hooks"), "{}", error.message);
        assert!(error.message.contains("10 new changes were captured, and it is 2 s behind"), "{}", error.message);
        assert!(!error.message.contains("within"), "{}", error.message);
    }
}

#[test]
fn without_a_drain_only_the_writers_are_looked_at() {
    let database = Database { drain: false, ..database() };
    let asked = Wanted { mode: Mode::Drain, database: &database, verifies_quiesce: true };
    let mut tally = Tally::default();
    let passed: Vec<bool> = (0..4)
        .map(|minute| {
            let decision = wanted(&asked, &observed(60, 90.0, 500.0), &tally, 60 * minute).unwrap();
            tally = decision.tally;
            decision.passed
        })
        .collect();
    assert_eq!(passed, [false, false, false, true], "behind and with changes that wait, but quiet");
}

#[test]
fn a_plan_verifies_what_its_database_can_show() {
    let plan = |database: serde_json::Value, hooks: bool| {
        let hook = |name: &str| serde_json::json!([{ "function_arn": format!("arn:aws:lambda:r:1:function:{name}") }]);
        let hooks = if hooks {
            serde_json::json!({ "quiesce": hook("stop"), "resume": hook("go") })
        } else {
            serde_json::json!({})
        };
        let plan = serde_json::json!({ "application": "a", "routes": [], "hooks": hooks, "database": database });
        serde_json::from_value::<Plan>(plan).unwrap()
    };
    let database = |shared| serde_json::json!({ "replication_task_arn": "arn:aws:dms:r:1:task:T", "shared": shared });
    let verifies = |mode, plan: &Plan| Wanted::of(mode, plan).map(|wanted| wanted.verifies_quiesce);
    assert_eq!(verifies(Mode::Drain, &plan(database(false), true)), Some(true));
    assert_eq!(verifies(Mode::Gate, &plan(database(false), true)), Some(false), "the writers still run");
    assert_eq!(verifies(Mode::Drain, &plan(database(true), true)), Some(false), "others may write on");
    assert_eq!(verifies(Mode::Drain, &plan(database(false), false)), Some(false));
    assert_eq!(verifies(Mode::Drain, &plan(serde_json::Value::Null, true)), None);
}

#[test]
fn what_is_seen_is_told_with_values_and_limits() {
    let seen = |mode, observed: &Observed, tally: &Tally| look(mode, observed, tally, 600).unwrap().seen;
    let fresh = Tally::default();
    assert_eq!(
        seen(Mode::Gate, &observed(60, 75.04, 9.0), &fresh),
        "the replication is 75 s behind (at most 1m is allowed)"
    );
    assert_eq!(
        seen(Mode::Drain, &observed(60, 2.0, 0.0), &fresh),
        "the replication is 2 s behind (at most 5s is allowed); no change waits; 1 of the 3 good readings in a row that \
         are needed"
    );
    assert_eq!(
        seen(Mode::Drain, &observed(60, 2.0, 40.0), &fresh),
        "the replication is 2 s behind (at most 5s is allowed); 40 changes wait, and none may"
    );
    let silent = Observed { metrics: Metrics::default(), ..observed(60, 0.0, 0.0) };
    assert_eq!(seen(Mode::Gate, &silent, &fresh), "DMS has reported no lag in the last 3 minutes");
    let waiting = Observed { tables: vec![table("Pending records")], ..observed(60, 0.0, 0.0) };
    let long = Tally { passed_in_row: 30, ..fresh.clone() };
    assert_eq!(
        seen(Mode::Gate, &waiting, &long),
        "the replication is 0 s behind (at most 1m is allowed); not validated yet: public.orders (Pending records)",
        "how often it was good before is nobody's business"
    );
}

#[test]
fn no_data_stale_data_and_repeated_data_are_never_a_pass() {
    let almost = Tally { passed_in_row: 2, newest: Some(0), lag_seconds: Some(0.0), ..Tally::default() };
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
        .map(|state| Observed { tables: vec![table("Validated"), table(state)], ..observed(60, 0.0, 0.0) });
    let bad_tasks = ["failed", "stopped", "stopping", "deleting"].map(|status| {
        let mut seen = observed(60, 0.0, 0.0);
        seen.replication.status = status.to_owned();
        seen
    });
    let mut errored = observed(60, 0.0, 0.0);
    errored.replication.stats = Some(Stats { errored: 1, unloaded: 0 });
    for seen in bad_tables.into_iter().chain(bad_tasks).chain([errored]) {
        let result = look(Mode::Gate, &seen, &Tally::default(), 0);
        assert_eq!(result.map_err(|error| error.name), Err(name::UNHEALTHY), "{seen:?}");
    }
}

#[test]
fn what_may_still_come_is_waited_for() {
    let almost = Tally { passed_in_row: 2, newest: Some(-60), lag_seconds: Some(0.0), ..Tally::default() };
    let unvalidated = ["Pending records", "Not enabled", "Preparing table", "", "validated"]
        .map(|state| Observed { tables: vec![table(state)], ..observed(60, 0.0, 0.0) });
    let no_tables = Observed { tables: vec![], ..observed(60, 0.0, 0.0) };
    let mut loading = observed(60, 0.0, 0.0);
    loading.replication.stats = Some(Stats { errored: 0, unloaded: 2 });
    let mut unknown = observed(60, 0.0, 0.0);
    unknown.replication.stats = None;
    let mut starting = observed(60, 0.0, 0.0);
    starting.replication.status = "starting".to_owned();
    for seen in unvalidated.into_iter().chain([no_tables, loading, unknown, starting]) {
        let decision = look(Mode::Gate, &seen, &almost, 60).unwrap();
        assert_eq!((decision.passed, decision.verdict), (false, Verdict::Inconclusive), "{}", decision.seen);
    }
    let no_key = Observed { tables: vec![table("No primary key")], ..observed(60, 0.0, 0.0) };
    assert!(look(Mode::Gate, &no_key, &almost, 60).unwrap().passed);
    let database = Database { require_validated_tables: false, ..database() };
    let asked = Wanted { mode: Mode::Gate, database: &database, verifies_quiesce: false };
    for state in ["Not enabled", "Pending records", "Mismatched records", "Validated"] {
        let unasked = Observed { tables: vec![table(state)], ..observed(60, 0.0, 0.0) };
        assert!(wanted(&asked, &unasked, &almost, 60).unwrap().passed, "{state}");
    }
    let no_tables = Observed { tables: vec![], ..observed(60, 0.0, 0.0) };
    assert!(wanted(&asked, &no_tables, &almost, 60).unwrap().passed);
}

#[test]
fn tables_that_are_being_loaded_hold_the_gate_and_the_drain_and_no_reading_counts_meanwhile() {
    let almost = Tally { passed_in_row: 2, newest: Some(-60), lag_seconds: Some(0.0), ..Tally::default() };
    let database = Database { require_validated_tables: false, ..database() };
    for mode in [Mode::Gate, Mode::Drain] {
        let asked = Wanted { mode, database: &database, verifies_quiesce: false };
        for state in ["Before load", "Full load", "Table is being reloaded"] {
            let mut seen = observed(60, 0.0, 0.0);
            seen.tables[0].state = state.to_owned();
            let decision = wanted(&asked, &seen, &almost, 60).unwrap();
            assert_eq!((decision.passed, decision.verdict), (false, Verdict::Inconclusive), "{state}");
            assert_eq!(decision.tally.passed_in_row, 0, "it says nothing of the table");
            let expected = format!("not loaded yet: public.orders ({state})");
            assert!(decision.seen.ends_with(&expected), "{}", decision.seen);
            let error = wanted(&asked, &seen, &almost, 1800).unwrap_err();
            assert!(error.message.contains(&expected), "{}", error.message);
            seen.tables[0].state = "Table completed".to_owned();
            assert!(wanted(&asked, &seen, &almost, 60).unwrap().passed, "{state}");
        }
    }
}

#[test]
fn a_backlog_that_stays_is_no_sign_of_writers() {
    let database = database();
    let asked = Wanted { mode: Mode::Drain, database: &database, verifies_quiesce: true };
    for on_its_way in [0, 1, 2] {
        let (mut tally, mut minute) = (Tally::default(), 0);
        let error = loop {
            let mut seen = observed(60, 2.0, 0.0);
            seen.metrics.backlog[on_its_way] = Series::from([(NOW - 60, 7.0)]);
            match wanted(&asked, &seen, &tally, 60 * minute) {
                Ok(decision) => (tally, minute) = (decision.tally, minute + 1),
                Err(error) => break error.message,
            }
        };
        assert_eq!(minute, 30, "{error}");
        assert!(!error.contains("Writers went round"), "{error}");
        let expected = "has not run dry within 30m: the replication is 2 s behind (at most 5s is allowed); 7 changes wait, and none \
                        may; the writers have stopped: no new change comes in";
        assert!(error.contains(expected) && error.contains("Something keeps these changes"), "{error}");
    }
}

#[test]
fn a_metric_that_is_missing_is_named_and_the_lag_that_came_is_told() {
    let without = |change: fn(&mut Metrics)| {
        let mut seen = observed(60, 2.0, 0.0);
        change(&mut seen.metrics);
        seen
    };
    let told = |mode, seen: &Observed, elapsed| look(mode, seen, &Tally::default(), elapsed).unwrap();
    let no_incoming = without(|metrics| metrics.backlog[0].clear());
    let decision = told(Mode::Drain, &no_incoming, 600);
    assert_eq!((decision.verdict, decision.lag_seconds), (Verdict::Inconclusive, Some(2.0)));
    let expected = "the replication is 2 s behind (at most 5s is allowed); DMS has reported no CDCIncomingChanges in the last 3 \
                    minutes since the writers were told to stop";
    assert_eq!(decision.seen, expected);
    let error = look(Mode::Drain, &no_incoming, &Tally::default(), 1800).unwrap_err();
    assert_eq!(error.name, name::INCONCLUSIVE);
    assert!(error.message.contains(expected) && !error.message.contains("reported a lag"), "{}", error.message);
    let no_target = without(|metrics| metrics.target_latency.clear());
    let expected = "DMS has reported no CDCLatencyTarget in the last 3 minutes";
    assert_eq!(told(Mode::Gate, &no_target, 600).seen, expected);
    let two = without(|metrics| metrics.backlog[1..].iter_mut().for_each(Series::clear));
    assert!(told(Mode::Drain, &two, 600).seen.contains("no CDCChangesMemoryTarget and no CDCChangesDiskTarget in"));
    let apart = without(|metrics| metrics.backlog[0] = Series::from([(NOW - 120, 0.0)]));
    assert!(told(Mode::Drain, &apart, 600).seen.contains("DMS has reported no minute with all that is needed"));
}

#[test]
fn giving_up_tells_bad_data_from_no_data() {
    let error = look(Mode::Gate, &observed(60, 75.0, 0.0), &Tally::default(), 1800).unwrap_err();
    assert_eq!(error.name, name::UNHEALTHY);
    assert!(error.message.contains("the last lag was 75 s"), "{}", error.message);
    assert!(error.message.contains("has not caught up within 30m"), "{}", error.message);
    assert!(error.message.starts_with("the replication task arn:aws:dms:"), "{}", error.message);
    let silent = Observed { metrics: Metrics::default(), ..observed(60, 0.0, 0.0) };
    assert_eq!(look(Mode::Gate, &silent, &Tally::default(), 1800).unwrap_err().name, name::INCONCLUSIVE);
    assert!(look(Mode::Gate, &silent, &Tally::default(), 1799).is_ok());
    let almost = Tally { passed_in_row: 2, newest: Some(-60), lag_seconds: Some(0.0), ..Tally::default() };
    assert!(look(Mode::Gate, &observed(60, 0.0, 0.0), &almost, 1800).unwrap().passed, "in time, at the last look");
}
