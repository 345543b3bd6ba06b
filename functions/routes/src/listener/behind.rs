//! Who would stay on a route's old target group though the plan has run: every listener and rule, of every balancer that the
//! group hangs on, which forwards to it and which no route of the plan moves away from it.
//!
//! Reads: DescribeListeners by balancer, DescribeRules by listener. What may not be looked at is a warning that says so.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types::{Action, Listener, Rule, RuleCondition};
use cutover::arn::short_name;
use cutover::finding::beside;
use cutover::plan::{Plan, Route};
use cutover::{Finding, StepError, StepResult};

use super::actions::Live;
use super::arns;
use super::state::Forward;
use crate::behind::Behind;

/// A listener's default action or a rule's, as far as it forwards.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Forwarder {
    arn: String,
    /// Which one it is, for a person: `listener HTTPS:443`, `rule 10 (path /api/*) of listener HTTPS:443`.
    title: String,
    forward: Forward,
}

/// What stays behind on the old target groups of the plan, on the load balancers of this route's old group. Each load balancer is
/// looked at once, with the first route that is on it, for all routes that are.
///
/// # Errors
/// Those that a repetition may cure.
pub(super) async fn look(
    elb: &Client,
    (plan, index): (&Plan, usize),
    balancers: &[String],
    findings: &mut Vec<Finding>,
) -> StepResult<Vec<Behind>> {
    let mut behind = Vec::new();
    for balancer in balancers {
        let groups = groups_to_look_after(plan, index, balancer);
        if groups.is_empty() {
            continue;
        }
        let path = format!("$.routes[{index}].old_target_group_arn");
        let forwarders = forwarders(elb, balancer, &path, findings).await?;
        for (old, first) in groups {
            let path = format!("$.routes[{first}].old_target_group_arn");
            behind.extend(left(old, &forwarders, &moved(plan, old), &path));
        }
    }
    Ok(behind)
}

/// The listeners and rules of a load balancer that forward, as far as they may be seen.
async fn forwarders(
    elb: &Client,
    balancer: &str,
    path: &str,
    findings: &mut Vec<Finding>,
) -> StepResult<Vec<Forwarder>> {
    let mut forwarders = Vec::new();
    let not_seen = format!("nobody looked which other listeners of {balancer} forward to it");
    let listeners = beside(listeners(elb, balancer).await, path, &not_seen, findings)?.unwrap_or_default();
    for listener in &listeners {
        forwarders.extend(of_listener(listener));
        let arn = listener.listener_arn().unwrap_or_default();
        if has_rules(arn) {
            let not_seen = format!("nobody looked which rules of {} forward to it", title(listener));
            let rules = beside(rules(elb, arn).await, path, &not_seen, findings)?.unwrap_or_default();
            forwarders.extend(rules.iter().filter_map(|rule| of_rule(rule, listener)));
        }
    }
    Ok(forwarders)
}

/// The old groups of the plan's routes on a load balancer, each with its first route; none if an earlier route has looked.
fn groups_to_look_after<'a>(plan: &'a Plan, index: usize, balancer: &str) -> BTreeMap<&'a str, usize> {
    let listeners = plan.routes.iter().enumerate().filter_map(|(place, route)| match route {
        Route::Listener(route) => Some((place, route)),
        Route::Dns(_) => None,
    });
    let on_it =
        listeners.filter(|(place, route)| *place == index || arns::balancer(route.arn()).as_deref() == Some(balancer));
    let mut groups = BTreeMap::new();
    for (place, route) in on_it {
        if place < index {
            return BTreeMap::new();
        }
        groups.entry(route.old_target_group_arn.as_str()).or_insert(place);
    }
    groups
}

/// A listener or rule of these load balancers, other than `own`, that forwards to a group: which one, for a person.
///
/// # Errors
/// AWS errors.
pub async fn another(elb: &Client, balancers: &[String], group: &str, own: &str) -> StepResult<Option<String>> {
    let leads = |one: &Forwarder| one.arn != own && leads_to(&one.forward, group);
    for balancer in balancers {
        for listener in &listeners(elb, balancer).await? {
            if let Some(other) = with_its_rules(elb, listener).await?.into_iter().find(leads) {
                return Ok(Some(format!("{}, {},", other.title, other.arn)));
            }
        }
    }
    Ok(None)
}

/// Every listener and rule of these load balancers that gives a group traffic: its ARN, and which one it is, for a person. For
/// whoever drafts a plan.
///
/// # Errors
/// AWS errors.
pub async fn all(elb: &Client, balancers: &[String], group: &str) -> StepResult<Vec<(String, String)>> {
    let mut found = Vec::new();
    for balancer in balancers {
        for listener in &listeners(elb, balancer).await? {
            let all = with_its_rules(elb, listener).await?.into_iter();
            found.extend(all.filter(|one| leads_to(&one.forward, group)).map(|one| (one.arn, one.title)));
        }
    }
    Ok(found)
}

async fn with_its_rules(elb: &Client, listener: &Listener) -> StepResult<Vec<Forwarder>> {
    let mut found: Vec<Forwarder> = of_listener(listener).into_iter().collect();
    let arn = listener.listener_arn().unwrap_or_default();
    if has_rules(arn) {
        found.extend(rules(elb, arn).await?.iter().filter_map(|rule| of_rule(rule, listener)));
    }
    Ok(found)
}

/// The listeners and rules that the plan moves away from this group.
fn moved<'a>(plan: &'a Plan, old: &str) -> BTreeSet<&'a str> {
    let routes = plan.routes.iter().filter_map(|route| match route {
        Route::Listener(route) => Some(route),
        Route::Dns(_) => None,
    });
    routes.filter(|route| route.old_target_group_arn == old).map(|route| route.arn()).collect()
}

/// Those that still lead users to the old group.
fn left(old: &str, forwarders: &[Forwarder], moved: &BTreeSet<&str>, path: &str) -> Vec<Behind> {
    let stays = |one: &&Forwarder| leads_to(&one.forward, old) && !moved.contains(one.arn.as_str());
    let behind = |one: &Forwarder| {
        let field = if one.arn.contains(":listener-rule/") { "rule_arn" } else { "listener_arn" };
        let problem = format!("{} forwards to it as well, and would go on to do so: {}", one.title, one.arn);
        Behind { path: path.to_owned(), what: one.arn.clone(), problem, fix: format!("add a route with this {field}") }
    };
    forwarders.iter().filter(stays).map(behind).collect()
}

/// Whether an action gives a group traffic. At weight 0 beside others it gets none; one that is alone is the only one that can
/// answer, whatever its weight.
fn leads_to(forward: &Forward, group: &str) -> bool {
    let weights = forward.weights();
    weights.get(group).is_some_and(|weight| *weight > 0 || weights.len() == 1)
}

/// Whether a listener can have rules: of an Application Load Balancer, or of a dual-stack Network Load Balancer, whose rules go by the
/// clients' kind of address (API reference, CreateRule).
fn has_rules(listener: &str) -> bool {
    !arns::is_gateway(listener)
}

async fn listeners(elb: &Client, balancer: &str) -> StepResult<Vec<Listener>> {
    let mut pages = elb.describe_listeners().load_balancer_arn(balancer).into_paginator().send();
    let mut listeners = Vec::new();
    while let Some(page) = pages.next().await {
        let call = format!("elasticloadbalancing:DescribeListeners {balancer}");
        let page = page.map_err(|error| StepError::from_aws(&call, &error))?;
        listeners.extend(page.listeners.unwrap_or_default());
    }
    Ok(listeners)
}

async fn rules(elb: &Client, listener: &str) -> StepResult<Vec<Rule>> {
    let mut pages = elb.describe_rules().listener_arn(listener).into_paginator().send();
    let mut rules = Vec::new();
    while let Some(page) = pages.next().await {
        let call = format!("elasticloadbalancing:DescribeRules {listener}");
        let page = page.map_err(|error| StepError::from_aws(&call, &error))?;
        rules.extend(page.rules.unwrap_or_default());
    }
    Ok(rules)
}

fn of_listener(listener: &Listener) -> Option<Forwarder> {
    let title = format!("{} (default action)", title(listener));
    forwarder(listener.listener_arn(), title, listener.default_actions())
}

/// A listener's default action is described as a rule, too: it is told once.
fn of_rule(rule: &Rule, listener: &Listener) -> Option<Forwarder> {
    if rule.is_default() == Some(true) {
        return None;
    }
    let conditions: Vec<String> = rule.conditions().iter().map(in_words).collect();
    let priority = rule.priority().unwrap_or_default();
    let title = format!("rule {priority} ({}) of {}", conditions.join(" and "), title(listener));
    forwarder(rule.rule_arn(), title, rule.actions())
}

/// None where it does not forward.
fn forwarder(arn: Option<&str>, title: String, actions: &[Action]) -> Option<Forwarder> {
    let forward = Live::of(actions.to_vec()).ok()?.state.forward;
    Some(Forwarder { arn: arn?.to_owned(), title, forward })
}

fn title(listener: &Listener) -> String {
    let protocol = listener.protocol().map(|protocol| protocol.as_str()).unwrap_or("listener");
    let port = listener.port().map(|port| format!(":{port}")).unwrap_or_default();
    let balancer = listener.load_balancer_arn().map(|arn| format!(" of {}", short_name(arn))).unwrap_or_default();
    format!("listener {protocol}{port}{balancer}")
}

/// A condition of a rule, for a person.
fn in_words(condition: &RuleCondition) -> String {
    let named = |what: &str, configured: &[String]| {
        let old_form = condition.values();
        let values = if configured.is_empty() { old_form } else { configured };
        let values = values.iter().chain(condition.regex_values()).map(String::as_str);
        format!("{what} {}", values.collect::<Vec<_>>().join(" or "))
    };
    if let Some(config) = condition.http_header_config() {
        return named(&format!("header {}", config.http_header_name().unwrap_or_default()), config.values());
    }
    if let Some(config) = condition.query_string_config() {
        let pair = |key: Option<&str>, value: Option<&str>| match key {
            Some(key) => format!("{key}={}", value.unwrap_or_default()),
            None => value.unwrap_or_default().to_owned(),
        };
        let pairs: Vec<String> = config.values().iter().map(|one| pair(one.key(), one.value())).collect();
        return named("query", &pairs);
    }
    match condition.field() {
        Some("path-pattern") => named("path", condition.path_pattern_config().map_or(&[], |config| config.values())),
        Some("host-header") => named("host", condition.host_header_config().map_or(&[], |config| config.values())),
        Some("http-request-method") => {
            named("method", condition.http_request_method_config().map_or(&[], |config| config.values()))
        }
        Some("source-ip") => {
            let config = condition.source_ip_config();
            match config.and_then(|config| config.ip_address_type()) {
                Some(kind) => format!("clients by {}", kind.as_str()),
                None => named("source", config.map_or(&[], |config| config.values())),
            }
        }
        other => named(other.unwrap_or("a condition"), &[]),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_elasticloadbalancingv2::types::{
        HttpHeaderConditionConfig, PathPatternConditionConfig, ProtocolEnum, QueryStringConditionConfig,
        QueryStringKeyValuePair, SourceIpConditionConfig,
    };
    use serde_json::json;

    use super::*;
    use crate::listener::state::tests::state;

    fn forwarder_of(arn: &str, groups: &[(&str, i32)]) -> Forwarder {
        Forwarder { arn: arn.to_owned(), title: format!("title of {arn}"), forward: state(groups).forward }
    }

    fn whats(forwarders: &[Forwarder], moved: &[&str]) -> Vec<String> {
        let moved = moved.iter().copied().collect();
        left("old", forwarders, &moved, "$").into_iter().map(|behind| behind.what).collect()
    }

    #[test]
    fn whoever_forwards_to_the_old_group_and_is_not_moved_stays_behind() {
        let all = [
            forwarder_of("moved", &[("old", 1)]),
            forwarder_of("second", &[("old", 1)]),
            forwarder_of("shared", &[("old", 1), ("other", 99)]),
            forwarder_of("elsewhere", &[("other", 1)]),
        ];
        assert_eq!(whats(&all, &["moved"]), ["second", "shared"]);
        assert_eq!(whats(&all, &["moved", "second", "shared"]), [""; 0]);
    }

    #[test]
    fn at_weight_zero_beside_others_nobody_stays_but_alone_the_group_is_all_there_is() {
        let beside = forwarder_of("beside", &[("old", 0), ("other", 1)]);
        let alone = forwarder_of("alone", &[("old", 0)]);
        assert_eq!(whats(&[beside, alone], &[]), ["alone"]);
    }

    #[test]
    fn what_stays_is_named_with_the_field_that_would_move_it() {
        let rule = forwarder_of("arn:aws:elasticloadbalancing:r:1:listener-rule/app/a/1/2/3", &[("old", 1)]);
        let listener = forwarder_of("arn:aws:elasticloadbalancing:r:1:listener/app/a/1/2", &[("old", 1)]);
        let behind = left("old", &[rule, listener.clone()], &BTreeSet::new(), "$.routes[0]");
        let fixes: Vec<&str> = behind.iter().map(|behind| behind.fix.as_str()).collect();
        assert_eq!(fixes, ["add a route with this rule_arn", "add a route with this listener_arn"]);
        assert!(behind[1].problem.starts_with(&listener.title) && behind[1].path == "$.routes[0]", "{behind:?}");
    }

    fn plan(routes: &[(&str, &str)]) -> Plan {
        let route = |(arn, old): &(&str, &str)| json!({ "type": "listener", "listener_arn": arn, "old_target_group_arn": old, "new_target_group_arn": "new", "steps": [] });
        let routes: Vec<_> = routes.iter().map(route).collect();
        serde_json::from_value(json!({ "application": "a", "routes": routes })).unwrap()
    }

    #[test]
    fn a_route_from_another_group_moves_nothing_away_from_this_one() {
        let plan = plan(&[("one", "old"), ("two", "other"), ("three", "old")]);
        assert_eq!(moved(&plan, "old"), BTreeSet::from(["one", "three"]));
    }

    #[test]
    fn a_load_balancer_is_looked_at_once_for_all_routes_on_it() {
        let listener = |balancer: &str, id: u8| format!("arn:aws:elasticloadbalancing:r:1:listener/{balancer}/{id}");
        let arns =
            [listener("app/one/1", 1), listener("app/two/2", 1), listener("app/one/1", 2), listener("app/one/1", 3)];
        let olds = ["old", "elsewhere", "old", "other"];
        let routes: Vec<(&str, &str)> = arns.iter().map(String::as_str).zip(olds).collect();
        let plan = plan(&routes);
        let of = |index, balancer: &str| {
            groups_to_look_after(&plan, index, &format!("arn:aws:elasticloadbalancing:r:1:loadbalancer/{balancer}"))
        };
        assert_eq!(of(0, "app/one/1"), BTreeMap::from([("old", 0), ("other", 3)]));
        assert_eq!(of(1, "app/two/2"), BTreeMap::from([("elsewhere", 1)]));
        assert_eq!([of(2, "app/one/1"), of(3, "app/one/1")], [BTreeMap::new(), BTreeMap::new()]);
        assert_eq!(of(1, "app/three/3"), BTreeMap::from([("elsewhere", 1)]), "one that its group hangs on, too");
    }

    #[test]
    fn rules_of_network_load_balancers_go_by_the_clients_kind_of_address() {
        let of = |kind: &str| format!("arn:aws:elasticloadbalancing:r:1:listener/{kind}/shop/1/2");
        assert_eq!(["app", "net", "gwy"].map(|kind| has_rules(&of(kind))), [true, true, false]);
        let config = SourceIpConditionConfig::builder().ip_address_type("ipv6".into()).build();
        let condition = RuleCondition::builder().field("source-ip").source_ip_config(config).build();
        assert_eq!(in_words(&condition), "clients by ipv6");
        let config = SourceIpConditionConfig::builder().values("10.0.0.0/8").build();
        let condition = RuleCondition::builder().field("source-ip").source_ip_config(config).build();
        assert_eq!(in_words(&condition), "source 10.0.0.0/8");
    }

    #[test]
    fn rules_are_told_by_their_listener_priority_and_conditions() {
        let arn = "arn:aws:elasticloadbalancing:r:1:loadbalancer/app/shop/1";
        let listener = Listener::builder().load_balancer_arn(arn).protocol(ProtocolEnum::Https).port(443).build();
        let path = PathPatternConditionConfig::builder().values("/api/*").values("/v2/*").build();
        let header = HttpHeaderConditionConfig::builder().http_header_name("X-Beta").values("yes").build();
        let query = QueryStringKeyValuePair::builder().key("v").value("2").build();
        let query = QueryStringConditionConfig::builder().values(query).build();
        let conditions = [
            RuleCondition::builder().field("path-pattern").path_pattern_config(path).build(),
            RuleCondition::builder().field("http-header").http_header_config(header).build(),
            RuleCondition::builder().field("query-string").query_string_config(query).build(),
            RuleCondition::builder().field("host-header").values("a.example.com").build(),
        ];
        let forward = Action::builder().r#type("forward".into()).target_group_arn("old").build();
        let rule = Rule::builder().rule_arn("rule").priority("10").set_conditions(Some(conditions.into()));
        let told = of_rule(&rule.clone().actions(forward.clone()).build(), &listener).unwrap();
        let conditions = "path /api/* or /v2/* and header X-Beta yes and query v=2 and host a.example.com";
        assert_eq!(told.title, format!("rule 10 ({conditions}) of listener HTTPS:443 of shop"));
        assert_eq!(of_rule(&rule.is_default(true).actions(forward).build(), &listener), None, "told as its listener");
        let redirect = Action::builder().r#type("redirect".into()).build();
        assert_eq!(forwarder(Some("l"), String::new(), &[redirect]), None);
    }
}
