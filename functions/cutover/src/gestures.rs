//! What a person can do now, as commands that can be pasted. Pure.

use serde_json::json;

use crate::error::name;
use crate::read::nearest_name;
use crate::text::{is_word, json_word, named, region_option, shell_word};
use crate::{StepError, StepResult};

/// SNS, and whoever reads: an ARN that is longer is none of AWS's (an execution's has 300 characters at the most).
const MOST_ARN_BYTES: usize = 400;

/// What stands in a command for what only a person can say, in lower case: ours, and the README's.
const PLACEHOLDERS: [&str; 5] = ["your name", "your reason", "who and why", "who and how", "what is so now"];
/// What says that something is wanted, and neither who wants it nor why: what a script, or somebody in a hurry, writes for a switch.
const SWITCHES: [&str; 16] =
    ["true", "false", "yes", "no", "y", "n", "ok", "okay", "on", "off", "null", "none", "1", "0", "-", "force"];
/// More applications than this help nobody who has mistyped one.
const MOST_APPLICATIONS: usize = 30;
/// How the commands below have to be filled in. A shell ends the text of a command at an apostrophe.
pub const FILL_IN: &str = "write who you are and why, without ' and \"";

/// What a person has said who forces or releases: not what a command says in their place.
///
/// # Errors
/// `Cutover.InvalidGesture`, which says what is to be written.
pub fn said(field: &str, text: &str) -> StepResult<()> {
    let fix = "write who you are and why, such as \"Ada Lovelace: the health check itself is broken\"";
    signed_as(&format!("`{field}`"), text, fix)
}

/// The same of a name, or of who and why in one text, with what is to be written there: it is not a switch.
///
/// # Errors
/// As [`said`].
pub fn signed_as(what: &str, text: &str, fix: &str) -> StepResult<()> {
    said_as(what, text, fix)?;
    if !SWITCHES.contains(&text.trim().to_lowercase().as_str()) {
        return Ok(());
    }
    let problem = format!("is `{}`, which is neither a name nor a reason", text.trim());
    Err(StepError::new(name::INVALID_GESTURE, format!("{what} {problem}, and nothing was done: {fix}")))
}

/// The same of any other text, with what is to be written there: a figure may be 0, and what is so may be "ok".
///
/// # Errors
/// As [`said`].
pub fn said_as(what: &str, text: &str, fix: &str) -> StepResult<()> {
    let lower = text.to_lowercase();
    let placeholder = PLACEHOLDERS.iter().find(|placeholder| lower.contains(*placeholder));
    let problem = match placeholder {
        Some(placeholder) => format!("still says `{}`", placeholder.to_uppercase()),
        None if text.trim().is_empty() => "is empty".to_owned(),
        None => return Ok(()),
    };
    Err(StepError::new(name::INVALID_GESTURE, format!("{what} {problem}, and nothing was done: {fix}")))
}

/// What a person has said, with as many characters as there is room for.
///
/// # Errors
/// As [`said`].
pub fn short_enough(what: &str, characters: usize, most: usize) -> StepResult<()> {
    if characters <= most {
        return Ok(());
    }
    let problem = format!("{what} has {characters} characters, and nothing was done: write {most} at the most");
    Err(StepError::new(name::INVALID_GESTURE, problem))
}

/// No run holds an application that a person has named; `held` are those that runs do hold, where that could be seen.
pub fn no_such_run(application: &str, held: Option<&[String]>) -> StepError {
    let named_it = named(application, 64);
    let held = match held {
        Some([]) => "no application has an open run".to_owned(),
        Some(names) => {
            let meant = nearest_name(application, names.iter().map(String::as_str));
            let meant = meant.map(|name| format!("did you mean {}? ", named(name, 64))).unwrap_or_default();
            let list: Vec<String> = names.iter().take(MOST_APPLICATIONS).map(|name| named(name, 64)).collect();
            let more = names.len().saturating_sub(MOST_APPLICATIONS);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{meant}Open runs are those of {}{more}", list.join(", "))
        }
        None => "which runs are open could not be seen".to_owned(),
    };
    let problem = format!(
        "no open run of {named_it} is known: it has never been claimed, or has ended, and nothing was done; {held}"
    );
    StepError::new(name::INVALID_GESTURE, problem)
}

/// How a stopped line is lifted, or made an exception of, for whoever is held by it.
pub const HOW_THE_LINE_IS_LIFTED: &str = "start again once it is lifted, by an execution of `wave` with the input \
    {\"line\": {\"lift\": {\"by\": \"YOUR NAME\", \"why\": \"YOUR REASON\"}}}; for one application alone by \
    {\"line\": {\"except\": {\"application\": ..., \"by\": ..., \"why\": ...}}}, and a second person's \
    {\"line\": {\"approve\": {\"application\": ..., \"by\": ...}}}";

/// The state machines that a person starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machines {
    /// The ARN of `rollback`.
    pub rollback: String,
    /// The ARN of `cleanup`.
    pub cleanup: String,
}

impl Machines {
    /// Those of the stack that a machine or an execution of it belongs to: the names of a stack's machines differ at their ends alone
    /// (`infra/lib/names.ts`). `own` is the end of the given one; none where it is no machine of that name.
    pub fn beside(arn: &str, own: &str) -> Option<Self> {
        let machine = crate::arn::machine_of(arn).unwrap_or_else(|| arn.to_owned());
        let stem = machine.strip_suffix(own).filter(|_| is_word(&machine) && machine.len() <= MOST_ARN_BYTES)?;
        stem.contains(":stateMachine:")
            .then(|| Self { rollback: format!("{stem}rollback"), cleanup: format!("{stem}cleanup") })
    }

    /// Goes back, or tries to again.
    pub fn roll_back(&self, application: &str) -> String {
        start(&self.rollback, &json!({ "application": fit(application) }))
    }

    /// Goes back in spite of a reason to hold.
    pub fn force(&self, application: &str) -> String {
        start(&self.rollback, &json!({ "application": fit(application), "force": "YOUR NAME: YOUR REASON" }))
    }

    /// Cleans up after a run that is finished, without waiting.
    pub fn clean_up(&self, application: &str) -> String {
        start(&self.cleanup, &json!({ "application": fit(application), "now": true }))
    }

    /// Leaves everything as it is, and gives the locks free.
    pub fn release(&self, application: &str) -> String {
        start(&self.cleanup, &json!({ "application": fit(application), "release": "YOUR NAME: YOUR REASON" }))
    }
}

fn start(machine: &str, input: &serde_json::Value) -> String {
    let region = region_option(machine);
    format!("aws stepfunctions start-execution{region} --state-machine-arn {machine} --input {}", json_word(input))
}

/// Stops a run, which rolls it back.
pub fn stop(run_id: &str) -> String {
    let run_id = if is_word(run_id) && run_id.len() <= MOST_ARN_BYTES { run_id } else { "RUN" };
    format!("aws stepfunctions stop-execution{} --execution-arn {run_id}", region_option(run_id))
}

/// Approves and rejects a run.
pub fn answers(region_of: &str, task_token: &str) -> String {
    yes_or_no(region_of, task_token, ["To approve", "To reject", "Rejected"], "")
}

/// The same of a run's plan, which the yes names by its digest: a run that would go by another one does not begin.
pub fn approval(region_of: &str, task_token: &str, digest: &str) -> String {
    let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    let plan = if is_digest { format!(", \"plan\": \"{digest}\"") } else { String::new() };
    yes_or_no(region_of, task_token, ["To approve", "To reject", "Rejected"], &plan)
}

/// Lets a run go on in spite of a check that failed, or sends it back.
pub fn decision(region_of: &str, task_token: &str) -> String {
    yes_or_no(region_of, task_token, ["To go on in spite of it", "To go back", "GoBack"], "")
}

/// Says something of an incident: `acknowledge`, `update` or `resolve`.
pub fn of_incident(machine: &str, id: &str, what: &str, said: &serde_json::Value) -> String {
    let id = if is_word(id) && id.len() <= 64 { id } else { "INCIDENT" };
    start(machine_or_name(machine), &json!({ "incident": id, what: said }))
}

/// Says something of a wave: `pause`, `resume`, `stop` or `roll_back`.
pub fn of_wave(machine: &str, wave: &str, what: &str) -> String {
    let said = json!({ "by": "YOUR NAME", "why": "YOUR REASON" });
    start(machine_or_name(machine), &json!({ "of": fit(wave), what: said }))
}

/// Says that something of a checklist is done. `machine`: the ARN of `timeline`.
pub fn tick(machine: &str, wave: &str, item: &str) -> String {
    let item = if is_word(item) && item.len() <= 64 { item } else { "ITEM" };
    start(machine_or_name(machine), &json!({ "of": fit(wave), "tick": { "item": item, "by": "YOUR NAME" } }))
}

/// Stops the line: nothing new claims, and what runs holds at its step. `machine`: the ARN of `wave`.
pub fn stop_line(machine: &str) -> String {
    of_line(machine, "stop", json!({ "by": "YOUR NAME", "why": "YOUR REASON" }))
}

/// Lifts a stopped line.
pub fn lift_line(machine: &str) -> String {
    of_line(machine, "lift", json!({ "by": "YOUR NAME", "why": "YOUR REASON" }))
}

/// Asks that one application goes on although the line is stopped; then another person approves that.
pub fn except_from_line(machine: &str, application: &str) -> [String; 2] {
    let application = fit(application);
    [
        of_line(machine, "except", json!({ "application": application, "by": "YOUR NAME", "why": "YOUR REASON" })),
        of_line(machine, "approve", json!({ "application": application, "by": "YOUR NAME" })),
    ]
}

fn of_line(machine: &str, what: &str, said: serde_json::Value) -> String {
    start(machine_or_name(machine), &json!({ "line": { what: said } }))
}

/// The token, which is long, stands once.
fn yes_or_no(region_of: &str, task_token: &str, [yes, no, error]: [&str; 3], plan: &str) -> String {
    let region = if is_word(region_of) { region_option(region_of) } else { String::new() };
    format!(
        "First this, then one of the two ({FILL_IN}):\n  TOKEN={}\n\
         {yes}:\n  aws stepfunctions send-task-success{region} --task-token \"$TOKEN\" \
         --task-output '{{\"by\": \"YOUR NAME\", \"why\": \"YOUR REASON\"{plan}}}'\n\
         {no}:\n  aws stepfunctions send-task-failure{region} --task-token \"$TOKEN\" --error {error} \
         --cause 'YOUR NAME: YOUR REASON'\n",
        shell_word(task_token)
    )
}

/// A machine that a message names: what is none stands for what a person has to put there.
fn machine_or_name(machine: &str) -> &str {
    if is_word(machine) && machine.len() <= MOST_ARN_BYTES { machine } else { "MACHINE" }
}

/// Only a plan that was claimed has a run to act on, and its application is a plain name.
fn fit(application: &str) -> &str {
    if is_word(application) && application.len() <= 64 { application } else { "APPLICATION" }
}

#[cfg(test)]
mod tests;
