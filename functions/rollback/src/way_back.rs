//! Whether what the new side has written gets back to the old side's database. If not, sending traffic back loses it: that is
//! for a person to decide.

use cutover::plan::Database;
use cutover::{Seconds, StepError, StepResult};
use jiff::Timestamp;
use journal::Run;
use replication::Replication;
use replication::judge::number;

use crate::Clients;
use crate::look::{in_time, new_side_serves};

/// Datapoints come a minute or two late. A replication that runs reports every minute, and one that is dead nothing at all.
const LAG_WINDOW: Seconds = Seconds::minutes(15);

/// What is known of the replication from new to old.
#[derive(Clone, Debug, Default, PartialEq)]
struct Seen {
    /// None: DMS does not know it.
    replication: Option<Replication>,
    /// Its newest lag within the window, seconds.
    lag_seconds: Option<f64>,
}

/// Why writes of the new side would be missing on the old one; none if they get there, or if there are none.
///
/// # Errors
/// What could not be seen only now: it is looked at again, since a hold is final.
pub(crate) async fn stranded(clients: &Clients, run: &Run, now: Timestamp) -> StepResult<Option<String>> {
    let Some(database) = &run.plan.database else { return Ok(None) };
    let way_back = database.way_back();
    if !run.past_no_return && way_back.is_none() {
        return Ok(None);
    }
    let (serves, dead) = tokio::join!(new_side_serves(clients, run), dead_way_back(clients, database, way_back, now));
    Ok(if serves? { why_stranded(way_back, dead?) } else { None })
}

/// `dead`: what is wrong with the replication from new to old.
fn why_stranded(way_back: Option<&str>, dead: Option<String>) -> Option<String> {
    let written = "the new side has taken traffic and writes to its own database, and";
    match (way_back, dead) {
        (None, _) => Some(format!("{written} nothing replicates back")),
        (Some(_), None) => None,
        (Some(arn), Some(dead)) => Some(format!(
            "{written} the replication back, {arn}, {dead}: what was written there may be missing on the old side"
        )),
    }
}

async fn dead_way_back(
    clients: &Clients,
    database: &Database,
    way_back: Option<&str>,
    now: Timestamp,
) -> StepResult<Option<String>> {
    let Some(arn) = way_back else { return Ok(None) };
    dead(database, in_time(arn, look(clients, arn, now)).await)
}

async fn look(clients: &Clients, arn: &str, now: Timestamp) -> StepResult<Seen> {
    let services = &clients.replications.of(clients.routes.access(), arn).await?;
    let Some(replication) = replication::observe::replication(&services.dms, arn).await? else {
        return Ok(Seen::default());
    };
    let window = LAG_WINDOW.0.cast_signed();
    let metrics = replication::observe::metrics(services, arn, &replication, window, now).await?;
    let lag_seconds = metrics.newest_lag_seconds(now.as_second() - window);
    Ok(Seen { replication: Some(replication), lag_seconds })
}

/// What is wrong with a replication that has to bring everything back: not running, failing, still loading, far behind, silent. One that may
/// not be seen, or not for good, is as good as none.
fn dead(database: &Database, seen: StepResult<Seen>) -> StepResult<Option<String>> {
    let Seen { replication, lag_seconds } = match seen {
        Ok(seen) => seen,
        Err(error) if error.is_passing() => return Err(error),
        Err(StepError { message, .. }) => return Ok(Some(format!("cannot be seen ({message})"))),
    };
    let Some(replication) = replication else { return Ok(Some("does not exist".to_owned())) };
    if !replication.is_running() {
        return Ok(Some(replication.told_status()));
    }
    if replication.is_full_load_only {
        return Ok(Some("copies the tables once, and none of the changes after that".to_owned()));
    }
    let limit = database.max_lag;
    let loads = replication.unloaded().map(|tables| format!("has {tables} still to load"));
    Ok(replication.trouble().or(loads).or(match lag_seconds {
        None => Some(format!("has reported no lag in the last {LAG_WINDOW}")),
        Some(lag) if lag > limit.0 as f64 => Some(format!("is {} s behind, and {limit} is the most", number(lag))),
        Some(_) => None,
    }))
}

#[cfg(test)]
mod tests {
    use replication::Stats;
    use serde_json::json;

    use cutover::error::name;

    use super::*;

    const ARN: &str = "arn:aws:dms:eu-west-1:123456789012:task:BACK";

    fn seen(status: &str, lag_seconds: Option<f64>) -> Seen {
        let replication = Replication { status: status.to_owned(), ..Replication::default() };
        Seen { replication: Some(replication), lag_seconds }
    }

    fn judged(seen: StepResult<Seen>) -> StepResult<Option<String>> {
        let database = json!({ "replication_task_arn": "forward", "reverse_replication_task_arn": ARN, "max_lag": 60 });
        dead(&serde_json::from_value(database).unwrap(), seen)
    }

    #[test]
    fn a_replication_that_runs_and_is_near_brings_everything_back() {
        assert_eq!(judged(Ok(seen("running", Some(0.0)))), Ok(None));
        assert_eq!(judged(Ok(seen("running", Some(60.0)))), Ok(None));
        assert_eq!(why_stranded(Some(ARN), None), None);
    }

    #[test]
    fn one_that_is_not_there_not_running_failing_loading_far_behind_or_silent_is_dead() {
        let with = |change: fn(&mut Replication)| {
            let mut seen = seen("running", Some(0.0));
            change(seen.replication.as_mut().unwrap());
            seen
        };
        for (seen, told) in [
            (Seen::default(), "does not exist"),
            (seen("stopped", Some(0.0)), "is stopped"),
            (seen("starting", Some(0.0)), "is starting"),
            (seen("failed", None), "is failed"),
            (with(|replication| replication.is_full_load_only = true), "copies the tables once"),
            (with(|replication| replication.stats = Some(Stats { errored: 1, unloaded: 0 })), "1 table in error"),
            (
                with(|replication| replication.stats = Some(Stats { errored: 0, unloaded: 2 })),
                "has 2 tables still to load",
            ),
            (seen("running", Some(61.0)), "is 61 s behind, and 1m is the most"),
            (seen("running", None), "has reported no lag in the last 15m"),
        ] {
            let dead = judged(Ok(seen)).unwrap();
            assert!(dead.as_ref().is_some_and(|dead| dead.contains(told)), "{dead:?} instead of {told}");
            let why = why_stranded(Some(ARN), dead).unwrap();
            assert!(why.contains(ARN) && why.contains("may be missing on the old side"), "{why}");
        }
        assert!(why_stranded(None, None).is_some_and(|why| why.ends_with("nothing replicates back")));
    }

    #[test]
    fn what_cannot_be_seen_only_now_is_looked_at_again_and_what_may_not_be_seen_is_dead() {
        for passing in [name::THROTTLED, name::TRANSIENT] {
            assert_eq!(judged(Err(StepError::new(passing, "slow"))).unwrap_err().name, passing);
        }
        let denied = judged(Err(StepError::new(name::NOT_PERMITTED, "dms:DescribeReplicationTasks: no"))).unwrap();
        assert_eq!(denied.as_deref(), Some("cannot be seen (dms:DescribeReplicationTasks: no)"));
    }
}
