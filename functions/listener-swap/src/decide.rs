//! What to write, if anything: a pure function of the action, the before-image and the live state.

use cutover::contract::RouteAction;
use cutover::error::name;
use cutover::plan::ListenerRoute;
use cutover::{StepError, StepResult};
use routes::listener::{ListenerState, pair, planned_states, states_before_step};

/// The state to write, or none where the live state is the wanted one already.
///
/// # Errors
/// `Cutover.Drift` when the live state is not one that the action starts from: for a step, the planned state of the step
/// before; for undo, any state of the run; `Cutover.InvalidPlan` for a weight
/// that is not the plan's: rollback would take it for somebody else's change.
pub fn target(
    action: RouteAction,
    new_weight: u8,
    route: &ListenerRoute,
    before: &ListenerState,
    live: &ListenerState,
) -> StepResult<Option<ListenerState>> {
    if action == RouteAction::Shift && !route.steps.iter().any(|step| step.new_weight == new_weight) {
        return Err(StepError::invalid(format!("`new_weight` {new_weight} is not a step of the plan's route")));
    }
    let planned = |percent| before.planned(pair(route), percent).map_err(StepError::invalid);
    let (wanted, may_come_from) = match action {
        RouteAction::Prepare => (planned(0)?, vec![before.clone()]),
        RouteAction::Shift => (planned(new_weight)?, states_before_step(route, before, new_weight)?),
        RouteAction::Finalise => (planned(100)?, vec![]),
        RouteAction::Restore => (before.clone(), planned_states(route, before)?),
    };
    if live.is_like(&wanted) {
        return Ok(None);
    }
    if may_come_from.iter().any(|state| live.is_like(state)) {
        return Ok(Some(wanted));
    }
    let problem = format!(
        "{} is at {}, {}: somebody else changed it",
        route.arn(),
        live.describe_beside(may_come_from.first().unwrap_or(&wanted)),
        match action {
            RouteAction::Shift => format!("and the step to {new_weight} % starts from {}", list(&may_come_from, live)),
            _ => format!("which is neither the before-image ({}) nor a planned state", before.describe_beside(live)),
        }
    );
    Err(StepError::new(name::DRIFT, problem))
}

fn list(states: &[ListenerState], live: &ListenerState) -> String {
    states.iter().map(|state| state.describe_beside(live)).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use cutover::plan::Step;
    use cutover::seconds::Seconds;
    use routes::listener::{Forward, WeightedGroup};

    use super::*;

    fn route() -> ListenerRoute {
        let step = |new_weight| Step { new_weight, hold: Seconds(0) };
        ListenerRoute {
            listener_arn: Some("listener".to_owned()),
            rule_arn: None,
            old_target_group_arn: "old".to_owned(),
            new_target_group_arn: "new".to_owned(),
            min_healthy_percent: 80,
            group_stickiness: None,
            steps: vec![step(50), step(100)],
        }
    }

    fn state(groups: &[(&str, i32)]) -> ListenerState {
        let groups = groups.iter().map(|(arn, weight)| WeightedGroup { arn: (*arn).to_owned(), weight: Some(*weight) });
        let forward = Forward { order: None, target_group_arn: None, groups: groups.collect(), stickiness: None };
        ListenerState { forward, others: vec![] }
    }

    fn decide(action: RouteAction, new_weight: u8, live: &[(&str, i32)]) -> Result<Option<String>, &'static str> {
        target(action, new_weight, &route(), &state(&[("old", 1)]), &state(live))
            .map(|target| target.map(|state| state.describe()))
            .map_err(|error| error.name)
    }

    #[test]
    fn each_action_writes_once_and_then_nothing() {
        use RouteAction::{Finalise, Prepare, Restore, Shift};
        let wrote = |text: &str| Ok(Some(text.to_owned()));
        let (before, prepared, half, whole) =
            ([("old", 1)], [("old", 100), ("new", 0)], [("old", 50), ("new", 50)], [("old", 0), ("new", 100)]);
        assert_eq!(decide(Prepare, 0, &before), wrote("new=0 old=100"));
        assert_eq!(decide(Prepare, 0, &prepared), Ok(None));
        assert_eq!(decide(Shift, 50, &prepared), wrote("new=50 old=50"));
        assert_eq!(decide(Shift, 50, &half), Ok(None));
        assert_eq!(decide(Shift, 100, &half), wrote("new=100 old=0"));
        assert_eq!(decide(Finalise, 0, &whole), Ok(None));
        for live in [&prepared, &half, &whole] {
            assert_eq!(decide(Restore, 0, live), wrote("old=1"));
        }
        assert_eq!(decide(Restore, 0, &before), Ok(None));
    }

    #[test]
    fn what_somebody_else_changed_is_never_overwritten() {
        use RouteAction::{Finalise, Prepare, Restore, Shift};
        for action in [Prepare, Shift, Finalise, Restore] {
            assert_eq!(decide(action, 50, &[("old", 37), ("new", 63)]), Err(name::DRIFT), "{action:?}");
            assert_eq!(decide(action, 50, &[("other", 1)]), Err(name::DRIFT), "{action:?}");
        }
    }

    #[test]
    fn a_weight_that_is_not_the_plans_is_never_written() {
        for weight in [0, 49, 101, 255] {
            assert_eq!(
                decide(RouteAction::Shift, weight, &[("old", 100), ("new", 0)]),
                Err(name::INVALID_PLAN),
                "{weight}"
            );
        }
    }

    #[test]
    fn a_step_starts_from_the_step_before_and_undo_from_any() {
        let put_back = [("old", 100), ("new", 0)];
        assert_eq!(decide(RouteAction::Shift, 100, &put_back), Err(name::DRIFT), "somebody put the weights back");
        assert_eq!(decide(RouteAction::Shift, 50, &[("old", 0), ("new", 100)]), Err(name::DRIFT));
        assert_eq!(decide(RouteAction::Restore, 0, &put_back), Ok(Some("old=1".to_owned())));
    }

    #[test]
    fn a_shift_never_starts_from_an_unprepared_route() {
        assert_eq!(decide(RouteAction::Shift, 50, &[("old", 1)]), Err(name::DRIFT));
    }
}
