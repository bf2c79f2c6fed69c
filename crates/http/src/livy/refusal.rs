//! Refusals as Livy writes them: its status codes, its two envelopes and its exact words.

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use livius_domain::{End, SessionState, chain};
use livius_sessions::{ErrorKind, SessionError};
use livius_wire::{ErrorMessage, RequestError, livy};

use crate::request::rejection::Rejection;
use crate::response::pieces::StreamError;
use crate::response::{self, Code};

/// Tells why a session has ended. The body cannot: clients compare Livy's words, which only name
/// the state.
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
pub struct Refusal {
    status: StatusCode,
    envelope: Envelope,
    message: String,
    header: Option<(HeaderName, HeaderValue)>,
    code: Option<&'static str>,
}

impl Refusal {
    fn new(status: StatusCode, envelope: Envelope, message: impl Into<String>) -> Self {
        Self {
            status,
            envelope,
            message: message.into(),
            header: None,
            code: None,
        }
    }

    fn message(status: StatusCode, message: impl Into<String>) -> Self {
        Self::new(status, Envelope::Message, message)
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    /// Names the refusal, unless it has a name.
    fn named(mut self, code: &'static str) -> Self {
        self.code = self.code.or(Some(code));
        self
    }

    /// Writes the refusal of a job or a file. Livy's words differ from those for statements, and
    /// its reasons have no prefix.
    pub fn of_job_or_file(error: SessionError) -> Self {
        let code = error.code();
        let refusal = match &error {
            SessionError::NotActive(state) => {
                Self::message(StatusCode::BAD_REQUEST, livy::INACTIVE).explaining(state)
            }
            _ => match rejected(&error) {
                Some(reason) => Self::message(StatusCode::BAD_REQUEST, reason),
                None => error.into(),
            },
        };
        refusal.named(code)
    }

    /// Hides an internal error: the client gets a number, and the server's log has the error under
    /// that number.
    fn internal(error: &str) -> Self {
        let reference = response::log_internal(error);
        let message = format!(
            "java.lang.RuntimeException: internal error {reference}; the server's log says more"
        );
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Envelope::Quoted, message)
    }

    fn not_active(state: &SessionState) -> Self {
        let name = livy::SessionState::of(state, false, false).as_str();
        let message = livy::session_in_state(name);
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Envelope::Quoted, message).explaining(state)
    }

    /// Adds why the session has ended, if it failed.
    fn explaining(self, state: &SessionState) -> Self {
        match reason(state) {
            Some(reason) => self.with(REASON, reason),
            None => self,
        }
    }
}

impl IntoResponse for Refusal {
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
        if let Some(code) = self.code {
            response.extensions_mut().insert(Code(code));
        }
        response
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        let (status, code) = (rejection.status(), rejection.code());
        let refusal = match rejection {
            Rejection::Malformed(error) => error.into(),
            Rejection::Internal(error) => Self::internal(&error),
            Rejection::NoPart { .. } => Self::new(status, Envelope::Quoted, rejection.to_string()),
            Rejection::NoBodyRoom | Rejection::Crowded | Rejection::TooManyWaits => {
                Self::message(status, rejection.to_string())
                    .with(RETRY_AFTER, HeaderValue::from_static("5"))
            }
            other => Self::message(status, other.to_string()),
        };
        refusal.named(code)
    }
}

impl From<RequestError> for Refusal {
    fn from(error: RequestError) -> Self {
        let refusal = match error {
            RequestError::Json(message) => {
                Self::new(StatusCode::BAD_REQUEST, Envelope::Quoted, message)
            }
            RequestError::Refused(message) => Self::message(StatusCode::BAD_REQUEST, message),
        };
        refusal.named("malformed")
    }
}

impl From<StreamError> for Refusal {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Sessions(error) => error.into(),
            StreamError::PieceGone => Self::internal(&error.to_string()).named("internal"),
        }
    }
}

impl From<SessionError> for Refusal {
    fn from(error: SessionError) -> Self {
        let code = error.code();
        Self::of(&error).named(code)
    }
}

impl Refusal {
    /// The refusal in Livy's words.
    fn of(error: &SessionError) -> Self {
        if let Some(reason) = rejected(error) {
            let message = format!("{}{reason}", livy::REQUEST_REJECTED);
            return Self::message(StatusCode::BAD_REQUEST, message);
        }
        match (error.kind(), error) {
            (_, SessionError::NotFound(name)) => {
                Self::message(StatusCode::NOT_FOUND, livy::not_found(name))
            }
            (_, SessionError::JobNotFound(job)) => {
                Self::message(StatusCode::NOT_FOUND, livy::job_not_found(*job))
            }
            (_, SessionError::StatementNotFound) => Self::new(
                StatusCode::NOT_FOUND,
                Envelope::Quoted,
                livy::STATEMENT_NOT_FOUND,
            ),
            (_, SessionError::TooManySessions) => {
                Self::message(StatusCode::BAD_REQUEST, livy::TOO_MANY_SESSIONS)
            }
            (_, SessionError::SharedStatement) => {
                Self::message(StatusCode::BAD_REQUEST, livy::SHARED_STATEMENT)
            }
            (_, SessionError::StatementNeedsKind) => {
                Self::message(StatusCode::BAD_REQUEST, livy::STATEMENT_NEEDS_KIND)
            }
            (_, SessionError::CompletionNeedsKind) => {
                Self::message(StatusCode::BAD_REQUEST, livy::COMPLETION_NEEDS_KIND)
            }
            (_, SessionError::Impersonation { caller, target }) => {
                Self::message(StatusCode::FORBIDDEN, livy::impersonation(caller, target))
            }
            (_, SessionError::NotActive(state)) => Self::not_active(state),
            (_, SessionError::ShuttingDown) => {
                Self::message(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
                    .with(RETRY_AFTER, HeaderValue::from_static("5"))
            }
            (_, SessionError::KeyInUse) => Self::message(StatusCode::CONFLICT, error.to_string())
                .with(RETRY_AFTER, HeaderValue::from_static("1")),
            (_, SessionError::Upload(error)) => Rejection::disk(error).into(),
            (_, SessionError::NoRoom(error)) => Rejection::no_room(error).into(),
            (ErrorKind::NotFound, _) => Self::message(StatusCode::NOT_FOUND, error.to_string()),
            (ErrorKind::Rejected, _) => Self::message(StatusCode::BAD_REQUEST, error.to_string()),
            (ErrorKind::Conflict, _) => Self::message(StatusCode::CONFLICT, error.to_string()),
            (ErrorKind::Forbidden, _) => Self::message(StatusCode::FORBIDDEN, error.to_string()),
            (ErrorKind::Overloaded, _) => {
                Self::message(StatusCode::TOO_MANY_REQUESTS, error.to_string())
                    .with(RETRY_AFTER, HeaderValue::from_static("1"))
            }
            (ErrorKind::Internal, _) => Self::internal(&chain(error)),
        }
    }
}

/// Returns the reason why the server refuses what a request asks for, in Livy's words where it has
/// some.
fn rejected(error: &SessionError) -> Option<String> {
    match error {
        SessionError::Rejected(reason) => Some(reason.clone()),
        SessionError::InvalidName(error) => Some(livy::invalid_name(error)),
        SessionError::DuplicateName { name, attempted } => {
            Some(livy::duplicate_name(name, *attempted))
        }
        SessionError::BlockedConf(keys) => Some(livy::blocked_conf(keys)),
        SessionError::RelativePath(path) => Some(livy::relative_path(path)),
        SessionError::FileNotAllowed(path) => Some(livy::file_not_allowed(path)),
        _ => None,
    }
}

/// Returns why a session has ended, as the value of a header.
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

    async fn sent(error: impl Into<Refusal>) -> (u16, String, Vec<(String, String)>) {
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
            evidence: livius_domain::Evidence::default(),
            message: "the driver ended by itself with exit code 1".to_owned(),
            hint: "the end of the session's log\nsays why".to_owned(),
        };
        let end = End {
            outcome: Outcome::Failed,
            cause: None,
            failure: Some(failure),
            exit: Some(Exit::Code(1)),
        };
        SessionError::NotActive(Box::new(SessionState::Ended(end)))
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
    }
}
