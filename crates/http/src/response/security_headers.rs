//! Security headers: every response forbids some actions to a browser.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// Livy's defaults.
const DEFAULTS: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "SAMEORIGIN"),
    ("x-xss-protection", "1; mode=block"),
    (
        "content-security-policy",
        "default-src 'self'; script-src 'self' 'unsafe-inline'; img-src 'self'; frame-src 'self';",
    ),
];

/// The longest value of such a header, as every response repeats it.
const LONGEST: usize = 4_096;

/// The security headers of all responses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityHeaders(Vec<(HeaderName, HeaderValue)>);

impl SecurityHeaders {
    /// Creates the headers, named in lower case. Returns `None` when a text cannot be the value of
    /// a header.
    pub fn new<'a>(texts: impl IntoIterator<Item = (&'static str, &'a str)>) -> Option<Self> {
        let header = |(name, text)| {
            let value = HeaderValue::from_str(text).ok()?;
            Self::accepts(text).then_some((HeaderName::from_static(name), value))
        };
        texts
            .into_iter()
            .map(header)
            .collect::<Option<_>>()
            .map(Self)
    }

    /// Tells whether a text can be the value of a header: printable ASCII, and not too long.
    pub fn accepts(text: &str) -> bool {
        let printable = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
        (1..=LONGEST).contains(&text.len()) && text.bytes().all(printable)
    }

    /// Adds the headers. A response may have a stricter one of its own.
    pub(crate) fn put(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.0 {
            if !headers.contains_key(name) {
                headers.insert(name, value.clone());
            }
        }
    }
}

impl Default for SecurityHeaders {
    fn default() -> Self {
        Self::new(DEFAULTS).expect("Livy's defaults are texts of headers")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_printable_texts_of_some_length_are_headers() {
        let longest = "x".repeat(LONGEST);
        for text in ["DENY", "default-src 'self'; img-src *", longest.as_str()] {
            assert!(SecurityHeaders::new([("x-frame-options", text)]).is_some());
        }
        let too_long = "x".repeat(LONGEST + 1);
        for text in ["", "a\r\nset-cookie: b", "a\tb", "π", "\u{7f}", &too_long] {
            assert_eq!(SecurityHeaders::new([("x-frame-options", text)]), None);
        }
    }
}
