//! Secrets within addresses.

use std::ops::Range;

use super::names::is_secret_key;

/// Schemes whose user information is an access key and a secret key, and whose authority has no
/// port. Users write the secret key as it is, with its slashes.
const OBJECT_STORES: [&str; 6] = ["s3", "s3a", "s3n", "oss", "obs", "cosn"];

/// The shortest user of an `https` address that counts as an access token. People's names are
/// shorter.
const TOKEN: usize = 20;

/// The places of the secrets in the addresses of a text, in order.
pub fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = text
        .match_indices("://")
        .filter_map(|(at, _)| user_information(text, at))
        .chain(query(text))
        .collect();
    found.sort_by_key(|range| range.start);
    found.dedup_by(|later, earlier| later.start < earlier.end);
    found
}

/// The secret before the `@` of an address whose `://` is here.
fn user_information(text: &str, at: usize) -> Option<Range<usize>> {
    let start = at + "://".len();
    let rest = text[start..].split([' ', ',']).next()?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '-' || c == '.';
    let scheme = &text[text[..at].trim_end_matches(is_name).len()..at];
    if OBJECT_STORES.contains(&scheme) {
        let end = rest.rfind('@').filter(|_| authority.contains(':'))?;
        return Some(start..start + end);
    }
    let (user, _) = authority.rsplit_once('@')?;
    match user.split_once(':') {
        Some((_, "")) => None,
        Some((name, _)) => Some(start + name.len() + 1..start + user.len()),
        None => (scheme.starts_with("http") && is_token(user)).then_some(start..start + user.len()),
    }
}

fn is_token(user: &str) -> bool {
    user.len() >= TOKEN && user.contains(|c: char| c.is_ascii_digit())
}

/// The values of the secret parameters of an address, such as `sig` of a shared access signature.
fn query(text: &str) -> impl Iterator<Item = Range<usize>> {
    let starts = text.match_indices(['?', '&']).map(|(at, _)| at + 1);
    starts.filter_map(|start| {
        let end = text[start..].find(['&', '#', ' ', ',']);
        let end = end.map_or(text.len(), |length| start + length);
        let (name, value) = text[start..end].split_once('=')?;
        let is_secret = is_secret_key(name) || name.eq_ignore_ascii_case("key");
        (is_secret && !value.is_empty()).then_some(end - value.len()..end)
    })
}
