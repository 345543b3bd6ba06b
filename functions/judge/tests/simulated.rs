//! How often the tests are wrong, and how soon they are right: simulated runs with a fixed seed.
//!
//! A run is looked at each minute: 10, 25, 50 and 75 % of the requests on the new side, for 15, 15, 30 and 30 looks. Requests come by chance (Poisson),
//! and each fails by chance, or a whole cluster of five does. The table of 20,000 runs:
//!
//!     cargo test -p judge --release --test simulated -- --ignored --nocapture

use judge::Counts;
use judge::interval;
use judge::sequential::{Period, Rule, Says, Test, shared};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand_distr::{Binomial, Distribution, Exp, Poisson};

/// So many runs in a test.
const RUNS: u32 = 2_000;
/// The new side's share at each look.
const STEPS: [(f64, usize); 4] = [(0.1, 15), (0.25, 15), (0.5, 30), (0.75, 30)];
/// Requests a minute, on both sides together.
const RATES: [f64; 3] = [20.0, 200.0, 2_000.0];

/// What is true of a run.
#[derive(Clone, Copy, Debug)]
struct Truth {
    /// Requests a minute, on both sides together.
    rate: f64,
    /// The share that fails on the old and on the new side.
    shares: [f64; 2],
    /// How many fail at once.
    cluster: u64,
}

fn against_limit() -> Rule {
    Rule { limit: 0.01, false_alarm: 0.01, dispersion: 1.0, is_compared: false }
}

fn compared() -> Rule {
    Rule { is_compared: true, ..against_limit() }
}

fn side(random: &mut SmallRng, rate: f64, share: f64, cluster: u64) -> Counts {
    let all = Poisson::new(rate).map_or(0.0, |poisson| poisson.sample(random)) as u64;
    let clusters = Binomial::new(all / cluster, share).map_or(0, |binomial| binomial.sample(random));
    Counts { bad: clusters * cluster, all }
}

/// At which look, counted from 1, a run is turned back.
fn turned_back_at(rule: &Rule, truth: Truth, random: &mut SmallRng) -> Option<usize> {
    let mut test = Test::default();
    let shares = STEPS.iter().flat_map(|(share, looks)| std::iter::repeat_n(*share, *looks));
    for (look, share) in shares.enumerate() {
        let new = side(random, truth.rate * share, truth.shares[1], truth.cluster);
        let old = side(random, truth.rate * (1.0 - share), truth.shares[0], truth.cluster);
        test.count(rule, &Period { start: 60 * look as i64, new, old, is_of_step: true });
        if test.says(rule) == Says::Trouble {
            return Some(look + 1);
        }
    }
    None
}

/// The share of runs that are turned back, in percent, and at which look the median of these is.
fn turned_back(runs: u32, rule: &Rule, truth: Truth) -> (f64, usize) {
    let mut random = SmallRng::seed_from_u64(20_261_126);
    let mut looks: Vec<usize> = (0..runs).filter_map(|_| turned_back_at(rule, truth, &mut random)).collect();
    looks.sort_unstable();
    (100.0 * looks.len() as f64 / f64::from(runs), looks.get(looks.len() / 2).copied().unwrap_or(0))
}

fn truth(rate: f64, old: f64, new: f64) -> Truth {
    Truth { rate, shares: [old, new], cluster: 1 }
}

#[test]
fn a_side_that_is_no_worse_is_turned_back_in_one_percent_of_runs_at_the_most() {
    for rate in RATES {
        for share in [0.005, 0.01] {
            let (percent, _) = turned_back(RUNS, &against_limit(), truth(rate, share, share));
            assert!(percent <= 1.0, "limit, {rate} a minute, {share}: {percent} %");
        }
        for share in [0.01, 0.3] {
            let (percent, _) = turned_back(RUNS, &compared(), truth(rate, share, share));
            assert!(percent <= 1.0, "compared, {rate} a minute, {share}: {percent} %");
        }
    }
}

#[test]
fn clustered_errors_are_no_alarm_where_the_dispersion_is_known_and_are_where_it_is_not() {
    for rate in RATES {
        for rule in [against_limit(), compared()] {
            let clustered = Truth { cluster: 5, ..truth(rate, 0.01, 0.01) };
            let (percent, _) = turned_back(RUNS, &Rule { dispersion: 5.0, ..rule }, clustered);
            assert!(percent <= 1.0, "{rate} a minute, {rule:?}: {percent} %");
        }
    }
    let clustered = Truth { cluster: 5, ..truth(2_000.0, 0.01, 0.01) };
    let (percent, _) = turned_back(RUNS, &compared(), clustered);
    assert!(percent > 5.0, "the simulation has no clusters: {percent} %");
}

#[test]
fn several_tests_that_share_the_alarm_are_wrong_no_more_often() {
    let rule = Rule { false_alarm: shared(0.01, 3), ..against_limit() };
    let mut random = SmallRng::seed_from_u64(7);
    let at_limit = truth(200.0, 0.01, 0.01);
    let any = (0..RUNS).filter(|_| (0..3).any(|_| turned_back_at(&rule, at_limit, &mut random).is_some())).count();
    assert!(any <= RUNS as usize / 100, "{any} of {RUNS}");
}

#[test]
fn health_is_certain_of_a_side_that_is_worse_in_one_percent_of_steps_at_the_most() {
    let rule = against_limit();
    let mut random = SmallRng::seed_from_u64(11);
    for rate in RATES {
        let sure = (0..RUNS).filter(|_| {
            let mut test = Test::default();
            (0..60).any(|look| {
                let new = side(&mut random, rate, 0.01, 1);
                test.count(&rule, &Period { start: 60 * look, new, old: Counts::default(), is_of_step: true });
                test.says(&rule) == Says::Health
            })
        });
        let sure = sure.count();
        assert!(sure <= RUNS as usize / 100, "{rate} a minute: {sure} of {RUNS}");
    }
}

#[test]
fn half_of_all_requests_failing_is_seen_by_the_second_look_from_20_requests_a_minute_on() {
    let rule = against_limit();
    let mut random = SmallRng::seed_from_u64(3);
    for rate in [20.0, 200.0, 2_000.0] {
        let late = (0..RUNS).filter(|_| {
            let mut test = Test::default();
            for look in 0..2 {
                let new = side(&mut random, rate, 0.5, 1);
                test.count(&rule, &Period { start: 60 * look, new, old: Counts::default(), is_of_step: true });
            }
            test.says(&rule) != Says::Trouble
        });
        assert_eq!(late.count(), 0, "{rate} a minute on the new side");
    }
}

#[test]
fn four_times_the_errors_are_seen_within_five_looks_at_2_000_a_minute() {
    for rule in [Rule { limit: 0.005, ..against_limit() }, compared()] {
        let (percent, look) = turned_back(RUNS, &rule, truth(2_000.0, 0.005, 0.02));
        assert!(percent == 100.0 && look <= 5, "{rule:?}: {percent} %, {look}");
    }
}

#[test]
fn what_breaks_after_an_hour_is_seen_as_soon_as_what_breaks_at_once() {
    let rule = against_limit();
    let mut random = SmallRng::seed_from_u64(5);
    for (rate, share, most) in [(200.0, 0.5, 1), (2_000.0, 0.5, 1), (2_000.0, 0.04, 2), (200.0, 0.1, 3)] {
        for _ in 0..RUNS / 10 {
            let mut test = Test::default();
            let turned = (0..60 + most).position(|look| {
                let new = side(&mut random, rate, if look < 60 { 0.002 } else { share }, 1);
                test.count(&rule, &Period { start: 60 * look, new, old: Counts::default(), is_of_step: true });
                test.says(&rule) == Says::Trouble
            });
            assert!(turned.is_some_and(|look| look >= 60), "{rate} a minute, {share}: {turned:?}");
        }
    }
}

/// Numbers by chance with the quantile that is asked for.
fn exponential(random: &mut SmallRng, n: usize) -> Vec<f64> {
    let mut values: Vec<f64> = (0..n).map(|_| Exp::new(1.0).map_or(0.0, |exp| exp.sample(random))).collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

#[test]
fn intervals_cover_what_is_true() {
    let mut random = SmallRng::seed_from_u64(1);
    for (all, share) in [(20, 0.05), (300, 0.01), (300, 0.5), (5_000, 0.002)] {
        let binomial = Binomial::new(all, share).unwrap();
        let covered = (0..10_000).filter(|_| {
            let (low, high) = interval::share(Counts { bad: binomial.sample(&mut random), all }, 0.95);
            low <= share && share <= high
        });
        let covered = covered.count();
        assert!(covered >= 9_450, "{all} {share}: {covered}");
    }
    for (n, quantile) in [(60, 0.5), (200, 0.9), (400, 0.95)] {
        let (low, high) = interval::ranks(n, quantile, 0.95).unwrap();
        let truth = -(1.0 - quantile).ln();
        let covered = (0..10_000).filter(|_| {
            let values = exponential(&mut random, n as usize);
            values[low as usize - 1] <= truth && truth <= values[high as usize - 1]
        });
        let covered = covered.count();
        assert!(covered >= 9_450, "{n} {quantile}: {covered}");
    }
}

/// What is true, by which rule, and the truth at a rate.
type Row = (&'static str, Rule, fn(f64) -> Truth);

#[test]
#[ignore = "prints the table of the README: 20,000 runs of each"]
fn table() {
    let rows: [Row; 13] = [
        ("limit 1 %: 0.5 %", against_limit(), |rate| truth(rate, 0.005, 0.005)),
        ("limit 1 %: 1 %", against_limit(), |rate| truth(rate, 0.01, 0.01)),
        ("limit 1 %: 1 %, in clusters of 5, dispersion 5", Rule { dispersion: 5.0, ..against_limit() }, |rate| Truth {
            cluster: 5,
            ..truth(rate, 0.01, 0.01)
        }),
        ("limit 1 %: 1.5 %", against_limit(), |rate| truth(rate, 0.005, 0.015)),
        ("limit 1 %: 2 %", against_limit(), |rate| truth(rate, 0.005, 0.02)),
        ("limit 1 %: 5 %", against_limit(), |rate| truth(rate, 0.005, 0.05)),
        ("limit 1 %: 50 %", against_limit(), |rate| truth(rate, 0.001, 0.5)),
        ("old to new: both 0.5 %", compared(), |rate| truth(rate, 0.005, 0.005)),
        ("old to new: both 1 %, in clusters of 5, dispersion 5", Rule { dispersion: 5.0, ..compared() }, |rate| {
            Truth { cluster: 5, ..truth(rate, 0.01, 0.01) }
        }),
        ("old to new: the same, dispersion left at 1", compared(), |rate| Truth {
            cluster: 5,
            ..truth(rate, 0.01, 0.01)
        }),
        ("old to new: 0.5 to 1 %", compared(), |rate| truth(rate, 0.005, 0.01)),
        ("old to new: 0.5 to 2 %", compared(), |rate| truth(rate, 0.005, 0.02)),
        ("old to new: 0.1 to 50 %", compared(), |rate| truth(rate, 0.001, 0.5)),
    ];
    println!("| truth | 20 | 200 | 2,000 |\n|---|---|---|---|");
    for (what, rule, truth) in rows {
        let cells = RATES.map(|rate| {
            let (percent, look) = turned_back(20_000, &rule, truth(rate));
            if look == 0 { format!("{percent:.2} %") } else { format!("{percent:.2} %, {look}") }
        });
        println!("| {what} | {} |", cells.join(" | "));
    }
}
