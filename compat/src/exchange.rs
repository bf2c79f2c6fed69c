//! Sends one request and reads its response, byte for byte. A client library would repair the very
//! details that are tested here.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use thiserror::Error;

use crate::answer::{Answer, Broken};

/// The timeout of `100 Continue`.
const CONTINUE_PATIENCE: Duration = Duration::from_secs(10);

/// The reason why there is no response.
#[derive(Debug, Error)]
pub enum ExchangeError {
    #[error("cannot reach {address}")]
    Connect {
        address: String,
        #[source]
        source: io::Error,
    },
    #[error("cannot send the request")]
    Send(#[source] io::Error),
    #[error("cannot read the answer")]
    Receive(#[source] io::Error),
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// The framing of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Framing {
    /// With `Content-Length`, if there is a body.
    #[default]
    Length,
    /// With `Transfer-Encoding: chunked`, even if it is empty.
    Chunked,
}

/// A request as it goes over the wire.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// The path and the query, unchanged.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub framing: Framing,
    /// Sends the body only after `100 Continue`.
    pub await_continue: bool,
}

impl Request {
    /// The request line and the headers.
    pub fn head(&self, host: &str) -> String {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        let mut line = |name: &str, value: &str| {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        };
        if !self.has("host") {
            line("Host", host);
        }
        if !self.has("connection") {
            line("Connection", "close");
        }
        for (name, value) in &self.headers {
            line(name, value);
        }
        match self.framing {
            Framing::Chunked => line("Transfer-Encoding", "chunked"),
            Framing::Length if self.has("content-length") => {}
            Framing::Length if self.body.is_empty() && self.method != "POST" => {}
            Framing::Length => line("Content-Length", &self.body.len().to_string()),
        }
        head.push_str("\r\n");
        head
    }

    fn has(&self, name: &str) -> bool {
        self.headers
            .iter()
            .any(|(other, _)| other.eq_ignore_ascii_case(name))
    }

    fn framed(&self) -> Vec<u8> {
        if self.framing == Framing::Length {
            return self.body.clone();
        }
        let mut framed = Vec::new();
        if !self.body.is_empty() {
            framed.extend(format!("{:x}\r\n", self.body.len()).into_bytes());
            framed.extend(&self.body);
            framed.extend(b"\r\n");
        }
        framed.extend(b"0\r\n\r\n");
        framed
    }
}

/// Sends a request on a new connection, and reads everything that the server sends. A server that
/// is silent for as long as `patience` fails the exchange.
pub fn exchange(
    address: &str,
    request: &Request,
    patience: Duration,
) -> Result<Answer, ExchangeError> {
    let mut stream = connect(address, patience).map_err(|source| ExchangeError::Connect {
        address: address.to_owned(),
        source,
    })?;
    let mut received = Vec::new();
    let head = request.head(address).into_bytes();
    if request.await_continue {
        stream.write_all(&head).map_err(ExchangeError::Send)?;
        await_head(&mut stream, &mut received).map_err(ExchangeError::Receive)?;
        // After a refusal, the body is not sent.
        if Answer::is_interim(&received) {
            stream
                .write_all(&request.framed())
                .map_err(ExchangeError::Send)?;
        }
    } else {
        let whole = [head, request.framed()].concat();
        // A server may refuse and close before it has read everything. Its response counts.
        if let Err(error) = stream.write_all(&whole) {
            drain(&mut stream, &mut received);
            if received.is_empty() {
                return Err(ExchangeError::Send(error));
            }
        }
    }
    read_all(&mut stream, &mut received).map_err(ExchangeError::Receive)?;
    Ok(Answer::read(&request.method, &received)?)
}

fn connect(address: &str, patience: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, Duration::from_secs(10)) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(patience))?;
                stream.set_write_timeout(Some(patience))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Reads until there is a response head. A server that never sends `100 Continue` runs into the
/// timeout, which the response then shows.
fn await_head(stream: &mut TcpStream, received: &mut Vec<u8>) -> io::Result<()> {
    let patience = stream.read_timeout()?;
    stream.set_read_timeout(Some(CONTINUE_PATIENCE))?;
    let mut piece = [0; 4096];
    while !received.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut piece)? {
            0 => break,
            count => received.extend(&piece[..count]),
        }
    }
    stream.set_read_timeout(patience)
}

fn read_all(stream: &mut TcpStream, received: &mut Vec<u8>) -> io::Result<()> {
    match stream.read_to_end(received) {
        // A reset after a complete response is no error.
        Err(error) if received.is_empty() => Err(error),
        _ => Ok(()),
    }
}

fn drain(stream: &mut TcpStream, received: &mut Vec<u8>) {
    // The bytes before the error stay in `received`.
    let _ = stream.read_to_end(received);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, headers: &[(&str, &str)], body: &str, framing: Framing) -> Request {
        Request {
            method: method.to_owned(),
            target: "//a/%zz".to_owned(),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: body.as_bytes().to_vec(),
            framing,
            await_continue: false,
        }
    }

    #[test]
    fn requests_go_out_as_they_are() {
        let get = request("GET", &[("Accept", "*/*")], "", Framing::Length);
        assert_eq!(
            get.head("h:1"),
            "GET //a/%zz HTTP/1.1\r\nHost: h:1\r\nConnection: close\r\nAccept: */*\r\n\r\n"
        );
        let post = request("POST", &[("host", "gw")], "{}", Framing::Length);
        assert_eq!(
            post.head("h:1"),
            "POST //a/%zz HTTP/1.1\r\nConnection: close\r\nhost: gw\r\nContent-Length: 2\r\n\r\n"
        );
        let lying = request("POST", &[("Content-Length", "9")], "{}", Framing::Length);
        assert!(!lying.head("h:1").contains("Length: 2"));
        let pieces = request("POST", &[], "{}", Framing::Chunked);
        assert!(
            pieces
                .head("h:1")
                .contains("Transfer-Encoding: chunked\r\n")
        );
        assert_eq!(pieces.framed(), b"2\r\n{}\r\n0\r\n\r\n");
        assert_eq!(
            request("POST", &[], "", Framing::Chunked).framed(),
            b"0\r\n\r\n"
        );
    }
}
