//! What is left of a run whose rollback could not be begun or ended. Writes nothing.

use cutover::StepResult;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::end::{EndReply, Outcome, look, owed_besides_routes, unrestored, within_budget};
use crate::{Clients, Input, decide, for_run};

/// What is asked when a rollback could not be begun or ended.
#[derive(Clone, Debug, Deserialize)]
pub struct ReportRequest {
    /// The input of the rollback's execution.
    pub input: Input,
    /// What kept it from its end.
    pub problem: String,
}

/// What a person has to know of a run whose rollback was not begun or not ended.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The run.
    pub run_id: String,
    /// Its application.
    pub application: String,
    /// Who is told.
    pub topic_arn: Option<String>,
    /// What kept the rollback from its end.
    pub why: String,
    /// What is left of each route.
    pub end: EndReply,
}

/// Looks at every route of a run that is still owed an ending, or is stuck; none if there is no such run, or if nothing but a
/// report is wanted of one that goes its own way.
pub(crate) async fn report(clients: &Clients, request: ReportRequest, now: Timestamp) -> StepResult<Value> {
    let ReportRequest { input, problem } = request;
    let Some(run) = clients.journal.find(input.run_id.as_deref(), input.application.as_deref()).await? else {
        return Ok(Value::Null);
    };
    let is_left = run.phase.is_open() || run.phase == journal::Phase::Stuck;
    let is_only_asked_for = input.report.is_some();
    if !is_left
        || is_only_asked_for
            && decide::is_healthy(run.phase, executions::status(&clients.sfn, &run.owner).await?.as_deref())
    {
        return Ok(Value::Null);
    }
    let mut outcomes: Vec<Outcome> = run.plan.routes.iter().enumerate().map(unrestored).collect();
    look(&for_run(clients, &run, now), &run, &mut outcomes).await;
    outcomes.extend(owed_besides_routes(&run, clients.routes.access().accounts()));
    let end = EndReply { is_tried_again: run.phase.is_open(), ..EndReply::of("Unfinished", None, outcomes, now) };
    within_budget(&Report {
        run_id: run.run_id,
        application: run.plan.application,
        topic_arn: run.plan.notify.map(|notify| notify.topic_arn),
        why: problem,
        end,
    })
}
