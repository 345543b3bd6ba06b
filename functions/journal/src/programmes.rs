//! Which programme of a portfolio is in force, which `program` alone reads and writes: an item each, kept for as long as the journal.

use cutover::StepResult;

use crate::table::Journal;
use crate::versioned::Versioned;

impl Journal {
    /// What is remembered of a portfolio's programme, and its version; none if none was ever in force.
    ///
    /// # Errors
    /// AWS errors; an item that cannot be read.
    pub async fn programme(&self, portfolio: &str) -> StepResult<Option<(String, u64)>> {
        self.versioned(&item(portfolio)).await
    }

    /// Writes it in the place of a version, or where there was none; whether it was: not where somebody else was faster.
    ///
    /// # Errors
    /// AWS errors.
    pub async fn remember_programme(&self, portfolio: &str, text: String, version: Option<u64>) -> StepResult<bool> {
        self.write_versioned(&item(portfolio), text, version, None, None).await
    }
}

fn item(portfolio: &str) -> Versioned {
    Versioned { pk: format!("programme#{portfolio}"), attribute: "programme" }
}
