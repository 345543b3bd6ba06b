//! Durations of the plan: written as `"30s"`, `"15m"`, `"24h"`, kept and passed on as whole seconds.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

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
        let wrong = || format!("`{text}` is not a duration in whole seconds; write it as \"30s\", \"15m\" or \"24h\"");
        let duration = humantime::parse_duration(text).map_err(|_| wrong())?;
        if duration.subsec_nanos() != 0 {
            return Err(wrong());
        }
        Ok(Self(duration.as_secs()))
    }
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
        assert_eq!("1h 30m".parse(), Ok(Seconds(5400)));
        for wrong in ["15", "", "1.5s", "500ms", "-3s", "soon", "99999999999999999999s"] {
            assert!(wrong.parse::<Seconds>().is_err(), "{wrong}");
        }
    }
}
