//! The header `Idempotency-Key`: the client's own name for a request, so that a repetition of the
//! request is not done again.

use axum::http::{HeaderMap, HeaderName};

use crate::request::rejection::Rejection;

/// The header.
pub const HEADER: HeaderName = HeaderName::from_static("idempotency-key");

const LONGEST: usize = 255;

/// Reads the key of a request. A proxy may repeat a header, so the same value twice is one key.
pub fn key(headers: &HeaderMap) -> Result<Option<&str>, Rejection> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.any(|other| other != value) {
        return Err(Rejection::BadKey("the request has two of them"));
    }
    check(value.as_bytes())?;
    let text = value.to_str();
    Ok(Some(text.expect("visible ASCII characters are a text")))
}

/// Refuses what cannot be a key.
pub fn check(key: &[u8]) -> Result<(), Rejection> {
    if key.is_empty() {
        Err(Rejection::BadKey("it is empty"))
    } else if key.len() > LONGEST {
        Err(Rejection::BadKey("it is too long"))
    } else if !key.iter().all(u8::is_ascii_graphic) {
        Err(Rejection::BadKey("it has a character that is not allowed"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(values: &[&[u8]]) -> Result<Option<String>, String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, HeaderValue::from_bytes(value).unwrap());
        }
        let key = key(&headers).map_err(|error| error.to_string())?;
        Ok(key.map(str::to_owned))
    }

    #[test]
    fn a_key_has_1_to_255_visible_ascii_characters() {
        let longest = "k".repeat(255);
        for key in ["a", "~!\"#%&',./:;<=>?@[\\]^`{|}", "\"quoted\"", &longest] {
            assert_eq!(read(&[key.as_bytes()]), Ok(Some(key.to_owned())));
            assert_eq!(read(&[key.as_bytes(); 3]), Ok(Some(key.to_owned())));
        }
        assert_eq!(read(&[]), Ok(None));
        for key in [
            &b""[..],
            b" ",
            b"a b",
            b"a, b",
            b"a\tb",
            b"\xff",
            "é".as_bytes(),
            "k".repeat(256).as_bytes(),
        ] {
            let refused = read(&[key]).unwrap_err();
            assert!(refused.contains("Idempotency-Key"), "{key:?}: {refused}");
        }
        for two in [[&b"a"[..], b"b"], [b"a", b""], [b"a", b"A"]] {
            let refused = read(&two).unwrap_err();
            assert!(refused.contains("two of them"), "{two:?}: {refused}");
        }
    }
}
