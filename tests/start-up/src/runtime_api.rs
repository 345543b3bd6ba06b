//! The Lambda Runtime API for one process: tells when the process asks for work, and hands out what it is to be given.
//!
//! Contract: one listener for each process, on this machine. Events come in order; whoever waits for work waits until the event that told of it
//! is answered or dropped, which ends the connection.

use std::convert::Infallible;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// How long an invocation may take, as Lambda tells a function.
const DEADLINE: Duration = Duration::from_secs(30);

/// What a process does.
#[derive(Debug)]
pub enum Event {
    /// It asks for work: its init is over, or the last invocation is.
    Asks(Instant, oneshot::Sender<Bytes>),
    /// It has answered.
    Answered(Instant, Bytes),
    /// It says that it cannot.
    Failed(String),
}

/// Where a process asks, and what it does.
pub struct RuntimeApi {
    /// For `AWS_LAMBDA_RUNTIME_API`.
    pub address: String,
    /// What it does.
    pub events: Receiver<Event>,
    server: tokio::task::JoinHandle<()>,
}

impl RuntimeApi {
    /// One for a process.
    pub fn serve() -> Result<Self> {
        let listener = crate::runtime()?.block_on(TcpListener::bind("127.0.0.1:0")).context("cannot listen")?;
        let address = listener.local_addr()?.to_string();
        let (sender, events) = channel();
        let server = crate::runtime()?.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let sender = sender.clone();
                tokio::spawn(async move {
                    let service = service_fn(move |request| answer(sender.clone(), request));
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Ok(Self { address, events, server })
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(sender: Sender<Event>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    if head.method == Method::GET && path.ends_with("/invocation/next") {
        return Ok(next(&sender).await.unwrap_or_else(gone));
    }
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let event = match path.ends_with("/response") {
        true => Event::Answered(Instant::now(), body),
        false => Event::Failed(format!("{path}: {}", String::from_utf8_lossy(&body))),
    };
    let accepted = Response::builder().status(StatusCode::ACCEPTED).header("content-type", "application/json");
    let accepted = accepted.body(Full::new(Bytes::from_static(br#"{"status":"OK"}"#))).unwrap_or_default();
    Ok(if sender.send(event).is_ok() { accepted } else { gone() })
}

async fn next(sender: &Sender<Event>) -> Option<Response<Full<Bytes>>> {
    let (give, given) = oneshot::channel();
    sender.send(Event::Asks(Instant::now(), give)).ok()?;
    let event = given.await.ok()?;
    Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
        .header("lambda-runtime-deadline-ms", deadline_ms())
        .header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:123456789012:function:measured")
        .header("lambda-runtime-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0")
        .body(Full::new(event))
        .ok()
}

#[expect(clippy::disallowed_methods, reason = "Lambda tells a function when its time is over")]
fn deadline_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from((now + DEADLINE).as_millis()).unwrap_or(u64::MAX)
}

/// For a process that nobody measures any more.
fn gone() -> Response<Full<Bytes>> {
    let mut gone = Response::default();
    *gone.status_mut() = StatusCode::GONE;
    gone
}
