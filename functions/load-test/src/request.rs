//! Requests as they are sent: made once from the plan, copied for each sending.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use cutover::plan::{LoadRequest, LoadTarget};
use cutover::probe::{Target, status_range};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ACCEPT, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Uri};

/// The header that names the run: so that the sides' logs and metrics can leave a test out.
pub const TEST_HEADER: &str = "x-cutover-load-test";

/// How Cutover calls itself.
const AGENT: &str = concat!("cutover-load-test/", env!("CARGO_PKG_VERSION"));

/// One of the plan's requests, ready for both versions of HTTP.
#[derive(Clone, Debug)]
pub struct Prepared {
    method: Method,
    /// Path and query, for HTTP/1.1.
    path: Uri,
    /// The whole address, for HTTP/2.
    address: Uri,
    /// Of HTTP/1.1, with the Host header.
    headers_1: HeaderMap,
    /// Of HTTP/2, which has the host in the address.
    headers_2: HeaderMap,
    body: Bytes,
    /// The statuses of success.
    pub expect_status: RangeInclusive<u16>,
    /// What the body must contain.
    pub expect_body: Option<String>,
}

impl Prepared {
    /// Of one request of the plan; `run` names the test, `secret` are headers that the plan has not itself.
    ///
    /// # Errors
    /// What is wrong, for a person. A value of a header is never in it.
    pub fn new(
        request: &LoadRequest,
        target: &LoadTarget,
        run: &str,
        secret: &BTreeMap<String, String>,
    ) -> Result<Self, String> {
        let parts = Target::parse(&target.url)?;
        let host = target.host.as_deref().unwrap_or(&parts.authority);
        let scheme = if parts.is_tls { "https" } else { "http" };
        let uri = |text: String| {
            text.parse::<Uri>().map_err(|_| format!("the path `{}` is not one", cutover::probe::shown(&request.path)))
        };
        let mut headers_2 = HeaderMap::new();
        headers_2.insert(ACCEPT, HeaderValue::from_static("*/*"));
        for (name, value) in &request.headers {
            let (name, value) = header(name, value)?;
            headers_2.insert(name, value);
        }
        for (name, value) in secret {
            let (name, mut value) = header(name, value)?;
            value.set_sensitive(true); // in no debug text, and in no table of HTTP/2
            headers_2.insert(name, value);
        }
        headers_2.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        let run = HeaderValue::from_str(run).map_err(|_| "the run's name is no header value".to_owned())?;
        headers_2.insert(HeaderName::from_static(TEST_HEADER), run);
        let mut headers_1 = headers_2.clone();
        headers_1.insert(HOST, HeaderValue::from_str(host).map_err(|_| format!("`{host}` is not a host"))?);
        Ok(Self {
            method: Method::from_bytes(request.method.as_str().as_bytes()).map_err(|error| error.to_string())?,
            path: uri(request.path.clone())?,
            address: uri(format!("{scheme}://{host}{}", request.path))?,
            headers_1,
            headers_2,
            body: request.body.clone().unwrap_or_default().into(),
            expect_status: status_range(&request.expect_status)
                .ok_or_else(|| format!("the status `{}` is none", request.expect_status))?,
            expect_body: request.expect_body.clone(),
        })
    }

    /// All requests of a plan; one that asks for nothing else gets the target's own URL.
    ///
    /// # Errors
    /// What is wrong, for a person.
    pub fn all(
        requests: &[LoadRequest],
        target: &LoadTarget,
        run: &str,
        secret: &BTreeMap<String, String>,
    ) -> Result<Vec<Self>, String> {
        requests.iter().map(|request| Self::new(request, target, run, secret)).collect()
    }

    /// To be sent by HTTP/1.1.
    pub fn http1(&self) -> Request<Full<Bytes>> {
        self.of(&self.path, &self.headers_1)
    }

    /// To be sent by HTTP/2.
    pub fn http2(&self) -> Request<Full<Bytes>> {
        self.of(&self.address, &self.headers_2)
    }

    fn of(&self, uri: &Uri, headers: &HeaderMap) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri.clone();
        *request.headers_mut() = headers.clone();
        request
    }
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let shown: String = name.chars().take(80).collect();
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{shown}` is not a header's name"))?;
    let value = HeaderValue::from_str(value).map_err(|_| format!("the value of header `{shown}` is not one"))?;
    Ok((name, value))
}

/// What the plan asks for: its requests, or the URL of the target.
pub fn requests_of(requests: &[LoadRequest], target: &LoadTarget) -> Result<Vec<LoadRequest>, String> {
    if !requests.is_empty() {
        return Ok(requests.to_vec());
    }
    let path = Target::parse(&target.url)?.path;
    Ok(vec![LoadRequest {
        method: cutover::plan::Method::Get,
        path,
        headers: BTreeMap::new(),
        body: None,
        weight: 1,
        expect_status: "200-299".to_owned(),
        expect_body: None,
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> LoadTarget {
        serde_json::from_value(serde_json::json!({ "url": url })).unwrap()
    }

    #[test]
    fn a_test_names_itself_whatever_the_plan_says() {
        let target = target("http://10.0.0.1:8080/home?x=1");
        let mut request = requests_of(&[], &target).unwrap().remove(0);
        request.headers.insert("User-Agent".to_owned(), "somebody else".to_owned());
        let secret = BTreeMap::from([("authorization".to_owned(), "Bearer x".to_owned())]);
        let prepared = Prepared::new(&request, &target, "shop-1", &secret).unwrap();
        let sent = prepared.http1();
        assert_eq!(sent.uri(), "/home?x=1");
        assert!(sent.headers()[USER_AGENT].to_str().unwrap().starts_with("cutover-load-test/"));
        assert_eq!(sent.headers()[TEST_HEADER], "shop-1");
        assert_eq!(
            (&sent.headers()[HOST], &sent.headers()["authorization"]),
            (&"10.0.0.1:8080".parse().unwrap(), &"Bearer x".parse().unwrap())
        );
        assert!(!format!("{prepared:?}").contains("Bearer x"), "{prepared:?}");
        assert_eq!(prepared.http2().uri(), "http://10.0.0.1:8080/home?x=1");
    }

    #[test]
    fn a_headers_value_is_never_told() {
        let mut request = requests_of(&[], &target("http://10.0.0.1/")).unwrap().remove(0);
        request.headers.insert("authorization".to_owned(), "secret\nline".to_owned());
        let error = Prepared::new(&request, &target("http://10.0.0.1/"), "r", &BTreeMap::new()).unwrap_err();
        assert!(error.contains("authorization") && !error.contains("secret"), "{error}");
    }
}
