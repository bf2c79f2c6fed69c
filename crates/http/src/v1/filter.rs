//! The filters of our lists.

use jiff::Timestamp;
use livius_domain::Kind;
use livius_sessions::Search;

use super::Problem;
use super::parameters::{Parameters, bad, number};

/// The most items of a page.
const MOST_ITEMS: u64 = 1_000;

/// The items of a page by default.
const ITEMS: u64 = 100;

/// Stands for every state of the end.
const ENDED: &str = "ended";

/// A cursor is this text and a number.
const CURSOR: &str = "before-";

/// The names of the states that a list can be filtered by.
#[derive(Debug, Clone, Copy)]
pub struct StateNames {
    /// Of states before the end.
    pub live: [&'static str; 3],
    /// Of ends.
    pub ends: [&'static str; 3],
}

/// The filters of one request, and the page that it asks for.
#[derive(Debug)]
pub struct Filter {
    states: Option<Vec<&'static str>>,
    owner: Option<String>,
    kind: Option<Kind>,
    name: Option<String>,
    since: Option<Timestamp>,
    /// The key of the caller's request that made it.
    pub key: Option<String>,
    before: Option<i32>,
    limit: u64,
}

impl Filter {
    /// Reads the parameters that sessions and batches share.
    pub fn read(parameters: Parameters, names: StateNames) -> Result<Self, Problem> {
        Ok(Self {
            states: states(parameters, names)?,
            owner: parameters.text("owner"),
            kind: None,
            name: parameters.text("name"),
            since: since(parameters)?,
            key: parameters.key("key")?,
            before: before(parameters)?,
            limit: limit(parameters)?,
        })
    }

    /// Adds the kind, which only sessions have.
    pub fn with_kind(self, parameters: Parameters) -> Result<Self, Problem> {
        let Some(text) = parameters.text("kind") else {
            return Ok(self);
        };
        let kind = Kind::parse(&text).ok_or_else(|| {
            let kinds = Kind::ALL.map(Kind::as_str).join(", ");
            bad("kind", "no session has this kind").hint(format!("kinds are {kinds}"))
        })?;
        let kind = Some(kind);
        Ok(Self { kind, ..self })
    }

    /// The search in the store.
    pub fn search(&self) -> Search<'_> {
        Search {
            states: self.states.as_deref(),
            owner: self.owner.as_deref(),
            kind: self.kind,
            name: self.name.as_deref(),
            since: self.since,
            key: None,
            before: self.before,
            limit: self.limit,
        }
    }
}

/// The cursor of the page that goes on before this number.
pub fn cursor(before: i32) -> String {
    format!("{CURSOR}{before}")
}

fn states(parameters: Parameters, names: StateNames) -> Result<Option<Vec<&'static str>>, Problem> {
    let Some(text) = parameters.text("state") else {
        return Ok(None);
    };
    let all = [names.live, names.ends].concat();
    let mut wanted = Vec::new();
    for part in text.split(',') {
        let known = all.iter().find(|name| **name == part);
        match known {
            Some(known) if wanted.contains(known) => {}
            Some(known) => wanted.push(*known),
            None if part == ENDED => {
                wanted.retain(|name| !names.ends.contains(name));
                wanted.extend(names.ends);
            }
            None => {
                let all = all.join(", ");
                let unknown = bad("state", "there is no such state");
                return Err(unknown.hint(format!("states are {all}, and {ENDED} for every end")));
            }
        }
    }
    Ok(Some(wanted))
}

fn since(parameters: Parameters) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = parameters.text("since") else {
        return Ok(None);
    };
    match text.parse() {
        Ok(since) => Ok(Some(since)),
        Err(_) => Err(bad("since", "this is no time in RFC 3339 format")
            .hint("write since=2026-11-21T14:00:00Z; the + of an offset is written %2B")),
    }
}

/// Reads the cursor.
pub fn before(parameters: Parameters) -> Result<Option<i32>, Problem> {
    let Some(text) = parameters.text("cursor") else {
        return Ok(None);
    };
    match text.strip_prefix(CURSOR).and_then(number) {
        Some(before) => Ok(Some(before)),
        None => Err(no_cursor()),
    }
}

/// The refusal of a cursor.
pub fn no_cursor() -> Problem {
    bad("cursor", "this is no cursor of a list")
        .hint("take nextCursor of the page before, or leave the cursor out")
}

/// Reads the greatest number of items.
pub fn limit(parameters: Parameters) -> Result<u64, Problem> {
    let Some(text) = parameters.text("limit") else {
        return Ok(ITEMS);
    };
    let limit = number(&text).and_then(|limit| u64::try_from(limit).ok());
    let limit = limit.filter(|limit| (1..=MOST_ITEMS).contains(limit));
    limit.ok_or_else(|| {
        bad(
            "limit",
            format!("limit is no number from 1 to {MOST_ITEMS}"),
        )
    })
}
