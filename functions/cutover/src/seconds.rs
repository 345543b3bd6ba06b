//! Durations of the plan: written as `"30s"`, `"15m"`, `"24h"`, kept and passed on as whole seconds.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// What is a duration.
const PATTERN: &str = "^[0-9]{1,9} ?(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)\
    ( ?[0-9]{1,9} ?(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?))*$";

/// A length of time in whole seconds.
///
/// A plan gives it as text (`"2m"`); the normalised plan, which functions pass to each other, as a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seconds(pub u64);

impl Seconds {
    /// So many minutes.
    pub const fn minutes(minutes: u64) -> Self {
        Self(minutes * 60)
    }

    /// So many hours.
    pub const fn hours(hours: u64) -> Self {
        Self(hours * 3600)
    }
}

impl std::str::FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            let shown: String = text.chars().take(80).collect();
            format!("`{shown}` is not a duration in whole seconds, such as \"30s\", \"15m\" or \"24h\"")
        };
        seconds(text).map(Self).ok_or_else(wrong)
    }
}

/// Numbers with their units, as [`PATTERN`] has them.
fn seconds(text: &str) -> Option<u64> {
    let (mut sum, mut rest) = (0_u64, text);
    loop {
        let (number, after) = split_while(rest, |c| c.is_ascii_digit());
        let (unit, after) = split_while(after.strip_prefix(' ').unwrap_or(after), |c| c.is_ascii_lowercase());
        let number: u64 = number.parse().ok().filter(|_| number.len() <= 9)?;
        sum = sum.checked_add(number.checked_mul(unit_seconds(unit)?)?)?;
        if after.is_empty() {
            return Some(sum);
        }
        rest = after.strip_prefix(' ').unwrap_or(after);
    }
}

fn split_while(text: &str, is_part: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !is_part(c)).unwrap_or(text.len()))
}

fn unit_seconds(unit: &str) -> Option<u64> {
    Some(match unit {
        "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600,
        "d" | "day" | "days" => 86_400,
        "w" | "week" | "weeks" => 604_800,
        _ => return None,
    })
}

impl std::fmt::Display for Seconds {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        humantime::format_duration(std::time::Duration::from_secs(self.0)).fmt(formatter)
    }
}

impl JsonSchema for Seconds {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": PATTERN,
            "description": "A length of time in whole seconds, such as \"30s\", \"15m\", \"1h 30m\" or \"24h\".",
            "examples": ["30s", "15m", "24h"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_whole_seconds_with_a_unit() {
        assert_eq!("15m".parse(), Ok(Seconds(900)));
        for same in ["1h 30m", "1h30m", "90min", "1 hour 30 minutes", "5400s"] {
            assert_eq!(same.parse(), Ok(Seconds(5400)), "{same}");
        }
        for wrong in ["15", "", "1.5s", "500ms", "-3s", "soon", "99999999999999999999s", "30s ", "s", "1h,30m"] {
            assert!(wrong.parse::<Seconds>().is_err(), "{wrong}");
        }
    }
}
