//! Looks at the plan's metrics: reads what CloudWatch has, counts what is new for the sequential tests, remembers it in the run's item, judges.
//!
//! What was counted is remembered before it is judged. A look that is repeated, or runs twice at once, finds it there and counts nothing again.

use cutover::error::name;
use cutover::{StepError, StepResult};
use jiff::Timestamp;
use journal::Run;
use watch::Metrics;

use crate::clusters;
use crate::counts::{self, Look, Tests};
use crate::decide::percent_of;
use crate::metrics::{Datapoints, Window, is_warm, judge};
use crate::observe::failed;
use crate::{Check, Clients, Request, queries};

/// So often what was counted meets somebody else's count.
const TRIES: u32 = 5;

/// Looks at the metrics.
///
/// # Errors
/// `Cutover.NotPermitted`; `Cutover.Fenced`, `Cutover.Transient` and AWS errors of the journal.
pub async fn metrics(
    clients: &Clients,
    cloudwatch: &Metrics,
    run: &Run,
    request: &Request,
    now: Timestamp,
) -> StepResult<Vec<Check>> {
    let metrics = &run.plan.monitoring.metrics;
    if metrics.is_empty() {
        return Ok(Vec::new());
    }
    let place = |index: usize| u16::try_from(index).unwrap_or(u16::MAX);
    let routes = run.plan.routes.iter().enumerate();
    let shares: Vec<_> =
        routes.map(|(index, route)| (route, percent_of(index, request.route, request.new_weight))).collect();
    let look = Look {
        monitoring: &run.plan.monitoring,
        step: [place(request.route), place(request.step)],
        shares: &shares,
        clusters: clusters::of_baseline(run.baseline.as_ref()),
        elapsed_seconds: request.elapsed_seconds,
        now: request.at.unwrap_or(now),
    };
    let results =
        match queries::datapoints(cloudwatch, &look, &counts::read(run.counted.as_deref(), request.decisions)).await {
            Ok(results) => results,
            Err(error) => return metrics.iter().map(|metric| failed(metric.name.clone(), error.clone())).collect(),
        };
    let datapoints: Vec<Option<Datapoints>> = results.iter().map(|result| result.as_ref().ok().cloned()).collect();
    let tests = remember(clients, run, request, &look, &datapoints).await?;
    let is_warm = is_warm(metrics, request.elapsed_seconds);
    let judge = |(index, result): (usize, StepResult<Datapoints>)| {
        let metric = &metrics[index];
        match (result, metric.sequential()) {
            (Err(error), _) => failed(metric.name.clone(), error),
            (Ok(datapoints), Some(countable)) => {
                let test = tests.get(&index).cloned().unwrap_or_default();
                Ok(look.judge(metric, &countable, &test, &datapoints))
            }
            (Ok(datapoints), None) => {
                Ok(judge(metric, &datapoints, Window::new(metric.period, request.elapsed_seconds, look.now), is_warm))
            }
        }
    };
    results.into_iter().enumerate().map(judge).collect()
}

/// Counts what is new, and remembers it. Where somebody else has counted since the run was read, on top of that.
async fn remember(
    clients: &Clients,
    run: &Run,
    request: &Request,
    look: &Look<'_>,
    datapoints: &[Option<Datapoints>],
) -> StepResult<Tests> {
    let mut newer: Option<Run> = None;
    for _ in 0..TRIES {
        let run = newer.as_ref().unwrap_or(run);
        let before = counts::read(run.counted.as_deref(), request.decisions);
        let mut tests = before.clone();
        look.count(&mut tests, datapoints);
        if tests == before {
            return Ok(tests);
        }
        let text = counts::written(&tests, request.decisions)?;
        if clients.journal.remember_counted(&request.caller, run, &text).await? {
            return Ok(tests);
        }
        newer = Some(clients.journal.fence(&request.caller, run.phase).await?);
    }
    Err(StepError::new(name::TRANSIENT, "other looks at this run count at the same time, again and again"))
}
