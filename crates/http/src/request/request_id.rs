//! The id of a request, in `X-Request-Id`: the client's own, or one that the server makes. The
//! response carries it, and so does every line that the server logs for the request.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use livius_domain::hex::hex;
use tracing::Span;

/// The header of the request and of its response.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that the server takes from a client.
const LONGEST: usize = 128;

/// The random bytes of an id that the server makes.
const BYTES: usize = 16;

/// The id of a request: 1 to 128 letters, digits and `-_.:/+=@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// The client's id. A client that sends none, several, or one that a log cannot take as it is,
    /// gets one that the server makes.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(HEADER).iter();
        let sent = values.next().filter(|value| is_plain(value.as_bytes()));
        match sent.map(HeaderValue::to_str) {
            Some(Ok(id)) if values.next().is_none() => Self(id.to_owned()),
            _ => Self::random(),
        }
    }

    fn random() -> Self {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).expect("the system's random source works from boot on");
        Self(hex(&bytes))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as the value of the header.
    pub fn header(&self) -> HeaderValue {
        HeaderValue::try_from(&self.0).expect("letters, digits and some signs are a header's value")
    }

    /// The span of the request, for the log. Its level is that of the most important lines, so that
    /// a log of these alone has it.
    pub fn span(&self) -> Span {
        tracing::error_span!("request", request.id = self.0)
    }
}

fn is_plain(id: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(byte);
    (1..=LONGEST).contains(&id.len()) && id.iter().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(values: &[&[u8]]) -> RequestId {
        let values = values
            .iter()
            .map(|value| HeaderValue::from_bytes(value).unwrap());
        RequestId::of(&values.map(|value| (HEADER, value)).collect())
    }

    #[test]
    fn a_plain_id_is_kept_and_any_other_replaced() {
        let longest = "r".repeat(128);
        for plain in ["a", "7f3b-00", "svc:a/b+c=@d_e.f", &longest] {
            assert_eq!(id(&[plain.as_bytes()]).as_str(), plain);
        }
        let too_long = "r".repeat(129);
        for values in [
            &[][..],
            &[&b""[..]],
            &[b"a b"],
            &[b"a\"b"],
            &[b"a{b}"],
            &[b"\xff"],
            &[too_long.as_bytes()],
            &[b"a", b"b"],
            &[b"a", b"a"],
        ] {
            let made = id(values);
            assert_eq!(made.as_str().len(), 32, "{values:?}");
            assert!(is_plain(made.as_str().as_bytes()));
            assert_ne!(made, id(values));
        }
    }
}
