//! Reads the head of a part: its `Content-Disposition`.

use percent_encoding::percent_decode;

use super::error::MultipartError;

/// The number of lines that the head of a part may have.
const HEAD_LINES: usize = 32;

/// The names of a part.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Disposition {
    /// The name of the form's field.
    pub name: String,
    /// The file name, as the client wrote it; `None` when the part is not a file.
    pub file_name: Option<String>,
}

pub fn read(head: &[u8]) -> Result<Disposition, MultipartError> {
    let lines = lines(head)?;
    let line = |name: &str| {
        let found = lines.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_slice())
    };
    // Reject Content-Transfer-Encoding: we do not decode it, so the stored file would differ from
    // the one sent.
    if line("content-transfer-encoding").is_some_and(|value| !is_plain(value)) {
        return Err(MultipartError::Malformed(
            "a part has a Content-Transfer-Encoding: send its bytes as they are",
        ));
    }
    let Some(value) = line("content-disposition") else {
        return Ok(Disposition::default());
    };
    let name = parameter(value, "name").map(text).transpose()?;
    Ok(Disposition {
        name: name.unwrap_or_default(),
        file_name: file_name(value)?,
    })
}

/// Splits the head of a part into names and values.
fn lines(head: &[u8]) -> Result<Vec<(String, Vec<u8>)>, MultipartError> {
    let mut lines = [httparse::EMPTY_HEADER; HEAD_LINES];
    match httparse::parse_headers(head, &mut lines) {
        Ok(httparse::Status::Complete((_, lines))) => Ok(lines
            .iter()
            .map(|line| (line.name.to_ascii_lowercase(), line.value.to_vec()))
            .collect()),
        Ok(httparse::Status::Partial) | Err(_) => Err(MultipartError::Malformed(
            "the head of a part is not made of lines such as `Content-Disposition: …`, 32 at most",
        )),
    }
}

fn is_plain(encoding: &[u8]) -> bool {
    ["binary", "8bit", "7bit"]
        .iter()
        .any(|plain| encoding.trim_ascii().eq_ignore_ascii_case(plain.as_bytes()))
}

/// The extended form `filename*` wins over `filename`, which is for readers that do not know it.
/// Forms should not have it, but Python's `requests` used it for years for names that are not
/// ASCII.
fn file_name(value: &[u8]) -> Result<Option<String>, MultipartError> {
    if let Some(extended) = parameter(value, "filename*") {
        return extended_text(&extended).map(Some);
    }
    parameter(value, "filename").map(text).transpose()
}

/// Decodes `UTF-8'language'percent-encoded`, the extended form of RFC 5987.
fn extended_text(value: &[u8]) -> Result<String, MultipartError> {
    const BAD: MultipartError =
        MultipartError::Malformed("filename* is not of the form UTF-8''percent-encoded");
    let mut fields = value.splitn(3, |byte| *byte == b'\'');
    let (Some(charset), Some(_), Some(encoded)) = (fields.next(), fields.next(), fields.next())
    else {
        return Err(BAD);
    };
    if !charset.eq_ignore_ascii_case(b"utf-8") {
        return Err(BAD);
    }
    String::from_utf8(percent_decode(encoded).collect()).map_err(|_| BAD)
}

fn text(value: Vec<u8>) -> Result<String, MultipartError> {
    String::from_utf8(value)
        .map_err(|_| MultipartError::Malformed("the name of a part, or of its file, is not UTF-8"))
}

/// Returns a parameter of a header: the value after `name=`, without quotes. The first of several
/// parameters with the same name counts.
pub fn parameter(value: &[u8], name: &str) -> Option<Vec<u8>> {
    let mut rest = value;
    loop {
        let (piece, more) = next_piece(rest);
        if let Some(equals) = piece.iter().position(|byte| *byte == b'=')
            && piece[..equals]
                .trim_ascii()
                .eq_ignore_ascii_case(name.as_bytes())
        {
            return Some(unquoted(piece[equals + 1..].trim_ascii()));
        }
        rest = more?;
    }
}

/// Splits at the next semicolon outside of quotes.
fn next_piece(value: &[u8]) -> (&[u8], Option<&[u8]>) {
    let (mut quoted, mut escaped) = (false, false);
    for (index, byte) in value.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b';' if !quoted => return (&value[..index], Some(&value[index + 1..])),
            _ => {}
        }
    }
    (value, None)
}

/// Removes the quotes, and the backslashes that escape quotes and backslashes. Any other backslash
/// belongs to a Windows path.
fn unquoted(value: &[u8]) -> Vec<u8> {
    let inner = value
        .strip_prefix(b"\"")
        .and_then(|value| value.strip_suffix(b"\""));
    let Some(inner) = inner else {
        return value.to_vec();
    };
    let mut plain = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match bytes.peek() {
            Some(next @ (b'"' | b'\\')) if byte == b'\\' => {
                plain.push(*next);
                bytes.next();
            }
            _ => plain.push(byte),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(line: &str) -> Result<(String, Option<String>), String> {
        let head = format!("Content-Type: a/b\r\ncontent-DISPOSITION: {line}\r\n\r\n");
        match read(head.as_bytes()) {
            Ok(Disposition { name, file_name }) => Ok((name, file_name)),
            Err(MultipartError::Malformed(problem)) => Err(problem.to_owned()),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn names_are_read_as_clients_write_them() {
        for (line, name, file_name) in [
            // curl, Python's requests, Java's HttpClient
            (
                r#"form-data; name="jar"; filename="app.jar""#,
                "jar",
                Some("app.jar"),
            ),
            (r#"form-data; name="file""#, "file", None),
            (
                "form-data; filename=a.txt; name=file",
                "file",
                Some("a.txt"),
            ),
            (
                r#"form-data;NAME = "file" ;FileName= "a b;c.txt" "#,
                "file",
                Some("a b;c.txt"),
            ),
            (
                r#"form-data; name="file"; filename="a\"b\\c.txt""#,
                "file",
                Some("a\"b\\c.txt"),
            ),
            (
                r#"form-data; name="file"; filename="C:\dir\a.txt""#,
                "file",
                Some("C:\\dir\\a.txt"),
            ),
            (
                r#"form-data; name="file"; filename="a%22b.txt""#,
                "file",
                Some("a%22b.txt"),
            ),
            (
                "form-data; name=\"file\"; filename=\"π.txt\"",
                "file",
                Some("π.txt"),
            ),
            (
                "form-data; name=\"file\"; filename*=utf-8''%CF%80%20a.txt",
                "file",
                Some("π a.txt"),
            ),
            (
                "form-data; name=\"file\"; filename=\"p.txt\"; filename*=UTF-8'en'%CF%80.txt",
                "file",
                Some("π.txt"),
            ),
            (r#"form-data; name="file"; filename="""#, "file", Some("")),
            (
                r#"form-data; name="one"; name="two"; filename=a"#,
                "one",
                Some("a"),
            ),
            (
                r#"form-data; name="x; name=file"; filename=a"#,
                "x; name=file",
                Some("a"),
            ),
            (r#"form-data; xname="file"; filename=a"#, "", Some("a")),
            ("form-data", "", None),
            (
                r#"form-data; name="open; filename=a"#,
                "\"open; filename=a",
                None,
            ),
        ] {
            let expected = Ok((name.to_owned(), file_name.map(str::to_owned)));
            assert_eq!(named(line), expected, "{line}");
        }
    }

    #[test]
    fn names_that_cannot_be_read_are_refused() {
        for (line, problem) in [
            ("form-data; filename*=a.txt", "filename* is not"),
            ("form-data; filename*=utf-8''%ff", "filename* is not"),
            ("form-data; filename*=utf-16''a", "filename* is not"),
        ] {
            let refused = named(line).unwrap_err();
            assert!(refused.starts_with(problem), "{line}: {refused}");
        }
        for (head, problem) in [
            (
                &b"Content-Disposition: form-data; name=\"\xff\"\r\n\r\n"[..],
                "not UTF-8",
            ),
            (b"no head\r\n\r\n", "not made of lines"),
            (b": x\r\n\r\n", "not made of lines"),
            (
                b"Content-Transfer-Encoding: base64\r\n\r\n",
                "Content-Transfer-Encoding",
            ),
        ] {
            let Err(MultipartError::Malformed(refused)) = read(head) else {
                panic!("{head:?}");
            };
            assert!(refused.contains(problem), "{refused}");
        }
        let many = "a: b\r\n".repeat(33) + "\r\n";
        assert!(matches!(
            read(many.as_bytes()),
            Err(MultipartError::Malformed(_))
        ));
        assert_eq!(read(b"\r\n").unwrap(), Disposition::default());
        let binary = b"Content-Transfer-Encoding: binary\r\n\r\n";
        assert_eq!(read(binary).unwrap(), Disposition::default());
    }
}
