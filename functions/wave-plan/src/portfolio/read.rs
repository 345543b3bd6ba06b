//! From the JSON that a person wrote to a [`Portfolio`], or to every error, each with its path, what is wrong and the fix.

use cutover::finding::{self, Finding};
use schemars::Schema;
use serde_json::Value;

use super::{Portfolio, check};

impl Portfolio {
    /// Reads a portfolio as its author wrote it.
    ///
    /// # Errors
    /// Every error at once, of form and of sense, in the order of their paths, up to [`finding::MOST_FINDINGS`].
    pub fn read(value: &Value) -> Result<Self, Vec<Finding>> {
        let cutover::read::Read { value, unread, mut findings } = cutover::read::form::<Self>(value);
        if let Some(portfolio) = &value {
            findings.extend(check::portfolio(portfolio, &unread));
        }
        match value {
            Some(portfolio) if findings.is_empty() => Ok(portfolio),
            _ => Err(finding::in_order(findings)),
        }
    }

    /// The JSON Schema of a portfolio as its author writes it: `events/portfolio.schema.json`.
    pub fn schema() -> Schema {
        cutover::read::gesture_schema::<Self>()
    }
}
