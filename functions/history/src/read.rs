//! Reads the history of one execution.

use aws_sdk_sfn::Client;
use aws_sdk_sfn::types::{HistoryEvent, HistoryEventType};
use cutover::{StepError, StepResult};
use jiff::Timestamp;

use crate::calls::{self, Call, Event, What};

/// Of a page of a history, and of pages: 25,000 events at the most (Step Functions quotas).
const EVENTS_OF_PAGE: i32 = 1_000;
const MOST_PAGES: usize = 26;

/// What an execution has done, up to a moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Story {
    /// When its first event was.
    pub began_at: Option<Timestamp>,
    /// What of its events is needed, in order.
    pub events: Vec<Event>,
    /// How it ended, if it has.
    pub ended: Option<Ended>,
}

/// The end of an execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// As Step Functions calls it: `SUCCEEDED`, `FAILED`, `ABORTED`, `TIMED_OUT`.
    pub status: &'static str,
    /// Its error, where it has one.
    pub error: Option<String>,
}

impl Story {
    /// Its calls, in order.
    pub fn calls(&self) -> Vec<Call> {
        calls::calls(&self.events)
    }
}

/// Reads it.
///
/// # Errors
/// AWS errors; that there is no such execution is one.
pub async fn story(states: &Client, arn: &str, until: Timestamp) -> StepResult<Story> {
    let history =
        states.get_execution_history().execution_arn(arn).max_results(EVENTS_OF_PAGE).include_execution_data(true);
    let mut pages = history.into_paginator().send();
    let mut story = Story::default();
    for _ in 0..MOST_PAGES {
        let Some(page) = pages.next().await else { break };
        let page = page.map_err(|error| StepError::from_aws("states:GetExecutionHistory", &error))?;
        for told in page.events() {
            let at = told.timestamp();
            let Ok(at) = Timestamp::new(at.secs(), at.subsec_nanos() as i32) else { continue };
            story.began_at.get_or_insert(at);
            if at <= until {
                story.events.extend(what(told).map(|what| Event { at, what }));
                story.ended = ended(told, at).or(story.ended);
            }
        }
    }
    Ok(story)
}

/// What of an event is needed.
fn what(event: &HistoryEvent) -> Option<What> {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    if let Some(entered) = event.state_entered_event_details() {
        return Some(What::Entered(entered.name().to_owned()));
    }
    if let Some(scheduled) = event.task_scheduled_event_details() {
        return Some(What::Scheduled(scheduled.parameters().to_owned()));
    }
    if let Some(succeeded) = event.task_succeeded_event_details() {
        return Some(What::Succeeded(text(succeeded.output())));
    }
    if let Some(failed) = event.task_failed_event_details() {
        return Some(What::Failed(text(failed.error()), text(failed.cause())));
    }
    let timed_out = event.task_timed_out_event_details()?;
    Some(What::Failed(text(timed_out.error()), text(timed_out.cause())))
}

fn ended(event: &HistoryEvent, at: Timestamp) -> Option<Ended> {
    let status = match event.r#type() {
        HistoryEventType::ExecutionSucceeded => "SUCCEEDED",
        HistoryEventType::ExecutionFailed => "FAILED",
        HistoryEventType::ExecutionAborted => "ABORTED",
        HistoryEventType::ExecutionTimedOut => "TIMED_OUT",
        _ => return None,
    };
    let error = event.execution_failed_event_details().and_then(|details| details.error()).map(str::to_owned);
    Some(Ended { at, status, error })
}
