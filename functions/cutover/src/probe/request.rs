//! One request, by HTTP/1.1: look up, connect, agree on TLS, ask. Each of them may use what is left of the time, and says in
//! words what kept it from its end.

use std::error::Error as _;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONNECTION, HOST, TRANSFER_ENCODING, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, AlertDescription, CertificateError, ClientConfig, RootCertStore};

use super::Target;
use super::certificate::{Refused, Verifier};
use super::reach::{Reach, Resolve};
use super::remedy::{Failure, Remedy};
use crate::plan::{Certificate, Probe};

/// More of a body than this is not looked at.
const MOST_BODY_BYTES: usize = 64 * 1024;

/// The issuers that this machine trusts.
pub fn native_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// The status and the body of the answer; `roots` are the trusted issuers, asked for where they are needed.
///
/// # Errors
/// What went wrong, for a person, and what would mend it.
pub(super) async fn send(
    probe: &Probe,
    roots: impl FnOnce() -> RootCertStore,
    reach: &Reach,
    resolver: &impl Resolve,
) -> Result<(u16, Vec<u8>), Failure> {
    let target = Target::parse(&probe.url).map_err(|problem| Remedy::Url.of()(format!("the URL {problem}")))?;
    let limit = Limit { at: Instant::now() + Duration::from_secs(probe.timeout.0), timeout: probe.timeout.to_string() };
    let looked_up = limit.within("the look-up of its name", reach.addresses(&target, resolver)).await;
    let found = looked_up.map_err(Remedy::Name.of())?;
    let addresses = found.map_err(|problem| problem.remedy().of()(problem.words(&target.host)))?;
    let stream = connect(&target, &addresses, &limit).await.map_err(Remedy::Way.of())?;
    if !target.is_tls {
        return answer(&limit, exchange(probe, &target, stream)).await;
    }
    let asked_for = AskedFor::of(probe, &target);
    let stream = encrypted(probe, asked_for, stream, roots(), &limit).await.map_err(Remedy::Tls.of())?;
    answer(&limit, exchange(probe, &target, stream)).await
}

/// What does not come in time has to come otherwise; what is no answer at all is of another protocol.
async fn answer(
    limit: &Limit,
    exchange: impl Future<Output = Result<(u16, Vec<u8>), String>>,
) -> Result<(u16, Vec<u8>), Failure> {
    limit.within("an answer", exchange).await.map_err(Remedy::Answer.of())?.map_err(Remedy::Protocol.of())
}

/// The connection, once TLS is agreed on.
async fn encrypted(
    probe: &Probe,
    asked_for: AskedFor<'_>,
    stream: TcpStream,
    roots: RootCertStore,
    limit: &Limit,
) -> Result<TlsStream<TcpStream>, String> {
    let name = ServerName::try_from(asked_for.name.to_owned());
    let name = name.map_err(|_| format!("{} is no name for TLS", asked_for.name))?;
    let config = configuration(probe.certificate, roots, asked_for.is_given)?;
    let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let stream = limit.within("the end of the TLS handshake", handshake).await?;
    stream.map_err(|error| tls_words(&error, asked_for))
}

/// When the attempt is over.
struct Limit {
    at: Instant,
    timeout: String,
}

impl Limit {
    async fn within<T>(&self, what: &str, future: impl Future<Output = T>) -> Result<T, String> {
        timeout_at(self.at, future).await.map_err(|_| format!("{what} did not come within {}", self.timeout))
    }
}

/// Tries one address after the other, each with its part of the time that is left.
async fn connect(target: &Target, addresses: &[SocketAddr], limit: &Limit) -> Result<TcpStream, String> {
    let mut problem = String::new();
    for (index, address) in addresses.iter().enumerate() {
        let left = limit.at.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - index).unwrap_or(1);
        let place = if target.is_address() { address.to_string() } else { format!("{address} ({})", target.host) };
        problem = match timeout_at(Instant::now() + share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => connection_words(&place, &error),
            Err(_) => format!(
                "{place} does not answer within {}: a security group may keep the function out, or it has no way there",
                limit.timeout
            ),
        };
    }
    Err(problem)
}

fn connection_words(place: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => format!("{place} refuses the connection: nothing listens on that port"),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            format!("{place} cannot be reached: the function's network has no way there")
        }
        io::ErrorKind::TimedOut => format!("{place} does not answer: a security group may keep the function out"),
        kind if is_broken_off(kind) => {
            format!("{place} broke the connection off at once: a firewall, or a server that takes no more of them")
        }
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported => no_address(place),
        // Linux has a number of its own for it, and Rust no kind.
        _ if error.raw_os_error() == Some(ADDRESS_FAMILY_NOT_SUPPORTED) => no_address(place),
        kind => format!("no connection to {place}: {kind}"),
    }
}

/// EAFNOSUPPORT.
const ADDRESS_FAMILY_NOT_SUPPORTED: i32 = 97;

fn no_address(place: &str) -> String {
    format!("{place} cannot be reached: the function has no address of that kind (IPv4, IPv6) to connect from")
}

/// Whether the other side broke the connection.
fn is_broken_off(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe)
}

/// The name that TLS asks for.
#[derive(Clone, Copy, Debug)]
struct AskedFor<'a> {
    name: &'a str,
    /// Whether the plan gives it, and not just the URL.
    is_given: bool,
}

impl<'a> AskedFor<'a> {
    fn of(probe: &'a Probe, target: &'a Target) -> Self {
        Self { name: probe.host.as_deref().unwrap_or(&target.host), is_given: probe.host.is_some() }
    }

    /// What may mend it that the server does not know the name.
    fn fix(self) -> &'static str {
        if self.is_given { "" } else { SET_HOST }
    }
}

const SET_HOST: &str = ": set health_check.host to the name that users ask for";

/// How TLS is spoken to a side whose certificate must be this.
///
/// # Errors
/// There is no issuer to trust, or no TLS version to speak.
pub fn tls_configuration(wanted: Certificate, roots: RootCertStore) -> Result<ClientConfig, String> {
    configuration(wanted, roots, false)
}

/// `is_host_given`: whether the plan says which name the certificate is to be for.
fn configuration(wanted: Certificate, roots: RootCertStore, is_host_given: bool) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::new((wanted, is_host_given), roots, provider.clone())?;
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = versions.map_err(|error| format!("TLS cannot be spoken: {error}"))?;
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

fn tls_words(error: &io::Error, asked_for: AskedFor<'_>) -> String {
    let Some(error) = of_rustls(error) else {
        let kind = error.kind();
        if kind == io::ErrorKind::UnexpectedEof || is_broken_off(kind) {
            return "the connection was closed in the TLS handshake: does that port speak TLS?".to_owned();
        }
        return format!("the TLS handshake failed: {kind}");
    };
    match error {
        rustls::Error::InvalidMessage(_) => "that port does not speak TLS: is it an http URL?".to_owned(),
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) if other.0.is::<Refused>() => {
            format!("the certificate {other}")
        }
        rustls::Error::AlertReceived(alert) => alert_words(*alert, asked_for),
        rustls::Error::PeerIncompatible(_) => {
            "no TLS is common to both: TLS 1.2 or 1.3 with today's ciphers is needed".to_owned()
        }
        other => format!("the TLS handshake failed: {other}"),
    }
}

fn alert_words(alert: AlertDescription, asked_for: AskedFor<'_>) -> String {
    let AskedFor { name, .. } = asked_for;
    match alert {
        AlertDescription::UnrecognisedName => {
            format!("the server does not know the name {name}{}", asked_for.fix())
        }
        AlertDescription::CertificateRequired => {
            "the server asks for a client certificate, which a probe does not have".to_owned()
        }
        AlertDescription::ProtocolVersion => "the server speaks neither TLS 1.2 nor 1.3".to_owned(),
        AlertDescription::HandshakeFailure => {
            format!(
                "the server broke off the TLS handshake: it has no certificate for {name}, or no common cipher, or asks for a client \
                 certificate{}",
                asked_for.fix()
            )
        }
        other => {
            format!("the server broke off the TLS handshake: {}", other.as_str().unwrap_or("without a known reason"))
        }
    }
}

fn of_rustls(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

async fn exchange<S>(probe: &Probe, target: &Target, stream: S) -> Result<(u16, Vec<u8>), String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let host = probe.host.as_deref().unwrap_or(&target.authority);
    let asked_for = AskedFor::of(probe, target);
    let request = Request::get(&target.path).header(HOST, host).header(USER_AGENT, "cutover").header(ACCEPT, "*/*");
    let request = request.header(CONNECTION, "close").body(Empty::<Bytes>::new());
    let request = request.map_err(|error| format!("the URL cannot be asked for: {error}"))?;
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| http_words(&error, target, asked_for))?;
    // It moves the bytes, and ends when the sender and the answer are gone.
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(|error| http_words(&error, target, asked_for))?;
    let status = answer.status().as_u16();
    let body = body(answer).await?;
    if status == 400
        && !target.is_tls
        && String::from_utf8_lossy(&body).contains("plain HTTP request was sent to HTTPS")
    {
        return Err("that port speaks TLS: is it an https URL?".to_owned());
    }
    Ok((status, body))
}

/// Without a length the body ends with the connection. Many servers then close it without a word of TLS: what was read is
/// judged all the same, since an expected text that is missing does not pass.
async fn body(answer: Response<Incoming>) -> Result<Vec<u8>, String> {
    let has_length = answer.body().size_hint().exact().is_some() || answer.headers().contains_key(TRANSFER_ENCODING);
    let (mut incoming, mut read) = (answer.into_body(), Vec::new());
    while let Some(frame) = incoming.frame().await {
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) if !has_length && is_closed(&error) => break,
            Err(_) => return Err("the answer broke off".to_owned()),
        };
        read.extend_from_slice(frame.data_ref().unwrap_or(&Bytes::new()));
        if read.len() > MOST_BODY_BYTES {
            break;
        }
    }
    Ok(read)
}

fn is_closed(error: &hyper::Error) -> bool {
    let cause = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    cause.is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof)
}

/// Whether the other side broke the connection.
fn is_broken(error: &hyper::Error) -> bool {
    let cause = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    cause.is_some_and(|error| is_broken_off(error.kind()))
}

fn http_words(error: &hyper::Error, target: &Target, asked_for: AskedFor<'_>) -> String {
    let of_tls =
        error.source().and_then(|source| source.downcast_ref::<io::Error>()).filter(|error| of_rustls(error).is_some());
    match of_tls {
        Some(error) => tls_words(error, asked_for),
        None if error.is_parse() && target.is_tls => "the answer is not HTTP".to_owned(),
        None if error.is_parse() => "the answer is not HTTP: does that port speak TLS (an https URL)?".to_owned(),
        None if error.is_incomplete_message() || is_broken(error) => {
            let tls = if target.is_tls { "" } else { ": does that port speak TLS (an https URL)?" };
            format!("the connection was closed before an answer{tls}")
        }
        None => format!("the request failed: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_breaks_off_for_is_told() {
        let words = |alert| alert_words(alert, AskedFor { name: "shop.example.com", is_given: true });
        assert_eq!(words(AlertDescription::UnrecognisedName), "the server does not know the name shop.example.com");
        assert!(words(AlertDescription::CertificateRequired).contains("client certificate"));
        assert!(words(AlertDescription::HandshakeFailure).ends_with("or asks for a client certificate"), "by TLS 1.2");
        assert_eq!(words(AlertDescription::InternalError), "the server broke off the TLS handshake: InternalError");
    }

    #[test]
    fn whoever_gives_no_host_is_told_to_give_one_where_the_server_wants_a_name() {
        let words = |alert| alert_words(alert, AskedFor { name: "127.0.0.1", is_given: false });
        for alert in [AlertDescription::UnrecognisedName, AlertDescription::HandshakeFailure] {
            assert!(words(alert).ends_with("set health_check.host to the name that users ask for"), "{}", words(alert));
        }
    }

    #[test]
    fn what_keeps_a_connection_from_being_made_is_told_in_words() {
        let words = |kind: io::ErrorKind| connection_words("192.0.2.1:443", &kind.into());
        for kind in [io::ErrorKind::ConnectionReset, io::ErrorKind::ConnectionAborted, io::ErrorKind::BrokenPipe] {
            assert!(words(kind).starts_with("192.0.2.1:443 broke the connection off at once"), "{}", words(kind));
        }
        for kind in [io::ErrorKind::AddrNotAvailable, io::ErrorKind::Unsupported] {
            assert!(words(kind).contains("no address of that kind"), "{}", words(kind));
        }
        let no_family = io::Error::from_raw_os_error(ADDRESS_FAMILY_NOT_SUPPORTED);
        assert!(connection_words("[2001:db8::1]:443", &no_family).contains("no address of that kind"));
        let other = io::Error::from_raw_os_error(13);
        assert_eq!(connection_words("192.0.2.1:443", &other), "no connection to 192.0.2.1:443: permission denied");
    }
}
