use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

/// A text, in pieces of a given length.
struct Pieces {
    pieces: VecDeque<Bytes>,
}

impl Pieces {
    fn of(body: &[u8], length: usize) -> Self {
        let pieces = body.chunks(length.max(1)).map(Bytes::copy_from_slice);
        Self {
            pieces: pieces.collect(),
        }
    }
}

impl Source for Pieces {
    async fn next(&mut self) -> Result<Option<Bytes>, Rejection> {
        Ok(self.pieces.pop_front())
    }
}

/// An endless body.
struct Endless(&'static [u8]);

impl Source for Endless {
    async fn next(&mut self) -> Result<Option<Bytes>, Rejection> {
        Ok(Some(Bytes::from_static(self.0)))
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Part {
    name: String,
    file_name: Option<String>,
    content: Vec<u8>,
}

async fn read_all<S: Source>(mut body: Multipart<S>) -> Result<Vec<Part>, MultipartError> {
    let mut parts = Vec::new();
    while let Some(Disposition { name, file_name }) = body.next_part().await? {
        let mut content = Vec::new();
        while let Some(piece) = body.piece().await? {
            assert!(!piece.is_empty());
            content.extend_from_slice(&piece);
        }
        parts.push(Part {
            name,
            file_name,
            content,
        });
    }
    assert!(matches!(body.next_part().await, Ok(None)));
    Ok(parts)
}

fn read(body: &[u8], length: usize) -> Result<Vec<Part>, MultipartError> {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.build().unwrap();
    runtime.block_on(read_all(Multipart::new(Pieces::of(body, length), "X-B")))
}

fn part(name: &str, file_name: Option<&str>, content: &[u8]) -> Part {
    Part {
        name: name.to_owned(),
        file_name: file_name.map(str::to_owned),
        content: content.to_vec(),
    }
}

const ONE: &str = "Content-Disposition: form-data; name=\"a\"\r\n\r\n";
const FILE: &str = "Content-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n";

#[test]
fn parts_are_found_wherever_the_pieces_of_the_body_end() {
    let near_misses = "\r\n--X-\r\n-X-B\r\n\r\n--x-b\n--X-B\r\n\r--X-B--\r\r\n--X-";
    for (body, expected) in [
        (
            format!("--X-B\r\n{ONE}one\r\n--X-B\r\n{FILE}two\r\n--X-B--\r\n"),
            vec![part("a", None, b"one"), part("file", Some("f"), b"two")],
        ),
        (
            format!("preamble\r\nmore\r\n--X-B \t\r\n{FILE}\r\n--X-B--epilogue\r\n--X-B\r\n"),
            vec![part("file", Some("f"), b"")],
        ),
        (
            format!("--X-B\r\n{FILE}{near_misses}\r\n--X-B--"),
            vec![part("file", Some("f"), near_misses.as_bytes())],
        ),
        (
            "--X-B\r\n\r\nbare\r\n--X-B--".to_owned(),
            vec![part("", None, b"bare")],
        ),
        ("--X-B--".to_owned(), vec![]),
        ("\r\n--X-B--\r\n".to_owned(), vec![]),
    ] {
        for length in 1..=body.len() {
            let parts = read(body.as_bytes(), length).unwrap();
            assert_eq!(parts, expected, "in pieces of {length}: {body}");
        }
    }
}

#[test]
fn a_body_that_breaks_off_is_never_taken_for_a_whole_one() {
    let body = format!("--X-B\r\n{ONE}one\r\n--X-B\r\n{FILE}two\r\n--X-B--");
    for end in 0..body.len() {
        let result = read(&body.as_bytes()[..end], 7);
        assert!(
            matches!(result, Err(MultipartError::Incomplete)),
            "{end}: {result:?}"
        );
    }
}

#[test]
fn what_is_not_of_several_parts_is_refused() {
    for (body, problem) in [
        ("--X-Bmore\r\n", "goes on behind it"),
        ("--X-B-\r\n", "goes on behind it"),
        ("--X-B\n\n", "goes on behind it"),
        ("--X-B\r\nno head\r\n\r\n", "not made of lines"),
    ] {
        let Err(MultipartError::Malformed(found)) = read(body.as_bytes(), 3) else {
            panic!("{body}");
        };
        assert!(found.contains(problem), "{body}: {found}");
    }
}

#[tokio::test]
async fn all_that_nobody_wants_is_bounded() {
    // A preamble, the line of a boundary, a head, a skipped part and an epilogue, all without end.
    let endless = async |beginning: &'static str, more: &'static [u8]| {
        let source = Endless(more);
        let mut body = Multipart::new(source, "X-B");
        body.buffer.extend_from_slice(beginning.as_bytes());
        loop {
            match body.next_part().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it has no end"),
                Err(error) => return error,
            }
        }
    };
    for (beginning, more, too_much) in [
        (
            "",
            &b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"[..],
            true,
        ),
        ("--X-B", b"                                        ", false),
        ("--X-B\r\na: ", b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", false),
        ("--X-B\r\n\r\n", b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", true),
        ("--X-B--", b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", true),
        ("", b"--X-B\r\n\r\n\r\n", true),
    ] {
        let error = endless(beginning, more).await;
        assert_eq!(
            matches!(error, MultipartError::TooMuch),
            too_much,
            "{beginning}: {error:?}"
        );
    }
}

#[test]
fn boundaries_are_found() {
    let long = format!("multipart/form-data; boundary={}", "x".repeat(201));
    for (content_type, expected) in [
        ("multipart/form-data; boundary=abc", Some("abc")),
        (
            "Multipart/Form-Data;charset=utf-8;Boundary=\"a b:c\"",
            Some("a b:c"),
        ),
        (
            "multipart/form-data; boundary=----abc; charset=x",
            Some("----abc"),
        ),
        (
            "multipart/form-data; boundary=one; boundary=two",
            Some("one"),
        ),
        ("multipart/form-data", None),
        ("multipart/form-data; boundary=", None),
        ("multipart/form-data; boundary=\"\"", None),
        ("multipart/form-data; boundary=a\u{7f}", None),
        ("multipart/mixed; boundary=abc", None),
        ("application/json; boundary=abc", None),
        (&long, None),
    ] {
        assert_eq!(
            boundary(content_type).as_deref(),
            expected,
            "{content_type}"
        );
    }
}

proptest! {
    #[test]
    fn contents_survive(
        contents in proptest::collection::vec("[\r\n\\-XBx]{0,60}", 0..4),
        length in 1_usize..50,
    ) {
        prop_assume!(contents.iter().all(|content| !format!("\r\n{content}").contains("\r\n--X-B")));
        let mut body = String::new();
        for content in &contents {
            for text in ["--X-B\r\n", FILE, content, "\r\n"] {
                body.push_str(text);
            }
        }
        body.push_str("--X-B--");
        let parts = read(body.as_bytes(), length).unwrap();
        let found: Vec<&[u8]> = parts.iter().map(|part| part.content.as_slice()).collect();
        let expected: Vec<&[u8]> = contents.iter().map(String::as_bytes).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn any_bytes_are_answered(
        body in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), Just(b'X'), Just(b'B'), any::<u8>()], 0..300),
        length in 1_usize..20,
    ) {
        let _ = read(&body, length);
        let _ = read(&[b"--X-B\r\n", body.as_slice()].concat(), length);
    }
}
