//! What is wrong with a world file, in the words of those who write one. Pure.
//!
//! Contract: serde says where it stumbled, and over what; here it is said which key, what stands there, what would be right, and the nearest
//! name of one that is not known.

use std::fmt::Display;

use cutover::read::nearest_name;
use cutover::text::shown;
use serde::{Deserialize, Deserializer};

/// How a duration is written in a world file.
const DURATION: &str = "a duration such as \"15m\", or a number of seconds";

/// Reads a value, or says in words what is wrong with it.
pub(crate) fn read<'de, T: Deserialize<'de>, D: Deserializer<'de>>(value: D) -> Result<T, String>
where
    D::Error: Display,
{
    serde_path_to_error::deserialize(value)
        .map_err(|error| in_words(&error.path().to_string(), &error.inner().to_string()))
}

fn in_words(path: &str, message: &str) -> String {
    let at = if path == "." { String::new() } else { format!("{}: ", shown(path, 200)) };
    let message = message.split(" at line ").next().unwrap_or(message);
    if let Some((kind, rest)) =
        ["unknown field `", "unknown variant `"].iter().find_map(|kind| Some((*kind, message.strip_prefix(kind)?)))
    {
        return unknown(path, kind.starts_with("unknown field"), rest);
    }
    if message.starts_with("data did not match any variant of untagged enum Given") {
        return format!("{at}should be {DURATION}");
    }
    if let Some(field) = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        return format!("{at}`{field}` is missing");
    }
    let found =
        ["invalid type: ", "invalid value: ", "invalid length "].iter().find_map(|kind| message.strip_prefix(kind));
    match found.and_then(|found| found.split_once(", expected ")) {
        Some((found, expected)) => format!("{at}is {}, and should be {}", shown(found, 100), wanted(expected)),
        None => format!("{at}{}", shown(message, 300)),
    }
}

/// `rest`: the name, a backtick, and what serde would have taken.
fn unknown(path: &str, is_field: bool, rest: &str) -> String {
    let (name, known) = rest.split_once('`').unwrap_or((rest, ""));
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    let is_told = path == name || path.ends_with(&format!(".{name}"));
    let at = match path {
        "." => shown(name, 100),
        path if is_told => shown(path, 200),
        path if is_field => format!("{}.{}", shown(path, 200), shown(name, 100)),
        path => format!("{}: `{}`", shown(path, 200), shown(name, 100)),
    };
    let meant = nearest_name(name, known.iter().copied())
        .map(|near| format!("write `{near}`, if that is meant; "))
        .unwrap_or_default();
    format!("{at} is not known here: {meant}there are {}", known.join(", "))
}

fn wanted(expected: &str) -> String {
    let words = match expected {
        "u64" | "u32" | "u16" | "usize" | "u8" => "a whole number, 0 or more",
        "i64" | "i32" => "a whole number",
        "f64" | "f32" => "a number",
        "a boolean" => "true or false",
        "a string" | "string" => "a text in quotes",
        "a sequence" => "a list, [ ... ]",
        "a map" => "an object, { ... }",
        pair if pair.contains("tuple struct Moment") => "a pair of when and how much, such as [\"10m\", 5]",
        object if object.starts_with("struct ") => "an object, { ... }",
        other => return shown(other, 200),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::world::World;

    #[test]
    fn what_is_wrong_is_told_by_its_key_with_what_would_be_right() {
        let told = |world: Value| format!("{:#}", World::from_json(world).unwrap_err());
        for (world, words) in [
            (
                json!({ "new": { "latency_ms": 0.5 } }),
                vec!["new.latency_ms: is floating point", "should be a whole number"],
            ),
            (json!({ "new": { "eror_rate": 0.5 } }), vec!["new.eror_rate is not known here", "write `error_rate`"]),
            (json!({ "neww": {} }), vec!["neww is not known here", "write `new`", "records"]),
            (json!({ "old": { "changes": [{ "whenn": 1 }] } }), vec!["old.changes[0].whenn is not known here"]),
            (json!({ "during": [{ "do": "stop" }] }), vec!["`stop` is not known here", "stop_execution"]),
            (json!({ "during": [{ "when_new_weight": 5 }] }), vec!["during[0]", "`do` is missing"]),
            (
                json!({ "watch_after_end": "soon" }),
                vec!["watch_after_end: `soon` is no duration: write one such as \"15m\""],
            ),
            (json!({ "watch_after_end": [] }), vec!["watch_after_end: should be a duration such as \"15m\""]),
            (json!({ "approval": "aprove" }), vec!["write `approve`"]),
            (json!({ "metrics": { "CPU": "40" } }), vec!["metrics.CPU: is string \"40\", and should be a number"]),
            (json!({ "new": 5 }), vec!["new: is integer `5`, and should be an object"]),
            (json!({ "replication": { "lag_seconds": [5] } }), vec!["replication.lag_seconds[0]", "[\"10m\", 5]"]),
        ] {
            let text = told(world.clone());
            assert!(words.iter().all(|word| text.contains(word)), "{world}: {text}");
            assert!(!text.contains("at line") && !text.contains("u64"), "{text}");
        }
    }
}
