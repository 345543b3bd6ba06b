//! Dimensions, compared with the plan's routes: CloudWatch matches all of them exactly, and answers nothing otherwise.

use super::known::Namespace;
use super::{Report, Series};
use crate::arn::{Place, load_balancer_dimension, target_group_dimension};
use crate::dns::bare_name;
use crate::plan::{Plan, Route};

const BALANCER: &str = "LoadBalancer";
const GROUP: &str = "TargetGroup";
const ZONE: &str = "AvailabilityZone";

/// The load balancers and target groups of the plan's routes, as CloudWatch names them.
pub(super) struct Balancing {
    /// Balancers, each with its groups.
    forwards: Vec<(String, [String; 2])>,
    /// The names of the load balancers that the new side's aliases lead to; none where a name may lead to any.
    aliased: Option<Vec<String>>,
    /// The regions of the listeners and rules.
    regions: Vec<String>,
    /// Whether names move: the plan does not say which load balancer they lead to before.
    has_names: bool,
}

impl Balancing {
    pub(super) fn of(plan: &Plan) -> Self {
        let (mut forwards, mut aliased, mut regions) = (Vec::new(), Some(Vec::new()), Vec::new());
        for route in &plan.routes {
            match route {
                Route::Listener(route) => {
                    regions.extend(Place::of(route.arn()).map(|place| place.region.to_owned()));
                    let groups = [&route.old_target_group_arn, &route.new_target_group_arn];
                    let groups = groups.map(|arn| target_group_dimension(arn).unwrap_or_default().to_owned());
                    forwards.extend(load_balancer_dimension(route.arn()).map(|balancer| (balancer.to_owned(), groups)));
                }
                Route::Dns(route) => {
                    for record in &route.records {
                        let alias = record.new.as_ref().and_then(|new| new.alias.as_ref());
                        let name = alias.and_then(|alias| balancer_name(&alias.dns_name));
                        match (name, record.new.is_some()) {
                            (Some(name), _) => aliased.iter_mut().for_each(|names| names.push(name.clone())),
                            (None, true) => aliased = None,
                            (None, false) => {}
                        }
                    }
                }
            }
        }
        let has_names = plan.routes.iter().any(|route| matches!(route, Route::Dns(_)));
        Self { forwards, aliased, regions, has_names }
    }

    /// Of routes that could not be read: any balancer may be meant.
    pub(super) fn unknown() -> Self {
        Self { forwards: Vec::new(), aliased: None, regions: Vec::new(), has_names: true }
    }

    /// Whether a metric may have this zone: by its name, such as eu-west-1a or us-west-2-lax-1a, not by its id or its region.
    fn may_have_zone(&self, zone: &str) -> bool {
        let has_form = zone.matches('-').count() >= 2 && zone.ends_with(|c: char| c.is_ascii_lowercase());
        has_form && (self.aliased.as_ref().is_none_or(|names| !names.is_empty()) || self.is_in_a_region(zone))
    }

    fn is_in_a_region(&self, zone: &str) -> bool {
        self.regions.is_empty() || self.regions.iter().any(|region| zone.starts_with(region.as_str()))
    }

    /// What may be meant by a balancer that no listener or rule of the plan has: one that a name leads to, or has led to.
    fn may_be_behind_a_name(&self, balancer: &str, is_old: bool) -> bool {
        if is_old && self.has_names {
            return true;
        }
        let name = part(balancer, 1);
        self.aliased.as_ref().is_none_or(|names| names.iter().any(|aliased| aliased.eq_ignore_ascii_case(name)))
    }

    fn balancers(&self) -> String {
        let mut names: Vec<String> = self.forwards.iter().map(|(balancer, _)| format!("`{balancer}`")).collect();
        names.dedup();
        names.join(" or ")
    }

    /// The group that a series should have: of its side, of this balancer or of any.
    fn meant_group(&self, balancer: Option<&str>, series: &Series) -> Option<&str> {
        let mut forwards = self.forwards.iter();
        let found = forwards.find(|(known, _)| balancer.is_none_or(|balancer| known == balancer));
        found.map(|(_, groups)| groups[usize::from(!series.is_old)].as_str())
    }
}

pub(super) fn check(namespace: Namespace, series: &Series, balancing: &Balancing, report: &mut Report) {
    let (path, metric_name) = (&series.dimensions_path, series.metric_name);
    let (balancer, group) = (series.dimension(BALANCER), series.dimension(GROUP));
    let before = report.0.len();
    if let Some(balancer) = balancer {
        form_of_balancer(namespace, balancer, path, report);
    }
    if let Some(group) = group.filter(|group| !is_of_form(group, "targetgroup/")) {
        let fix = "write targetgroup/<name>/<id>, the end of the group's ARN";
        report.dead(path, format!("has the TargetGroup `{group}`, which no metric has"), fix);
    }
    if let Some(zone) = series.dimension(ZONE).filter(|zone| !balancing.may_have_zone(zone)) {
        let problem = format!("has the AvailabilityZone `{zone}`, which no metric of these routes has");
        report.dead(path, problem, "write the zone's name, such as eu-west-1a, in the region of the load balancer");
    }
    if let Some(other) = series.dimensions.keys().find(|name| ![BALANCER, GROUP, ZONE].contains(&name.as_str())) {
        let problem = format!("has the dimension `{other}`, which metrics of load balancers do not have");
        report.warn(path, problem, "name LoadBalancer, TargetGroup and AvailabilityZone only");
    }
    match (balancer, group) {
        (None, None) => {
            let fix = match balancing.forwards.first() {
                Some(_) => format!("add LoadBalancer: {}", balancing.balancers()),
                None => "add LoadBalancer, as app/<name>/<id>".to_owned(),
            };
            report.dead(path, format!("names no LoadBalancer: AWS publishes no {metric_name} of all of them"), fix);
        }
        (None, Some(group)) if metric_name != "RequestCountPerTarget" => {
            without_balancer(series, group, balancing, report)
        }
        (_, Some(_)) if namespace.is_balancers_own(metric_name) => {
            let problem =
                format!("has a TargetGroup: {metric_name} is counted by the load balancer itself, and is no group's");
            report.dead(path, problem, "name the LoadBalancer alone");
        }
        (Some(balancer), None) if Namespace::is_of_groups_only(metric_name) => {
            without_group(series, balancer, balancing, report)
        }
        _ => {}
    }
    if report.0.len() == before {
        against_routes(series, balancer, group, balancing, report);
    }
}

fn without_group(series: &Series, balancer: &str, balancing: &Balancing, report: &mut Report) {
    let fix = match balancing.meant_group(Some(balancer), series) {
        Some(group) => format!("add TargetGroup: `{group}`, if the {} side is meant", series.side()),
        None => "add TargetGroup, as targetgroup/<name>/<id>".to_owned(),
    };
    let problem = format!("names no TargetGroup: AWS publishes {} of each group only", series.metric_name);
    report.dead(&series.dimensions_path, problem, fix);
}

fn form_of_balancer(namespace: Namespace, balancer: &str, path: &str, report: &mut Report) {
    if is_of_form(balancer, namespace.prefix()) {
        return;
    }
    let prefix = namespace.prefix();
    let is_other = ["app/", "net/"].iter().any(|other| is_of_form(balancer, other));
    let problem = format!("has the LoadBalancer `{balancer}`, which no metric of this namespace has");
    let fix = match balancer.split_once("loadbalancer/") {
        Some((_, name)) if name.starts_with(prefix) => format!("write `{name}`"),
        _ if is_other => "take the namespace of this kind of load balancer".to_owned(),
        _ => format!("write {prefix}<name>/<id>, the end of the load balancer's ARN"),
    };
    report.dead(path, problem, fix);
}

fn without_balancer(series: &Series, group: &str, balancing: &Balancing, report: &mut Report) {
    let known = balancing.forwards.iter().find(|(_, groups)| groups.iter().any(|known| known == group));
    let fix = match known {
        Some((balancer, _)) => format!("add LoadBalancer: `{balancer}`"),
        None => "add the LoadBalancer that the group is behind".to_owned(),
    };
    let problem =
        format!("names a TargetGroup without its LoadBalancer: AWS publishes no {} like that", series.metric_name);
    report.dead(&series.dimensions_path, problem, fix);
}

/// Names of load balancers and of target groups are unique in an account and region, and a group is behind one load balancer
/// only: a known name with another id, or a known group with another balancer, is nothing that there is.
fn against_routes(
    series: &Series,
    balancer: Option<&str>,
    group: Option<&str>,
    balancing: &Balancing,
    report: &mut Report,
) {
    let path = &series.dimensions_path;
    if let Some(group) = group {
        for (known_balancer, groups) in &balancing.forwards {
            if groups.iter().any(|known| known == group) && balancer.is_some_and(|balancer| balancer != known_balancer)
            {
                let problem = format!("has `{group}` with another LoadBalancer than its own: it will never have data");
                return report.dead(path, problem, format!("write LoadBalancer: `{known_balancer}`"));
            }
            if let Some(known) = groups.iter().find(|known| is_namesake(known, group)) {
                let problem = format!("has the TargetGroup `{group}`: the plan's group of this name has another id");
                return report.dead(path, problem, format!("write TargetGroup: `{known}`"));
            }
        }
    }
    let Some(balancer) = balancer else { return };
    if let Some((known, _)) = balancing.forwards.iter().find(|(known, _)| is_namesake(known, balancer)) {
        let problem =
            format!("has the LoadBalancer `{balancer}`: the one of this name on the plan's route has another id");
        return report.dead(path, problem, format!("write LoadBalancer: `{known}`"));
    }
    if !balancing.forwards.iter().any(|(known, _)| known == balancer) {
        return unknown_balancer(series, balancer, balancing, report);
    }
    match group {
        Some(group) => of_side(series, balancer, group, balancing, report),
        None if series.is_old => {
            let meant = balancing.meant_group(Some(balancer), series).unwrap_or_default();
            let problem = "names no TargetGroup: the load balancer counts both sides, the new one too";
            report.warn(path, problem, format!("add TargetGroup: `{meant}`, the old side's"));
        }
        None => {}
    }
}

/// Whether a group behind a known balancer is one of the side that is meant.
fn of_side(series: &Series, balancer: &str, group: &str, balancing: &Balancing, report: &mut Report) {
    let path = &series.dimensions_path;
    let is_of = |side: usize| balancing.forwards.iter().any(|(_, groups)| groups[side] == group);
    let (is_old, is_new) = (is_of(0), is_of(1));
    let meant = balancing.meant_group(Some(balancer), series).unwrap_or_default();
    if !is_old && !is_new {
        let problem = format!("has the TargetGroup `{group}`, which no route of the plan has");
        report.warn(path, problem, format!("write TargetGroup: `{meant}`, if the {} side is meant", series.side()));
    } else if series.is_old && !is_old {
        let problem = format!("compares with `{group}`, the new target group: a side is no worse than itself");
        report.warn(
            path,
            problem,
            format!("write TargetGroup: `{meant}`, unless the two groups of the route are swapped"),
        );
    } else if !series.is_old && !is_new {
        let problem = format!(
            "watches `{group}`, the old target group: it says nothing of the new side, and at 100 % has no data"
        );
        report.warn(
            path,
            problem,
            format!("write TargetGroup: `{meant}`, unless the two groups of the route are swapped"),
        );
    }
}

fn unknown_balancer(series: &Series, balancer: &str, balancing: &Balancing, report: &mut Report) {
    if balancing.may_be_behind_a_name(balancer, series.is_old) {
        return;
    }
    let problem = format!(
        "has the LoadBalancer `{balancer}`, which no route of the plan has: it tells nothing of this cutover's users"
    );
    let fix = match (balancing.meant_group(None, series), balancing.forwards.is_empty()) {
        (Some(group), _) => {
            format!("write LoadBalancer: {}, TargetGroup: `{group}`, unless it is meant", balancing.balancers())
        }
        _ => "write the load balancer that the new records lead to, unless it is meant".to_owned(),
    };
    report.warn(&series.dimensions_path, problem, fix);
}

/// `<kind>/<name>/<id>`.
fn is_of_form(value: &str, prefix: &str) -> bool {
    let rest = value.strip_prefix(prefix).unwrap_or_default();
    matches!(rest.split('/').collect::<Vec<_>>()[..], [name, id] if !name.is_empty() && !id.is_empty())
}

fn is_namesake(one: &str, other: &str) -> bool {
    one != other && part(one, 0) == part(other, 0) && part(one, 1) == part(other, 1)
}

fn part(value: &str, index: usize) -> &str {
    value.split('/').nth(index).unwrap_or_default()
}

/// The name of a load balancer from its DNS name: `<name>-<digits or letters>.<region>.elb.amazonaws.com`.
fn balancer_name(dns_name: &str) -> Option<String> {
    let name = bare_name(dns_name);
    let first = name.strip_prefix("internal-").unwrap_or(&name);
    if !name.contains(".elb.") || !name.ends_with(".amazonaws.com.") {
        return None;
    }
    let (name, _) = first.split_once('.')?.0.rsplit_once('-')?;
    Some(name.to_owned())
}
