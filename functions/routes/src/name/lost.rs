//! Aliases of the zone that would answer nothing: they lead to a type of the name that goes away. Pure.
//!
//! Route 53 answers an alias with records of the alias's own type only (API reference, *AliasTarget*): one of type A does not
//! follow a name that becomes a CNAME. A CNAME follows whatever there is.

use std::collections::BTreeSet;

use aws_sdk_route53::types::ResourceRecordSet;
use cutover::dns::normalise_name;
use cutover::plan::Route;

use super::behind::{Named, moves, shown, target, what};
use super::state::NameState;
use crate::behind::Behind;

impl Named<'_> {
    /// What becomes of these aliases, and what would move them, too.
    pub(super) fn without_answer(&self, serving: &[&ResourceRecordSet]) -> Vec<Behind> {
        let told = |record: &ResourceRecordSet| {
            let (kind, name) = (record.r#type.as_str(), shown(&record.name));
            let problem = format!(
                "takes the {kind} records away that {kind} {name} leads to as an alias: that would answer nothing"
            );
            let fix = if self.is_moved(&self.zone.id, record) {
                format!("put the route for {name} before this one")
            } else {
                format!("add a route for {name} before this one, or make it a CNAME")
            };
            self.say(what(record), problem, fix)
        };
        self.lost(serving).into_iter().map(told).collect()
    }

    /// The zone's aliases that would answer nothing in the end, those that lead here by others among them.
    pub(super) fn lost<'r>(&self, serving: &[&'r ResourceRecordSet]) -> Vec<&'r ResourceRecordSet> {
        let Ok(finished) = self.state.finished(self.route) else { return Vec::new() };
        let name = self.route.normalised_name();
        let gone = &kinds(self.state) - &kinds(&finished);
        let mut next: Vec<(String, String)> = gone.into_iter().map(|kind| (name.clone(), kind.to_owned())).collect();
        let mut found: Vec<&ResourceRecordSet> = Vec::new();
        while let Some((name, kind)) = next.pop() {
            for record in serving.iter().copied().filter(|record| record.r#type.as_str() == kind) {
                let is_known = found.iter().any(|other| std::ptr::eq(*other, record));
                if !is_known && self.is_alias_of(record, &name) && !self.is_moved_before(record) {
                    found.push(record);
                    next.push((normalise_name(&record.name), kind.clone()));
                }
            }
        }
        found
    }

    fn is_alias_of(&self, record: &ResourceRecordSet, name: &str) -> bool {
        let is_of_zone = record.alias_target.as_ref().is_some_and(|alias| alias.hosted_zone_id == self.zone.id);
        is_of_zone && target(record).as_deref() == Some(name)
    }

    /// Whether an earlier route of the plan moves it: then it leads elsewhere before the type goes, and is put back after it is there
    /// again.
    fn is_moved_before(&self, record: &ResourceRecordSet) -> bool {
        let is_own = |route: &&Route| matches!(route, Route::Dns(route) if route == self.route);
        self.plan.routes.iter().take_while(|route| !is_own(route)).any(|route| moves(route, &self.zone.id, record))
    }
}

fn kinds(state: &NameState) -> BTreeSet<&str> {
    state.records().iter().map(|record| record.record_type.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use cutover::plan::Plan;
    use serde_json::{Value, json};

    use super::*;
    use crate::name::around::HostedZone;
    use crate::name::behind::tests::{alias, record, with};

    /// What stays and what is told of a plan for `app.example.com`, for other names before it, and `later` after it, in a
    /// zone of these records.
    fn found(records: Value, before: &[&str], live: &[ResourceRecordSet], others: &[ResourceRecordSet]) -> Vec<String> {
        let route = |name: &str, records: &Value| {
            json!({ "type": "dns", "hosted_zone_id": "Z1", "record_name": name, "records": records,
                "steps": [{ "new_weight": 100 }] })
        };
        let values = json!([{ "type": "A", "new": { "values": ["5.6.7.8"] } }]);
        let before = before.iter().map(|name| route(name, &values));
        let app = [route("app.example.com", &records)];
        let routes: Vec<Value> = before.chain(app).chain([route("later.example.com", &values)]).collect();
        let plan = Plan::read(&json!({ "application": "a", "routes": routes })).unwrap();
        let app = plan.routes.iter().rev().nth(1);
        let Some(Route::Dns(route)) = app else { panic!("no name") };
        let state = NameState::new(live.iter().map(|one| crate::name::aws::from_aws(one).unwrap()).collect());
        let zone = HostedZone { id: "Z1".to_owned(), name: "example.com.".to_owned(), is_private: false };
        let named = Named { plan: &plan, route, path: "$", zone: &zone, state: &state };
        let around = with([live, others].concat());
        let stays = named.behind(&around).into_iter().map(|one| one.what);
        stays.chain(named.told(&around).into_iter().map(|finding| finding.problem)).collect()
    }

    fn follower(kind: &str, name: &str, to: &str) -> ResourceRecordSet {
        alias(kind, &format!("{name}.example.com."), &format!("{to}.example.com."), "Z1")
    }

    fn addresses() -> Vec<ResourceRecordSet> {
        vec![record("A", "app.example.com.", &["1.2.3.4"]), record("AAAA", "app.example.com.", &["2001:db8::1"])]
    }

    #[test]
    fn aliases_to_a_type_that_goes_away_would_answer_nothing() {
        let others = [
            follower("A", "www", "app"),
            follower("AAAA", "www", "app"),
            follower("AAAA", "shop", "www"),
            record("CNAME", "cname.example.com.", &["app.example.com"]),
        ];
        let to_cname = json!([{ "type": "CNAME", "new": { "values": ["new.example.net"] } }]);
        let told = "takes with it what leads to it: cname.example.com";
        let lost = ["AAAA www.example.com", "AAAA shop.example.com", "A www.example.com", told];
        assert_eq!(found(to_cname, &[], &addresses(), &others), lost);
        let without_aaaa = json!([{ "type": "A", "new": { "values": ["5.6.7.8"] } }, { "type": "AAAA", "new": null }]);
        let told = "takes with it what leads to it: www.example.com, cname.example.com";
        let lost = ["AAAA www.example.com", "AAAA shop.example.com", told];
        assert_eq!(found(without_aaaa, &[], &addresses(), &others), lost);
    }

    #[test]
    fn an_alias_of_type_cname_does_not_follow_a_name_that_becomes_an_alias() {
        let to_alias = json!([{ "type": "A", "new": { "values": ["5.6.7.8"] } }]);
        let live = [record("CNAME", "app.example.com.", &["old.example.net"])];
        let others = [follower("CNAME", "www", "app")];
        assert_eq!(found(to_alias, &[], &live, &others), ["CNAME www.example.com"]);
    }

    #[test]
    fn what_an_earlier_route_moves_is_not_left_without_an_answer() {
        let to_cname = || json!([{ "type": "CNAME", "new": { "values": ["new.example.net"] } }]);
        let others = [follower("A", "www", "app")];
        assert_eq!(found(to_cname(), &["www.example.com"], &addresses(), &others), [""; 0]);
        let others = [follower("A", "later", "app")];
        assert_eq!(
            found(to_cname(), &[], &addresses(), &others),
            ["A later.example.com"],
            "its alias would be made again"
        );
    }

    #[test]
    fn a_name_that_keeps_its_types_takes_its_aliases_with_it() {
        let both = json!([{ "type": "A", "new": { "values": ["5.6.7.8"] } },
            { "type": "AAAA", "new": { "values": ["2001:db8::2"] } }]);
        let others = [follower("A", "www", "app"), follower("AAAA", "www", "app")];
        let told = "takes with it what leads to it: www.example.com";
        assert_eq!(found(both, &[], &addresses(), &others), [told]);
    }
}
