//! An HTTP probe of the new side: directly, whatever the routes say. One request, no redirects followed.
//!
//! Reads: the URL. Writes: nothing. The body is read up to 64 KiB and never logged.

use std::time::Duration;

use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use http_body::Body;
use serde::{Deserialize, Serialize};

use crate::plan::Probe;

/// More of a body than this is not looked at.
const MOST_BODY_BYTES: usize = 64 * 1024;

/// A URL that can be probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(String);

impl Target {
    /// Checks a URL: `http` or `https`, a host, no user in it.
    ///
    /// # Errors
    /// What is wrong, as a predicate of the URL.
    pub fn parse(url: &str) -> Result<Self, String> {
        let shown: String = url.chars().take(80).collect();
        let rest = url
            .strip_prefix("https://")
            .or_else(|| url.strip_prefix("http://"))
            .ok_or_else(|| format!("`{shown}` is not an http or https URL"))?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.is_empty() || authority.contains('@') {
            return Err(format!("`{shown}` has no plain host name"));
        }
        if url.len() > 2048 || url.chars().any(|c| c.is_whitespace() || c.is_control()) || !url.is_ascii() {
            return Err(format!("`{shown}` is not a URL"));
        }
        Ok(Self(url.to_owned()))
    }
}

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeResult {
    /// Whether status and body are as expected.
    pub passed: bool,
    /// What was seen, for a person; never the body.
    pub seen: String,
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
pub async fn ask(probe: &Probe) -> ProbeResult {
    let timeout = Duration::from_secs(probe.timeout.0);
    match tokio::time::timeout(timeout, request(probe, timeout)).await {
        Ok(Ok((status, body))) => judge(probe, status, &body),
        Ok(Err(problem)) => ProbeResult { passed: false, seen: problem },
        Err(_) => ProbeResult { passed: false, seen: format!("no answer within {}", probe.timeout) },
    }
}

async fn request(probe: &Probe, timeout: Duration) -> Result<(u16, Vec<u8>), String> {
    let connector = Connector::builder()
        .connector_settings(HttpConnectorSettings::builder().connect_timeout(timeout).read_timeout(timeout).build())
        .sleep_impl(TokioSleep::new())
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build();
    let request = HttpRequest::get(&probe.url).map_err(|error| format!("not a URL: {error}"))?;
    let mut response = connector.call(request).await.map_err(|error| format!("no connection: {error:?}"))?;
    let mut body = Vec::new();
    while let Some(chunk) = next_chunk(response.body_mut()).await? {
        body.extend_from_slice(&chunk);
        if body.len() > MOST_BODY_BYTES {
            break;
        }
    }
    Ok((response.status().as_u16(), body))
}

async fn next_chunk(body: &mut aws_smithy_types::body::SdkBody) -> Result<Option<Vec<u8>>, String> {
    let frame = std::future::poll_fn(|context| std::pin::Pin::new(&mut *body).poll_frame(context)).await;
    match frame {
        None => Ok(None),
        Some(Ok(frame)) => Ok(Some(frame.into_data().map(|bytes| bytes.to_vec()).unwrap_or_default())),
        Some(Err(error)) => Err(format!("the answer broke off: {error}")),
    }
}

fn judge(probe: &Probe, status: u16, body: &[u8]) -> ProbeResult {
    let status_fits = status_range(&probe.expect_status).is_some_and(|range| range.contains(&status));
    let text = String::from_utf8_lossy(body);
    let body_fits = probe.expect_body.as_ref().is_none_or(|expected| text.contains(expected.as_str()));
    let seen = match (status_fits, body_fits) {
        (true, true) => format!("status {status}"),
        (false, _) => format!("status {status}, expected {}", probe.expect_status),
        (true, false) => format!("status {status}, but the body does not contain the expected text"),
    };
    ProbeResult { passed: status_fits && body_fits, seen }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seconds;

    fn probe(attempts: u32, successes: u32) -> Probe {
        Probe {
            url: "http://new.example.com/health".to_owned(),
            attempts,
            interval: Seconds(30),
            timeout: Seconds(10),
            successes,
            expect_status: "200-299".to_owned(),
            expect_body: Some("ok".to_owned()),
        }
    }

    fn progress_of(pattern: &str, attempts: u32, successes: u32) -> Progress {
        let count = |tries: Tries, c| tries.count(&ProbeResult { passed: c == '+', seen: String::new() });
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
        let most = Tries { attempts: u32::MAX, passed_in_row: u32::MAX, seen: String::new() };
        assert_eq!(most.count(&ProbeResult { passed: true, seen: String::new() }), most);
        let none_used = Tries { attempts: 0, passed_in_row: 1, seen: String::new() };
        assert_eq!(none_used.progress(&probe(u32::MAX, u32::MAX)), Progress::TryAgain);
    }

    #[test]
    fn status_and_content_decide() {
        assert!(judge(&probe(1, 1), 204, b"ok").passed);
        assert!(!judge(&probe(1, 1), 302, b"ok").passed);
        assert!(!judge(&probe(1, 1), 200, b"maintenance").passed);
    }

    #[test]
    fn ranges_are_read_strictly() {
        assert_eq!(status_range("200"), Some(200..=200));
        for wrong in ["", "2xx", "299-200", "20", "200-", "+20", "700"] {
            assert_eq!(status_range(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn urls_are_plain() {
        assert!(Target::parse("https://new.example.com:8443/health?x=1").is_ok());
        for wrong in ["ftp://x", "https://", "new.example.com", "https://user@host/", "https://a b/"] {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
    }
}
