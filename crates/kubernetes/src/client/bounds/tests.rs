use std::convert::Infallible;

use futures_util::stream::{self, BoxStream, StreamExt as _};
use http_body_util::{BodyExt as _, StreamBody};
use tower::{ServiceExt as _, service_fn};

use super::*;

type Chunks = BoxStream<'static, Result<Frame<Bytes>, Infallible>>;

const LIST: &str = "/api/v1/namespaces/n/pods?limit=500";
const WATCH: &str = "/api/v1/namespaces/n/pods?&watch=true&timeoutSeconds=110";
const LOG: &str = "/api/v1/namespaces/n/pods/p/log?container=c&timestamps=true";
const FOLLOWED: &str = "/api/v1/namespaces/n/pods/p/log?container=c&follow=true";

/// Sends a request, and reads the response to its end. An hour later counts as never.
async fn send(target: &str, answer: fn() -> (Duration, u16, Chunks)) -> Result<usize, String> {
    let service = service_fn(move |_: Request<Body>| async move {
        let (delay, status, chunks) = answer();
        sleep(delay).await;
        let response = Response::builder().status(status);
        let response = response.header(LOCATION, "https://evil.example/");
        Ok::<_, BoxError>(response.body(StreamBody::new(chunks)).unwrap())
    });
    let request = Request::get(target).body(Body::empty()).unwrap();
    let all = async {
        let response = Bounded::new(service).oneshot(request).await?;
        let body = response.into_body().collect().await?;
        Ok(body.to_bytes().len())
    };
    match timeout(Duration::from_hours(1), all).await {
        Ok(read) => read.map_err(|error: BoxError| error.to_string()),
        Err(_) => Err("it never ended".to_owned()),
    }
}

fn chunk(bytes: &'static [u8]) -> Frame<Bytes> {
    Frame::data(Bytes::from_static(bytes))
}

/// So many chunks, with a pause before each.
fn slowly(chunks: u32, pause: Duration) -> Chunks {
    let chunks = stream::iter(0..chunks).then(move |_| async move {
        sleep(pause).await;
        Ok(chunk(b"x"))
    });
    chunks.boxed()
}

fn endless(line: &'static [u8]) -> Chunks {
    stream::repeat_with(move || Ok(chunk(line))).boxed()
}

static MEGABYTE: [u8; 1 << 20] = [b'x'; 1 << 20];
static LINE: [u8; 1 << 20] = {
    let mut line = MEGABYTE;
    line[(1 << 20) - 1] = b'\n';
    line
};

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_is_given_up() {
    let silent = || (Duration::from_hours(9), 200, endless(b"x"));
    for target in [LIST, WATCH, LOG] {
        assert_eq!(send(target, silent).await.unwrap_err(), "no answer in time");
    }
    // A container that writes nothing has no headers either.
    assert_eq!(send(FOLLOWED, silent).await.unwrap_err(), "it never ended");
}

#[tokio::test(start_paused = true)]
async fn a_response_that_drips_is_given_up() {
    let second = || (Duration::ZERO, 200, slowly(60, Duration::from_secs(1)));
    assert_eq!(send(LIST, second).await.unwrap_err(), "no answer in time");
    for target in [WATCH, LOG, FOLLOWED] {
        assert_eq!(send(target, second).await, Ok(60));
    }
    let minute = || (Duration::ZERO, 200, slowly(9, Duration::from_mins(1)));
    assert_eq!(send(LOG, minute).await.unwrap_err(), "no answer in time");
    assert_eq!(send(FOLLOWED, minute).await, Ok(9));
}

#[tokio::test(start_paused = true)]
async fn a_response_without_end_is_given_up() {
    let endless_line = || (Duration::ZERO, 200, endless(&MEGABYTE));
    for target in [LIST, WATCH] {
        let error = send(target, endless_line).await.unwrap_err();
        assert!(error.starts_with("a response of more than"), "{error}");
    }
    let refusal = || (Duration::ZERO, 403, endless(&LINE));
    for target in [WATCH, LOG, FOLLOWED] {
        let error = send(target, refusal).await.unwrap_err();
        assert!(error.starts_with("a response of more than"), "{error}");
    }
    // A watch and a log are as long as they are, in lines of which each has its limit.
    let long = || (Duration::ZERO, 200, endless(&LINE).take(100).boxed());
    for target in [WATCH, LOG, FOLLOWED] {
        assert_eq!(send(target, long).await, Ok(100 << 20));
    }
}

#[tokio::test(start_paused = true)]
async fn a_redirect_is_not_followed() {
    let redirect = || (Duration::ZERO, 307, endless(b"x"));
    for target in [LIST, WATCH, LOG, FOLLOWED] {
        let error = send(target, redirect).await.unwrap_err();
        assert_eq!(
            error,
            "it redirects to https://evil.example/, which is not followed"
        );
    }
}
