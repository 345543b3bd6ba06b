//! The cutover plans of a portfolio, as far as they are there: what of them their owners should know before their wave. Pure.

use cutover::text::named;
use cutover::{Plan, schedule};
use serde_json::Value;
use wave_plan::portfolio::Application;

/// A plan that is there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// What could be read.
    pub plan: Option<Plan>,
    /// What is wrong with it, or with what the portfolio says of it.
    pub notes: Vec<String>,
}

/// Reads an application's plan.
pub fn read(application: &Application, key: &str, text: &str) -> Found {
    let name = named(&application.name, 64);
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return Found { plan: None, notes: vec![format!("{name}: {key} is no JSON: its wave would stop at it")] };
    };
    let plan = match Plan::read(&value) {
        Ok(plan) => plan,
        Err(findings) => {
            let first =
                findings.first().map(|one| format!("{} {}: {}", one.path, one.problem, one.fix)).unwrap_or_default();
            let more = if findings.len() > 1 { format!(" (and {} more)", findings.len() - 1) } else { String::new() };
            return Found {
                plan: None,
                notes: vec![format!("{name}: {key} is not right: its wave would stop at it. {first}{more}")],
            };
        }
    };
    let mut notes = Vec::new();
    if plan.application != application.name {
        let other = named(&plan.application, 64);
        notes.push(format!(
            "{name}: {key} is the plan of {other}: its wave would stop at it. Give the application one name in both"
        ));
    }
    let least = schedule::least_time(&plan);
    if least > application.cutover {
        notes.push(format!(
            "{name}: {key} takes {least} at the least, and is planned for {}: write that as its `cutover` in the portfolio, and plan again",
            application.cutover
        ));
    }
    Found { plan: Some(plan), notes }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn application(name: &str) -> Application {
        serde_json::from_value(json!({ "name": name, "strategy": "rehost", "owner": "Web", "cutover": 3600 })).unwrap()
    }

    fn plan(name: &str, hold: &str) -> Value {
        let arn = |what: &str| format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:{what}");
        json!({ "application": name, "routes": [{ "type": "listener", "listener_arn": arn("listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2"),
            "old_target_group_arn": arn("targetgroup/old/73e2d6bc24d8a067"), "new_target_group_arn": arn("targetgroup/new/6d0ecf831eec9f09"),
            "steps": [{ "new_weight": 100, "hold": hold }] }] })
    }

    fn notes(text: &str) -> String {
        read(&application("shop"), "plans/shop.json", text).notes.join("; ")
    }

    #[test]
    fn what_its_wave_would_stop_at_is_told_before() {
        assert_eq!(notes(&plan("shop", "5m").to_string()), "");
        assert!(notes("{").contains("plans/shop.json is no JSON"));
        assert!(notes(&plan("sop", "5m").to_string()).contains("is the plan of sop"));
        let mut wrong = plan("shop", "5m");
        wrong["rotes"] = json!(1);
        assert!(notes(&wrong.to_string()).contains("$.rotes"));
        assert!(notes(&plan("shop", "2h").to_string()).contains("takes 2h at the least, and is planned for 1h"));
        assert!(read(&application("shop"), "plans/shop.json", &plan("shop", "5m").to_string()).plan.is_some());
    }
}
