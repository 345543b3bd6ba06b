//! What a person says of the line, and what becomes of it. Pure.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Exception, Line, MOST_PAST, MOST_WHY_BYTES, Past, Stop};
use crate::error::name;
use crate::gestures::{said_as, signed_as};
use crate::text::{is_word, named, quoted, shown};
use crate::{StepError, StepResult};

const MOST_BY_BYTES: usize = 100;
/// Two names are no two people: whoever starts executions of `wave` can write both.
const AS_WRITTEN: &str =
    "names are as somebody has written them, and nobody has verified any (CloudTrail has who started the executions)";
const MOST_APPLICATION_BYTES: usize = 64;
/// More exceptions than this are no exceptions.
const MOST_EXCEPTIONS: usize = 100;

/// One of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Gesture {
    /// Nothing new claims, and what runs holds at its step, under watch.
    pub stop: Option<Said>,
    /// It goes on. Every exception is gone.
    pub lift: Option<Said>,
    /// Asks that one application goes on although the line is stopped.
    pub except: Option<Except>,
    /// A second person agrees.
    pub approve: Option<Approve>,
}

/// Who says it, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
}

/// Which application shall go on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Except {
    /// Its name, as its plan has it.
    pub application: String,
    /// Who asks.
    pub by: String,
    /// Why.
    pub why: String,
}

/// Which exception is agreed to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// Of which application.
    pub application: String,
    /// Who agrees: another than who asked.
    pub by: String,
}

const EXAMPLES: &str = r#"{"line": {"stop": {"by": "Ada Lovelace", "why": "the new network loses packets"}}}, the same with "lift", {"line": {"except": {"application": "shop", "by": "Ada Lovelace", "why": "it is on the old network"}}}, or {"line": {"approve": {"application": "shop", "by": "Grace Hopper"}}}"#;

impl Line {
    /// Does what a person says, and says what was done, or that it is so already.
    ///
    /// # Errors
    /// `Cutover.InvalidGesture`, with what is to be written; nothing has changed then.
    pub fn say(&mut self, gesture: &Gesture, at: Timestamp) -> StepResult<String> {
        match gesture {
            Gesture { stop: Some(said), lift: None, except: None, approve: None } => self.stop(said, at),
            Gesture { stop: None, lift: Some(said), except: None, approve: None } => self.lift(said, at),
            Gesture { stop: None, lift: None, except: Some(except), approve: None } => self.except(except, at),
            Gesture { stop: None, lift: None, except: None, approve: Some(approve) } => self.approve(approve),
            _ => Err(invalid(format!("nothing was done: the input should be one of these: {EXAMPLES}"))),
        }
    }

    fn stop(&mut self, said: &Said, at: Timestamp) -> StepResult<String> {
        let (by, why) = (who("stop", &said.by)?, reason("stop", &said.why)?);
        if let Some(stop) = &self.stopped {
            return Ok(format!("nothing was changed: {} already", stop.words()));
        }
        let stop = Stop { by, why, at };
        let words = stop.words();
        self.stopped = Some(stop);
        Ok(format!("{words}; nothing new claims, and what runs holds at its step, until it is lifted"))
    }

    fn lift(&mut self, said: &Said, at: Timestamp) -> StepResult<String> {
        let (by, why) = (who("lift", &said.by)?, reason("lift", &said.why)?);
        self.exceptions.clear();
        let Some(stop) = self.stopped.take() else {
            return Ok("nothing was changed: the line is not stopped".to_owned());
        };
        self.past.push(Past { from: stop.at, to: at.max(stop.at) });
        let old = self.past.len().saturating_sub(MOST_PAST);
        self.past.drain(..old);
        let [by, why] = [by, why].map(|text| quoted(&text, MOST_WHY_BYTES));
        Ok(format!("the line is lifted by {by}: {why}; it had been stopped by {}", quoted(&stop.by, MOST_BY_BYTES)))
    }

    fn except(&mut self, except: &Except, at: Timestamp) -> StepResult<String> {
        let application = application("except", &except.application)?;
        let (by, why) = (who("except", &except.by)?, reason("except", &except.why)?);
        self.must_be_stopped()?;
        if let Some(known) = self.exceptions.iter().find(|exception| exception.application == application) {
            return Ok(format!("nothing was changed: {}", known.words()));
        }
        if self.exceptions.len() >= MOST_EXCEPTIONS {
            let problem = format!("nothing was done: there are {MOST_EXCEPTIONS} exceptions: lift the line instead");
            return Err(invalid(problem));
        }
        let exception = Exception { application, asked_by: by, why, at, approved_by: None };
        let words = exception.words();
        self.exceptions.push(exception);
        Ok(words)
    }

    fn approve(&mut self, approve: &Approve) -> StepResult<String> {
        let application = application("approve", &approve.application)?;
        let by = who("approve", &approve.by)?;
        self.must_be_stopped()?;
        let asked = self.exceptions.iter_mut().find(|exception| exception.application == application);
        let Some(exception) = asked else {
            let problem = format!(
                "nothing was done: nobody has asked for an exception for {application} since the line was stopped: ask for it by \
                 \"except\" first, and let another person approve it"
            );
            return Err(invalid(problem));
        };
        if is_same(&by, &exception.asked_by) {
            let problem = format!(
                "nothing was done: {} has asked for this exception, and a second person has to approve it",
                quoted(&exception.asked_by, MOST_BY_BYTES)
            );
            return Err(invalid(problem));
        }
        let is_new = exception.approved_by.is_none();
        exception.approved_by.get_or_insert(by);
        let words = exception.words();
        Ok(if is_new { words } else { format!("nothing was changed: {words}") })
    }

    fn must_be_stopped(&self) -> StepResult<()> {
        let problem = "nothing was done: the line is not stopped, so there is nothing to make an exception of";
        self.stopped.as_ref().map(drop).ok_or_else(|| invalid(problem))
    }
}

impl Exception {
    /// How far it is.
    fn words(&self) -> String {
        let [asked_by, why] = [&self.asked_by, &self.why].map(|text| quoted(text, MOST_WHY_BYTES));
        let application = named(&self.application, MOST_APPLICATION_BYTES);
        match &self.approved_by {
            Some(by) => {
                let by = quoted(by, MOST_BY_BYTES);
                format!(
                    "{application} goes on although the line is stopped: asked by {asked_by} ({why}), approved by {by}, {AS_WRITTEN}"
                )
            }
            None => format!(
                "an exception for {application} is asked by {asked_by}: {why}; it counts once a second person has approved it; {AS_WRITTEN}"
            ),
        }
    }
}

/// Names are written by hand: one that differs in case or spaces is the same person.
fn is_same(one: &str, other: &str) -> bool {
    let plain = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    plain(one) == plain(other)
}

fn who(field: &str, by: &str) -> StepResult<String> {
    signed_as(&format!("`{field}.by`"), by, "write who you are, such as \"Ada Lovelace\"")?;
    Ok(shown(by.trim(), MOST_BY_BYTES))
}

fn reason(field: &str, why: &str) -> StepResult<String> {
    said_as(&format!("`{field}.why`"), why, "write why, such as \"the new network loses packets\"")?;
    Ok(shown(why.trim(), MOST_WHY_BYTES))
}

fn application(field: &str, name: &str) -> StepResult<String> {
    if is_word(name) && name.len() <= MOST_APPLICATION_BYTES {
        return Ok(name.to_owned());
    }
    let problem = format!(
        "`{field}.application` is {}, and nothing was done: write the application's name as its plan has it",
        quoted(name, MOST_APPLICATION_BYTES)
    );
    Err(invalid(problem))
}

fn invalid(problem: impl Into<String>) -> StepError {
    StepError::new(name::INVALID_GESTURE, problem)
}
