//! Sends requests and reads responses.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use livius_domain::root_cause;
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::ClientError;
use crate::events::EventStream;
use crate::key;
use crate::pace::Pace;
use crate::target::{Credentials, Target};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The time for which `look` retries while the server is away.
const ABSENCE: Duration = Duration::from_mins(1);
/// The longest life of a stream of events. The client opens another one after it.
const FOLLOWED: Duration = Duration::from_hours(24);

/// Called with the failure when a request begins to be retried.
type RetryNotice = Arc<dyn Fn(&ClientError) + Send + Sync>;

/// A client of one server. Clones are cheap.
#[derive(Clone)]
pub struct Livy {
    client: Client,
    target: Target,
    on_retry: RetryNotice,
}

impl fmt::Debug for Livy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Livy")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

impl Livy {
    /// Makes a client. Sends no request yet.
    pub fn new(target: Target) -> Result<Self, ClientError> {
        let mut builder = Client::builder()
            .default_headers(target.headers.clone())
            .user_agent(concat!("livius/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(target.timeout)
            // Livy never redirects. Following a redirect would send secret headers to another
            // server.
            .redirect(redirect::Policy::none());
        if target.is_local {
            // A proxy from the environment cannot reach this machine.
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(ClientError::Setup)?;
        Ok(Self {
            client,
            target,
            on_retry: Arc::new(|_| {}),
        })
    }

    /// Sets a callback. The client calls it once for each outage, when [`look`](Self::look) begins
    /// to retry.
    pub fn on_retry(mut self, notice: impl Fn(&ClientError) + Send + Sync + 'static) -> Self {
        self.on_retry = Arc::new(notice);
        self
    }

    /// The server.
    pub fn base(&self) -> &str {
        &self.target.base
    }

    /// Tells whether the server is on this machine.
    pub fn is_local(&self) -> bool {
        self.target.is_local
    }

    /// Sends a GET request.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let text = self.answer(self.client.get(self.url(path))).await?;
        self.read(path, &text)
    }

    /// Opens a stream of events behind the last one; `None` if there are none. It may last for as long
    /// as the server lives.
    pub async fn events(
        &self,
        path: &str,
        last: Option<&str>,
    ) -> Result<Option<EventStream>, ClientError> {
        let mut request = self.client.get(self.url(path)).timeout(FOLLOWED);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = self.accepted(request).await?;
        let kind = response.headers().get("content-type");
        let is_stream = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        Ok(is_stream.then(|| EventStream::new(response)))
    }

    /// Sends a GET request, and retries while the server is away. Callers wait for work that may
    /// take hours, so a restart of the server must not end the wait.
    pub async fn look<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let (mut pace, mut missed) = (Pace::RETRY, None);
        loop {
            let error = match self.get(path).await {
                Err(error) if error.may_pass() => error,
                answer => return answer,
            };
            let since = *missed.get_or_insert_with(|| {
                (self.on_retry)(&error);
                Instant::now()
            });
            if since.elapsed() > ABSENCE {
                return Err(error);
            }
            pace.wait().await;
        }
    }

    /// Sends a POST request. If the answer is lost, sends the request again with the same
    /// `Idempotency-Key`, but only to a server that knows such keys: Livy would do the request a second
    /// time.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<T, ClientError> {
        let key = key::random();
        let send = async || {
            let request = self.client.post(self.url(path)).json(body);
            self.answer(request.header(key::HEADER, &key)).await
        };
        let text = match send().await {
            Err(error) if error.leaves_open() => {
                (self.on_retry)(&error);
                self.repeat(&key, error, send).await
            }
            answer => answer,
        };
        self.read(path, &text?)
    }

    /// Sends a request with a key again until it is answered. The error is the one before.
    async fn repeat(
        &self,
        key: &str,
        mut error: ClientError,
        send: impl AsyncFn() -> Result<String, ClientError>,
    ) -> Result<String, ClientError> {
        let (mut pace, since) = (Pace::RETRY, Instant::now());
        while since.elapsed() < ABSENCE {
            pace.wait().await;
            match self.knows_keys(key).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(passing) if passing.may_pass() => continue,
                Err(_) => break,
            }
            match send().await {
                Err(again) if again.may_pass() || again.is_in_progress() => error = again,
                answer => return answer,
            }
        }
        Err(error)
    }

    /// Whether the server has a route for keys: it says what it knows of this one.
    async fn knows_keys(&self, key: &str) -> Result<bool, ClientError> {
        let request = self.client.get(self.url(&format!("/api/v1/keys/{key}")));
        match self.answer(request).await {
            Ok(_) => Ok(true),
            Err(ClientError::Refused { status, text }) if status == StatusCode::NOT_FOUND => {
                Ok(text.contains(key::NAME))
            }
            Err(error) => Err(error),
        }
    }

    /// Sends a DELETE request.
    pub async fn delete(&self, path: &str) -> Result<(), ClientError> {
        self.answer(self.client.delete(self.url(path)))
            .await
            .map(drop)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.target.base)
    }

    async fn answer(&self, request: RequestBuilder) -> Result<String, ClientError> {
        let answer = self.accepted(request).await?;
        answer.text().await.map_err(|error| self.lost(&error))
    }

    /// Sends a request. A status that is no success is an error.
    async fn accepted(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let request = match &self.target.credentials {
            Some(Credentials { user, password }) => request.basic_auth(user, Some(password)),
            None => request,
        };
        let answer = request.send().await.map_err(|error| self.lost(&error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let header = |name: &str| {
            let value = answer.headers().get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        let elsewhere = header("location").filter(|_| status.is_redirection());
        let reason = header("livius-reason")
            .or(elsewhere.map(|location| format!("it sends us to {location}")));
        let text = answer.text().await.map_err(|error| self.lost(&error))?;
        Err(ClientError::refused(status, &text, reason.as_deref()))
    }

    fn read<T: DeserializeOwned>(&self, path: &str, text: &str) -> Result<T, ClientError> {
        serde_json::from_str(text).map_err(|_| {
            let start: String = text.chars().take(80).collect();
            ClientError::Foreign {
                base: self.target.base.clone(),
                path: path.to_owned(),
                text: format!("{start:?}"),
            }
        })
    }

    fn lost(&self, error: &reqwest::Error) -> ClientError {
        let base = self.target.base.clone();
        if error.is_timeout() && !error.is_connect() {
            return ClientError::TimedOut { base };
        }
        let reason = root_cause(error).unwrap_or_else(|| "the connection broke".to_owned());
        if error.is_connect() {
            ClientError::Unreachable { base, reason }
        } else {
            ClientError::Lost { base, reason }
        }
    }
}
