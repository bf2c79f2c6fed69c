//! Requests to the daemons of a cluster. All of them go through [`Http::send`].

mod refusal;

use std::time::Duration;

use livius_domain::root_cause;
use reqwest::header::{CONTENT_TYPE, HeaderValue, LOCATION, REFRESH};
use reqwest::{Client, Method, StatusCode, Url, redirect};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Miss, YarnError};
use crate::text::clipped;

/// The limit of a connection's set-up. A daemon of the same data centre accepts at once.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest text of a refusal that is read. Jetty's error pages have some kilobytes.
const LONGEST_REFUSAL: usize = 64 << 10;

/// The longest header or first line that a message shows.
const LONGEST_SHOWN: usize = 300;

/// The first words of a ResourceManager that is on standby, with status 200 in some versions.
const STANDBY: [&str; 3] = [
    "This is standby RM",
    "Can not find any active RM",
    "There is no active RM",
];

/// A client of all daemons.
#[derive(Debug)]
pub struct Http {
    client: Client,
    user: String,
}

/// A request without its daemon.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The path below the base, in parts.
    pub path: &'a [&'a str],
    /// The query.
    pub query: &'a [(&'a str, &'a str)],
    /// The body of a PUT. Without one, the request is a GET.
    pub body: Option<&'a Value>,
}

impl<'a> Request<'a> {
    pub fn get(path: &'a [&'a str]) -> Self {
        Self {
            path,
            query: &[],
            body: None,
        }
    }
}

/// The reason for which a daemon gave no answer.
#[derive(Debug)]
pub enum Failure {
    /// The daemon cannot answer now. Another one, or a retry, may.
    Miss(Miss),
    /// The daemon names another one.
    Elsewhere(Miss),
    /// The daemon's last word.
    Final(YarnError),
}

impl From<Failure> for YarnError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Miss(miss) | Failure::Elsewhere(miss) => Self::Away(vec![miss]),
            Failure::Final(error) => error,
        }
    }
}

impl Http {
    pub fn new(user: String, timeout: Duration) -> Result<Self, YarnError> {
        let client = Client::builder()
            .user_agent(concat!("livius/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(timeout)
            // A redirect may lead anywhere. The configuration names the addresses.
            .redirect(redirect::Policy::none())
            // Hadoop's own clients take no proxy from the environment either.
            .no_proxy()
            .build()
            .map_err(YarnError::Setup)?;
        Ok(Self { client, user })
    }

    /// Sends a request as the configured user, and answers with a successful response.
    pub async fn send(&self, base: &Url, request: Request<'_>) -> Result<Response, Failure> {
        let mut url = base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(request.path);
        }
        url.query_pairs_mut()
            .extend_pairs(request.query)
            .append_pair("user.name", &self.user);
        let builder = match request.body {
            None => self.client.get(url),
            Some(body) => self
                .client
                .request(Method::PUT, url)
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .body(body.to_string()),
        };
        let inner = builder.send().await.map_err(|error| lost(base, &error))?;
        let response = Response {
            base: base.clone(),
            inner,
        };
        response.successful().await
    }

    /// Sends a request, and reads the response as JSON of at most `limit` bytes.
    pub async fn json<T: DeserializeOwned>(
        &self,
        base: &Url,
        request: Request<'_>,
        limit: usize,
    ) -> Result<T, Failure> {
        let mut response = self.send(base, request).await?;
        let Body { bytes, is_whole } = response.body(limit).await?;
        if !is_whole {
            return Err(foreign(base, format!("more than {limit} bytes")));
        }
        serde_json::from_slice(&bytes).map_err(|error| {
            let start = String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST_SHOWN)]);
            if STANDBY.iter().any(|words| start.starts_with(words)) {
                return miss(base, first_line(&start));
            }
            foreign(base, format!("{error} in {start:?}"))
        })
    }
}

/// A response whose body is still to be read.
pub struct Response {
    base: Url,
    inner: reqwest::Response,
}

/// The body of a response, up to a limit.
pub struct Body {
    pub bytes: Vec<u8>,
    pub is_whole: bool,
}

impl Response {
    /// The next part of the body. `None` at its end.
    pub async fn chunk(&mut self) -> Result<Option<impl AsRef<[u8]> + use<>>, Failure> {
        let chunk = self.inner.chunk().await;
        chunk.map_err(|error| lost(&self.base, &error))
    }

    /// The failure of a response that ends before its content does.
    pub fn cut_short(&self) -> Failure {
        miss(&self.base, "the connection broke".to_owned())
    }

    async fn body(&mut self, limit: usize) -> Result<Body, Failure> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            let chunk = chunk.as_ref();
            if bytes.len() + chunk.len() > limit {
                bytes.extend_from_slice(&chunk[..limit - bytes.len()]);
                let is_whole = false;
                return Ok(Body { bytes, is_whole });
            }
            bytes.extend_from_slice(chunk);
        }
        let is_whole = true;
        Ok(Body { bytes, is_whole })
    }

    /// The response itself if it is one, else the daemon's refusal.
    async fn successful(mut self) -> Result<Self, Failure> {
        let status = self.inner.status();
        let header = |name| {
            let value = self.inner.headers().get(name)?.to_str().ok()?;
            Some(clipped(value.to_owned(), LONGEST_SHOWN))
        };
        let elsewhere = header(LOCATION)
            .filter(|_| status.is_redirection())
            .map(|location| format!("it redirects to {location}"))
            .or(header(REFRESH).map(|refresh| format!("it asks to retry in {refresh}")));
        if status.is_success() && elsewhere.is_none() {
            return Ok(self);
        }
        let base = self.base.clone();
        let text = refusal::text(&self.body(LONGEST_REFUSAL).await?.bytes);
        if let Some(elsewhere) = elsewhere {
            let is_standby = STANDBY.iter().any(|words| text.starts_with(words));
            let reason = if is_standby {
                first_line(&text)
            } else {
                elsewhere
            };
            let address = base.to_string();
            return Err(Failure::Elsewhere(Miss { address, reason }));
        }
        Err(refused(&base, status, text))
    }
}

fn refused(base: &Url, status: StatusCode, text: String) -> Failure {
    let address = base.to_string();
    Failure::Final(match status {
        StatusCode::UNAUTHORIZED => YarnError::Unauthenticated { address },
        StatusCode::FORBIDDEN => YarnError::Forbidden { text },
        StatusCode::NOT_FOUND => YarnError::NotFound { text },
        // A proxy in front of a daemon says these, and a daemon that starts or stops.
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            return miss(base, format!("status {}: {text}", status.as_u16()));
        }
        _ => YarnError::Refused {
            address,
            status: status.as_u16(),
            text,
        },
    })
}

fn miss(base: &Url, reason: String) -> Failure {
    let address = base.to_string();
    Failure::Miss(Miss { address, reason })
}

pub fn foreign(base: &Url, problem: String) -> Failure {
    let address = base.to_string();
    Failure::Final(YarnError::Foreign { address, problem })
}

/// The last cause tells the reason. Those before it name the URL, and libraries.
fn lost(base: &Url, error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        return miss(base, "no answer in time".to_owned());
    }
    let reason = root_cause(error).unwrap_or_else(|| "the connection broke".to_owned());
    miss(base, reason)
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
