//! Prepares `Accept-Encoding` for the compression layer.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_ENCODING;

/// Removes the refusal of uncompressed responses (`identity;q=0`) from a request. Livy ignores it.
/// With it, a client would be refused after the server has already done what it asked for.
pub fn forgive(headers: &mut HeaderMap) {
    let values = headers.get_all(ACCEPT_ENCODING).iter();
    let texts: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
    let items = || texts.iter().flat_map(|text| text.split(','));
    if !items().any(refuses_plain) {
        return;
    }
    let kept: Vec<&str> = items().filter(|item| !refuses_plain(item)).collect();
    let kept = kept.join(",").try_into();
    headers.remove(ACCEPT_ENCODING);
    if let Ok(kept) = kept {
        headers.insert(ACCEPT_ENCODING, kept);
    }
}

/// `*` stands for all encodings that are not named, so also for `identity`.
fn refuses_plain(item: &str) -> bool {
    let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
    let weight = parameters
        .trim()
        .strip_prefix(['q', 'Q'])
        .and_then(|rest| rest.trim_start().strip_prefix('='));
    let is_zero = weight.is_some_and(|weight| weight.trim().parse::<f32>() == Ok(0.0));
    let name = name.trim();
    is_zero && (name == "*" || name.eq_ignore_ascii_case("identity"))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn nobody_can_refuse_plain_answers() {
        for (given, left) in [
            (&["gzip, deflate"][..], &["gzip, deflate"][..]),
            (&["gzip;q=0, br"], &["gzip;q=0, br"]),
            (&["identity;q=0.5", "*"], &["identity;q=0.5", "*"]),
            (&["identity;q=0"], &[""]),
            (&["*; q=0.000"], &[""]),
            (&["gzip,Identity ; Q = 0"], &["gzip"]),
            (&["gzip;q=0", "*;q=0", "deflate"], &["gzip;q=0,deflate"]),
            (&["identity;q=x", "\u{e9}"], &["identity;q=x", "\u{e9}"]),
        ] {
            let mut headers = HeaderMap::new();
            for value in given {
                headers.append(ACCEPT_ENCODING, value.parse().unwrap());
            }
            forgive(&mut headers);
            let values = headers.get_all(ACCEPT_ENCODING).iter();
            let values: Vec<&[u8]> = values.map(HeaderValue::as_bytes).collect();
            let left: Vec<&[u8]> = left.iter().map(|value| value.as_bytes()).collect();
            assert_eq!(values, left, "{given:?}");
        }
    }
}
