//! Looks at what is there: all of an action's at once, and none for longer than the function can wait.

use std::time::Duration;

use cutover::error::name;
use cutover::{StepError, StepResult};
use futures_util::future::join_all;
use journal::Run;

use crate::Clients;

/// A mute service holds a look for 10 s, and a page of its answers can be followed by another. The rest of a function's 30 s
/// is for the journal.
const LONGEST_LOOK: Duration = Duration::from_secs(12);

/// What a look sees, or `Cutover.Transient` once it has taken too long.
pub(crate) async fn in_time<T>(what: &str, look: impl Future<Output = StepResult<T>>) -> StepResult<T> {
    within(LONGEST_LOOK, what, look).await
}

async fn within<T>(limit: Duration, what: &str, look: impl Future<Output = StepResult<T>>) -> StepResult<T> {
    let not_seen = || StepError::new(name::TRANSIENT, format!("{what} was not seen within {} s", limit.as_secs()));
    tokio::time::timeout(limit, look).await.unwrap_or_else(|_| Err(not_seen()))
}

/// Whether any route gives the new side traffic: that decides about what it has written.
pub(crate) async fn new_side_serves(clients: &Clients, run: &Run) -> StepResult<bool> {
    let looks = run.plan.routes.iter().enumerate().map(|(index, route)| async move {
        let live = in_time(&route.title(), routes::any::observe(&clients.routes, route)).await?;
        Ok(run.route(index)?.new_side_serves(&live))
    });
    serves(join_all(looks).await)
}

/// A route that cannot be seen may give the new side traffic. What cannot be seen only now is an error: it is looked at
/// again, since a hold is final.
fn serves(looks: Vec<StepResult<bool>>) -> StepResult<bool> {
    let mut passing = None;
    for look in looks {
        match look {
            Ok(false) => {}
            Err(error) if error.is_passing() => passing = Some(error),
            Ok(true) | Err(_) => return Ok(true),
        }
    }
    passing.map_or(Ok(false), Err)
}

/// A route whose traffic would go back to an old side that is not healthy. What cannot be seen does not hold a rollback up:
/// undo tries harder than do.
pub(crate) async fn sick_old_side(clients: &Clients, run: &Run) -> Option<String> {
    let looks = run.plan.routes.iter().enumerate().map(|(index, route)| async move {
        let look = async { routes::any::sick_old_side(&clients.routes, run.route(index)?).await };
        in_time(&route.title(), look).await.ok().flatten()
    });
    join_all(looks).await.into_iter().flatten().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(name: &'static str) -> StepResult<bool> {
        Err(StepError::new(name, "x"))
    }

    #[test]
    fn a_route_that_cannot_be_seen_may_serve_and_one_that_cannot_be_seen_now_is_looked_at_again() {
        assert_eq!(serves(vec![Ok(false), Ok(false)]), Ok(false));
        assert_eq!(serves(vec![Ok(false), failed(name::NOT_PERMITTED)]), Ok(true));
        for passing in [name::THROTTLED, name::TRANSIENT] {
            assert_eq!(serves(vec![failed(passing), Ok(false)]), failed(passing));
            assert_eq!(serves(vec![failed(passing), Ok(true)]), Ok(true), "one that is seen to serve is enough");
            assert_eq!(serves(vec![failed(passing), failed(name::DRIFT)]), Ok(true));
        }
    }

    #[tokio::test]
    async fn a_look_that_takes_too_long_is_one_that_saw_nothing() {
        let mute = within(Duration::from_millis(1), "listener l", std::future::pending::<StepResult<bool>>()).await;
        let error = mute.unwrap_err();
        assert_eq!(error.name, name::TRANSIENT);
        assert!(error.message.starts_with("listener l was not seen"), "{}", error.message);
        assert_eq!(within(LONGEST_LOOK, "l", async { Ok(7) }).await, Ok(7));
    }
}
