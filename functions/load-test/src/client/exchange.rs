//! One request and its answer, which is read to its end, up to a bound.

use std::error::Error as _;
use std::io;

use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::Incoming;
use hyper::client::conn::http1;

use super::connect::Opened;
use super::{Body, Client, MOST_STREAMS, Shared, Spoken};
use crate::request::Prepared;
use load_results::results::Failure;

/// A larger body is given up, and its request counts as failed.
pub const MOST_BODY_BYTES: u64 = 8 * 1024 * 1024;
/// So much of a body is searched for the expected text.
const SEARCHED_BYTES: usize = 64 * 1024;

/// What was answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status, where an answer began.
    pub status: Option<u16>,
    /// The bytes of the body that were read.
    pub bytes: u64,
    /// Why the request failed, where it did.
    pub failure: Option<Failure>,
}

impl Answer {
    /// No answer began.
    pub fn failed(failure: Failure) -> Self {
        Self { failure: Some(failure), ..Self::default() }
    }
}

/// What is rare is boxed: a request's future is moved with each sending.
impl Client {
    /// Asks, and reads the answer. Whoever drops it gives the request up, and of HTTP/1.1 the connection too.
    pub async fn ask(&self, request: &Prepared) -> Answer {
        if self.free.available_permits() == 0 {
            self.counts.waited.set(self.counts.waited.get() + 1);
        }
        // It is never closed.
        let Ok(_place) = self.free.acquire().await else { return Answer::failed(Failure::Connect) };
        let spoken = match self.spoken() {
            Some(spoken) => Ok(spoken),
            None => Box::pin(self.agree()).await,
        };
        let asked = match spoken {
            Ok(Spoken::Http1) => self.ask_http1(request).await,
            Ok(Spoken::Http2) => Box::pin(self.ask_http2(request)).await,
            Err(failure) => Err(failure),
        };
        asked.unwrap_or_else(Answer::failed)
    }

    async fn ask_http1(&self, request: &Prepared) -> Result<Answer, Failure> {
        loop {
            let (mut sender, is_fresh) = self.sender_http1().await?;
            match sender.try_send_request(request.http1()).await {
                Ok(response) => {
                    let (answer, is_whole) = read(response, request).await;
                    if is_whole {
                        self.idle.borrow_mut().push(sender);
                    }
                    return Ok(answer);
                }
                // Closed while nobody used it: nothing was sent.
                Err(error) if !is_fresh && error.message().is_some() => {}
                Err(error) => return Err(failure_of(error.error(), Spoken::Http1)),
            }
        }
    }

    /// The connection that was used last, so that no more are kept open than are needed.
    async fn sender_http1(&self) -> Result<(http1::SendRequest<Body>, bool), Failure> {
        loop {
            let Some(mut sender) = self.idle.borrow_mut().pop() else { break };
            if sender.ready().await.is_ok() {
                return Ok((sender, false));
            }
        }
        match Box::pin(self.open()).await? {
            Opened::Http1(sender) => Ok((sender, true)),
            Opened::Http2(_) => Err(Failure::NotHttp), // the server has changed its mind
        }
    }

    async fn ask_http2(&self, request: &Prepared) -> Result<Answer, Failure> {
        let mut shared = self.sender_http2().await?;
        let _on_it = OnIt::new(&shared);
        match shared.sender.try_send_request(request.http2()).await {
            Ok(response) => Ok(read(response, request).await.0),
            Err(error) => Err(failure_of(error.error(), Spoken::Http2)),
        }
    }

    /// One with a free stream. One opens another at a time, and the others wait for it.
    async fn sender_http2(&self) -> Result<Shared, Failure> {
        if let Some(shared) = self.with_free_stream() {
            return Ok(shared);
        }
        let _opening = self.opening.lock().await;
        if let Some(shared) = self.with_free_stream() {
            return Ok(shared);
        }
        match Box::pin(self.open()).await? {
            Opened::Http2(sender) => {
                let shared = Shared { sender, requests: Default::default() };
                self.shared.borrow_mut().push(shared.clone());
                Ok(shared)
            }
            Opened::Http1(_) => Err(Failure::Http2),
        }
    }

    fn with_free_stream(&self) -> Option<Shared> {
        let mut all = self.shared.borrow_mut();
        all.retain(|shared| !shared.sender.is_closed());
        all.iter().find(|shared| shared.requests.get() < MOST_STREAMS).cloned()
    }
}

/// Counts a request on its connection for as long as it is under way, also if it is given up.
struct OnIt(Shared);

impl OnIt {
    fn new(shared: &Shared) -> Self {
        shared.requests.set(shared.requests.get() + 1);
        Self(shared.clone())
    }
}

impl Drop for OnIt {
    fn drop(&mut self) {
        self.0.requests.set(self.0.requests.get().saturating_sub(1));
    }
}

/// The answer, and whether it was read to its end, so that its connection can serve again.
async fn read(response: Response<Incoming>, request: &Prepared) -> (Answer, bool) {
    let status = response.status().as_u16();
    let mut answer = Answer { status: Some(status), ..Answer::default() };
    let (mut body, mut begin) = (response.into_body(), Vec::new());
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            answer.failure = Some(frame.map_or_else(|error| broken_off(&error), |_| Failure::Closed));
            return (answer, false);
        };
        let Some(data) = frame.data_ref() else { continue };
        answer.bytes += data.len() as u64;
        if answer.bytes > MOST_BODY_BYTES {
            answer.failure = Some(Failure::TooLarge);
            return (answer, false);
        }
        if request.expect_body.is_some() {
            begin.extend_from_slice(&data[..data.len().min(SEARCHED_BYTES - begin.len())]);
        }
    }
    let has_text = |text: &String| String::from_utf8_lossy(&begin).contains(text.as_str());
    answer.failure = if !request.expect_status.contains(&status) {
        Some(Failure::Status)
    } else if !request.expect_body.as_ref().is_none_or(has_text) {
        Some(Failure::Body)
    } else {
        None
    };
    (answer, true)
}

fn broken_off(error: &hyper::Error) -> Failure {
    match io_kind(error) {
        Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => Failure::NotHttp,
        Some(_) => Failure::Closed,
        None if error.is_parse() => Failure::NotHttp,
        None if error.is_incomplete_message() || error.is_closed() => Failure::Closed,
        None => Failure::Http2,
    }
}

fn failure_of(error: &hyper::Error, spoken: Spoken) -> Failure {
    if error.is_parse() || error.is_parse_version_h2() {
        return Failure::NotHttp;
    }
    if spoken == Spoken::Http2 && io_kind(error).is_none() && !error.is_closed() && !error.is_canceled() {
        return Failure::Http2;
    }
    Failure::Closed
}

fn io_kind(error: &hyper::Error) -> Option<io::ErrorKind> {
    error.source().and_then(|source| source.downcast_ref::<io::Error>()).map(io::Error::kind)
}
