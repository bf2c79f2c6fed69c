//! About the server: `/` and `/version`.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{HOST, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use livius_wire::VersionAnswer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Livy;
use crate::response;
use crate::state::AppState;
use crate::ui::page::document;

pub fn routes() -> OpenApiRouter<Livy> {
    OpenApiRouter::new()
        .routes(routes!(version_get))
        .routes(routes!(root_get))
}

/// Shows the version of the server.
#[utoipa::path(
    get,
    path = "/version",
    tag = "server",
    responses((status = 200, description = "Livy's version, as far as clients are concerned", body = VersionAnswer))
)]
pub async fn version_get(State(app): State<AppState>) -> Response {
    response::ok(&app.options.version)
}

/// Redirects to the web UI.
#[utoipa::path(get, path = "/", tag = "server", responses((status = 302, description = "To `/ui`")))]
pub async fn root_get(headers: HeaderMap) -> Response {
    let mut response = document(StatusCode::FOUND, "text/html", Body::empty());
    response
        .headers_mut()
        .insert(LOCATION, ui_address(&headers));
    response
}

/// Returns the absolute address of the web UI, as Livy does, because gateways rewrite only absolute
/// ones. Without a well-formed `Host` header it returns a path.
fn ui_address(headers: &HeaderMap) -> HeaderValue {
    let forwarded = headers
        .get("x-forwarded-proto")
        .is_some_and(|scheme| scheme == "https");
    let scheme = if forwarded { "https" } else { "http" };
    let host = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .filter(|host| is_host(host));
    let address = host.map(|host| format!("{scheme}://{host}/ui"));
    address
        .and_then(|address| HeaderValue::try_from(address).ok())
        .unwrap_or(HeaderValue::from_static("/ui"))
}

fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_leads_to_the_page_by_the_name_that_the_client_used() {
        for (host, scheme, expected) in [
            (Some("gw.example:8998"), None, "http://gw.example:8998/ui"),
            (Some("[::1]:8998"), None, "http://[::1]:8998/ui"),
            (Some("gw"), Some("https"), "https://gw/ui"),
            (Some("evil/x?y"), None, "/ui"),
            (Some(""), None, "/ui"),
            (None, None, "/ui"),
        ] {
            let mut headers = HeaderMap::new();
            let values = [(HOST, host), ("x-forwarded-proto".parse().unwrap(), scheme)];
            for (name, value) in values {
                headers.extend(value.map(|value| (Some(name), value.parse().unwrap())));
            }
            assert_eq!(ui_address(&headers), expected);
        }
    }
}
