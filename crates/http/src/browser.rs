//! Requests that a page of another site makes a browser send.
//!
//! Livy takes any content type, so a browser asks nobody before it posts: without this check, every page that a user of a server on
//! their own machine looks at could run code there. Livy's clients are no browsers and send none of these headers.

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Method};

/// Whether a request that changes something comes from a page of another site.
pub fn is_foreign(method: &Method, headers: &HeaderMap) -> bool {
    if method.is_safe() {
        return false;
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match text("sec-fetch-site") {
        // `none` is a person's own doing, such as a bookmark.
        Some(site) => !matches!(site, "same-origin" | "none"),
        // Browsers that do not tell the site tell the origin.
        None => match text(ORIGIN.as_str()) {
            Some(origin) => origin.split_once("://").map(|(_, host)| host) != text(HOST.as_str()),
            None => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_from_other_sites_are_foreign() {
        type Headers = &'static [(&'static str, &'static str)];
        let cases: [(Method, Headers, bool); 9] = [
            (Method::POST, &[], false),
            (Method::POST, &[("sec-fetch-site", "cross-site")], true),
            (Method::POST, &[("sec-fetch-site", "same-site")], true),
            (Method::POST, &[("sec-fetch-site", "same-origin")], false),
            (Method::DELETE, &[("sec-fetch-site", "none")], false),
            (Method::GET, &[("sec-fetch-site", "cross-site")], false),
            (
                Method::POST,
                &[("origin", "http://h:8998"), ("host", "h:8998")],
                false,
            ),
            (
                Method::POST,
                &[("origin", "http://evil"), ("host", "h:8998")],
                true,
            ),
            (
                Method::POST,
                &[("origin", "null"), ("host", "h:8998")],
                true,
            ),
        ];
        for (method, pairs, foreign) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            assert_eq!(is_foreign(&method, &headers), foreign, "{method} {pairs:?}");
        }
    }
}
