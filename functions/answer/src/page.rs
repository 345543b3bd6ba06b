//! The pages, as HTML: one self-contained page a question, an incident or a wave's checklists, without scripts, and plain ones that say why there is none. Pure.
//!
//! Whatever somebody else wrote is shown as `cutover::text` shows it, and the template escapes it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cutover::StepResult;
use cutover::text::{shown, shown_json};
use jiff::Timestamp;
use journal::Asked;
use links::Link;
use minijinja::{AutoEscape, Environment, context};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::request::Reply;
use crate::words::Words;
use crate::{Said, checklist_words, incident_words};

const STYLE: &str = include_str!("../templates/page.css");
/// Of a sentence that somebody wrote; a reason has 1,000 characters.
const MOST_TEXT_BYTES: usize = 4_000;

/// Why there is no page of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// The link is none of ours, or was changed.
    Wrong,
    /// Its time is over.
    Over,
    /// A form that another site has sent.
    ElsewhereSent,
    /// What was sent is no form.
    NoForm,
    /// What was sent is too large.
    TooLarge,
    /// Neither GET, HEAD nor POST.
    Method,
    /// AWS refuses or delays something.
    NotNow,
}

impl Notice {
    fn status(self) -> u16 {
        match self {
            Self::Wrong | Self::ElsewhereSent => 403,
            Self::Over => 410,
            Self::NoForm => 415,
            Self::TooLarge => 413,
            Self::Method => 405,
            Self::NotNow => 503,
        }
    }

    /// A heading, and what to do: nothing of any run.
    fn words(self) -> (&'static str, [&'static str; 2]) {
        const COMMANDS: &str = "The operators' message of the same has commands, which answer as well.";
        match self {
            Self::Wrong => (
                "This link cannot be used",
                [
                    "It is not whole, or was changed. Open it from the message once more, with nothing left out.",
                    COMMANDS,
                ],
            ),
            Self::Over => (
                "This link has ended",
                [
                    "The time to answer is over, and silence was the answer, unless somebody has given one.",
                    "What became of the run is in its later messages. If it waits all the same, the commands in the operators' message answer.",
                ],
            ),
            Self::ElsewhereSent => (
                "Nothing was done",
                [
                    "This answer was not sent from the page itself. Open the link from the message, and answer there.",
                    COMMANDS,
                ],
            ),
            Self::NoForm | Self::TooLarge => (
                "Nothing was done",
                [
                    "What was sent is not what the page's form sends. Open the link from the message, and answer there.",
                    COMMANDS,
                ],
            ),
            Self::Method => ("Nothing was done", ["A link is opened, and its form is sent; nothing else.", COMMANDS]),
            Self::NotNow => (
                "This cannot be shown just now",
                [
                    "Try again in a minute. If you have just answered, open the link again: it says whether your answer was written.",
                    COMMANDS,
                ],
            ),
        }
    }
}

/// A plain page.
pub(crate) fn notice(notice: Notice) -> StepResult<Reply> {
    let (title, sentences) = notice.words();
    let html = render("notice.html", context! { title, sentences, class => "bad", style => STYLE })?;
    let reply = Reply::page(notice.status(), html, &style_hash());
    Ok(match notice {
        Notice::Method => reply.with("allow", "GET, HEAD, POST"),
        Notice::NotNow => reply.with("retry-after", "60"),
        _ => reply,
    })
}

/// The page of a question. `said`: a form that was not complete, and what is missing.
pub(crate) fn question(asked: &Asked, link: &Link, said: Said, now: Timestamp) -> StepResult<Reply> {
    let question = &asked.question;
    let words = context! {
        most_name => cutover::ask::MOST_NAME_CHARACTERS,
        most_reason => cutover::ask::MOST_REASON_CHARACTERS,
        digest => cutover::ask::digest_of(&question.plan),
        plan => format!("{:#}", shown_json(&question.plan, usize::MAX)),
        run_id => question.run_id,
        ..minijinja::Value::from_serialize(Words::of(asked, link, now))
    };
    filled("question.html", words, said, if said.is_some() { 422 } else { 200 })
}

/// The page of an incident. `said`: a form that did nothing, and why.
pub(crate) fn incident(words: &incident_words::Words, said: Said, status: u16) -> StepResult<Reply> {
    filled("incident.html", words, said, status)
}

/// The page of a wave's checklists. `said`: a form that did nothing, and why.
pub(crate) fn checklists(words: &checklist_words::Words, said: Said, status: u16) -> StepResult<Reply> {
    filled("checklists.html", words, said, status)
}

/// A page with a form: what was written in it stands there again.
fn filled(template: &str, words: impl Serialize, said: Said, status: u16) -> StepResult<Reply> {
    let (form, problem) = said.unzip();
    let html = render(
        template,
        context! {
            style => STYLE,
            problem,
            name => form.map(|form| form.name.as_str()).unwrap_or_default(),
            reason => form.map(|form| form.reason.as_str()).unwrap_or_default(),
            ..minijinja::Value::from_serialize(&words)
        },
    )?;
    Ok(Reply::page(status, html, &style_hash()))
}

fn render(name: &str, context: impl Serialize) -> StepResult<String> {
    let render = || -> Result<String, minijinja::Error> { templates()?.get_template(name)?.render(context) };
    render().map_err(|error| cutover::StepError::invalid(format!("the page's template: {error:#}")))
}

fn templates() -> Result<Environment<'static>, minijinja::Error> {
    let mut templates = Environment::new();
    templates.set_trim_blocks(true);
    templates.set_lstrip_blocks(true);
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    templates.add_filter("plain", |text: String| shown(&text, MOST_TEXT_BYTES));
    templates.add_template("question.html", include_str!("../templates/question.html"))?;
    templates.add_template("incident.html", include_str!("../templates/incident.html"))?;
    templates.add_template("checklists.html", include_str!("../templates/checklists.html"))?;
    templates.add_template("notice.html", include_str!("../templates/notice.html"))?;
    Ok(templates)
}

/// As a content security policy names a style sheet.
fn style_hash() -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(STYLE.as_bytes())))
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
