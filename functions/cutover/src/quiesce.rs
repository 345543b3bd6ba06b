//! What a plan leaves to chance about its writers. Pure.

use crate::Finding;
use crate::plan::Plan;

/// Writers that go on writing after the last look at replication leave behind what traffic then misses.
pub fn nobody_stops_writers(plan: &Plan) -> Option<Finding> {
    let has_two_databases = plan.database.as_ref().is_some_and(|database| !database.shared);
    (has_two_databases && plan.hooks.quiesce.is_empty()).then(|| {
        let problem = "is empty: what is written to the old database between the last look at the lag and the shift may be \
                       missing from the new one";
        Finding::warning("$.hooks.quiesce", problem, "add a hook that stops the writers, and resume, its undo")
    })
}

/// Whether the hooks have stopped the writers is seen in the replication of a database that only the old side writes to.
pub fn unverified(plan: &Plan) -> Option<Finding> {
    if plan.hooks.quiesce.is_empty() || plan.verifies_quiesce() {
        return None;
    }
    let why = match plan.database {
        Some(_) => "both sides share the database, and whoever else uses it may write on",
        None => "the plan names no replication of the database, which would show it",
    };
    let problem = format!("is taken at its word: nobody sees whether the writers have stopped, since {why}");
    let fix = "let the hook itself wait until the writers have stopped, and fail if they do not";
    Some(Finding::warning("$.hooks.quiesce", problem, fix))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Severity;

    fn stopping() -> Value {
        let hook =
            |name: &str| json!([{ "function_arn": format!("arn:aws:lambda:eu-west-1:123456789012:function:{name}") }]);
        json!({ "quiesce": hook("stop"), "resume": hook("go") })
    }

    fn plan(shared: Option<bool>, hooks: Value) -> Plan {
        let database = shared.map(
            |shared| json!({ "replication_task_arn": "arn:aws:dms:eu-west-1:123456789012:task:T", "shared": shared }),
        );
        let plan = json!({
            "application": "a", "hooks": hooks, "database": database,
            "routes": [{ "type": "dns", "hosted_zone_id": "Z1", "record_name": "a.example.com",
                "records": [{ "type": "A", "new": { "values": ["5.6.7.8"] } }], "steps": [{ "new_weight": 100 }] }],
        });
        Plan::read(&plan).unwrap()
    }

    #[test]
    fn writers_that_nobody_stops_are_a_warning() {
        let found =
            |shared: bool, hooks| nobody_stops_writers(&plan(Some(shared), hooks)).map(|finding| finding.severity);
        assert_eq!(found(false, json!({})), Some(Severity::Warning));
        assert_eq!(found(false, stopping()), None);
        assert_eq!(found(true, json!({})), None);
    }

    #[test]
    fn a_quiesce_that_nobody_can_see_is_a_warning() {
        let found = |shared, hooks| unverified(&plan(shared, hooks)).map(|finding| finding.problem);
        assert_eq!(found(Some(false), stopping()), None);
        assert!(found(Some(true), stopping()).is_some_and(|problem| problem.contains("both sides share the database")));
        assert!(found(None, stopping()).is_some_and(|problem| problem.contains("names no replication")));
        assert_eq!(found(Some(true), json!({})), None);
    }
}
