//! What ARNs of Elastic Load Balancing tell by themselves (Service Authorization Reference): pure.
//!
//! A listener's ARN holds its load balancer's, and a rule's its listener's: `listener-rule/app/name/id/listener/rule`.

/// The ARN of the load balancer of a listener or rule; none of what is neither.
pub fn balancer(arn: &str) -> Option<String> {
    let (before, rest) = arn.split_once(":listener/").or_else(|| arn.split_once(":listener-rule/"))?;
    let parts: Vec<&str> = rest.split('/').take(3).collect();
    (parts.len() == 3).then(|| format!("{before}:loadbalancer/{}", parts.join("/")))
}

/// The ARN of the listener of a listener or rule.
pub fn listener(arn: &str) -> Option<String> {
    match arn.split_once(":listener-rule/") {
        Some((before, rest)) => Some(format!("{before}:listener/{}", rest.rsplit_once('/')?.0)),
        None => arn.contains(":listener/").then(|| arn.to_owned()),
    }
}

/// Whether a load balancer, its listener or rule is that of a Network Load Balancer.
pub fn is_network(arn: &str) -> bool {
    is_of(arn, "net")
}

/// Whether it is that of a Gateway Load Balancer.
pub fn is_gateway(arn: &str) -> bool {
    is_of(arn, "gwy")
}

fn is_of(arn: &str, kind: &str) -> bool {
    arn.split('/').nth(1) == Some(kind)
}

/// A load balancer as the dimension `LoadBalancer` of its metrics: `app/name/id`.
pub fn balancer_dimension(arn: &str) -> &str {
    arn.split_once(":loadbalancer/").map_or(arn, |(_, rest)| rest)
}

/// A target group as the dimension `TargetGroup` of its metrics: `targetgroup/name/id`.
pub fn group_dimension(arn: &str) -> &str {
    cutover::arn::target_group_dimension(arn).unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012";

    #[test]
    fn a_rule_knows_its_listener_and_both_their_load_balancer() {
        let of = |rest: &str| format!("{BEFORE}:{rest}");
        let (app, net) = (of("loadbalancer/app/shop/1"), of("loadbalancer/net/shop/1"));
        assert_eq!(balancer(&of("listener/app/shop/1/2")), Some(app.clone()));
        assert_eq!(balancer(&of("listener-rule/app/shop/1/2/3")), Some(app.clone()));
        assert_eq!(balancer(&of("listener/net/shop/1/2")), Some(net.clone()));
        assert_eq!(balancer(&of("targetgroup/shop/1")), None);
        assert_eq!(balancer("listener"), None);
        assert_eq!(listener(&of("listener-rule/app/shop/1/2/3")), Some(of("listener/app/shop/1/2")));
        assert_eq!(listener(&of("listener/app/shop/1/2")), Some(of("listener/app/shop/1/2")));
        assert_eq!([is_network(&app), is_network(&net), is_gateway(&net)], [false, true, false]);
        assert!(is_gateway(&of("listener/gwy/wall/1/2")));
    }

    #[test]
    fn metrics_name_both_by_the_end_of_their_arns() {
        assert_eq!(balancer_dimension(&format!("{BEFORE}:loadbalancer/app/shop/1")), "app/shop/1");
        assert_eq!(group_dimension(&format!("{BEFORE}:targetgroup/shop/1")), "targetgroup/shop/1");
    }
}
