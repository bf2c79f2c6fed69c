//! Uploads over a real socket.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

struct Server {
    address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test's server ends with the test"
)]
async fn serve(world: &World) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = world.router();
    let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    Server { address, task }
}

impl Server {
    /// Sends the head of an upload.
    async fn begin(&self, session: i32, headers: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!(
            "POST /sessions/{session}/upload-file HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n{headers}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }
}

/// Reads the head of a response.
async fn head(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        text.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn a_file_of_unknown_length_is_taken() {
    let world = starting().await;
    let server = serve(&world).await;
    let mut stream = server.begin(0, "Transfer-Encoding: chunked").await;
    let body = form(&[file("file", "a.txt", &[b'x'; 10_000])]);
    for piece in body.chunks(777) {
        let size = format!("{:x}\r\n", piece.len());
        stream.write_all(size.as_bytes()).await.unwrap();
        stream.write_all(piece).await.unwrap();
        stream.write_all(b"\r\n").await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let answer = head(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("content-length: 0\r\n"), "{answer}");
    let (order, _) = world.driver(S0).await;
    assert_eq!(download(&world, &order, R1).await.text.len(), 10_000);
}

#[tokio::test]
async fn who_waits_for_a_word_before_sending_is_given_it() {
    let world = starting().await;
    let server = serve(&world).await;
    let body = form(&[file("file", "a.txt", b"abc")]);
    let headers = format!("Content-Length: {}\r\nExpect: 100-continue", body.len());
    let mut stream = server.begin(0, &headers).await;
    assert!(
        head(&mut stream)
            .await
            .starts_with("HTTP/1.1 100 Continue\r\n")
    );
    stream.write_all(&body).await.unwrap();
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 200 OK\r\n"));
    // When the head is enough to refuse it, the client sends nothing.
    let mut stream = server.begin(7, &headers).await;
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 404 "));
    let headers = "Content-Length: 1000000000\r\nExpect: 100-continue";
    let mut stream = server.begin(0, headers).await;
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 413 "));
}

#[tokio::test]
async fn a_client_that_breaks_off_leaves_nothing() {
    let world = starting().await;
    let server = serve(&world).await;
    let body = form(&[file("file", "a.txt", &vec![b'x'; 100_000])]);
    let headers = format!("Content-Length: {}", body.len());
    let mut stream = server.begin(0, &headers).await;
    stream.write_all(&body[..60_000]).await.unwrap();
    eventually("the file has begun", async || {
        (kept(&world).await.len() == 1).then_some(())
    })
    .await;
    drop(stream);
    eventually("nothing is left", async || {
        kept(&world).await.is_empty().then_some(())
    })
    .await;
    // Its place is free, and the agent was not told of it.
    assert_eq!(upload(&world, "b.txt", b"abc").await.status, 200);
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    agent.ready().await;
    assert_eq!(expect_resource(&mut agent).await.name, "b.txt");
}
