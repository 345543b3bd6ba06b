//! Reading a file that a person wrote as JSON.
//!
//! Contract: pure. A name that stands twice in one object is refused: whoever reads it takes one of the two, and the other, with
//! its gates perhaps, is gone without a word. What breaks a file is told with its line, and with what people mean by it.

use std::fmt;

use anyhow::{Result, anyhow};
use cutover::text::shown;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// “ ” „ ‟ « » ‘ ’ ‚
const PRINTERS_QUOTES: [char; 9] =
    ['\u{201c}', '\u{201d}', '\u{201e}', '\u{201f}', '\u{ab}', '\u{bb}', '\u{2018}', '\u{2019}', '\u{201a}'];
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Reads a text.
///
/// # Errors
/// What is wrong, where, and what to write instead.
pub fn read(text: &str) -> Result<Value> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Once.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| anyhow!(where_it_breaks(text, &error)))
}

/// What breaks the JSON, with the line before it and its own: a comma is missed at the end of the one, seen in the other.
fn where_it_breaks(text: &str, error: &serde_json::Error) -> String {
    let lines = text.lines().enumerate().skip(error.line().saturating_sub(2)).take(2.min(error.line()));
    let shown = lines.map(|(index, line)| format!("\n  {:>4} | {}", index + 1, shown(line, 120)));
    let meant = meant(text, error).map(|meant| format!(": {meant}")).unwrap_or_default();
    format!("{error}{meant}{}", shown.collect::<String>())
}

/// What people write for JSON.
fn meant(text: &str, error: &serde_json::Error) -> Option<&'static str> {
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default().trim_start();
    let begins = text.trim_start();
    if begins.is_empty() {
        return Some("the file is empty");
    }
    if text.starts_with(BYTE_ORDER_MARK) {
        return Some("it begins with a byte order mark: save it as UTF-8 without one");
    }
    if !begins.starts_with(['{', '[', '"', '/']) {
        return Some("a plan is JSON, which begins with {; of YAML, `yq --output-format json` makes it");
    }
    if line.starts_with("//") || line.starts_with("/*") || line.starts_with('#') {
        return Some("JSON has no comments: leave them out");
    }
    if has_printers_quote(text, error) {
        return Some("these quotes are a printer's, as word processors make them: write the plain \"");
    }
    let has_no_double_quotes = !line.contains('"') && line.contains('\'');
    has_no_double_quotes.then_some("JSON has double quotes, \"so\"")
}

/// Whether what breaks it is a quote that is none of JSON's. Columns are counted in bytes, from 1.
fn has_printers_quote(text: &str, error: &serde_json::Error) -> bool {
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    let breaks = error.column().saturating_sub(1);
    let at = line.char_indices().find(|(start, c)| (*start..start + c.len_utf8()).contains(&breaks));
    at.is_some_and(|(_, c)| PRINTERS_QUOTES.contains(&c))
}

/// A value in which no object has a name twice.
struct Once;

impl<'de> DeserializeSeed<'de> for Once {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Self)? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom(format!(
                    "`{}` stands twice in one object: only one of the two would count",
                    shown(&name, 60)
                )));
            }
            let value = entries.next_value_seed(Self)?;
            object.insert(name, value);
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_value_is_read() {
        let text = r#"{"a": [null, true, 1, -1, 0.5, "t", {"a": {}}], "b": {"a": []}}"#;
        assert_eq!(read(text).unwrap(), json!({"a": [null, true, 1, -1, 0.5, "t", {"a": {}}], "b": {"a": []}}));
        assert!(read("{} {}").is_err());
    }

    #[test]
    fn what_people_write_for_json_is_told_with_what_is_meant() {
        for (text, expected) in [
            ("", "the file is empty"),
            ("application: shop\n", "a plan is JSON"),
            ("{\n  // mine\n  \"a\": 1 }", "no comments"),
            ("{\n  # mine\n  \"a\": 1 }", "no comments"),
            ("{'a': 1}", "double quotes"),
            ("\u{feff}{\"a\": 1}", "byte order mark"),
            ("{\"a\": \u{201c}shop\u{201d}}", "a printer's"),
            ("{\n  \u{201e}a\u{201c}: 1}", "a printer's"),
            ("{\"a\": 1,}", "trailing comma"),
            ("{\"a\": {\n\"monitoring\": 1,\n\"monitoring\": 2}}", "`monitoring` stands twice in one object"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        assert!(
            read("{\n\"a\": 1,\n\"a\": 2}")
                .unwrap_err()
                .to_string()
                .ends_with("\n     2 | \"a\": 1,\n     3 | \"a\": 2}")
        );
    }
}
