//! Of [`super`].

use cutover::plan::{GroupHealth, ListenerRoute, Route, Step};

use super::*;

fn check(verdict: Verdict, is_early: bool) -> Check {
    Check { is_early, ..Check::new("5xx rate", verdict, "0.5") }
}

fn look(letter: char, tally: &Tally) -> StepResult<Decision> {
    let check = match letter {
        'h' => check(Verdict::Healthy, false),
        'u' => check(Verdict::Unhealthy, false),
        'i' => check(Verdict::Inconclusive, false),
        'w' => check(Verdict::Inconclusive, true),
        _ => check(Verdict::Error, false),
    };
    let hold = Hold { hold_seconds: 0, elapsed_seconds: 0, paused: false };
    decide(&Monitoring::default(), hold, &[check], tally)
}

/// What a row of looks comes to: the name of the error, or whether the last look ended the step. The limits are
/// the plan's defaults: 2 unhealthy, 3 without data.
fn looks(letters: &str) -> Result<bool, &'static str> {
    let (mut tally, mut done) = (Tally::default(), false);
    for letter in letters.chars() {
        let decision = look(letter, &tally).map_err(|error| error.name)?;
        (tally, done) = (decision.tally, decision.done);
    }
    Ok(done)
}

#[test]
fn limits_count_looks_in_a_row() {
    for (letters, expected) in [
        ("h", Ok(true)),
        ("u", Ok(false)),
        ("uh", Ok(true)),
        ("uhu", Ok(false)),
        ("uu", Err(name::UNHEALTHY)),
        ("uiu", Err(name::UNHEALTHY)),
        ("ii", Ok(false)),
        ("iie", Err(name::INCONCLUSIVE)),
        ("eee", Err(name::INCONCLUSIVE)),
        ("iihii", Ok(false)),
        ("wwwwww", Ok(false)),
        ("wwwwh", Ok(true)),
        ("wwiwiwi", Err(name::INCONCLUSIVE)),
    ] {
        assert_eq!(looks(letters), expected, "{letters}");
    }
}

#[test]
fn a_share_beside_its_weight_is_not_told_as_missing_data() {
    let told = |name: &str| {
        let check = Check::new(name, Verdict::Inconclusive, "50.0 % of 500 requests on the new side, weight 10 %");
        let tally = Tally { no_data_in_row: 2, ..Tally::default() };
        let hold = Hold { hold_seconds: 0, elapsed_seconds: 0, paused: false };
        decide(&Monitoring::default(), hold, &[check], &tally).unwrap_err().message
    };
    let share = told(&share::title_of("listener f2f7 of shop"));
    assert!(share.starts_with("3 checks in a row from which nothing can be told: share of listener"), "{share}");
    assert!(told("5xx").starts_with("3 checks in a row without data: 5xx: "));
}

#[test]
fn one_bad_check_among_good_ones_is_named_with_its_value() {
    let gone =
        Check { name: "alarm gone".to_owned(), seen: "does not exist".to_owned(), ..check(Verdict::Error, false) };
    let checks = [check(Verdict::Healthy, false), check(Verdict::Unhealthy, false), gone];
    let hold = Hold { hold_seconds: 0, elapsed_seconds: 0, paused: false };
    let tally = Tally { unhealthy_in_row: 1, ..Tally::default() };
    let error = decide(&Monitoring::default(), hold, &checks, &tally).unwrap_err();
    assert_eq!(error.message, "2 unhealthy checks in a row: 5xx rate: 0.5; alarm gone: does not exist");
}

#[test]
fn warming_up_does_not_excuse_an_alarm_without_data() {
    let checks = [check(Verdict::Inconclusive, true), check(Verdict::Inconclusive, false)];
    let hold = Hold { hold_seconds: 0, elapsed_seconds: 0, paused: false };
    let decision = decide(&Monitoring::default(), hold, &checks, &Tally::default()).unwrap();
    assert_eq!((decision.tally.no_data_in_row, decision.done), (1, false));
}

#[test]
fn a_step_holds_exactly_its_hold() {
    let monitoring = Monitoring { interval: Seconds(60), ..Monitoring::default() };
    for (hold_seconds, expected) in [(0, vec![]), (30, vec![30]), (60, vec![60]), (150, vec![60, 60, 30])] {
        let (mut elapsed_seconds, mut waits) = (0, vec![]);
        loop {
            let hold = Hold { hold_seconds, elapsed_seconds, paused: false };
            let decision = decide(&monitoring, hold, &[], &Tally::default()).unwrap();
            if decision.done {
                break;
            }
            waits.push(decision.wait_seconds);
            elapsed_seconds += decision.wait_seconds;
        }
        assert_eq!(waits, expected, "{hold_seconds}");
    }
}

fn of_a_test(verdict: Verdict) -> Check {
    let test = crate::Seen {
        bad: 0,
        all: 10,
        old_bad: None,
        old_all: None,
        limit: 0.01,
        p_value: 1.0,
        needs: Some(600),
        has: Some(10),
    };
    Check { test: Some(test), ..Check::new("rate", verdict, "0 of 10 requests failed") }
}

/// A plan with one sequential test, and what else it says.
fn monitoring(says: serde_json::Value) -> Monitoring {
    let mut plan = serde_json::json!({ "metrics": [{ "name": "rate", "namespace": "n", "metric_name": "m", "statistic": "Sum",
        "divide_by": { "metric_name": "d" }, "comparison": "greater_than", "threshold": 0.01 }] });
    plan.as_object_mut().unwrap().extend(says.as_object().unwrap().clone());
    serde_json::from_value(plan).unwrap()
}

/// Whether the step is over after so many seconds of a hold of ten minutes, or what the error says.
fn over(monitoring: &Monitoring, check: Check, elapsed_seconds: u64) -> Result<bool, String> {
    let hold = Hold { hold_seconds: 600, elapsed_seconds, paused: false };
    decide(monitoring, hold, &[check], &Tally::default()).map(|decision| decision.done).map_err(|error| error.message)
}

#[test]
fn what_is_certain_turns_back_at_once() {
    let certain = Check { is_final: true, ..Check::new("rate", Verdict::Unhealthy, "22 of 1,300 requests failed") };
    let monitoring = Monitoring { failure_limit: 100, ..Monitoring::default() };
    let hold = Hold { hold_seconds: 600, elapsed_seconds: 60, paused: true };
    let checks = [check(Verdict::Inconclusive, false), certain];
    let error = decide(&monitoring, hold, &checks, &Tally::default()).unwrap_err();
    assert_eq!(
        (error.name, error.message.as_str()),
        (name::UNHEALTHY, "trouble for certain: rate: 22 of 1,300 requests failed")
    );
}

#[test]
fn too_little_data_goes_on_holds_or_turns_back_as_the_plan_says() {
    let too_little = || of_a_test(Verdict::TooLittleData);
    let go_on = monitoring(serde_json::json!({}));
    assert_eq!([599, 600].map(|at| over(&go_on, too_little(), at)), [Ok(false), Ok(true)]);
    let hold = monitoring(serde_json::json!({ "too_little_data": "hold", "hold_longer_at_most": 120 }));
    assert_eq!([600, 719].map(|at| over(&hold, too_little(), at)), [Ok(false), Ok(false)]);
    let told = "too little data after a hold of 12m: rate: 0 of 10 requests failed";
    assert_eq!(over(&hold, too_little(), 720), Err(told.to_owned()));
    let roll_back = monitoring(serde_json::json!({ "too_little_data": "roll_back" }));
    assert_eq!(over(&roll_back, too_little(), 599), Ok(false));
    assert!(over(&roll_back, too_little(), 600).is_err());
    for plan in [go_on, hold, roll_back] {
        assert_eq!(
            over(&plan, Check::new("rate", Verdict::Inconclusive, "no value"), 600),
            Ok(false),
            "no data goes nowhere"
        );
    }
}

#[test]
fn a_look_with_too_little_data_ends_a_row() {
    let row = Tally { unhealthy_in_row: 1, no_data_in_row: 2, ..Tally::default() };
    let hold = Hold { hold_seconds: 600, elapsed_seconds: 0, paused: false };
    let checks = [of_a_test(Verdict::TooLittleData)];
    let tally = decide(&Monitoring::default(), hold, &checks, &row).unwrap().tally;
    assert_eq!((tally.unhealthy_in_row, tally.no_data_in_row, tally.too_little_data), (0, 0, 1));
}

#[test]
fn a_step_ends_early_only_where_the_plan_lets_it_and_every_test_is_certain() {
    let early = monitoring(serde_json::json!({ "early_end": true, "minimum_hold": 300 }));
    let certain = || of_a_test(Verdict::Healthy);
    assert_eq!([299, 300].map(|at| over(&early, certain(), at)), [Ok(false), Ok(true)]);
    assert_eq!(over(&early, of_a_test(Verdict::TooLittleData), 500), Ok(false));
    assert_eq!(
        over(&early, Check::new("rate", Verdict::Healthy, "no value, which the plan calls healthy"), 500),
        Ok(false)
    );
    assert_eq!(over(&monitoring(serde_json::json!({})), certain(), 599), Ok(false));
}

#[test]
fn counts_stop_at_their_limit() {
    let most = Tally { checks: u32::MAX, healthy: u32::MAX, ..Tally::default() };
    let hold = Hold { hold_seconds: 0, elapsed_seconds: u64::MAX, paused: false };
    assert_eq!(decide(&Monitoring::default(), hold, &[], &most).unwrap().tally, most);
}

#[test]
fn a_paused_step_is_not_over() {
    let hold = Hold { hold_seconds: 60, elapsed_seconds: 600, paused: true };
    let decision = decide(&Monitoring::default(), hold, &[], &Tally::default()).unwrap();
    assert_eq!((decision.done, decision.wait_seconds), (false, 60));
}

#[test]
fn target_groups_are_compared_exactly() {
    assert_eq!(group("g", (1, 3), 50).verdict, Verdict::Unhealthy);
    assert_eq!(group("g", (4, 5), 80).verdict, Verdict::Healthy);
    assert_eq!(group("g", (0, 0), 1).verdict, Verdict::Unhealthy);
}

#[test]
fn routes_move_one_after_the_other() {
    assert_eq!([0, 1, 2].map(|index| percent_of(index, 1, 25)), [100, 25, 0]);
}

#[test]
fn the_new_groups_are_watched_once_they_have_traffic() {
    let route = |group: &str| {
        Route::Listener(ListenerRoute {
            listener_arn: Some("l".to_owned()),
            rule_arn: None,
            old_target_group_arn: "old".to_owned(),
            new_target_group_arn: group.to_owned(),
            min_healthy_percent: 70,
            group_stickiness: None,
            steps: vec![Step { new_weight: 100, hold: Seconds(0) }],
        })
    };
    let watched = GroupHealth { target_group_arn: "one".to_owned(), min_healthy_percent: 50 };
    let plan = Plan {
        application: "a".to_owned(),
        wave: None,
        mode: cutover::plan::Mode::Execute,
        health_check: None,
        database: None,
        routes: vec![route("one"), route("two")],
        leaves_behind: Vec::new(),
        load_test: None,
        baseline: cutover::plan::Baseline::default(),
        validation: cutover::plan::Validation::default(),
        monitoring: Monitoring { target_groups: vec![watched], ..Monitoring::default() },
        hooks: cutover::plan::Hooks::default(),
        alarms: vec![],
        notify: None,
        stakeholders: cutover::plan::Stakeholders::default(),
        approval: None,
        cleanup: cutover::plan::Cleanup::default(),
        timeout: Seconds::hours(12),
    };
    assert_eq!(groups(&plan, 0, 0), BTreeMap::from([("one", 50)]));
    assert_eq!(groups(&plan, 0, 10), BTreeMap::from([("one", 70)]));
    assert_eq!(groups(&plan, 1, 0), BTreeMap::from([("one", 70)]));
    assert_eq!(groups(&plan, 1, 10), BTreeMap::from([("one", 70), ("two", 70)]));
}
