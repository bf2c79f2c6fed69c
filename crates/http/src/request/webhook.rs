//! The header `Livius-Webhook`: a URL that is told of the end of what the request makes.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use livius_sessions::{Keyed, WEBHOOK_HEADER};

use crate::face::Face;
use crate::request::rejection::Rejection;

/// The optional headers of a request that creates something.
pub struct Wishes {
    /// Its key.
    pub key: Option<Keyed>,
    /// The URL of its webhook, as the client wrote it.
    pub webhook: Option<String>,
}

impl<F: Face> FromRequestParts<F> for Wishes {
    type Rejection = F::Error;

    async fn from_request_parts(parts: &mut Parts, _: &F) -> Result<Self, F::Error> {
        Ok(Self {
            key: parts.extensions.get().cloned(),
            webhook: webhook(&parts.headers)?,
        })
    }
}

/// Reads the header. A proxy may repeat a header, so the same value twice is one URL.
fn webhook(headers: &HeaderMap) -> Result<Option<String>, Rejection> {
    let mut values = headers.get_all(WEBHOOK_HEADER).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.any(|other| other != value) {
        return Err(Rejection::BadWebhook("the request has two of them"));
    }
    let text = value.to_str();
    let text = text.map_err(|_| Rejection::BadWebhook("it has a character that is not ASCII"))?;
    Ok(Some(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(values: &[&str]) -> Result<Option<String>, String> {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append(WEBHOOK_HEADER, value);
        }
        webhook(&headers).map_err(|error| error.to_string())
    }

    #[test]
    fn a_request_has_one_webhook_or_none() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(
            read(&["https://h/a"; 2]),
            Ok(Some("https://h/a".to_owned()))
        );
        for (values, told) in [
            (["https://h/a", "https://h/b"], "two of them"),
            (["https://h/é"; 2], "not ASCII"),
        ] {
            let refused = read(&values).unwrap_err();
            assert!(
                refused.contains("Livius-Webhook") && refused.contains(told),
                "{refused}"
            );
        }
    }
}
