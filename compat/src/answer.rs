//! Parses a response.

use std::io::Read as _;

use serde_json::Value;
use thiserror::Error;

/// The received bytes are no response.
#[derive(Debug, Error)]
pub enum Broken {
    #[error("the connection was closed without an answer")]
    Nothing,
    #[error("the answer is no HTTP: {0}")]
    Head(#[from] httparse::Error),
    #[error("the answer ends too early: {0}")]
    Short(String),
    #[error("the body cannot be unpacked")]
    Packing(#[source] std::io::Error),
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// The decoded body.
    pub text: String,
    /// True if `100 Continue` arrived first.
    pub continued: bool,
}

struct Head {
    status: u16,
    headers: Vec<(String, String)>,
    length: usize,
}

impl Answer {
    /// Reads everything that a server sent in response to this method before it closed the
    /// connection.
    pub fn read(method: &str, received: &[u8]) -> Result<Self, Broken> {
        let mut rest = received;
        let mut continued = false;
        let head = loop {
            let head = head(rest)?;
            rest = &rest[head.length..];
            if !(100..200).contains(&head.status) {
                break head;
            }
            continued = true;
        };
        let mut answer = Self {
            status: head.status,
            headers: head.headers,
            text: String::new(),
            continued,
        };
        let body = answer.body(method, rest)?;
        answer.text = String::from_utf8_lossy(&answer.unpacked(body)?).into_owned();
        Ok(answer)
    }

    /// Tells whether the head so far is `100 Continue`.
    pub fn is_interim(received: &[u8]) -> bool {
        head(received).is_ok_and(|head| (100..200).contains(&head.status))
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_str(&self.text).ok()
    }

    fn body(&self, method: &str, rest: &[u8]) -> Result<Vec<u8>, Broken> {
        let chunked = self
            .header("transfer-encoding")
            .is_some_and(|value| value.contains("chunked"));
        // These statuses have no body. If there are bytes, the report shows them.
        if method == "HEAD" || matches!(self.status, 204 | 304) || !chunked {
            let announced = self
                .header("content-length")
                .and_then(|value| value.parse::<usize>().ok());
            return match announced {
                Some(length) if method != "HEAD" && rest.len() < length => Err(Broken::Short(
                    format!("{} bytes of {length} came", rest.len()),
                )),
                _ => Ok(rest.to_vec()),
            };
        }
        unchunked(rest)
    }

    fn unpacked(&self, body: Vec<u8>) -> Result<Vec<u8>, Broken> {
        let mut plain = Vec::new();
        let done = match self.header("content-encoding") {
            _ if body.is_empty() => return Ok(body),
            Some("gzip") => flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut plain),
            Some("deflate") => flate2::read::ZlibDecoder::new(&body[..]).read_to_end(&mut plain),
            _ => return Ok(body),
        };
        done.map_err(Broken::Packing)?;
        Ok(plain)
    }
}

fn head(received: &[u8]) -> Result<Head, Broken> {
    if received.is_empty() {
        return Err(Broken::Nothing);
    }
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(received)? else {
        return Err(Broken::Short("its head is not whole".to_owned()));
    };
    let headers = response
        .headers
        .iter()
        .map(|header| {
            let value = String::from_utf8_lossy(header.value).into_owned();
            (header.name.to_owned(), value)
        })
        .collect();
    Ok(Head {
        status: response.code.unwrap_or_default(),
        headers,
        length,
    })
}

fn unchunked(mut rest: &[u8]) -> Result<Vec<u8>, Broken> {
    let mut body = Vec::new();
    loop {
        let short = || Broken::Short("its last piece is missing".to_owned());
        let size = httparse::parse_chunk_size(rest).map_err(|_| short())?;
        let httparse::Status::Complete((start, size)) = size else {
            return Err(short());
        };
        if size == 0 {
            return Ok(body);
        }
        let end = usize::try_from(size)
            .ok()
            .and_then(|size| start.checked_add(size))
            .ok_or_else(short)?;
        body.extend(rest.get(start..end).ok_or_else(short)?);
        rest = rest.get(end + 2..).ok_or_else(short)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_in_every_framing() {
        let plain = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        let pieces =
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n";
        let after = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{}";
        for (received, continued) in [(&plain[..], false), (pieces, false), (after, true)] {
            let answer = Answer::read("GET", received).unwrap();
            assert_eq!(
                (answer.status, answer.text.as_str(), answer.continued),
                (200, "{}", continued)
            );
        }
        assert!(Answer::is_interim(&after[..40]));
        let head = Answer::read("HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n").unwrap();
        assert_eq!(head.text, "");
    }

    #[test]
    fn half_an_answer_is_none() {
        for received in [
            &b""[..],
            b"HTTP/1.1 200",
            b"junk\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{",
        ] {
            assert!(Answer::read("GET", received).is_err());
        }
    }
}
