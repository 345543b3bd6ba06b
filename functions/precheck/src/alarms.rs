//! What does not fit the plan about an alarm that it watches: pure.

use cutover::plan::{AlarmMissing, OnFailure};
use cutover::text::quoted;
use cutover::{Finding, Plan, Seconds};
use watch::{Evaluation, Held, Watched};

/// What an alarm says of its state is cut after so much: a finding has room for 300 bytes.
const MOST_REASON_BYTES: usize = 150;

/// Judges one of `monitoring.alarms`; `None` of it: there is no such alarm.
pub(crate) fn judge(plan: &Plan, index: usize, alarm: Option<&Watched>) -> Vec<Finding> {
    let (name, path) = (&plan.monitoring.alarms[index], format!("$.monitoring.alarms[{index}]"));
    let Some(Watched { state, reason, rings_without_data, evaluation }) = alarm else {
        let fix = if name.starts_with("arn:") {
            "name an alarm of that account and region"
        } else {
            "name an alarm of this account and region, or give the ARN of one elsewhere"
        };
        return vec![Finding::environment(path, format!("`{name}` does not exist"), fix)];
    };
    if state == "ALARM" {
        return vec![ringing(name, path, reason, *rings_without_data)];
    }
    let no_data = (state != "OK").then(|| no_data(plan, name, evaluation, &path)).flatten();
    no_data.into_iter().chain(unseen(plan, name, evaluation, &path)).collect()
}

/// It says why; of one that takes missing data for trouble, the new side may have given it none yet.
fn ringing(name: &str, path: String, reason: &str, rings_without_data: bool) -> Finding {
    let why = if reason.is_empty() { String::new() } else { format!(": {}", quoted(reason, MOST_REASON_BYTES)) };
    let fix = if rings_without_data {
        "find out why. It takes missing data for trouble (TreatMissingData is breaching): if only the new side's traffic gives it \
         data, set that to missing, or do not watch it"
    } else {
        "find out why, or do not watch it"
    };
    Finding::environment(path, format!("`{name}` is in ALARM before anything has moved{why}"), fix)
}

/// What comes of looks without data, one after the other.
fn given_up(plan: &Plan) -> String {
    let then = match plan.monitoring.on_failure {
        OnFailure::RollBack => "the run is turned back",
        OnFailure::Hold => "the run is held for a person to decide",
    };
    match plan.monitoring.no_data_limit {
        1 => format!("{then} after one look without data"),
        limit => format!("{then} after {limit} looks in a row without data"),
    }
}

/// That is as it should be for an alarm that only the new side's traffic gives data, and nothing can tell such a one.
fn no_data(plan: &Plan, name: &str, evaluation: &Evaluation, path: &str) -> Option<Finding> {
    let needed = evaluation.sees_after();
    let (then, fix) = match plan.monitoring.missing_of(name) {
        AlarmMissing::Healthy => return None,
        AlarmMissing::Inconclusive => (given_up(plan), "or say in monitoring.alarms_missing what no data means"),
        AlarmMissing::Unhealthy => {
            ("it counts as unhealthy".to_owned(), "or do not call that unhealthy in monitoring.alarms_missing")
        }
    };
    let problem = format!(
        "`{name}` has no data (INSUFFICIENT_DATA): if it has none either {needed} after the new side's first traffic, {then}"
    );
    let fix = format!("make sure that the new side's traffic gives it data, {fix}");
    Some(Finding::warning(path, problem, fix))
}

/// Steps with traffic on the new side that end before the alarm has seen them.
fn unseen(plan: &Plan, name: &str, evaluation: &Evaluation, path: &str) -> Option<Finding> {
    let needed = evaluation.sees_after();
    let mut short = Vec::new();
    for (route, plan_route) in plan.routes.iter().enumerate() {
        for (step, wanted) in plan_route.steps().iter().enumerate() {
            let held = Held { route, step, elapsed_seconds: 0 };
            let is_seen = wanted.hold >= needed;
            if wanted.new_weight > 0 && !is_seen && evaluation.traffic_seconds(plan, held).is_some() {
                short.push((format!("$.routes[{route}].steps[{step}]"), wanted.hold));
            }
        }
    }
    let (first, hold) = short.first()?;
    let others = match short.len() - 1 {
        0 => String::new(),
        1 => ", and so does another step".to_owned(),
        more => format!(", and so do {more} other steps"),
    };
    let problem = format!(
        "`{name}` needs {needed} to see what a step does ({}, and CloudWatch's delay): {first} ends after {}, before the \
         alarm has seen it{others}",
        evaluation.describe(),
        shown(*hold)
    );
    let fix = format!("hold each step for {needed} at least, or watch what is seen sooner");
    Some(Finding::warning(path, problem, fix))
}

/// A step without a hold is looked at once.
fn shown(hold: Seconds) -> String {
    if hold.0 == 0 { "one look".to_owned() } else { hold.to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn plan(holds: &[(u8, &str)], missing: Value) -> Plan {
        let steps: Value = holds.iter().map(|(weight, hold)| json!({ "new_weight": weight, "hold": hold })).collect();
        let plan = json!({
            "application": "a", "monitoring": { "alarms": ["slow"], "alarms_missing": missing },
            "routes": [{ "type": "dns", "hosted_zone_id": "Z1", "record_name": "a.example.com",
                "records": [{ "type": "A", "new": { "values": ["5.6.7.8"] } }], "steps": steps }],
        });
        Plan::read(&plan).unwrap()
    }

    /// What is said of an alarm of one period of 5 minutes, which has seen a step after 12.
    fn said(state: &str, plan: &Plan) -> Vec<String> {
        let evaluation = Evaluation { periods: Some((Seconds(300), 1)), target_groups: Vec::new() };
        let watched = Watched { state: state.to_owned(), evaluation, ..Watched::default() };
        judge(plan, 0, Some(&watched)).into_iter().map(|finding| finding.problem).collect()
    }

    #[test]
    fn an_alarm_without_data_is_told_with_what_comes_of_it() {
        let long = [(100, "30m")];
        let of = |missing: Value| said("INSUFFICIENT_DATA", &plan(&long, missing));
        let expected = "`slow` has no data (INSUFFICIENT_DATA): if it has none either 12m after the new side's first traffic, the run \
                        is turned back after 3 looks in a row without data";
        assert_eq!(of(json!({})), [expected]);
        let mut held = plan(&long, json!({}));
        (held.monitoring.on_failure, held.monitoring.no_data_limit) = (OnFailure::Hold, 1);
        let expected = "the run is held for a person to decide after one look without data";
        assert!(said("INSUFFICIENT_DATA", &held)[0].ends_with(expected));
        assert_eq!(of(json!({ "slow": "healthy" })), [""; 0]);
        assert!(of(json!({ "slow": "unhealthy" }))[0].ends_with("it counts as unhealthy"));
        assert_eq!(said("OK", &plan(&long, json!({}))), [""; 0]);
        assert_eq!(said("ALARM", &plan(&long, json!({}))), ["`slow` is in ALARM before anything has moved"]);
    }

    #[test]
    fn an_alarm_that_rings_says_why_and_whether_no_data_may_be_the_reason() {
        let of = |reason: &str, rings_without_data| {
            let state = "ALARM".to_owned();
            let watched = Watched { state, reason: reason.to_owned(), rings_without_data, ..Watched::default() };
            judge(&plan(&[(100, "30m")], json!({})), 0, Some(&watched)).remove(0)
        };
        let found = of("Threshold Crossed: no datapoints were received for 1 period", true);
        let expected = "`slow` is in ALARM before anything has moved: \"Threshold Crossed: no datapoints were received for 1 period\"";
        assert_eq!(found.problem, expected);
        assert!(found.fix.contains("TreatMissingData is breaching") && found.fix.len() <= 300, "{}", found.fix);
        assert_eq!(of("", false).fix, "find out why, or do not watch it");
        let long = of(&"x".repeat(1_000), false);
        assert!(long.problem.len() <= 300, "{}", long.problem);
    }

    #[test]
    fn steps_that_end_before_the_alarm_has_seen_them_are_told_once() {
        let of = |holds: &[(u8, &str)]| said("OK", &plan(holds, json!({})));
        assert_eq!(of(&[(0, "1m"), (10, "12m"), (100, "1h")]), [""; 0], "at 0 there is nothing to see");
        let found = of(&[(0, "1m"), (10, "11m"), (50, "12m"), (100, "0s")]);
        assert_eq!(found.len(), 1);
        let expected = "`slow` needs 12m to see what a step does (one period of 5m, and CloudWatch's delay): $.routes[0].steps[1] \
                        ends after 11m, before the alarm has seen it, and so does another step";
        assert_eq!(found[0], expected);
        assert!(of(&[(100, "0s")])[0].contains("ends after one look"));
    }
}
