//! `/ui` and `/static`: the pages of the web UI and the files that they use.

use axum::Extension;
use axum::extract::Path;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::livy::Livy;
use crate::ui::page::{Depth, document, missing, page};

const HOME: &str = include_str!("assets/home.html");
const SESSION: &str = include_str!("assets/session.html");
const LOG: &str = include_str!("assets/log.html");
const SCRIPT: &str = include_str!("assets/pages.js");
const STYLE: &str = include_str!("assets/pages.css");

pub fn routes() -> OpenApiRouter<Livy> {
    OpenApiRouter::new()
        .routes(routes!(ui_get))
        .routes(routes!(ui_session))
        .routes(routes!(ui_session_log))
        .routes(routes!(ui_batch_log))
        .routes(routes!(static_get))
}

/// Shows the sessions and batches, and the routes of the server.
#[utoipa::path(
    get,
    path = "/ui",
    tag = "server",
    responses((status = 200, description = "The sessions and batches, and what can be called here", body = String, content_type = "text/html"))
)]
pub async fn ui_get(Extension(depth): Extension<Depth>) -> Response {
    page(depth, HOME, &[])
}

/// Shows a session and its statements. The page exists for every number; its script asks whether
/// the session does.
#[utoipa::path(
    get,
    path = "/ui/session/{id}",
    tag = "server",
    params(("id" = i32, Path, description = "The session's number")),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 404, description = "Not a number", body = String, content_type = "text/html"),
    )
)]
pub async fn ui_session(Extension(depth): Extension<Depth>, Path(id): Path<String>) -> Response {
    match number(&id) {
        Some(id) => page(depth, SESSION, &[("id", &id)]),
        None => missing(depth),
    }
}

/// Shows the end of a session's log.
#[utoipa::path(
    get,
    path = "/ui/session/{id}/log",
    tag = "server",
    params(("id" = i32, Path, description = "The session's number")),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 404, description = "Not a number", body = String, content_type = "text/html"),
    )
)]
pub async fn ui_session_log(
    Extension(depth): Extension<Depth>,
    Path(id): Path<String>,
) -> Response {
    log(depth, &id, "Session", "sessions")
}

/// Shows the end of a batch's log.
#[utoipa::path(
    get,
    path = "/ui/batch/{id}/log",
    tag = "server",
    params(("id" = i32, Path, description = "The batch's number")),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 404, description = "Not a number", body = String, content_type = "text/html"),
    )
)]
pub async fn ui_batch_log(Extension(depth): Extension<Depth>, Path(id): Path<String>) -> Response {
    log(depth, &id, "Batch", "batches")
}

fn log(depth: Depth, id: &str, what: &str, collection: &str) -> Response {
    match number(id) {
        Some(id) => page(
            depth,
            LOG,
            &[("id", &id), ("what", what), ("collection", collection)],
        ),
        None => missing(depth),
    }
}

/// Parses a number, and writes it again, so that nothing else of an address gets into a page.
fn number(text: &str) -> Option<String> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let number: i32 = is_plain.then(|| text.parse().ok())??;
    Some(number.to_string())
}

/// Sends a file that the pages use.
#[utoipa::path(
    get,
    path = "/static/{path}",
    tag = "server",
    params(("path" = String, Path, description = "The file's name")),
    responses(
        (status = 200, description = "The file", body = String, content_type = "text/javascript"),
        (status = 404, description = "There is no such file", body = String, content_type = "text/plain"),
    )
)]
pub async fn static_get(Path(path): Path<String>) -> Response {
    let (content_type, text) = match path.as_str() {
        "pages.js" => ("text/javascript;charset=utf-8", SCRIPT),
        "pages.css" => ("text/css;charset=utf-8", STYLE),
        _ => {
            let words = "File not found";
            return document(StatusCode::NOT_FOUND, "text/plain;charset=utf-8", words);
        }
    };
    let mut response = document(StatusCode::OK, content_type, text);
    // The next version of the server may have other pages.
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
