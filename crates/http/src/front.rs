//! Runs before the routing of every request and after every response: checks where the request
//! comes from, normalises it, and adds the common headers.

use std::panic::AssertUnwindSafe;

use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CONNECTION, CONTENT_TYPE, HeaderValue};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::audit::Witness;
use crate::livy::Refusal;
use crate::options::Options;
use crate::request::browser::{is_foreign, strange_host};
use crate::request::caller::caller;
use crate::request::crowded::Crowded;
use crate::request::csrf;
use crate::request::leftover::Leftover;
use crate::request::other_user::OtherUser;
use crate::request::packing;
use crate::request::path::normalise;
use crate::request::query::Query;
use crate::request::rejection::Rejection;
use crate::request::request_id::{self, RequestId};
use crate::request::route::RouteOf;
use crate::response;
use crate::response::in_span::in_span;
use crate::response::security_headers::SecurityHeaders;
use crate::state::AppState;
use crate::ui::page::Depth;
use crate::v1::{self, Problem};

/// Headers that override the method of a POST.
const METHOD_HEADERS: [&str; 3] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
];

/// A client may ask for a version of Livy's interface in `Accept`. There is only one.
const VERSION_PREFIX: &str = "application/vnd.livy.v";
const VERSION: &str = "0.1";

/// How much of a strange host name a response repeats.
const LONGEST_NAME: usize = 100;

/// Gives a request its id, and has it answered in the span with that id.
pub async fn front(State(app): State<AppState>, mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    let span = id.span();
    let (route, caller) = (RouteOf::default(), caller(&request));
    let audit = app.sessions.audit();
    let mut witness = Witness::of(audit, &app.operations, &id, &caller, &route, &request);
    request.extensions_mut().insert(route.clone());
    request.extensions_mut().insert(caller);
    let mut response = answered(&app, request, next, &route, &mut witness)
        .instrument(span.clone())
        .await;
    if let Some(witness) = witness {
        witness.answered(&response);
    }
    response
        .headers_mut()
        .insert(request_id::HEADER, id.header());
    v1::name_request(&mut response, id.as_str());
    in_span(response, &span)
}

/// Normalises a request, has it handled, and adds the common headers to its response.
async fn answered(
    app: &AppState,
    request: Request,
    next: Next,
    route: &RouteOf,
    witness: &mut Option<Witness>,
) -> Response {
    let began = Instant::now();
    let path = if tracing::enabled!(tracing::Level::DEBUG) {
        request.uri().path().to_owned()
    } else {
        String::new()
    };
    let mut method = request.method().clone();
    let is_ours = is_ours(request.uri().path());
    let is_crowded = request.extensions().get::<Crowded>().is_some();
    let (request, leftover) = Leftover::of(request);
    let responded = match plain(request, &app.options) {
        Ok(request) => {
            method = request.method().clone();
            if let Some(witness) = witness {
                witness.understood(&request);
            }
            caught(next.run(request)).await
        }
        Err(rejection) => Err(rejection),
    };
    let mut response = responded.unwrap_or_else(|rejection| refused(is_ours, rejection));
    finish(&mut response, &app.options.security_headers);
    if is_crowded && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if let Some(leftover) = leftover {
        leftover
            .discard(response.status(), app.options.body_bytes)
            .await;
    }
    let duration = began.elapsed();
    let status = response.status().as_u16();
    app.routes
        .answered(route.template(), method.as_str(), status, duration);
    let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(%method, path, status, duration_ms, "answered");
    response
}

/// Tells whether a path belongs to our own interface. Every other path gets Livy's kind of refusal.
fn is_ours(path: &str) -> bool {
    path.split('/').find(|segment| !segment.is_empty()) == Some("api")
}

fn refused(is_ours: bool, rejection: Rejection) -> Response {
    if is_ours {
        Problem::from(rejection).into_response()
    } else {
        Refusal::from(rejection).into_response()
    }
}

/// Turns a handler's panic into a rejection, so that the client gets a response.
async fn caught(response: impl Future<Output = Response>) -> Result<Response, Rejection> {
    let caught = AssertUnwindSafe(response).catch_unwind().await;
    caught.map_err(|panic| Rejection::Internal(format!("panic: {}", panic_text(&*panic))))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without words")
}

fn plain(mut request: Request, options: &Options) -> Result<Request, Rejection> {
    if is_foreign(request.method(), request.headers(), &options.host_names) {
        return Err(Rejection::ForeignPage);
    }
    let path = normalise(request.uri().path()).map_err(|_| Rejection::BadPath)?;
    if !csrf::is_agents(&path) {
        check_client(&request, options)?;
    }
    if options.csrf_protection && csrf::is_missing(request.method(), &path, request.headers()) {
        return Err(Rejection::NoCsrfHeader);
    }
    if is_versioned(&path) {
        check_version(request.headers())?;
    }
    let depth = Depth::of(request.uri().path());
    if let std::borrow::Cow::Owned(path) = path {
        *request.uri_mut() = with_path(request.uri(), &path).ok_or(Rejection::BadPath)?;
    }
    request.extensions_mut().insert(depth);
    packing::forgive(request.headers_mut());
    if request.method() == Method::POST
        && let Some(method) = overridden(request.headers(), Query::new(request.uri().query()))
    {
        *request.method_mut() = method;
    }
    Ok(request)
}

/// Agents need not pass this: they prove who they are, reach the server by the operator's address,
/// and may run as other users.
fn check_client(request: &Request, options: &Options) -> Result<(), Rejection> {
    if request.extensions().get::<Crowded>().is_some() {
        return Err(Rejection::Crowded);
    }
    if let Some(user) = request.extensions().get::<OtherUser>() {
        return Err(Rejection::OtherUser(user.clone()));
    }
    match strange_host(request.uri(), request.headers(), &options.host_names) {
        Some(host) => Err(Rejection::StrangeHost(
            host.chars().take(LONGEST_NAME).collect(),
        )),
        None => Ok(()),
    }
}

fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
    Uri::from_parts(parts).ok()
}

/// Returns the method that overrides a POST. HEAD is not allowed: the client of a POST waits for a
/// body.
fn overridden(headers: &HeaderMap, query: Query) -> Option<Method> {
    let from_header = || {
        METHOD_HEADERS
            .iter()
            .find_map(|name| headers.get(*name)?.to_str().ok())
    };
    let wanted = match query.text("_method") {
        Some(method) => method.into_owned(),
        None => from_header()?.to_owned(),
    };
    let method = Method::from_bytes(wanted.trim().to_ascii_uppercase().as_bytes()).ok()?;
    (method != Method::HEAD && method != Method::CONNECT).then_some(method)
}

/// Tells whether Livy's interface has versions at this path.
fn is_versioned(path: &str) -> bool {
    matches!(path.split('/').nth(1), Some("sessions" | "batches"))
}

fn check_version(headers: &HeaderMap) -> Result<(), Rejection> {
    let accept = headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let Some(rest) = accept.strip_prefix(VERSION_PREFIX) else {
        return Ok(());
    };
    match rest.split('+').next().unwrap_or_default() {
        VERSION => Ok(()),
        other => Err(Rejection::UnknownVersion(other.to_owned())),
    }
}

fn finish(response: &mut Response, security: &SecurityHeaders) {
    let bodiless = matches!(
        response.status(),
        StatusCode::SWITCHING_PROTOCOLS | StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
    );
    let headers = response.headers_mut();
    if !bodiless && !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, response::JSON);
    }
    security.put(headers);
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn request(method: Method, uri: &str, headers: &[(&str, &str)]) -> Request {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).unwrap()
    }

    #[test]
    fn requests_get_their_plain_form() {
        for (uri, expected) in [
            ("/sessions/0?from=1", "/sessions/0?from=1"),
            ("//sessions//0/;a=b?from=1;x", "/sessions/0?from=1;x"),
            (
                "http://localhost:1/sessions/",
                "http://localhost:1/sessions",
            ),
        ] {
            assert_eq!(
                plain(request(Method::GET, uri, &[]), &Options::default())
                    .unwrap()
                    .uri(),
                expected
            );
        }
        assert!(
            plain(
                request(Method::GET, "/sessions/%zz", &[]),
                &Options::default()
            )
            .is_err()
        );
    }

    #[test]
    fn each_interface_refuses_in_its_own_form() {
        for (path, content_type) in [
            ("/api/v1/batches/%zz", "application/problem+json"),
            ("//api/%zz", "application/problem+json"),
            ("/apis/%zz", "application/json;charset=utf-8"),
            ("/sessions/%zz", "application/json;charset=utf-8"),
        ] {
            let response = refused(is_ours(path), Rejection::BadPath);
            assert_eq!(response.headers()[CONTENT_TYPE], content_type, "{path}");
        }
    }

    #[tokio::test]
    async fn a_handler_that_panics_is_answered_for() {
        let panicked = caught(async { panic!("on purpose") }).await;
        assert!(matches!(panicked, Err(Rejection::Internal(what)) if what == "panic: on purpose"));
    }

    #[test]
    fn a_post_may_be_something_else() {
        for (uri, headers, expected) in [
            ("/sessions/0?_method=DELETE", &[][..], Method::DELETE),
            ("/sessions/0?_method=delete", &[], Method::DELETE),
            (
                "/sessions/0",
                &[("X-HTTP-Method-Override", "DELETE")],
                Method::DELETE,
            ),
            ("/sessions/0", &[("X-HTTP-Method", "GET")], Method::GET),
            ("/sessions/0", &[("X-Method-Override", "put")], Method::PUT),
            (
                "/sessions/0",
                &[("X-Method-Override", "HEAD")],
                Method::POST,
            ),
            ("/sessions/0", &[("X-Method-Override", "a b")], Method::POST),
            ("/sessions/0", &[], Method::POST),
        ] {
            assert_eq!(
                plain(request(Method::POST, uri, headers), &Options::default())
                    .unwrap()
                    .method(),
                expected
            );
        }
        let get = plain(
            request(Method::GET, "/sessions/0?_method=DELETE", &[]),
            &Options::default(),
        )
        .unwrap();
        assert_eq!(get.method(), Method::GET);
    }

    #[test]
    fn there_is_one_version() {
        for (uri, accept, good) in [
            ("/sessions", "application/vnd.livy.v0.1+json", true),
            ("/sessions", "application/vnd.livy.v0.1", true),
            ("/sessions", "text/html", true),
            ("/sessions", "application/vnd.livy.v0.2+json", false),
            ("/sessions", "application/vnd.livy.v", false),
            ("/batches/0", "application/vnd.livy.v0.2+json", false),
            ("/batches", "application/vnd.livy.v0.1+json", true),
            ("/sessionsandmore", "application/vnd.livy.v0.2+json", true),
            ("/version", "application/vnd.livy.v0.2+json", true),
        ] {
            assert_eq!(
                plain(
                    request(Method::GET, uri, &[("accept", accept)]),
                    &Options::default()
                )
                .is_ok(),
                good,
                "{uri} {accept}"
            );
        }
    }
}
