//! A step forward that needs no look at the name: Route 53 itself compares, since it refuses a batch that deletes what is not there. Pure.
//!
//! An account takes five requests to Route 53 a second, for all of its runs together: a look before and after each change would be half of what a
//! run asks. Who looks instead: the batch's own comparison; claim before prepare, and whoever watches a step while it settles; finalise, before
//! a run says that it has succeeded. Undo always looks.

use cutover::StepResult;
use cutover::contract::{RouteAction, RouteRequest};
use cutover::plan::DnsRoute;
use routes::name::{NameState, PairChecks, states_before_step};

use crate::decide;
use crate::sync::UNKNOWN_CHANGE;

/// A change whose two ends are known beforehand.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// What the step starts from.
    pub from: NameState,
    /// What it makes of it.
    pub to: NameState,
}

/// What a call changes; none where it has to look: to undo, to know the identifiers of the run's health checks, where nothing would change, and
/// where a weight has two steps.
///
/// # Errors
/// As [`decide::target`].
pub fn change(request: &RouteRequest, route: &DnsRoute, before: &NameState) -> StepResult<Option<Expected>> {
    if route.health_checks.is_some() {
        return Ok(None);
    }
    let checks = PairChecks::default();
    let from = match request.action {
        RouteAction::Prepare => Some(before.clone()),
        RouteAction::Shift => match &states_before_step(route, before, request.new_weight, &checks)?[..] {
            [only] => Some(only.clone()),
            _ => None,
        },
        RouteAction::Finalise => Some(before.planned(route, 100, &checks).map_err(cutover::StepError::invalid)?),
        RouteAction::Restore => None,
    };
    let Some(from) = from else { return Ok(None) };
    let to = decide::target(request.action, request.new_weight, route, before, &from, &checks)?;
    Ok(to.map(|to| Expected { from, to }))
}

/// Whether a step leaves the name as it finds it: a first one to 0, one that repeats the weight before it, a pair made by hand that is as
/// prepare would make it. Then nobody has sent a change whose answer could be lost, and resolvers keep nothing from before it. The run's
/// health checks come with prepare and go at the end.
///
/// # Errors
/// As [`decide::target`].
pub fn changes_nothing(request: &RouteRequest, route: &DnsRoute, before: &NameState) -> StepResult<bool> {
    let checks = PairChecks::default();
    let planned = |percent| before.planned(route, percent, &checks).map_err(cutover::StepError::invalid);
    let finished = || before.finished(route).map_err(cutover::StepError::invalid);
    let has_checks = route.health_checks.is_some();
    Ok(match (request.action, request.step) {
        (RouteAction::Prepare, _) => !has_checks && before.is_like(&planned(0)?),
        (RouteAction::Shift, Some(step)) => {
            let before_it = step.checked_sub(1).and_then(|before| route.steps.get(before));
            planned(before_it.map_or(0, |step| step.new_weight))?.is_like(&planned(request.new_weight)?)
        }
        (RouteAction::Shift, None) => {
            let (to, from) =
                (planned(request.new_weight)?, states_before_step(route, before, request.new_weight, &checks)?);
            !from.is_empty() && from.iter().all(|from| from.is_like(&to))
        }
        (RouteAction::Finalise, _) => !has_checks && planned(100)?.is_like(&finished()?),
        (RouteAction::Restore, _) => false,
    })
}

/// Whether a call only has to ask for a change that an earlier one has made: it was accepted, and others look at what it came to.
pub fn only_asks(request: &RouteRequest) -> bool {
    let is_known = request.change_id.as_deref().is_some_and(|change_id| change_id != UNKNOWN_CHANGE);
    is_known && matches!(request.action, RouteAction::Prepare | RouteAction::Shift)
}

#[cfg(test)]
mod tests {
    use RouteAction::{Finalise, Prepare, Restore, Shift};
    use serde_json::json;

    use super::*;

    fn route(steps: &[u8], has_checks: bool) -> DnsRoute {
        let steps: Vec<_> = steps.iter().map(|weight| json!({ "new_weight": weight, "hold": 300 })).collect();
        let checks = json!({ "new": { "protocol": "tcp", "port": 443, "ip_address": "5.6.7.8" } });
        serde_json::from_value(json!({
            "hosted_zone_id": "Z1", "record_name": "app.example.com", "ttl": 60, "steps": steps,
            "records": [{ "type": "A", "new": { "values": ["5.6.7.8"] } }],
            "health_checks": if has_checks { checks } else { json!(null) },
        }))
        .unwrap()
    }

    fn before() -> NameState {
        serde_json::from_value(json!([{ "type": "A", "set_identifier": null, "weight": null, "ttl": 300,
            "values": ["1.2.3.4"], "alias": null, "health_check_id": null }]))
        .unwrap()
    }

    fn request(action: RouteAction, new_weight: u8, change_id: Option<&str>) -> RouteRequest {
        serde_json::from_value(json!({ "run_id": "r", "execution_arn": "e", "state": "S", "action": action, "route": 0,
            "new_weight": new_weight, "attempt": 0, "change_id": change_id }))
        .unwrap()
    }

    #[test]
    fn each_step_forward_starts_where_the_one_before_ended() {
        let (route, before) = (route(&[10, 100], false), before());
        let of = |action, weight| change(&request(action, weight, None), &route, &before).unwrap().unwrap();
        let steps = [of(Prepare, 0), of(Shift, 10), of(Shift, 100), of(Finalise, 100)];
        assert_eq!(steps[0].from, before);
        for pair in steps.windows(2) {
            assert_eq!(pair[0].to, pair[1].from);
        }
        assert_eq!(steps[3].to, before.finished(&route).unwrap());
    }

    #[test]
    fn a_step_whose_two_ends_are_one_changes_nothing_and_nothing_is_waited_for() {
        let steps = [0, 50, 50, 100, 50, 100];
        let (route, before) = (route(&steps, false), before());
        let nothing = |request| changes_nothing(&request, &route, &before).unwrap();
        let of_step = |step: usize| RouteRequest { step: Some(step), ..request(Shift, steps[step], None) };
        let found: Vec<bool> = (0..steps.len()).map(|step| nothing(of_step(step))).collect();
        assert_eq!(found, [true, false, true, false, false, false]);
        let of_before = [0, 50, 100].map(|weight| nothing(request(Shift, weight, None)));
        assert_eq!(of_before, [true, false, false], "a weight of several steps may have come from elsewhere");
        assert_eq!([Prepare, Finalise, Restore].map(|action| nothing(request(action, 0, None))), [false; 3]);
    }

    #[test]
    fn a_pair_made_by_hand_and_a_record_that_is_replaced_at_once_may_be_as_prepare_would_make_them() {
        let member = |identifier: &str, weight: u8, value: &str, ttl: u32| json!({ "type": "A", "set_identifier": identifier, "weight": weight, "ttl": ttl, "values": [value] });
        let pair = |ttl| -> NameState {
            let pair = json!([member("blue", 100, "1.2.3.4", ttl), member("green", 0, "5.6.7.8", ttl)]);
            serde_json::from_value(pair).unwrap()
        };
        let nothing = |action, has_checks, before: &NameState| {
            changes_nothing(&request(action, 0, None), &route(&[50, 100], has_checks), before).unwrap()
        };
        assert!(nothing(Prepare, false, &pair(60)) && nothing(Finalise, false, &pair(60)));
        assert!(!nothing(Prepare, false, &pair(300)) && !nothing(Finalise, false, &pair(300)), "its TTL is lowered");
        assert!(!nothing(Prepare, true, &pair(60)) && !nothing(Finalise, true, &pair(60)), "checks come and go");
        let cname = json!([{ "type": "CNAME", "ttl": 60, "values": ["old.example.net"] }]);
        assert!(nothing(Prepare, false, &serde_json::from_value(cname).unwrap()));
    }

    #[test]
    fn undo_and_what_has_health_checks_of_the_run_look() {
        let before = before();
        let of = |action, route: &DnsRoute| change(&request(action, 100, None), route, &before).unwrap();
        assert_eq!(of(Restore, &route(&[100], false)), None);
        for action in [Prepare, Shift, Finalise, Restore] {
            assert_eq!(of(action, &route(&[100], true)), None, "{action:?}");
        }
    }

    #[test]
    fn a_weight_that_is_reached_from_two_sides_is_looked_at() {
        let route = route(&[10, 50, 10, 100], false);
        assert_eq!(change(&request(Shift, 10, None), &route, &before()).unwrap(), None);
        assert!(change(&request(Shift, 50, None), &route, &before()).unwrap().is_some());
    }

    #[test]
    fn what_is_said_of_a_change_is_asked_for_where_it_is_known_and_the_end_is_looked_at() {
        let asks = |action, change_id| only_asks(&request(action, 100, change_id));
        for action in [Prepare, Shift] {
            assert!(asks(action, Some("/change/C1")));
            assert!(!asks(action, None) && !asks(action, Some(UNKNOWN_CHANGE)), "{action:?}");
        }
        assert!(!asks(Finalise, Some("/change/C1")) && !asks(Restore, Some("/change/C1")));
    }
}
