//! Looks at what Route 53 answers a name's records by beside their weights: health checks (the run's, inherited ones and named
//! ones), and the health of load balancers that their aliases evaluate.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_route53::Client as Route53;
use cutover::StepResult;
use cutover::error::name;
use cutover::plan::{DnsRoute, RecordType};
use cutover::verdict::Verdict;
use routes::any::Clients;
use routes::name::forecast::new_percent;
use routes::name::shares::Health;
use routes::name::{Attached, Look, NameState, Side, Status};

use crate::Check;
use crate::observe::failed;

/// A name of the run at a step: where it is, and the new side's share there.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a> {
    /// The route.
    pub route: &'a DnsRoute,
    /// Its before-image.
    pub before: &'a NameState,
    /// Its live record sets.
    pub live: &'a NameState,
    /// What the step gives the new side.
    pub percent: u8,
}

/// A check for each health check of the two sides' records, and for each load balancer whose health their aliases evaluate.
///
/// # Errors
/// `Cutover.NotPermitted`.
pub async fn health(clients: &Clients, name: Name<'_>) -> StepResult<Vec<Check>> {
    let mut checks = Vec::new();
    let mut seen = Vec::new();
    for attached in name.live.attached(name.route, name.before) {
        match routes::name::check_look::look(&clients.route53, &attached.id).await {
            Ok(look) => seen.push((attached, look)),
            Err(error) => checks.push(failed(name.check_title(&attached), error)?),
        }
    }
    let evaluated = name.live.evaluated(name.route, name.before);
    let targets: BTreeSet<String> = evaluated.iter().map(|(_, target)| target.clone()).collect();
    let targets = routes::balancers::health(&clients.elb, &targets).await;
    let known = targets.clone().unwrap_or_default();
    let is_sick =
        seen.iter().any(|(_, look)| look.status == Status::Unhealthy) || known.values().any(|healthy| !healthy);
    let effect =
        if is_sick { name.effect(&of_all(&clients.route53, name.live, &seen, known).await) } else { String::new() };
    checks.extend(seen.iter().map(|(attached, look)| name.judge_check(attached, look, &effect)));
    for (side, target) in evaluated {
        checks.push(match &targets {
            Ok(targets) => name.judge_target(side, &target, targets.get(&target).copied(), &effect),
            // Weights were moved before this was looked at, too: what nobody may see ends no step.
            Err(error) if error.name == name::NOT_PERMITTED => name.judge_target(side, &target, None, &effect),
            Err(error) => failed(name.target_title(side, &target), error.clone())?,
        });
    }
    Ok(checks)
}

/// What is known of every check and target on the name: what was seen, and neighbours' checks that can be seen.
async fn of_all(
    route53: &Route53,
    live: &NameState,
    seen: &[(Attached, Look)],
    targets: BTreeMap<String, bool>,
) -> Health {
    let mut health = Health { targets, ..Health::default() };
    seen.iter().for_each(|(_, look)| health.add(look));
    for id in live.records().iter().filter_map(|record| record.health_check_id.as_ref()) {
        // What cannot be seen is missing in the shares, which are not known then.
        if !health.checks.contains_key(id)
            && let Ok(look) = routes::name::check_look::look(route53, id).await
        {
            health.add(&look);
        }
    }
    health
}

impl Name<'_> {
    fn check_title(&self, attached: &Attached) -> String {
        format!("health check {} of {}, {} side", attached.id, self.route.record_name, attached.side.as_str())
    }

    fn target_title(&self, side: Side, target: &str) -> String {
        format!("{target} behind {}, {} side", self.route.record_name, side.as_str())
    }

    /// An old side without weight has nobody to lose: its health is told, and ends no step.
    fn matters(&self, side: Side) -> bool {
        side == Side::New || self.percent < 100
    }

    fn judge_check(&self, attached: &Attached, look: &Look, effect: &str) -> Check {
        let matters = self.matters(attached.side);
        let verdict = match look.status {
            Status::Unhealthy if matters => Verdict::Unhealthy,
            Status::Unknown | Status::Missing if matters => Verdict::Inconclusive,
            _ => Verdict::Healthy,
        };
        let effect = if look.status == Status::Unhealthy { effect } else { "" };
        let seen = format!("{}: {}{effect}", look.asks, look.seen);
        Check::new(self.check_title(attached), verdict, seen)
    }

    /// What an alias leads to may be in another account or region: that it is not seen is told, and ends no step.
    fn judge_target(&self, side: Side, target: &str, healthy: Option<bool>, effect: &str) -> Check {
        let (verdict, seen) = match healthy {
            Some(true) => (Verdict::Healthy, "healthy for Route 53".to_owned()),
            Some(false) => {
                let verdict = if self.matters(side) { Verdict::Unhealthy } else { Verdict::Healthy };
                (verdict, format!("one of its target groups has no healthy target{effect}"))
            }
            None => (Verdict::Healthy, "its health is not seen".to_owned()),
        };
        Check::new(self.target_title(side, target), verdict, seen)
    }

    /// What failing checks do to what users get.
    fn effect(&self, health: &Health) -> String {
        let of_type = |kind: RecordType| {
            let (step, kind) = (self.percent, kind.as_str());
            match new_percent(self.route, self.before, self.live, health, kind) {
                Some(percent) if (percent - f64::from(step)).abs() < 0.5 => None,
                Some(percent) => Some(format!("of {kind} the new side gets {percent:.0} %, not {step} %")),
                None => Some(format!("what users of {kind} get is not known")),
            }
        };
        let kinds = self.route.records.iter().map(|change| change.record_type);
        let moved = kinds.filter(|kind| self.before.is_moved(self.route, *kind));
        let effects: Vec<String> = moved.filter_map(of_type).collect();
        if effects.is_empty() { String::new() } else { format!("; so {}", effects.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use routes::name::PairChecks;
    use serde_json::json;

    use super::*;

    fn route() -> DnsRoute {
        let route = json!({ "hosted_zone_id": "Z1", "record_name": "a.example.com", "steps": [{ "new_weight": 100 }],
            "records": [{ "type": "A", "new": { "values": ["5.6.7.8"] } }] });
        serde_json::from_value(route).unwrap()
    }

    /// What is said of the check of a side that is in a state, the other one's being healthy.
    fn judged(side: Side, status: Status, percent: u8) -> (Verdict, String) {
        let record = json!([{ "type": "A", "ttl": 300, "values": ["1.2.3.4"] }]);
        let (route, before) = (route(), serde_json::from_value::<NameState>(record).unwrap());
        let checks = PairChecks { old: Some("old".to_owned()), new: Some("new".to_owned()) };
        let live = before.planned(&route, percent, &checks).unwrap();
        let name = Name { route: &route, before: &before, live: &live, percent };
        let look = |of: Side| Look {
            id: of.as_str().to_owned(),
            asks: "https://x:443/".to_owned(),
            status: if of == side { status } else { Status::Healthy },
            seen: "seen".to_owned(),
        };
        let mut health = Health::default();
        [Side::Old, Side::New].map(look).iter().for_each(|look| health.add(look));
        let attached = Attached { side, id: side.as_str().to_owned() };
        let check = name.judge_check(&attached, &look(side), &name.effect(&health));
        (check.verdict, check.seen)
    }

    #[test]
    fn a_failing_check_is_an_unhealthy_look_while_its_side_has_users_to_lose_or_to_get() {
        use Side::{New, Old};
        use Status::{Healthy, Unhealthy, Unknown, Unseen};
        for (side, status, percent, verdict) in [
            (New, Healthy, 10, Verdict::Healthy),
            (New, Unhealthy, 0, Verdict::Unhealthy),
            (New, Unhealthy, 100, Verdict::Unhealthy),
            (Old, Unhealthy, 0, Verdict::Unhealthy),
            (Old, Unhealthy, 99, Verdict::Unhealthy),
            (Old, Unhealthy, 100, Verdict::Healthy),
            (New, Unknown, 10, Verdict::Inconclusive),
            (Old, Unknown, 100, Verdict::Healthy),
            (New, Unseen, 10, Verdict::Healthy),
        ] {
            assert_eq!(judged(side, status, percent).0, verdict, "{side:?} {status:?} {percent}");
        }
    }

    #[test]
    fn what_a_failing_check_does_to_users_is_said() {
        assert_eq!(judged(Side::New, Status::Healthy, 10).1, "https://x:443/: seen");
        let old = judged(Side::Old, Status::Unhealthy, 10).1;
        assert_eq!(old, "https://x:443/: seen; so of A the new side gets 100 %, not 10 %");
        let new = judged(Side::New, Status::Unhealthy, 10).1;
        assert_eq!(new, "https://x:443/: seen; so of A the new side gets 0 %, not 10 %");
        assert_eq!(judged(Side::New, Status::Unhealthy, 0).1, "https://x:443/: seen");
    }

    #[test]
    fn a_balancer_that_cannot_be_seen_ends_no_step_and_a_sick_one_does() {
        let (route, before) = (route(), NameState::new(vec![]));
        let judged = |side, healthy, percent| {
            let name = Name { route: &route, before: &before, live: &before, percent };
            name.judge_target(side, "lb.example.net.", healthy, "").verdict
        };
        assert_eq!(judged(Side::New, None, 10), Verdict::Healthy);
        assert_eq!(judged(Side::New, Some(true), 10), Verdict::Healthy);
        assert_eq!(judged(Side::New, Some(false), 10), Verdict::Unhealthy);
        assert_eq!(judged(Side::Old, Some(false), 10), Verdict::Unhealthy);
        assert_eq!(judged(Side::Old, Some(false), 100), Verdict::Healthy);
    }
}
