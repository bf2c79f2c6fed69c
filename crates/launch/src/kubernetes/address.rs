//! The address of an API server, as masters and patterns write it.

/// Writes an API server's address in one way, so that two spellings of it are equal: with a scheme,
/// with a port, in lower case, without a slash at the end. As in Spark, the scheme is `https` if the
/// text has none. `None` for a text that is no such address.
pub(crate) fn normal(text: &str) -> Option<String> {
    let text = text.strip_prefix("k8s://").unwrap_or(text);
    let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
    let port = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    let rest = rest.trim_end_matches('/');
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    // An `@` would make another host of what stands before it.
    let is_odd = |c: char| !c.is_ascii_graphic() || matches!(c, '@' | '?' | '#' | '\\' | '"');
    if authority.is_empty() || rest.contains(is_odd) {
        return None;
    }
    let authority = authority.to_ascii_lowercase();
    let after_host = authority
        .rsplit_once(']')
        .map_or(&*authority, |(_, rest)| rest);
    let has_port = after_host.contains(':');
    Some(if has_port {
        format!("{scheme}://{authority}{path}")
    } else {
        format!("{scheme}://{authority}:{port}{path}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_are_equal() {
        for (text, expected) in [
            ("k8s://https://h:6443", Some("https://h:6443")),
            ("https://H", Some("https://h:443")),
            ("h:6443/", Some("https://h:6443")),
            ("k8s://http://h:8001", Some("http://h:8001")),
            (
                "https://r.example.com/k8s/c-1/",
                Some("https://r.example.com:443/k8s/c-1"),
            ),
            ("https://[::1]:6443", Some("https://[::1]:6443")),
            ("https://[::1]", Some("https://[::1]:443")),
            (
                "https://*.example.com:6443",
                Some("https://*.example.com:6443"),
            ),
            ("ftp://h", None),
            ("https://", None),
            ("https://good:443@evil", None),
            ("https://evil#good", None),
            ("https://a b", None),
        ] {
            assert_eq!(normal(text).as_deref(), expected, "{text}");
        }
    }
}
