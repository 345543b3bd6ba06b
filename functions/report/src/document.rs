//! The three documents of one run: a page, the same in Markdown, and everything as JSON. Pure.

use cutover::text::shown;
use cutover::{StepError, StepResult};
use minijinja::{AutoEscape, Environment};
use serde::Serialize;

use crate::advice::{Advice, next, recommendations};
use crate::facts::Facts;
use crate::page::{Extent, Page, page};
use crate::verdict::{Verdict, summary, verdict};

/// The page is no longer than this.
pub const MOST_PAGE_BYTES: usize = 500_000;
/// How much is drawn and listed, from all of it to what always fits.
const EXTENTS: [Extent; 4] = [
    Extent { routes: 20, gates: 40, lines: 200 },
    Extent { routes: 8, gates: 12, lines: 100 },
    Extent { routes: 2, gates: 4, lines: 40 },
    Extent { routes: 0, gates: 0, lines: 20 },
];

/// The documents.
#[derive(Clone, Debug)]
pub struct Documents {
    /// The page: one file, which asks for nothing else.
    pub html: String,
    /// The same in Markdown, without plots.
    pub markdown: String,
    /// Everything.
    pub json: String,
}

/// What the JSON holds.
#[derive(Debug, Serialize)]
struct Whole<'a> {
    /// Of this form.
    version: u32,
    verdict: &'a Verdict,
    summary: &'a [String; 3],
    recommendations: &'a [Advice],
    facts: &'a Facts,
}

/// Makes them.
///
/// # Errors
/// A template that does not fit its values, which the tests show.
pub fn documents(facts: &Facts) -> StepResult<Documents> {
    let (verdict, recommendations) = (verdict(facts), recommendations(facts));
    let summary = summary(facts, &next(facts, &recommendations));
    let whole = Whole { version: 1, verdict: &verdict, summary: &summary, recommendations: &recommendations, facts };
    let json = serde_json::to_string_pretty(&whole)
        .map_err(|error| StepError::invalid(format!("the report is no JSON: {error}")))?;
    let templates = templates().map_err(wrong)?;
    let mut html = String::new();
    for extent in EXTENTS {
        let page = page(facts, &verdict, &summary, &recommendations, extent);
        html = render(&templates, "report.html", &page)?;
        if html.len() <= MOST_PAGE_BYTES {
            break;
        }
    }
    let page = page(facts, &verdict, &summary, &recommendations, EXTENTS[0]);
    Ok(Documents { html, markdown: render(&templates, "report.md", &page)?, json })
}

fn render(templates: &Environment, name: &str, page: &Page) -> StepResult<String> {
    templates.get_template(name).and_then(|template| template.render(page)).map_err(wrong)
}

fn wrong(error: minijinja::Error) -> StepError {
    StepError::invalid(format!("the report's template: {error:#}"))
}

fn templates() -> Result<Environment<'static>, minijinja::Error> {
    let mut templates = Environment::new();
    templates.set_trim_blocks(true);
    templates.set_lstrip_blocks(true);
    templates
        .set_auto_escape_callback(|name| if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None });
    templates.add_filter("plain", |text: String| shown(&text, 600));
    templates.add_filter("md", |text: String| markdown(&shown(&text, 600)));
    templates.add_template("report.html", include_str!("../templates/report.html"))?;
    templates.add_template("report.md", include_str!("../templates/report.md"))?;
    Ok(templates)
}

/// A text that is no markup in Markdown, in a table's cell neither.
fn markdown(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '!' | '~' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
#[path = "document_tests.rs"]
pub(crate) mod tests;
