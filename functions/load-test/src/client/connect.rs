//! Opening a connection: look up, connect, agree on TLS and on the version of HTTP.

use std::net::SocketAddr;
use std::time::Instant;

use cutover::probe::reach::System;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::ServerName;

use super::{Body, Client, HttpVersion, Shared, Spoken};
use load_results::results::Failure;

/// A connection that was just opened.
pub(super) enum Opened {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

impl Client {
    /// Opens the first connection before anything is measured, so that it is known what is spoken. A failure is not told: the
    /// requests will find it, each for itself.
    pub async fn warm(&self) {
        if let Ok(opened) = self.open().await {
            self.keep(opened);
        }
    }

    /// What is spoken: asked of the server where TLS decides it.
    pub(super) async fn agree(&self) -> Result<Spoken, Failure> {
        if let Some(spoken) = self.spoken.get() {
            return Ok(spoken);
        }
        let _first = self.opening.lock().await;
        if let Some(spoken) = self.spoken.get() {
            return Ok(spoken);
        }
        let opened = self.open().await?;
        Ok(self.keep(opened))
    }

    fn keep(&self, opened: Opened) -> Spoken {
        match opened {
            Opened::Http1(sender) => {
                self.idle.borrow_mut().push(sender);
                Spoken::Http1
            }
            Opened::Http2(sender) => {
                self.shared.borrow_mut().push(Shared { sender, requests: Default::default() });
                Spoken::Http2
            }
        }
    }

    pub(super) async fn open(&self) -> Result<Opened, Failure> {
        let address = self.address().await?;
        let begun = Instant::now();
        let stream = TcpStream::connect(address).await.map_err(|_| Failure::Connect)?;
        stream.set_nodelay(true).map_err(|_| Failure::Connect)?;
        let opened = match &self.tls {
            None => self.speak(stream, self.wanted == HttpVersion::Http2).await?,
            Some(tls) => {
                let name = ServerName::try_from(self.name.clone()).map_err(|_| Failure::Tls)?;
                let stream = tls.connect(name, stream).await.map_err(|_| Failure::Tls)?;
                let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                if self.wanted == HttpVersion::Http2 && !is_http2 {
                    return Err(Failure::Http2);
                }
                self.speak(stream, is_http2).await?
            }
        };
        self.counts.opened.set(self.counts.opened.get() + 1);
        self.counts.connect.borrow_mut().record(begun.elapsed());
        self.spoken.set(Some(match opened {
            Opened::Http1(_) => Spoken::Http1,
            Opened::Http2(_) => Spoken::Http2,
        }));
        Ok(opened)
    }

    /// The tasks move the connection's bytes, and end with it.
    async fn speak<S>(&self, stream: S, is_http2: bool) -> Result<Opened, Failure>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let stream = TokioIo::new(stream);
        if is_http2 {
            let handshake = http2::handshake(TokioExecutor::new(), stream).await;
            let (sender, connection) = handshake.map_err(|_| Failure::Http2)?;
            tokio::spawn(connection);
            return Ok(Opened::Http2(sender));
        }
        let (sender, connection) = http1::handshake(stream).await.map_err(|_| Failure::Connect)?;
        tokio::spawn(connection);
        Ok(Opened::Http1(sender))
    }

    /// Each of the name's addresses in turn; IPv4 where there is any, since not every function can reach IPv6.
    async fn address(&self) -> Result<SocketAddr, Failure> {
        if self.addresses.borrow().is_empty() {
            let found = self.reach.addresses(&self.target, &System).await.map_err(|_| Failure::Dns)?;
            let has_ipv4 = found.iter().any(SocketAddr::is_ipv4);
            let usable = found.into_iter().filter(|address| !has_ipv4 || address.is_ipv4());
            *self.addresses.borrow_mut() = usable.collect();
        }
        let addresses = self.addresses.borrow();
        let turn = self.next_address.get();
        self.next_address.set(turn.wrapping_add(1));
        addresses.get(turn % addresses.len().max(1)).copied().ok_or(Failure::Dns)
    }
}
