//! What an alarm says while a step is held. Pure.

use cutover::plan::AlarmMissing;
use cutover::verdict::Verdict;
use cutover::{Plan, Seconds};
use watch::{Held, Watched};

use crate::Check;

/// Judges an alarm by its state; `None` of it: there is no such alarm. Without data before the new side has any traffic it
/// has nothing to say, and no step waits for it.
pub fn look(plan: &Plan, name: &str, alarm: Option<&Watched>, held: Held) -> Option<Check> {
    let check = |verdict, seen: String, is_early| {
        Some(Check { is_early, ..Check::new(format!("alarm {name}"), verdict, seen) })
    };
    let Some(Watched { state, evaluation, .. }) = alarm else {
        return check(Verdict::Error, "does not exist".to_owned(), false);
    };
    match state.as_str() {
        "OK" => return check(Verdict::Healthy, state.clone(), false),
        "ALARM" => return check(Verdict::Unhealthy, state.clone(), false),
        _ => {}
    }
    let missing = plan.monitoring.missing_of(name);
    if missing == AlarmMissing::Healthy {
        return check(Verdict::Healthy, format!("{state}, which the plan calls healthy"), false);
    }
    let (traffic, needed) = (Seconds(evaluation.traffic_seconds(plan, held)?), evaluation.sees_after());
    if traffic < needed {
        let seen =
            format!("{state} {traffic} after the first traffic on the new side, which it has seen after {needed}");
        return check(Verdict::Inconclusive, seen, true);
    }
    match missing {
        AlarmMissing::Unhealthy => check(Verdict::Unhealthy, format!("{state}, which the plan calls unhealthy"), false),
        _ => check(Verdict::Inconclusive, state.clone(), false),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use watch::Evaluation;

    use super::*;

    /// One route, by 0, 10 and 100 %, a minute each; `missing` of the alarm `a`.
    fn plan(missing: Value) -> Plan {
        let step = |weight: u8| json!({ "new_weight": weight, "hold": "1m" });
        let plan = json!({
            "application": "a", "monitoring": { "alarms": ["a"], "alarms_missing": missing },
            "routes": [{ "type": "dns", "hosted_zone_id": "Z1", "record_name": "a.example.com",
                "records": [{ "type": "A", "new": { "values": ["5.6.7.8"] } }], "steps": [step(0), step(10), step(100)] }],
        });
        Plan::read(&plan).unwrap()
    }

    /// The verdict on an alarm of one period of a minute (seen after four), and whether it is early.
    fn verdict(state: &str, missing: Value, step: usize, elapsed_seconds: u64) -> Option<(Verdict, bool)> {
        let evaluation = Evaluation { periods: Some((Seconds(60), 1)), target_groups: Vec::new() };
        let watched = Watched { state: state.to_owned(), evaluation, ..Watched::default() };
        let check = look(&plan(missing), "a", Some(&watched), Held { route: 0, step, elapsed_seconds });
        check.map(|check| (check.verdict, check.is_early))
    }

    #[test]
    fn alarms_speak_by_their_state() {
        assert_eq!(verdict("OK", json!({}), 0, 60), Some((Verdict::Healthy, false)));
        assert_eq!(verdict("ALARM", json!({}), 0, 60), Some((Verdict::Unhealthy, false)));
        assert_eq!(
            look(&plan(json!({})), "a", None, Held { route: 0, step: 0, elapsed_seconds: 0 }).unwrap().verdict,
            Verdict::Error
        );
    }

    #[test]
    fn no_data_counts_once_the_alarm_must_have_seen_the_traffic() {
        let none = |step, elapsed| verdict("INSUFFICIENT_DATA", json!({}), step, elapsed);
        assert_eq!(none(0, 3600), None, "there is no traffic to see");
        assert_eq!(none(1, 60), Some((Verdict::Inconclusive, true)));
        assert_eq!(none(1, 239), Some((Verdict::Inconclusive, true)));
        assert_eq!(none(1, 240), Some((Verdict::Inconclusive, false)));
        assert_eq!(none(2, 180), Some((Verdict::Inconclusive, false)), "the step before counts");
    }

    #[test]
    fn the_plan_may_say_what_no_data_means() {
        let says = |missing: &str, elapsed| verdict("INSUFFICIENT_DATA", json!({ "a": missing }), 1, elapsed);
        assert_eq!(says("healthy", 0), Some((Verdict::Healthy, false)));
        assert_eq!(says("unhealthy", 239), Some((Verdict::Inconclusive, true)));
        assert_eq!(says("unhealthy", 240), Some((Verdict::Unhealthy, false)));
        assert_eq!(says("inconclusive", 240), Some((Verdict::Inconclusive, false)));
    }
}
