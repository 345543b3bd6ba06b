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
