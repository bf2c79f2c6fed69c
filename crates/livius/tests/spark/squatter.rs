//! A stranger that takes the server's port while the server is down.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// One connection, as the stranger saw it.
#[derive(Debug)]
pub struct Visit {
    /// The request.
    pub request: String,
    /// The bytes that came after the stranger's response.
    pub after: Vec<u8>,
}

/// Listens in place of the server. The first agent to come is told that it is not wanted, the second
/// one that it is unknown, and the third one gets a WebSocket with these frames.
pub fn squat(address: &str, frames: &[String]) -> Vec<Visit> {
    let listener = TcpListener::bind(address).unwrap();
    let refusals = ["401 Unauthorized", "404 Not Found"].map(|status| {
        format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    });
    let mut visits: Vec<Visit> = refusals
        .iter()
        .map(|refusal| visit(&listener, |_| refusal.clone().into_bytes()))
        .collect();
    visits.push(visit(&listener, |request| accepted(request, frames)));
    visits
}

fn visit(listener: &TcpListener, response: impl Fn(&str) -> Vec<u8>) -> Visit {
    let (mut stream, _) = listener.accept().unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(1)))
        .unwrap();
    let request = head(&mut stream);
    stream.write_all(&response(&request)).unwrap();
    let mut after = Vec::new();
    // The agent hangs up, or says nothing until the time is over.
    let _ = stream.read_to_end(&mut after);
    Visit { request, after }
}

fn head(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let mut byte = [0];
    while !read.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        read.extend(byte);
    }
    String::from_utf8(read).unwrap()
}

fn accepted(request: &str, frames: &[String]) -> Vec<u8> {
    let key = request.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.eq_ignore_ascii_case("sec-websocket-key")).then(|| value.trim().to_owned())
    });
    let accept = derive_accept_key(key.unwrap().as_bytes());
    let mut response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    )
    .into_bytes();
    for frame in frames {
        // A whole text frame with a length of 16 bits.
        response.extend([0x81, 126]);
        response.extend(u16::try_from(frame.len()).unwrap().to_be_bytes());
        response.extend(frame.as_bytes());
    }
    response
}
