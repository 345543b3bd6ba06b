//! A runbook as Markdown, and as a page that asks for nothing else. Pure.

use cutover::text::shown;
use minijinja::{AutoEscape, Environment};

pub use minijinja::Error;

use crate::book::Runbook;

/// More of a text helps nobody.
const MOST_BYTES: usize = 1_000;

/// As Markdown: checklists have boxes to tick.
///
/// # Errors
/// A template that does not fit its values, which the tests show.
pub fn markdown(book: &Runbook) -> Result<String, Error> {
    render("runbook.md", book)
}

/// As a page.
///
/// # Errors
/// As [`markdown`].
pub fn page(book: &Runbook) -> Result<String, Error> {
    render("runbook.html", book)
}

fn render(name: &str, book: &Runbook) -> Result<String, Error> {
    let mut templates = Environment::new();
    templates.set_trim_blocks(true);
    templates.set_lstrip_blocks(true);
    templates
        .set_auto_escape_callback(|name| if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None });
    templates.add_filter("plain", |text: String| shown(&text, MOST_BYTES));
    templates.add_filter("md", |text: String| escaped(&shown(&text, MOST_BYTES)));
    templates.add_filter("code", code);
    templates.add_template("runbook.html", include_str!("../templates/runbook.html"))?;
    templates.add_template("runbook.md", include_str!("../templates/runbook.md"))?;
    templates.get_template(name)?.render(book)
}

/// A text that is no markup in Markdown, in a table's cell neither.
fn escaped(text: &str) -> String {
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

/// A command within a block of code, indented as a list's item: line by line, and nothing in it ends the block.
fn code(text: String) -> String {
    text.lines().map(|line| format!("      {}", shown(line, MOST_BYTES))).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
#[path = "show_tests.rs"]
mod tests;
