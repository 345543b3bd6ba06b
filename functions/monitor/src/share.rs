//! Which share of the requests the new side of a route really gets, beside its weight. Pure.
//!
//! An Application Load Balancer counts requests by target group. What is counted is that of the whole periods since the step began. A difference
//! is a finding, and holds the step, when these do not explain it:
//!
//! | what | how it is allowed for |
//! |---|---|
//! | chance: each request is spread for itself | the exact interval (`judge::interval`) that misses the true share once in 10,000 looks |
//! | a weight that is in effect some seconds late, requests of a test listener | 5 percentage points more |
//! | stickiness: clients stay on the side that served them first | the share is told, and not judged |
//! | others that lead to one of the groups: another route of the plan, a name, what it leaves behind | the same |
//! | resolvers' caches, and what else the balancers serve | of a name that moves between two Application Load Balancers their requests are told, and not judged |
//!
//! DNS itself counts no requests: of any other name nothing is told. How far a name's share may be from its weight nobody can say: resolvers keep an
//! answer for its TTL, some for longer, each for any number of users, and a balancer counts whoever asks it by whatever name.
//!
//! No datapoint is no request for a load balancer. All the same the share is not known while the new side, or below 100 % the old one, has
//! none at all: gates on metrics say what that means.

use cutover::plan::{Plan, Route};
use cutover::verdict::Verdict;
use judge::Counts;
use judge::interval;

use crate::{Check, words};

/// How surely the true share lies in the interval of chance.
const CONFIDENCE: f64 = 0.9999;
/// Percentage points.
const TOLERANCE: f64 = 5.0;

/// Requests that were counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Of the new side's group.
    pub new: u64,
    /// Of the old side's.
    pub old: u64,
}

/// Why the share of a name is not judged.
pub const OF_NAME: &str = "resolvers keep answers for users of unlike numbers, and the load balancers count whoever asks them, by whatever name";

/// What the check is called.
pub fn title_of(title: &str) -> String {
    format!("share of {title}")
}

/// What explains any difference; none where there is no such thing.
pub fn explained(plan: &Plan, index: usize, is_sticky: bool) -> Option<&'static str> {
    let groups = |route: &Route| match route {
        Route::Listener(route) => vec![route.old_target_group_arn.clone(), route.new_target_group_arn.clone()],
        Route::Dns(_) => vec![],
    };
    let own = plan.routes.get(index).map(groups).unwrap_or_default();
    let others = plan.routes.iter().enumerate().filter(|(other, _)| *other != index);
    let is_shared = others.flat_map(|(_, route)| groups(route)).any(|group| own.contains(&group));
    let has_names = plan.routes.iter().any(|route| matches!(route, Route::Dns(_)));
    if is_sticky {
        Some("clients stay on the side that served them first")
    } else if has_names {
        Some("a name of the plan may lead to one of the groups")
    } else if is_shared {
        Some("another route of the plan leads to one of the groups")
    } else {
        (!plan.leaves_behind.is_empty()).then_some("the plan leaves others behind, who may lead to one of the groups")
    }
}

/// The share in percent, and what it says beside the weight (1 to 100); none while it is not known.
pub fn look(title: &str, new_weight: u8, requests: Requests, explained: Option<&str>) -> Option<(f64, Check)> {
    let Requests { new, old } = requests;
    if new == 0 || (old == 0 && new_weight < 100) {
        return None;
    }
    let counts = Counts { bad: new, all: new.saturating_add(old) };
    let percent = 100.0 * counts.share()?;
    let (low, high) = interval::share(counts, CONFIDENCE);
    let weight = f64::from(new_weight);
    let is_explained = (100.0 * low - TOLERANCE..=100.0 * high + TOLERANCE).contains(&weight);
    let seen =
        format!("{percent:.1} % of {} requests on the new side, weight {new_weight} %", words::grouped(counts.all));
    let (verdict, seen) = match explained {
        Some(why) => (Verdict::Healthy, format!("{seen}; not judged: {why}")),
        None if is_explained => (Verdict::Healthy, seen),
        None => {
            let why = "chance does not explain that: somebody else leads users to one of the sides, or past the load balancer's weights";
            (Verdict::Inconclusive, format!("{seen}; {why}"))
        }
    };
    Some(((percent * 10.0).round() / 10.0, Check::new(title_of(title), verdict, seen)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn verdict(new_weight: u8, new: u64, old: u64) -> Option<Verdict> {
        look("a", new_weight, Requests { new, old }, None).map(|(_, check)| check.verdict)
    }

    #[test]
    fn a_share_beside_its_weight_is_no_finding_as_far_as_chance_and_tolerance_go() {
        for (weight, new, old) in
            [(10, 100, 900), (10, 3, 4), (50, 20, 40), (10, 140, 860), (100, 500, 0), (100, 96, 4), (1, 1, 30)]
        {
            assert_eq!(verdict(weight, new, old), Some(Verdict::Healthy), "{weight} {new} {old}");
        }
    }

    #[test]
    fn a_share_that_chance_does_not_explain_holds_the_step() {
        for (weight, new, old) in [(10, 300, 700), (50, 300, 700), (100, 800, 200), (10, 20, 5), (90, 10, 40)] {
            assert_eq!(verdict(weight, new, old), Some(Verdict::Inconclusive), "{weight} {new} {old}");
        }
        let (percent, check) = look("listener l", 10, Requests { new: 617, old: 617 }, None).unwrap();
        assert_eq!((percent, check.name.as_str()), (50.0, "share of listener l"));
        assert!(
            check.seen.starts_with("50.0 % of 1,234 requests on the new side, weight 10 %; chance does not"),
            "{}",
            check.seen
        );
    }

    #[test]
    fn nothing_is_said_while_a_side_that_should_have_requests_has_none() {
        for (weight, new, old) in [(10, 0, 100), (50, 100, 0), (100, 0, 100), (100, 0, 0)] {
            assert_eq!(verdict(weight, new, old), None, "{weight} {new} {old}");
        }
    }

    fn plan(groups: &[[&str; 2]], leaves_behind: Value) -> Plan {
        let route = |[old, new]: &[&str; 2]| {
            json!({ "type": "listener", "listener_arn": "l", "old_target_group_arn": old, "new_target_group_arn": new,
                "steps": [{ "new_weight": 100 }] })
        };
        let routes: Vec<Value> = groups.iter().map(route).collect();
        serde_json::from_value(json!({ "application": "a", "routes": routes, "leaves_behind": leaves_behind })).unwrap()
    }

    #[test]
    fn what_else_moves_clients_or_counts_explains_any_share() {
        let own = plan(&[["a", "b"], ["c", "d"]], json!([]));
        assert_eq!(explained(&own, 0, false), None);
        let name =
            json!({ "type": "dns", "hosted_zone_id": "Z", "record_name": "a.example.com", "records": [], "steps": [] });
        let with_name =
            Plan { routes: [own.routes.clone(), vec![serde_json::from_value(name).unwrap()]].concat(), ..own.clone() };
        assert!(explained(&with_name, 0, false).is_some());
        assert!(explained(&own, 0, true).is_some());
        assert!(explained(&plan(&[["a", "b"], ["c", "b"]], json!([])), 1, false).is_some());
        let behind = json!([{ "what": "listener 443 of shop", "why": "next week" }]);
        let why = explained(&plan(&[["a", "b"]], behind), 0, false);
        let (_, check) = look("l", 10, Requests { new: 50, old: 50 }, why).unwrap();
        assert_eq!(check.verdict, Verdict::Healthy);
        assert!(check.seen.contains("not judged: the plan leaves others behind"), "{}", check.seen);
    }
}
