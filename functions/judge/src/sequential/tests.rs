//! Of [`super`].

use super::*;

const RULE: Rule = Rule { limit: 0.01, false_alarm: 0.01, dispersion: 1.0, is_compared: false };

fn period(minute: i64, bad: u64, all: u64) -> Period {
    Period { start: minute * 60, new: Counts { bad, all }, old: Counts::default(), is_of_step: true }
}

fn counted(rule: &Rule, periods: &[Period]) -> Test {
    let mut test = Test::default();
    for period in periods {
        test.count(rule, period);
    }
    test
}

#[test]
fn the_evidence_is_what_the_formula_says() {
    let test = counted(&RULE, &[period(0, 3, 100)]);
    let of = |g: f64| (g / 0.01_f64).powi(3) * ((1.0 - g) / 0.99_f64).powi(97);
    let mean = ABOVE.iter().map(|times| of(times * 0.01)).sum::<f64>() / 8.0;
    let expected = 0.5 * mean + 0.5;
    assert!((test.p_value() - 1.0 / expected).abs() < 1e-5, "{} {expected}", test.p_value());
}

#[test]
fn evidence_starts_again_at_every_look() {
    // By hand: three looks, with starts of 1/2, 1/4, 1/12, and 1/6 still to come.
    let looks = [period(0, 0, 50), period(1, 1, 50), period(2, 5, 50)];
    let test = counted(&RULE, &looks);
    let of = |g: f64, look: &Period| RULE.likelier(g, look.new).exp();
    let mean = RULE.above().into_iter().map(|g| {
        let [a, b, c] = [0, 1, 2].map(|index| of(g, &looks[index]));
        a * b * c / 2.0 + b * c / 4.0 + c / 12.0
    });
    let expected = mean.sum::<f64>() / 8.0 + 1.0 / 6.0;
    assert!((test.most - expected.ln()).abs() < 1e-4, "{} {}", test.most, expected.ln());
}

#[test]
fn all_starts_together_are_one() {
    for looks in [1_u32, 2, 10, 100] {
        let begun: f64 = (1..=looks).map(f64::from).map(|t| if t == 1.0 { 0.5 } else { 0.5 / (t * (t - 1.0)) }).sum();
        assert!((begun + 0.5 / f64::from(looks) - 1.0).abs() < 1e-12, "{looks}");
    }
}

#[test]
fn half_of_all_requests_failing_is_trouble_at_once_also_after_an_hour_of_health() {
    assert_eq!(counted(&RULE, &[period(0, 10, 20)]).says(&RULE), Says::Trouble);
    for a_minute in [20, 200, 2_000, 200_000] {
        let mut periods: Vec<Period> = (0..60).map(|minute| period(minute, a_minute / 1_000, a_minute)).collect();
        assert_ne!(counted(&RULE, &periods).says(&RULE), Says::Trouble, "{a_minute}");
        periods.extend([period(60, a_minute / 2, a_minute), period(61, a_minute / 2, a_minute)]);
        assert_eq!(counted(&RULE, &periods).says(&RULE), Says::Trouble, "{a_minute}");
    }
}

#[test]
fn trouble_stays_trouble() {
    let mut test = counted(&RULE, &[period(0, 10, 20)]);
    for minute in 1..100 {
        test.count(&RULE, &period(minute, 0, 10_000));
    }
    assert_eq!(test.says(&RULE), Says::Trouble);
}

#[test]
fn a_period_counts_once_and_in_its_order() {
    let mut test = counted(&RULE, &[period(0, 1, 100), period(1, 0, 100)]);
    let before = test.clone();
    for late in [period(1, 0, 100), period(1, 50, 100), period(0, 100, 100), period(-5, 7, 7)] {
        assert!(!test.count(&RULE, &late));
        assert_eq!(test, before);
    }
    assert!(test.count(&RULE, &period(3, 2, 100)));
    assert!(!test.count(&RULE, &period(2, 100, 100)), "passed over: a later one was there already");
    assert_eq!((test.new_side(), test.counted_until()), (Counts { bad: 3, all: 300 }, Some(180)));
}

#[test]
fn no_requests_are_no_evidence_of_anything() {
    let test = counted(&RULE, &(0..1_000).map(|minute| period(minute, 0, 0)).collect::<Vec<_>>());
    assert_eq!((test.says(&RULE), test.p_value(), test.looks), (Says::Nothing, 1.0, 0));
}

#[test]
fn health_is_of_one_step() {
    let mut test = Test::default();
    test.enter([0, 1]);
    test.count(&RULE, &period(0, 0, 2_000));
    assert_eq!(test.says(&RULE), Says::Health);
    test.enter([0, 1]);
    assert_eq!(test.says(&RULE), Says::Health);
    test.enter([0, 2]);
    assert_eq!((test.says(&RULE), test.in_step()), (Says::Nothing, Counts::default()));
    test.count(&RULE, &Period { is_of_step: false, ..period(1, 0, 2_000) });
    assert_eq!(test.says(&RULE), Says::Nothing, "it is of the step before");
    test.count(&RULE, &period(2, 0, 2_000));
    assert_eq!((test.says(&RULE), test.new_side().all), (Says::Health, 6_000));
}

#[test]
fn trouble_on_both_sides_alike_is_no_trouble_of_the_new_one() {
    let rule = Rule { is_compared: true, ..RULE };
    let alike = |minute| Period { old: Counts { bad: 50, all: 100 }, ..period(minute, 50, 100) };
    let test = counted(&rule, &(0..100).map(alike).collect::<Vec<_>>());
    assert_eq!(test.says(&rule), Says::Nothing);
    let worse = |minute| Period { old: Counts { bad: 0, all: 100 }, ..period(minute, 10, 100) };
    assert_eq!(counted(&rule, &[worse(0), worse(1)]).says(&rule), Says::Trouble);
    let alone = |minute| period(minute, 50, 100);
    let test = counted(&rule, &(0..100).map(alone).collect::<Vec<_>>());
    assert_eq!(test.p_value(), 1.0, "with nobody to compare with nothing can be told");
}

#[test]
fn any_limit_has_an_alternative() {
    for limit in [1e-6, 0.01, 0.5, 0.75, 0.95] {
        let rule = Rule { limit, ..RULE };
        assert!(rule.above().iter().all(|share| *share > limit && *share < 1.0), "{limit}");
        assert_eq!(counted(&rule, &[period(0, 5_000, 5_000)]).says(&rule), Says::Trouble, "{limit}");
    }
}

#[test]
fn several_tests_share_what_all_may_be_wrong() {
    assert_eq!([shared(0.01, 4), shared(0.01, 0)], [0.0025, 0.01]);
}
