//! Reads request bodies: size limits per body and in total, a deadline, gzip and deflate decoding.

use std::borrow::Cow;
use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_compression::tokio::bufread::{GzipDecoder, ZlibDecoder};
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::io::AsyncBufReadExt as _;
use tokio::time::timeout_at;
use tokio_util::io::{ReaderStream, StreamReader};

use crate::face::Face;
use crate::request::body_room::{BodyRoom, FREE_BYTES, Held};
use crate::request::fingerprint::Fingerprint;
use crate::request::pace::Pace;
use crate::request::rejection::Rejection;
use crate::state::AppState;

/// A complete body. Its content type is ignored, as in Livy: clients send all kinds, or none.
pub struct RequestBody {
    bytes: Vec<u8>,
    charset: Option<String>,
    /// The body's share of memory, held until the bytes, or the value read from them, are gone.
    held: Option<Held>,
}

#[derive(Clone, Copy)]
enum Packing {
    Gzip,
    Deflate,
}

/// The first share of memory of a body that does not declare its length.
const FIRST_SHARE_BYTES: usize = 1 << 20;

/// The rules for receiving a body.
struct Receiver<'a> {
    room: &'a BodyRoom,
    /// The longest body that is accepted.
    limit: usize,
    /// The length that the client declared.
    declared: Option<usize>,
    /// The time that the whole body may take.
    deadline: Duration,
}

impl RequestBody {
    /// Drops the bytes but keeps their share of memory, for the value that was read from them and
    /// waits to be stored.
    pub fn into_held(self) -> Option<Held> {
        self.held
    }

    /// The body as it was received, after decompression.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Adds the body, after decompression, to the hash of its request.
    pub async fn added_to(&self, mut fingerprint: Fingerprint) -> Fingerprint {
        fingerprint.body(&self.bytes).await;
        fingerprint
    }

    /// Keeps the body for the handler, as an extension of its request.
    pub fn kept_for_handler(self) -> ReadAhead {
        ReadAhead(Arc::new(Mutex::new(Some(self))))
    }

    /// Decodes the body.
    pub fn text(&self) -> Result<Cow<'_, str>, Rejection> {
        Ok(livius_wire::decode(&self.bytes, self.charset.as_deref())?)
    }
}

impl<F: Face> FromRequest<F> for RequestBody {
    type Rejection = F::Error;

    async fn from_request(request: Request, face: &F) -> Result<Self, F::Error> {
        let (parts, body) = request.into_parts();
        if let Some(read) = parts
            .extensions
            .get::<ReadAhead>()
            .and_then(ReadAhead::take)
        {
            return Ok(read);
        }
        Ok(Self::read(&parts.headers, body, face.app()).await?)
    }
}

/// A body that a layer has read for the handler.
#[derive(Clone)]
pub struct ReadAhead(Arc<Mutex<Option<RequestBody>>>);

impl ReadAhead {
    fn take(&self) -> Option<RequestBody> {
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        body.take()
    }
}

impl RequestBody {
    /// Receives a body.
    pub async fn read(headers: &HeaderMap, body: Body, app: &AppState) -> Result<Self, Rejection> {
        let limit = app.options.body_bytes;
        let declared = declared_length(headers);
        if declared.is_some_and(|length| length > limit) {
            return Err(Rejection::BodyTooLarge(limit));
        }
        let (body, packed) = unpacked(headers, body);
        let receiver = Receiver {
            room: &app.room,
            limit,
            declared: declared.filter(|_| !packed),
            deadline: app.options.body_deadline,
        };
        let (bytes, held) = receiver.receive(body).await?;
        Ok(Self {
            bytes,
            charset: charset(headers),
            held,
        })
    }
}

impl Receiver<'_> {
    async fn receive(&self, body: Body) -> Result<(Vec<u8>, Option<Held>), Rejection> {
        tokio::time::timeout(self.deadline, self.read(body))
            .await
            .unwrap_or_else(|_| Err(Rejection::BodyOverdue(self.deadline)))
    }

    async fn read(&self, body: Body) -> Result<(Vec<u8>, Option<Held>), Rejection> {
        let mut body = Limited::new(body, self.limit);
        let mut bytes = Vec::new();
        if self.read_until(FREE_BYTES, &mut body, &mut bytes).await? {
            return Ok((bytes, None));
        }
        let mut share = self.declared.unwrap_or(self.limit.min(FIRST_SHARE_BYTES));
        // The other half of the time is for the rest of the body.
        let held = tokio::time::timeout(self.deadline / 2, self.room.take(share)).await;
        let mut held = held.map_err(|_| Rejection::NoBodyRoom)?;
        if let Some(length) = self.declared {
            bytes.reserve_exact(length.saturating_sub(bytes.len()));
        }
        let mut pace = Pace::of(self.declared, self.deadline);
        while let Some(frame) = timeout_at(pace.due(), body.frame())
            .await
            .map_err(|_| Rejection::BodyTooSlow)?
        {
            let frame = frame.map_err(|error| refusal(&*error, self.limit))?;
            let piece = frame.into_data().unwrap_or_default();
            pace.note(piece.len());
            let length = bytes.len() + piece.len();
            if length > share {
                share = length.max(share.saturating_mul(2)).min(self.limit);
                if !self.room.grow(&mut held, share) {
                    return Err(Rejection::NoBodyRoom);
                }
            }
            bytes.extend(piece);
        }
        held.shrink(bytes.len());
        Ok((bytes, Some(held)))
    }

    /// Reads until there are more than `most` bytes. Returns true when the body ends before that.
    async fn read_until(
        &self,
        most: usize,
        body: &mut Limited<Body>,
        bytes: &mut Vec<u8>,
    ) -> Result<bool, Rejection> {
        while bytes.len() <= most {
            match body.frame().await {
                None => return Ok(true),
                Some(Err(error)) => return Err(refusal(&*error, self.limit)),
                Some(Ok(frame)) => bytes.extend(frame.into_data().unwrap_or_default()),
            }
        }
        Ok(false)
    }
}

fn refusal(error: &(dyn Error + 'static), limit: usize) -> Rejection {
    if error.is::<LengthLimitError>() {
        Rejection::BodyTooLarge(limit)
    } else {
        Rejection::broken_body(error)
    }
}

/// Returns the declared length of a body.
pub fn declared_length(headers: &HeaderMap) -> Option<usize> {
    let length = headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse::<u64>();
    Some(usize::try_from(length.ok()?).unwrap_or(usize::MAX))
}

/// Decompresses a body, and tells whether it was compressed. Livy's Java client sends
/// `Content-Encoding: UTF-8`, so an unknown encoding passes unchanged.
pub fn unpacked(headers: &HeaderMap, body: Body) -> (Body, bool) {
    let encoding = headers
        .get(CONTENT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let packing = match encoding.trim().to_ascii_lowercase().as_str() {
        "gzip" | "x-gzip" => Packing::Gzip,
        "deflate" => Packing::Deflate,
        _ => return (body, false),
    };
    let pieces = stream::once(unpack(body, packing)).try_flatten();
    (Body::from_stream(pieces), true)
}

/// Some clients name an encoding although there is no body, so an empty body is never decoded.
async fn unpack(body: Body, packing: Packing) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
    let pieces = TryStreamExt::map_err(body.into_data_stream(), io::Error::other);
    let mut packed = StreamReader::new(pieces);
    if packed.fill_buf().await?.is_empty() {
        return Ok(stream::empty().boxed());
    }
    Ok(match packing {
        Packing::Gzip => {
            let mut decoder = GzipDecoder::new(packed);
            decoder.multiple_members(true);
            ReaderStream::new(decoder).boxed()
        }
        Packing::Deflate => ReaderStream::new(ZlibDecoder::new(packed)).boxed(),
    })
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
    use axum::http::StatusCode;

    use super::*;

    const LIMIT: usize = 1 << 20;

    fn receiver(room: &BodyRoom, declared: Option<usize>) -> Receiver<'_> {
        Receiver {
            room,
            limit: LIMIT,
            declared,
            deadline: Duration::from_mins(1),
        }
    }

    /// Returns the result, and after how many seconds it came.
    async fn received(receiver: Receiver<'_>, body: Body) -> (Result<usize, StatusCode>, u64) {
        let began = tokio::time::Instant::now();
        let result = receiver.receive(body).await;
        let result = result
            .map(|(bytes, _)| bytes.len())
            .map_err(|error| error.status());
        (result, began.elapsed().as_secs())
    }

    fn stalling(bytes: usize) -> Body {
        let begun = stream::iter([Ok::<_, std::io::Error>(Bytes::from(vec![b' '; bytes]))]);
        Body::from_stream(begun.chain(stream::pending()))
    }

    #[tokio::test(start_paused = true)]
    async fn long_bodies_share_a_room_and_short_ones_do_not_need_it() {
        let room = BodyRoom::new(LIMIT);
        let stalled = (0..4).map(|_| received(receiver(&room, None), stalling(FREE_BYTES + 1)));
        let stalled = futures_util::future::join_all(stalled);
        let long = || Body::from(vec![b' '; LIMIT]);
        let later = async {
            // At this time the room is full.
            tokio::time::sleep(Duration::from_secs(45)).await;
            received(receiver(&room, Some(LIMIT)), long()).await
        };
        let (stalled, long, short, later) = tokio::join!(
            stalled,
            received(receiver(&room, Some(LIMIT)), long()),
            received(receiver(&room, None), Body::from(vec![b' '; FREE_BYTES])),
            later,
        );
        assert_eq!(
            stalled,
            [(Err(StatusCode::REQUEST_TIMEOUT), 10); 4],
            "a body that only holds its part of the room is refused"
        );
        assert_eq!(long, (Ok(LIMIT), 10), "as soon as there is room");
        assert_eq!(short, (Ok(FREE_BYTES), 0));
        assert_eq!(later, (Ok(LIMIT), 0));
    }

    /// A body that comes in pieces of this size, one each second.
    fn dripping(piece: usize) -> Body {
        Body::from_stream(stream::unfold((), move |()| async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((Ok::<_, std::io::Error>(vec![b' '; piece]), ()))
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_body_must_come_at_the_pace_that_its_length_asks_for() {
        let long = 64 << 20;
        for (declared, piece, status, after) in [
            // 64 MiB in a minute are about a MiB a second; half of that is the least.
            (Some(long), 100 << 10, StatusCode::REQUEST_TIMEOUT, 11),
            (Some(long), 2 << 20, StatusCode::PAYLOAD_TOO_LARGE, 33),
            (None, 4 << 10, StatusCode::REQUEST_TIMEOUT, 27),
            (None, 20 << 10, StatusCode::REQUEST_TIMEOUT, 60),
        ] {
            let room = BodyRoom::new(long);
            let receiver = Receiver {
                limit: long,
                ..receiver(&room, declared)
            };
            let result = received(receiver, dripping(piece)).await;
            assert_eq!(result, (Err(status), after), "{declared:?} {piece}");
        }
    }

    #[tokio::test]
    async fn a_body_of_unknown_length_gets_room_as_it_comes() {
        let long = 8 << 20;
        let room = BodyRoom::new(long);
        let receiver = || Receiver {
            limit: long,
            ..receiver(&room, None)
        };
        let pieces = |count: usize| {
            let pieces = (0..count).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1 << 20]));
            Body::from_stream(stream::iter(pieces.collect::<Vec<_>>()))
        };
        let whole = received(receiver(), pieces(8)).await.0;
        assert_eq!(whole, Ok(long));
        // Nearly all room is taken: a long body is refused at once, and a shorter one is not.
        let _taken = room.take(4 * long - (2 << 20)).await;
        let refused = received(receiver(), pieces(8)).await;
        assert_eq!(refused, (Err(StatusCode::SERVICE_UNAVAILABLE), 0));
        assert_eq!(received(receiver(), pieces(2)).await.0, Ok(2 << 20));
    }

    #[tokio::test]
    async fn a_body_holds_no_more_room_than_it_fills() {
        let room = BodyRoom::new(LIMIT);
        let mut held = Vec::new();
        // The room holds this many bodies of their real size, but only four of the greatest size.
        for _ in 0..32 {
            let body = Body::from(vec![b' '; FREE_BYTES + 1]);
            held.push(receiver(&room, None).receive(body).await.unwrap().1);
            if held.len() > 24 {
                held.remove(0);
            }
        }
        assert!(held.iter().all(Option::is_some));
    }

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
