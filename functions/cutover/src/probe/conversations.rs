//! Probes of real servers on this machine: what is said, who is asked for, and how what goes wrong is told.

use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto::ring};

use super::reach::{Reach, Resolve, System};
use super::request;
use crate::Seconds;
use crate::plan::{Certificate, Probe};

/// As the emulated AWS has it, on this machine.
async fn send(probe: &Probe, roots: impl FnOnce() -> RootCertStore) -> Result<(u16, Vec<u8>), String> {
    let here = Reach::read(r#"["127.0.0.0/8"]"#).unwrap();
    request::send(probe, roots, &here, &System).await.map_err(|failure| failure.words)
}

/// Leads to this machine at first, and elsewhere after that.
struct Rebinding(Mutex<Vec<&'static str>>);

impl Resolve for Rebinding {
    async fn resolve(&self, _: &str, port: u16) -> std::io::Result<Vec<std::net::SocketAddr>> {
        let address = self.0.lock().unwrap().pop().unwrap();
        Ok(vec![std::net::SocketAddr::new(address.parse().unwrap(), port)])
    }
}

#[tokio::test]
async fn a_probe_does_not_connect_to_this_machine_however_it_is_called() {
    let (address, seen) = serve(None, OK).await;
    let port = address.rsplit_once(':').unwrap().1;
    for host in ["127.0.0.1", "2130706433", "0x7f000001", "0177.1", "[::ffff:127.0.0.1]", "localhost"] {
        let asked = probe(format!("http://{host}:{port}/latest/meta-data?token=s3cr3t"), None, Certificate::Trusted);
        let problem = request::send(&asked, RootCertStore::empty, &Reach::default(), &System).await.unwrap_err().words;
        assert!(problem.contains("the function's own machine: nothing connects there"), "{host}: {problem}");
        assert!(!problem.contains("s3cr3t"), "{problem}");
    }
    assert!(seen.lock().unwrap().is_empty(), "it was asked");
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_after_it_was_checked_is_not_looked_up_again() {
    let (address, seen) = serve(None, OK).await;
    let port = address.rsplit_once(':').unwrap().1;
    let asked = probe(format!("http://evil.example.net:{port}/"), None, Certificate::Trusted);
    let here = Reach::read(r#"["127.0.0.0/8"]"#).unwrap();
    let resolver = Rebinding(Mutex::new(vec!["169.254.169.254", "127.0.0.1"]));
    assert_eq!(request::send(&asked, RootCertStore::empty, &here, &resolver).await.map(|(status, _)| status), Ok(200));
    assert_eq!((seen.lock().unwrap().len(), resolver.0.lock().unwrap().len()), (1, 1), "one look-up, one connection");
}

/// What a server saw: the name that TLS asked for, and the head of the request.
pub(crate) type Seen = Arc<Mutex<Vec<(Option<String>, String)>>>;

/// A certificate with its key.
pub(crate) struct Certified {
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

/// An issuer, as a trusted authority would be.
pub(crate) fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "an authority");
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

pub(crate) fn params(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).unwrap()
}

pub(crate) fn issued(params: &CertificateParams, by: &CertifiedIssuer<'static, KeyPair>) -> Certified {
    let key = KeyPair::generate().unwrap();
    Certified { certificate: params.signed_by(&key, by).unwrap().into(), key }
}

fn self_signed(params: &CertificateParams) -> Certified {
    let key = KeyPair::generate().unwrap();
    Certified { certificate: params.self_signed(&key).unwrap().into(), key }
}

fn trusting(authority: &CertifiedIssuer<'static, KeyPair>) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    roots
}

/// Answers each connection once, with this text; one of HTTP/1.0 is closed without a word. Returns the address.
pub(crate) async fn serve(certified: Option<Certified>, answer: &'static str) -> (String, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, seen) = (listener.local_addr().unwrap().to_string(), Seen::default());
    let acceptor = certified.map(|Certified { certificate, key }| {
        let versions = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = versions.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        TlsAcceptor::from(Arc::new(builder.with_single_cert(vec![certificate], key).unwrap()))
    });
    let log = seen.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            match &acceptor {
                None => respond(stream, None, answer, &log).await,
                Some(acceptor) => {
                    let Ok(stream) = acceptor.accept(stream).await else { continue };
                    let name = stream.get_ref().1.server_name().map(str::to_owned);
                    respond(stream, name, answer, &log).await;
                }
            }
        }
    });
    (address, seen)
}

async fn respond(mut stream: impl AsyncRead + AsyncWrite + Unpin, name: Option<String>, answer: &str, seen: &Seen) {
    let mut buffer = [0; 2048];
    let read = stream.read(&mut buffer).await.unwrap_or(0);
    seen.lock().unwrap().push((name, String::from_utf8_lossy(&buffer[..read]).to_lowercase()));
    let _ = stream.write_all(answer.as_bytes()).await;
    if !answer.starts_with("HTTP/1.0") {
        let _ = stream.shutdown().await;
    }
}

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

fn probe(url: String, host: Option<&str>, certificate: Certificate) -> Probe {
    let host = host.map(str::to_owned);
    let (interval, timeout) = (Seconds(1), Seconds(1));
    Probe {
        url,
        host,
        certificate,
        attempts: 1,
        interval,
        timeout,
        successes: 1,
        expect_status: "200".to_owned(),
        expect_body: None,
    }
}

/// What comes of asking a server with this certificate, by its address, for this host.
async fn told(
    certified: Certified,
    roots: RootCertStore,
    host: Option<&str>,
    wanted: Certificate,
) -> Result<u16, String> {
    let (address, _) = serve(Some(certified), OK).await;
    let probe = probe(format!("https://{address}/"), host, wanted);
    send(&probe, || roots).await.map(|(status, _)| status)
}

#[tokio::test]
async fn the_host_is_asked_for_where_the_url_leads() {
    let authority = authority();
    let (address, seen) = serve(Some(issued(&params("shop.example.com"), &authority)), OK).await;
    let wanted = probe(format!("https://{address}/health?x=1"), Some("shop.example.com"), Certificate::Trusted);
    assert_eq!(send(&wanted, || trusting(&authority)).await, Ok((200, b"ok".to_vec())));
    let seen = seen.lock().unwrap();
    let (name, head) = &seen[0];
    assert_eq!(name.as_deref(), Some("shop.example.com"));
    assert!(
        head.starts_with("get /health?x=1 http/1.1\r\n") && head.contains("\r\nhost: shop.example.com\r\n"),
        "{head}"
    );
}

#[tokio::test]
async fn without_a_host_the_urls_own_is_asked_for() {
    let (address, seen) = serve(None, OK).await;
    let wanted = probe(format!("http://{address}"), None, Certificate::Trusted);
    assert_eq!(send(&wanted, RootCertStore::empty).await, Ok((200, b"ok".to_vec())));
    let head = seen.lock().unwrap()[0].1.clone();
    assert!(head.starts_with("get / http/1.1\r\n") && head.contains(&format!("\r\nhost: {address}\r\n")), "{head}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_told_with_its_names() {
    let authority = authority();
    let of =
        |host| told(issued(&params("shop.example.com"), &authority), trusting(&authority), host, Certificate::Trusted);
    let expected = "the certificate is for shop.example.com, and not for 127.0.0.1: set health_check.host to the name that users \
                    ask for";
    assert_eq!(of(None).await, Err(expected.to_owned()));
    let expected = "the certificate is for shop.example.com, and not for www.example.com: health_check.host is not a name of this \
                    certificate";
    assert_eq!(of(Some("www.example.com")).await, Err(expected.to_owned()));
    assert_eq!(of(Some("shop.example.com")).await, Ok(200));
}

#[tokio::test]
async fn a_certificate_with_a_common_name_alone_names_nobody() {
    let mut common_name = CertificateParams::new(Vec::new()).unwrap();
    common_name.distinguished_name.push(DnType::CommonName, "shop.example.com");
    let of = |host| told(self_signed(&common_name), trusting(&authority()), host, Certificate::AnyIssuer);
    let expected =
        "the certificate has no subject alternative name, which clients ask for: issue it anew, with one for ";
    assert_eq!(of(Some("shop.example.com")).await, Err(format!("{expected}shop.example.com")));
    assert_eq!(of(None).await, Err(format!("{expected}127.0.0.1")));
}

#[tokio::test]
async fn a_connection_that_is_reset_is_told_in_words() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // What is left unread, and no time to linger: the kernel sends a reset.
            stream.set_zero_linger().unwrap();
        }
    });
    for scheme in ["http", "https"] {
        let asked = probe(format!("{scheme}://{address}/"), None, Certificate::Trusted);
        let said = send(&asked, || trusting(&authority())).await.unwrap_err();
        assert!(!said.contains("os error"), "{said}");
        assert!(said.contains("connection was closed") || said.contains("broke the connection off"), "{said}");
    }
}

#[tokio::test]
async fn anybody_may_have_issued_a_certificate_only_where_the_plan_says_so() {
    let foreign = || trusting(&authority());
    let mut own_authority = params("shop.example.com");
    own_authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let mut namesake = params("shop.example.com");
    namesake.distinguished_name.push(DnType::CommonName, "an authority");
    let cases = [
        (params("shop.example.com"), "is self-signed, or of"),
        (own_authority, "is self-signed, and made"),
        (namesake, "but of another of that name"),
    ];
    for (made, expected) in cases {
        let of = |host, wanted| told(self_signed(&made), foreign(), Some(host), wanted);
        let refused = of("shop.example.com", Certificate::Trusted).await.unwrap_err();
        assert!(
            refused.contains(expected) && refused.contains("set health_check.certificate to any_issuer"),
            "{refused}"
        );
        assert_eq!(of("shop.example.com", Certificate::AnyIssuer).await, Ok(200));
        let refused = of("www.example.com", Certificate::AnyIssuer).await.unwrap_err();
        let names = "the certificate is for shop.example.com, and not for www.example.com";
        assert!(refused.starts_with(names) && !refused.contains("self-signed"), "{refused}");
        let refused = of("www.example.com", Certificate::Trusted).await.unwrap_err();
        assert!(refused.contains("and not for www.example.com") && refused.contains(expected), "{refused}");
    }
}

#[tokio::test]
async fn a_certificate_is_in_date_whoever_issued_it() {
    let authority = authority();
    let mut old = params("shop.example.com");
    old.not_after = rcgen::date_time_ymd(2020, 2, 1);
    let mut young = params("shop.example.com");
    young.not_before = rcgen::date_time_ymd(2150, 2, 1);
    young.not_after = rcgen::date_time_ymd(2151, 2, 1);
    for (params, expected) in
        [(&old, "expired 2020-02-01T00:00:00Z"), (&young, "is not valid before 2150-02-01T00:00:00Z")]
    {
        let refused =
            told(issued(params, &authority), trusting(&authority), Some("shop.example.com"), Certificate::Trusted);
        assert_eq!(refused.await, Err(format!("the certificate {expected}")));
        let refused = told(self_signed(params), trusting(&authority), Some("shop.example.com"), Certificate::AnyIssuer);
        assert_eq!(refused.await, Err(format!("the certificate {expected}")));
    }
}

#[tokio::test]
async fn the_wrong_scheme_is_told() {
    let authority = authority();
    let (address, _) = serve(Some(issued(&params("shop.example.com"), &authority)), OK).await;
    let plain = probe(format!("http://{address}/"), None, Certificate::Trusted);
    let expected = "the answer is not HTTP: does that port speak TLS (an https URL)?";
    assert_eq!(send(&plain, RootCertStore::empty).await, Err(expected.to_owned()));
    let nginx = "HTTP/1.1 400 Bad Request\r\n\r\nThe plain HTTP request was sent to HTTPS port";
    let (address, _) = serve(None, nginx).await;
    let plain = probe(format!("http://{address}/"), None, Certificate::Trusted);
    assert_eq!(send(&plain, RootCertStore::empty).await, Err("that port speaks TLS: is it an https URL?".to_owned()));
    let (address, _) = serve(None, "HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let tls = probe(format!("https://{address}/"), None, Certificate::Trusted);
    let expected = "that port does not speak TLS: is it an http URL?";
    assert_eq!(send(&tls, || trusting(&authority)).await, Err(expected.to_owned()));
}

#[tokio::test]
async fn an_answer_without_a_length_ends_with_the_connection() {
    let authority = authority();
    let of = async |answer| {
        let (address, _) = serve(Some(issued(&params("shop.example.com"), &authority)), answer).await;
        let wanted = probe(format!("https://{address}/"), Some("shop.example.com"), Certificate::Trusted);
        send(&wanted, || trusting(&authority)).await
    };
    assert_eq!(of("HTTP/1.0 200 OK\r\n\r\nok").await, Ok((200, b"ok".to_vec())), "closed without a word of TLS");
    assert_eq!(of("HTTP/1.1 200 OK\r\n\r\nok").await, Ok((200, b"ok".to_vec())));
    let short = "HTTP/1.0 200 OK\r\ncontent-length: 9\r\n\r\nok";
    assert_eq!(of(short).await, Err("the answer broke off".to_owned()));
}

#[tokio::test]
async fn nobody_silence_and_a_closed_connection_are_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let ask = async |scheme: &str, address: &str| {
        let wanted = probe(format!("{scheme}://{address}/"), None, Certificate::Trusted);
        send(&wanted, || trusting(&authority())).await.unwrap_err()
    };
    assert_eq!(ask("http", &address).await, "an answer did not come within 1s");
    assert_eq!(ask("https", &address).await, "the end of the TLS handshake did not come within 1s");
    drop(listener);
    assert_eq!(ask("http", &address).await, format!("{address} refuses the connection: nothing listens on that port"));
    let (closing, _) = serve(None, "").await;
    assert_eq!(
        ask("http", &closing).await,
        "the connection was closed before an answer: does that port speak TLS (an https URL)?"
    );
    assert!(ask("https", &closing).await.starts_with("the connection was closed in the TLS handshake"));
}
