//! Reads `multipart/form-data` bodies piece by piece.
//!
//! The parser that axum uses (multer) keeps everything before the first part, and the head of each
//! part, in memory, however long they are, and searches it again with every piece that arrives.
//! This parser holds one piece and one head at a time, and limits everything besides the wanted
//! part.

mod disposition;
mod error;

use axum::body::Bytes;
use bytes::{Buf as _, BytesMut};
use memchr::memmem;

use self::disposition::Disposition;
pub use self::error::MultipartError;

use crate::request::rejection::Rejection;

/// The longest head of a part.
const HEAD_BYTES: usize = 16 << 10;

/// The longest padding between a boundary and the end of its line.
const PADDING_BYTES: usize = 1 << 10;

/// The longest boundary. RFC 2046 allows 70 bytes.
const BOUNDARY_BYTES: usize = 200;

/// The number of bytes that a body may have in addition to the wanted part.
pub const OTHER_BYTES: usize = 1 << 20;

/// The source of a body's bytes.
pub trait Source: Send {
    /// Returns the next bytes, or `None` at the end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, Rejection>> + Send;
}

/// A reader of a multipart body.
pub struct Multipart<S> {
    source: S,
    /// A line break and the boundary, which end a part.
    delimiter: Vec<u8>,
    /// Bytes that have arrived but are not returned yet.
    buffer: BytesMut,
    /// The number of bytes that may still be skipped.
    budget: usize,
    place: Place,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the first boundary, or in a part.
    Content,
    /// Behind a boundary.
    Boundary,
    /// Behind the last boundary.
    End,
}

impl<S: Source> Multipart<S> {
    /// Creates a reader for a body with this boundary.
    pub fn new(source: S, boundary: &str) -> Self {
        // A body may start with its boundary. The line break in the buffer makes this first
        // boundary look like the others.
        Self {
            source,
            delimiter: format!("\r\n--{boundary}").into_bytes(),
            buffer: BytesMut::from(&b"\r\n"[..]),
            budget: OTHER_BYTES,
            place: Place::Content,
        }
    }

    /// Skips the rest of the current part, and reads the head of the next one. Returns `None` after
    /// the last part, when the whole body has arrived.
    pub async fn next_part(&mut self) -> Result<Option<Disposition>, MultipartError> {
        while let Some(piece) = self.piece().await? {
            self.spend(piece.len())?;
        }
        if self.place == Place::Boundary && !self.is_last_boundary().await? {
            let head = self.head().await?;
            self.place = Place::Content;
            return disposition::read(&head).map(Some);
        }
        self.place = Place::End;
        self.drain().await?;
        Ok(None)
    }

    /// Returns the next piece of the current part, or `None` at its end.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, MultipartError> {
        while self.place == Place::Content {
            if let Some(end) = memmem::find(&self.buffer, &self.delimiter) {
                if end > 0 {
                    return Ok(Some(self.buffer.split_to(end).freeze()));
                }
                self.spend(self.delimiter.len())?;
                self.buffer.advance(self.delimiter.len());
                self.place = Place::Boundary;
                break;
            }
            // The last bytes may be the start of a boundary.
            let sure = self.buffer.len().saturating_sub(self.delimiter.len() - 1);
            if sure > 0 {
                return Ok(Some(self.buffer.split_to(sure).freeze()));
            }
            self.fill().await?;
        }
        Ok(None)
    }

    /// Tells whether this is the last boundary: two dashes follow it. Otherwise only the end of its
    /// line may follow.
    async fn is_last_boundary(&mut self) -> Result<bool, MultipartError> {
        while self.buffer.len() < 2 {
            self.fill().await?;
        }
        if self.buffer.starts_with(b"--") {
            self.buffer.advance(2);
            return Ok(true);
        }
        loop {
            let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
            let padding = self.buffer.iter().take_while(|byte| blank(byte)).count();
            if padding > PADDING_BYTES {
                return Err(MultipartError::Malformed("a boundary does not end"));
            }
            if self.buffer.len() < padding + 2 {
                self.fill().await?;
                continue;
            }
            self.buffer.advance(padding);
            if self.buffer.starts_with(b"\r\n") {
                return Ok(false);
            }
            return Err(MultipartError::Malformed(
                "the line of a boundary goes on behind it",
            ));
        }
    }

    /// Reads a part's head. The line break after the boundary is still in the buffer, so a head
    /// without lines has an end, too.
    async fn head(&mut self) -> Result<Bytes, MultipartError> {
        loop {
            let begun = &self.buffer[..self.buffer.len().min(HEAD_BYTES)];
            if let Some(end) = memmem::find(begun, b"\r\n\r\n") {
                let mut head = self.buffer.split_to(end + 4).freeze();
                self.spend(head.len())?;
                head.advance(2);
                return Ok(head);
            }
            if begun.len() == HEAD_BYTES {
                return Err(MultipartError::Malformed(
                    "the head of a part is longer than 16 KiB",
                ));
            }
            self.fill().await?;
        }
    }

    async fn drain(&mut self) -> Result<(), MultipartError> {
        self.spend(self.buffer.len())?;
        self.buffer.clear();
        while let Some(piece) = self.source.next().await.map_err(MultipartError::Source)? {
            self.spend(piece.len())?;
        }
        Ok(())
    }

    fn spend(&mut self, bytes: usize) -> Result<(), MultipartError> {
        let left = self.budget.checked_sub(bytes);
        self.budget = left.ok_or(MultipartError::TooMuch)?;
        Ok(())
    }

    async fn fill(&mut self) -> Result<(), MultipartError> {
        let next = self.source.next().await.map_err(MultipartError::Source)?;
        let piece = next.ok_or(MultipartError::Incomplete)?;
        self.buffer.extend_from_slice(&piece);
        Ok(())
    }
}

/// Returns the boundary that a `Content-Type` of `multipart/form-data` names.
pub fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = disposition::parameter(parameters.as_bytes(), "boundary")?;
    let boundary = String::from_utf8(boundary).ok()?;
    let is_one = (1..=BOUNDARY_BYTES).contains(&boundary.len())
        && boundary.bytes().all(|byte| (b' '..0x7f).contains(&byte));
    is_one.then_some(boundary)
}

#[cfg(test)]
mod tests;
