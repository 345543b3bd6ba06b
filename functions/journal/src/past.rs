//! All runs that the journal has, open and over, by as little as is needed to learn from them.

use cutover::error::name;
use cutover::{StepError, StepResult};

use crate::Phase;
use crate::item::{Ending, Item, string, text};
use crate::table::Journal;

/// A page is 1 MB of the table (DynamoDB, Scan): half a gigabyte is more than ten thousand runs have.
const MOST_PAGES: usize = 500;

/// A run, and how it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct PastRun {
    /// The run.
    pub run_id: String,
    /// Of which application.
    pub application: String,
    /// Where it is.
    pub phase: Phase,
    /// When it was claimed, RFC 3339.
    pub started_at: String,
    /// How it ended, once it has.
    pub ending: Option<Ending>,
}

impl PastRun {
    fn from_item(item: &Item) -> Option<Self> {
        let ending = string(item, "ending").ok().and_then(|ending| serde_json::from_str(ending).ok());
        Some(Self {
            run_id: string(item, "run_id").ok()?.to_owned(),
            application: string(item, "application").ok()?.to_owned(),
            phase: string(item, "phase").ok()?.parse().ok()?,
            started_at: string(item, "started_at").ok()?.to_owned(),
            ending,
        })
    }
}

impl Journal {
    /// Every run that can be read, the first claimed first, by a look at the whole table: for whoever plans, which is seldom.
    ///
    /// # Errors
    /// AWS errors; `Cutover.Refused` for a table that is too large for that.
    pub async fn past_runs(&self) -> StepResult<Vec<PastRun>> {
        let mut pages = self
            .client
            .scan()
            .table_name(&self.table)
            .filter_expression("begins_with(pk, :run)")
            .projection_expression("run_id, application, phase, started_at, ending")
            .expression_attribute_values(":run", text("run#"))
            .into_paginator()
            .send();
        let mut runs = Vec::new();
        for _ in 0..MOST_PAGES {
            let Some(page) = pages.next().await else {
                runs.sort_by(|one: &PastRun, other| one.started_at.cmp(&other.started_at));
                return Ok(runs);
            };
            let page = page.map_err(|error| StepError::from_aws("dynamodb:Scan", &error))?;
            runs.extend(page.items().iter().filter_map(PastRun::from_item));
        }
        Err(StepError::new(name::REFUSED, "the journal is too large to be looked through for what was done"))
    }
}
