//! An HTTP probe of the new side: directly, whatever the routes say. One request, no redirects followed.
//!
//! Reads: the URL. Writes: nothing. The body is read up to 64 KiB and never logged.
//!
//! The connection goes to the URL's host, at an address that [`reach`] lets pass; who is asked for there may be another: `host` is the Host header, the TLS server
//! name and what the certificate must be for. What goes wrong is told in a person's words, with what may mend it.

mod certificate;
#[cfg(test)]
pub(crate) mod conversations;
pub mod reach;
mod remedy;
mod request;
mod target;

use serde::{Deserialize, Serialize};

pub use self::reach::Reach;
pub use self::remedy::Remedy;
pub use self::request::{native_roots, tls_configuration};
pub(crate) use self::target::can_be_sent;
pub use self::target::{Target, shown};
use crate::plan::Probe;

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeResult {
    /// Whether status and body are as expected.
    pub passed: bool,
    /// What was seen, for a person; never the body.
    pub seen: String,
    /// What would mend it, where it did not pass.
    #[serde(default)]
    pub remedy: Remedy,
}

/// Tries in a row, as far as they have come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tries {
    /// How many were made.
    pub attempts: u32,
    /// How many of the latest passed in a row.
    pub passed_in_row: u32,
    /// What the latest saw.
    pub seen: String,
    /// What would mend it, where the latest did not pass.
    #[serde(default)]
    pub remedy: Remedy,
}

/// Whether probing is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Enough passed in a row.
    Passed,
    /// Wait, and try again.
    TryAgain,
    /// The attempts are used up, or what is left of them cannot pass.
    Failed,
}

impl Tries {
    /// Counts one more try.
    pub fn count(&self, result: &ProbeResult) -> Self {
        Self {
            attempts: self.attempts.saturating_add(1),
            passed_in_row: if result.passed { self.passed_in_row.saturating_add(1) } else { 0 },
            seen: result.seen.clone(),
            remedy: result.remedy,
        }
    }

    /// Whether to go on.
    pub fn progress(&self, probe: &Probe) -> Progress {
        let left = probe.attempts.saturating_sub(self.attempts);
        if self.passed_in_row >= probe.successes {
            Progress::Passed
        } else if self.passed_in_row.saturating_add(left) < probe.successes {
            Progress::Failed
        } else {
            Progress::TryAgain
        }
    }
}

/// The range of statuses of a text such as `200` or `200-299`.
pub fn status_range(text: &str) -> Option<std::ops::RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let number = |text: &str| text.parse::<u16>().ok().filter(|status| (100..600).contains(status) && text.len() == 3);
    let (first, last) = (number(first)?, number(last)?);
    (first <= last).then_some(first..=last)
}

/// Asks once. Every failure is a result, not an error: a side that cannot be reached is a side that does not pass.
pub async fn ask(probe: &Probe, reach: &Reach) -> ProbeResult {
    match request::send(probe, request::native_roots, reach, &reach::System).await {
        Ok((status, body)) => judge(probe, status, &body),
        Err(failure) => ProbeResult { passed: false, seen: failure.words, remedy: failure.remedy },
    }
}

fn judge(probe: &Probe, status: u16, body: &[u8]) -> ProbeResult {
    let status_fits = status_range(&probe.expect_status).is_some_and(|range| range.contains(&status));
    let text = String::from_utf8_lossy(body);
    let body_fits = probe.expect_body.as_ref().is_none_or(|expected| text.contains(expected.as_str()));
    let seen = match (status_fits, body_fits) {
        (true, true) => format!("status {status}"),
        (false, _) if (300..400).contains(&status) => {
            format!("status {status}, expected {}: a redirect is not followed", probe.expect_status)
        }
        (false, _) => format!("status {status}, expected {}", probe.expect_status),
        (true, false) => format!("status {status}, but the body does not contain the expected text"),
    };
    ProbeResult { passed: status_fits && body_fits, seen, remedy: Remedy::Answer }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seconds;

    fn probe(attempts: u32, successes: u32) -> Probe {
        Probe {
            url: "http://new.example.com/health".to_owned(),
            host: None,
            certificate: crate::plan::Certificate::Trusted,
            attempts,
            interval: Seconds(30),
            timeout: Seconds(10),
            successes,
            expect_status: "200-299".to_owned(),
            expect_body: Some("ok".to_owned()),
        }
    }

    fn progress_of(pattern: &str, attempts: u32, successes: u32) -> Progress {
        let count = |tries: Tries, c| {
            tries.count(&ProbeResult { passed: c == '+', seen: String::new(), remedy: Remedy::Answer })
        };
        pattern.chars().fold(Tries::default(), count).progress(&probe(attempts, successes))
    }

    #[test]
    fn several_passes_in_a_row_are_needed() {
        assert_eq!(progress_of("+", 3, 2), Progress::TryAgain);
        assert_eq!(progress_of("+-+", 5, 2), Progress::TryAgain);
        assert_eq!(progress_of("-++", 3, 2), Progress::Passed);
        assert_eq!(progress_of("--", 3, 2), Progress::Failed);
    }

    #[test]
    fn counts_stop_at_their_limit() {
        let most = Tries { attempts: u32::MAX, passed_in_row: u32::MAX, ..Tries::default() };
        assert_eq!(most.count(&ProbeResult { passed: true, seen: String::new(), remedy: Remedy::Answer }), most);
        let none_used = Tries { passed_in_row: 1, ..Tries::default() };
        assert_eq!(none_used.progress(&probe(u32::MAX, u32::MAX)), Progress::TryAgain);
    }

    #[test]
    fn status_and_content_decide() {
        assert!(judge(&probe(1, 1), 204, b"ok").passed);
        assert!(!judge(&probe(1, 1), 302, b"ok").passed);
        let redirect = judge(&probe(1, 1), 301, b"").seen;
        assert_eq!(redirect, "status 301, expected 200-299: a redirect is not followed");
        assert!(!judge(&probe(1, 1), 200, b"maintenance").passed);
    }

    #[test]
    fn ranges_are_read_strictly() {
        assert_eq!(status_range("200"), Some(200..=200));
        for wrong in ["", "2xx", "299-200", "20", "200-", "+20", "700"] {
            assert_eq!(status_range(wrong), None, "{wrong}");
        }
    }
}
