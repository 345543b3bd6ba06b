//! The HTTP servers of the two sides, and of neighbours.
//!
//! Contract: one server each on a free port of 127.0.0.1, as long as [`Servers`] lives. A request with the header
//! [`USER`] is a user's: it is answered after the side's latency, or its slow one for the side's slow rate, with an error for the side's error rate and 200 otherwise, or
//! not at all for its unanswered rate. Of a long latency only the beginning is waited, and the whole told ([`TOOK`]).
//! Every other request is a probe of the health endpoint, whatever its path: plans choose their own. A conduct can be
//! changed at any time.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderValue;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::locked;
use crate::routes::Side;
use crate::world::Conduct;

/// The header that tells a user's request from a probe.
pub const USER: &str = "x-user";
/// The header by which a load test names itself.
const LOAD_TEST: &str = "x-cutover-load-test";
/// The header that tells a user how many milliseconds the answer has taken.
pub const TOOK: &str = "x-took-ms";
/// As long as a user's answer is really waited for.
const LONGEST_WAIT: Duration = Duration::from_millis(50);

/// The servers of a rehearsal.
#[derive(Debug)]
pub struct Servers {
    old: Server,
    new: Server,
    other: Server,
    _accepting: JoinSet<()>,
}

#[derive(Debug)]
struct Server {
    port: u16,
    state: Arc<Mutex<State>>,
    changes: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    conduct: Conduct,
    errors: Rate,
    unanswered: Rate,
    slow: Rate,
}

/// Spreads what is so often evenly, instead of throwing dice: the same world shows the same share in every run.
#[derive(Debug, Default)]
struct Rate {
    debt: f64,
}

/// What becomes of a request.
#[derive(Debug, PartialEq)]
enum Decision {
    Answer { latency: Duration, status: u16, body: String },
    BreakOff,
}

impl Servers {
    /// Starts all three.
    pub async fn start() -> Result<Self> {
        let mut accepting = JoinSet::new();
        let old = serve(&mut accepting).await?;
        let new = serve(&mut accepting).await?;
        let other = serve(&mut accepting).await?;
        Ok(Self { old, new, other, _accepting: accepting })
    }

    /// The ports, for the environment.
    pub fn ports(&self) -> Value {
        json!({"old": self.old.port, "new": self.new.port})
    }

    /// Where a side's users go; none for nowhere.
    pub fn url(&self, side: Side) -> Option<String> {
        self.server(side).map(|server| format!("http://127.0.0.1:{}/", server.port))
    }

    /// Changes what a side does.
    pub fn set(&self, side: Side, conduct: Conduct) {
        let Some(server) = self.server(side) else { return };
        let mut state = locked(&server.state);
        if state.conduct != conduct {
            state.conduct = conduct;
            server.changes.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many times a side has changed what it does.
    pub fn changes(&self, side: Side) -> u64 {
        self.server(side).map_or(0, |server| server.changes.load(Ordering::Relaxed))
    }

    fn server(&self, side: Side) -> Option<&Server> {
        match side {
            Side::Old => Some(&self.old),
            Side::New => Some(&self.new),
            Side::Other => Some(&self.other),
            Side::Nowhere => None,
        }
    }
}

async fn serve(accepting: &mut JoinSet<()>) -> Result<Server> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("cannot listen on 127.0.0.1")?;
    let port = listener.local_addr().context("cannot read the port of a side")?.port();
    let state = Arc::new(Mutex::new(State::default()));
    accepting.spawn(accept(listener, state.clone()));
    Ok(Server { port, state, changes: AtomicU64::new(0) })
}

/// Connections end with the task that accepts them.
async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => { connections.spawn(converse(stream, state.clone())); }
                // Out of file descriptors, for one: users see it as a failure; we go on.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(stream: TcpStream, state: Arc<Mutex<State>>) {
    let service = service_fn(move |request| answer(request, state.clone()));
    // An error here is a client that went away.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(request: Request<Incoming>, state: Arc<Mutex<State>>) -> Result<Response<Full<Bytes>>, io::Error> {
    // A load test does as users do, for as long as it lasts.
    let is_user = [USER, LOAD_TEST].iter().any(|header| request.headers().contains_key(*header));
    let Decision::Answer { latency, status, body } = locked(&state).decide(is_user) else {
        return Err(io::ErrorKind::ConnectionAborted.into());
    };
    let waited = if is_user { latency.min(LONGEST_WAIT) } else { latency };
    tokio::time::sleep(waited).await;
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let took = HeaderValue::from_str(&latency.as_millis().to_string()).map_err(io::Error::other)?;
    response.headers_mut().insert(TOOK, took);
    Ok(response)
}

impl State {
    fn decide(&mut self, is_user: bool) -> Decision {
        let Self { conduct, errors, unanswered, slow } = self;
        let latency = Duration::from_millis(conduct.latency_ms);
        if !is_user {
            return Decision::Answer { latency, status: conduct.health_status, body: conduct.health_body.clone() };
        }
        if unanswered.is_due(conduct.unanswered_rate) {
            return Decision::BreakOff;
        }
        let latency = if slow.is_due(conduct.slow_rate) { Duration::from_millis(conduct.slow_ms) } else { latency };
        let status = if errors.is_due(conduct.error_rate) { conduct.error_status } else { StatusCode::OK.as_u16() };
        Decision::Answer { latency, status, body: String::new() }
    }
}

impl Rate {
    fn is_due(&mut self, rate: f64) -> bool {
        self.debt += rate;
        let is_due = self.debt >= 1.0 - 1e-9;
        if is_due {
            self.debt -= 1.0;
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_come_at_their_rate_whatever_the_sample() {
        for (rate, expected) in [(0.0, 0), (0.05, 5), (0.5, 50), (1.0, 100)] {
            let conduct = Conduct { error_rate: rate, ..Conduct::default() };
            let mut state = State { conduct, ..State::default() };
            let is_error = |decision| matches!(decision, Decision::Answer { status: 500, .. });
            assert_eq!((0..100).filter(|_| is_error(state.decide(true))).count(), expected, "{rate}");
        }
    }

    #[test]
    fn slow_answers_come_at_their_rate_and_probes_are_never_among_them() {
        let conduct = Conduct { slow_rate: 0.1, slow_ms: 900, ..Conduct::default() };
        let mut state = State { conduct, ..State::default() };
        let is_slow = |decision| matches!(decision, Decision::Answer { latency, .. } if latency.as_millis() == 900);
        assert_eq!((0..100).filter(|_| is_slow(state.decide(true))).count(), 10);
        assert_eq!((0..100).filter(|_| is_slow(state.decide(false))).count(), 0);
    }

    #[tokio::test]
    async fn users_and_probes_see_different_answers() -> Result<()> {
        let servers = Servers::start().await?;
        let conduct =
            Conduct { error_rate: 1.0, health_body: "fine".to_string(), health_status: 204, ..Conduct::default() };
        servers.set(Side::New, conduct);
        let client = reqwest::Client::builder().no_proxy().build()?;
        let url = servers.url(Side::New).context("a url")?;
        assert_eq!(client.get(format!("{url}health")).send().await?.status(), 204);
        assert_eq!(client.get(&url).header(USER, "1").send().await?.status(), 500);
        let old = servers.url(Side::Old).context("a url")?;
        assert_eq!(client.get(old).send().await?.text().await?, "ok");
        Ok(())
    }
}
