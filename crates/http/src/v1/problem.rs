//! The error responses of our own interface.

use axum::body::HttpBody as _;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use livius_domain::{Failure, SessionState, chain};
use livius_sessions::{AttachRefused, ErrorKind, ReportRefused, SessionError};
use livius_wire::{ProblemAnswer, RequestError};

use crate::request::rejection::Rejection;
use crate::response::pieces::StreamError;
use crate::response::{self, Code};

/// A problem, ready to be sent.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    answer: Box<ProblemAnswer>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem with a name for programs and a message for people.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            answer: Box::new(ProblemAnswer {
                code,
                phase: None,
                field: None,
                message: message.into(),
                hint: None,
                request_id: None,
            }),
            headers: Vec::new(),
        }
    }

    /// Adds a header.
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Adds what to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.answer.hint = Some(hint.into());
        self
    }

    /// Adds the parameter that is at fault.
    pub fn field(mut self, name: &'static str) -> Self {
        self.answer.field = Some(name);
        self
    }

    /// A problem that a failure would be.
    pub fn of_failure(failure: &Failure) -> Self {
        let code = failure.code.as_str();
        let mut problem = Self::new(StatusCode::CONFLICT, code, failure.message.clone());
        problem.answer.phase = Some(failure.phase);
        problem.hint(failure.hint.clone())
    }

    /// The problem as it is shown.
    pub fn into_answer(self) -> ProblemAnswer {
        *self.answer
    }

    /// Adds the failure that caused the problem.
    fn caused_by(mut self, failure: &Failure) -> Self {
        self.answer.phase = Some(failure.phase);
        self.hint(format!("{}; {}", failure.message, failure.hint))
    }

    /// Hides an internal error: the client gets a number, and the server's log has the error under
    /// that number.
    fn internal(error: &str) -> Self {
        let reference = response::log_internal(error);
        let message = format!("internal error {reference}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
            .hint("the server's log has the cause under this number")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let text = serde_json::to_vec(&self.answer).expect("texts are always JSON");
        let mut response = response::json(self.status, text);
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.extend(self.headers);
        response.extensions_mut().insert(Code(self.answer.code));
        response.extensions_mut().insert(self.answer);
        response
    }
}

/// Writes the id of its request into a response that tells of a problem.
pub fn name_request(response: &mut Response, id: &str) {
    let answer = response.extensions_mut().remove::<Box<ProblemAnswer>>();
    let Some(mut answer) = answer else {
        return;
    };
    answer.request_id = Some(id.to_owned());
    let text = serde_json::to_vec(&answer).expect("texts are always JSON");
    if response.headers().contains_key(CONTENT_LENGTH) {
        let length = HeaderValue::from(text.len());
        response.headers_mut().insert(CONTENT_LENGTH, length);
    }
    // The response to HEAD has no body.
    if response.body().size_hint().exact() != Some(0) {
        *response.body_mut() = text.into();
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let status = rejection.status();
        if let Rejection::Internal(error) = &rejection {
            return Self::internal(error);
        }
        let problem = Self::new(status, rejection.code(), rejection.to_string());
        match rejection {
            Rejection::NoBodyRoom | Rejection::Crowded | Rejection::TooManyWaits => {
                problem.with(RETRY_AFTER, HeaderValue::from_static("5"))
            }
            _ => problem,
        }
    }
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        Rejection::from(error).into()
    }
}

impl From<StreamError> for Problem {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Sessions(error) => error.into(),
            StreamError::PieceGone => Self::internal(&error.to_string()),
        }
    }
}

impl From<SessionError> for Problem {
    fn from(error: SessionError) -> Self {
        let (code, message) = (error.code(), error.to_string());
        match (error.kind(), &error) {
            (_, SessionError::ShuttingDown) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message)
                    .with(RETRY_AFTER, HeaderValue::from_static("5"))
            }
            (_, SessionError::KeyInUse) => Self::new(StatusCode::CONFLICT, code, message)
                .with(RETRY_AFTER, HeaderValue::from_static("1")),
            (_, SessionError::Upload(error)) => Rejection::disk(error).into(),
            (_, SessionError::NoRoom(error)) => Rejection::no_room(error).into(),
            (_, SessionError::NotActive(state)) => {
                let problem = Self::new(StatusCode::CONFLICT, code, message);
                match failure(state) {
                    Some(failure) => problem.caused_by(failure),
                    None => problem,
                }
            }
            (ErrorKind::NotFound, _) => Self::new(StatusCode::NOT_FOUND, code, message),
            (ErrorKind::Rejected, _) => Self::new(StatusCode::BAD_REQUEST, code, message),
            (ErrorKind::Conflict, _) => Self::new(StatusCode::CONFLICT, code, message),
            (ErrorKind::Forbidden, _) => Self::new(StatusCode::FORBIDDEN, code, message),
            (ErrorKind::Overloaded, _) => Self::new(StatusCode::TOO_MANY_REQUESTS, code, message)
                .with(RETRY_AFTER, HeaderValue::from_static("1")),
            (ErrorKind::Internal, _) => Self::internal(&chain(&error)),
        }
    }
}

impl From<AttachRefused> for Problem {
    fn from(refused: AttachRefused) -> Self {
        let message = refused.to_string();
        match refused {
            AttachRefused::UnknownDriver => {
                Self::new(StatusCode::NOT_FOUND, "unknown_driver", message)
            }
            AttachRefused::WrongToken => {
                Self::new(StatusCode::UNAUTHORIZED, "wrong_token", message)
                    .with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
            AttachRefused::Unavailable => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
                    .with(RETRY_AFTER, HeaderValue::from_static("5"))
            }
        }
    }
}

impl From<ReportRefused> for Problem {
    fn from(refused: ReportRefused) -> Self {
        match refused {
            ReportRefused::Agent(refused) => refused.into(),
            ReportRefused::Store(error) => error.into(),
        }
    }
}

/// Returns the failure of a session that is stopping or has ended.
fn failure(state: &SessionState) -> Option<&Failure> {
    match state {
        SessionState::Ended(end) => end.failure.as_ref(),
        SessionState::Stopping { failure, .. } => failure.as_ref(),
        SessionState::Starting | SessionState::Running => None,
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use livius_domain::{End, Exit, FailureCode, Outcome, Phase};

    use super::*;

    async fn sent(problem: impl Into<Problem>) -> (u16, String, Response) {
        let response = problem.into().into_response();
        let (parts, body) = response.into_parts();
        assert_eq!(parts.headers["content-type"], "application/problem+json");
        let body = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        (
            parts.status.as_u16(),
            text,
            Response::from_parts(parts, ().into_response().into_body()),
        )
    }

    #[tokio::test]
    async fn problems_name_what_went_wrong() {
        let failure = Failure {
            code: FailureCode::DriverExited,
            phase: Phase::Running,
            evidence: livius_domain::Evidence::default(),
            message: "the driver ended".to_owned(),
            hint: "read its log".to_owned(),
        };
        let dead = SessionState::Ended(End {
            outcome: Outcome::Failed,
            cause: None,
            failure: Some(failure),
            exit: Some(Exit::Code(1)),
        });
        for (error, status, body) in [
            (
                SessionError::NotFound("5".into()),
                404,
                r#"{"code":"not_found","message":"there is no session or batch 5"}"#,
            ),
            (
                SessionError::NotActive(Box::new(dead)),
                409,
                r#"{"code":"not_active","phase":"running","message":"the session is not active (failed)","hint":"the driver ended; read its log"}"#,
            ),
            (
                SessionError::ShuttingDown,
                503,
                r#"{"code":"shutting_down","message":"the server is shutting down"}"#,
            ),
        ] {
            let (actual_status, actual_body, _) = sent(error).await;
            assert_eq!((actual_status, actual_body.as_str()), (status, body));
        }
    }

    #[tokio::test]
    async fn an_internal_error_tells_only_its_number() {
        let error = SessionError::Log(std::io::Error::other("/secret/path"));
        let (status, body, _) = sent(error).await;
        assert_eq!(status, 500);
        assert!(!body.contains("secret"), "{body}");
    }

    #[tokio::test]
    async fn a_wrong_token_is_asked_for() {
        let (status, _, response) = sent(AttachRefused::WrongToken).await;
        assert_eq!(status, 401);
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        assert_eq!(sent(AttachRefused::UnknownDriver).await.0, 404);
    }
}
