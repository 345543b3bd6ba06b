//! Requests that wait for their slot ([`crate::rate`]): below the client, so that each page and each further try of a call draws one, too.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use crate::rate::Draw;

/// One try without its wait, as every client has it: the client itself must set no time-out, or it would count the wait.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(4);

/// The same connections, with a slot drawn before each request.
pub fn paced(inner: SharedHttpClient, draw: Arc<dyn Draw>) -> SharedHttpClient {
    SharedHttpClient::new(Paced { inner, draw })
}

#[derive(Debug)]
struct Paced {
    inner: SharedHttpClient,
    draw: Arc<dyn Draw>,
}

impl HttpClient for Paced {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(PacedConnector { inner, draw: self.draw.clone() })
    }
}

#[derive(Clone, Debug)]
struct PacedConnector {
    inner: SharedHttpConnector,
    draw: Arc<dyn Draw>,
}

impl HttpConnector for PacedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self { inner, draw } = self.clone();
        HttpConnectorFuture::new(async move {
            draw.draw().await.map_err(|slow| ConnectorError::other(slow.into(), None))?;
            let answered = tokio::time::timeout(ATTEMPT_TIMEOUT, inner.call(request)).await;
            answered.map_err(|late| ConnectorError::timeout(late.into()))?
        })
    }
}
