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

    /// As a person writes it in a plan: `60s`, `15m`, `24h`, in one unit.
    pub fn as_written(self) -> String {
        match self.0 {
            seconds if seconds >= 7200 && seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
            seconds if seconds > 60 && seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
            seconds => format!("{seconds}s"),
        }
    }
}

impl std::str::FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            let shown: String = text.chars().take(80).collect();
            format!("`{shown}` is not a duration in whole seconds")
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

/// As a plan would say it: `2d 4m`.
impl std::fmt::Display for Seconds {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [(self.0 / 86_400, "d"), (self.0 / 3600 % 24, "h"), (self.0 / 60 % 60, "m"), (self.0 % 60, "s")];
        let parts = parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}"));
        let text = parts.collect::<Vec<_>>().join(" ");
        formatter.write_str(if text.is_empty() { "0s" } else { &text })
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
    fn a_duration_is_written_in_one_unit() {
        for (seconds, written) in [(0, "0s"), (60, "60s"), (90, "90s"), (900, "15m"), (5400, "90m"), (86_400, "24h")] {
            assert_eq!(Seconds(seconds).as_written(), written);
            assert_eq!(written.parse(), Ok(Seconds(seconds)));
        }
    }

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

    #[test]
    fn a_duration_is_shown_as_a_plan_would_say_it() {
        let shown = [0, 30, 5400, 90_000, 172_800, 2_147_483_647].map(|seconds| Seconds(seconds).to_string());
        assert_eq!(shown, ["0s", "30s", "1h 30m", "1d 1h", "2d", "24855d 3h 14m 7s"]);
        for text in shown {
            assert_eq!(text.parse::<Seconds>().map(|seconds| seconds.to_string()), Ok(text));
        }
    }
}
