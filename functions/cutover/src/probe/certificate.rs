//! The new side's certificate: what the plan asks of it, and what is wrong with it in a person's words.
//!
//! rustls checks the chain, the dates and the name. Where the plan lets anybody issue the certificate, only the answer that
//! the issuer is unknown is overlooked: dates come before it, and the name is checked on its own. The server must always
//! show that it has the certificate's key.

use std::sync::Arc;

use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{WebPkiServerVerifier, verify_server_name};
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};

use crate::plan::Certificate;

/// Checks a certificate as a plan asks.
#[derive(Debug)]
pub(super) struct Verifier {
    usual: Arc<WebPkiServerVerifier>,
    wanted: Certificate,
    /// Whether the plan gives the name that it is to be for, and not just the URL.
    is_host_given: bool,
}

/// Why a certificate does not do, in words that follow "the certificate".
#[derive(Debug)]
pub(super) struct Refused(pub String);

impl std::fmt::Display for Refused {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl Verifier {
    /// # Errors
    /// There is no issuer to trust.
    pub(super) fn new(
        (wanted, is_host_given): (Certificate, bool),
        roots: RootCertStore,
        provider: Arc<CryptoProvider>,
    ) -> Result<Arc<Self>, String> {
        let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let usual = usual.map_err(|error| format!("this function trusts no issuer of certificates: {error}"))?;
        Ok(Arc::new(Self { usual, wanted, is_host_given }))
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let usual = self.usual.verify_server_cert(certificate, intermediates, host, ocsp, now);
        let Err(Error::InvalidCertificate(problem)) = usual else { return usual };
        let name = ParsedCertificate::try_from(certificate).and_then(|parsed| verify_server_name(&parsed, host));
        let name = match name {
            Err(Error::InvalidCertificate(problem)) => Some(problem),
            _ => None,
        };
        let is_issuer_only = name.is_none() && is_of_issuer(&problem);
        if is_issuer_only && self.wanted == Certificate::AnyIssuer {
            return Ok(ServerCertVerified::assertion());
        }
        let host = Host { name: &host.to_str(), is_given: self.is_host_given };
        let refused = Refused(refusal(&problem, name.as_ref(), host, self.wanted));
        Err(CertificateError::Other(OtherError(Arc::new(refused))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// Whether this is about who issued it: nobody known, somebody of the same name as one that is, or the certificate itself,
/// as most self-signed ones are made. That the server has the certificate's key is checked apart from this.
fn is_of_issuer(problem: &CertificateError) -> bool {
    matches!(problem, CertificateError::UnknownIssuer | CertificateError::BadSignature) || is_own_authority(problem)
}

/// The error is one of webpki's, which rustls passes on as it is.
fn is_own_authority(problem: &CertificateError) -> bool {
    matches!(problem, CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity"))
}

/// What it is to be for.
#[derive(Clone, Copy, Debug)]
struct Host<'a> {
    name: &'a str,
    is_given: bool,
}

/// What is wrong, and what may mend it.
fn refusal(problem: &CertificateError, name: Option<&CertificateError>, host: Host<'_>, wanted: Certificate) -> String {
    let is_overlooked = is_of_name(problem) || (is_of_issuer(problem) && wanted == Certificate::AnyIssuer);
    let own = (!is_overlooked).then(|| words(problem, host));
    let name = name.map(|problem| words(problem, host));
    name.into_iter().chain(own).collect::<Vec<_>>().join("; and it ")
}

fn is_of_name(problem: &CertificateError) -> bool {
    matches!(problem, CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. })
}

fn words(problem: &CertificateError, host: Host<'_>) -> String {
    const ISSUER: &str = "if that is meant, set health_check.certificate to any_issuer";
    match problem {
        CertificateError::ExpiredContext { not_after, .. } => format!("expired {}", date(*not_after)),
        CertificateError::NotValidYetContext { not_before, .. } => format!("is not valid before {}", date(*not_before)),
        CertificateError::UnknownIssuer => {
            format!("is self-signed, or of an issuer that is not publicly trusted: {ISSUER}")
        }
        CertificateError::BadSignature => {
            format!("is not of the trusted issuer that it names, but of another of that name: {ISSUER}")
        }
        other if is_own_authority(other) => format!("is self-signed, and made for an authority: {ISSUER}"),
        CertificateError::NotValidForNameContext { presented, .. } => {
            not_for(host, &presented.iter().map(|name| bare(name)).collect::<Vec<_>>())
        }
        CertificateError::InvalidPurposeContext { .. } => "is not meant for a server".to_owned(),
        other => format!("cannot be used: {other}"),
    }
}

/// A common name alone is no name: clients have long ceased to look at it.
fn not_for(Host { name, is_given }: Host<'_>, presented: &[&str]) -> String {
    if presented.is_empty() {
        return format!("has no subject alternative name, which clients ask for: issue it anew, with one for {name}");
    }
    let fix = if is_given {
        "health_check.host is not a name of this certificate"
    } else {
        "set health_check.host to the name that users ask for"
    };
    format!("is for {}, and not for {name}: {fix}", presented.join(", "))
}

/// `shop.example.com` of `DnsName("shop.example.com")`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, inner)| inner.strip_suffix(')')).unwrap_or(name);
    inner.trim_matches('"')
}

fn date(time: UnixTime) -> String {
    let time = i64::try_from(time.as_secs()).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    time.map_or("at an unknown time".to_owned(), |time| format!("{time}"))
}
