//! Limits for each request: of its time, and of the length of its response.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::LOCATION;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame};
use kube::client::Body;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tower::{BoxError, Service};

use crate::text;

/// The limit of a request with its response, and of the pauses in a log that is not followed.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The longest response. A page has at most 500 pods of some kilobytes each.
const LONGEST_RESPONSE: usize = 64 << 20;

/// The longest line of a watch: one object. The API server stores objects of at most 1.5 MiB.
const LONGEST_LINE: usize = 8 << 20;

#[derive(Debug, thiserror::Error)]
enum Breach {
    #[error("no answer in time")]
    Slow,
    #[error("a response of more than {0} bytes")]
    Long(usize),
    #[error("it redirects to {0}, which is not followed")]
    Redirect(String),
}

/// The kind of a request, which tells how long its response may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A response with an end.
    Plain,
    /// Events, one a line. The library notices a watch that is silent for too long.
    Watch,
    /// A log, as long as it is.
    Log,
    /// A log that goes on. The API server sends nothing, not even the headers, until the container
    /// has written something.
    FollowedLog,
}

impl Kind {
    fn of(request: &Request<Body>) -> Self {
        let query = request.uri().query().unwrap_or_default();
        let has = |parameter: &str| query.split('&').any(|part| part == parameter);
        match request.uri().path().ends_with("/log") {
            true if has("follow=true") => Self::FollowedLog,
            true => Self::Log,
            false if has("watch=true") => Self::Watch,
            false => Self::Plain,
        }
    }
}

/// A service whose responses have limits.
#[derive(Debug, Clone)]
pub struct Bounded<S> {
    inner: S,
}

impl<S> Bounded<S> {
    pub fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S, B> Service<Request<Body>> for Bounded<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<BoundedBody<B>>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let kind = Kind::of(&request);
        let until = Instant::now() + TIMEOUT;
        let response = self.inner.call(request);
        Box::pin(async move {
            let response = match kind {
                Kind::FollowedLog => response.await,
                Kind::Plain | Kind::Watch | Kind::Log => {
                    let limited = timeout(TIMEOUT, response).await;
                    limited.map_err(|_| Breach::Slow)?
                }
            };
            let response = response.map_err(Into::into)?;
            if response.status().is_redirection() {
                let location = response.headers().get(LOCATION);
                let location = location.map_or_else(String::new, |location| {
                    text::message(&String::from_utf8_lossy(location.as_bytes()))
                });
                return Err(Breach::Redirect(location).into());
            }
            // The API server answers a refused watch or log with a body that has an end.
            let kind = if response.status().is_success() {
                kind
            } else {
                Kind::Plain
            };
            Ok(response.map(|body| BoundedBody::new(body, kind, until)))
        })
    }
}

/// A body with a limit.
pub struct BoundedBody<B> {
    inner: B,
    kind: Kind,
    /// The bytes so far: of the whole body, or of the current line.
    bytes: usize,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<B> BoundedBody<B> {
    fn new(inner: B, kind: Kind, until: Instant) -> Self {
        let timer = match kind {
            Kind::Plain => Some(Box::pin(tokio::time::sleep_until(until))),
            Kind::Log => Some(Box::pin(sleep(TIMEOUT))),
            Kind::Watch | Kind::FollowedLog => None,
        };
        Self {
            inner,
            kind,
            bytes: 0,
            timer,
        }
    }

    fn take(&mut self, data: &[u8]) -> Result<(), Breach> {
        match self.kind {
            Kind::Plain => self.add(data.len(), LONGEST_RESPONSE),
            Kind::Watch => {
                let mut lines = data.split(|byte| *byte == b'\n');
                self.add(lines.next().map_or(0, <[u8]>::len), LONGEST_LINE)?;
                for line in lines {
                    self.bytes = 0;
                    self.add(line.len(), LONGEST_LINE)?;
                }
                Ok(())
            }
            Kind::Log => {
                if let Some(timer) = &mut self.timer {
                    timer.as_mut().reset(Instant::now() + TIMEOUT);
                }
                Ok(())
            }
            Kind::FollowedLog => Ok(()),
        }
    }

    fn add(&mut self, bytes: usize, limit: usize) -> Result<(), Breach> {
        self.bytes += bytes;
        if self.bytes > limit {
            return Err(Breach::Long(limit));
        }
        Ok(())
    }
}

impl<B> HttpBody for BoundedBody<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(cx) else {
            let Some(timer) = &mut this.timer else {
                return Poll::Pending;
            };
            ready!(timer.as_mut().poll(cx));
            return Poll::Ready(Some(Err(Breach::Slow.into())));
        };
        Poll::Ready(frame.map(|frame| {
            let frame = frame.map_err(Into::into)?;
            if let Some(data) = frame.data_ref() {
                this.take(data)?;
            }
            Ok(frame)
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
}

#[cfg(test)]
#[path = "bounds/tests.rs"]
mod tests;
