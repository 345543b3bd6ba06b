//! What becomes of a route's old target group: pure.

use cutover::text::region_option;

use crate::traffic::Traffic;

/// The time between two looks at an old group that still serves sticky clients.
pub(crate) const TRAFFIC_INTERVAL_SECONDS: u64 = 3600;
/// So many looks make a week: group stickiness lasts 604,800 s at the most.
const MOST_TRAFFIC_LOOKS: u32 = 168;
/// After ModifyListener a group stays in use for a minute or two (reports).
pub(crate) const RELEASE_INTERVAL_SECONDS: u64 = 30;
/// So many tries make five minutes.
const MOST_RELEASE_TRIES: u32 = 10;
/// What is left of an execution's history, of 25,000 events, by the [looks](crate::changes::MOST_LOOKS) before cleanup and a dozen after.
const MOST_EVENTS: u64 = 15_200;
/// The function, a Choice, a Wait: entered, scheduled, started, succeeded, exited.
const EVENTS_PER_LOOK: u64 = 9;

/// Where a route's action is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// As the run left it: the old group is in it, at weight 0.
    Whole,
    /// As its owner would write it: the old group is out.
    Finished,
    /// Somebody else has changed it, to this.
    Elsewhere(String),
}

/// What is known of a route and its old group.
#[derive(Clone, Debug)]
pub(crate) struct Facts<'a> {
    /// The listener or rule.
    pub arn: &'a str,
    /// The old group.
    pub group: &'a str,
    /// Whether the plan asks to delete it.
    pub is_asked: bool,
    /// Whether the new side fails: then the way back stays.
    pub is_in_trouble: bool,
    /// Whether it still exists.
    pub exists: bool,
    /// A later route of the plan that has the same old group: the last one deletes it.
    pub later: Option<usize>,
    /// Another listener or rule that forwards to it, where its traffic was asked after.
    pub led_by: Option<String>,
    /// Where the action is.
    pub place: Place,
    /// Whether clients may stay with the group although its weight is 0: stickiness, connections.
    pub lingers: bool,
    /// What is known of the group's traffic.
    pub traffic: Traffic,
    /// How often it was looked at before.
    pub attempt: u32,
    /// How often it is looked at.
    pub most_looks: u32,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing: somebody has deleted the group.
    Gone,
    /// Look again later.
    Wait,
    /// Touch nothing; the reason.
    Keep(String),
    /// Take the group out of the action, and keep it; the reason.
    LetGo(String),
    /// Take it out of the action; a later route decides what becomes of it.
    Leave,
    /// Take it out of the action, and delete it.
    Delete,
}

/// What to do with the old group. It is deleted only if the plan asks for that and it is known to be silent.
pub(crate) fn next(facts: &Facts) -> Next {
    let Facts { group, .. } = facts;
    if !facts.exists {
        return Next::Gone;
    }
    if let Place::Elsewhere(live) = &facts.place {
        return Next::Keep(format!("{group}: {} was changed to {live} since", facts.arn));
    }
    if facts.is_in_trouble {
        return Next::Keep(format!("{group}: the new side was failing when cleanup was due, and this is the way back"));
    }
    if facts.later.is_some() && !facts.lingers {
        return Next::Leave;
    }
    let unasked = || format!("{group}: the plan does not ask to delete it");
    match &facts.traffic {
        Traffic::Serves if facts.lingers || facts.is_asked => serving(facts),
        Traffic::Silent if facts.later.is_some() => Next::Leave,
        Traffic::Silent if facts.is_asked => Next::Delete,
        Traffic::Unknown(why) if facts.is_asked => Next::LetGo(format!("{group}: {why}")),
        Traffic::Serves | Traffic::Silent | Traffic::Unknown(_) => Next::LetGo(unasked()),
    }
}

/// Whoever is still served is waited for. In the end the group stays; out of the action only if nobody is served through it.
/// Where others forward to it, its traffic is theirs, and waiting for it to end is in vain.
fn serving(facts: &Facts) -> Next {
    if let Some(other) = facts.led_by.as_ref().filter(|_| !facts.lingers) {
        return Next::LetGo(format!("{}: {other} forwards to it", facts.group));
    }
    if facts.attempt < facts.most_looks {
        return Next::Wait;
    }
    let hours = u64::from(facts.attempt) * TRAFFIC_INTERVAL_SECONDS / 3600;
    let reason = format!("{}: it still serves traffic after {hours} hours of looking", facts.group);
    if facts.lingers { Next::Keep(reason) } else { Next::LetGo(reason) }
}

/// Whether a group that AWS still has in use is tried again. `attempt` counts all calls, also for an execution whose definition
/// does not count the tries yet.
pub(crate) fn is_release_awaited(tries: u32, attempt: u32) -> bool {
    tries < MOST_RELEASE_TRIES && attempt < MOST_TRAFFIC_LOOKS + MOST_RELEASE_TRIES
}

/// The command that deletes a group which is kept, once nobody needs it. It stands beside the reason and not in it: a reason is cut where there is
/// little room, and half a command is none.
pub(crate) fn by_hand(group: &str) -> String {
    format!("aws elbv2 delete-target-group --target-group-arn {group}{}", region_option(group))
}

/// How often a route is looked at while its old group still serves: one execution looks after all of them, one after the
/// other, and its history has to have room, for the tries at the end too.
pub(crate) fn most_looks(routes: usize) -> u32 {
    let fitting = MOST_EVENTS / EVENTS_PER_LOOK / routes.max(1) as u64;
    let fitting = fitting.saturating_sub(u64::from(MOST_RELEASE_TRIES));
    u32::try_from(fitting).unwrap_or(u32::MAX).min(MOST_TRAFFIC_LOOKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: &str = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/old/1";

    fn facts(is_asked: bool, traffic: Traffic) -> Facts<'static> {
        Facts {
            arn: "listener",
            group: GROUP,
            is_asked,
            is_in_trouble: false,
            exists: true,
            later: None,
            led_by: None,
            place: Place::Whole,
            lingers: false,
            traffic,
            attempt: 0,
            most_looks: 168,
        }
    }

    fn unknown() -> Traffic {
        Traffic::Unknown("nobody knows".to_owned())
    }

    #[test]
    fn only_a_group_that_is_known_to_be_silent_is_deleted_and_only_if_the_plan_asks() {
        assert_eq!(next(&facts(true, Traffic::Silent)), Next::Delete);
        let all_others = [
            facts(false, Traffic::Silent),
            facts(false, Traffic::Serves),
            facts(false, unknown()),
            facts(true, Traffic::Serves),
            facts(true, unknown()),
            Facts { later: Some(1), ..facts(true, Traffic::Silent) },
            Facts { later: Some(1), lingers: true, ..facts(true, Traffic::Silent) },
            Facts { exists: false, ..facts(true, Traffic::Silent) },
            Facts { place: Place::Elsewhere("old=1".to_owned()), ..facts(true, Traffic::Silent) },
        ];
        for facts in all_others {
            assert_ne!(next(&facts), Next::Delete, "{facts:?}");
        }
    }

    #[test]
    fn a_group_that_stays_leaves_the_action_all_the_same() {
        let told = |facts| match next(&facts) {
            Next::LetGo(reason) => reason,
            other => format!("{other:?}"),
        };
        assert_eq!(told(facts(false, Traffic::Silent)), format!("{GROUP}: the plan does not ask to delete it"));
        assert_eq!(told(facts(false, unknown())), told(facts(false, Traffic::Silent)));
        assert_eq!(told(facts(false, Traffic::Serves)), told(facts(false, Traffic::Silent)), "others lead there");
        assert_eq!(told(facts(true, unknown())), format!("{GROUP}: nobody knows"));
        assert!(by_hand(GROUP).ends_with("targetgroup/old/1 --region eu-west-1"), "{}", by_hand(GROUP));
    }

    #[test]
    fn whoever_is_still_served_is_waited_for() {
        let sticky = |is_asked, attempt| Facts { lingers: true, attempt, ..facts(is_asked, Traffic::Serves) };
        let asked = |attempt| Facts { attempt, ..facts(true, Traffic::Serves) };
        for waiting in [sticky(true, 0), sticky(false, 0), sticky(false, 167), asked(0), asked(167)] {
            assert_eq!(next(&waiting), Next::Wait, "{waiting:?}");
        }
        for given_up in [sticky(true, 168), sticky(false, 168)] {
            assert!(matches!(next(&given_up), Next::Keep(reason) if reason.contains("after 168 hours")));
        }
        assert!(matches!(next(&asked(168)), Next::LetGo(reason) if reason.contains("after 168 hours")));
    }

    #[test]
    fn a_group_of_several_routes_goes_with_the_last_of_them() {
        let shared = |traffic| Facts { later: Some(1), ..facts(true, traffic) };
        for traffic in [Traffic::Silent, Traffic::Serves, unknown()] {
            assert_eq!(next(&shared(traffic)), Next::Leave);
        }
        let sticky = |traffic| Facts { lingers: true, ..shared(traffic) };
        assert_eq!(next(&sticky(Traffic::Silent)), Next::Leave);
        assert_eq!(next(&sticky(Traffic::Serves)), Next::Wait, "its clients are waited for");
    }

    #[test]
    fn traffic_that_others_lead_to_the_group_is_not_waited_for() {
        let others = |lingers| {
            let led_by = Some("rule 7 (path /old/*)".to_owned());
            next(&Facts { led_by, lingers, ..facts(true, Traffic::Serves) })
        };
        assert_eq!(others(false), Next::LetGo(format!("{GROUP}: rule 7 (path /old/*) forwards to it")));
        assert_eq!(others(true), Next::Wait, "sticky clients may be among them");
    }

    #[test]
    fn what_somebody_else_changed_is_not_touched() {
        let place = Place::Elsewhere("old=50 new=50".to_owned());
        let told = next(&Facts { place, ..facts(true, Traffic::Serves) });
        assert_eq!(told, Next::Keep(format!("{GROUP}: listener was changed to old=50 new=50 since")));
        let gone = Facts { exists: false, place: Place::Elsewhere(String::new()), ..facts(false, Traffic::Silent) };
        assert_eq!(next(&gone), Next::Gone);
    }

    #[test]
    fn the_way_back_from_a_new_side_that_fails_is_kept_whole() {
        let told = next(&Facts { is_in_trouble: true, ..facts(true, Traffic::Silent) });
        let reason = format!("{GROUP}: the new side was failing when cleanup was due, and this is the way back");
        assert_eq!(told, Next::Keep(reason));
        let gone = Facts { is_in_trouble: true, exists: false, ..facts(true, Traffic::Silent) };
        assert_eq!(next(&gone), Next::Gone);
    }

    #[test]
    fn a_group_that_is_being_released_is_tried_for_some_minutes() {
        let tries = (0..).take_while(|tries| is_release_awaited(*tries, *tries)).count() as u64;
        assert_eq!(tries * RELEASE_INTERVAL_SECONDS, 5 * 60);
        assert!(!is_release_awaited(0, 178), "nobody counts, and it does not end");
    }

    #[test]
    fn the_looks_of_all_routes_fit_into_one_history() {
        const MOST_ROUTES: usize = 20;
        const QUOTA: u64 = 25_000;
        const EVENTS_PER_WATCH: u64 = 28; // three Choices, a Wait, two functions, two messages
        const LOOKS_AFTER_DUE: u64 = 12; // of `IsDue`
        let others_in_cleanup = 1_000 + (crate::changes::MOST_LOOKS + LOOKS_AFTER_DUE) * EVENTS_PER_WATCH;
        for routes in 1..=MOST_ROUTES {
            let calls = u64::from(most_looks(routes) + MOST_RELEASE_TRIES) + 1; // the last one gives up
            assert!(calls * routes as u64 * EVENTS_PER_LOOK + others_in_cleanup < QUOTA, "{routes} routes");
        }
        assert_eq!(most_looks(1), MOST_TRAFFIC_LOOKS);
        assert_eq!(most_looks(9), MOST_TRAFFIC_LOOKS);
        assert!(most_looks(MOST_ROUTES) >= 3 * 24, "fewer than three days");
    }
}
