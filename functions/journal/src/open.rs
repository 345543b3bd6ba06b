//! The runs that are owed an ending, and whose turn it is to be looked at.

use cutover::{StepError, StepResult};

use crate::Phase;
use crate::item::{Item, string, text};
use crate::table::Journal;

/// Where the sweep's last look stopped.
const TURN: &str = "sweep#turn";

/// An open run, by as little as is needed to see whether somebody is at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRun {
    /// The run.
    pub run_id: String,
    /// Where it is.
    pub phase: Phase,
    /// The execution that is responsible for it.
    pub owner: String,
}

impl OpenRun {
    fn from_item(run_id: &str, item: &Item) -> StepResult<Self> {
        let phase = string(item, "phase")?.parse().map_err(StepError::invalid)?;
        Ok(Self { run_id: run_id.to_owned(), phase, owner: string(item, "owner")?.to_owned() })
    }
}

impl Journal {
    /// Every run that is owed an ending, as the index knows them, in the order of their keys: eventually consistent. Each with
    /// its `run_id`; an item that is not a run is an error in its place.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn open_runs(&self) -> StepResult<Vec<(String, StepResult<OpenRun>)>> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("open-runs")
            .key_condition_expression("#open = :yes")
            .projection_expression("pk, phase, #owner")
            .expression_attribute_names("#open", "open")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":yes", text("yes"))
            .into_paginator()
            .items()
            .send();
        let mut runs = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| StepError::from_aws("dynamodb:Query open-runs", &error))?;
            let key = string(&item, "pk").unwrap_or_default();
            let run_id = key.strip_prefix("run#").unwrap_or(key).to_owned();
            let run = OpenRun::from_item(&run_id, &item)
                .map_err(|error| StepError::new(error.name, format!("{key}: {}", error.message)));
            runs.push((run_id, run));
        }
        Ok(runs)
    }

    /// The run at which the last look at the open runs stopped.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn turn(&self) -> StepResult<Option<String>> {
        let item = self.get(TURN.to_owned()).await?;
        Ok(item.and_then(|item| string(&item, "run_id").ok().map(str::to_owned)))
    }

    /// Remembers the run at which a look has stopped: the next one begins after it.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn set_turn(&self, run_id: &str) -> StepResult<()> {
        let update = self.client.update_item().table_name(&self.table).key("pk", text(TURN));
        let update = update.update_expression("SET run_id = :run_id");
        let answer = update.expression_attribute_values(":run_id", text(run_id)).send().await;
        answer.map(drop).map_err(|error| StepError::from_aws("dynamodb:UpdateItem", &error))
    }
}
