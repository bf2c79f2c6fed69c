//! Builds the pages of the web UI. A script on each page reads the REST interface, so the page
//! itself holds no user's data, and of its address it reveals only the depth.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

const HTML: &str = "text/html;charset=utf-8";
const MISSING: &str = include_str!("assets/missing.html");

/// No page is deeper than this, whatever slashes a client adds.
const DEEPEST: usize = 16;

/// The number of steps from the browser's address to the root. Links are relative, because a proxy
/// may put a prefix before all paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth(usize);

impl Depth {
    /// Returns the depth of a path as the client wrote it: the browser counts its slashes.
    pub fn of(path: &str) -> Self {
        let slashes = path.bytes().filter(|byte| *byte == b'/').count();
        Self(slashes.saturating_sub(1).min(DEEPEST))
    }

    fn base(self) -> String {
        format!("./{}", "../".repeat(self.0))
    }
}

/// Fills these values into a page. Each is a word or a number of ours.
pub fn page(depth: Depth, template: &str, values: &[(&str, &str)]) -> Response {
    let mut text = template.replace("{{base}}", &depth.base());
    for (name, value) in values {
        text = text.replace(&format!("{{{{{name}}}}}"), value);
    }
    document(StatusCode::OK, HTML, text)
}

/// The page for a missing page. Livy sends it with status 200, which misleads programs and caches.
pub fn missing(depth: Depth) -> Response {
    let mut response = page(depth, MISSING, &[]);
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// A response that is not JSON.
pub fn document(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_the_root_from_where_the_browser_is() {
        for (path, base) in [
            ("/", "./"),
            ("/ui", "./"),
            ("/ui/", "./../"),
            ("//ui", "./../"),
            ("/ui/session/0", "./../../"),
            ("/ui/session/0/log", "./../../../"),
            ("/ui/session/0/;x=y", "./../../../"),
            ("", "./"),
        ] {
            assert_eq!(Depth::of(path).base(), base, "{path}");
        }
        assert_eq!(Depth::of(&"/".repeat(9_999)), Depth(DEEPEST));
    }
}
