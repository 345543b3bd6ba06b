//! The decisions on routes and checks with arbitrary values: what is written is the before-image or a planned state,
//! what is neither is somebody else's, and no data is never healthy.

use std::collections::BTreeMap;

use cutover::contract::RouteAction;
use cutover::error::name;
use cutover::plan::{
    Alias, DnsRoute, HealthChecks, ListenerRoute, Metric, Missing, RecordChange, RecordData, RecordType, Step,
};
use cutover::verdict::{Verdict, at_least_percent};
use cutover::{Seconds, StepResult};
use jiff::Timestamp;
use monitor::metrics::{Datapoints, Window};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use routes::listener::{Forward, ListenerState, Stickiness, WeightedGroup, pair};
use routes::name::{AliasTarget, NameState, PairChecks, RecordSet};

use super::hostile;
use crate::harness::{Test, synchronous};

const ACTIONS: [RouteAction; 4] =
    [RouteAction::Prepare, RouteAction::Shift, RouteAction::Finalise, RouteAction::Restore];

fn arn() -> impl Strategy<Value = String> {
    prop_oneof![8 => select(vec!["old", "new", "a", "b"]).prop_map(str::to_owned), 1 => hostile::text()]
}

/// Mostly weights that AWS has, of which few differ.
fn weight() -> impl Strategy<Value = i32> {
    prop_oneof![8 => select(vec![0, 1, 10, 50, 90, 100, 999]), 1 => any::<i32>()]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![4 => select(vec![0, 10, 50, 90, 100]), 1 => any::<u8>()];
    vec(step.prop_map(|new_weight| Step { new_weight, hold: Seconds(0) }), 0..4)
}

fn listener_state() -> impl Strategy<Value = ListenerState> {
    let group = (arn(), proptest::option::of(weight())).prop_map(|(arn, weight)| WeightedGroup { arn, weight });
    let sticky = (any::<bool>(), proptest::option::of(any::<i32>()))
        .prop_map(|(enabled, duration_seconds)| Stickiness { enabled, duration_seconds });
    let order = prop_oneof![4 => Just(None), 1 => any::<i32>().prop_map(Some)];
    let sticky = prop_oneof![4 => Just(None), 1 => sticky.prop_map(Some)];
    let others = prop_oneof![4 => Just(vec![]), 1 => vec(hostile::json_value(), 0..2)];
    (order, proptest::option::of(arn()), vec(group, 0..6), sticky, others).prop_map(
        |(order, target_group_arn, groups, stickiness, others)| ListenerState {
            forward: Forward { order, target_group_arn, groups, stickiness },
            others,
        },
    )
}

fn listener_route(steps: Vec<Step>) -> ListenerRoute {
    ListenerRoute {
        listener_arn: Some("listener".to_owned()),
        rule_arn: None,
        old_target_group_arn: "old".to_owned(),
        new_target_group_arn: "new".to_owned(),
        min_healthy_percent: 80,
        group_stickiness: None,
        steps,
    }
}

fn record() -> impl Strategy<Value = RecordSet> {
    let kind = select(vec!["A", "A", "A", "AAAA", "TXT"]).prop_map(str::to_owned);
    let identifier = select(vec!["blue", "green", "cutover-old", "cutover-new"]).prop_map(str::to_owned);
    let weight = prop_oneof![8 => weight().prop_map(i64::from), 1 => any::<i64>()];
    let ttl = prop_oneof![4 => Just(300), 1 => any::<i64>()];
    let value = prop_oneof![4 => select(vec!["1.2.3.4", "5.6.7.8"]).prop_map(str::to_owned), 1 => hostile::text()];
    let alias = Just(AliasTarget {
        dns_name: "x.example.com.".to_owned(),
        hosted_zone_id: "Z2".to_owned(),
        evaluate_target_health: true,
    });
    let option = proptest::option::of::<BoxedStrategy<String>>;
    let parts = (kind, option(identifier.boxed()), proptest::option::of(weight), proptest::option::of(ttl));
    let answers = (vec(value, 0..3), proptest::option::weighted(0.2, alias), option(Just("check".to_owned()).boxed()));
    (parts, answers).prop_map(|((record_type, set_identifier, weight, ttl), (values, alias, health_check_id))| {
        RecordSet { record_type, set_identifier, weight, ttl, values, alias, health_check_id }
    })
}

fn name_state() -> impl Strategy<Value = NameState> {
    vec(record(), 0..5).prop_map(NameState::new)
}

fn dns_route() -> impl Strategy<Value = DnsRoute> {
    let alias =
        Alias { dns_name: "x.example.com".to_owned(), hosted_zone_id: "Z2".to_owned(), evaluate_target_health: None };
    let data = select(vec![
        RecordData { values: Some(vec!["5.6.7.8".to_owned()]), ..RecordData::default() },
        RecordData { alias: Some(alias), ..RecordData::default() },
        RecordData::default(),
    ]);
    let identifier = proptest::option::weighted(0.3, Just("blue".to_owned()));
    let data = proptest::option::weighted(0.8, data);
    let change = (select(vec![RecordType::A, RecordType::A, RecordType::Aaaa]), data, identifier)
        .prop_map(|(record_type, new, old_set_identifier)| RecordChange { record_type, new, old_set_identifier });
    (vec(change, 0..3), any::<u32>(), any::<bool>(), steps()).prop_map(|(records, ttl, checked, steps)| DnsRoute {
        hosted_zone_id: "Z1".to_owned(),
        account: None,
        record_name: "app.example.com".to_owned(),
        records,
        ttl,
        health_checks: checked.then_some(HealthChecks { old: None, new: None }),
        steps,
    })
}

/// What every decision keeps to: it writes what is planned, from what is planned, and leaves everything else alone.
fn check_decision<State: std::fmt::Debug>(
    decision: StepResult<Option<State>>,
    planned: &[State],
    live: &State,
    is_like: impl Fn(&State, &State) -> bool,
) -> Result<(), TestCaseError> {
    let is_known = |state: &State| planned.iter().any(|planned| is_like(state, planned));
    match decision {
        Ok(Some(target)) => {
            prop_assert!(is_known(&target), "{target:?} is not planned");
            prop_assert!(is_known(live), "{live:?} is somebody else's, and would be overwritten");
        }
        Ok(None) => prop_assert!(is_known(live), "{live:?} is somebody else's, and would be left unsaid"),
        Err(error) => prop_assert!([name::DRIFT, name::INVALID_PLAN].contains(&error.name), "{error}"),
    }
    Ok(())
}

fn percents(steps: &[Step]) -> impl Iterator<Item = u8> {
    [0, 100].into_iter().chain(steps.iter().map(|step| step.new_weight))
}

proptest! {
    fn a_listener_is_only_moved_between_planned_states(
        action in select(ACTIONS.to_vec()), new_weight in any::<u8>(), steps in steps(), before in listener_state(), live in listener_state(),
        from in any::<prop::sample::Index>(),
    ) {
        let route = listener_route(steps);
        let planned = percents(&route.steps).filter_map(|percent| before.planned(pair(&route), percent).ok());
        let planned: Vec<ListenerState> = planned.chain([before.clone()]).collect();
        let weights = route.steps.iter().map(|step| step.new_weight).chain([new_weight]).collect::<Vec<_>>();
        for live in [&live, &planned[from.index(planned.len())]] {
            let weight = weights[from.index(weights.len())];
            let decision = listener_swap::decide::target(action, weight, &route, &before, live);
            check_decision(decision, &planned, live, ListenerState::is_like)?;
            let _ = (live.describe(), routes::listener::by_hand::command(&route, live, Some(live)));
        }
    }

    fn the_pairs_weights_sum_as_planned(before in listener_state(), percent in any::<u8>()) {
        let route = listener_route(vec![]);
        let Ok(planned) = before.planned(pair(&route), percent) else { return Ok(()) };
        let (was, is) = (before.forward.weights(), planned.forward.weights());
        let is_alone = was.iter().all(|(arn, weight)| ["old", "new"].contains(arn) || *weight <= 0);
        let sum: i64 = ["old", "new"].iter().filter_map(|arn| is.get(arn)).map(|weight| i64::from(*weight)).sum();
        prop_assert_eq!(sum, if is_alone { 100 } else { i64::from(was["old"]) });
        prop_assert!(is["old"] >= 0 && is["new"] >= 0);
        prop_assert_eq!(i64::from(is["new"]) * 100, sum * i64::from(percent));
    }

    fn a_name_is_only_moved_between_planned_states(
        action in select(ACTIONS.to_vec()), new_weight in any::<u8>(), route in dns_route(), before in name_state(), live in name_state(),
        from in any::<prop::sample::Index>(),
    ) {
        let checks = PairChecks::default();
        let planned = percents(&route.steps).filter_map(|percent| before.planned(&route, percent, &checks).ok());
        let planned: Vec<NameState> = planned.chain(before.finished(&route)).chain([before.clone()]).collect();
        let weights = route.steps.iter().map(|step| step.new_weight).chain([new_weight]).collect::<Vec<_>>();
        for live in [&live, &planned[from.index(planned.len())]] {
            let weight = weights[from.index(weights.len())];
            let decision = weight_shift::decide::target(action, weight, &route, &before, live, &checks);
            check_decision(decision, &planned, live, |one, other| one.may_be(other, &route, &before, &checks))?;
            let _ = (live.describe(), routes::name::AliasTtls::default().longest_of(live), live.check_pair(&route));
            let _ = routes::name::by_hand::command(&route, &before, Some(live));
        }
    }

    fn a_name_gets_all_of_its_pairs_weight(route in dns_route(), before in name_state(), percent in any::<u8>()) {
        let Ok(planned) = before.planned(&route, percent, &PairChecks::default()) else { return Ok(()) };
        prop_assert!(percent <= 100 || route.records.is_empty());
        let sum = |state: &NameState| state.records().iter().map(|record| i128::from(record.weight.unwrap_or(0))).sum::<i128>();
        // A pair alone shares 100; with neighbours it shares what the old record had, and they keep theirs.
        // A type that the new side does not have goes whole.
        let all_move = route.records.iter().all(|change| change.new.is_some());
        let old_ones = |of_type: &str| before.records().iter().filter(|record| record.record_type == of_type).count();
        let all_stay = route.records.iter().all(|change| old_ones(change.record_type.as_str()) == 1);
        let is_pair = all_move && all_stay && planned.records().len() == 2 * route.records.len();
        if is_pair {
            prop_assert_eq!(sum(&planned), 100 * route.records.len() as i128);
        }
    }

    fn none_of_none_is_not_healthy(total in any::<u16>(), healthy in any::<u16>(), percent in any::<u8>()) {
        let is_enough = total > 0 && u32::from(healthy) * 100 >= u32::from(total) * u32::from(percent);
        prop_assert_eq!(at_least_percent(healthy.into(), total.into(), percent), is_enough);
    }

    fn no_data_is_never_healthy(
        values in any::<BTreeMap<i64, f64>>(), divisors in any::<BTreeMap<i64, f64>>(), period in any::<u64>(), elapsed in any::<u64>(),
        now in -1_000_000_000..100_000_000_000_i64, divided in any::<bool>(), threshold in any::<f64>(),
        missing in select(vec![Missing::Inconclusive, Missing::ZeroIfDivisor, Missing::Unhealthy]), is_warm in any::<bool>(),
    ) {
        let metric = metric(missing, threshold, divided);
        let window = Window::new(Seconds(period), elapsed, Timestamp::from_second(now).unwrap_or_default());
        let near = |series: BTreeMap<i64, f64>| -> BTreeMap<i64, f64> {
            series.into_iter().map(|(at, value)| (window.start.saturating_add(at % 1_000), value)).collect()
        };
        let datapoints = Datapoints { values: near(values), divisors: near(divisors), ..Datapoints::default() };
        let nothing = monitor::metrics::judge(&metric, &Datapoints::default(), window, is_warm);
        prop_assert_ne!(nothing.verdict, Verdict::Healthy);
        let check = monitor::metrics::judge(&metric, &datapoints, window, is_warm);
        let in_window = |series: &BTreeMap<i64, f64>| series.iter().any(|(at, value)| window.start <= *at && *at < window.end && value.is_finite());
        if check.verdict == Verdict::Healthy {
            prop_assert!(in_window(&datapoints.values) || in_window(&datapoints.divisors), "{check:?}");
        }
    }

    fn what_a_look_says_is_never_lost(
        verdicts in vec(select(vec![Verdict::Healthy, Verdict::TooLittleData, Verdict::Inconclusive, Verdict::Error, Verdict::Unhealthy]), 0..5),
        tally in vec(any::<u32>(), 8), limits in (1..=100_u32, 1..=100_u32), hold in any::<(u64, u64, bool)>(), is_early in any::<bool>(),
    ) {
        let checks: Vec<monitor::Check> =
            verdicts.iter().map(|verdict| monitor::Check { is_early, ..monitor::Check::new("n", *verdict, "") }).collect();
        let tally = monitor::Tally {
            unhealthy_in_row: tally[0], no_data_in_row: tally[1], checks: tally[2], healthy: tally[3], unhealthy: tally[4],
            inconclusive: tally[5], error: tally[6], too_little_data: tally[7],
        };
        let monitoring = cutover::plan::Monitoring { failure_limit: limits.0, no_data_limit: limits.1, ..Default::default() };
        let hold = monitor::decide::Hold { hold_seconds: hold.0, elapsed_seconds: hold.1, paused: hold.2 };
        if let Ok(decision) = monitor::decide::decide(&monitoring, hold, &checks, &tally) {
            prop_assert!(!decision.done || verdicts.iter().all(|verdict| matches!(verdict, Verdict::Healthy | Verdict::TooLittleData)));
            prop_assert!(!decision.done || (hold.elapsed_seconds >= hold.hold_seconds && !hold.paused));
            prop_assert!(decision.wait_seconds <= monitoring.interval.0);
        }
    }

    fn any_detail_makes_a_message(event in select(notify::Event::ALL.to_vec()), application in hostile::text(), detail in hostile::value()) {
        let machines = cutover::gestures::Machines { rollback: "rollback".to_owned(), cleanup: "cleanup".to_owned() };
        let told = notify::decide::Told {
            application: &application, event, run_id: "run", detail: &detail, task_token: Some("token"), link: None, machines: &machines,
        };
        let text = notify::decide::message(&told);
        prop_assert!(!text.is_empty() && text.len() <= 256 * 1024 && text.capacity() <= 2 * 1024 * 1024, "{}", text.capacity());
    }
}

fn metric(missing: Missing, threshold: f64, divided: bool) -> Metric {
    let divisor = cutover::plan::Series {
        namespace: None,
        metric_name: "d".to_owned(),
        dimensions: None,
        statistic: None,
        period: None,
    };
    Metric {
        name: "m".to_owned(),
        namespace: "n".to_owned(),
        metric_name: "m".to_owned(),
        dimensions: BTreeMap::new(),
        statistic: "Sum".to_owned(),
        period: Seconds(60),
        divide_by: divided.then_some(divisor),
        comparison: cutover::plan::Comparison::GreaterThan,
        threshold,
        test: None,
        compare_to: None,
        dispersion: Some(1.0),
        missing,
    }
}

/// What is run.
pub fn tests() -> Vec<Test> {
    synchronous![
        a_listener_is_only_moved_between_planned_states,
        the_pairs_weights_sum_as_planned,
        a_name_is_only_moved_between_planned_states,
        a_name_gets_all_of_its_pairs_weight,
        none_of_none_is_not_healthy,
        no_data_is_never_healthy,
        what_a_look_says_is_never_lost,
        any_detail_makes_a_message,
    ]
}
