//! What would be right instead of a value of the wrong type: the same value in the right form.

use serde_json::Value;

use crate::Seconds;

/// A fix that is longer than a line helps nobody.
const MOST_TEXT_BYTES: usize = 200;

/// What a place takes.
pub(super) struct Wanted<'a> {
    /// The JSON type.
    pub type_name: &'a str,
    /// The field's name; empty where it is none.
    pub field: &'a str,
    /// The place's schema.
    pub schema: &'a Value,
    /// The field that is the same in percent, where there is one: `tolerated_failures_percent`.
    pub in_percent: Option<String>,
}

/// What to write, where a value is of the wrong type but tells what was meant.
pub(super) fn instead(wanted: &Wanted, value: &Value) -> Option<String> {
    match (wanted.type_name, value) {
        ("integer", Value::String(text)) => whole_number(wanted, text.trim()),
        ("number", Value::String(text)) => number(wanted, text.trim()),
        ("boolean", Value::String(text)) if ["true", "false"].contains(&text.as_str()) => {
            Some(format!("write {text}, without quotes"))
        }
        ("string", Value::Number(_) | Value::Bool(_)) => {
            Some(by_a_person(wanted.field).unwrap_or_else(|| format!("write it in quotes: \"{value}\"")))
        }
        ("string", Value::Object(_) | Value::Array(_)) if wanted.field == "body" => {
            // As JSON has a text that is JSON itself.
            let text = Value::String(value.to_string()).to_string();
            let shown = if text.len() <= MOST_TEXT_BYTES { format!(": {text}") } else { String::new() };
            Some(format!("write it as one text, with a backslash before each quote within{shown}"))
        }
        ("array", Value::String(_) | Value::Object(_)) => Some("put it into a list: [ ... ]".to_owned()),
        ("object", Value::Array(items)) if items.len() == 1 => Some("write the object alone, without [ ]".to_owned()),
        ("object", _) => {
            let fields: Vec<&str> = wanted.schema["properties"].as_object()?.keys().map(String::as_str).collect();
            (fields.len() < 10)
                .then(|| format!("should be an object, {{ ... }}, with fields of these: {}", fields.join(", ")))
        }
        _ => None,
    }
}

/// What only a person can say: `true` in quotes would be no name, and no reason.
fn by_a_person(field: &str) -> Option<String> {
    let fix = match field {
        "force" | "release" => "write who you are and why: \"<your name>: <why>\"",
        "by" => "write who you are: \"<your name>\"",
        "why" => "write why: \"<your reason>\"",
        _ => return None,
    };
    Some(fix.to_owned())
}

fn whole_number(wanted: &Wanted, text: &str) -> Option<String> {
    if let Some(percent) = text.strip_suffix('%') {
        let percent: i64 = percent.trim().parse().ok()?;
        return match &wanted.in_percent {
            _ if is_percent(wanted) => Some(format!("write {percent}, without quotes and percent sign")),
            Some(other) => Some(format!("this is a number of them: give \"{other}\": {percent} in its place")),
            None => None,
        };
    }
    if let Ok(number) = text.parse::<i64>() {
        return Some(format!("write {number}, without quotes"));
    }
    let field = wanted.field.to_lowercase();
    let is_in_seconds = ["ttl", "period", "seconds"].iter().any(|word| field.contains(word));
    let seconds = text.parse::<Seconds>().ok().filter(|_| is_in_seconds)?;
    Some(format!("write {}: it is in seconds, a whole number without a unit", seconds.0))
}

fn number(wanted: &Wanted, text: &str) -> Option<String> {
    let Some(percent) = text.strip_suffix('%') else {
        return text.parse::<f64>().ok().map(|number| format!("write {number}, without quotes"));
    };
    let percent: f64 = percent.trim().parse().ok()?;
    // Without what the arithmetic of floats leaves behind.
    let share = (percent * 1e10).round() / 1e12;
    let plain = format!("write {percent}, without quotes and percent sign");
    let is_share = wanted.schema["maximum"].as_f64().is_some_and(|most| most <= 1.0);
    match wanted.field {
        _ if is_percent(wanted) => Some(plain),
        _ if is_share => Some(format!("write a number without quotes; {percent} % as a share is {share}")),
        "max" => Some(format!("{plain}, if the metric is in percent")),
        "threshold" => Some(format!("{plain}, if the metric is in percent; where it is a share, {share}")),
        _ => None,
    }
}

fn is_percent(wanted: &Wanted) -> bool {
    wanted.field.contains("percent") || wanted.schema["maximum"].as_f64() == Some(100.0)
}

/// How a duration is written that was meant, where that can be told: a number without a unit, parts of a unit, capitals.
pub(super) fn duration(value: &Value) -> String {
    let general = "write a whole number with its unit (s, m, h, d or w), such as \"30s\", \"15m\" or \"24h\"";
    let number = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse::<u64>().ok(),
        _ => None,
    };
    if let Some(number) = number {
        return format!("add its unit: \"{number}s\" for seconds, \"{number}m\" for minutes, \"{number}h\" for hours");
    }
    match value.as_str().and_then(meant_duration) {
        Some(seconds) => format!("write \"{}\"", seconds.as_written()),
        None => general.to_owned(),
    }
}

/// A share where a percentage is wanted.
pub(super) fn percentage(share: f64, most: i64) -> Option<String> {
    let is_share = most == 100 && 0.0 < share && share < 1.0;
    is_share.then(|| format!("write {}: it is in percent, a whole number", (share * 100.0).round()))
}

/// `1.5h`, `90 S`, `60000ms`, `PT12H`.
fn meant_duration(text: &str) -> Option<Seconds> {
    let text = text.trim().to_lowercase();
    let text = text.strip_prefix("pt").unwrap_or(&text);
    if let Ok(seconds) = text.parse::<Seconds>() {
        return Some(seconds);
    }
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic())?);
    let number: f64 = number.trim().parse().ok().filter(|number: &f64| (0.0..1e9).contains(number))?;
    let of_unit = match unit {
        "ms" | "msec" | "millis" | "milliseconds" => 0.001,
        unit => format!("1{unit}").parse::<Seconds>().ok()?.0 as f64,
    };
    let seconds = number * of_unit;
    (seconds.fract() == 0.0).then_some(Seconds(seconds as u64))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_meant_is_told_as_it_is_written() {
        let of = |type_name: &str, field: &str, schema: &Value, value: &Value| {
            let in_percent = (field == "tolerated").then(|| "tolerated_percent".to_owned());
            instead(&Wanted { type_name, field, schema, in_percent }, value)
        };
        for (wanted, field, value, fix) in [
            ("integer", "min_healthy_percent", json!("10%"), Some("write 10, without quotes and percent sign")),
            ("integer", "attempts", json!("10"), Some("write 10, without quotes")),
            ("integer", "attempts", json!("ten"), None),
            ("integer", "attempts", json!("10%"), None),
            ("integer", "attempts", json!("60s"), None),
            ("integer", "ttl", json!("60s"), Some("write 60: it is in seconds, a whole number without a unit")),
            ("integer", "Period", json!("5m"), Some("write 300: it is in seconds, a whole number without a unit")),
            (
                "integer",
                "tolerated",
                json!("10%"),
                Some("this is a number of them: give \"tolerated_percent\": 10 in its place"),
            ),
            (
                "number",
                "max",
                json!("80%"),
                Some("write 80, without quotes and percent sign, if the metric is in percent"),
            ),
            (
                "number",
                "threshold",
                json!("5%"),
                Some(
                    "write 5, without quotes and percent sign, if the metric is in percent; where it is a share, 0.05",
                ),
            ),
            ("number", "min_success_percent", json!("99.5%"), Some("write 99.5, without quotes and percent sign")),
            ("number", "days", json!("5%"), None),
            ("boolean", "drain", json!("true"), Some("write true, without quotes")),
            ("string", "application", json!(7), Some("write it in quotes: \"7\"")),
            ("string", "force", json!(true), Some("write who you are and why: \"<your name>: <why>\"")),
            ("string", "by", json!(true), Some("write who you are: \"<your name>\"")),
            (
                "string",
                "body",
                json!({ "a": 1 }),
                Some(r#"write it as one text, with a backslash before each quote within: "{\"a\":1}""#),
            ),
            ("string", "application", json!({}), None),
            ("array", "steps", json!({}), Some("put it into a list: [ ... ]")),
            ("object", "notify", json!([]), None),
        ] {
            assert_eq!(of(wanted, field, &Value::Null, &value).as_deref(), fix, "{wanted} {field} {value}");
        }
        let share = json!({ "maximum": 1 });
        let told = of("number", "false_alarm", &share, &json!("0.7%"));
        assert_eq!(told.as_deref(), Some("write a number without quotes; 0.7 % as a share is 0.007"));
    }

    #[test]
    fn a_duration_that_can_be_told_is_written_out() {
        for (value, part) in [
            (json!(60), "\"60s\" for seconds, \"60m\" for minutes, \"60h\" for hours"),
            (json!("60"), "\"60s\" for seconds"),
            (json!("1.5h"), "write \"90m\""),
            (json!("60000ms"), "write \"60s\""),
            (json!("PT12H"), "write \"12h\""),
            (json!("15M"), "write \"15m\""),
            (json!("500ms"), "write a whole number with its unit"),
            (json!("soon"), "write a whole number with its unit"),
        ] {
            assert!(duration(&value).contains(part), "{value}: {}", duration(&value));
        }
    }
}
