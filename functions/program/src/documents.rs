//! What an execution leaves in the bucket, and under which keys. Pure.

use cutover::{StepError, StepResult};
use jiff::Timestamp;
use runbooks::book::Runbook;
use wave_plan::{Portfolio, Programme, report};

use crate::calendar::calendar;

/// One object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its key below the execution's folder.
    pub name: String,
    /// What it is.
    pub content_type: &'static str,
    /// Its text.
    pub text: String,
}

/// JSON, as S3 is told.
pub const JSON: &str = "application/json";
/// The key of the portfolio as it was given.
pub const PORTFOLIO: &str = "portfolio.json";
/// The key of the programme.
pub const PROGRAMME: &str = "programme.json";
/// The key of what each wave is started with.
pub const WAVES: &str = "waves.json";
/// The key of the page with the chart.
pub const PAGE: &str = "programme.html";
/// The key of the same as Markdown.
pub const MARKDOWN: &str = "programme.md";
/// The key of its calendar.
pub const CALENDAR: &str = "programme.ics";
/// The key of its table.
pub const TABLE: &str = "programme.csv";

/// What people do for one application.
///
/// # Errors
/// A template that does not fit its values, which the tests show.
pub fn of_runbook(book: &Runbook) -> StepResult<[Document; 2]> {
    let name = |kind: &str| format!("runbooks/{}.{kind}", book.application);
    let wrong = |error| StepError::invalid(format!("the runbook of {}: {error}", book.application));
    let (text, page) = (runbooks::markdown(book).map_err(wrong)?, runbooks::page(book).map_err(wrong)?);
    Ok([
        Document { name: name("md"), content_type: "text/markdown; charset=utf-8", text },
        Document { name: name("html"), content_type: "text/html; charset=utf-8", text: page },
    ])
}

/// What people read of a programme.
///
/// # Errors
/// None that a text in memory can have.
pub fn of(portfolio: &Portfolio, programme: &Programme, at: Timestamp) -> StepResult<Vec<Document>> {
    let table = report::csv(programme).map_err(StepError::invalid)?;
    let document = |name: &str, content_type, text| Document { name: name.to_owned(), content_type, text };
    Ok(vec![
        document(MARKDOWN, "text/markdown; charset=utf-8", report::markdown(programme)),
        document(TABLE, "text/csv; charset=utf-8", table),
        document(CALENDAR, "text/calendar; charset=utf-8", calendar(portfolio, programme, at)),
        // Last: whoever sees the page finds the others.
        document(PAGE, "text/html; charset=utf-8", report::gantt(portfolio, programme)),
    ])
}
