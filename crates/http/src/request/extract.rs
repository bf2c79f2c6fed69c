//! Extractors for the session, batch, statement or job that a path names, and for the caller.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use livius_domain::{BatchId, JobId, SessionId, StatementId};
use livius_sessions::{BatchRef, Caller, Keyed, SessionRef};
use livius_wire::integer;

use crate::face::Face;
use crate::request::key;
use crate::request::rejection::Rejection;

/// The session of a path: `{id}`.
pub struct InSession(pub SessionRef);

/// The batch of a path: `{id}`.
pub struct InBatch(pub BatchRef);

/// The session and the statement of a path: `{id}` and `{statement}`.
pub struct InStatement(pub SessionRef, pub StatementId);

/// The session and the job of a path: `{id}` and `{job}`.
pub struct InJob(pub SessionRef, pub JobId);

/// The executor of a path: `{executor}`.
pub struct Executor(pub String);

/// The key of a path: `{key}`.
pub struct InKey(pub String);

impl<F: Face> FromRequestParts<F> for InKey {
    type Rejection = F::Error;

    async fn from_request_parts(parts: &mut Parts, _: &F) -> Result<Self, F::Error> {
        let parameters = parameters(parts).await?;
        let key = parameter(&parameters, "key");
        key::check(key.as_bytes())?;
        Ok(Self(key.to_owned()))
    }
}

impl<F: Face> FromRequestParts<F> for Executor {
    type Rejection = F::Error;

    async fn from_request_parts(parts: &mut Parts, _: &F) -> Result<Self, F::Error> {
        let parameters = parameters(parts).await?;
        Ok(Self(parameter(&parameters, "executor").to_owned()))
    }
}

impl<F: Face> FromRequestParts<F> for InSession {
    type Rejection = F::Error;

    async fn from_request_parts(parts: &mut Parts, _: &F) -> Result<Self, F::Error> {
        let parameters = parameters(parts).await?;
        Ok(Self(session_ref(parameter(&parameters, "id"))?))
    }
}

impl<F: Face> FromRequestParts<F> for InBatch {
    type Rejection = F::Error;

    async fn from_request_parts(parts: &mut Parts, _: &F) -> Result<Self, F::Error> {
        let parameters = parameters(parts).await?;
        Ok(Self(match session_ref(parameter(&parameters, "id"))? {
            SessionRef::Id(SessionId(id)) => BatchRef::Id(BatchId(id)),
            SessionRef::Name(name) => BatchRef::Name(name),
        }))
    }
}

impl<F: Face> FromRequestParts<F> for InStatement {
    type Rejection = F::Error;

    async fn from_request_parts(parts: &mut Parts, _: &F) -> Result<Self, F::Error> {
        let parameters = parameters(parts).await?;
        let session = session_ref(parameter(&parameters, "id"))?;
        Ok(Self(
            session,
            StatementId(number(&parameters, "statement")?),
        ))
    }
}

impl<F: Face> FromRequestParts<F> for InJob {
    type Rejection = F::Error;

    async fn from_request_parts(parts: &mut Parts, _: &F) -> Result<Self, F::Error> {
        let parameters = parameters(parts).await?;
        let session = session_ref(parameter(&parameters, "id"))?;
        Ok(Self(session, JobId(number(&parameters, "job")?)))
    }
}

async fn parameters(parts: &mut Parts) -> Result<RawPathParams, Rejection> {
    RawPathParams::from_request_parts(parts, &())
        .await
        .map_err(|_| Rejection::BadPath)
}

fn parameter<'a>(parameters: &'a RawPathParams, name: &str) -> &'a str {
    parameters
        .iter()
        .find_map(|(key, value)| (key == name).then_some(value))
        .unwrap_or_default()
}

fn number(parameters: &RawPathParams, name: &str) -> Result<i32, Rejection> {
    Ok(integer(parameter(parameters, name))?)
}

/// The caller of the request, whom `front` identified.
pub struct CallerOf(pub Caller);

impl<S: Sync> FromRequestParts<S> for CallerOf {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let caller = parts.extensions.get::<Caller>();
        Ok(Self(caller.cloned().unwrap_or_default()))
    }
}

/// The key of the request, if it has one.
pub struct KeyOf(pub Option<Keyed>);

impl<S: Sync> FromRequestParts<S> for KeyOf {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get().cloned()))
    }
}

/// A text of digits is an id, any other text a name.
fn session_ref(text: &str) -> Result<SessionRef, Rejection> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(SessionRef::Id(SessionId(integer(text)?)))
    } else {
        Ok(SessionRef::Name(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_ids_and_all_else_is_a_name() {
        assert_eq!(session_ref("007").unwrap(), SessionRef::Id(SessionId(7)));
        for name in ["a", "-1", "1a", "a/b", "π", "١"] {
            assert_eq!(
                session_ref(name).unwrap(),
                SessionRef::Name(name.to_owned())
            );
        }
        let overflow = session_ref("99999999999").unwrap_err();
        assert_eq!(overflow.to_string(), "For input string: \"99999999999\"");
    }
}
