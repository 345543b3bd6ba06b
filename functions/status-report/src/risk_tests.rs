use super::*;

fn well() -> Signs {
    Signs { look: Some(Look { healthy: 3, ..Look::default() }), false_alarm: Some(0.01), ..Signs::default() }
}

fn level(signs: Signs) -> Level {
    risk(&signs).level
}

fn budget(used: f64, p_value: Option<f64>) -> Vec<Budget> {
    vec![Budget { name: "5xx".to_owned(), used, p_value }]
}

fn lag(samples: &[f64]) -> Option<Lag> {
    Some(Lag { samples: samples.to_vec(), most_seconds: 60.0 })
}

/// Each row of the table, and the nearest thing that does not show.
#[test]
fn each_sign_shows_at_its_level() {
    let look = |look: Look| Signs { look: Some(Look { healthy: 1, ..look }), ..well() };
    let rows: [(&str, Signs, Level); 35] = [
        ("well", well(), Level::Low),
        ("stuck", Signs { is_stuck: true, ..well() }, Level::Critical),
        ("held", Signs { is_held: true, ..well() }, Level::Critical),
        ("going back", Signs { is_going_back: true, ..well() }, Level::High),
        ("decision", Signs { asked: Some(Asked::Decision), ..well() }, Level::High),
        ("load test", Signs { asked: Some(Asked::LoadTest), ..well() }, Level::Medium),
        ("approval", Signs { asked: Some(Asked::Approval), ..well() }, Level::Medium),
        ("paused", Signs { is_paused: true, ..well() }, Level::Medium),
        (
            "line stopped",
            Signs { held_by_line: Some("the line is stopped by \"Ada\"".to_owned()), ..well() },
            Level::Medium,
        ),
        ("no way back", Signs { has_no_way_back: true, ..well() }, Level::Medium),
        ("unhealthy", look(Look { unhealthy: 1, ..Look::default() }), Level::High),
        ("too little", look(Look { too_little: 1, ..Look::default() }), Level::Medium),
        ("no data", look(Look { without_data: 1, ..Look::default() }), Level::Medium),
        ("no data in a row", Signs { no_data_in_row: Some((5, 10)), ..well() }, Level::High),
        ("some without", Signs { no_data_in_row: Some((4, 10)), ..well() }, Level::Low),
        ("none without", Signs { no_data_in_row: Some((0, 0)), ..well() }, Level::Low),
        ("half the budget", Signs { budgets: budget(0.5, None), ..well() }, Level::Medium),
        ("less", Signs { budgets: budget(0.49, None), ..well() }, Level::Low),
        ("near to certain", Signs { budgets: budget(0.0, Some(0.1)), ..well() }, Level::High),
        ("leans", Signs { budgets: budget(0.0, Some(0.2)), ..well() }, Level::Medium),
        ("does not lean", Signs { budgets: budget(0.0, Some(0.21)), ..well() }, Level::Low),
        ("behind", Signs { lag: lag(&[61.0, 61.0, 61.0]), ..well() }, Level::High),
        ("behind and falling", Signs { lag: lag(&[90.0, 80.0, 61.0]), ..well() }, Level::Low),
        ("rising", Signs { lag: lag(&[1.0, 2.0, 3.0]), ..well() }, Level::Medium),
        ("two samples", Signs { lag: lag(&[1.0, 90.0]), ..well() }, Level::Low),
        ("steady", Signs { lag: lag(&[3.0, 3.0, 3.0]), ..well() }, Level::Low),
        ("decided", Signs { decisions: 1, ..well() }, Level::Medium),
        ("rolled back before", Signs { rollbacks_before: 1, ..well() }, Level::Medium),
        ("many retries", Signs { retries: 5, ..well() }, Level::Medium),
        ("some retries", Signs { retries: 4, ..well() }, Level::Low),
        ("no time", Signs { time: Some((99, 100)), ..well() }, Level::Critical),
        ("deadline near", Signs { time: Some((109, 100)), ..well() }, Level::High),
        ("little time", Signs { time: Some((149, 100)), ..well() }, Level::Medium),
        ("time", Signs { time: Some((150, 100)), ..well() }, Level::Low),
        ("past the deadline", Signs { time: Some((-5, 0)), ..well() }, Level::Critical),
    ];
    for (name, signs, expected) in rows {
        let made = risk(&signs);
        assert_eq!(made.level, expected, "{name}: {made:?}");
        assert_eq!(made.reasons.first().map(|reason| reason.level), Some(expected), "{name}: the worst comes first");
        assert!(made.reasons.iter().all(|reason| !reason.text.is_empty()), "{name}");
    }
}

#[test]
fn no_data_is_never_low() {
    let nothing = risk(&Signs::default());
    assert_eq!(nothing.level, Level::Unknown);
    assert!(nothing.reasons[0].text.contains("no look at the new side"), "{nothing:?}");
    assert_eq!(level(Signs { look: Some(Look::default()), ..Signs::default() }), Level::Unknown);
    let ended = |healthy| Signs { last_of_run: Some(Look { healthy, ..Look::default() }), ..Signs::default() };
    assert_eq!((level(ended(0)), level(ended(1))), (Level::Unknown, Level::Low));
    let not_known = vec!["lag".to_owned()];
    let told = risk(&Signs { not_known: not_known.clone(), ..well() });
    assert_eq!((told.level, told.not_known), (Level::Low, not_known));
}

#[test]
fn the_level_is_the_worst_of_all_and_every_reason_is_told() {
    let made = risk(&Signs { is_paused: true, is_going_back: true, decisions: 2, ..well() });
    let levels: Vec<Level> = made.reasons.iter().map(|reason| reason.level).collect();
    assert_eq!((made.level, levels), (Level::High, vec![Level::High, Level::Medium, Level::Medium]));
}

#[test]
fn names_that_others_chose_are_quoted() {
    let name = "x\"\n<b>".to_owned();
    let made = risk(&Signs { budgets: vec![Budget { name, used: 0.9, p_value: None }], ..well() });
    assert_eq!(made.reasons[0].text, "\"x'\\u{a}<b>\" is at 90 % of its limit");
}
