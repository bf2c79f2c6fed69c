//! Reads the parameters of our own routes. A refusal names the parameter.

use std::borrow::Cow;
use std::collections::HashSet;

use axum::http::StatusCode;

use super::Problem;
use crate::request::key;
use crate::request::query::Query;

/// The most numbers that a parameter may name.
const MOST_IDS: usize = 1_000;

/// How much of a value a refusal repeats, in characters.
const SHOWN: usize = 100;

/// The parameters of a request.
#[derive(Debug, Clone, Copy)]
pub struct Parameters<'a>(Query<'a>);

impl<'a> Parameters<'a> {
    /// Takes the query of an address, without its question mark.
    pub fn new(text: Option<&'a str>) -> Self {
        Self(Query::new(text))
    }

    /// Takes the parameters of a request that are read already.
    pub fn of(query: Query<'a>) -> Self {
        Self(query)
    }

    pub fn text(self, name: &str) -> Option<String> {
        self.0.text(name).map(Cow::into_owned)
    }

    /// An `Idempotency-Key`.
    pub fn key(self, name: &'static str) -> Result<Option<String>, Problem> {
        let Some(key) = self.text(name) else {
            return Ok(None);
        };
        match key::check(key.as_bytes()) {
            Ok(()) => Ok(Some(key)),
            Err(refused) => Err(bad(name, refused.to_string())),
        }
    }

    /// A number of 0 or more. `None` without the parameter.
    pub fn count(self, name: &'static str) -> Result<Option<i64>, Problem> {
        let Some(text) = self.0.text(name) else {
            return Ok(None);
        };
        let count = number(&text).map(i64::from);
        let refused = || bad(name, format!("{:?} is not a number", shown(&text)));
        count.map(Some).ok_or_else(refused)
    }

    /// `true` or `false`; `false` without the parameter.
    pub fn flag(self, name: &'static str) -> Result<bool, Problem> {
        match self.0.text(name).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(text) => Err(bad(
                name,
                format!("{:?} is neither true nor false", shown(text)),
            )),
        }
    }

    /// Numbers between commas, each once, in their order. `None` without the parameter.
    pub fn ids(self, name: &'static str) -> Result<Option<Vec<i32>>, Problem> {
        let Some(text) = self.0.text(name) else {
            return Ok(None);
        };
        if text.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let mut ids = Vec::new();
        let mut known = HashSet::new();
        for (index, part) in text.split(',').enumerate() {
            if index == MOST_IDS {
                let many = bad(name, format!("{name} names more than {MOST_IDS} numbers"));
                return Err(many.hint("ask for them in several requests"));
            }
            let id = number(part).ok_or_else(|| {
                bad(name, format!("{:?} is not a number", shown(part))).hint(format!(
                    "write numbers between commas, such as {name}=1,2,3"
                ))
            })?;
            if known.insert(id) {
                ids.push(id);
            }
        }
        Ok(Some(ids))
    }
}

/// The refusal of a parameter.
pub fn bad(name: &'static str, message: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad_parameter", message).field(name)
}

/// A number: digits and nothing else.
pub fn number(text: &str) -> Option<i32> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

fn shown(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}
