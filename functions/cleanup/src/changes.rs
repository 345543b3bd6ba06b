//! Between the cutover and its cleanup: is every route still where the cutover left it? Writes nothing.
//!
//! What somebody else changes then is theirs, and nothing is put back: people are told, once for each change.

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
    /// The routes that are not where the cutover left them.
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
        elsewhere.extend(look(clients, route, run.route(index)?).await?);
    }
    Ok(news(elsewhere, &request.told))
}

fn is_ours(run: &Run, caller: &Caller) -> bool {
    run.phase == Phase::Finished && run.owner == caller.execution_arn
}

/// What is not where it was left is looked at twice: a read can be behind.
async fn look(clients: &Clients, route: &Route, of_run: RouteOfRun<'_>) -> StepResult<Option<Elsewhere>> {
    let left = of_run.finished()?;
    let mut seen = None;
    for _ in 0..2 {
        seen = match routes::any::observe(&clients.routes, route).await {
            Ok(live) => differs(route, of_run, &live, &left),
            // It cannot even be read as one that a plan moves.
            Err(StepError { name: name::DRIFT | name::REFUSED, message }) => Some(different(route, message, &left)),
            Err(error) => return Err(error),
        };
        if seen.is_none() {
            break;
        }
    }
    Ok(seen)
}

fn differs(route: &Route, of_run: RouteOfRun, live: &RouteState, left: &RouteState) -> Option<Elsewhere> {
    (!of_run.is_at(live, left)).then(|| different(route, live.describe(), left))
}

fn different(route: &Route, live: String, left: &RouteState) -> Elsewhere {
    Elsewhere { title: route.title(), live, left: left.describe() }
}

/// Each change is told once; what was put right is forgotten, so that the same change is told again.
fn news(elsewhere: Vec<Elsewhere>, told: &str) -> Watch {
    let lines: Vec<String> = elsewhere.iter().map(|one| format!("{}: {}", one.title, one.live)).collect();
    let now = if lines.is_empty() { String::new() } else { digest(&lines.join("\n")) };
    Watch { is_ours: true, is_news: !elsewhere.is_empty() && now != told, elsewhere, told: now }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elsewhere(live: &str) -> Vec<Elsewhere> {
        vec![Elsewhere { title: "listener l".to_owned(), live: live.to_owned(), left: "new=100".to_owned() }]
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
