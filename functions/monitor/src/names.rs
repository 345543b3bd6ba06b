//! Looks at what Route 53 answers a name's records by beside their weights: health checks (the run's, inherited ones and named
//! ones), and the health of load balancers that their aliases evaluate.
//!
//! A final record keeps the check that the old one had, unless the plan says otherwise. To go back would not rid users of it, and it may
//! ask the old side, which is switched off by and by. So after the cutover such a check sends no run back: that it fails is told, where
//! users get something else for it.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_route53::Client as Route53;
use cutover::StepResult;
use cutover::error::name;
use cutover::plan::{DnsRoute, RecordType};
use cutover::verdict::Verdict;
use routes::RouteState;
use routes::any::Clients;
use routes::name::forecast::{difference, new_percent};
use routes::name::shares::{Health, Zone};
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
    /// Whether the run is finished, and its records final.
    pub is_finished: bool,
}

/// Whether something but their weights decides over the answers of both sides' records in this state.
pub fn has_health(route: &DnsRoute, before: &NameState, state: &RouteState) -> bool {
    match state {
        RouteState::Dns { records, .. } => {
            !records.attached(route, before).is_empty() || !records.evaluated(route, before).is_empty()
        }
        RouteState::Listener(_) => false,
    }
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
        let (matters, is_kept) = (self.matters(attached.side), self.is_kept(&attached.id));
        let verdict = match look.status {
            Status::Unhealthy if matters && is_kept && effect.is_empty() => Verdict::Healthy,
            Status::Unhealthy if matters && is_kept => Verdict::Inconclusive,
            Status::Unhealthy if matters => Verdict::Unhealthy,
            Status::Unknown | Status::Missing if matters => Verdict::Inconclusive,
            _ => Verdict::Healthy,
        };
        let told = match look.status {
            Status::Unhealthy if is_kept => {
                format!("{effect}; the old record had this check too: to go back would change nothing of it")
            }
            Status::Unhealthy => effect.to_owned(),
            _ => String::new(),
        };
        let seen = format!("{}: {}{told}", look.asks, look.seen);
        Check::new(self.check_title(attached), verdict, seen)
    }

    /// Whether a final record has its check from before.
    fn is_kept(&self, id: &str) -> bool {
        let before = || self.before.attached(self.route, self.before);
        self.is_finished && before().iter().any(|one| one.side == Side::Old && one.id == id)
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
        if self.is_finished {
            return self.effect_in_the_end(health);
        }
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

    /// The same of final records, which may stand alone, or beside neighbours only.
    fn effect_in_the_end(&self, health: &Health) -> String {
        let zone = Zone { id: self.route.hosted_zone_id.clone(), ..Zone::default() };
        let zone = zone.with_name(&self.route.normalised_name(), self.live.records());
        let kinds: BTreeSet<&str> = self.live.records().iter().map(|record| record.record_type.as_str()).collect();
        let unknown = kinds
            .into_iter()
            .filter(|kind| zone.shares(&self.route.record_name, kind, health).is_err())
            .map(|kind| format!("what users of {kind} get is not known"));
        let effects: Vec<String> =
            difference(self.route, self.before, &zone, health).into_iter().chain(unknown).collect();
        if effects.is_empty() { String::new() } else { format!("; so {}", effects.join(", ")) }
    }
}

#[cfg(test)]
mod tests;
