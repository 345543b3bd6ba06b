//! The sender against servers of every kind, by real connections on 127.0.0.1.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cutover::plan::{HttpVersion, LoadRequest, LoadTarget};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::rustls::RootCertStore;

use crate::budget::{Budget, Stop};
use crate::client::{Answer, Client, Spoken};
use crate::request::{Prepared, requests_of};
use crate::schedule::{Arrivals, Mix};
use crate::send::{Load, Pace, Sent, Users};
use load_results::results::{Failure, Results};

#[derive(Default)]
struct Seen {
    connections: AtomicU64,
    requests: AtomicU64,
}

impl Seen {
    fn counts(&self) -> (u64, u64) {
        (self.connections.load(Ordering::SeqCst), self.requests.load(Ordering::SeqCst))
    }
}

/// A server that answers every request of a connection with this text, and then closes it, or not.
async fn raw(answer: &'static [u8], closes: bool) -> (String, Arc<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (url, seen) = (format!("http://{}/", listener.local_addr().unwrap()), Arc::new(Seen::default()));
    let log = seen.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let log = log.clone();
            tokio::spawn(async move {
                log.connections.fetch_add(1, Ordering::SeqCst);
                let mut buffer = [0; 4096];
                while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                    log.requests.fetch_add(1, Ordering::SeqCst);
                    if answer.is_empty() && !closes {
                        continue;
                    }
                    if stream.write_all(answer).await.is_err() || closes {
                        return;
                    }
                }
            });
        }
    });
    (url, seen)
}

fn target(url: &str) -> LoadTarget {
    serde_json::from_value(serde_json::json!({ "url": url })).unwrap()
}

/// These servers are on this machine.
fn here() -> cutover::probe::Reach {
    cutover::probe::Reach::read(r#"["127.0.0.0/8", "::1/128"]"#).unwrap()
}

fn client(url: &str, version: HttpVersion) -> Client {
    Client::new(&target(url), version, &here(), RootCertStore::empty).unwrap()
}

fn requests(url: &str, change: impl Fn(&mut LoadRequest)) -> Vec<Prepared> {
    let mut requests = requests_of(&[], &target(url)).unwrap();
    requests.iter_mut().for_each(change);
    Prepared::all(&requests, &target(url), "run-1", &BTreeMap::new()).unwrap()
}

async fn load(url: &str, version: HttpVersion, pace: Pace, timeout: Duration) -> Sent {
    let client = client(url, version);
    let requests = requests(url, |_| {});
    let mix = Mix::new(0, &requests_of(&[], &target(url)).unwrap());
    let (start, start_second) = (Instant::now() + Duration::from_millis(20), 0);
    let budget = Budget::new(None, 0.01);
    Load { client: &client, requests: &requests, mix, pace, timeout, start, start_second, budget }.send().await.unwrap()
}

fn rate(rate_per_second: f64, ms: u64) -> Pace {
    Pace::Rate(arrivals(rate_per_second, ms))
}

fn users(count: u32, most_rate_per_second: f64, ms: u64) -> Pace {
    Pace::Users(Users { count, most_rate_per_second, arrivals: arrivals(1.0, ms) })
}

fn arrivals(rate_per_second: f64, ms: u64) -> Arrivals {
    Arrivals { rate_per_second, warm_up: Duration::ZERO, end: Duration::from_millis(ms), slice: 0, slices: 1 }
}

async fn one(url: &str) -> Answer {
    client(url, HttpVersion::Auto).ask(&requests(url, |_| {})[0]).await
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn connections_are_kept_and_every_request_is_counted_on_both_sides() {
    let (url, seen) = raw(OK, false).await;
    let Sent { results, .. } = load(&url, HttpVersion::Auto, users(3, f64::INFINITY, 200), SECOND).await;
    let (connections, requests) = seen.counts();
    assert_eq!((results.sent, results.succeeded), (requests, requests));
    assert!(connections <= 3 && results.connections == connections && requests > 30, "{connections}, {requests}");
}

#[tokio::test]
async fn users_are_no_faster_than_the_stack_allows_whatever_is_answered() {
    for answer in [OK, b"no".as_slice()] {
        let (url, seen) = raw(answer, false).await;
        let begun = Instant::now();
        load(&url, HttpVersion::Auto, users(5, 100.0, 300), SECOND).await;
        let most = 100.0 * begun.elapsed().as_secs_f64() + 5.0;
        let requests = seen.counts().1;
        assert!(requests >= 10 && (requests as f64) <= most, "{requests} requests, {most} at the most");
    }
}

#[tokio::test]
async fn a_schedule_is_sent_whole() {
    let (url, seen) = raw(OK, false).await;
    let Sent { results, stop, .. } = load(&url, HttpVersion::Auto, rate(500.0, 400), SECOND).await;
    let Results { offered, sent, succeeded, .. } = results;
    assert_eq!((offered, sent, succeeded, seen.counts().1, stop), (200, 200, 200, 200, None));
    assert_eq!((results.from_schedule.len(), results.lag.len(), results.by_status[&200]), (200, 200, 200));
}

#[tokio::test]
async fn a_server_that_closes_after_each_answer_gets_a_connection_for_each() {
    let (url, seen) = raw(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok", true).await;
    let Sent { results, .. } = load(&url, HttpVersion::Auto, rate(100.0, 200), SECOND).await;
    assert_eq!((results.sent, results.succeeded), (20, 20));
    // One more was opened beforehand.
    assert!((20..=21).contains(&seen.counts().0) && results.connect.len() == results.connections);
}

#[tokio::test]
async fn a_connection_that_was_closed_while_nobody_used_it_is_replaced_without_a_word() {
    let (url, seen) = raw(OK, true).await;
    let (client, requests) = (client(&url, HttpVersion::Auto), requests(&url, |_| {}));
    for _ in 0..3 {
        assert_eq!(client.ask(&requests[0]).await.failure, None);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(seen.counts(), (3, 3));
}

#[tokio::test]
async fn what_servers_do_wrong_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(one(&nobody).await, Answer::failed(Failure::Connect));
    let cases: [(&'static [u8], Failure, Option<u16>); 6] = [
        (b"", Failure::Closed, None),
        (b"220 mail.example.com ESMTP\r\n", Failure::NotHttp, None),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nok", Failure::Closed, Some(200)),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", Failure::NotHttp, Some(200)),
        (b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", Failure::Status, Some(503)),
        (
            b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
            Failure::Status,
            Some(302),
        ),
    ];
    for (answer, failure, status) in cases {
        let (url, seen) = raw(answer, true).await;
        let answered = one(&url).await;
        assert_eq!((answered.failure, answered.status), (Some(failure), status), "{}", String::from_utf8_lossy(answer));
        assert_eq!(seen.counts().1, 1, "nothing is sent twice, and no redirect is followed");
    }
}

#[tokio::test]
async fn the_expected_text_is_looked_for() {
    let (url, _) = raw(OK, false).await;
    let of = async |text: &str| {
        let prepared = requests(&url, |request| request.expect_body = Some(text.to_owned()));
        client(&url, HttpVersion::Auto).ask(&prepared[0]).await.failure
    };
    assert_eq!(of("ok").await, None);
    assert_eq!(of("fine").await, Some(Failure::Body));
}

#[tokio::test]
async fn an_endless_body_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while stream.write_all(&[b'x'; 65_536]).await.is_ok() {}
    });
    let answer = one(&url).await;
    assert_eq!(answer.failure, Some(Failure::TooLarge));
    assert!(answer.bytes < 9 * 1024 * 1024, "{}", answer.bytes);
}

#[tokio::test]
async fn silence_lasts_until_the_timeout_and_users_wait_for_it() {
    let (url, _) = raw(b"", false).await;
    let timeout = Duration::from_millis(150);
    let Sent { results, .. } = load(&url, HttpVersion::Auto, rate(100.0, 100), timeout).await;
    assert_eq!((results.sent, results.by_failure[&Failure::Timeout]), (10, 10));
    assert!(results.from_schedule.quantile_ms(0.01).unwrap() >= 149.0);
}

#[tokio::test]
async fn a_side_on_which_most_requests_fail_is_left_alone() {
    let (url, seen) = raw(b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n", false).await;
    let begun = Instant::now();
    let Sent { results, stop, .. } = load(&url, HttpVersion::Auto, rate(1000.0, 60_000), SECOND).await;
    assert_eq!(stop, Some(Stop::Failures));
    assert!(results.seconds < 30.0 && results.sent >= 200 && results.sent < 20_000 && begun.elapsed() < 30 * SECOND);
    assert_eq!(seen.counts().1, results.sent);
}

/// A server that takes no request up for a while, from its first on.
async fn stalling(stall: Duration) -> String {
    let first = Arc::new(Mutex::new(None));
    serve_http1(move || {
        let begun = *first.lock().unwrap().get_or_insert_with(Instant::now);
        (begun + stall).saturating_duration_since(Instant::now())
    })
    .await
}

async fn serve_http1(wait: impl Fn() -> Duration + Clone + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let wait = wait.clone();
            let service = service_fn(move |_: Request<Incoming>| {
                let wait = wait();
                async move {
                    tokio::time::sleep(wait).await;
                    Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("ok")))
                }
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    url
}

/// Of a second, 0.4 s are a stall: (0.4 - y) / 1 of the requests wait for longer than y. A slow machine only adds to it.
#[tokio::test]
async fn a_stall_is_seen_by_a_schedule_and_hidden_by_users_who_wait() {
    let slower = |sent: &Sent| sent.results.from_schedule.longer_than(Duration::from_millis(200));
    let open =
        load(&stalling(Duration::from_millis(400)).await, HttpVersion::Auto, rate(200.0, 1000), 9 * SECOND).await;
    assert!(slower(&open) >= 38 && open.results.sent == 200, "{} of 200, 40 by the schedule", slower(&open));
    let users = users(1, f64::INFINITY, 1000);
    let closed = load(&stalling(Duration::from_millis(400)).await, HttpVersion::Auto, users, 9 * SECOND).await;
    assert_eq!(closed.results.from_schedule.longer_than(Duration::from_millis(390)), 1, "one user, one wait");
}

/// A server of HTTP/2 that sends each connection away after so many answers.
async fn http2(answers_of_connection: u64) -> (String, Arc<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (url, seen) = (format!("http://{}/", listener.local_addr().unwrap()), Arc::new(Seen::default()));
    let log = seen.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let log = log.clone();
            tokio::spawn(async move {
                log.connections.fetch_add(1, Ordering::SeqCst);
                let answered = Arc::new(tokio::sync::Notify::new());
                let (count, enough) = (Arc::new(AtomicU64::new(0)), answered.clone());
                let service = service_fn(move |request: Request<Incoming>| {
                    log.requests.fetch_add(1, Ordering::SeqCst);
                    assert_eq!(request.version(), hyper::Version::HTTP_2);
                    if count.fetch_add(1, Ordering::SeqCst) + 1 == answers_of_connection {
                        enough.notify_one();
                    }
                    async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("ok"))) }
                });
                let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
                tokio::select! {
                    _ = connection.as_mut() => return,
                    () = answered.notified() => connection.as_mut().graceful_shutdown(), // GOAWAY
                }
                let _ = connection.await;
            });
        }
    });
    (url, seen)
}

#[tokio::test]
async fn http2_has_many_requests_on_one_connection() {
    let (url, seen) = http2(u64::MAX).await;
    let Sent { results, .. } = load(&url, HttpVersion::Http2, rate(400.0, 500), SECOND).await;
    assert_eq!((results.succeeded, seen.counts()), (200, (1, 200)));
}

#[tokio::test]
async fn after_a_goaway_requests_go_on_by_another_connection() {
    let (url, seen) = http2(50).await;
    let Sent { results, .. } = load(&url, HttpVersion::Http2, rate(400.0, 500), SECOND).await;
    let (connections, requests) = seen.counts();
    assert_eq!((results.sent, results.succeeded), (200, requests), "what was sent is what was seen");
    assert!(
        connections >= 4 && requests >= 190,
        "{connections} connections, {requests} requests: {:?}",
        results.by_failure
    );
}

mod tls {
    use rcgen::{CertificateParams, KeyPair};
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

    use super::*;

    /// A server with a self-signed certificate for this name, which speaks these.
    async fn serve(name: &str, alpn: &[&[u8]]) -> (String, CertificateDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
        let certificate: CertificateDer<'static> = certificate.into();
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let mut config = builder.with_single_cert(vec![certificate.clone()], key).unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(stream) = acceptor.accept(stream).await else { continue };
                let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                let service = service_fn(|_: Request<Incoming>| async {
                    Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("ok")))
                });
                let stream = TokioIo::new(stream);
                if is_http2 {
                    let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                    tokio::spawn(builder.serve_connection(stream, service));
                } else {
                    tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(stream, service));
                }
            }
        });
        (url, certificate)
    }

    async fn ask(url: &str, host: &str, trusted: Option<CertificateDer<'static>>) -> (Answer, Option<Spoken>) {
        let mut roots = RootCertStore::empty();
        let own = rcgen::CertificateParams::new(vec!["another.example.com".to_owned()]).unwrap();
        let another = own.self_signed(&KeyPair::generate().unwrap()).unwrap();
        roots.add(trusted.unwrap_or_else(|| another.into())).unwrap();
        let target = LoadTarget { host: Some(host.to_owned()), ..target(url) };
        let client = Client::new(&target, HttpVersion::Auto, &here(), || roots).unwrap();
        let answer = client.ask(&requests(url, |_| {})[0]).await;
        (answer, client.spoken())
    }

    #[tokio::test]
    async fn the_server_decides_between_the_versions_of_http() {
        for (alpn, expected) in [
            (&[b"h2".as_slice(), b"http/1.1"][..], Spoken::Http2),
            (&[b"http/1.1"], Spoken::Http1),
            (&[], Spoken::Http1),
        ] {
            let (url, certificate) = serve("shop.example.com", alpn).await;
            let (answer, spoken) = ask(&url, "shop.example.com", Some(certificate)).await;
            assert_eq!((answer.status, answer.failure, spoken), (Some(200), None, Some(expected)));
        }
    }

    #[tokio::test]
    async fn certificates_are_verified() {
        let (url, certificate) = serve("shop.example.com", &[]).await;
        let (answer, _) = ask(&url, "www.example.com", Some(certificate)).await;
        assert_eq!(answer, Answer::failed(Failure::Tls), "another name");
        let (answer, _) = ask(&url, "shop.example.com", None).await;
        assert_eq!(answer, Answer::failed(Failure::Tls), "nobody vouches for it");
    }
}
