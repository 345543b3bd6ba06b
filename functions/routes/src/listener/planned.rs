//! The states that a plan gives a listener or rule.
//!
//! A planned state is a pure function of the before-image and a percentage. Everything but the weights of the pair
//! stays as it was observed: neighbours, other actions, order; and stickiness, unless the plan switches it on for the run.

use cutover::arn::short_name;
use cutover::plan::ListenerRoute;
use cutover::{StepError, StepResult};

use super::state::{Forward, ListenerState, Stickiness, WeightedGroup};
use crate::weights::{before_step, divide, percents};

/// The most target groups that one forward action takes (Elastic Load Balancing quota, API reference of
/// `ForwardActionConfig`).
pub(super) const MOST_TARGET_GROUPS: usize = 5;
/// The largest weight of a target group (API reference, `TargetGroupTuple`).
pub(super) const MOST_WEIGHT: i32 = 999;

/// The two target groups between which traffic moves.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// The group that serves before.
    pub old: &'a str,
    /// The group that serves after.
    pub new: &'a str,
    /// For how long clients keep their group while the run has both in the action, where they do not do so anyway.
    pub group_stickiness_seconds: Option<i32>,
}

/// The pair of a route.
pub fn pair(route: &ListenerRoute) -> Pair<'_> {
    let seconds = route.group_stickiness.and_then(|seconds| i32::try_from(seconds.0).ok());
    Pair { old: &route.old_target_group_arn, new: &route.new_target_group_arn, group_stickiness_seconds: seconds }
}

/// Every state that a run of this plan writes: where a function that outlived its run may have left the route.
///
/// # Errors
/// `Cutover.InvalidPlan`, as [`ListenerState::planned`] says.
pub fn planned_states(route: &ListenerRoute, before: &ListenerState) -> StepResult<Vec<ListenerState>> {
    percents(&route.steps).map(|percent| before.planned(pair(route), percent).map_err(StepError::invalid)).collect()
}

/// Whether the new group gets traffic while the old one is in the action. One that is not is checked by nobody, so nothing speaks
/// of its health; and it was somebody else who took it out.
pub fn has_both_sides(route: &ListenerRoute, live: &ListenerState) -> bool {
    live.serves(&route.new_target_group_arn) && live.forward.weights().contains_key(route.old_target_group_arn.as_str())
}

/// The states from which the step to `new_weight` starts.
///
/// # Errors
/// As [`planned_states`].
pub fn states_before_step(
    route: &ListenerRoute,
    before: &ListenerState,
    new_weight: u8,
) -> StepResult<Vec<ListenerState>> {
    let percents = before_step(&route.steps, new_weight).into_iter();
    percents.map(|percent| before.planned(pair(route), percent).map_err(StepError::invalid)).collect()
}

impl ListenerState {
    /// The planned state in which the new group has `percent` of the pair's traffic.
    ///
    /// With neighbours that get traffic, the pair shares the old group's observed weight, so that theirs is worth the same;
    /// otherwise it shares 100.
    ///
    /// # Errors
    /// The text of the problem, where whole weights cannot say it or the action has no room for the new group.
    pub fn planned(&self, pair: Pair, percent: u8) -> Result<Self, String> {
        let weights = self.forward.weights();
        let Some(&old_weight) = weights.get(pair.old) else {
            return Err(format!("{} is not among the action's target groups", pair.old));
        };
        let is_neighbour = |arn: &str| arn != pair.old && arn != pair.new;
        let neighbours = weights.iter().filter(|(arn, weight)| is_neighbour(arn) && **weight > 0);
        let neighbours: Vec<&str> = neighbours.map(|(arn, _)| short_name(arn)).collect();
        let (old, new) = divide(if neighbours.is_empty() { 100 } else { old_weight }, percent, &neighbours)?;
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
        let forward =
            Forward { groups, target_group_arn: None, stickiness: self.stickiness(pair), ..self.forward.clone() };
        Ok(Self { forward, others: self.others.clone() })
    }

    fn stickiness(&self, pair: Pair) -> Option<Stickiness> {
        match (pair.group_stickiness_seconds, self.forward.sticky_seconds()) {
            (Some(seconds), None) => Some(Stickiness { enabled: true, duration_seconds: Some(seconds) }),
            _ => self.forward.stickiness,
        }
    }

    /// What cleanup leaves: this before-image as its owner would write it for the new side. The new group stands in the old
    /// one's place, with its weight; alone, it is a plain forward. Neighbours and stickiness are the owner's.
    ///
    /// Where the owner had both groups in the action, both stay unless the old one is to go (`old_goes`): theirs is an action
    /// of two groups, of which one is at 0.
    pub fn finished(&self, pair: Pair, old_goes: bool) -> Self {
        let before = self.ordered_weights();
        let both = before.iter().any(|(arn, _)| arn == pair.new) && !old_goes;
        let mut groups = Vec::new();
        for (arn, weight) in before {
            if arn == pair.old {
                groups.push(WeightedGroup { arn: pair.new.to_owned(), weight: Some(weight) });
                groups.extend(both.then_some(WeightedGroup { arn, weight: Some(0) }));
            } else if arn != pair.new {
                groups.push(WeightedGroup { arn, weight: Some(weight) });
            }
        }
        if let [alone] = &mut groups[..] {
            alone.weight = Some(1);
        }
        let forward = Forward { groups, target_group_arn: None, ..self.forward.clone() };
        Self { forward, others: self.others.clone() }
    }

    fn ordered_weights(&self) -> Vec<(String, i32)> {
        if let (true, Some(arn)) = (self.forward.groups.is_empty(), &self.forward.target_group_arn) {
            return vec![(arn.clone(), 1)];
        }
        self.forward.groups.iter().map(|group| (group.arn.clone(), group.weight.unwrap_or(1))).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::listener::state::tests::state;

    const PAIR: Pair<'static> = Pair { old: "old", new: "new", group_stickiness_seconds: None };

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
    fn neighbours_without_traffic_have_nothing_to_keep() {
        let planned = state(&[("old", 1), ("left", 0)]).planned(PAIR, 10).unwrap();
        assert_eq!(planned.forward.weights(), BTreeMap::from([("left", 0), ("new", 10), ("old", 90)]));
    }

    fn sticky(mut of: ListenerState, enabled: bool) -> ListenerState {
        of.forward.stickiness = Some(Stickiness { enabled, duration_seconds: Some(60) });
        of
    }

    #[test]
    fn group_stickiness_is_on_for_the_run_and_off_again_in_the_end() {
        let pair = Pair { group_stickiness_seconds: Some(3600), ..PAIR };
        let before = sticky(state(&[("old", 1)]), false);
        for percent in [0, 50, 100] {
            assert_eq!(before.planned(pair, percent).unwrap().forward.sticky_seconds(), Some(3600), "{percent}");
        }
        assert_eq!(before.finished(pair, true).forward.stickiness, before.forward.stickiness);
        let own = sticky(state(&[("old", 1)]), true);
        assert_eq!(own.planned(pair, 50).unwrap().forward.sticky_seconds(), Some(60), "the owner's own is kept");
    }

    #[test]
    fn in_the_end_the_new_group_stands_in_the_old_ones_place() {
        let finished = |groups: &[(&str, i32)], old_goes| state(groups).finished(PAIR, old_goes).describe();
        for old_goes in [true, false] {
            assert_eq!(finished(&[("old", 1)], old_goes), "new=1");
            assert_eq!(finished(&[("old", 100)], old_goes), "new=1", "a plain forward");
            assert_eq!(finished(&[("canary", 1), ("old", 3)], old_goes), "canary=1 new=3");
            assert_eq!(finished(&[("old", 7), ("left", 0)], old_goes), "left=0 new=7", "what was not the run's stays");
        }
        let mut short = state(&[]);
        short.forward.target_group_arn = Some("old".to_owned());
        assert_eq!(short.finished(PAIR, true).describe(), "new=1");
    }

    #[test]
    fn an_owner_of_both_groups_keeps_both_unless_the_old_one_is_to_go() {
        let both = state(&[("old", 100), ("new", 0)]);
        assert_eq!(both.finished(PAIR, false).describe(), "new=100 old=0");
        assert_eq!(both.finished(PAIR, true).describe(), "new=1");
    }

    #[test]
    fn an_old_group_that_somebody_took_out_says_nothing_of_its_health() {
        let route = serde_json::json!({ "listener_arn": "l", "old_target_group_arn": "old", "new_target_group_arn": "new", "steps": [] });
        let route: ListenerRoute = serde_json::from_value(route).unwrap();
        let both = |groups: &[(&str, i32)]| has_both_sides(&route, &state(groups));
        assert!(both(&[("old", 75), ("new", 25)]) && both(&[("old", 0), ("new", 100)]));
        assert!(!both(&[("new", 1)]) && !both(&[("old", 100), ("new", 0)]));
    }

    #[test]
    fn more_than_five_groups_are_refused() {
        let five = state(&[("old", 1), ("a", 1), ("b", 1), ("c", 1), ("d", 1)]);
        assert!(five.planned(PAIR, 100).unwrap_err().contains("6 target groups"));
    }

    proptest! {
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
                let nobody_beside = neighbours.values().all(|weight| *weight == 0);
                prop_assert_eq!(pair, if nobody_beside { 100 } else { old });
            }
        }
    }
}
