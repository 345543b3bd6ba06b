//! What is known of one run, as values: its item in the journal, and the histories of its executions. Pure.

use cutover::Plan;
use cutover::line::Line;
use cutover::plan::Route;
use history::{Call, Story, What};
use jiff::Timestamp;
use journal::{Phase, Run};
use serde_json::Value;

use crate::work::later;

/// A run, as far as it could be read.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The ARN of the cutover's execution.
    pub run_id: String,
    /// Its item; none before it is claimed.
    pub run: Option<Run>,
    /// The cutover's history.
    pub cutover: Story,
    /// The history of the rollback that owns the run, or has ended it.
    pub rollback: Option<Story>,
    /// The history of the cleanup, which watches the new side until it begins.
    pub cleanup: Option<Story>,
    /// The line, of a run that goes forward: the time in which it stood is not the run's.
    pub line: Option<Line>,
    /// Its messages that were not delivered, in lines.
    pub undelivered: Vec<String>,
    /// What could not be read, and why.
    pub not_read: Vec<String>,
}

impl Known {
    /// The calls of the cutover, in order.
    pub fn calls(&self) -> Vec<Call> {
        history::calls::calls(&self.cutover.events)
    }

    /// The plan: the run's, or what precheck has made of it, or is asked about.
    pub fn plan(&self, calls: &[Call]) -> Option<Plan> {
        if let Some(run) = &self.run {
            return Some(run.plan.clone());
        }
        let reply = replies(calls, "Precheck").next_back();
        let made = reply.and_then(|reply| serde_json::from_value(reply["plan"].clone()).ok());
        made.or_else(|| Plan::read(&self.written(calls)).ok())
    }

    /// The plan as it was written, once precheck is asked about it: it answers after minutes where the new side has to be tried again.
    fn written(&self, calls: &[Call]) -> Value {
        if let Some(call) = calls.iter().rev().find(|call| call.state == "Precheck") {
            return call.asked["plan"].clone();
        }
        let (_, mut asked) = history::calls::asked(&self.cutover.events);
        if asked["state"] == "Precheck" { asked["plan"].take() } else { Value::Null }
    }

    /// The run's phase; none before it is claimed.
    pub fn phase(&self) -> Option<Phase> {
        self.run.as_ref().map(|run| run.phase)
    }

    /// The moment that all of this was so: now, and not before the last event that is known of, whoever's clock is ahead.
    pub fn moment(&self, now: Timestamp) -> Timestamp {
        let stories = [Some(&self.cutover), self.rollback.as_ref(), self.cleanup.as_ref()];
        let last = |story: &Story| {
            let event = story.events.last().map(|event| event.at);
            event.max(story.ended.as_ref().map(|ended| ended.at))
        };
        stories.into_iter().flatten().filter_map(last).fold(now, Timestamp::max)
    }

    /// When the run was claimed: by the clock of its history, to which all else is compared, where that tells.
    pub fn claimed_at(&self) -> Option<Timestamp> {
        let run = self.run.as_ref()?;
        let calls = self.calls();
        let claim = calls.iter().find(|call| call.state == "Claim" && call.answer.is_ok());
        claim.map(|call| call.at).or_else(|| run.started_at.parse().ok())
    }

    /// By when it has to have ended, as the functions count: the time in which the line has stood until `at` is not the run's.
    pub fn deadline(&self, plan: Option<&Plan>, at: Timestamp) -> Option<Timestamp> {
        let claimed_at = self.claimed_at()?;
        let stood = self.line.as_ref().map(|line| line.stood_still(claimed_at, at)).unwrap_or_default();
        later(claimed_at, plan?.timeout.0)?.checked_add(stood).ok()
    }

    /// Whether that is later with each moment: the line stands.
    pub fn is_deadline_held(&self) -> bool {
        self.line.as_ref().is_some_and(|line| line.stopped.is_some())
    }

    /// What the ending reports; of a run that a person has released, what the rollback before had reported.
    pub fn reported(&self) -> Option<&Value> {
        let report = &self.run.as_ref()?.ending.as_ref()?.report;
        let is_released = self.ending() == Some("Released");
        let report = if is_released { &report["was"] } else { report };
        (!report.is_null()).then_some(report)
    }

    /// Who has released it, and why, as they said.
    pub fn released_by(&self) -> Option<&str> {
        let ending = self.run.as_ref()?.ending.as_ref().filter(|ending| ending.name() == Some("Released"))?;
        ending.report["by"].as_str().filter(|by| !by.is_empty())
    }

    /// How it ended, by name, as the journal has it.
    pub fn ending(&self) -> Option<&str> {
        self.run.as_ref()?.ending.as_ref()?.name()
    }

    /// When it ended: by the clock of the history that tells of it, as the journal has it otherwise.
    pub fn ended_at(&self) -> Option<Timestamp> {
        let ending = self.run.as_ref()?.ending.as_ref()?;
        let told = [self.rollback.as_ref(), self.cleanup.as_ref()].into_iter().flatten().find_map(|story| {
            let written = ["WriteEnding", "CloseRun"];
            let calls = story.calls();
            calls.iter().rev().find(|call| written.contains(&call.state.as_str())).map(|call| call.at)
        });
        told.or_else(|| ending.at.parse().ok())
    }

    /// When all traffic was on the new side for good.
    pub fn finished_at(&self, calls: &[Call]) -> Option<Timestamp> {
        calls.iter().rev().find(|call| call.state == "Finish" && call.answer.is_ok()).map(|call| call.at)
    }

    /// Whether it only looks: such a run touches nothing, and nobody waits for it.
    pub fn is_dry_run(&self, calls: &[Call]) -> bool {
        self.written(calls)["mode"] == "precheck"
    }

    /// The application's name, as far as the plan says it; the execution's otherwise.
    pub fn application(&self, plan: Option<&Plan>, calls: &[Call]) -> String {
        let written = || self.written(calls)["application"].as_str().map(str::to_owned);
        let execution = || cutover::arn::execution_name(&self.run_id).to_owned();
        plan.map(|plan| plan.application.clone()).or_else(written).unwrap_or_else(execution)
    }

    /// Whether people were told that nothing was touched.
    pub fn is_told_not_started(&self) -> bool {
        let told = |event: &history::Event| event.what == What::Entered("AnnounceNothingTouched".to_owned());
        self.cutover.events.iter().any(told)
    }

    /// How a person calls the routes, in the plan's order.
    pub fn titles(plan: Option<&Plan>) -> Vec<String> {
        plan.map(|plan| plan.routes.iter().map(Route::title).collect()).unwrap_or_default()
    }
}

/// What was answered to a state's calls, in order.
pub fn replies<'a>(calls: &'a [Call], state: &'a str) -> impl DoubleEndedIterator<Item = &'a Value> {
    calls.iter().filter(move |call| call.state == state).filter_map(|call| call.answer.as_ref().ok())
}

/// The ARN of an execution of another machine of the same stack, where `run_id` is one of the cutover's.
pub fn sibling(run_id: &str, machine: &str, name: &str) -> Option<String> {
    let (of_machine, _) = run_id.rsplit_once(':')?;
    Some(format!("{}{machine}:{name}", of_machine.strip_suffix("cutover")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executions_of_a_stack_know_each_other_by_name() {
        let run_id = "arn:aws:states:eu-west-1:1:execution:shop-cutover:run";
        let expected = Some("arn:aws:states:eu-west-1:1:execution:shop-cleanup:cleanup-1".to_owned());
        assert_eq!(sibling(run_id, "cleanup", "cleanup-1"), expected);
        assert_eq!(sibling("arn:aws:states:eu-west-1:1:execution:other:run", "cleanup", "x"), None);
    }
}
