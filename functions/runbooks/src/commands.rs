//! What is pasted into a shell. Names are those of plans, which are plain words; what is not, is not put into a command. Pure.

use cutover::gestures::{self, Machines};
use cutover::text::{is_word, region_option};

/// The stack that the commands are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// The ARN of `cutover`.
    pub cutover: String,
    /// What a person starts to go back, or to clean up.
    pub machines: Machines,
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
}
