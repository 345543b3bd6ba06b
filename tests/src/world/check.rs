//! What makes a well-formed world file one of its plan: before anything is started. Pure.
//!
//! Contract: [`World::check`] says everything at once that is wrong with the meaning of a world file: endings that there are not, shares that
//! are none, and listeners, records, metrics and accounts that the plan does not name. What the emulated AWS alone knows of (the keys within
//! `listeners`, `records` and the like) it says itself as the environment is made.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use cutover::read::nearest_name;
use cutover::text::shown;
use serde_json::Value;

use super::{Behaviour, Change, World};

/// How a run may end.
pub(crate) const ENDINGS: [&str; 9] = [
    "Succeeded",
    "RolledBack",
    "Stuck",
    "Held",
    "PrecheckFailed",
    "InvalidPlan",
    "Conflict",
    "LineStopped",
    "Rejected",
];
/// More names than this help nobody.
const MOST_NAMES: usize = 20;

impl World {
    /// Whether it can be the world of this plan.
    ///
    /// # Errors
    /// Everything that is wrong, each with its key.
    pub fn check(&self, plan: &Value) -> Result<()> {
        let mut problems = Vec::new();
        problems.extend(self.expect.as_deref().and_then(|ending| no_ending(ending, &ENDINGS)));
        // Serde takes a list for an object, field by field: an empty one says nothing.
        for key in ["old", "new", "replication"].into_iter().filter(|key| self.raw[*key].is_array()) {
            problems.push(format!("{key}: is a list, and should be an object, {{ ... }}"));
        }
        side("old", &self.old, &mut problems);
        side("new", &self.new, &mut problems);
        for (index, during) in self.during.iter().enumerate() {
            percent(&format!("during[{index}].when_new_weight"), during.when_new_weight, &mut problems);
        }
        // Of a plan that is wrong, the product says what is.
        if cutover::Plan::read(plan).is_ok() {
            names(self, plan, &mut problems);
        }
        ensure!(problems.is_empty(), "{}", problems.join("\n  "));
        Ok(())
    }
}

/// What is wrong with an ending that is expected.
pub(crate) fn no_ending(ending: &str, endings: &[&str]) -> Option<String> {
    (!endings.contains(&ending)).then(|| format!("expect: {}", unknown(ending, endings.iter().copied())))
}

/// That a name is none of these, and which was meant.
pub(crate) fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let meant =
        nearest_name(name, known.clone()).map(|near| format!("write `{near}`, if that is meant; ")).unwrap_or_default();
    let names: Vec<&str> = known.clone().take(MOST_NAMES).collect();
    let more = known.count().saturating_sub(names.len());
    let there = match (names.is_empty(), more) {
        (true, _) => "there are none".to_owned(),
        (false, 0) => format!("there are {}", names.join(", ")),
        (false, more) => format!("there are {} and {more} more", names.join(", ")),
    };
    format!("`{}` is none: {meant}{there}", shown(name, 200))
}

fn side(name: &str, side: &Behaviour, problems: &mut Vec<String>) {
    let rates = [side.error_rate, side.slow_rate, side.unanswered_rate].map(Some);
    conduct(name, rates, Some(side.healthy_percent), [side.error_status, side.health_status].map(Some), problems);
    for (index, change) in side.changes.iter().enumerate() {
        let Change {
            error_rate,
            slow_rate,
            unanswered_rate,
            healthy_percent,
            error_status,
            health_status,
            when_new_weight,
            ..
        } = change;
        let path = format!("{name}.changes[{index}]");
        conduct(
            &path,
            [*error_rate, *slow_rate, *unanswered_rate],
            *healthy_percent,
            [*error_status, *health_status],
            problems,
        );
        percent(&format!("{path}.when_new_weight"), *when_new_weight, problems);
    }
}

fn conduct(
    path: &str,
    rates: [Option<f64>; 3],
    healthy_percent: Option<f64>,
    statuses: [Option<u16>; 2],
    problems: &mut Vec<String>,
) {
    for (field, rate) in ["error_rate", "slow_rate", "unanswered_rate"].into_iter().zip(rates) {
        let Some(rate) = rate.filter(|rate| !(0.0..=1.0).contains(rate)) else { continue };
        let meant =
            if (0.0..=100.0).contains(&rate) { format!("; {rate} % is {}", rate / 100.0) } else { String::new() };
        problems.push(format!("{path}.{field}: is {rate}, and should be a share, 0 to 1{meant}"));
    }
    percent(&format!("{path}.healthy_percent"), healthy_percent, problems);
    for (field, status) in ["error_status", "health_status"].into_iter().zip(statuses) {
        if let Some(status) = status.filter(|status| !(100..=599).contains(status)) {
            problems.push(format!("{path}.{field}: is {status}, and should be an HTTP status, 100 to 599"));
        }
    }
}

fn percent(path: &str, value: Option<f64>, problems: &mut Vec<String>) {
    if let Some(value) = value.filter(|value| !(0.0..=100.0).contains(value)) {
        problems.push(format!("{path}: is {value}, and should be 0 to 100, in percent"));
    }
}

/// What of the plan can be set up, by the keys of a world file that are about such things.
fn names(world: &World, plan: &Value, problems: &mut Vec<String>) {
    let routes = || list(&plan["routes"]);
    let arns = routes().flat_map(|route| [&route["listener_arn"], &route["rule_arn"]]).filter_map(Value::as_str);
    let records = routes().flat_map(|route| {
        let name = route["record_name"].as_str().unwrap_or_default().trim_end_matches('.');
        list(&route["records"]).filter_map(move |record| Some(format!("{name} {}", record["type"].as_str()?)))
    });
    let watched = list(&plan["monitoring"]["metrics"]).chain(list(&plan["validation"]["limits"]));
    let metrics = watched.filter(|metric| !is_counted(metric)).filter_map(|metric| metric["name"].as_str());
    let mut accounts = BTreeSet::new();
    accounts_in(plan, &mut accounts);
    accounts.extend(routes().filter_map(|route| route["account"].as_str()).map(str::to_owned));
    let values: Value =
        world.metrics.keys().map(|name| (name.clone(), Value::Null)).collect::<serde_json::Map<_, _>>().into();
    let of: [(&str, &Value, BTreeSet<String>); 4] = [
        ("listeners", &world.listeners, arns.map(str::to_owned).collect()),
        ("records", &world.records, records.collect()),
        ("metrics", &values, metrics.map(str::to_owned).collect()),
        ("accounts", &world.accounts, accounts),
    ];
    for (key, given, known) in of {
        for name in given.as_object().into_iter().flatten().map(|(name, _)| name).filter(|name| !known.contains(*name))
        {
            problems
                .push(format!("{key}: of what the plan names, {}", unknown(name, known.iter().map(String::as_str))));
        }
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// What load balancers count is what their users do, and nothing else.
fn is_counted(metric: &Value) -> bool {
    ["AWS/ApplicationELB", "AWS/NetworkELB"].iter().any(|namespace| metric["namespace"] == *namespace)
}

/// The accounts of every ARN in a plan.
fn accounts_in(value: &Value, accounts: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.matches(':').count() > 4 => {
            accounts.extend(text.split(':').nth(4).filter(|account| !account.is_empty()).map(str::to_owned));
        }
        Value::Array(items) => items.iter().for_each(|item| accounts_in(item, accounts)),
        Value::Object(fields) => fields.values().for_each(|field| accounts_in(field, accounts)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LISTENER: &str =
        "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2";

    fn plan() -> Value {
        let arn = |kind: &str| format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:{kind}");
        let limit = |name: &str, namespace: &str| json!({ "name": name, "namespace": namespace, "metric_name": "m", "statistic": "Average", "max": 80 });
        json!({ "application": "shop", "routes": [
            { "type": "listener", "listener_arn": LISTENER, "old_target_group_arn": arn("targetgroup/shop-old/73e2d6bc24d8a067"),
              "new_target_group_arn": arn("targetgroup/shop-new/6d0ecf831eec9f09"), "steps": [{ "new_weight": 100 }] },
            { "type": "dns", "hosted_zone_id": "Z1", "record_name": "www.example.com.", "steps": [{ "new_weight": 100 }],
              "records": [{ "type": "A", "new": { "values": ["192.0.2.1"] } }] }],
            "validation": { "limits": [limit("CPU", "AWS/ECS"), limit("slow", "AWS/ApplicationELB")] } })
    }

    fn told(world: Value) -> String {
        let checked = World::from_json(world).and_then(|world| world.check(&plan()));
        checked.err().map(|error| format!("{error:#}")).unwrap_or_default()
    }

    #[test]
    fn a_world_of_its_plan_is_right() {
        let world = json!({ "expect": "RolledBack", "metrics": { "CPU": 40 }, "listeners": { LISTENER: { "old_weight": 3 } },
            "records": { "www.example.com A": { "ttl": 60 } }, "accounts": { "123456789012": { "closed": true } },
            "new": { "error_rate": 1, "changes": [{ "when_new_weight": 100, "error_rate": 0.5 }] } });
        assert_eq!(told(world), "");
    }

    #[test]
    fn what_the_plan_does_not_name_is_told_before_anything_is_started() {
        for (world, words) in [
            (json!({ "expect": "Rolledback" }), "expect: `Rolledback` is none: write `RolledBack`"),
            (json!({ "listeners": { "shop": {} } }), "listeners: of what the plan names, `shop` is none"),
            (json!({ "records": { "www.example.com AAAA": {} } }), "there are www.example.com A"),
            (json!({ "metrics": { "cpu": 40 } }), "metrics: of what the plan names, `cpu` is none: write `CPU`"),
            (json!({ "metrics": { "slow": 40 } }), "metrics: of what the plan names, `slow` is none"),
            (json!({ "accounts": { "1": {} } }), "there are 123456789012"),
        ] {
            let told = told(world.clone());
            assert!(told.contains(words), "{world}: {told}");
        }
    }

    #[test]
    fn a_list_where_an_object_is_meant_is_told() {
        assert!(told(json!({ "new": [], "old": { "error_rate": 0.5 } })).contains("new: is a list"));
    }

    #[test]
    fn a_percentage_where_a_share_is_meant_is_told_with_the_share() {
        let world = json!({ "new": { "error_rate": 50, "healthy_percent": 101, "error_status": 5,
                                     "changes": [{ "when_new_weight": 500, "slow_rate": -1 }] } });
        let told = told(world);
        for words in [
            "new.error_rate: is 50, and should be a share, 0 to 1; 50 % is 0.5",
            "new.healthy_percent: is 101",
            "new.error_status: is 5",
            "new.changes[0].slow_rate: is -1",
            "new.changes[0].when_new_weight: is 500",
        ] {
            assert!(told.contains(words), "{words} in {told}");
        }
    }
}
