//! What is pasted into a shell. Names are those of plans, which are plain words; what is not, is not put into a command. Pure.

use cutover::gestures::{self, Machines};
use cutover::text::{is_word, json_word, region_option};
use serde_json::json;

/// An execution's name begins with so many characters of its application's.
const MOST_NAME: usize = 40;

/// The stack that the commands are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// The ARN of `cutover`.
    pub cutover: String,
    /// What a person starts to go back, or to clean up.
    pub machines: Machines,
    /// The ARN of `wave`.
    pub wave: String,
    /// The bucket of reports, where plans are.
    pub bucket: String,
}

impl Stack {
    /// Observes and reports, and touches nothing: a dry run of its plan.
    pub fn precheck(&self, plan_key: &str) -> Option<String> {
        self.start(plan_key, "jq -c '.mode = \"precheck\"'")
    }

    /// Cuts it over by itself, without its wave.
    pub fn cut_over(&self, plan_key: &str) -> Option<String> {
        self.start(plan_key, "jq -c .")
    }

    fn start(&self, plan_key: &str, filter: &str) -> Option<String> {
        let region = region_option(&self.cutover);
        is_word(plan_key).then(|| {
            format!(
                "aws s3 cp s3://{}/{plan_key} - | {filter} > input.json\n\
                 aws stepfunctions start-execution{region} --state-machine-arn {} --input file://input.json",
                self.bucket, self.cutover
            )
        })
    }

    /// What stops a run: it rolls back by itself.
    pub fn stop(&self) -> String {
        gestures::stop(&cutover::arn::execution(&self.cutover, "NAME"))
    }

    /// Lists the names of an application's cutovers that run: of those that a wave has started, which begin with it.
    pub fn running(&self, application: &str) -> String {
        let region = region_option(&self.cutover);
        let begins: String = application.chars().take(MOST_NAME).collect();
        format!(
            "aws stepfunctions list-executions{region} --state-machine-arn {} --status-filter RUNNING \\\n  \
             --query \"executions[?starts_with(name, '{begins}-')].name\" --output text",
            self.cutover
        )
    }

    /// Says that a task of an application is done, counted from 1 as its wave counts.
    pub fn done(&self, wave: &str, application: &str, task: usize) -> String {
        let done = json!({ "application": application, "task": task, "by": "YOUR NAME" });
        let input = json_word(&json!({ "of": wave, "done": done }));
        let region = region_option(&self.wave);
        format!("aws stepfunctions start-execution{region} --state-machine-arn {} --input {input}", self.wave)
    }
}
