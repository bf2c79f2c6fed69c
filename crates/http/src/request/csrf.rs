//! Livy's protection against cross-site request forgery: a header that only programs, and pages of
//! this server, can add.
//!
//! The check in `browser` is always on. This one is for operators who rely on Livy's.

use axum::http::{HeaderMap, HeaderName, Method};

use crate::AGENT_PATH;

/// Its value does not matter, and may be empty.
const HEADER: HeaderName = HeaderName::from_static("x-requested-by");

/// Tells whether a request lacks the header. `method` is the method as sent, before an override;
/// `path` is normalised.
pub fn is_missing(method: &Method, path: &str, headers: &HeaderMap) -> bool {
    let is_free = [Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
    !is_free && !is_agents(path) && !headers.contains_key(HEADER)
}

/// Whether a normalised path is one of the agents', who prove that they know a secret.
pub fn is_agents(path: &str) -> bool {
    path.strip_prefix(AGENT_PATH)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_changes_something_says_by_whom() {
        let bare = HeaderMap::new();
        let named = |value: &str| HeaderMap::from_iter([(HEADER, value.parse().unwrap())]);
        for (method, path, missing) in [
            ("POST", "/sessions", true),
            ("PUT", "/sessions", true),
            ("PATCH", "/sessions/0", true),
            ("DELETE", "/sessions/0", true),
            ("TRACE", "/sessions", true),
            ("NONESUCH", "/nothing", true),
            ("POST", "/api/v1/batches/0/kill", true),
            ("POST", "/api/v1/agents", true),
            ("GET", "/sessions", false),
            ("HEAD", "/sessions", false),
            ("OPTIONS", "/sessions", false),
            ("POST", "/api/v1/agent", false),
            ("POST", "/api/v1/agent/application", false),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(is_missing(&method, path, &bare), missing, "{method} {path}");
            for value in ["x", ""] {
                assert!(!is_missing(&method, path, &named(value)), "{method} {path}");
            }
        }
    }
}
