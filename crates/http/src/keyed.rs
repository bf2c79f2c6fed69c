//! Requests with an `Idempotency-Key`: each is done once. Its repetition gets the first answer again.
//!
//! This layer reads the body, compares the request with the one that was done, and keeps the answer.
//! The operation that makes something gets the key from [`KeyOf`](crate::request::extract::KeyOf)
//! and stores it with what it makes.

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use livius_domain::Made;
use livius_failpoint::{Point, reach};
use livius_sessions::{
    Caller, Claim, ErrorKind, KEPT_ANSWER_BYTES, KeptAnswer, KeyRecord, Keyed, Keys, SessionError,
};

use crate::face::Face;
use crate::request::body::RequestBody;
use crate::request::csrf::is_agents;
use crate::request::fingerprint::Fingerprint;
use crate::request::key;
use crate::request::rejection::Rejection;
use crate::request::upload_key::{UploadKey, is_upload};
use crate::response::REPLAYED;

/// How much of a path is kept, to tell which request a key was used for.
const SHOWN_PATH: usize = 500;

/// The longest user that a key may belong to.
const LONGEST_USER: usize = 255;

/// Has a request done, unless it has a key with which it was done before.
pub async fn keyed<F: Face>(State(face): State<F>, request: Request, next: Next) -> Response {
    let has_key = request.headers().contains_key(key::HEADER);
    if !has_key || request.method() != Method::POST || is_agents(request.uri().path()) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    if face.does_nothing(&parts) {
        return next.run(Request::from_parts(parts, body)).await;
    }
    once(&face, parts, body, next)
        .await
        .unwrap_or_else(F::Error::into_response)
}

async fn once<F: Face>(
    face: &F,
    mut parts: Parts,
    body: Body,
    next: Next,
) -> Result<Response, F::Error> {
    let keys = face.app().sessions.keys();
    let (caller, key) = named(&parts)?;
    let fingerprint = Fingerprint::of(&parts);
    if is_upload(parts.uri.path()) {
        let claim = keys.claim(&caller, &key)?;
        let request = Request::from_parts(parts, body);
        return upload(face, claim, fingerprint, request, next).await;
    }
    let body = RequestBody::read(&parts.headers, body, face.app()).await?;
    let fingerprint = body.added_to(fingerprint).await.finish();
    let claim = keys.claim(&caller, &key);
    let done = match &claim {
        Ok(claim) => keys.done(claim).await?,
        Err(_) => keys.settled(&caller, &key).await?,
    };
    if let Some(record) = done {
        return repeated(face, &mut parts, record, fingerprint).await;
    }
    let keyed = keys.keyed(claim?, line(&parts), fingerprint);
    parts.extensions.insert(keyed.clone());
    parts.extensions.insert(body.kept_for_handler());
    let response = next.run(Request::from_parts(parts, Body::empty())).await;
    reach(Point::KeyRequestDone);
    kept(keys, &keyed, response)
        .await
        .map_err(|error| Rejection::Internal(error.to_string()).into())
}

/// The caller and the key of a request.
fn named(parts: &Parts) -> Result<(Caller, String), Rejection> {
    let key = key::key(&parts.headers)?.unwrap_or_default().to_owned();
    let caller = parts.extensions.get::<Caller>().cloned();
    let caller = caller.unwrap_or_default();
    let is_long =
        |user: &Option<String>| user.as_ref().is_some_and(|user| user.len() > LONGEST_USER);
    if is_long(&caller.user) || is_long(&caller.do_as) {
        let why = "the request's user has a name of more than 255 bytes";
        return Err(Rejection::BadKey(why));
    }
    Ok((caller, key))
}

/// The body of an upload is not read before its handler reads it, and the handler compares.
async fn upload<F: Face>(
    face: &F,
    claim: Claim,
    fingerprint: Fingerprint,
    request: Request,
    next: Next,
) -> Result<Response, F::Error> {
    let keys = face.app().sessions.keys();
    let done = keys.done(&claim).await?;
    let (mut parts, body) = request.into_parts();
    let unread = keys.keyed(claim, line(&parts), [0; 32]);
    let is_repeated = done.is_some();
    parts
        .extensions
        .insert(UploadKey::new(unread, fingerprint, done));
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if is_repeated && response.status().is_success() {
        mark(response.headers_mut());
    }
    Ok(response)
}

/// The error of a request whose first answer was not kept, if what it made cannot be read.
pub fn gone<E: From<Rejection> + From<SessionError>>(error: SessionError, made: Made) -> E {
    match error.kind() {
        ErrorKind::NotFound => Rejection::KeyGone(made).into(),
        _ => error.into(),
    }
}

/// The answer to a request that was done.
async fn repeated<F: Face>(
    face: &F,
    parts: &mut Parts,
    record: KeyRecord,
    fingerprint: [u8; 32],
) -> Result<Response, F::Error> {
    if record.fingerprint != fingerprint {
        return Err(Rejection::KeyReused(record.request).into());
    }
    let mut response = match (record.answer, record.made) {
        (Some(answer), _) => {
            again(answer).map_err(|error| Rejection::Internal(error.to_string()))?
        }
        (None, Some(made)) => face.remade(parts, made).await?,
        (None, None) => {
            return Err(Rejection::Internal("a key has no answer".to_owned()).into());
        }
    };
    mark(response.headers_mut());
    Ok(response)
}

fn mark(headers: &mut HeaderMap) {
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
}

/// Keeps a short answer of a request that succeeded. A request that was refused has left its key
/// free.
async fn kept(keys: &Keys, keyed: &Keyed, response: Response) -> Result<Response, axum::Error> {
    let length = response.body().size_hint().exact();
    let is_short = length.is_some_and(|length| length <= KEPT_ANSWER_BYTES as u64);
    if !response.status().is_success() || !is_short {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, KEPT_ANSWER_BYTES).await?;
    let answer = KeptAnswer {
        status: parts.status.as_u16(),
        location: text(&parts.headers, &LOCATION),
        content_type: text(&parts.headers, &CONTENT_TYPE),
        body: body.to_vec(),
    };
    keys.keep(keyed, &answer).await;
    reach(Point::KeyAnswerKept);
    Ok(Response::from_parts(parts, body.into()))
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.to_owned())
}

/// A kept answer.
fn again(answer: KeptAnswer) -> Result<Response, axum::http::Error> {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status)?;
    for (name, text) in [
        (LOCATION, answer.location),
        (CONTENT_TYPE, answer.content_type),
    ] {
        if let Some(text) = text {
            response.headers_mut().insert(name, text.try_into()?);
        }
    }
    Ok(response)
}

/// The method and the path of a request.
fn line(parts: &Parts) -> String {
    let path: String = parts.uri.path().chars().take(SHOWN_PATH).collect();
    format!("{} {path}", parts.method)
}
