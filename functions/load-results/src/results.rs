//! What came of the requests: counts, latencies, and both over time. Results of slices add up exactly.
//!
//! Latency is counted of what was answered as expected, and of what was given up after the timeout, which users wait for too. A
//! quick refusal is an error, not a quick answer.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::histogram::Histogram;

/// The length of one cell of the timeline.
pub const CELL_SECONDS: i64 = 10;

/// Why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The name could not be looked up.
    Dns,
    /// No connection.
    Connect,
    /// No TLS, or a certificate that does not do.
    Tls,
    /// No whole answer in time.
    Timeout,
    /// The connection was closed before the end of the answer.
    Closed,
    /// The answer is not HTTP.
    NotHttp,
    /// HTTP/2 was not gone through with: the server reset the stream or sent the connection away.
    Http2,
    /// The body is larger than is read.
    TooLarge,
    /// Another status than expected.
    Status,
    /// Another body than expected.
    Body,
}

impl Failure {
    /// In a word, as it stands in the JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Closed => "closed",
            Self::NotHttp => "not_http",
            Self::Http2 => "http2",
            Self::TooLarge => "too_large",
            Self::Status => "status",
            Self::Body => "body",
        }
    }
}

/// What came of one request.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which of the plan's requests.
    pub kind: usize,
    /// Whether it is measured: it was due after the warm-up.
    pub is_measured: bool,
    /// When it was due, from the turn's start.
    pub due: Duration,
    /// How much later it was taken up.
    pub lag: Duration,
    /// How long it took from then on, waiting for a connection and opening one included.
    pub service: Duration,
    /// The status, where an answer began.
    pub status: Option<u16>,
    /// Why it failed, where it did.
    pub failure: Option<Failure>,
    /// The bytes of the body.
    pub bytes: u64,
}

impl Outcome {
    /// How long a user would have waited.
    pub fn from_schedule(&self) -> Duration {
        self.lag + self.service
    }
}

/// One kind of request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindCounts {
    /// How many were sent.
    pub sent: u64,
    /// How many were answered as expected.
    pub succeeded: u64,
}

/// Ten seconds of the timeline, by when requests were due.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// How many were sent.
    pub sent: u64,
    /// How many were answered as expected.
    pub succeeded: u64,
    /// Latency from when they were due.
    pub from_schedule: Histogram,
}

/// The measured part of one slice, or of several together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// How long was measured, in seconds: of one turn, or of several that followed each other.
    pub seconds: f64,
    /// How many requests were due.
    pub offered: u64,
    /// How many of them were sent.
    pub sent: u64,
    /// How many were answered as expected.
    pub succeeded: u64,
    /// How many were sent in warm-ups, and are in nothing else.
    pub warm_up_sent: u64,
    /// Answers by their status.
    pub by_status: BTreeMap<u16, u64>,
    /// Failures by their reason.
    pub by_failure: BTreeMap<Failure, u64>,
    /// By the plan's requests, in its order.
    pub by_kind: Vec<KindCounts>,
    /// Latency from when a request was due: what a user would have waited.
    pub from_schedule: Histogram,
    /// Latency from when a request was taken up: what the server took, on a generator without delay.
    pub service: Histogram,
    /// How long opening connections took, TLS included.
    pub connect: Histogram,
    /// How much later than due requests were taken up: the generator's own delay.
    pub lag: Histogram,
    /// Connections that were opened, the warm-up's included.
    pub connections: u64,
    /// Requests that had to wait since all connections were in use.
    pub waited: u64,
    /// Bytes of bodies.
    pub body_bytes: u64,
    /// By the second at which a cell begins, since 1970.
    pub timeline: BTreeMap<i64, Cell>,
}

impl Results {
    /// Nothing yet, of so many kinds of requests.
    pub fn new(kinds: usize) -> Self {
        Self { by_kind: vec![KindCounts::default(); kinds], ..Self::default() }
    }

    /// Counts one request. `start_second` is when the turn began, in seconds since 1970.
    pub fn count(&mut self, outcome: &Outcome, start_second: i64) {
        if !outcome.is_measured {
            self.warm_up_sent += 1;
            return;
        }
        let cell = self.timeline.entry(cell_of(start_second, outcome.due)).or_default();
        cell.sent += 1;
        self.sent += 1;
        self.body_bytes += outcome.bytes;
        self.lag.record(outcome.lag);
        if let Some(status) = outcome.status {
            *self.by_status.entry(status).or_default() += 1;
        }
        if let Some(kind) = self.by_kind.get_mut(outcome.kind) {
            kind.sent += 1;
            kind.succeeded += u64::from(outcome.failure.is_none());
        }
        match outcome.failure {
            None => {
                self.succeeded += 1;
                cell.succeeded += 1;
            }
            Some(failure) => *self.by_failure.entry(failure).or_default() += 1,
        }
        if matches!(outcome.failure, None | Some(Failure::Timeout)) {
            self.from_schedule.record(outcome.from_schedule());
            cell.from_schedule.record(outcome.from_schedule());
            self.service.record(outcome.service);
        }
    }

    /// Adds what another slice of the same turn has, which went on at the same time.
    pub fn add_beside(&mut self, other: &Self) {
        let seconds = self.seconds.max(other.seconds);
        self.add(other);
        self.seconds = seconds;
    }

    /// Adds what another turn has, which came before or after.
    pub fn add_after(&mut self, other: &Self) {
        let seconds = self.seconds + other.seconds;
        self.add(other);
        self.seconds = seconds;
    }

    fn add(&mut self, other: &Self) {
        self.offered += other.offered;
        self.sent += other.sent;
        self.succeeded += other.succeeded;
        self.warm_up_sent += other.warm_up_sent;
        add_counts(&mut self.by_status, &other.by_status);
        add_counts(&mut self.by_failure, &other.by_failure);
        self.by_kind.resize(self.by_kind.len().max(other.by_kind.len()), KindCounts::default());
        for (kind, more) in self.by_kind.iter_mut().zip(&other.by_kind) {
            kind.sent += more.sent;
            kind.succeeded += more.succeeded;
        }
        self.from_schedule.add(&other.from_schedule);
        self.service.add(&other.service);
        self.connect.add(&other.connect);
        self.lag.add(&other.lag);
        self.connections += other.connections;
        self.waited += other.waited;
        self.body_bytes += other.body_bytes;
        for (second, more) in &other.timeline {
            let cell = self.timeline.entry(*second).or_default();
            cell.sent += more.sent;
            cell.succeeded += more.succeeded;
            cell.from_schedule.add(&more.from_schedule);
        }
    }

    /// The share that was answered as expected, in percent; none where nothing was sent.
    pub fn success_percent(&self) -> Option<f64> {
        (self.sent > 0).then(|| self.succeeded as f64 * 100.0 / self.sent as f64)
    }

    /// Answers as expected, a second.
    pub fn throughput_rps(&self) -> Option<f64> {
        (self.seconds > 0.0).then(|| self.succeeded as f64 / self.seconds)
    }
}

fn cell_of(start_second: i64, due: Duration) -> i64 {
    let second = start_second + i64::try_from(due.as_secs()).unwrap_or(i64::MAX / 2);
    second - second.rem_euclid(CELL_SECONDS)
}

fn add_counts<K: Ord + Copy>(counts: &mut BTreeMap<K, u64>, more: &BTreeMap<K, u64>) {
    for (key, count) in more {
        *counts.entry(*key).or_default() += count;
    }
}

#[cfg(test)]
mod tests;
