//! Receives an upload. The body may be long and slow, but not endless, and goes to disk as it
//! arrives.

use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use futures_util::StreamExt as _;
use tokio::time::{Instant, timeout_at};

use crate::options::Options;
use crate::request::body::{declared_length, unpacked};
use crate::request::multipart::{Multipart, MultipartError, OTHER_BYTES, Source, boundary};
use crate::request::rejection::Rejection;

/// A client must send this much within each interval. One that sends less only holds its connection
/// open.
const PROGRESS_BYTES: usize = 64 << 10;

/// Receives bytes, with a deadline for the next ones and one for all.
pub struct RateGuard {
    pieces: BodyDataStream,
    /// The time that [`PROGRESS_BYTES`] may take.
    span: Duration,
    /// The number of bytes that have arrived in this interval.
    progress: usize,
    due: Instant,
    end: Instant,
}

impl RateGuard {
    fn new(body: Body, options: &Options) -> Self {
        let now = Instant::now();
        Self {
            pieces: body.into_data_stream(),
            span: options.body_deadline,
            progress: 0,
            due: now + options.body_deadline,
            end: now + options.upload_deadline,
        }
    }
}

impl Source for RateGuard {
    async fn next(&mut self) -> Result<Option<Bytes>, Rejection> {
        // Bytes that have arrived are accepted, even late: the disk may have been slow, not the
        // client.
        let next = timeout_at(self.due.min(self.end), self.pieces.next());
        let next = next.await.map_err(|_| Rejection::UploadOverdue)?;
        let piece = next
            .transpose()
            .map_err(|error| Rejection::broken_body(&error))?;
        self.progress += piece.as_ref().map_or(0, Bytes::len);
        if self.progress >= PROGRESS_BYTES {
            self.progress = 0;
            self.due = Instant::now() + self.span;
        }
        Ok(piece)
    }
}

/// The part of an upload that holds the file.
pub struct FilePart {
    /// The file's name, as the client wrote it.
    pub name: String,
    body: Multipart<RateGuard>,
    length: u64,
    limit: u64,
}

impl FilePart {
    /// Reads an upload up to the file in the part with this name. The first of several parts with
    /// the same name counts.
    pub async fn find(
        headers: &HeaderMap,
        body: Body,
        part: &'static str,
        options: &Options,
    ) -> Result<Self, Rejection> {
        let limit = options.upload_bytes;
        let content_type = headers
            .get(CONTENT_TYPE)
            .and_then(|text| text.to_str().ok());
        let boundary = content_type.and_then(boundary);
        let boundary = boundary.ok_or(Rejection::NoForm { part })?;
        let (body, packed) = unpacked(headers, body);
        let declared = declared_length(headers).filter(|_| !packed);
        let longest = limit.saturating_add(OTHER_BYTES as u64);
        if declared.is_some_and(|length| length as u64 > longest) {
            return Err(Rejection::FileTooLarge(limit));
        }
        let mut body = Multipart::new(RateGuard::new(body, options), &boundary);
        while let Some(found) = body.next_part().await? {
            if found.name == part {
                let name = found.file_name.ok_or(Rejection::NoFileName { part })?;
                return Ok(Self {
                    name,
                    body,
                    length: 0,
                    limit,
                });
            }
        }
        Err(Rejection::NoPart { part })
    }

    /// The next bytes of the file. `None` means that the file is complete and the body was read to
    /// its end: an incomplete upload is refused.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, Rejection> {
        if let Some(piece) = self.body.piece().await? {
            self.length += piece.len() as u64;
            if self.length > self.limit {
                return Err(Rejection::FileTooLarge(self.limit));
            }
            return Ok(Some(piece));
        }
        while self.body.next_part().await?.is_some() {}
        Ok(None)
    }
}

impl From<MultipartError> for Rejection {
    fn from(error: MultipartError) -> Self {
        match error {
            MultipartError::Source(error) => error,
            MultipartError::Incomplete => {
                Self::BadForm("it ends before its last boundary, so some of it is missing")
            }
            MultipartError::Malformed(problem) => Self::BadForm(problem),
            MultipartError::TooMuch => Self::FormTooLarge(OTHER_BYTES),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use axum::http::{HeaderValue, StatusCode};
    use futures_util::stream;

    use super::*;

    const HEAD: &str = "--b\r\nContent-Disposition: form-data; name=file; filename=f\r\n\r\n";

    async fn received(body: Body) -> Result<(), Rejection> {
        let form = HeaderValue::from_static("multipart/form-data; boundary=b");
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, form)]);
        let mut file = FilePart::find(&headers, body, "file", &Options::default()).await?;
        while file.piece().await?.is_some() {}
        Ok(())
    }

    /// Returns what happens to a file that arrives in pieces of this size with this pause between
    /// them, and when.
    async fn paced(piece: usize, pause: Duration) -> (StatusCode, Duration) {
        let pieces = stream::unfold((), move |()| async move {
            tokio::time::sleep(pause).await;
            let piece = Bytes::from(vec![b'x'; piece]);
            Some((Ok::<_, io::Error>(piece), ()))
        });
        let head = stream::iter([Ok(Bytes::from_static(HEAD.as_bytes()))]);
        let began = Instant::now();
        let body = Body::from_stream(head.chain(pieces));
        let result = received(body).await;
        (result.unwrap_err().status(), began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_may_take_its_time_but_must_come() {
        let Options {
            body_deadline,
            upload_deadline,
            ..
        } = Options::default();
        let overdue = StatusCode::REQUEST_TIMEOUT;
        let never = paced(1, Duration::from_hours(9)).await;
        assert_eq!(never, (overdue, body_deadline));
        // A few bytes now and then are not progress.
        let dripping = paced(1_000, Duration::from_secs(5)).await;
        assert_eq!(dripping, (overdue, body_deadline));
        let slow = paced(PROGRESS_BYTES, body_deadline / 2).await;
        assert_eq!(slow, (overdue, upload_deadline));
        let (status, took) = paced(1 << 20, Duration::from_secs(1)).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(took > body_deadline, "it took {took:?}");
    }

    #[test]
    fn a_disk_without_room_is_said() {
        let full = Rejection::disk(&io::ErrorKind::StorageFull.into());
        assert_eq!(full.status(), StatusCode::INSUFFICIENT_STORAGE);
        let gone = Rejection::disk(&io::ErrorKind::NotFound.into());
        assert_eq!(gone.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
