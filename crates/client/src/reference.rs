//! References to sessions and batches, by id or name.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::ClientError;

/// The characters that a path segment must escape.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Sessions or batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collection {
    /// Sessions.
    Sessions,
    /// Batches.
    Batches,
}

impl Collection {
    /// Batches if the flag is set, else sessions.
    pub fn of(batch: bool) -> Self {
        if batch { Self::Batches } else { Self::Sessions }
    }

    /// The path of the collection.
    pub fn path(self) -> &'static str {
        match self {
            Self::Sessions => "/sessions",
            Self::Batches => "/batches",
        }
    }

    /// The word for one entry.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Sessions => "session",
            Self::Batches => "batch",
        }
    }
}

/// A session or a batch, by number or name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The collection.
    pub collection: Collection,
    path: String,
}

impl Reference {
    /// Reads an id or a name.
    pub fn parse(collection: Collection, text: &str) -> Result<Self, ClientError> {
        // HTTP clients resolve `.` and `..` in paths, encoded or not, so these names would reach
        // another resource.
        if ["", ".", ".."].contains(&text) {
            return Err(ClientError::Name {
                text: text.to_owned(),
            });
        }
        let encoded = utf8_percent_encode(text, ENCODED);
        Ok(Self {
            collection,
            path: format!("{}/{encoded}", collection.path()),
        })
    }

    /// The session or batch with this id.
    pub fn number(collection: Collection, id: i64) -> Self {
        Self {
            collection,
            path: format!("{}/{id}", collection.path()),
        }
    }

    /// The path of the session or batch.
    pub fn path(&self) -> &str {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded() {
        let cases = [
            ("7", "/batches/7"),
            ("my job", "/batches/my%20job"),
            ("a/b?c#d%41", "/batches/a%2Fb%3Fc%23d%2541"),
            ("λ-1_2.3~", "/batches/%CE%BB-1_2.3~"),
            ("...", "/batches/..."),
        ];
        for (text, path) in cases {
            let reference = Reference::parse(Collection::Batches, text).unwrap();
            assert_eq!(reference.path(), path);
        }
        for text in ["", ".", ".."] {
            assert!(Reference::parse(Collection::Sessions, text).is_err());
        }
    }
}
