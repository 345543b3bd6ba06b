//! Listeners and rules as values: the observed forward action, its planned states, and drift.
//!
//! A planned state is a pure function of the before-image and a percentage. Everything but the weights of the pair
//! stays as it was observed: neighbours, stickiness, other actions, order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most target groups that one forward action takes (Elastic Load Balancing quota, API reference of
/// `ForwardActionConfig`).
pub const MOST_TARGET_GROUPS: usize = 5;

/// What is observed of a listener's default actions or of a rule's actions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerState {
    /// The forward action.
    pub forward: Forward,
    /// The other actions (authentication), normalised, without secrets: compared, and shown to a person; no function sends
    /// them back.
    pub others: Vec<Value>,
}

/// A forward action, with exactly the fields that were observed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forward {
    /// The action's place among the actions.
    pub order: Option<i32>,
    /// The single group of the short form. AWS answers it beside `groups` where there is only one.
    pub target_group_arn: Option<String>,
    /// The groups of the long form.
    pub groups: Vec<WeightedGroup>,
    /// Whether clients stick to a group.
    pub stickiness: Option<Stickiness>,
}

/// A target group and its weight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightedGroup {
    /// The group.
    pub arn: String,
    /// 0 to 999; 1 where it is left out.
    pub weight: Option<i32>,
}

/// Whether clients stick to a target group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stickiness {
    /// Whether they do.
    pub enabled: bool,
    /// For how long.
    pub duration_seconds: Option<i32>,
}

/// The two target groups between which traffic moves.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// The group that serves before.
    pub old: &'a str,
    /// The group that serves after.
    pub new: &'a str,
}

impl Forward {
    /// Weights by target group: what the action means, whatever its form.
    pub fn weights(&self) -> BTreeMap<&str, i32> {
        let long = self.groups.iter().map(|group| (group.arn.as_str(), group.weight.unwrap_or(1)));
        let short = self.target_group_arn.iter().filter(|_| self.groups.is_empty()).map(|arn| (arn.as_str(), 1));
        long.chain(short).collect()
    }

    /// Whether two forward actions direct traffic alike.
    fn is_like(&self, other: &Self) -> bool {
        self.weights() == other.weights() && self.sticky_seconds() == other.sticky_seconds()
    }

    /// For how long clients stick to a group, if they do.
    pub fn sticky_seconds(&self) -> Option<i32> {
        self.stickiness.filter(|stickiness| stickiness.enabled).and_then(|stickiness| stickiness.duration_seconds)
    }
}

impl ListenerState {
    /// Whether two states direct traffic alike: weights, stickiness, and every other action in its order.
    pub fn is_like(&self, other: &Self) -> bool {
        self.forward.is_like(&other.forward) && self.others == other.others && self.forward.order == other.forward.order
    }

    /// The planned state in which the new group has `percent` of the pair's traffic.
    ///
    /// With neighbours, the pair shares the old group's observed weight; alone, it shares 100.
    ///
    /// # Errors
    /// The text of the problem, where whole weights cannot say it or the action has no room for the new group.
    pub fn planned(&self, pair: Pair, percent: u8) -> Result<Self, String> {
        let weights = self.forward.weights();
        let Some(&old_weight) = weights.get(pair.old) else {
            return Err(format!("{} is not among the action's target groups", pair.old));
        };
        let has_neighbours = weights.keys().any(|arn| *arn != pair.old && *arn != pair.new);
        let (old, new) = share(if has_neighbours { old_weight } else { 100 }, percent)?;
        let mut groups = Vec::new();
        for (arn, weight) in self.ordered_weights() {
            if arn == pair.old {
                groups.push(WeightedGroup { arn: arn.clone(), weight: Some(old) });
                groups.push(WeightedGroup { arn: pair.new.to_owned(), weight: Some(new) });
            } else if arn != pair.new {
                groups.push(WeightedGroup { arn, weight: Some(weight) });
            }
        }
        if groups.len() > MOST_TARGET_GROUPS {
            return Err(format!("with the new group the action has {} target groups", groups.len()));
        }
        let forward = Forward { groups, target_group_arn: None, ..self.forward.clone() };
        Ok(Self { forward, others: self.others.clone() })
    }

    /// The final state without the old group: what cleanup leaves.
    pub fn without(&self, arn: &str) -> Self {
        let mut state = self.clone();
        state.forward.groups.retain(|group| group.arn != arn);
        state
    }

    fn ordered_weights(&self) -> Vec<(String, i32)> {
        if let (true, Some(arn)) = (self.forward.groups.is_empty(), &self.forward.target_group_arn) {
            return vec![(arn.clone(), 1)];
        }
        self.forward.groups.iter().map(|group| (group.arn.clone(), group.weight.unwrap_or(1))).collect()
    }

    /// One line for a person: the weights by group, stickiness, and the types of the other actions.
    pub fn describe(&self) -> String {
        let weights = self.forward.weights();
        let weights = weights.iter().map(|(arn, weight)| format!("{}={weight}", short_name(arn)));
        let sticky = self.forward.sticky_seconds().map(|seconds| format!("sticky {seconds}"));
        let others = self.others.iter().map(|other| other["type"].as_str().unwrap_or("another action").to_owned());
        weights.chain(sticky).chain(others).collect::<Vec<_>>().join(" ")
    }
}

/// `name` of `...:targetgroup/name/id`, or the whole text.
pub fn short_name(arn: &str) -> &str {
    arn.rsplit('/').nth(1).unwrap_or(arn)
}

/// Divides `total` between old and new so that new has exactly `percent`.
///
/// # Errors
/// The text of the problem, where that is not a whole number.
pub fn share(total: i32, percent: u8) -> Result<(i32, i32), String> {
    if percent > 100 || total < 0 {
        return Err(format!("there is no {percent} % of the pair's weight {total}"));
    }
    let product = i64::from(total) * i64::from(percent);
    match i32::try_from(product / 100) {
        Ok(new) if product % 100 == 0 => Ok((total - new, new)),
        _ => Err(format!(
            "{percent} % of the pair's weight {total} is not a whole number, and its neighbours keep theirs"
        )),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PAIR: Pair<'static> = Pair { old: "old", new: "new" };

    fn state(groups: &[(&str, i32)]) -> ListenerState {
        let groups = groups.iter().map(|(arn, weight)| WeightedGroup { arn: (*arn).to_owned(), weight: Some(*weight) });
        ListenerState {
            forward: Forward { order: Some(1), target_group_arn: None, groups: groups.collect(), stickiness: None },
            others: vec![],
        }
    }

    #[test]
    fn short_form_and_long_form_mean_the_same() {
        let mut short = state(&[]);
        short.forward.target_group_arn = Some("old".to_owned());
        assert!(short.is_like(&state(&[("old", 1)])));
        assert!(!short.is_like(&state(&[("old", 1), ("new", 0)])));
    }

    #[test]
    fn the_pair_alone_shares_one_hundred() {
        let planned = state(&[("old", 1)]).planned(PAIR, 10).unwrap();
        assert_eq!(planned.forward.weights(), BTreeMap::from([("old", 90), ("new", 10)]));
    }

    #[test]
    fn neighbours_keep_their_weights_and_order() {
        let planned = state(&[("canary", 1), ("old", 10), ("blue", 3)]).planned(PAIR, 50).unwrap();
        let order: Vec<&str> = planned.forward.groups.iter().map(|group| group.arn.as_str()).collect();
        assert_eq!(order, ["canary", "old", "new", "blue"]);
        assert_eq!(planned.describe(), "blue=3 canary=1 new=5 old=5");
    }

    #[test]
    fn a_percentage_that_neighbours_cannot_represent_is_refused() {
        let problem = state(&[("canary", 1), ("old", 1)]).planned(PAIR, 50).unwrap_err();
        assert!(problem.contains("not a whole number"), "{problem}");
    }

    #[test]
    fn more_than_five_groups_are_refused() {
        let five = state(&[("old", 1), ("a", 1), ("b", 1), ("c", 1), ("d", 1)]);
        assert!(five.planned(PAIR, 100).unwrap_err().contains("6 target groups"));
    }

    #[test]
    fn what_is_compared_is_described() {
        let mut live = state(&[("old", 1)]);
        live.forward.stickiness = Some(Stickiness { enabled: false, duration_seconds: Some(60) });
        assert_eq!(live.describe(), "old=1");
        live.forward.stickiness = Some(Stickiness { enabled: true, duration_seconds: Some(3600) });
        live.others.push(serde_json::json!({"type": "authenticate-oidc"}));
        assert_eq!(live.describe(), "old=1 sticky 3600 authenticate-oidc");
    }

    #[test]
    fn a_changed_authentication_action_is_not_alike() {
        let before = state(&[("old", 1)]);
        let mut live = before.clone();
        live.others.push(serde_json::json!({"type": "authenticate-oidc"}));
        assert!(!live.is_like(&before));
    }

    proptest! {
        #[test]
        fn a_share_never_loses_weight(total in prop_oneof![0..1000_i32, any::<i32>()], percent in any::<u8>()) {
            if let Ok((old, new)) = share(total, percent) {
                prop_assert_eq!(old + new, total);
                prop_assert_eq!(i64::from(new) * 100, i64::from(total) * i64::from(percent));
                prop_assert!(old >= 0 && new >= 0);
            }
        }

        #[test]
        fn planned_states_touch_only_the_pair(
            neighbours in proptest::collection::btree_map("[a-d]", 0..1000_i32, 0..4),
            old in 1..1000_i32, percent in 0..=100_u8,
        ) {
            let mut groups: Vec<(&str, i32)> = neighbours.iter().map(|(arn, weight)| (arn.as_str(), *weight)).collect();
            groups.push(("old", old));
            let before = state(&groups);
            if let Ok(planned) = before.planned(PAIR, percent) {
                let after = planned.forward.weights();
                for (arn, weight) in &neighbours {
                    prop_assert_eq!(after.get(arn.as_str()), Some(weight));
                }
                let pair: i32 = [after.get("old"), after.get("new")].into_iter().flatten().sum();
                prop_assert_eq!(pair, if neighbours.is_empty() { 100 } else { old });
            }
        }
    }
}
