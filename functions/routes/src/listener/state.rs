//! Listeners and rules as values: what is observed, what of it is compared, and how a person reads it.

use std::collections::BTreeMap;

use cutover::arn::short_name;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::differences;

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
        self.forward.is_like(&other.forward)
            && differences::are_alike(&self.others, &other.others)
            && self.forward.order == other.forward.order
    }

    /// Whether a target group gets traffic.
    pub fn serves(&self, group: &str) -> bool {
        self.forward.weights().get(group).is_some_and(|weight| *weight > 0)
    }

    /// One line for a person: the weights by group, stickiness, and the types of the other actions.
    pub fn describe(&self) -> String {
        self.described(|_, kind| kind.to_owned(), None)
    }

    /// The same line beside another state's: with the order of the forward action, and the fields of the other actions, where they differ.
    pub fn describe_beside(&self, other: &Self) -> String {
        let order = self.forward.order.filter(|_| self.forward.order != other.forward.order);
        let action = |index: usize, kind: &str| match other.others.get(index) {
            Some(beside) => format!("{kind}{}", differences::told(&self.others[index], beside)),
            None => kind.to_owned(),
        };
        self.described(action, order)
    }

    fn described(&self, action: impl Fn(usize, &str) -> String, order: Option<i32>) -> String {
        let weights = self.forward.weights();
        let weights = weights.iter().map(|(arn, weight)| format!("{}={weight}", short_name(arn)));
        let sticky = self.forward.sticky_seconds().map(|seconds| format!("sticky {seconds}"));
        let kind = |other: &Value| other["type"].as_str().unwrap_or("another action").to_owned();
        let others = self.others.iter().enumerate().map(|(index, other)| action(index, &kind(other)));
        let order = order.map(|order| format!("forward order {order}"));
        weights.chain(sticky).chain(others).chain(order).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A state that forwards to these groups.
    pub(crate) fn state(groups: &[(&str, i32)]) -> ListenerState {
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

    #[test]
    fn a_group_serves_only_where_it_has_weight() {
        let live = state(&[("old", 1), ("new", 0)]);
        assert_eq!(["old", "new", "other"].map(|group| live.serves(group)), [true, false, false]);
    }
}
