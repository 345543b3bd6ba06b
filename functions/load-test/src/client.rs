//! The sides' client: connections that are kept, as users' are, and what comes of one request.
//!
//! A request takes the connection that was used last, or opens one; that time is part of its own. A connection that its server closed
//! while nobody used it is replaced without a word, as browsers do, and only then is a request sent twice: nothing of it had been
//! sent before. Redirects are not followed. The name is looked up once, and all its IPv4 addresses are used in turn.

mod connect;
mod exchange;

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use cutover::plan::{HttpVersion, LoadTarget};
use cutover::probe::{Reach, Target, tls_configuration};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::{http1, http2};
use tokio::sync::{Mutex, Semaphore};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::ServerName;

pub use self::exchange::Answer;
use load_results::histogram::Histogram;

/// As many connections as a function has file descriptors for (1,024, Lambda quotas), with some left.
pub const MOST_CONNECTIONS: usize = 900;
/// Requests on one connection of HTTP/2 at a time, as many as servers commonly allow; beyond that another is opened.
const MOST_STREAMS: usize = 100;
/// Requests under way at a time, however they are spread over connections.
const MOST_REQUESTS_HTTP2: usize = 20_000;

type Body = Full<Bytes>;

/// What is spoken, once that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoken {
    /// HTTP/1.1: one request at a time on a connection.
    Http1,
    /// HTTP/2: many.
    Http2,
}

/// The client of one side. It belongs to one task.
pub struct Client {
    target: Target,
    /// Who is asked for in TLS.
    name: String,
    wanted: HttpVersion,
    tls: Option<TlsConnector>,
    reach: Reach,
    addresses: RefCell<Vec<SocketAddr>>,
    next_address: Cell<usize>,
    spoken: Cell<Option<Spoken>>,
    /// Held while a connection is opened that others may use as well.
    opening: Mutex<()>,
    free: Semaphore,
    idle: RefCell<Vec<http1::SendRequest<Body>>>,
    shared: RefCell<Vec<Shared>>,
    /// What is counted of connections.
    pub counts: Counts,
}

/// A connection of HTTP/2, and how many requests are on it.
#[derive(Clone)]
struct Shared {
    sender: http2::SendRequest<Body>,
    requests: Rc<Cell<usize>>,
}

/// What is counted of connections.
#[derive(Default)]
pub struct Counts {
    /// How many were opened.
    pub opened: Cell<u64>,
    /// How long that took, TLS included.
    pub connect: RefCell<Histogram>,
    /// How many requests had to wait since all were in use.
    pub waited: Cell<u64>,
}

impl Client {
    /// A client that has no connection yet. `reach` says where it may connect to; `roots` are the trusted issuers, asked for where they are needed.
    ///
    /// # Errors
    /// The URL or the name is not one, or there is no issuer to trust.
    pub fn new(
        target: &LoadTarget,
        wanted: HttpVersion,
        reach: &Reach,
        roots: impl FnOnce() -> RootCertStore,
    ) -> Result<Self, String> {
        let parts = Target::parse(&target.url)?;
        let name = target.host.clone().unwrap_or_else(|| parts.host.clone());
        let tls = parts.is_tls.then(|| {
            ServerName::try_from(name.clone()).map_err(|_| format!("{name} is no name for TLS"))?;
            let mut config = tls_configuration(target.certificate, roots())?;
            config.alpn_protocols = match wanted {
                HttpVersion::Auto => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
                HttpVersion::Http1 => vec![b"http/1.1".to_vec()],
                HttpVersion::Http2 => vec![b"h2".to_vec()],
            };
            Ok::<_, String>(TlsConnector::from(Arc::new(config)))
        });
        let spoken = match wanted {
            HttpVersion::Http1 => Some(Spoken::Http1),
            HttpVersion::Http2 => Some(Spoken::Http2),
            HttpVersion::Auto if parts.is_tls => None,
            HttpVersion::Auto => Some(Spoken::Http1),
        };
        let most = if spoken == Some(Spoken::Http1) { MOST_CONNECTIONS } else { MOST_REQUESTS_HTTP2 };
        Ok(Self {
            target: parts,
            name,
            wanted,
            tls: tls.transpose()?,
            reach: reach.clone(),
            addresses: RefCell::default(),
            next_address: Cell::default(),
            spoken: Cell::new(spoken),
            opening: Mutex::default(),
            free: Semaphore::new(most),
            idle: RefCell::default(),
            shared: RefCell::default(),
            counts: Counts::default(),
        })
    }

    /// What is spoken, once a connection was opened.
    pub fn spoken(&self) -> Option<Spoken> {
        self.spoken.get()
    }
}
