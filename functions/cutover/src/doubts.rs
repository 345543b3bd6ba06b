//! What a plan says that can hardly be meant, or guards nothing, and can be seen in the plan alone. Pure.
//!
//! Contract: [`findings`] are warnings only, each at its place. Precheck tells them with what it has observed, and whoever judges a plan alone tells
//! the same ones. What cannot be meant at all is an error of `Plan::read`; metrics of load balancers are those of [`crate::gates`], writers
//! those of [`crate::quiesce`].

mod compared;
mod figures;
mod load_test;

use std::collections::BTreeMap;

use crate::Finding;
use crate::dns::normalise_name;
use crate::plan::{Comparison, Moment, Plan, Route};
use crate::probe::Target;

/// More of them say no more, and would push out what precheck has observed.
const MOST: usize = 15;
/// So many steps that split traffic, none of them held, are no ramp that anybody looks at.
const UNHELD: usize = 2;

/// Everything that is to be doubted of a plan.
pub fn findings(plan: &Plan) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(nobody_told(plan));
    findings.extend(never_called(plan));
    findings.extend(asks_what_moves(plan));
    findings.extend(compared::findings(plan));
    findings.extend(figures::silently_by_threshold(plan));
    findings.extend(figures::falling(plan));
    findings.extend(load_test::findings(plan));
    findings.extend(shares_for_percent(plan));
    findings.extend(one_name_for_two(plan));
    findings.extend(old_groups_watched(plan));
    findings.extend(unheld(plan));
    findings.truncate(MOST);
    findings
}

fn nobody_told(plan: &Plan) -> Option<Finding> {
    plan.notify.is_none().then(|| {
        let problem = "is missing: nobody is told of anything, not even of a run that is stuck";
        Finding::warning("$.notify", problem, "name an SNS topic that somebody reads")
    })
}

/// Who responds is called by the moment `incident`, and by no other.
fn never_called(plan: &Plan) -> impl Iterator<Item = Finding> {
    let groups = plan.stakeholders.groups.iter().enumerate();
    groups.filter(|(_, group)| !group.hears(Moment::Incident)).filter_map(|(index, group)| {
        let level = group.responds.filter(|level| *level > 0)?;
        let problem = format!("is {level}, and its `moments` lack `incident`: it would never be called");
        let fix = "add \"incident\" to its moments, or leave responds out";
        Some(Finding::warning(format!("$.stakeholders.groups[{index}].responds"), problem, fix))
    })
}

/// What is to ask the new side by a name that the plan moves asks whatever side the name leads to. Where a wildcard moves, such a name may have
/// records of its own: of that nothing can be said here.
fn asks_what_moves(plan: &Plan) -> impl Iterator<Item = Finding> {
    let probe = plan.health_check.as_ref().map(|probe| ("$.health_check.url", &probe.url));
    let load = plan.load_test.as_ref().map(|test| ("$.load_test.targets.new.url", &test.targets.new.url));
    let asked = |(path, url): (&'static str, &String)| {
        let host = normalise_name(&Target::parse(url).ok()?.host);
        let moved = plan.routes.iter().find_map(|route| match route {
            Route::Dns(name) if name.normalised_name() == host => Some(name.record_name.trim_end_matches('.')),
            _ => None,
        })?;
        let problem = format!(
            "has the host {moved}, the name that the plan moves: it leads to the old side until its traffic has moved"
        );
        let fix = format!("give an address or a name of the new side alone, and `\"host\": \"{moved}\"` beside it");
        Some(Finding::warning(path, problem, fix))
    };
    [probe, load].into_iter().flatten().filter_map(asked)
}

/// What AWS measures as a `...Utilization` is in percent; Lambda's are shares (Lambda developer guide, types of metrics).
fn shares_for_percent(plan: &Plan) -> impl Iterator<Item = Finding> {
    let limits = plan.validation.limits.iter().enumerate().map(|(index, limit)| {
        (format!("$.validation.limits[{index}].max"), &limit.namespace, &limit.metric_name, limit.max)
    });
    let plain = plan
        .monitoring
        .metrics
        .iter()
        .enumerate()
        .filter(|(_, metric)| metric.divide_by.is_none() && is_greater(metric.comparison));
    let gates = plain.map(|(index, metric)| {
        (format!("$.monitoring.metrics[{index}].threshold"), &metric.namespace, &metric.metric_name, metric.threshold)
    });
    limits.chain(gates).filter_map(|(path, namespace, metric_name, value)| {
        let is_percent =
            metric_name.ends_with("Utilization") && namespace.starts_with("AWS/") && namespace != "AWS/Lambda";
        (is_percent && value > 0.0 && value <= 1.0).then(|| {
            let problem =
                format!("is {value}, and {metric_name} is in percent, 0 to 100: hardly anything is below that");
            Finding::warning(path, problem, format!("write {}, if a share was meant", rounded(value * 100.0)))
        })
    })
}

/// Less than one percent may be meant: what does nothing is in trouble, too.
fn is_greater(comparison: Comparison) -> bool {
    matches!(comparison, Comparison::GreaterThan | Comparison::GreaterThanOrEqual)
}

/// Without what the arithmetic of floats leaves behind.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// Messages, reports and world files call metrics by their names.
fn one_name_for_two(plan: &Plan) -> Vec<Finding> {
    let gates = plan.monitoring.metrics.iter().map(|metric| &metric.name);
    let limits = plan.validation.limits.iter().map(|limit| &limit.name);
    let twice = |path: &str, names: Vec<&String>| -> Vec<Finding> {
        let mut first: BTreeMap<&String, usize> = BTreeMap::new();
        let told = names.into_iter().enumerate().filter_map(|(index, name)| match first.get(name) {
            Some(before) => {
                let problem =
                    format!("is also that of {path}[{before}]: messages and reports cannot tell the two apart");
                Some(Finding::warning(format!("{path}[{index}].name"), problem, "give each a name of its own"))
            }
            None => {
                first.insert(name, index);
                None
            }
        });
        told.collect()
    };
    let mut findings = twice("$.monitoring.metrics", gates.collect());
    findings.extend(twice("$.validation.limits", limits.collect()));
    findings
}

/// The old side's group empties as traffic moves; its health says nothing of the new side.
fn old_groups_watched(plan: &Plan) -> impl Iterator<Item = Finding> {
    let olds: Vec<&String> = plan
        .routes
        .iter()
        .filter_map(|route| match route {
            Route::Listener(listener) => Some(&listener.old_target_group_arn),
            Route::Dns(_) => None,
        })
        .collect();
    let watched = plan.monitoring.target_groups.iter().enumerate();
    let old = watched.filter(move |(_, group)| olds.contains(&&group.target_group_arn));
    old.map(|(index, _)| {
        let path = format!("$.monitoring.target_groups[{index}].target_group_arn");
        let problem = "is the old target group of a route: it says nothing of the new side";
        Finding::warning(
            path,
            problem,
            "leave it out, or name a group of the new side; that of the route is watched anyway",
        )
    })
}

/// Steps follow each other at once where none is held: a ramp that nobody looks at is a switch with more changes.
fn unheld(plan: &Plan) -> impl Iterator<Item = Finding> {
    plan.routes.iter().enumerate().filter_map(|(index, route)| {
        let partial: Vec<_> = route.steps().iter().filter(|step| (1..100).contains(&step.new_weight)).collect();
        let is_unheld = partial.len() >= UNHELD && partial.iter().all(|step| step.hold.0 == 0);
        is_unheld.then(|| {
            let problem = format!(
                "split traffic {} times, and none of them is held: nothing is looked at in between",
                partial.len()
            );
            let fix = "give those that are to be watched a hold, such as \"15m\", and leave the others out";
            Finding::warning(format!("$.routes[{index}].steps"), problem, fix)
        })
    })
}

#[cfg(test)]
mod tests;
