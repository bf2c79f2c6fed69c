//! Bodies of requests: bounded, with a deadline, unpacked where they are packed.

use std::borrow::Cow;
use std::error::Error;

use async_compression::tokio::bufread::{GzipDecoder, ZlibDecoder};
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use futures_util::TryStreamExt;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio_util::io::{ReaderStream, StreamReader};

use crate::error::ApiError;
use crate::router::Edge;

/// A body, whole. Its content type does not matter, as with Livy: clients send all sorts, or none.
pub struct Payload {
    bytes: Bytes,
    charset: Option<String>,
}

impl Payload {
    /// The body as text.
    pub fn text(&self) -> Result<Cow<'_, str>, ApiError> {
        Ok(wire::decode(&self.bytes, self.charset.as_deref())?)
    }
}

impl FromRequest<Edge> for Payload {
    type Rejection = ApiError;

    async fn from_request(request: Request, edge: &Edge) -> Result<Self, ApiError> {
        let limit = edge.options.body_bytes;
        let deadline = edge.options.body_deadline;
        let (parts, body) = request.into_parts();
        if declared_length(&parts.headers).is_some_and(|length| length > limit as u64) {
            return Err(ApiError::too_large(limit));
        }
        let body = Limited::new(unpacked(&parts.headers, body), limit);
        let read = tokio::time::timeout(deadline, body.collect()).await;
        let read = read.map_err(|_| ApiError::body_overdue(deadline))?;
        let bytes = read.map_err(|error| refusal(&*error, limit))?.to_bytes();
        Ok(Self {
            bytes,
            charset: charset(&parts.headers),
        })
    }
}

fn refusal(error: &(dyn Error + 'static), limit: usize) -> ApiError {
    if error.is::<LengthLimitError>() {
        ApiError::too_large(limit)
    } else {
        ApiError::broken_body(error)
    }
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Unpacks what is packed. Livy's Java client says `Content-Encoding: UTF-8`, so anything unknown passes as it is.
fn unpacked(headers: &HeaderMap, body: Body) -> Body {
    let encoding = headers
        .get(CONTENT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let reader = |body: Body| {
        StreamReader::new(TryStreamExt::map_err(
            body.into_data_stream(),
            std::io::Error::other,
        ))
    };
    match encoding.trim().to_ascii_lowercase().as_str() {
        "gzip" | "x-gzip" => {
            let mut decoder = GzipDecoder::new(reader(body));
            decoder.multiple_members(true);
            Body::from_stream(ReaderStream::new(decoder))
        }
        "deflate" => Body::from_stream(ReaderStream::new(ZlibDecoder::new(reader(body)))),
        _ => body,
    }
}

fn charset(headers: &HeaderMap) -> Option<String> {
    let content_type = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches('"').to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_character_set_is_found() {
        for (content_type, expected) in [
            ("application/json", None),
            ("application/json;charset=UTF-8", Some("UTF-8")),
            (
                "application/json; a=b; Charset = \"iso-8859-1\"",
                Some("iso-8859-1"),
            ),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type.parse().unwrap())]);
            assert_eq!(charset(&headers).as_deref(), expected, "{content_type}");
        }
    }
}
