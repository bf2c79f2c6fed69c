//! Reads query strings. Bad numbers are refused in Livy's words.

use std::borrow::Cow;

use super::page::Page;
use livius_wire::{RequestError, integer};
use percent_encoding::percent_decode_str;

/// The number of items or lines that a response has by default.
pub const PAGE_SIZE: i64 = 100;

/// The parameters of a request. The first of several parameters with the same name counts.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    /// Takes the query of an address, without its question mark.
    pub fn new(text: Option<&'a str>) -> Self {
        Self(text.unwrap_or_default())
    }

    pub fn text(self, name: &str) -> Option<Cow<'a, str>> {
        self.0.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key == name || decoded(key) == name).then(|| decoded(value))
        })
    }

    pub fn integer(self, name: &str) -> Result<Option<i64>, RequestError> {
        self.text(name)
            .map(|text| integer(&text).map(i64::from))
            .transpose()
    }

    /// Returns the page of a list that the request asks for; by default the first [`PAGE_SIZE`]
    /// items.
    pub fn page(self) -> Result<Page, RequestError> {
        Ok(Page {
            from: self.integer("from")?.unwrap_or(0),
            size: self.integer("size")?.unwrap_or(PAGE_SIZE),
        })
    }
}

/// Decodes a name or a value.
pub fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let spaced = text.replace('+', " ");
    Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_the_first_counts() {
        let query = Query::new(Some(
            "from=-3&size=2147483647&order=%44esc+&from=9&do%41s=a%20b&empty",
        ));
        assert_eq!(query.integer("from"), Ok(Some(-3)));
        assert_eq!(query.integer("size"), Ok(Some(2_147_483_647)));
        assert_eq!(query.text("order").as_deref(), Some("Desc "));
        assert_eq!(query.text("doAs").as_deref(), Some("a b"));
        assert_eq!(query.text("empty").as_deref(), Some(""));
        assert_eq!(query.text("none"), None);
        assert_eq!(Query::new(None).integer("from"), Ok(None));
    }

    #[test]
    fn bad_numbers_are_refused_in_livys_words() {
        for (text, shown) in [
            ("from=abc", "abc"),
            ("from=", ""),
            ("from", ""),
            ("from=99999999999", "99999999999"),
        ] {
            let expected = RequestError::Refused(format!("For input string: \"{shown}\""));
            assert_eq!(Query::new(Some(text)).integer("from"), Err(expected));
        }
    }
}
