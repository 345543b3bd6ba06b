//! The action `publish`: the programme's documents, and a runbook for each application.

use std::collections::{BTreeMap, BTreeSet};

use cutover::{Plan, StepError, StepResult};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use runbooks::{Of, runbook};
use serde_json::Value;
use wave_plan::portfolio::Application;
use wave_plan::{Portfolio, Programme};

use crate::act::stored;
use crate::documents::{self, CALENDAR, Document, MARKDOWN, PAGE, PORTFOLIO, PROGRAMME, TABLE};
use crate::plans::{self, Found};
use crate::store::folder;
use crate::{Clients, OfProgramme, PublishRequest, Published, names, planning};

/// So many objects are read or written at a time.
const AT_ONCE: usize = 16;
/// More notes help nobody.
const MOST_NOTES: usize = 30;

pub(crate) async fn publish(clients: &Clients, request: &PublishRequest) -> StepResult<Published> {
    let OfProgramme { execution_arn, portfolio } = &request.of;
    let folder = folder(portfolio, execution_arn);
    let value: Value = stored(clients, &format!("{folder}/{PORTFOLIO}")).await?;
    let programme: Programme = stored(clients, &format!("{folder}/{PROGRAMME}")).await?;
    let portfolio = planning::portfolio(&value)?;
    let found = cutover_plans(clients, &portfolio).await?;
    let books = books(clients, &portfolio, &programme, &found)?;
    let runbooks = books.len() / 2;
    write(clients, &folder, books).await?;
    write(clients, &folder, documents::of(&portfolio, &programme, request.at)?).await?;
    let link = |key: &str| clients.store.link(execution_arn, &format!("{folder}/{key}"));
    let (page, markdown, table, json) = (link(PAGE), link(MARKDOWN), link(TABLE), link(PROGRAMME));
    let calendar = link(CALENDAR);
    let mut notes: Vec<String> = found.values().flat_map(|found| found.notes.clone()).collect();
    let more = notes.len().saturating_sub(MOST_NOTES);
    notes.truncate(MOST_NOTES);
    notes.extend((more > 0).then(|| format!("and {more} more")));
    Ok(Published { page, markdown, table, calendar, json, folder, runbooks, notes })
}

/// The cutover plans that are there, by application.
async fn cutover_plans(clients: &Clients, portfolio: &Portfolio) -> StepResult<BTreeMap<String, Found>> {
    let wanted: Vec<(&Application, &str)> =
        portfolio.applications.iter().filter_map(|one| Some((one, one.cutover_plan.as_deref()?))).collect();
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let there: BTreeSet<String> = clients.store.keys("plans/").await?.into_iter().collect();
    let reading = wanted.into_iter().filter(|(_, key)| there.contains(*key)).map(|(one, key)| async move {
        let text = clients.store.get(key).await?.unwrap_or_default();
        Ok::<_, StepError>((one.name.clone(), plans::read(one, key, &text)))
    });
    stream::iter(reading).buffer_unordered(AT_ONCE).try_collect().await
}

fn books(
    clients: &Clients,
    portfolio: &Portfolio,
    programme: &Programme,
    found: &BTreeMap<String, Found>,
) -> StepResult<Vec<Document>> {
    let mut books = Vec::new();
    for application in &portfolio.applications {
        let plan: Option<&Plan> = found.get(&application.name).and_then(|found| found.plan.as_ref());
        let placed = programme.placements.iter().find(|one| one.application == application.name);
        let wave_name = placed.map(|placed| names::wave(&programme.portfolio, &placed.date)).unwrap_or_default();
        let of = Of { portfolio, programme, application, plan, wave_name: &wave_name, stack: &clients.stack };
        let book = runbook(&of);
        books.extend(documents::of_runbook(&book)?);
    }
    Ok(books)
}

async fn write(clients: &Clients, folder: &str, documents: Vec<Document>) -> StepResult<()> {
    let writing = documents.into_iter().map(|document| async move {
        clients.store.put(&format!("{folder}/{}", document.name), document.content_type, document.text).await
    });
    stream::iter(writing).buffer_unordered(AT_ONCE).try_collect().await
}
