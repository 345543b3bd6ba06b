//! AWS's endpoints, all of them at one: an HTTPS server that answers as the emulated AWS did when an invocation was recorded.
//!
//! Contract: of the recorded answers to an operation, whose request was the same word for word is preferred, and else they come in turn, so
//! that each invocation gets those of the recorded one in their order, however often it is repeated and in whatever form another SDK asks. An
//! operation that was not recorded is answered 501, and told by [`Endpoint::unknown`]: what asks for more does other work.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use base64::Engine;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::recorded::{Exchange, Recorded};

/// What a client gets for what was not recorded.
const NOT_RECORDED: u16 = 501;

/// Who vouches for the endpoint, as a file that a function reads.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// One of this process alone.
    pub fn new() -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Not that of the endpoint, which would seem to vouch for itself.
        params.distinguished_name.push(DnType::CommonName, "the authority of the bench of start-up");
        Ok(Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate()?)? })
    }

    /// Writes a bundle of these roots and its own.
    pub fn bundle(&self, name: &str, others: &str) -> Result<PathBuf> {
        let file = crate::scratch()?.join(name);
        let own = base64::engine::general_purpose::STANDARD.encode(self.issuer.der());
        let own = format!("-----BEGIN CERTIFICATE-----\n{own}\n-----END CERTIFICATE-----\n");
        fs::write(&file, format!("{others}\n{own}")).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }

    /// That of Amazon's roots, which functions trust by default, and its own.
    pub fn with_amazons(&self) -> Result<PathBuf> {
        let file = crate::root().join("functions/cutover/src/amazon_roots.pem");
        self.bundle("amazon.pem", &read(&file)?)
    }

    fn acceptor(&self) -> Result<TlsAcceptor> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// Reads a text, and says which could not be read.
pub fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Its address, and what was asked in vain.
pub struct Endpoint {
    /// For `AWS_ENDPOINT_URL`.
    pub url: String,
    replay: Arc<Replay>,
}

impl Endpoint {
    /// Serves what was recorded of an invocation.
    pub fn serve(authority: &Authority, recorded: &Recorded) -> Result<Self> {
        let replay = Arc::new(Replay::of(recorded)?);
        let (acceptor, serving) = (authority.acceptor()?, replay.clone());
        let listener = crate::runtime()?.block_on(TcpListener::bind("127.0.0.1:0")).context("cannot listen")?;
        let url = format!("https://localhost:{}", listener.local_addr()?.port());
        crate::runtime()?.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, replay) = (acceptor.clone(), serving.clone());
                tokio::spawn(async move {
                    let _ = stream.set_nodelay(true);
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = service_fn(move |request| answer(replay.clone(), request));
                    // A client that goes away mid-way is measured no more.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Ok(Self { url, replay })
    }

    /// What was asked that was not recorded.
    pub fn unknown(&self) -> Vec<String> {
        locked(&self.replay.unknown).clone()
    }
}

async fn answer(replay: Arc<Replay>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let asked = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let mut response = Response::builder();
    let body = match replay.answer(head.method.as_str(), path, target, &asked) {
        Some(answered) => {
            response = response.status(answered.status);
            for (name, value) in &answered.headers {
                response = response.header(name, value);
            }
            answered.body.clone()
        }
        None => {
            response = response.status(NOT_RECORDED);
            Bytes::new()
        }
    };
    Ok(response.body(Full::new(body)).unwrap_or_default())
}

/// An answer, ready to be sent.
struct Answered {
    asked: Vec<u8>,
    status: u16,
    headers: BTreeMap<String, String>,
    body: Bytes,
}

/// All answers by what they are to, and whose turn it is.
struct Replay {
    answers: BTreeMap<String, Vec<Answered>>,
    turns: Mutex<BTreeMap<String, usize>>,
    unknown: Mutex<Vec<String>>,
}

impl Replay {
    fn of(recorded: &Recorded) -> Result<Self> {
        let mut answers: BTreeMap<String, Vec<Answered>> = BTreeMap::new();
        for exchange in &recorded.exchanges {
            let Exchange { method, path, target, status, headers, .. } = exchange;
            let asked = exchange.asked.bytes()?;
            let to = operation(method, path, target.as_deref(), &asked);
            let body = exchange.answer.bytes()?.into();
            answers.entry(to).or_default().push(Answered { asked, status: *status, headers: headers.clone(), body });
        }
        Ok(Self { answers, turns: Mutex::default(), unknown: Mutex::default() })
    }

    fn answer(&self, method: &str, path: &str, target: Option<&str>, asked: &[u8]) -> Option<&Answered> {
        let to = operation(method, path, target, asked);
        let Some(answers) = self.answers.get(&to) else {
            locked(&self.unknown).push(to);
            return None;
        };
        let mut turns = locked(&self.turns);
        let turn = turns.entry(to).or_default();
        let in_turn = &answers[*turn % answers.len()];
        *turn += 1;
        // Of several at once, the first to come need not be the first that came.
        let mut same = answers.iter().filter(|one| one.asked == asked);
        match (same.next(), same.next()) {
            (Some(only), None) => Some(only),
            _ => Some(in_turn),
        }
    }
}

/// What is asked, in the terms of the protocol: the header that names it, the path (without what a client may write in one way or another),
/// or the `Action` of a form.
fn operation(method: &str, path: &str, target: Option<&str>, asked: &[u8]) -> String {
    if let Some(target) = target {
        return target.to_owned();
    }
    let path = path.split('?').next().unwrap_or(path).trim_end_matches('/');
    let form = std::str::from_utf8(asked).unwrap_or_default();
    match form.split('&').find_map(|field| field.strip_prefix("Action=")) {
        Some(action) => action.to_owned(),
        None => format!("{method} {path}"),
    }
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded::Body;

    #[test]
    fn an_operation_is_what_its_protocol_says() {
        assert_eq!(operation("POST", "/", Some("DynamoDB_20120810.GetItem"), b"{}"), "DynamoDB_20120810.GetItem");
        assert_eq!(operation("POST", "/", None, b"Version=1&Action=DescribeRules&x=1"), "DescribeRules");
        assert_eq!(
            operation("GET", "/2013-04-01/hostedzone/Z1/rrset?name=x", None, b""),
            "GET /2013-04-01/hostedzone/Z1/rrset"
        );
        assert_eq!(
            operation("POST", "/2013-04-01/hostedzone/Z1/rrset/", None, b"<x/>"),
            "POST /2013-04-01/hostedzone/Z1/rrset"
        );
    }

    #[test]
    fn the_same_question_gets_its_answer_and_others_come_in_turn() {
        let exchange = |asked: &str, answer: &str| Exchange {
            operation: String::new(),
            method: "POST".to_owned(),
            path: "/".to_owned(),
            target: Some("GetItem".to_owned()),
            asked: Body::Text(asked.to_owned()),
            status: 200,
            headers: BTreeMap::new(),
            answer: Body::Text(answer.to_owned()),
        };
        let exchanges = vec![exchange("a", "1"), exchange("b", "2"), exchange("b", "3")];
        let recorded = Recorded {
            function: String::new(),
            state: String::new(),
            variables: BTreeMap::new(),
            event: serde_json::Value::Null,
            exchanges,
        };
        let replay = Replay::of(&recorded).unwrap();
        let answer = |asked: &str| replay.answer("POST", "/", Some("GetItem"), asked.as_bytes()).unwrap().body.clone();
        let answers: Vec<Bytes> = ["a", "b", "b", "other", "b", "a"].into_iter().map(answer).collect();
        assert_eq!(answers, ["1", "2", "3", "1", "2", "1"]);
        assert!(replay.answer("POST", "/", Some("PutItem"), b"").is_none());
        assert_eq!(*locked(&replay.unknown), ["PutItem"]);
    }
}
