//! The documents: pages, their JSON, and the three texts. Pure.
//!
//! Pages escape what stands in them; texts are one line a value, whatever is in it.

use cutover::text::shown;
use cutover::{StepError, StepResult};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

use crate::portfolio::Portfolio;
use crate::status::{Settings, Status};
use crate::{view, view_all};

/// The texts, from the shortest: for those who decide, for those whose work depends on it, for engineers.
const FORMATS: [&str; 3] = ["summary", "detailed", "technical"];
const MOST_VALUE_BYTES: usize = 800;

/// A run's JSON and its page.
///
/// # Errors
/// A template that does not fit its values, which the tests show.
pub fn of_run(status: &Status, settings: &Settings) -> StepResult<(String, String)> {
    Ok((json(status)?, render("run.html", &view::run(status, settings))?))
}

/// The JSON and the page of all runs.
///
/// # Errors
/// As [`of_run`].
pub fn of_all(portfolio: &Portfolio, settings: &Settings) -> StepResult<(String, String)> {
    Ok((json(portfolio)?, render("all.html", &view_all::all(portfolio, settings))?))
}

/// A run in words: summary, detailed, technical.
///
/// # Errors
/// As [`of_run`].
pub fn texts_of_run(status: &Status, settings: &Settings) -> StepResult<[String; 3]> {
    texts("run", &view::run(status, settings))
}

/// All runs in words.
///
/// # Errors
/// As [`of_run`].
pub fn texts_of_all(portfolio: &Portfolio, settings: &Settings) -> StepResult<[String; 3]> {
    texts("all", &view_all::all(portfolio, settings))
}

fn texts(of: &str, view: &impl Serialize) -> StepResult<[String; 3]> {
    let mut texts = Vec::new();
    for format in FORMATS {
        texts.push(render(&format!("{of}.{format}.txt"), view)?);
    }
    texts.try_into().map_err(|_| StepError::invalid("not three texts"))
}

fn json(value: &impl Serialize) -> StepResult<String> {
    serde_json::to_string_pretty(value).map_err(|error| StepError::invalid(format!("a status is no JSON: {error}")))
}

fn render(name: &str, view: &impl Serialize) -> StepResult<String> {
    let templates = templates().map_err(wrong)?;
    templates.get_template(name).and_then(|template| template.render(view)).map_err(wrong)
}

fn wrong(error: minijinja::Error) -> StepError {
    StepError::invalid(format!("a template of the status: {error:#}"))
}

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        const TEMPLATES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../templates/", $name)))),*];
    };
}

templates!(
    "style.html",
    "when.html",
    "run.html",
    "all.html",
    "run.summary.txt",
    "run.detailed.txt",
    "run.technical.txt",
    "all.summary.txt",
    "all.detailed.txt",
    "all.technical.txt",
);

fn templates() -> Result<Environment<'static>, minijinja::Error> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_trim_blocks(true);
    templates.set_lstrip_blocks(true);
    templates
        .set_auto_escape_callback(|name| if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None });
    templates.add_filter("plain", |text: String| shown(&text, MOST_VALUE_BYTES));
    for (name, source) in TEMPLATES {
        templates.add_template(name, source)?;
    }
    Ok(templates)
}
