//! From findings to the report: pure.

use cutover::contract::BeforeImage;
use cutover::finding::{self, Kind};
use cutover::plan::Probe;
use cutover::probe::Tries;
use cutover::{Finding, Plan, Seconds, Severity};
use jiff::Timestamp;

use crate::{Reply, steps_of};

/// The name of the ending that the findings call for. Another run's hold explains most other differences, so it comes
/// before them.
fn ending(findings: &[Finding]) -> Option<&'static str> {
    let has = |kind| findings.iter().any(|finding| finding.severity == Severity::Error && finding.kind == kind);
    match (has(Kind::Plan), has(Kind::Conflict), has(Kind::Environment)) {
        (true, _, _) => Some("InvalidPlan"),
        (_, true, _) => Some("Conflict"),
        (_, _, true) => Some("PrecheckFailed"),
        _ => None,
    }
}

/// The report.
pub(crate) fn report(
    plan: Option<Plan>,
    mut findings: Vec<Finding>,
    before: Vec<BeforeImage>,
    tries: Tries,
    now: Timestamp,
) -> Reply {
    findings.sort_by(|one, other| other.severity.cmp(&one.severity).then_with(|| one.path.cmp(&other.path)));
    let ending = ending(&findings);
    let findings = finding::first(findings);
    let (steps, history_events) = plan.as_ref().map(steps_of).unwrap_or_default();
    Reply {
        settled: true,
        wait_seconds: 0,
        tries,
        ending,
        findings,
        plan,
        before,
        steps,
        history_events,
        at: now.to_string(),
    }
}

/// Not yet: the health URL is tried again after a wait.
pub(crate) fn try_again(interval: Seconds, tries: Tries, now: Timestamp) -> Reply {
    let reply = report(None, Vec::new(), Vec::new(), tries, now);
    Reply { settled: false, wait_seconds: interval.0, ..reply }
}

/// The health URL did not pass.
pub(crate) fn health_url(probe: &Probe, tries: &Tries) -> Finding {
    let problem = format!("{} did not pass in {} attempts; the last one: {}", probe.url, tries.attempts, tries.seen);
    let fix = format!("the new side must answer {} {} times in a row", probe.expect_status, probe.successes);
    Finding::environment("$.health_check.url", problem, fix)
}

/// A hold in which nothing is looked at is only a wait.
pub(crate) fn nothing_watched(plan: &Plan, findings: &mut Vec<Finding>) {
    let watched = &plan.monitoring;
    let has_listener = plan.routes.iter().any(|route| matches!(route, cutover::plan::Route::Listener(_)));
    if !has_listener && watched.metrics.is_empty() && watched.alarms.is_empty() && watched.target_groups.is_empty() {
        let problem = "watches nothing: a step is held, and nothing is looked at";
        findings.push(Finding::warning(
            "$.monitoring",
            problem,
            "name metrics, alarms or target groups of the new side",
        ));
    }
}

/// Writers that go on writing after the last look at replication leave behind what traffic then misses.
pub(crate) fn nobody_stops_writers(plan: &Plan) -> Option<Finding> {
    let has_two_databases = plan.database.as_ref().is_some_and(|database| !database.shared);
    (has_two_databases && plan.hooks.quiesce.is_empty()).then(|| {
        let problem = "is empty: what is written to the old database between the last look at the lag and the shift may be \
                       missing from the new one";
        Finding::warning("$.hooks.quiesce", problem, "add a hook that stops the writers, and resume, its undo")
    })
}

/// How long the names' answers from before are waited out, one name after the other.
pub(crate) fn old_ttls(before: &[BeforeImage]) -> Seconds {
    let of_name = |before: &BeforeImage| match before {
        BeforeImage::Dns { records } => u64::from(records.longest_ttl_seconds()),
        BeforeImage::Listener(_) => 0,
    };
    Seconds(before.iter().map(of_name).sum())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn writers_that_nobody_stops_are_a_warning() {
        let hook =
            |name: &str| json!([{ "function_arn": format!("arn:aws:lambda:eu-west-1:123456789012:function:{name}") }]);
        let found = |shared: bool, hooks| {
            let plan = json!({
                "application": "a", "hooks": hooks,
                "database": { "replication_task_arn": "arn:aws:dms:eu-west-1:123456789012:task:T", "shared": shared },
                "routes": [{ "type": "dns", "hosted_zone_id": "Z1", "record_name": "a.example.com",
                    "records": [{ "type": "A", "new": { "values": ["5.6.7.8"] } }], "steps": [{ "new_weight": 100 }] }],
            });
            nobody_stops_writers(&Plan::read(&plan).unwrap()).map(|finding| finding.severity)
        };
        assert_eq!(found(false, json!({})), Some(Severity::Warning));
        assert_eq!(found(false, json!({ "quiesce": hook("stop"), "resume": hook("go") })), None);
        assert_eq!(found(true, json!({})), None);
    }

    #[test]
    fn each_names_longest_ttl_is_waited_out() {
        let name = |ttls: &[i64]| {
            let record = |ttl: &i64| json!({ "type": "A", "ttl": ttl, "values": [] });
            serde_json::from_value(json!(ttls.iter().map(record).collect::<Vec<_>>())).unwrap()
        };
        let before = [&[300, 60][..], &[900]].map(|ttls| BeforeImage::Dns { records: name(ttls) });
        assert_eq!(old_ttls(&before), Seconds(1200));
    }

    #[test]
    fn the_ending_is_named_by_the_weightiest_finding() {
        let plan = Finding::plan("$", "", "");
        let conflict = Finding::conflict("$", "", "");
        let environment = Finding::environment("$", "", "");
        let warning = Finding::warning("$", "", "");
        assert_eq!(ending(std::slice::from_ref(&warning)), None);
        assert_eq!(ending(&[warning, environment.clone()]), Some("PrecheckFailed"));
        assert_eq!(ending(&[environment.clone(), conflict.clone()]), Some("Conflict"));
        assert_eq!(ending(&[environment, conflict, plan]), Some("InvalidPlan"));
    }
}
