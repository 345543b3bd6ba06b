//! What to write, if anything: a pure function of the action, the before-image and the live record sets.

use cutover::contract::RouteAction;
use cutover::error::name;
use cutover::plan::DnsRoute;
use cutover::{StepError, StepResult};
use routes::name::{NameState, PairChecks, planned_states, states_before_step};

/// The state to write, or none where the live state is the wanted one already.
///
/// # Errors
/// `Cutover.Drift` when the live state is not one that the action starts from: for a step, the planned state of the step
/// before; for undo, any state of the run; `Cutover.InvalidPlan` for a weight
/// that is not the plan's: rollback would take it for somebody else's change; `Cutover.Transient` where the run's health
/// checks would be left off the pair's records, since they are not seen yet.
pub fn target(
    action: RouteAction,
    new_weight: u8,
    route: &DnsRoute,
    before: &NameState,
    live: &NameState,
    checks: &PairChecks,
) -> StepResult<Option<NameState>> {
    if action == RouteAction::Shift && !route.steps.iter().any(|step| step.new_weight == new_weight) {
        return Err(StepError::invalid(format!("`new_weight` {new_weight} is not a step of the plan's route")));
    }
    let planned = |percent| before.planned(route, percent, checks).map_err(StepError::invalid);
    let finished = before.finished(route).map_err(StepError::invalid)?;
    let (wanted, may_come_from) = match action {
        RouteAction::Prepare => (planned(0)?, vec![before.clone(), planned(0)?]),
        RouteAction::Shift => {
            // Its own state, too: a call whose answer was lost may have reached it without the run's health checks.
            let from = states_before_step(route, before, new_weight, checks)?.into_iter().chain([planned(new_weight)?]);
            (planned(new_weight)?, from.collect())
        }
        RouteAction::Finalise => (finished, vec![planned(100)?]),
        RouteAction::Restore => {
            let bare = before.finished_bare(route).map_err(StepError::invalid)?;
            (before.clone(), planned_states(route, before, checks)?.into_iter().chain([finished, bare]).collect())
        }
    };
    let is_whole = !matches!(action, RouteAction::Prepare | RouteAction::Shift) || checks.are_known(route);
    if is_whole && live.is_like(&wanted) {
        return Ok(None);
    }
    if may_come_from.iter().any(|state| live.may_be(state, route, before, checks)) {
        let problem = format!("the run's health checks of {} are not seen", route.record_name);
        return if is_whole { Ok(Some(wanted)) } else { Err(StepError::new(name::TRANSIENT, problem)) };
    }
    let problem = format!(
        "{} is at [{}], {}: somebody else changed it",
        route.record_name,
        live.describe(),
        match action {
            RouteAction::Shift => format!("and the step to {new_weight} % starts from [{}]", list(&may_come_from)),
            _ => format!("which is neither the before-image [{}] nor a planned state", before.describe()),
        }
    );
    Err(StepError::new(name::DRIFT, problem))
}

fn list(states: &[NameState]) -> String {
    states.iter().map(NameState::describe).collect::<Vec<_>>().join("] or [")
}

#[cfg(test)]
mod tests {
    use cutover::plan::{HealthCheck, HealthChecks, RecordChange, RecordData, RecordType, Step};
    use cutover::seconds::Seconds;
    use routes::name::RecordSet;

    use super::*;

    fn route() -> DnsRoute {
        let step = |new_weight| Step { new_weight, hold: Seconds(0) };
        let new = RecordData { values: Some(vec!["5.6.7.8".to_owned()]), ..RecordData::default() };
        DnsRoute {
            hosted_zone_id: "Z1".to_owned(),
            account: None,
            record_name: "app.example.com".to_owned(),
            records: vec![RecordChange { record_type: RecordType::A, new: Some(new), old_set_identifier: None }],
            ttl: 60,
            health_checks: None,
            steps: vec![step(50), step(100)],
        }
    }

    fn before() -> NameState {
        NameState::new(vec![RecordSet {
            record_type: "A".to_owned(),
            set_identifier: None,
            weight: None,
            ttl: Some(300),
            values: vec!["1.2.3.4".to_owned()],
            alias: None,
            health_check_id: None,
        }])
    }

    fn planned(percent: u8) -> NameState {
        before().planned(&route(), percent, &PairChecks::default()).unwrap()
    }

    fn decide(action: RouteAction, new_weight: u8, live: &NameState) -> Result<Option<NameState>, &'static str> {
        target(action, new_weight, &route(), &before(), live, &PairChecks::default()).map_err(|error| error.name)
    }

    #[test]
    fn each_action_writes_once_and_then_nothing() {
        use RouteAction::{Finalise, Prepare, Restore, Shift};
        let finished = before().finished(&route()).unwrap();
        assert_eq!(decide(Prepare, 0, &before()), Ok(Some(planned(0))));
        assert_eq!(decide(Prepare, 0, &planned(0)), Ok(None));
        assert_eq!(decide(Shift, 50, &planned(0)), Ok(Some(planned(50))));
        assert_eq!(decide(Shift, 50, &planned(50)), Ok(None));
        assert_eq!(decide(Finalise, 0, &planned(100)), Ok(Some(finished.clone())));
        assert_eq!(decide(Finalise, 0, &finished), Ok(None));
        for live in [planned(0), planned(50), planned(100), finished] {
            assert_eq!(decide(Restore, 0, &live), Ok(Some(before())));
        }
        assert_eq!(decide(Restore, 0, &before()), Ok(None));
    }

    #[test]
    fn a_step_starts_from_the_step_before_and_undo_from_any() {
        use RouteAction::{Restore, Shift};
        assert_eq!(decide(Shift, 100, &planned(50)), Ok(Some(planned(100))));
        assert_eq!(decide(Shift, 100, &planned(0)), Err(name::DRIFT), "somebody put the weights back");
        assert_eq!(decide(Shift, 50, &planned(100)), Err(name::DRIFT));
        assert_eq!(decide(Restore, 0, &planned(0)), Ok(Some(before())));
    }

    #[test]
    fn the_last_step_leaves_the_old_record_at_zero() {
        let weights: Vec<_> = planned(100).records().iter().map(|record| record.weight).collect();
        assert_eq!(weights, [Some(100), Some(0)]);
    }

    #[test]
    fn a_final_record_of_before_health_checks_were_inherited_is_put_back() {
        let mut records = before().records().to_vec();
        records[0].health_check_id = Some("inherited".to_owned());
        let before = NameState::new(records);
        let finished = before.finished(&route()).unwrap();
        assert_eq!(finished.records()[0].health_check_id.as_deref(), Some("inherited"));
        let bare = before.finished_bare(&route()).unwrap();
        assert_eq!(bare.records()[0].health_check_id, None);
        for live in [finished, bare] {
            let decided = target(RouteAction::Restore, 0, &route(), &before, &live, &PairChecks::default());
            assert_eq!(decided.unwrap(), Some(before.clone()));
        }
    }

    #[test]
    fn a_weight_that_is_not_the_plans_is_never_written() {
        for weight in [0, 49, 101, 255] {
            assert_eq!(decide(RouteAction::Shift, weight, &planned(0)), Err(name::INVALID_PLAN), "{weight}");
        }
    }

    /// A pair prepared by hand that is as prepare would leave it but for the health check of the new side that the plan wants.
    fn by_hand() -> (DnsRoute, NameState) {
        let check = HealthCheck {
            protocol: None,
            fqdn: Some("new.example.com".to_owned()),
            ip_address: None,
            path: "/".to_owned(),
            search_string: None,
            port: None,
            interval: Seconds(30),
            failure_threshold: 3,
        };
        let route = DnsRoute { health_checks: Some(HealthChecks { old: None, new: Some(check) }), ..route() };
        let member = |identifier: &str, weight, value: &str| RecordSet {
            set_identifier: Some(identifier.to_owned()),
            weight: Some(weight),
            ttl: Some(60),
            values: vec![value.to_owned()],
            ..before().records()[0].clone()
        };
        (route, NameState::new(vec![member("blue", 100, "1.2.3.4"), member("green", 0, "5.6.7.8")]))
    }

    #[test]
    fn health_checks_are_attached_and_taken_off_where_nothing_else_changes() {
        use RouteAction::{Finalise, Prepare, Restore, Shift};
        let (route, before) = by_hand();
        let mine = PairChecks { old: None, new: Some("mine".to_owned()) };
        let decide = |action, live: &NameState| target(action, 100, &route, &before, live, &mine).unwrap();
        let planned = |percent| before.planned(&route, percent, &mine).unwrap();
        let finished = before.finished(&route).unwrap();
        assert_eq!(decide(Prepare, &before), Some(planned(0)));
        assert_eq!(decide(Prepare, &planned(0)), None);
        assert_eq!(decide(Shift, &planned(50)), Some(planned(100)));
        assert_eq!(decide(Finalise, &planned(100)), Some(finished.clone()));
        assert_eq!(decide(Finalise, &finished), None);
        assert_eq!(decide(Restore, &planned(0)), Some(before.clone()));
        assert_eq!(decide(Restore, &before), None);
    }

    #[test]
    fn a_health_check_that_is_not_the_runs_is_somebody_elses_change() {
        use RouteAction::{Finalise, Prepare, Restore, Shift};
        let (route, before) = by_hand();
        let mine = PairChecks { old: None, new: Some("mine".to_owned()) };
        let foreign = PairChecks { old: None, new: Some("foreign".to_owned()) };
        for action in [Prepare, Shift, Finalise, Restore] {
            let live = before.planned(&route, 100, &foreign).unwrap();
            let error = target(action, 100, &route, &before, &live, &mine).unwrap_err();
            assert_eq!(error.name, name::DRIFT, "{action:?}");
        }
    }

    #[test]
    fn without_its_health_checks_in_sight_a_run_waits_and_an_undo_does_not() {
        use RouteAction::{Finalise, Prepare, Restore, Shift};
        let (route, before) = by_hand();
        let mine = PairChecks { old: None, new: Some("mine".to_owned()) };
        let live = |percent| before.planned(&route, percent, &mine).unwrap();
        let decide = |action, live: &NameState| {
            target(action, 50, &route, &before, live, &PairChecks::default()).map_err(|error| error.name)
        };
        assert_eq!(decide(Prepare, &live(0)), Err(name::TRANSIENT));
        assert_eq!(decide(Shift, &live(0)), Err(name::TRANSIENT));
        assert_eq!(decide(Shift, &live(50)), Err(name::TRANSIENT));
        assert_eq!(decide(Finalise, &live(100)), Ok(Some(before.finished(&route).unwrap())));
        assert_eq!(decide(Restore, &live(50)), Ok(Some(before.clone())));
    }

    #[test]
    fn what_somebody_else_changed_is_never_overwritten() {
        use RouteAction::{Finalise, Prepare, Restore, Shift};
        let mut records = before().records().to_vec();
        records[0].values = vec!["9.9.9.9".to_owned()];
        let changed = NameState::new(records);
        for action in [Prepare, Shift, Finalise, Restore] {
            assert_eq!(decide(action, 50, &changed), Err(name::DRIFT), "{action:?}");
        }
        assert_eq!(decide(Shift, 50, &before()), Err(name::DRIFT));
        assert_eq!(decide(Finalise, 0, &planned(50)), Err(name::DRIFT));
    }
}
