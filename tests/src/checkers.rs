//! What Route 53's checkers see of a plan's health checks, as the sides behave: rules for the emulated AWS. Pure.
//!
//! A status below 400 and, where a text is looked for, a body with that text are healthy; a connection always is, as both
//! sides listen (Route 53 developer guide, *How Route 53 determines whether a health check is healthy*).

use serde_json::{Map, Value, json};

use crate::world::Conduct;

/// The rules for those checks of a plan that fail while the old side and the new one behave so.
pub fn rules(plan: &Value, [old, new]: &[Conduct; 2]) -> Vec<Value> {
    let mut rules = Vec::new();
    for route in plan["routes"].as_array().into_iter().flatten() {
        for (side, conduct) in [("old", old), ("new", new)] {
            let check = &route["health_checks"][side];
            let Some(failure) = check.as_object().and_then(|_| failure(check, conduct)) else { continue };
            let named = ["fqdn", "ip_address", "port"].into_iter().filter(|field| !check[field].is_null());
            let named: Map<String, Value> = named.map(|field| (field.to_owned(), check[field].clone())).collect();
            rules.push(json!({ "match": named, "health": { "percent": 0, "failure": failure } }));
        }
    }
    rules
}

/// What a failing checker says; none where it succeeds.
fn failure(check: &Value, conduct: &Conduct) -> Option<String> {
    if check["protocol"] == "tcp" {
        return None;
    }
    if conduct.health_status >= 400 {
        return Some(format!("Failure: HTTP Status Code {}", conduct.health_status));
    }
    let wanted = check["search_string"].as_str()?;
    let is_there = conduct.health_body.contains(wanted);
    (!is_there).then(|| "Failure: The body of the response did not contain the search string.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_fails_as_its_side_does() {
        let tcp = json!({ "ip_address": "192.0.2.1", "protocol": "tcp", "port": 5432 });
        let plan = json!({ "routes": [{ "health_checks": {
            "old": { "fqdn": "old.example.com" }, "new": { "fqdn": "new.example.com", "port": 80, "search_string": "ok" } } },
            { "health_checks": { "new": tcp } }] });
        let conduct = |health_status, health_body: &str| Conduct {
            health_status,
            health_body: health_body.to_owned(),
            ..Conduct::default()
        };
        let matches =
            |old, new| -> Vec<Value> { rules(&plan, &[old, new]).iter().map(|rule| rule["match"].clone()).collect() };
        let old = json!({ "fqdn": "old.example.com" });
        let new = json!({ "fqdn": "new.example.com", "port": 80 });
        let well = || conduct(200, "ok");
        assert_eq!(matches(well(), well()), [Value::Null; 0]);
        assert_eq!(matches(conduct(503, "ok"), well()), [old]);
        assert_eq!(matches(conduct(302, ""), conduct(500, "ok")), std::slice::from_ref(&new));
        assert_eq!(matches(well(), conduct(200, "sorry")), [new]);
    }
}
