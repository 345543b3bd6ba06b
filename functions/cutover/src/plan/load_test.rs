//! The load test: what is asked of both sides before any traffic moves, how often, and what has to hold.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Certificate, default, pattern, rule, without_last_dot};
use crate::Seconds;

/// The longest turn of one side. Sides take turns, so that what changes with the time of day reaches both.
const LONGEST_TURN: Seconds = Seconds(60);
/// What one function sends a second, a tenth of what one processor can (the bench), as TLS and large answers cost more.
const RATE_OF_SLICE: u32 = 1_000;
/// As many users one function plays: each has a connection of their own.
const USERS_OF_SLICE: u32 = 100;
/// An inline Map runs about 40 iterations at once (Step Functions quotas).
const MOST_SLICES: u32 = 40;
/// From the decision on a turn to its first request, in which the functions are started: less than a second where they have to be
/// loaded first, and a second more is forgiven.
pub const LOAD_LEAD: Seconds = Seconds(3);

/// A load test of the new side, and of the old one for comparison, before any traffic moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, extend("allOf" = rule::one_of("rate_per_second", "concurrent_users")))]
pub struct LoadTest {
    /// Where the requests go.
    pub targets: LoadTargets,
    /// Requests a second, sent at their time whatever the answers do; or `concurrent_users`. The stack has a ceiling.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 20000))]
    pub rate_per_second: Option<u32>,
    /// So many users, each of whom waits for an answer before asking again; or `rate_per_second`. They slow down with the server,
    /// and so hide how long others would have waited: the report says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 500))]
    pub concurrent_users: Option<u32>,
    /// How long each side is measured in all, 2 s to 1 h, in turns of a minute at the most: old, new, old, new.
    #[serde(default = "default::minutes::<2>")]
    pub duration: Seconds,
    /// How long each turn warms up before it is measured, 0 s to 1 minute: the rate rises to its full height, and nothing counts.
    #[serde(default = "default::seconds::<5>")]
    pub warm_up: Seconds,
    /// How long an answer may take, counted from when its request was due, 1 s to 60 s.
    #[serde(default = "default::seconds::<10>")]
    pub timeout: Seconds,
    /// The HTTP version that is spoken.
    #[serde(default)]
    pub http_version: HttpVersion,
    /// What is asked, by weight, in an order that is the same on both sides. Left out, the target's own URL.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub requests: Vec<LoadRequest>,
    /// A secret of Secrets Manager whose text is a JSON object of header to value: `{ "authorization": "Bearer ..." }`. All requests of both
    /// sides have them, in the place of those of `headers`; they stand in no plan, log or report. The stack lists which secrets may be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::SECRET_ARN))]
    pub headers_secret_arn: Option<String>,
    /// What has to hold on the new side.
    #[serde(default)]
    pub sla: Sla,
    /// What happens when it does not, or when nobody can tell because the load could not be made.
    #[serde(default)]
    pub on_violation: OnViolation,
}

/// The sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LoadTargets {
    /// The new side, which is judged.
    pub new: LoadTarget,
    /// The old side, in turn with the new one, for comparison. Left out, it gets no load, and nothing is compared.
    pub old: Option<LoadTarget>,
}

/// One side's address. Its host must belong to that side: an answer of a route's `new` or the health check's host for the new side,
/// a route's `record_name` for the old one, as far as the stack's lists have these, or a host of its `loadTestHosts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LoadTarget {
    /// A URL that reaches this side alone.
    #[schemars(regex(pattern = pattern::URL))]
    pub url: String,
    /// The host that is asked for there, where it is not the URL's: the Host header, and what the certificate must be for.
    #[serde(default, deserialize_with = "without_last_dot", skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = pattern::HOST_NAME))]
    pub host: Option<String>,
    /// What the certificate of an https URL must be.
    #[serde(default)]
    pub certificate: Certificate,
}

/// The HTTP version that is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum HttpVersion {
    /// What browsers do: HTTP/2 where the server agrees to it in TLS, HTTP/1.1 otherwise.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// HTTP/1.1 only.
    #[serde(rename = "1.1")]
    Http1,
    /// HTTP/2 only, also without TLS.
    #[serde(rename = "2")]
    Http2,
}

/// One kind of request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LoadRequest {
    /// The method.
    #[serde(default)]
    pub method: Method,
    /// Path and query.
    #[schemars(regex(pattern = pattern::URL_PATH))]
    pub path: String,
    /// Headers, beside Cutover's own user agent and `x-cutover-load-test`.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body, as it is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16384))]
    pub body: Option<String>,
    /// How often it is sent, beside the others' weights.
    #[serde(default = "default::u32::<1>")]
    #[schemars(range(min = 1, max = 1000))]
    pub weight: u32,
    /// The HTTP status of success: `200`, or a range `200-299`. Redirects are not followed.
    #[serde(default = "default::success")]
    #[schemars(regex(pattern = pattern::STATUS))]
    pub expect_status: String,
    /// A text that the first 64 KiB of the body must contain. Left out, any body passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub expect_body: Option<String>,
}

/// The methods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    #[default]
    Get,
    /// Reads without the body.
    Head,
    /// Writes: the side must know such requests as a test's.
    Post,
    /// Writes.
    Put,
    /// Writes.
    Patch,
    /// Writes.
    Delete,
}

impl Method {
    /// As HTTP has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// Bounds that must hold on the new side: each is met at exactly its value, and one without a measurement is not met.
/// Times are in milliseconds, from when a request was due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Sla {
    /// The mean, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_mean_ms: Option<f64>,
    /// The median, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_p50_ms: Option<f64>,
    /// The 90th percentile, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_p90_ms: Option<f64>,
    /// The 95th percentile, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_p95_ms: Option<f64>,
    /// The 99th percentile, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_p99_ms: Option<f64>,
    /// The 99.9th percentile, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_p999_ms: Option<f64>,
    /// The share of requests that were answered as expected, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub min_success_percent: Option<f64>,
    /// Requests that were answered as expected, a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_throughput_rps: Option<f64>,
}

impl Sla {
    /// The bounds of how long answers take, ms, by their fields: the mean, then the percentiles, the lowest first.
    pub fn times_ms(&self) -> [(&'static str, Option<f64>); 6] {
        [
            ("max_mean_ms", self.max_mean_ms),
            ("max_p50_ms", self.max_p50_ms),
            ("max_p90_ms", self.max_p90_ms),
            ("max_p95_ms", self.max_p95_ms),
            ("max_p99_ms", self.max_p99_ms),
            ("max_p999_ms", self.max_p999_ms),
        ]
    }

    /// So many requests it takes, at the least, to tell with 95 % confidence that a percentile is within its `bound`, one of
    /// [`times_ms`](Self::times_ms): the largest value of fewer is below the true percentile too often. None of other bounds.
    pub fn requests_needed(bound: &str) -> Option<u64> {
        let quantile: f64 = match bound {
            "max_p50_ms" => 0.5,
            "max_p90_ms" => 0.9,
            "max_p95_ms" => 0.95,
            "max_p99_ms" => 0.99,
            "max_p999_ms" => 0.999,
            _ => return None,
        };
        Some(((1.0 - CONFIDENCE).ln() / quantile.ln()).ceil() as u64)
    }
}

/// How surely a percentile is to be known: as surely as the report's intervals.
const CONFIDENCE: f64 = 0.95;

/// What happens when the SLA does not hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnViolation {
    /// The run is rolled back before any traffic has moved.
    #[default]
    RollBack,
    /// Those of `approval` are asked whether to go on; silence rolls back.
    Hold,
    /// It is told with the run's end, and the run goes on.
    Report,
}

impl LoadTest {
    /// How many turns each side has.
    pub fn turns_of_side(&self) -> u64 {
        self.duration.0.div_ceil(LONGEST_TURN.0).max(1)
    }

    /// How long one turn is measured.
    pub fn turn(&self) -> Seconds {
        Seconds((self.duration.0 / self.turns_of_side()).max(1))
    }

    /// How many turns there are in all.
    pub fn turns(&self) -> u64 {
        self.turns_of_side() * if self.targets.old.is_some() { 2 } else { 1 }
    }

    /// How many functions a turn is divided among; twice as many where the whole is repeated (`round` 1).
    pub fn slices(&self, round: u32) -> u32 {
        let (all, of_one) = match (self.rate_per_second, self.concurrent_users) {
            (Some(rate), _) => (rate, RATE_OF_SLICE),
            (None, users) => (users.unwrap_or(1), USERS_OF_SLICE),
        };
        let slices = all.div_ceil(of_one).max(1) << round.min(1);
        slices.min(all.max(1)).min(MOST_SLICES)
    }

    /// The least time that it takes, in which nothing has to be repeated.
    pub fn least_time(&self) -> Seconds {
        Seconds(self.turns() * (LOAD_LEAD.0 + self.warm_up.0 + self.turn().0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_samples_are_those_of_the_formula() {
        let bounds = ["max_p50_ms", "max_p90_ms", "max_p95_ms", "max_p99_ms", "max_p999_ms"];
        assert_eq!(bounds.map(Sla::requests_needed), [5, 29, 59, 299, 2_995].map(Some));
        assert_eq!(["max_mean_ms", "min_success_percent"].map(Sla::requests_needed), [None, None]);
    }
}
