//! Reads that are asked once: what one invocation has been answered, it is not answered again. Below the clients, so that whoever
//! looks need not know what another part has seen, and a call that is tried again after a throttle goes on where it was.
//!
//! For reads alone, and for one invocation: of what is asked twice, both times are the same moment. What failed is not remembered.
//! Two who ask the same at once send one request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use tokio::sync::OnceCell;

/// The same connections, with what they have answered.
pub(crate) fn once(inner: SharedHttpClient) -> SharedHttpClient {
    SharedHttpClient::new(Once { inner, answers: Answers::default() })
}

type Answers = Arc<Mutex<HashMap<Question, Arc<OnceCell<HttpResponse>>>>>;

/// What a request asks: all of it but what differs from try to try, its signature.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Question {
    method: String,
    uri: String,
    /// The operation, where the address does not say it.
    target: Option<String>,
    body: Vec<u8>,
}

impl Question {
    /// None where the body is not there as a whole: that is never a read.
    fn of(request: &HttpRequest) -> Option<Self> {
        Some(Self {
            method: request.method().to_owned(),
            uri: request.uri().to_owned(),
            target: request.headers().get("x-amz-target").map(str::to_owned),
            body: request.body().bytes()?.to_vec(),
        })
    }
}

#[derive(Clone, Debug)]
struct Once {
    inner: SharedHttpClient,
    answers: Answers,
}

impl HttpClient for Once {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(OnceConnector { inner, answers: self.answers.clone() })
    }
}

#[derive(Clone, Debug)]
struct OnceConnector {
    inner: SharedHttpConnector,
    answers: Answers,
}

impl HttpConnector for OnceConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self { inner, answers } = self.clone();
        let Some(question) = Question::of(&request) else { return inner.call(request) };
        HttpConnectorFuture::new(async move {
            let cell = answers.lock().unwrap_or_else(PoisonError::into_inner).entry(question).or_default().clone();
            // What is asked may fail in two ways: by no answer, and by one that says so.
            let asked = cell.get_or_try_init(async || match inner.call(request).await {
                Ok(answer) if answer.status().is_success() => whole(answer).await.map_err(Err),
                other => Err(other),
            });
            match asked.await {
                Ok(answer) => copy(answer),
                Err(failed) => failed,
            }
        })
    }
}

/// An answer with all of its body.
async fn whole(mut answer: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let body = ByteStream::new(answer.take_body()).collect().await;
    let body = body.map_err(|broken| ConnectorError::io(broken.into()))?;
    *answer.body_mut() = SdkBody::from(body.into_bytes());
    Ok(answer)
}

fn copy(answer: &HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let body = answer.body().try_clone();
    let body = body.ok_or_else(|| ConnectorError::other("an answer is not there as a whole".into(), None))?;
    let mut copy = HttpResponse::new(answer.status(), body);
    for (name, value) in answer.headers() {
        copy.headers_mut().append(name.to_owned(), value.to_owned());
    }
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

    use super::*;

    /// Answers with the number of the request, after having failed so many times.
    #[derive(Debug)]
    struct Counting(AtomicU16, u16);

    impl HttpConnector for Counting {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            let count = self.0.fetch_add(1, Relaxed) + 1;
            let status = if count <= self.1 { 400 } else { 200 };
            HttpConnectorFuture::new(async move {
                tokio::task::yield_now().await;
                let status = status.try_into().map_err(|_| ConnectorError::user("no status".into()))?;
                Ok(HttpResponse::new(status, SdkBody::from(count.to_string())))
            })
        }
    }

    fn request(uri: &str, body: &'static str) -> HttpRequest {
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_uri(uri.to_owned()).unwrap();
        request
    }

    async fn ask(connector: &OnceConnector, uri: &str, body: &'static str) -> String {
        let answer = connector.call(request(uri, body)).await.unwrap();
        String::from_utf8(answer.body().bytes().map_or(b"gone".to_vec(), <[u8]>::to_vec)).unwrap()
    }

    fn failing(times: u16) -> OnceConnector {
        let inner = SharedHttpConnector::new(Counting(AtomicU16::new(0), times));
        OnceConnector { inner, answers: Answers::default() }
    }

    #[tokio::test]
    async fn the_same_is_asked_once_also_at_the_same_time() {
        let connector = failing(0);
        let (one, other) = tokio::join!(ask(&connector, "http://a/", "x"), ask(&connector, "http://a/", "x"));
        assert_eq!((one.as_str(), other.as_str()), ("1", "1"));
        assert_eq!(ask(&connector, "http://a/", "y").await, "2");
        assert_eq!(ask(&connector, "http://b/", "x").await, "3");
        assert_eq!(ask(&connector, "http://a/", "x").await, "1");
    }

    #[tokio::test]
    async fn what_failed_is_asked_again() {
        let connector = failing(1);
        assert_eq!(connector.call(request("http://a/", "x")).await.unwrap().status().as_u16(), 400);
        assert_eq!(ask(&connector, "http://a/", "x").await, "2");
        assert_eq!(ask(&connector, "http://a/", "x").await, "2");
    }
}
