//! Answers with an `ETag`: a client that has the answer already gets 304.

use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use livius_domain::hex::hex;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::response;

/// The bytes of the hash that are shown. Two answers never have the same by chance.
const SHOWN_BYTES: usize = 16;

/// A response with a value as JSON, or 304 if the request says that the client has it. The tag is a
/// hash of the answer, so it changes with the answer and also holds after a restart.
pub fn ok<T: Serialize>(request: &HeaderMap, value: &T) -> Response {
    let text = serde_json::to_vec(value).expect("answers are structs of texts and numbers");
    let hash = Sha256::digest(&text);
    let tag = format!("\"{}\"", hex(&hash[..SHOWN_BYTES]));
    let mut response = if is_known(request, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        response::json(StatusCode::OK, text)
    };
    let headers = response.headers_mut();
    let tag = HeaderValue::try_from(tag).expect("a hash in quotes is ASCII");
    headers.insert(ETAG, tag);
    // A cache may keep the answer, and has to ask whether it is still right.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

/// The weak comparison of RFC 9110, section 13.1.2. Our tags have no comma, so no part of a foreign
/// tag that has one equals ours.
fn is_known(request: &HeaderMap, tag: &str) -> bool {
    let values = request.get_all(IF_NONE_MATCH).iter();
    let known = values.filter_map(|value| value.to_str().ok());
    known.flat_map(|value| value.split(',')).any(|known| {
        let known = known.trim();
        known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_has_the_answer_gets_none() {
        let first = ok(&HeaderMap::new(), &[1, 2]);
        let tag = first.headers()[ETAG].to_str().unwrap().to_owned();
        assert_eq!(tag.len(), 34, "{tag}");
        let other = ok(&HeaderMap::new(), &[1, 3]).headers()[ETAG].clone();
        let other = other.to_str().unwrap().to_owned();
        assert_ne!(tag, other);
        for (known, status) in [
            (tag.clone(), 304),
            (format!("W/{tag}"), 304),
            (format!("{other} ,\t{tag}"), 304),
            ("*".to_owned(), 304),
            (other, 200),
            (tag.trim_matches('"').to_owned(), 200),
            (String::new(), 200),
        ] {
            let mut request = HeaderMap::new();
            request.insert(IF_NONE_MATCH, known.parse().unwrap());
            let response = ok(&request, &[1, 2]);
            assert_eq!(response.status().as_u16(), status, "{known}");
            assert_eq!(response.headers()[ETAG], tag.as_str());
        }
    }
}
