//! An invocation of a run on the emulated AWS: its event, and everything that the function asked for it and was answered, in order.
//!
//! Contract: `recorded/<function>.json`, written by the suite `start_up` with `UPDATE=1`, and compared with a run by it. Nothing in it is as
//! of today but the start of the run, which is put into the far future: its timeout would have passed by now.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use base64::Engine;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The functions that are measured.
pub const FUNCTIONS: [&str; 6] = ["monitor", "weight-shift", "listener-swap", "precheck", "notify", "rollback"];

/// An invocation.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Recorded {
    /// The function's crate.
    pub function: String,
    /// The state that invoked it.
    pub state: String,
    /// The function's variables, as it is deployed.
    pub variables: BTreeMap<String, String>,
    /// What it was given.
    pub event: Value,
    /// What it asked, and was answered.
    pub exchanges: Vec<Exchange>,
}

/// One request of a function, and its answer.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Exchange {
    /// Service and operation.
    pub operation: String,
    /// Of HTTP.
    pub method: String,
    /// With the query.
    pub path: String,
    /// `X-Amz-Target`, where the service reads it.
    pub target: Option<String>,
    /// The request's body.
    pub asked: Body,
    /// Of HTTP.
    pub status: u16,
    /// What says how the answer's body is read.
    pub headers: BTreeMap<String, String>,
    /// The answer's body.
    pub answer: Body,
}

/// A body: as text where it is one.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Body {
    /// It is one.
    Text(String),
    /// It is not.
    Base64(String),
}

impl Body {
    /// Its bytes.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        match self {
            Self::Text(text) => Ok(text.clone().into_bytes()),
            Self::Base64(text) => {
                base64::engine::general_purpose::STANDARD.decode(text).context("a recorded body is no base64")
            }
        }
    }
}

impl Recorded {
    /// Where that of a function lies.
    pub fn file(function: &str) -> PathBuf {
        crate::folder().join(format!("recorded/{function}.json"))
    }

    /// That of a function.
    pub fn of(function: &str) -> Result<Self> {
        let file = Self::file(function);
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is not as recorded.rs says", file.display()))
    }

    /// Writes it down.
    pub fn keep(&self) -> Result<()> {
        let file = Self::file(&self.function);
        let text = serde_json::to_string_pretty(&self.clone().timeless())? + "\n";
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
    }

    /// What it asks; how often a thing is asked may depend on what it was answered.
    pub fn operations(&self) -> BTreeSet<&str> {
        self.exchanges.iter().map(|one| one.operation.as_str()).collect()
    }

    /// The run in it begins in the far future: its timeout has not passed whenever it is replayed.
    fn timeless(mut self) -> Self {
        for exchange in &mut self.exchanges {
            if let Body::Text(text) = &mut exchange.answer {
                *text = begun_later(text);
            }
        }
        self
    }
}

/// The year in which a replayed run begins.
const YEAR: &str = "2999";

/// A journal's item with another year in its `started_at`: pure.
fn begun_later(text: &str) -> String {
    let Some(at) = text.find("\"started_at\"") else { return text.to_owned() };
    let (before, after) = text.split_at(at);
    let is_digit = |letter: char| letter.is_ascii_digit();
    let Some(year) = after.find(is_digit) else { return text.to_owned() };
    let rest: String = after[year..].chars().skip_while(|&letter| is_digit(letter)).collect();
    format!("{before}{}{YEAR}{rest}", &after[..year])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replayed_run_does_not_grow_old() {
        let item = r#"{"Item": {"started_at": {"S": "2026-11-28T01:02:03Z"}, "x": {"S": "2026-01-01"}}}"#;
        assert_eq!(begun_later(item), item.replace("2026-11", "2999-11"));
        assert_eq!(begun_later("{}"), "{}");
    }

    #[test]
    fn bodies_are_what_they_were() {
        assert_eq!(Body::Text("é".to_owned()).bytes().unwrap(), "é".as_bytes());
        assert_eq!(Body::Base64("/w==".to_owned()).bytes().unwrap(), [255]);
    }
}
