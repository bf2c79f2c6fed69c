//! Refusals as HTTP. This is the only place that knows their status codes.

mod uploads;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use livius_domain::{End, SessionState, chain};
use livius_sessions::{AttachRefused, ErrorKind, ReportRefused, SessionError};
use livius_wire::{ErrorMessage, RequestError};

use crate::response;

/// Says why a session does not take statements any more, next to Livy's words for it, which clients compare.
const REASON: HeaderName = HeaderName::from_static("livius-reason");

/// The two shapes of Livy's refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Envelope {
    /// `{"msg":…}`
    Message,
    /// A bare JSON string.
    Quoted,
}

/// A refusal, ready to be sent.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    envelope: Envelope,
    message: String,
    header: Option<(HeaderName, HeaderValue)>,
}

impl ApiError {
    fn new(status: StatusCode, envelope: Envelope, message: impl Into<String>) -> Self {
        Self {
            status,
            envelope,
            message: message.into(),
            header: None,
        }
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    /// The path cannot be understood.
    pub fn bad_path() -> Self {
        let message = "The path is not percent-encoded UTF-8: write % as %25";
        Self::new(StatusCode::BAD_REQUEST, Envelope::Message, message)
    }

    /// A page of another site made a browser send it.
    pub fn foreign_page() -> Self {
        let message = "A page of another site may not change anything here: send the request from a program, or from a page \
                       of this server, opened as localhost, by its address, or by one of its names (server.host_names)";
        Self::new(StatusCode::FORBIDDEN, Envelope::Message, message)
    }

    /// The header is missing by which programs show that no browser was made to send the request. The words are Livy's, and a remedy.
    pub fn no_csrf_header() -> Self {
        let message =
            "Missing Required Header for CSRF protection. Send X-Requested-By, with any value";
        Self::new(StatusCode::BAD_REQUEST, Envelope::Message, message)
    }

    /// The client wants a version of the interface that there is not.
    pub fn unknown_version(version: &str) -> Self {
        Self::new(
            StatusCode::NOT_ACCEPTABLE,
            Envelope::Message,
            format!("No value found for '{version}'"),
        )
    }

    /// The refusals of what needs a session that has not ended: Livy has words of its own for jobs and files.
    pub fn of_inactive(error: SessionError) -> Self {
        let SessionError::NotActive { full, .. } = &error else {
            return error.into();
        };
        let message = "requirement failed: Session isn't active.";
        let refused = Self::new(StatusCode::BAD_REQUEST, Envelope::Message, message);
        match reason(full) {
            Some(reason) => refused.with(REASON, reason),
            None => refused,
        }
    }

    /// The body is longer than is read.
    pub fn too_large(limit: usize) -> Self {
        let message = format!(
            "The body is longer than {limit} bytes (server.body_limit): send large data as files"
        );
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, Envelope::Message, message)
    }

    /// The body did not come.
    pub fn body_overdue(deadline: Duration) -> Self {
        let message = format!("The body did not arrive within {} s", deadline.as_secs());
        Self::new(StatusCode::REQUEST_TIMEOUT, Envelope::Message, message)
    }

    /// Too much is being received at once.
    pub fn no_room() -> Self {
        let message =
            "Too many long bodies are being received (server.body_limit bounds them): try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, Envelope::Message, message)
            .with(RETRY_AFTER, HeaderValue::from_static("5"))
    }

    /// The body broke off, or is not what its `Content-Encoding` says.
    pub fn broken_body(error: &dyn std::error::Error) -> Self {
        let message = format!("The body cannot be read: {}", chain(error));
        Self::new(StatusCode::BAD_REQUEST, Envelope::Message, message)
    }

    /// The request took longer than any may.
    pub fn overdue(deadline: Duration) -> Self {
        let message = format!(
            "No answer within {} s; what was asked for may still be done, so look before asking again",
            deadline.as_secs()
        );
        Self::new(StatusCode::GATEWAY_TIMEOUT, Envelope::Message, message)
    }

    /// The agent did not say who it is.
    pub fn anonymous_agent() -> Self {
        let message = "An agent sends 'Authorization: Bearer' with its token and its driver's name in 'Livius-Driver'";
        Self::from(AttachRefused::WrongToken).saying(message)
    }

    /// The request is not one for a WebSocket.
    pub fn no_websocket(problem: &str) -> Self {
        let message = format!("Agents connect here by WebSocket: {problem}");
        Self::new(StatusCode::BAD_REQUEST, Envelope::Message, message)
    }

    /// Something broke. The log has the error, the client has the number to find it by.
    pub fn internal(what: &str) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let reference = COUNT.fetch_add(1, Ordering::Relaxed);
        tracing::error!(reference, error = what, "a request failed");
        let message = format!(
            "java.lang.RuntimeException: internal error {reference}; the server's log says more"
        );
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Envelope::Quoted, message)
    }

    fn saying(mut self, message: &str) -> Self {
        message.clone_into(&mut self.message);
        self
    }

    /// Livy answers so, and clients look for these words.
    fn not_active(state: &'static str, full: &SessionState) -> Self {
        let message = format!("java.lang.IllegalStateException: Session is in state {state}");
        let error = Self::new(StatusCode::INTERNAL_SERVER_ERROR, Envelope::Quoted, message);
        match reason(full) {
            Some(reason) => error.with(REASON, reason),
            None => error,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let text = match self.envelope {
            Envelope::Message => serde_json::to_string(&ErrorMessage { msg: self.message })
                .expect("a text is always JSON"),
            Envelope::Quoted => livius_wire::quoted(&self.message),
        };
        let mut response = response::json(self.status, text);
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl From<RequestError> for ApiError {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Json(message) => {
                Self::new(StatusCode::BAD_REQUEST, Envelope::Quoted, message)
            }
            RequestError::Refused(message) => {
                Self::new(StatusCode::BAD_REQUEST, Envelope::Message, message)
            }
        }
    }
}

impl From<SessionError> for ApiError {
    fn from(error: SessionError) -> Self {
        use Envelope::{Message, Quoted};
        match (error.kind(), &error) {
            (_, SessionError::StatementNotFound) => {
                Self::new(StatusCode::NOT_FOUND, Quoted, error.to_string())
            }
            (_, SessionError::NotActive { state, full }) => Self::not_active(state, full),
            (_, SessionError::ShuttingDown) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, Message, error.to_string())
                    .with(RETRY_AFTER, HeaderValue::from_static("5"))
            }
            (_, SessionError::Upload(error)) => Self::disk(error),
            (ErrorKind::NotFound, _) => {
                Self::new(StatusCode::NOT_FOUND, Message, error.to_string())
            }
            (ErrorKind::Rejected, _) => {
                Self::new(StatusCode::BAD_REQUEST, Message, error.to_string())
            }
            (ErrorKind::Conflict, _) => Self::new(StatusCode::CONFLICT, Message, error.to_string()),
            (ErrorKind::Forbidden, _) => {
                Self::new(StatusCode::FORBIDDEN, Message, error.to_string())
            }
            (ErrorKind::Overloaded, _) => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, Message, error.to_string())
                    .with(RETRY_AFTER, HeaderValue::from_static("1"))
            }
            (ErrorKind::Internal, _) => Self::internal(&chain(&error)),
        }
    }
}

impl From<ReportRefused> for ApiError {
    fn from(refused: ReportRefused) -> Self {
        match refused {
            ReportRefused::Agent(refused) => refused.into(),
            ReportRefused::Store(error) => error.into(),
        }
    }
}

impl From<AttachRefused> for ApiError {
    fn from(refused: AttachRefused) -> Self {
        match refused {
            AttachRefused::UnknownDriver => Self::new(
                StatusCode::NOT_FOUND,
                Envelope::Message,
                refused.to_string(),
            ),
            AttachRefused::WrongToken => Self::new(
                StatusCode::UNAUTHORIZED,
                Envelope::Message,
                refused.to_string(),
            )
            .with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        }
    }
}

/// Why a session is over, as a header can say it.
fn reason(state: &SessionState) -> Option<HeaderValue> {
    let (SessionState::Ended(End { failure, .. }) | SessionState::Stopping { failure, .. }) = state
    else {
        return None;
    };
    let failure = failure.as_ref()?;
    let text = format!("{}; {}", failure.message, failure.hint);
    let visible = |c: char| {
        if c.is_ascii_graphic() || c == ' ' {
            c
        } else {
            ' '
        }
    };
    HeaderValue::try_from(text.chars().take(1_000).map(visible).collect::<String>()).ok()
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use livius_domain::{Exit, Failure, FailureCode, Outcome, Phase, SessionId};

    use super::*;

    async fn sent(error: impl Into<ApiError>) -> (u16, String, Vec<(String, String)>) {
        let response = error.into().into_response();
        let status = response.status().as_u16();
        assert_eq!(
            response.headers()["content-type"],
            "application/json;charset=utf-8"
        );
        let headers = response
            .headers()
            .iter()
            .filter(|(name, _)| *name != "content-type");
        let headers = headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap(), headers)
    }

    fn dead() -> SessionError {
        let failure = Failure {
            code: FailureCode::DriverExited,
            phase: Phase::Running,
            message: "the driver ended by itself with exit code 1".to_owned(),
            hint: "the end of the session's log\nsays why".to_owned(),
        };
        let end = End {
            outcome: Outcome::Failed,
            cause: None,
            failure: Some(failure),
            exit: Some(Exit::Code(1)),
        };
        SessionError::NotActive {
            state: "dead",
            full: Box::new(SessionState::Ended(end)),
        }
    }

    #[tokio::test]
    async fn refusals_have_livys_status_and_envelope() {
        for (error, status, body) in [
            (
                SessionError::NotFound("5".into()),
                404,
                r#"{"msg":"Session '5' not found."}"#,
            ),
            (
                SessionError::StatementNotFound,
                404,
                r#""Statement not found""#,
            ),
            (
                SessionError::Rejected("no".into()),
                400,
                r#"{"msg":"Rejected, Reason: no"}"#,
            ),
            (
                SessionError::TooManySessions,
                400,
                r#"{"msg":"Rejected, too many sessions are being created!"}"#,
            ),
            (
                SessionError::InvalidStatement("which kind?".into()),
                400,
                r#"{"msg":"which kind?"}"#,
            ),
            (
                dead(),
                500,
                r#""java.lang.IllegalStateException: Session is in state dead""#,
            ),
            (
                SessionError::Impersonation {
                    caller: "ann".into(),
                    target: "bob".into(),
                },
                403,
                r#"{"msg":"User 'ann' not allowed to impersonate 'Some(bob)'."}"#,
            ),
            (
                SessionError::ShuttingDown,
                503,
                r#"{"msg":"the server is shutting down"}"#,
            ),
            (
                SessionError::TooManyStatements {
                    session: SessionId(1),
                    limit: 2,
                },
                429,
                r#"{"msg":"session 1 already has 2 statements waiting; try again when some have run"}"#,
            ),
        ] {
            let (actual_status, actual_body, _) = sent(error).await;
            assert_eq!((actual_status, actual_body.as_str()), (status, body));
        }
    }

    #[tokio::test]
    async fn what_went_wrong_inside_stays_inside() {
        let io = std::io::Error::other("/secret/path");
        let (status, body, _) = sent(SessionError::Log(io)).await;
        assert_eq!(status, 500);
        assert!(
            body.starts_with("\"java.lang.RuntimeException: internal error ")
                && !body.contains("secret"),
            "{body}"
        );
    }

    #[tokio::test]
    async fn headers_say_what_bodies_cannot() {
        let (_, _, headers) = sent(dead()).await;
        let reason =
            "the driver ended by itself with exit code 1; the end of the session's log says why";
        assert_eq!(headers, [("livius-reason".to_owned(), reason.to_owned())]);
        let (_, _, headers) = sent(SessionError::TooManyStatements {
            session: SessionId(1),
            limit: 2,
        })
        .await;
        assert_eq!(headers, [("retry-after".to_owned(), "1".to_owned())]);
        let (status, _, headers) = sent(AttachRefused::WrongToken).await;
        assert_eq!(
            (status, headers),
            (
                401,
                vec![("www-authenticate".to_owned(), "Bearer".to_owned())]
            )
        );
        assert_eq!(sent(AttachRefused::UnknownDriver).await.0, 404);
    }
}
