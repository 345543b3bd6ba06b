//! One slice of a turn: wait for its time, send, and leave the result behind.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cutover::arn::execution_name;
use cutover::contract::Caller;
use cutover::error::name;
use cutover::plan::LoadTest;
use cutover::probe::reach::{System, Unreached};
use cutover::probe::{Target, native_roots};
use cutover::{StepError, StepResult};
use jiff::Timestamp;
use journal::{Journal, Phase};

use crate::budget::{Budget, Stop};
use crate::client::Client;
use crate::judge::Done;
use crate::request::Prepared;
use crate::send::{Load, Sent};
use crate::slices::{MOST_LATE, Slice};
use crate::{Clients, SentReply};
use load_results::results::Results;

/// How often the run is looked at while requests are sent.
const LOOK_EVERY: Duration = Duration::from_secs(10);

pub(crate) async fn send(
    clients: &Clients,
    caller: &Caller,
    test: &LoadTest,
    slice: Slice,
    (now, read_at): (Timestamp, Instant),
) -> StepResult<SentReply> {
    let late = now.duration_since(slice.start_at);
    if late > MOST_LATE {
        return too_late(clients, caller, test, slice, late.as_millis()).await;
    }
    let start = read_at + Duration::try_from(-late).unwrap_or_default();
    let sent = tokio::select! {
        sent = requests(clients, caller, test, &slice, start) => sent?,
        fenced = watch(&clients.journal, caller) => return Err(fenced),
    };
    let Sent { results, cpu_percent, stop } = sent;
    let stopped_by = match stop {
        Some(Stop::Slow(bound)) => Some(bound.to_owned()),
        Some(Stop::Failures) | None => None,
    };
    let done = Done { slice, late_by_ms: None, cpu_percent, is_stopped: stop.is_some(), stopped_by, results };
    clients.store.put_slice(&caller.run_id, &done).await?;
    Ok(reply(done))
}

/// Says so, unless the slice was sent before: then this is a repeated call.
async fn too_late(
    clients: &Clients,
    caller: &Caller,
    test: &LoadTest,
    slice: Slice,
    late_by_ms: i128,
) -> StepResult<SentReply> {
    let late_by_ms = Some(i64::try_from(late_by_ms).unwrap_or(i64::MAX));
    let results = Results::new(test.requests.len());
    let done = Done { slice, late_by_ms, cpu_percent: 0.0, is_stopped: false, stopped_by: None, results };
    if !clients.store.has_slice(&caller.run_id, &done.slice).await? {
        clients.store.put_slice(&caller.run_id, &done).await?;
    }
    Ok(reply(done))
}

fn reply(done: Done) -> SentReply {
    let Done { slice, late_by_ms, is_stopped, results, .. } = done;
    SentReply { slice, sent: results.sent, succeeded: results.succeeded, late_by_ms, is_stopped }
}

async fn requests(
    clients: &Clients,
    caller: &Caller,
    test: &LoadTest,
    slice: &Slice,
    start: Instant,
) -> StepResult<Sent> {
    let side = slice.side;
    let target =
        side.target(test).ok_or_else(|| StepError::invalid(format!("the plan has no {} side", side.as_str())))?;
    let client = Client::new(target, test.http_version, &clients.reach, native_roots).map_err(StepError::invalid)?;
    let run = execution_name(&caller.run_id);
    let secret = secret(clients, test).await?;
    let requests = Prepared::all(&test.requests, target, run, &secret).map_err(StepError::invalid)?;
    let load = Load {
        client: &client,
        requests: &requests,
        mix: slice.mix(test),
        pace: slice.pace(test, clients.limits.most_rate_per_second),
        timeout: Duration::from_secs(test.timeout.0),
        start,
        start_second: slice.start_at.as_second(),
        budget: Budget::of(test, slice.slices, side),
    };
    load.send().await.map_err(|error| StepError::new(name::TRANSIENT, format!("no timer for the load test: {error}")))
}

/// Whether what is loaded leads to where this stack lets its functions connect. A name that is not found is for the requests to find.
pub(crate) async fn reached(clients: &Clients, test: &LoadTest) -> StepResult<()> {
    let targets = [("new", Some(&test.targets.new)), ("old", test.targets.old.as_ref())];
    for (side, target) in targets.into_iter().filter_map(|(side, target)| Some((side, target?))) {
        let parts = Target::parse(&target.url).map_err(StepError::invalid)?;
        if let Err(problem @ Unreached::NotAllowed(..)) = clients.reach.addresses(&parts, &System).await {
            let problem = format!("$.load_test.targets.{side}.url: {}", problem.words(&parts.host));
            return Err(StepError::new(name::NOT_PERMITTED, problem));
        }
    }
    Ok(())
}

/// The headers that the plan does not hold itself.
pub(crate) async fn secret(clients: &Clients, test: &LoadTest) -> StepResult<BTreeMap<String, String>> {
    match &test.headers_secret_arn {
        Some(arn) => secrets::load_test_headers(&clients.secrets, arn).await,
        None => Ok(BTreeMap::new()),
    }
}

/// Ends once the run is no longer the caller's to move. A look that fails is made up for by the next.
async fn watch(journal: &Journal, caller: &Caller) -> StepError {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        match journal.fence(caller, Phase::Forward).await {
            Err(error) if error.name == name::FENCED => return error,
            _ => {}
        }
    }
}
