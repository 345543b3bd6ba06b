//! The gates of a draft: pure.
//!
//! Contract: dimensions as AWS publishes them (Elastic Load Balancing user guide, "CloudWatch metrics for your Application Load
//! Balancer"): what targets do by LoadBalancer and TargetGroup, what the load balancer answers itself by LoadBalancer alone.
//! Network Load Balancers have no metric of errors by target group: their routes get none. What targets do is held to a limit, and
//! compared with the old targets where they are known: a limit that both sides are within says nothing of which is worse.

use std::collections::BTreeMap;

use cutover::arn::short_name;
use routes::listener::arns;

use super::document::{Divisor, Forwarding, Gate, Route, Side};

const NAMESPACE: &str = "AWS/ApplicationELB";
/// A share: 1 %.
const MOST_ERRORS: f64 = 0.01;
/// Where it is not known how slow the old side is.
const SLOW_SECONDS: f64 = 1.0;
/// Below that, a threshold would find the noise of single requests.
const LEAST_SLOW_SECONDS: f64 = 0.5;

/// The gates of these routes, and of the load balancers (by ARN) to which a name leads on the new side.
pub fn of(routes: &[Route], aliased: &[String]) -> Vec<Gate> {
    let mut gates = Vec::new();
    for route in routes {
        if let Route::Listener(route) = route
            && let Some(balancer) = arns::balancer(route.arn())
        {
            gates.extend(of_balancer(&balancer, Some(route)));
        }
    }
    gates.extend(aliased.iter().flat_map(|balancer| of_balancer(balancer, None)));
    let mut seen: Vec<String> = Vec::new();
    gates.retain(|gate| {
        let is_first = !seen.contains(&gate.name);
        seen.push(gate.name.clone());
        is_first
    });
    gates
}

/// Makes the p95's gates of a route twice what the old side had in its slowest hour, in tenths of a second; answers whether there are
/// such gates.
pub fn measure(gates: &mut [Gate], route: &Forwarding, slowest_seconds: f64) -> bool {
    let group = arns::group_dimension(&route.new_target_group_arn);
    let is_it = |gate: &&mut Gate| {
        let of_group = gate.dimensions.get("TargetGroup").is_some_and(|known| known == group);
        of_group && gate.metric_name == "TargetResponseTime"
    };
    let mut found = false;
    for gate in gates.iter_mut().filter(is_it) {
        gate.threshold = ((slowest_seconds * 20.0).ceil() / 10.0).max(LEAST_SLOW_SECONDS);
        found = true;
    }
    found
}

fn of_balancer(balancer: &str, route: Option<&Forwarding>) -> Vec<Gate> {
    if !balancer.contains(":loadbalancer/app/") {
        return Vec::new();
    }
    let name = arns::balancer_dimension(balancer);
    let own = BTreeMap::from([("LoadBalancer", name.to_owned())]);
    let mut targets = own.clone();
    let group = route.map(|route| arns::group_dimension(&route.new_target_group_arn));
    targets.extend(group.map(|group| ("TargetGroup", group.to_owned())));
    let side = short_name(group.unwrap_or(name));
    let mut gates = vec![
        errors(format!("5xx of {side}"), "HTTPCode_Target_5XX_Count", targets.clone()),
        errors(format!("5xx of the load balancer {} itself", short_name(name)), "HTTPCode_ELB_5XX_Count", own.clone()),
        slow(format!("p95 of {side}, seconds"), targets.clone()),
    ];
    if let Some(old) = route.map(|route| arns::group_dimension(&route.old_target_group_arn)) {
        let beside = format!("{side} beside {}", short_name(old));
        let mut dimensions = own;
        dimensions.insert("TargetGroup", old.to_owned());
        let compared = |gate: Gate| Gate { compare_to: Some(Side { dimensions: dimensions.clone() }), ..gate };
        gates.push(compared(errors(format!("5xx of {beside}"), "HTTPCode_Target_5XX_Count", targets.clone())));
        gates.push(compared(slow(format!("p95 of {beside}, seconds"), targets)));
    }
    gates
}

fn errors(name: String, metric_name: &'static str, dimensions: BTreeMap<&'static str, String>) -> Gate {
    Gate {
        name,
        namespace: NAMESPACE,
        metric_name,
        dimensions,
        statistic: "Sum",
        divide_by: Some(Divisor { metric_name: "RequestCount" }),
        compare_to: None,
        comparison: "greater_than",
        threshold: MOST_ERRORS,
        missing: Some("zero_if_divisor"),
    }
}

fn slow(name: String, dimensions: BTreeMap<&'static str, String>) -> Gate {
    let (metric_name, statistic) = ("TargetResponseTime", "p95");
    Gate {
        name,
        namespace: NAMESPACE,
        metric_name,
        dimensions,
        statistic,
        divide_by: None,
        compare_to: None,
        comparison: "greater_than",
        threshold: SLOW_SECONDS,
        missing: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";

    fn route(kind: &str, rest: &str) -> Route {
        let group = |name: &str| format!("{BEFORE}:targetgroup/{name}/1");
        Route::Listener(Forwarding::of(&format!("{BEFORE}:{kind}/{rest}"), &group("shop-old"), &group("shop-new")))
    }

    fn told(gates: &[Gate]) -> Vec<(&str, &str, usize)> {
        gates.iter().map(|gate| (gate.name.as_str(), gate.metric_name, gate.dimensions.len())).collect()
    }

    #[test]
    fn a_listener_and_its_rule_to_one_group_have_one_set_of_gates() {
        let gates = of(&[route("listener", "app/shop/1/2"), route("listener-rule", "app/shop/1/2/3")], &[]);
        let expected = [
            ("5xx of shop-new", "HTTPCode_Target_5XX_Count", 2),
            ("5xx of the load balancer shop itself", "HTTPCode_ELB_5XX_Count", 1),
            ("p95 of shop-new, seconds", "TargetResponseTime", 2),
            ("5xx of shop-new beside shop-old", "HTTPCode_Target_5XX_Count", 2),
            ("p95 of shop-new beside shop-old, seconds", "TargetResponseTime", 2),
        ];
        assert_eq!(told(&gates), expected);
        assert_eq!(gates[0].dimensions["TargetGroup"], "targetgroup/shop-new/1");
        assert_eq!(gates[0].dimensions["LoadBalancer"], "app/shop/1");
        assert_eq!(gates[0].compare_to, None);
        let old =
            gates[3].compare_to.as_ref().map(|old| (&*old.dimensions["LoadBalancer"], &*old.dimensions["TargetGroup"]));
        assert_eq!(old, Some(("app/shop/1", "targetgroup/shop-old/1")));
    }

    #[test]
    fn a_name_is_watched_at_the_load_balancer_that_it_leads_to() {
        let gates = of(&[], &[format!("{BEFORE}:loadbalancer/app/shop-2/9")]);
        assert_eq!(told(&gates)[0], ("5xx of shop-2", "HTTPCode_Target_5XX_Count", 1));
        assert_eq!(gates.len(), 3);
    }

    #[test]
    fn a_gate_of_latency_is_twice_what_the_old_side_has_but_not_noise() {
        let of = |slowest: f64| {
            let route = route("listener", "app/shop/1/2");
            let mut gates = of(std::slice::from_ref(&route), &[]);
            let Route::Listener(forwarding) = &route else { panic!("no listener") };
            assert!(measure(&mut gates, forwarding, slowest));
            gates.iter().map(|gate| gate.threshold).collect::<Vec<_>>()
        };
        assert_eq!(of(0.81), [0.01, 0.01, 1.7, 0.01, 1.7]);
        assert_eq!(of(0.02), [0.01, 0.01, 0.5, 0.01, 0.5]);
    }

    #[test]
    fn a_network_load_balancer_has_no_metric_of_errors() {
        assert_eq!(of(&[route("listener", "net/shop/1/2")], &[format!("{BEFORE}:loadbalancer/net/shop/1")]), []);
    }
}
