//! From a step to the bytes that are sent.

use std::io::Write as _;

use crate::exchange::Request;
use crate::scenario::{Packing, Step};
use crate::variables::{Variables, filled, filled_text};

/// The request of a step, with the variables put in.
pub fn request(step: &Step, variables: &Variables) -> Request {
    let text = |text: &str| filled_text(text, variables);
    let (method, target) = step.send.split_once(' ').unwrap_or((&step.send, ""));
    let mut headers: Vec<(String, String)> = step
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), text(value)))
        .collect();
    let mut body = text(step.body.as_deref().unwrap_or_default()).into_bytes();
    if let Some(json) = &step.json {
        body = filled(json, variables).to_string().into_bytes();
        if !has(&headers, "content-type") {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
    }
    if let Some(packing) = step.packing {
        body = packed(packing, &body);
    }
    if let Some(bytes) = step.padding {
        headers.push(("X-Padding".to_owned(), "x".repeat(bytes)));
    }
    Request {
        method: method.to_owned(),
        target: text(target),
        headers,
        body,
        framing: step.framing,
        await_continue: step.await_continue,
    }
}

fn has(headers: &[(String, String)], name: &str) -> bool {
    headers
        .iter()
        .any(|(other, _)| other.eq_ignore_ascii_case(name))
}

fn packed(packing: Packing, body: &[u8]) -> Vec<u8> {
    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};
    let done = match packing {
        Packing::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(body).and_then(|()| encoder.finish())
        }
        Packing::Deflate => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(body).and_then(|()| encoder.finish())
        }
    };
    done.expect("a Vec takes everything")
}
