//! Pages for people. They show what the REST interface answers: a script of ours asks it, so a page itself holds nothing
//! of anybody's, and of its address only how deep that is.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

const HTML: &str = "text/html;charset=utf-8";
const MISSING: &str = include_str!("assets/missing.html");

/// No page of ours is deeper, whatever slashes a client adds.
const DEEPEST: usize = 16;

/// How many steps lead from a browser's address to the root. Links are relative, as a proxy may put a prefix before all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth(usize);

impl Depth {
    /// That of a path as the client wrote it: its slashes are what a browser counts.
    pub fn of(path: &str) -> Self {
        let slashes = path.bytes().filter(|byte| *byte == b'/').count();
        Self(slashes.saturating_sub(1).min(DEEPEST))
    }

    fn base(self) -> String {
        format!("./{}", "../".repeat(self.0))
    }
}

/// A page with these values in it, each a word or a number of ours.
pub fn page(depth: Depth, template: &str, values: &[(&str, &str)]) -> Response {
    let mut text = template.replace("{{base}}", &depth.base());
    for (name, value) in values {
        text = text.replace(&format!("{{{{{name}}}}}"), value);
    }
    document(StatusCode::OK, HTML, text)
}

/// The page that says that there is no such page. Livy answers with status 200 there, which tells programs and caches a lie.
pub fn missing(depth: Depth) -> Response {
    let mut response = page(depth, MISSING, &[]);
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// An answer that is not JSON.
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
