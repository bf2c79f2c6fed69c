//! The connection to an API server.

mod bounds;
mod tls;

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use http::header::{HeaderName, HeaderValue, USER_AGENT};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ConfigExt as _};
use kube::{Client, Config};
use tower::util::option_layer;
use tower::{BoxError, Layer as _, ServiceExt as _};

use self::bounds::Bounded;
use crate::access::Access;
use crate::credentials::{Credentials, SERVICE_ACCOUNT};
use crate::error::{KubernetesError, authentication};

/// The limit of a connection's set-up. An API server accepts at once.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The pause after which the operating system asks whether the other side is still there. A followed
/// log is silent for hours, and a machine that is gone would never be noticed.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// The questions without an answer after which a connection counts as broken.
const KEEPALIVE_RETRIES: u32 = 4;

/// The limit for the files, and for a program that gives a token.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_mins(1);

/// Makes a client. It reads files, and runs the program that a kubeconfig may name, but sends no
/// request.
pub async fn connect(access: &Access) -> Result<Client, KubernetesError> {
    connect_with(access, SERVICE_ACCOUNT.into()).await
}

async fn connect_with(
    access: &Access,
    service_account: Utf8PathBuf,
) -> Result<Client, KubernetesError> {
    let access = access.clone();
    let build = tokio::task::spawn_blocking(move || build(&access, &service_account));
    match tokio::time::timeout(CREDENTIALS_TIMEOUT, build).await {
        Ok(Ok(client)) => client,
        Ok(Err(panic)) => std::panic::resume_unwind(panic.into_panic()),
        Err(_) => {
            let problem = "the program that the kubeconfig names does not end".to_owned();
            Err(KubernetesError::Access { problem })
        }
    }
}

fn build(access: &Access, service_account: &Utf8Path) -> Result<Client, KubernetesError> {
    let credentials = Credentials::read(access, service_account)?;
    let connector = tls::connector(http_connector(), &credentials)
        .map_err(|problem| KubernetesError::Access { problem })?;
    let http: HttpClient<_, Body> = HttpClient::builder(TokioExecutor::new()).build(connector);

    let mut config = Config::new(credentials.url);
    config.auth_info = credentials.user;
    config.headers = vec![user_agent()];
    let authentication = config.auth_layer().map_err(|error| unusable(&error))?;
    let headers = config
        .extra_headers_layer()
        .map_err(|error| unusable(&error))?;
    let service = headers.layer(http).map_err(BoxError::from);
    let service = option_layer(authentication).layer(service);
    let service = config.base_uri_layer().layer(service);
    Ok(Client::new(Bounded::new(service), "default"))
}

fn user_agent() -> (HeaderName, HeaderValue) {
    let value = concat!("livius/", env!("CARGO_PKG_VERSION"));
    (USER_AGENT, HeaderValue::from_static(value))
}

fn unusable(error: &kube::Error) -> KubernetesError {
    let problem = match error {
        kube::Error::Auth(error) => authentication(error),
        // Its text is about the headers of an impersonation.
        other => crate::text::message(&other.to_string()),
    };
    KubernetesError::Access { problem }
}

fn http_connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
    connector.set_keepalive(Some(KEEPALIVE));
    connector.set_keepalive_interval(Some(KEEPALIVE));
    connector.set_keepalive_retries(Some(KEEPALIVE_RETRIES));
    connector
}

#[cfg(test)]
#[path = "client/tests.rs"]
mod tests;
