//! What a function connects by: HTTPS on one shared connector, whose roots of trust cost little to read.
//!
//! Reading a machine's whole bundle (about 140 certificates) is half of all that a start-up computes, and AWS's endpoints need five of them: those of
//! Amazon Trust Services, which are compiled in ([`AMAZON_ROOTS`]). Where an endpoint's certificate is of another issuer, as behind a proxy that inspects
//! TLS, or at an endpoint of one's own, the machine's bundle is read then, and asked from then on: what works with that bundle works here.
//! A deployment that names its roots (`AWS_CA_BUNDLE`, a file; or `SSL_CERT_FILE` and `SSL_CERT_DIR`, in place of the machine's) is taken at its word.
//!
//! Security: nobody is trusted who would not be by the machine's bundle, as long as that has Amazon's own. A certificate that is refused for anything but
//! its issuer stays refused, and nothing is sent before the issuer is known.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{self, CertificateError, RootCertStore};

/// One TCP and TLS connection. A shared connector ignores the one in `TimeoutConfig`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Amazon Root CA 1 to 4 and Starfield Services Root Certificate Authority - G2, as Amazon Trust Services publishes them
/// (amazontrust.com/repository; AWS's advice for clients that choose their roots is to trust all five). They end in 2037 and later.
pub const AMAZON_ROOTS: &str = include_str!("amazon_roots.pem");

/// Where a function's roots of trust come from, as its deployment says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Roots {
    /// Amazon's, and the machine's where these are not enough.
    AmazonFirst,
    /// The machine's, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name in their place.
    Machine,
    /// These, in PEM.
    Named(Vec<u8>),
}

/// Roots that a deployment names.
///
/// # Errors
/// Says what is wrong with the text: no PEM, or nothing in it that can be trusted.
pub fn named(pem: Vec<u8>) -> Result<Roots, String> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("cannot be read as PEM: {error}"))?;
    if certificates.is_empty() {
        return Err("holds no certificate".to_owned());
    }
    let mut roots = RootCertStore::empty();
    for (index, certificate) in certificates.into_iter().enumerate() {
        let of_it = |error| format!("holds as certificate {} what cannot be trusted: {error}", index + 1);
        roots.add(certificate).map_err(of_it)?;
    }
    Ok(Roots::Named(pem))
}

/// One connector for all clients of AWS: connections and the TLS configuration are shared.
///
/// # Errors
/// The roots cannot be used.
pub fn to_aws(roots: Roots) -> Result<SharedHttpConnector, BoxError> {
    Ok(match roots {
        Roots::AmazonFirst => SharedHttpConnector::new(AmazonFirst::new(only(AMAZON_ROOTS)?, to_anybody)),
        Roots::Machine => to_anybody(),
        Roots::Named(pem) => only(pem)?,
    })
}

/// A connector to whoever is publicly trusted. It sets no time-out but that of connecting.
pub fn to_anybody() -> SharedHttpConnector {
    over(TlsContext::default())
}

/// A connector to whoever these roots vouch for, and nobody else.
fn only(pem: impl Into<Vec<u8>>) -> Result<SharedHttpConnector, BoxError> {
    let roots = TrustStore::empty().with_pem_certificate(pem);
    Ok(over(TlsContext::builder().with_trust_store(roots).build()?))
}

/// Ring, not aws-lc: the latter's first handshake costs 57 ms of jitter entropy.
fn over(context: TlsContext) -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build();
    let connector = Connector::builder()
        .connector_settings(settings)
        .sleep_impl(TokioSleep::new())
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context)
        .build();
    SharedHttpConnector::new(connector)
}

/// Asks by few roots, until an endpoint's issuer is not among them; from then on by all.
#[derive(Clone)]
struct AmazonFirst(Arc<Stores>);

struct Stores {
    few: SharedHttpConnector,
    /// Once an endpoint's issuer was not among the few.
    all: OnceLock<SharedHttpConnector>,
    make_all: Box<dyn Fn() -> SharedHttpConnector + Send + Sync>,
    /// Whether an endpoint was reached by the few: a request is kept for a second try only before that.
    is_enough: AtomicBool,
}

impl AmazonFirst {
    fn new(few: SharedHttpConnector, make_all: impl Fn() -> SharedHttpConnector + Send + Sync + 'static) -> Self {
        let (all, is_enough) = (OnceLock::new(), AtomicBool::new(false));
        Self(Arc::new(Stores { few, all, make_all: Box::new(make_all), is_enough }))
    }
}

impl fmt::Debug for AmazonFirst {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AmazonFirst").field("all", &self.0.all.get().is_some()).finish_non_exhaustive()
    }
}

impl HttpConnector for AmazonFirst {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let stores = self.0.clone();
        if let Some(all) = stores.all.get() {
            return all.call(request);
        }
        let again = (!stores.is_enough.load(Ordering::Relaxed)).then(|| request.try_clone()).flatten();
        HttpConnectorFuture::new(async move {
            match (stores.few.call(request).await, again) {
                (Err(error), Some(again)) if is_of_issuer(&error) => {
                    stores.all.get_or_init(|| (stores.make_all)()).call(again).await
                }
                (answer, _) => {
                    stores.is_enough.fetch_or(answer.is_ok(), Ordering::Relaxed);
                    answer
                }
            }
        })
    }
}

/// Whether it is the issuer of the certificate that is not known.
fn is_of_issuer(error: &ConnectorError) -> bool {
    chain(error).any(|cause| {
        let tls = cause.downcast_ref::<rustls::Error>();
        matches!(tls, Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)))
    })
}

/// An error and what it comes from. The source of an [`io::Error`] is not the error in it, but that one's source.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<io::Error>() {
        Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use aws_smithy_types::body::SdkBody;
    use rcgen::{CertifiedIssuer, KeyPair};
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::probe::conversations::{OK, authority, issued, params, serve};

    /// Of the table on amazontrust.com/repository: SHA-256 of the certificates.
    const FINGERPRINTS: [&str; 5] = [
        "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
        "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
        "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
        "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
        "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
    ];

    fn pem(authority: &CertifiedIssuer<'static, KeyPair>) -> String {
        let text = aws_smithy_types::base64::encode(authority.der());
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    }

    async fn ask(connector: &impl HttpConnector, address: &str) -> Result<u16, ConnectorError> {
        let port = address.rsplit(':').next().unwrap();
        let mut request = HttpRequest::new(SdkBody::from("a body"));
        request.set_method("POST").unwrap();
        request.set_uri(format!("https://localhost:{port}/")).unwrap();
        connector.call(request).await.map(|answer| answer.status().as_u16())
    }

    /// A connector by a few roots, and how often all were read.
    fn first(few: SharedHttpConnector, all: &str) -> (AmazonFirst, Arc<AtomicUsize>) {
        let (reads, all) = (Arc::new(AtomicUsize::new(0)), all.to_owned());
        let counted = reads.clone();
        let make_all = move || {
            counted.fetch_add(1, Ordering::Relaxed);
            only(all.clone()).unwrap()
        };
        (AmazonFirst::new(few, make_all), reads)
    }

    #[test]
    fn what_is_compiled_in_are_amazons_roots() {
        let found = CertificateDer::pem_slice_iter(AMAZON_ROOTS.as_bytes());
        let found: Vec<String> = found.map(|root| format!("{:x}", Hex(&Sha256::digest(root.unwrap())))).collect();
        assert_eq!(found, FINGERPRINTS);
        assert!(named(AMAZON_ROOTS.into()).is_ok());
    }

    struct Hex<'a>(&'a [u8]);

    impl fmt::LowerHex for Hex<'_> {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
        }
    }

    #[tokio::test]
    async fn where_amazons_roots_are_enough_no_others_are_read() {
        let authority = authority();
        let (address, _) = serve(Some(issued(&params("localhost"), &authority)), OK).await;
        let (connector, reads) = first(only(pem(&authority)).unwrap(), &pem(&authority));
        assert_eq!(ask(&connector, &address).await.unwrap(), 200);
        assert_eq!(ask(&connector, &address).await.unwrap(), 200);
        assert_eq!(reads.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn an_endpoint_of_another_issuer_is_asked_again_by_all_roots_and_they_are_read_once() {
        let authority = authority();
        let (address, seen) = serve(Some(issued(&params("localhost"), &authority)), OK).await;
        let (connector, reads) = first(only(AMAZON_ROOTS).unwrap(), &pem(&authority));
        for _ in 0..3 {
            assert_eq!(ask(&connector, &address).await.unwrap(), 200);
        }
        assert_eq!(reads.load(Ordering::Relaxed), 1);
        let seen = seen.lock().unwrap();
        assert!(seen.len() == 3 && seen.iter().all(|(_, said)| said.ends_with("a body")), "{seen:?}");
    }

    #[tokio::test]
    async fn a_certificate_for_another_name_is_refused_by_whichever_roots() {
        let authority = authority();
        let (address, seen) = serve(Some(issued(&params("elsewhere"), &authority)), OK).await;
        let (connector, reads) = first(only(pem(&authority)).unwrap(), &pem(&authority));
        assert!(ask(&connector, &address).await.is_err());
        assert_eq!(reads.load(Ordering::Relaxed), 0);
        let (connector, _) = first(only(AMAZON_ROOTS).unwrap(), &pem(&authority));
        assert!(ask(&connector, &address).await.is_err());
        assert!(seen.lock().unwrap().is_empty(), "nothing is sent to whoever is not who he should be");
    }

    #[tokio::test]
    async fn who_is_trusted_by_no_roots_is_not_asked() {
        let (address, seen) = serve(Some(issued(&params("localhost"), &authority())), OK).await;
        let (connector, _) = first(only(AMAZON_ROOTS).unwrap(), &pem(&authority()));
        assert!(ask(&connector, &address).await.is_err());
        assert!(seen.lock().unwrap().is_empty());
    }

    #[test]
    fn a_bundle_that_cannot_be_trusted_says_why() {
        assert_eq!(named(b"nothing".to_vec()), Err("holds no certificate".to_owned()));
        let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(named(damaged.into()).unwrap_err().starts_with("holds as certificate 1 what cannot be trusted"));
    }
}
