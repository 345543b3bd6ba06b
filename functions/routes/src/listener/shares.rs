//! What users get of a forward action: pure.
//!
//! | Elastic Load Balancing's rule | from |
//! |---|---|
//! | a group gets requests in proportion to its weight, and none at weight 0 | user guide, *Forward actions* |
//! | a group without a healthy target keeps its share: there is no failover to another group, and within the group the balancer fails open | *Forward actions*, *Health checks for target groups* |
//! | with every weight 0 nobody is served: 503 | *Troubleshoot your Application Load Balancers* |
//!
//! So health does not change a share here, only what it is worth. With group stickiness, clients that have been served
//! before keep their group; the shares are those of new ones.

use std::collections::BTreeMap;

use super::state::Forward;

/// The share of each target group, from 0 to 1; nobody has one where every weight is 0.
pub fn shares(forward: &Forward) -> BTreeMap<&str, f64> {
    let weights = forward.weights();
    let whole: f64 = weights.values().map(|weight| f64::from((*weight).max(0))).sum();
    if whole == 0.0 {
        return weights.into_keys().map(|group| (group, 0.0)).collect();
    }
    weights.into_iter().map(|(group, weight)| (group, f64::from(weight.max(0)) / whole)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::listener::state::tests::state;

    #[test]
    fn a_group_gets_its_weights_share_and_at_zero_nothing() {
        let forward = state(&[("old", 75), ("new", 25), ("left", 0)]).forward;
        assert_eq!(shares(&forward), BTreeMap::from([("left", 0.0), ("new", 0.25), ("old", 0.75)]));
    }

    #[test]
    fn one_group_in_the_short_form_gets_everything() {
        let mut forward = state(&[]).forward;
        forward.target_group_arn = Some("old".to_owned());
        assert_eq!(shares(&forward), BTreeMap::from([("old", 1.0)]));
    }

    #[test]
    fn with_every_weight_at_zero_nobody_is_served() {
        assert_eq!(shares(&state(&[("old", 0), ("new", 0)]).forward).values().sum::<f64>(), 0.0);
    }

    proptest! {
        /// Counted, not divided: each unit of weight is one ticket, and every ticket is drawn once.
        #[test]
        fn shares_are_the_tickets_of_a_lottery(weights in proptest::collection::vec(0..1000_i32, 1..6)) {
            let arns: Vec<String> = (0..weights.len()).map(|index| format!("group-{index}")).collect();
            let groups: Vec<(&str, i32)> = arns.iter().map(String::as_str).zip(weights.iter().copied()).collect();
            let tickets: Vec<&str> =
                groups.iter().flat_map(|(arn, weight)| std::iter::repeat_n(*arn, *weight as usize)).collect();
            let state = state(&groups);
            for (arn, share) in shares(&state.forward) {
                let drawn = tickets.iter().filter(|ticket| **ticket == arn).count();
                let expected = if tickets.is_empty() { 0.0 } else { drawn as f64 / tickets.len() as f64 };
                prop_assert!((share - expected).abs() < 1e-9, "{arn}: {share}, drawn {expected}");
            }
        }
    }
}
