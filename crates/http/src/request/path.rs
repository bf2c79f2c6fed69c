//! Normalises the paths of requests before they are routed.
//!
//! Clients often send extra slashes: a base address that ends with one makes `//sessions`, and some
//! add one at the end. Livy ignores path parameters (`;x=y`), and some gateways escape characters
//! that need no escape.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The path is not percent-encoded UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadPath;

/// Returns the path with single slashes, none at its end, without parameters, with all escapes
/// checked and the needless ones removed.
pub fn normalise(path: &str) -> Result<Cow<'_, str>, BadPath> {
    if !is_encoded_utf8(path) {
        return Err(BadPath);
    }
    if is_plain(path) {
        return Ok(Cow::Borrowed(path));
    }
    let mut plain = String::with_capacity(path.len());
    for segment in path.split('/') {
        let name = segment.split(';').next().unwrap_or_default();
        if !name.is_empty() {
            plain.push('/');
            push_unescaped(&mut plain, name);
        }
    }
    Ok(Cow::Owned(if plain.is_empty() {
        "/".to_owned()
    } else {
        plain
    }))
}

fn is_plain(path: &str) -> bool {
    path == "/"
        || !(path.contains(';')
            || path.contains("//")
            || path.contains('%')
            || path.ends_with('/')
            || !path.starts_with('/'))
}

/// Appends a name without the escapes of characters that need none.
fn push_unescaped(plain: &mut String, name: &str) {
    let mut rest = name;
    while let Some(start) = rest.find('%') {
        let (before, escape) = (&rest[..start], &rest[start..start + 3]);
        plain.push_str(before);
        match u8::from_str_radix(&escape[1..], 16).map(char::from) {
            Ok(c) if c.is_ascii_alphanumeric() || "-._~".contains(c) => plain.push(c),
            _ => plain.push_str(escape),
        }
        rest = &rest[start + 3..];
    }
    plain.push_str(rest);
}

fn is_encoded_utf8(path: &str) -> bool {
    let mut rest = path;
    while let Some(start) = rest.find('%') {
        let digits = rest.as_bytes().get(start + 1..start + 3);
        if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            return false;
        }
        rest = &rest[start + 3..];
    }
    rest.len() == path.len() || percent_decode_str(path).decode_utf8().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_get_their_plain_form() {
        for (path, plain) in [
            ("/", "/"),
            ("", "/"),
            ("//", "/"),
            ("/sessions", "/sessions"),
            ("/sessions/", "/sessions"),
            ("//sessions", "/sessions"),
            ("/sessions//0///statements/", "/sessions/0/statements"),
            ("/sessions;x=y", "/sessions"),
            ("/sessions;a=b/0;c/state;d=e;f", "/sessions/0/state"),
            ("/sessions/;x", "/sessions"),
            ("/sessions/a%2Fb", "/sessions/a%2Fb"),
            ("/sessions/a%3Bb", "/sessions/a%3Bb"),
            ("/sessions/%CF%80", "/sessions/%CF%80"),
            ("/%73essions/%30/st%61te", "/sessions/0/state"),
            ("/sessions/%25%37%3A%41é%2D", "/sessions/%257%3AAé-"),
        ] {
            assert_eq!(normalise(path).as_deref(), Ok(plain), "{path}");
        }
        for path in [
            "/sessions/%zz",
            "/sessions/%",
            "/sessions/%2",
            "/sessions/%ff",
            "/%2é",
        ] {
            assert_eq!(normalise(path), Err(BadPath), "{path}");
        }
    }

    #[test]
    fn a_plain_path_is_not_copied() {
        assert!(matches!(
            normalise("/sessions/0/statements/1"),
            Ok(Cow::Borrowed(_))
        ));
    }
}
