//! Between the cutover and its cleanup: is every route still where the cutover left it, and is there nothing that leads users past
//! it? Writes nothing.
//!
//! What somebody else changes then is theirs, and nothing is put back: people are told, once for each change. While a route itself is
//! elsewhere, the checks of the new side say nothing of the cutover; beside what leads users past it they still do.

use cutover::contract::{Caller, digest};
use cutover::error::name;
use cutover::plan::Route;
use cutover::{Plan, Seconds, StepError, StepResult};
use jiff::Timestamp;
use journal::{Phase, Run};
use routes::{RouteOfRun, RouteState};
use serde::{Deserialize, Serialize};

use crate::{Clients, for_run};

/// So many looks at the most before cleanup is due, one each five minutes of a day: an execution's history has to have room for them.
pub(crate) const MOST_LOOKS: u64 = 290;

/// A look at all routes.
#[derive(Clone, Debug, Deserialize)]
pub struct WatchRequest {
    /// Who is calling.
    #[serde(flatten)]
    pub caller: Caller,
    /// What the last reply said.
    #[serde(default)]
    pub told: String,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Watch {
    /// Whether the run still is this cleanup's, and finished.
    pub is_ours: bool,
    /// The routes that are not where the cutover left them; in the look that tells it, also those that users are led past.
    pub elsewhere: Vec<Elsewhere>,
    /// Whether that is to be told: it was not before.
    pub is_news: bool,
    /// To be sent with the next request.
    pub told: String,
}

/// A route that is not where the cutover left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Elsewhere {
    /// The route.
    pub title: String,
    /// How it is now.
    pub live: String,
    /// How the cutover left it.
    pub left: String,
    /// Whether the route itself is as it was left, and users are led past it.
    #[serde(skip)]
    pub is_past: bool,
}

/// The time between two looks.
pub(crate) fn interval(plan: &Plan) -> Seconds {
    Seconds(plan.cleanup.after.0.div_ceil(MOST_LOOKS)).max(plan.monitoring.until_cleanup.interval)
}

/// Looks once.
pub(crate) async fn watch(clients: &Clients, request: &WatchRequest, now: Timestamp) -> StepResult<Watch> {
    let run = clients.journal.read(&request.caller.run_id).await?;
    let Some(run) = run.filter(|run| is_ours(run, &request.caller)) else {
        return Ok(Watch { is_ours: false, elsewhere: Vec::new(), is_news: false, told: String::new() });
    };
    let clients = &for_run(clients, &run, run.plan.names(), now);
    let mut elsewhere = Vec::new();
    for (index, route) in run.plan.routes.iter().enumerate() {
        elsewhere.extend(look(clients, &run.plan, route, run.route(index)?).await?);
    }
    Ok(news(elsewhere, &request.told))
}

fn is_ours(run: &Run, caller: &Caller) -> bool {
    run.phase == Phase::Finished && run.owner == caller.execution_arn
}

/// What is not where it was left is looked at twice: a read can be behind.
async fn look(clients: &Clients, plan: &Plan, route: &Route, of_run: RouteOfRun<'_>) -> StepResult<Option<Elsewhere>> {
    let left = of_run.finished()?;
    let mut seen = None;
    for _ in 0..2 {
        seen = match routes::any::look(&clients.routes, plan, of_run).await {
            Ok((live, past)) => differs(route, of_run, (&live, past), &left),
            // It cannot even be read as one that a plan moves, or is gone.
            Err(StepError { name: name::DRIFT | name::REFUSED, message }) => {
                Some(different(route, message, left.describe()))
            }
            Err(error) => return Err(error),
        };
        if seen.is_none() {
            break;
        }
    }
    Ok(seen)
}

fn differs(
    route: &Route,
    of_run: RouteOfRun,
    (live, past): (&RouteState, Option<String>),
    left: &RouteState,
) -> Option<Elsewhere> {
    if !of_run.is_at(live, left) {
        return Some(different(route, live.describe_beside(left), left.describe_beside(live)));
    }
    let past = past?;
    let live = format!("{}; and {past}", live.describe());
    Some(Elsewhere { is_past: true, ..different(route, live, left.describe()) })
}

fn different(route: &Route, live: String, left: String) -> Elsewhere {
    Elsewhere { title: route.title(), live, left, is_past: false }
}

/// Each change is told once; what was put right is forgotten, so that the same change is told again.
fn news(mut elsewhere: Vec<Elsewhere>, told: &str) -> Watch {
    let lines: Vec<String> = elsewhere.iter().map(|one| format!("{}: {}", one.title, one.live)).collect();
    let now = if lines.is_empty() { String::new() } else { digest(&lines.join("\n")) };
    let is_news = !elsewhere.is_empty() && now != told;
    // The machine looks at the new side's health where nothing is here.
    elsewhere.retain(|one| is_news || !one.is_past);
    Watch { is_ours: true, is_news, elsewhere, told: now }
}

#[cfg(test)]
mod tests {
    use routes::name::NameState;

    use super::*;

    fn elsewhere(live: &str) -> Vec<Elsewhere> {
        vec![one(live, false)]
    }

    fn one(live: &str, is_past: bool) -> Elsewhere {
        Elsewhere { title: "listener l".to_owned(), live: live.to_owned(), left: "new=100".to_owned(), is_past }
    }

    #[test]
    fn what_leads_users_past_a_name_until_cleanup_is_told_once_and_its_health_still_looked_at() {
        let route = serde_json::json!({ "type": "dns", "hosted_zone_id": "Z1", "record_name": "app.example.com",
            "records": [{ "type": "A", "new": { "values": ["5.6.7.8"] } }], "steps": [{ "new_weight": 100 }] });
        let route: Route = serde_json::from_value(route).unwrap();
        let record = |value: &str| serde_json::json!([{ "type": "A", "ttl": 300, "values": [value] }]);
        let state = |value: &str| RouteState::from(serde_json::from_value::<NameState>(record(value)).unwrap());
        let (before, left) = (state("1.2.3.4"), state("5.6.7.8"));
        let of_run = RouteOfRun::of(&route, &before).unwrap();
        let look =
            |value: &str, past: Option<&str>| differs(&route, of_run, (&state(value), past.map(str::to_owned)), &left);
        assert_eq!(look("5.6.7.8", None), None);
        let past = look("5.6.7.8", Some("app.example.com answers with AAAA as well")).unwrap();
        assert!(past.is_past && past.live.ends_with("; and app.example.com answers with AAAA as well"), "{past:?}");
        assert!(!look("1.2.3.4", Some("app.example.com answers with AAAA as well")).unwrap().is_past);
        let first = news(vec![past.clone()], "");
        assert!(first.is_news && first.elsewhere == [past.clone()]);
        let second = news(vec![past.clone()], &first.told);
        assert!(!second.is_news && second.elsewhere.is_empty(), "the machine goes on to the health");
        let moved = news(vec![past, one("old=100", false)], &first.told);
        assert!(moved.is_news && moved.elsewhere.len() == 2);
        assert_eq!(news(vec![one("old=100", false)], &moved.told).elsewhere.len(), 1);
    }

    #[test]
    fn a_change_is_told_once_and_another_or_the_same_after_it_was_put_right_again() {
        let first = news(elsewhere("old=100"), "");
        assert!(first.is_news && !first.told.is_empty());
        assert!(!news(elsewhere("old=100"), &first.told).is_news);
        assert!(news(elsewhere("old=50"), &first.told).is_news);
        let right = news(Vec::new(), &first.told);
        assert!(!right.is_news && right.is_ours);
        assert!(news(elsewhere("old=100"), &right.told).is_news);
    }

    #[test]
    fn a_run_that_is_no_longer_finished_or_somebody_elses_is_not_watched() {
        let caller = |me: &str| Caller { run_id: "run".to_owned(), execution_arn: me.to_owned(), state: String::new() };
        let plan = serde_json::from_value(serde_json::json!({ "application": "shop", "routes": [] })).unwrap();
        let run = Run::claimed(&caller("me"), plan, vec![], jiff::Timestamp::UNIX_EPOCH);
        for phase in Phase::ALL {
            let run = Run { phase, ..run.clone() };
            assert_eq!(is_ours(&run, &caller("me")), phase == Phase::Finished, "{phase}");
            assert!(!is_ours(&run, &caller("another")), "{phase}");
        }
    }

    #[test]
    fn looks_are_minutes_apart_and_never_too_many() {
        let plan = |hours: u64| {
            let cleanup = serde_json::json!({ "after": hours * 3600 });
            let plan = serde_json::json!({ "application": "shop", "routes": [], "cleanup": cleanup });
            serde_json::from_value::<Plan>(plan).unwrap()
        };
        for hours in [0, 1, 24] {
            assert_eq!(interval(&plan(hours)), Seconds::minutes(5));
        }
        for hours in [24 * 30, 24 * 300] {
            assert!((hours * 3600_u64).div_ceil(interval(&plan(hours)).0) <= MOST_LOOKS, "{hours}");
        }
    }
}
