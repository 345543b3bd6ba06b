//! What an execution of `incident` is started with: by a person, by EventBridge, or by the one before it. Pure.

use cutover::gestures;
use cutover::text::shown;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::incident::{Severity, Status};

const MOST_LINE_BYTES: usize = 200;
const MOST_TEXT_BYTES: usize = 2_000;
const MOST_ACTIONS: usize = 20;

/// One of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Input {
    /// A person opens one.
    pub open: Option<Open>,
    /// Which one a person speaks of, or is followed on: its id.
    pub incident: Option<String>,
    /// Somebody looks after it.
    pub acknowledge: Option<Say>,
    /// Somebody says how it stands.
    pub update: Option<Say>,
    /// Somebody says that it is over.
    pub resolve: Option<Say>,
    /// How many executions have followed it before this one. Given by the one before.
    #[schemars(range(max = 1_000_000))]
    pub follow: Option<u32>,
}

/// What a person opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Open {
    /// How bad it is.
    pub severity: Severity,
    /// In one line.
    pub title: String,
    /// Who opens it.
    pub by: String,
    /// The application that it is about.
    #[serde(default)]
    pub application: Option<String>,
    /// What happened.
    #[serde(default)]
    pub description: String,
    /// What users have of it.
    #[serde(default)]
    pub impact: String,
    /// What comes next.
    #[serde(default)]
    pub next_steps: String,
    /// When it may be over.
    #[serde(default)]
    pub estimated_resolution: String,
}

/// What a person says of one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Say {
    /// Who.
    pub by: String,
    /// In their words.
    pub text: String,
    /// How far people are, where that has changed.
    pub status: Option<Status>,
    /// How bad it is, where that has changed.
    pub severity: Option<Severity>,
    /// What was done.
    pub action_taken: Option<String>,
    /// What comes next, in place of what was said before.
    pub next_steps: Option<String>,
    /// When it may be over, in place of what was said before.
    pub estimated_resolution: Option<String>,
}

/// An execution of `rollback`, or of `incident` itself, that has begun or ended: the `detail` of Step Functions' event (Step Functions developer
/// guide, execution status changes). What would make the event too long is null there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Event {
    /// Its ARN.
    pub execution_arn: String,
    /// `RUNNING`, `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED`.
    pub status: String,
    /// What it was started with; none where EventBridge leaves it out, being long.
    pub input: Option<String>,
    /// What it answered.
    pub output: Option<String>,
    /// How it failed.
    pub error: Option<String>,
    /// And why.
    pub cause: Option<String>,
    /// The machine's ARN.
    pub state_machine_arn: String,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To open one.
    Open(Open),
    /// To say something of one.
    Say(String, What, Say),
    /// To follow one on.
    Follow(String),
    /// To see what an execution means.
    Event(Event),
}

/// What is said of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Somebody looks after it.
    Acknowledged,
    /// How it stands.
    Updated,
    /// It is over.
    Resolved,
}

impl What {
    /// As an input says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledge",
            Self::Updated => "update",
            Self::Resolved => "resolve",
        }
    }
}

/// What an execution's input asks for.
///
/// # Errors
/// In a person's words, with an example.
pub fn asked(input: &Value) -> Result<Asked, String> {
    if input.get("executionArn").is_some() {
        return Event::deserialize(input).map(Asked::Event).map_err(|error| format!("the event: {error}"));
    }
    let read: Input = cutover::read::gesture(input).map_err(|error: serde_json::Error| error.to_string())?;
    let Input { open, incident, acknowledge, update, resolve, follow } = read;
    let said = [(What::Acknowledged, acknowledge), (What::Updated, update), (What::Resolved, resolve)];
    let mut said = said.into_iter().filter_map(|(what, say)| Some((what, say?)));
    match (open, incident, said.next(), said.next(), follow) {
        (Some(open), None, None, None, None) => Ok(Asked::Open(opened(open)?)),
        (None, Some(id), Some((what, say)), None, None) => Ok(Asked::Say(known(&id)?, what, checked(what, say)?)),
        (None, Some(id), None, None, Some(_)) => Ok(Asked::Follow(known(&id)?)),
        _ => Err(format!("the input should be one of these: {EXAMPLES}")),
    }
}

const EXAMPLES: &str = r#"{"open": {"severity": "medium", "title": "Logins are slow", "by": "Ada"}}, or {"incident": "i-0123456789ab", "acknowledge": {"by": "Ada"}}, or the same with "update" or "resolve", whose "text" says more"#;

fn known(id: &str) -> Result<String, String> {
    let is_id =
        id.strip_prefix("i-").is_some_and(|rest| rest.len() == 12 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if is_id {
        Ok(id.to_owned())
    } else {
        Err(format!("`incident` should be an id as messages have it, such as i-0123456789ab, not {}", shown(id, 40)))
    }
}

fn opened(open: Open) -> Result<Open, String> {
    if open.title.trim().is_empty() {
        return Err("open.title is empty: say in one line what is wrong".to_owned());
    }
    Ok(Open {
        title: line(&open.title, "open.title")?,
        by: name(&open.by, "open.by")?,
        application: open.application.as_deref().map(|name| line(name, "open.application")).transpose()?,
        description: text(&open.description, "open.description")?,
        impact: text(&open.impact, "open.impact")?,
        next_steps: text(&open.next_steps, "open.next_steps")?,
        estimated_resolution: line(&open.estimated_resolution, "open.estimated_resolution")?,
        severity: open.severity,
    })
}

fn checked(what: What, say: Say) -> Result<Say, String> {
    let field = what.name();
    if what != What::Updated && say.status.is_some() {
        return Err(format!("{field}.status says what {field} says: leave it out"));
    }
    if what == What::Updated && say.status == Some(Status::Resolved) {
        return Err("an update does not end an incident: say \"resolve\" in place of \"update\"".to_owned());
    }
    let is_silent =
        say.text.trim().is_empty() && Say { by: String::new(), text: String::new(), ..say.clone() } == Say::default();
    if what == What::Updated && is_silent {
        return Err("update.text is empty: say what has changed".to_owned());
    }
    let place = |part: &str| format!("{field}.{part}");
    Ok(Say {
        by: name(&say.by, &place("by"))?,
        text: text(&say.text, &place("text"))?,
        action_taken: say.action_taken.as_deref().map(|said| text(said, &place("action_taken"))).transpose()?,
        next_steps: say.next_steps.as_deref().map(|said| text(said, &place("next_steps"))).transpose()?,
        estimated_resolution: say
            .estimated_resolution
            .as_deref()
            .map(|said| line(said, &place("estimated_resolution")))
            .transpose()?,
        ..say
    })
}

fn name(by: &str, place: &str) -> Result<String, String> {
    let fix = "write who you are: it stands in every message from now on";
    gestures::signed_as(place, by, fix).map_err(|error| error.message)?;
    Ok(shown(by.trim(), MOST_LINE_BYTES))
}

fn line(text: &str, place: &str) -> Result<String, String> {
    fit(text, place, MOST_LINE_BYTES)
}

fn text(text: &str, place: &str) -> Result<String, String> {
    fit(text, place, MOST_TEXT_BYTES)
}

/// What a person has written, which may be nothing, but not what a command says in their place.
fn fit(text: &str, place: &str, most_bytes: usize) -> Result<String, String> {
    let text = text.trim();
    if !text.is_empty() {
        gestures::said_as(place, text, "write what is so, or leave it out").map_err(|error| error.message)?;
    }
    Ok(shown(text, most_bytes))
}

/// So many actions are kept, the newest.
pub(crate) fn with_action(mut actions: Vec<String>, action: Option<String>) -> Vec<String> {
    actions.extend(action.filter(|action| !action.is_empty()));
    let first = actions.len().saturating_sub(MOST_ACTIONS);
    actions.split_off(first)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(input: Value) -> Result<Asked, String> {
        asked(&input)
    }

    #[test]
    fn an_event_is_read_as_step_functions_sends_it() {
        let event = json!({ "executionArn": "arn", "stateMachineArn": "machine", "name": "n", "status": "RUNNING", "startDate": 1, "stopDate": null,
            "input": "{}", "output": null, "inputDetails": { "included": true }, "error": null, "cause": null });
        let Ok(Asked::Event(event)) = read(event) else { panic!("no event") };
        assert_eq!((event.execution_arn.as_str(), event.input.as_deref(), event.output), ("arn", Some("{}"), None));
    }

    #[test]
    fn a_person_opens_and_says_something() {
        let opened = read(json!({ "open": { "severity": "high", "title": " Logins fail ", "by": "Ada" } }));
        assert!(matches!(opened, Ok(Asked::Open(Open { title, .. })) if title == "Logins fail"));
        let said = read(json!({ "incident": "i-0123456789ab", "resolve": { "by": "Ada", "text": "mended" } }));
        assert!(matches!(said, Ok(Asked::Say(id, What::Resolved, _)) if id == "i-0123456789ab"));
    }

    #[test]
    fn what_is_wrong_is_said_with_the_fix() {
        let say = |what: &str, say: Value| json!({ "incident": "i-0123456789ab", what: say });
        for (input, problem) in [
            (json!({}), "should be one of these"),
            (json!({ "incident": "i-0123456789ab" }), "should be one of these"),
            (json!({ "incident": "7", "resolve": { "by": "Ada" } }), "i-0123456789ab, not 7"),
            (json!({ "open": { "severity": "awful", "title": "x", "by": "Ada" } }), "$.open.severity"),
            (json!({ "open": { "severity": "low", "title": "  ", "by": "Ada" } }), "open.title is empty"),
            (json!({ "open": { "severity": "low", "title": "x", "by": "" } }), "open.by is empty"),
            (say("acknowledge", json!({})), "acknowledge.by is empty, and nothing was done: write who you are"),
            (say("acknowledge", json!({ "by": "YOUR NAME" })), "acknowledge.by still says `YOUR NAME`"),
            (
                say("resolve", json!({ "by": "Ada", "text": "WHAT IS SO NOW" })),
                "resolve.text still says `WHAT IS SO NOW`, and nothing was done: write what is so",
            ),
            (say("update", json!({ "by": "Ada", "next_steps": "what is so now" })), "update.next_steps still says"),
            (say("update", json!({ "by": "Ada" })), "update.text is empty"),
            (say("update", json!({ "by": "Ada", "status": "resolved" })), "say \"resolve\""),
            (say("resolve", json!({ "by": "Ada", "status": "monitoring" })), "leave it out"),
            (say("resolve", json!({ "by": "Ada", "txt": "x" })), "$.resolve.txt is not a field here"),
            (
                json!({ "incident": "i-0123456789ab", "resolve": { "by": "A" }, "update": { "by": "A" } }),
                "one of these",
            ),
        ] {
            let error = read(input.clone()).expect_err(&input.to_string());
            assert!(error.contains(problem), "{input}: {error}");
        }
    }

    #[test]
    fn the_newest_actions_are_kept() {
        let all = (0..30).fold(Vec::new(), |actions, index| with_action(actions, Some(format!("{index}"))));
        assert_eq!((all.len(), all[0].as_str(), all[19].as_str()), (20, "10", "29"));
        assert_eq!(with_action(vec![], Some(String::new())), Vec::<String>::new());
    }
}
