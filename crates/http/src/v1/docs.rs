//! `/api/docs`: a page that shows the OpenAPI document. All of its files are in the binary.

use std::sync::Arc;

use axum::Extension;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use livius_wire::ProblemAnswer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::Config;

use super::{Problem, V1};
use crate::ui::page::{Depth, document, page};

const PAGE: &str = include_str!("docs/page.html");
const START: &str = include_str!("docs/start.js");

/// The files of Swagger UI that the page needs.
const FILES: [(&str, &str); 2] = [
    ("swagger-ui.css", "text/css;charset=utf-8"),
    ("swagger-ui-bundle.js", SCRIPT),
];

const SCRIPT: &str = "text/javascript;charset=utf-8";

/// The page's own policy. Swagger UI sets styles of elements, and has images in its style sheet.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'self'";

pub fn routes() -> OpenApiRouter<V1> {
    OpenApiRouter::new()
        .routes(routes!(docs_get))
        .routes(routes!(docs_file))
}

/// Shows the OpenAPI document to people, who can try each request.
#[utoipa::path(
    get,
    path = "/api/docs",
    tag = "server",
    responses((status = 200, description = "The page", body = String, content_type = "text/html"))
)]
pub async fn docs_get(Extension(depth): Extension<Depth>) -> Response {
    let mut response = page(depth, PAGE, &[]);
    let policy = HeaderValue::from_static(POLICY);
    response
        .headers_mut()
        .insert(CONTENT_SECURITY_POLICY, policy);
    response
}

/// Sends a file that the page uses, compressed with gzip.
#[utoipa::path(
    get,
    path = "/api/docs/{file}",
    tag = "server",
    params(("file" = String, Path, description = "The file's name")),
    responses(
        (status = 200, description = "The file", body = String, content_type = "text/javascript"),
        (status = 404, description = "There is no such file", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn docs_file(Path(name): Path<String>) -> Result<Response, Problem> {
    let mut response = if name == "start.js" {
        document(StatusCode::OK, SCRIPT, START)
    } else {
        vendored(&name).ok_or_else(|| {
            let message = "the page of the documentation has no such file";
            Problem::new(StatusCode::NOT_FOUND, "no_such_file", message)
        })?
    };
    // The next version of the server may have other files.
    let stale = HeaderValue::from_static("no-cache");
    response.headers_mut().insert(CACHE_CONTROL, stale);
    Ok(response)
}

fn vendored(name: &str) -> Option<Response> {
    let (name, content_type) = FILES.into_iter().find(|(known, _)| *known == name)?;
    let config = Arc::new(Config::from(""));
    let file = utoipa_swagger_ui::serve(name, config).ok()??;
    let mut response = document(StatusCode::OK, content_type, file.bytes.into_owned());
    if file.gzpipped {
        let gzip = HeaderValue::from_static("gzip");
        response.headers_mut().insert(CONTENT_ENCODING, gzip);
    }
    Some(response)
}
