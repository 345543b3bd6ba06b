//! Whether the new target group can stand in the old one's place: Elastic Load Balancing's rules, applied before AWS applies
//! them. Pure.
//!
//! | rule | AWS's answer otherwise | from |
//! |---|---|---|
//! | a group belongs to one load balancer | `TargetGroupAssociationLimit` | reports; `LoadBalancerArns` tells |
//! | functions only behind an Application Load Balancer, load balancers only behind a Network Load Balancer | `InvalidConfigurationRequest` | user guides, *Target type* |
//! | the listener's and the group's protocol go together | `IncompatibleProtocols` | user guides, *Routing configuration* |
//! | HTTP/2 and gRPC groups want an HTTPS listener | `InvalidConfigurationRequest` | user guide, *Protocol version* |
//! | HTTP/2 and gRPC groups stand in actions that forward, and do nothing else | `InvalidConfigurationRequest` | the same |
//! | the group is in the load balancer's VPC | `InvalidConfigurationRequest` | user guide |
//! | IPv6 targets want a dual-stack load balancer | `InvalidConfigurationRequest` | user guide, *IP address type* |
//! | UDP listeners of a dual-stack load balancer want IPv6 targets | `InvalidConfigurationRequest` | user guide, *Network Load Balancer listeners* |
//!
//! A group of functions has no VPC, protocol or address type. Between `instance`, `ip` and `lambda` traffic may move.

use aws_sdk_elasticloadbalancingv2::types::{IpAddressType, TargetGroup, TargetGroupIpAddressTypeEnum, TargetTypeEnum};

use super::arns;
use super::state::ListenerState;

/// A route's load balancer and listener, as far as they could be seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Surroundings {
    /// The load balancer's ARN.
    pub balancer: String,
    /// Its VPC.
    pub vpc_id: Option<String>,
    /// Which addresses it has.
    pub ip_address_type: Option<IpAddressType>,
    /// The listener's protocol.
    pub protocol: Option<String>,
}

/// What is wrong, and what would be right.
pub(super) type Misfit = (String, &'static str);

/// Everything for which AWS would refuse the new group.
pub(super) fn misfits(here: &Surroundings, old: &TargetGroup, new: &TargetGroup) -> Vec<Misfit> {
    let found = [other_balancer(here, new), target_type(here, new), protocols(here, new), version(here, new)];
    found.into_iter().chain([vpc(here, old, new), addresses(here, new)]).flatten().collect()
}

fn other_balancer(here: &Surroundings, new: &TargetGroup) -> Option<Misfit> {
    let other = new.load_balancer_arns().iter().find(|arn| **arn != here.balancer)?;
    let problem = format!("belongs to another load balancer, {other}: AWS lets a target group belong to one only");
    Some((problem, "make a target group of its own for this load balancer, with the same targets"))
}

fn target_type(here: &Surroundings, new: &TargetGroup) -> Option<Misfit> {
    match (new.target_type()?, arns::is_network(&here.balancer)) {
        (TargetTypeEnum::Lambda, true) => {
            let problem = "is of target type lambda, which a Network Load Balancer does not take".to_owned();
            Some((problem, "name a group of instances, IP addresses, or an Application Load Balancer"))
        }
        (TargetTypeEnum::Alb, false) => {
            let problem = "is of target type alb, which an Application Load Balancer does not take".to_owned();
            Some((problem, "name a group of instances, IP addresses, or a function"))
        }
        _ => None,
    }
}

/// A protocol that is not in the table is left to AWS.
fn protocols(here: &Surroundings, new: &TargetGroup) -> Option<Misfit> {
    let (listener, group) = (here.protocol.as_deref()?, new.protocol()?.as_str());
    let takes: &[&str] = match listener {
        "HTTP" | "HTTPS" => &["HTTP", "HTTPS"],
        "TCP" => &["TCP", "TCP_UDP"],
        "TLS" => &["TCP", "TLS"],
        "UDP" => &["UDP", "TCP_UDP"],
        "TCP_UDP" => &["TCP_UDP"],
        "QUIC" => &["QUIC", "TCP_QUIC"],
        "TCP_QUIC" => &["TCP_QUIC"],
        _ => return None,
    };
    (!takes.contains(&group)).then(|| {
        let problem = format!("has the protocol {group}, and its listener {listener} takes {}", takes.join(" or "));
        (problem, "name a target group whose protocol goes with the listener's")
    })
}

/// Whether a group goes with what the listener or rule does before it forwards, such as authentication.
pub(super) fn beside_others(state: &ListenerState, new: &TargetGroup) -> Option<Misfit> {
    let version = http2(new)?;
    let other = state.others.first()?["type"].as_str().unwrap_or("another action");
    let problem =
        format!("has the protocol version {version}, before which AWS takes no other action; here there is {other}");
    Some((problem, "name a target group of version HTTP1, or move a rule that only forwards"))
}

fn http2(new: &TargetGroup) -> Option<&str> {
    new.protocol_version().filter(|version| ["HTTP2", "GRPC"].contains(version))
}

fn version(here: &Surroundings, new: &TargetGroup) -> Option<Misfit> {
    let version = http2(new)?;
    (here.protocol.as_deref() == Some("HTTP")).then(|| {
        let problem = format!("has the protocol version {version}, which wants an HTTPS listener; this one is HTTP");
        (problem, "name a target group of version HTTP1, or move an HTTPS listener")
    })
}

/// Where the load balancer was not seen, the old group is in its VPC, unless that has none.
fn vpc(here: &Surroundings, old: &TargetGroup, new: &TargetGroup) -> Option<Misfit> {
    let (theirs, ours) = (here.vpc_id.as_deref().or(old.vpc_id())?, new.vpc_id()?);
    (theirs != ours).then(|| {
        (format!("is in {ours}, and its load balancer in {theirs}"), "a load balancer forwards within its VPC")
    })
}

fn addresses(here: &Surroundings, new: &TargetGroup) -> Option<Misfit> {
    let is_ipv6 = new.ip_address_type() == Some(&TargetGroupIpAddressTypeEnum::Ipv6);
    let is_udp = matches!(here.protocol.as_deref(), Some("UDP" | "TCP_UDP"));
    if is_udp && here.ip_address_type == Some(IpAddressType::Dualstack) && !is_ipv6 {
        let problem =
            "has IPv4 targets, and UDP listeners of a dual-stack load balancer take IPv6 targets only".to_owned();
        return Some((problem, "name a group with IPv6 targets"));
    }
    (is_ipv6 && here.ip_address_type == Some(IpAddressType::Ipv4)).then(|| {
        let problem = "has IPv6 targets, and its load balancer only IPv4 addresses".to_owned();
        (problem, "make the load balancer dual-stack first, or name a group with IPv4 targets")
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_elasticloadbalancingv2::types::ProtocolEnum;
    use aws_sdk_elasticloadbalancingv2::types::builders::TargetGroupBuilder;

    use super::*;
    use crate::listener::state::tests::state;

    fn here(kind: &str, protocol: &str) -> Surroundings {
        Surroundings {
            balancer: format!("arn:aws:elasticloadbalancing:r:1:loadbalancer/{kind}/shop/1"),
            vpc_id: Some("vpc-1".to_owned()),
            ip_address_type: Some(IpAddressType::Ipv4),
            protocol: Some(protocol.to_owned()),
        }
    }

    fn group(kind: TargetTypeEnum, protocol: ProtocolEnum) -> TargetGroupBuilder {
        TargetGroup::builder().target_type(kind).protocol(protocol).vpc_id("vpc-1")
    }

    fn function() -> TargetGroup {
        TargetGroup::builder().target_type(TargetTypeEnum::Lambda).build()
    }

    fn problems(here: &Surroundings, new: TargetGroup) -> String {
        let old = group(TargetTypeEnum::Ip, ProtocolEnum::Http).build();
        misfits(here, &old, &new).into_iter().map(|(problem, _)| problem).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn traffic_may_move_between_instances_addresses_and_functions() {
        let app = here("app", "HTTPS");
        for kind in [TargetTypeEnum::Instance, TargetTypeEnum::Ip] {
            assert_eq!(problems(&app, group(kind, ProtocolEnum::Http).build()), "");
        }
        assert_eq!(problems(&app, function()), "", "a function has no VPC to compare");
        let from_function = misfits(&app, &function(), &group(TargetTypeEnum::Ip, ProtocolEnum::Http).build());
        assert_eq!(from_function, vec![]);
    }

    #[test]
    fn a_group_of_another_load_balancer_is_refused() {
        let app = here("app", "HTTP");
        let of = |arn: &str| group(TargetTypeEnum::Ip, ProtocolEnum::Http).load_balancer_arns(arn).build();
        assert_eq!(problems(&app, of(&app.balancer)), "");
        assert!(problems(&app, of("other")).contains("belongs to another load balancer, other"));
    }

    #[test]
    fn each_kind_of_load_balancer_takes_its_own_targets() {
        assert!(problems(&here("net", "TCP"), function()).contains("lambda"));
        let alb = || group(TargetTypeEnum::Alb, ProtocolEnum::Tcp).build();
        assert_eq!(problems(&here("net", "TCP"), alb()), "");
        assert!(problems(&here("app", "HTTP"), alb()).contains("target type alb"));
    }

    #[test]
    fn protocols_have_to_go_together() {
        let takes = |listener: &str| -> Vec<&str> {
            let kind = if listener.starts_with("HTTP") { "app" } else { "net" };
            let all = ["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP"];
            let fits = |protocol: &&str| {
                problems(&here(kind, listener), group(TargetTypeEnum::Ip, (*protocol).into()).build()).is_empty()
            };
            all.into_iter().filter(fits).collect()
        };
        assert_eq!(takes("HTTPS"), ["HTTP", "HTTPS"]);
        assert_eq!(takes("TCP"), ["TCP", "TCP_UDP"]);
        assert_eq!(takes("TLS"), ["TCP", "TLS"]);
        assert_eq!(takes("UDP"), ["UDP", "TCP_UDP"]);
        assert_eq!(takes("TCP_UDP"), ["TCP_UDP"]);
        assert_eq!(takes("WHATEVER").len(), 6, "what is not known is left to AWS");
        let grpc = || group(TargetTypeEnum::Ip, ProtocolEnum::Http).protocol_version("GRPC").build();
        assert!(problems(&here("app", "HTTP"), grpc()).contains("wants an HTTPS listener"));
        assert_eq!(problems(&here("app", "HTTPS"), grpc()), "");
    }

    #[test]
    fn a_group_is_in_its_load_balancers_vpc() {
        let elsewhere = || group(TargetTypeEnum::Ip, ProtocolEnum::Http).vpc_id("vpc-2").build();
        let told = "is in vpc-2, and its load balancer in vpc-1";
        assert_eq!(problems(&here("app", "HTTP"), elsewhere()), told);
        let unseen = Surroundings { vpc_id: None, ..here("app", "HTTP") };
        assert_eq!(problems(&unseen, elsewhere()), told, "the old group's VPC is the load balancer's");
    }

    #[test]
    fn ipv6_targets_want_a_dual_stack_load_balancer() {
        let ipv6 = || {
            let builder = group(TargetTypeEnum::Ip, ProtocolEnum::Http);
            builder.ip_address_type(TargetGroupIpAddressTypeEnum::Ipv6).build()
        };
        assert!(problems(&here("app", "HTTP"), ipv6()).contains("IPv6 targets"));
        let dual = Surroundings { ip_address_type: Some(IpAddressType::Dualstack), ..here("app", "HTTP") };
        assert_eq!(problems(&dual, ipv6()), "");
    }

    #[test]
    fn udp_of_a_dual_stack_load_balancer_wants_ipv6_targets() {
        let udp = |kind| Surroundings { ip_address_type: Some(kind), ..here("net", "UDP") };
        let group = || group(TargetTypeEnum::Ip, ProtocolEnum::Udp);
        let ipv6 = || group().ip_address_type(TargetGroupIpAddressTypeEnum::Ipv6).build();
        assert!(problems(&udp(IpAddressType::Dualstack), group().build()).contains("take IPv6 targets only"));
        assert_eq!(problems(&udp(IpAddressType::Dualstack), ipv6()), "");
        assert_eq!(problems(&udp(IpAddressType::Ipv4), group().build()), "");
    }

    #[test]
    fn nothing_is_done_before_a_request_goes_to_an_http2_group() {
        let found = |version: &str, others: &[&str]| {
            let others = others.iter().map(|kind| serde_json::json!({ "type": kind })).collect();
            let state = ListenerState { others, ..state(&[("old", 1)]) };
            let group = group(TargetTypeEnum::Ip, ProtocolEnum::Http).protocol_version(version).build();
            beside_others(&state, &group).map(|(problem, _)| problem)
        };
        for version in ["HTTP2", "GRPC"] {
            let problem = found(version, &["authenticate-oidc"]).unwrap();
            assert!(problem.contains(version) && problem.contains("authenticate-oidc"), "{problem}");
        }
        assert_eq!(found("GRPC", &[]), None);
        assert_eq!(found("HTTP1", &["authenticate-oidc"]), None);
    }
}
