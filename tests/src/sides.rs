//! The HTTP servers of the two sides, and of neighbours.
//!
//! Contract: one server each on a free port of 127.0.0.1, as long as [`Servers`] lives. A request with the header
//! [`USER`] is a user's: it is answered after the side's latency, 500 for the side's error rate and 200 otherwise.
//! Every other request is a probe of the health endpoint, whatever its path: plans choose their own. A conduct can be
//! changed at any time.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
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
}

#[derive(Debug, Default)]
struct State {
    conduct: Conduct,
    error_debt: f64,
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
        if let Some(server) = self.server(side) {
            locked(&server.state).conduct = conduct;
        }
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
    Ok(Server { port, state })
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

async fn answer(request: Request<Incoming>, state: Arc<Mutex<State>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (latency, status, body) = locked(&state).decide(request.headers().contains_key(USER));
    tokio::time::sleep(latency).await;
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    Ok(response)
}

impl State {
    fn decide(&mut self, is_user: bool) -> (Duration, StatusCode, String) {
        let latency = Duration::from_millis(self.conduct.latency_ms);
        if !is_user {
            let status = StatusCode::from_u16(self.conduct.health_status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return (latency, status, self.conduct.health_body.clone());
        }
        let status = if self.is_error() { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK };
        (latency, status, String::new())
    }

    /// Errors are spread evenly, not thrown by dice: the same world shows the same share of errors in every run.
    fn is_error(&mut self) -> bool {
        self.error_debt += self.conduct.error_rate;
        let is_due = self.error_debt >= 1.0 - 1e-9;
        if is_due {
            self.error_debt -= 1.0;
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
            let mut state = State { conduct: Conduct { error_rate: rate, ..Conduct::default() }, error_debt: 0.0 };
            let errors = (0..100).filter(|_| state.decide(true).1 == StatusCode::INTERNAL_SERVER_ERROR).count();
            assert_eq!(errors, expected, "{rate}");
        }
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
