//! Whether a change is on all of Route 53's servers, and how long resolvers keep the answer from before it. Pure.
//!
//! | what is known of the change | settled | looked at again after |
//! |---|---|---|
//! | its identifier, and this call sent it | no | `SYNC_INTERVAL_SECONDS` |
//! | its identifier, and it is INSYNC | yes | - |
//! | its identifier, and it is anything else | no | `SYNC_INTERVAL_SECONDS`, until it is given up |
//! | none: the answer was lost, in this call or before it | no | `UNKNOWN_SYNC_SECONDS` |
//! | none, and that wait has been | yes | - |
//! | there is none: nothing was to be undone, or the step's two ends are one (`expected::changes_nothing`) | yes | - |

use aws_sdk_route53::types::ChangeStatus;
use cutover::contract::RouteAction;
use cutover::error::name;
use cutover::plan::Route;
use cutover::{StepError, StepResult};
use routes::RouteState;

/// The time between two looks at a change: PENDING to INSYNC is generally under 60 s (Route 53 API reference, GetChange).
const SYNC_INTERVAL_SECONDS: u64 = 10;
/// How long to wait for a change whose identifier is not known, because its answer was lost.
const UNKNOWN_SYNC_SECONDS: u64 = 60;
/// Stands in for that identifier, so that the wait is seen to have been.
pub const UNKNOWN_CHANGE: &str = "unknown";
/// So many looks make ten minutes.
const MOST_SYNC_LOOKS: u32 = 60;

/// What is to be done about a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sync<'a> {
    /// It is on all servers, or there is none.
    Settled,
    /// Wait so long and look again.
    Wait(u64),
    /// Ask Route 53 about the change of this identifier.
    Ask(&'a str),
}

/// What is to be done before anybody asks. `changed`: this call has written.
pub fn sync(action: RouteAction, changed: bool, change_id: Option<&str>) -> Sync<'_> {
    match change_id {
        // Nothing to undo, or undone by a call whose answer was lost: rollback looks a second time anyway.
        None if action == RouteAction::Restore && !changed => Sync::Settled,
        None => Sync::Wait(UNKNOWN_SYNC_SECONDS),
        Some(UNKNOWN_CHANGE) if changed => Sync::Wait(UNKNOWN_SYNC_SECONDS),
        Some(UNKNOWN_CHANGE) => Sync::Settled,
        Some(_) if changed => Sync::Wait(SYNC_INTERVAL_SECONDS),
        Some(change_id) => Sync::Ask(change_id),
    }
}

/// What the answer comes to, after `looks_before` other calls of this action; `earlier_looks` may have been for something else.
///
/// # Errors
/// `Cutover.Inconclusive` for a change that is still not in sync after ten minutes.
pub fn judge<'a>(
    change_id: &str,
    status: Option<&ChangeStatus>,
    looks_before: u32,
    earlier_looks: u32,
) -> StepResult<Sync<'a>> {
    if status == Some(&ChangeStatus::Insync) {
        return Ok(Sync::Settled);
    }
    if looks_before >= MOST_SYNC_LOOKS + earlier_looks {
        let problem = format!("change {change_id} is still PENDING after ten minutes");
        return Err(StepError::new(name::INCONCLUSIVE, problem));
    }
    Ok(Sync::Wait(SYNC_INTERVAL_SECONDS))
}

/// What is told of a change that counts as in effect, and was not seen to be.
pub fn note(name: &str, change_id: Option<&str>) -> Option<String> {
    (change_id == Some(UNKNOWN_CHANGE)).then(|| {
        format!("a change of {name} was not seen INSYNC: its answer was lost, and {UNKNOWN_SYNC_SECONDS} s were waited instead")
    })
}

/// How long resolvers may still give the answer from before the change, in seconds.
pub fn wait_after(action: RouteAction, route: &Route, before: &RouteState) -> u64 {
    match action {
        RouteAction::Prepare => u64::from(before.longest_ttl_seconds()),
        RouteAction::Shift => u64::from(before.settle_seconds(route)),
        RouteAction::Finalise | RouteAction::Restore => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ACTIONS: [RouteAction; 4] =
        [RouteAction::Prepare, RouteAction::Shift, RouteAction::Finalise, RouteAction::Restore];

    #[test]
    fn a_change_that_was_just_sent_is_never_in_effect_yet() {
        for action in ACTIONS {
            assert_eq!(sync(action, true, Some("/change/1")), Sync::Wait(10), "{action:?}");
            assert_eq!(sync(action, true, None), Sync::Wait(60), "{action:?}: its answer was lost");
            assert_eq!(sync(action, true, Some(UNKNOWN_CHANGE)), Sync::Wait(60), "{action:?}: sent again");
        }
    }

    #[test]
    fn a_change_of_an_earlier_call_is_asked_about_and_an_unknown_one_is_waited_out() {
        for action in ACTIONS {
            assert_eq!(sync(action, false, Some("/change/1")), Sync::Ask("/change/1"), "{action:?}");
            assert_eq!(sync(action, false, Some(UNKNOWN_CHANGE)), Sync::Settled, "{action:?}: that wait has been");
        }
        for action in [RouteAction::Prepare, RouteAction::Shift, RouteAction::Finalise] {
            assert_eq!(sync(action, false, None), Sync::Wait(60), "{action:?}: a call before may have sent it");
        }
        assert_eq!(sync(RouteAction::Restore, false, None), Sync::Settled);
    }

    #[test]
    fn a_change_that_nobody_could_ask_about_is_told() {
        assert_eq!(note("app.example.com", Some("/change/1")), None);
        assert_eq!(note("app.example.com", None), None);
        assert!(note("app.example.com", Some(UNKNOWN_CHANGE)).is_some_and(|note| note.contains("not seen INSYNC")));
    }

    #[test]
    fn only_insync_is_in_sync_and_pending_is_given_up_after_ten_minutes() {
        let judged = |status: Option<&str>, looks_before| {
            let status = status.map(ChangeStatus::from);
            judge("/change/1", status.as_ref(), looks_before, 20).map_err(|error| error.name)
        };
        for looks_before in [0, 60, 79, 80, 1_000] {
            assert_eq!(judged(Some("INSYNC"), looks_before), Ok(Sync::Settled));
        }
        for status in [Some("PENDING"), Some("SOMETHING_NEW"), None] {
            assert_eq!(judged(status, 0), Ok(Sync::Wait(10)), "{status:?}");
            assert_eq!(judged(status, 79), Ok(Sync::Wait(10)), "{status:?}");
            assert_eq!(judged(status, 80), Err(name::INCONCLUSIVE), "{status:?}");
        }
    }

    #[test]
    fn the_old_answers_ttl_is_waited_out_after_prepare_and_the_longest_that_an_answer_has_after_a_shift() {
        let new = |value: &str| json!({ "values": [value] });
        let route: Route = serde_json::from_value(json!({
            "type": "dns", "hosted_zone_id": "Z1", "record_name": "app.example.com", "ttl": 60, "steps": [{ "new_weight": 100 }],
            "records": [{ "type": "A", "new": new("5.6.7.8") }, { "type": "AAAA", "new": new("2001:db8::2") }],
        }))
        .unwrap();
        let record = |kind: &str, ttl: i64, value: &str| {
            json!({ "type": kind, "set_identifier": null, "weight": null, "ttl": ttl, "values": [value],
                "alias": null, "health_check_id": null })
        };
        let before = |ttls: [i64; 2]| -> RouteState {
            let records = [record("A", ttls[0], "1.2.3.4"), record("AAAA", ttls[1], "2001:db8::1")];
            serde_json::from_value(json!({ "type": "dns", "records": records })).unwrap()
        };
        for ttls in [[300, 3600], [3600, 300]] {
            let waits = ACTIONS.map(|action| wait_after(action, &route, &before(ttls)));
            assert_eq!(waits, [3600, 60, 0, 0], "{ttls:?}");
        }
    }
}
