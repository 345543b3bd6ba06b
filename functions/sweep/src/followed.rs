//! What executions follow beside runs: waves, timelines, incidents. Where one has ended before its time, and the event that tells of it was
//! lost, or nobody was told of it, another one is started with what that event says.
//!
//! At most one is started in five minutes for each, and each takes over only from the execution that it was told of: one too many ends.

use std::time::Instant;

use cutover::StepResult;
use cutover::arn::machine_of;
use cutover::contract::digest;
use jiff::Timestamp;
use journal::Followed;

use crate::{Clients, decide, running};

/// So long lies between two starts for one item.
const SECONDS_A_START: i64 = 300;

/// Looks after all that is followed; what was started.
///
/// # Errors
/// AWS errors: the first, once all were looked at.
pub(crate) async fn look_after(clients: &Clients, now: Timestamp, until: Instant) -> StepResult<Vec<String>> {
    let all = clients.journal.followed().await?;
    let machines = decide::machines_of(all.iter().map(|one| one.follow.owner.as_str()));
    let running = running::executions(&clients.sfn, machines, until).await;
    let (mut done, mut error) = (Vec::new(), None);
    for one in all.iter().filter(|one| !running.contains(&one.follow.owner)) {
        if Instant::now() >= until {
            break;
        }
        match follow_on(clients, one, now).await {
            Ok(started) => done.extend(started),
            Err(trouble) => error = error.or(Some(trouble)),
        }
    }
    error.map_or(Ok(done), Err)
}

async fn follow_on(clients: &Clients, one: &Followed, now: Timestamp) -> StepResult<Option<String>> {
    let owner = &one.follow.owner;
    let status = executions::status(&clients.sfn, owner).await?;
    let Some(input) = decide::next_input(one.follow.input.clone(), status.as_deref()) else { return Ok(None) };
    // The index may be behind: what has another owner since, or is over, is somebody's.
    if !clients.journal.is_followed_so(one).await? {
        return Ok(None);
    }
    let Some(machine) = machine_of(owner) else { return Ok(None) };
    let name = format!("sweep-{}-{}", digest(owner), now.as_second() / SECONDS_A_START);
    executions::start(&clients.sfn, &machine, &name, &input).await?;
    Ok(Some(format!("{} is followed on by {name}", one.key)))
}
