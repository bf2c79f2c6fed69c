//! Which session or batch is meant.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::ClientError;

/// Everything but what an address may hold anywhere.
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
    /// Those that a flag means.
    pub fn of(batch: bool) -> Self {
        if batch { Self::Batches } else { Self::Sessions }
    }

    /// Where they are.
    pub fn path(self) -> &'static str {
        match self {
            Self::Sessions => "/sessions",
            Self::Batches => "/batches",
        }
    }

    /// What one of them is called.
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
    /// Which of the two.
    pub collection: Collection,
    path: String,
}

impl Reference {
    /// Takes it from the command line.
    pub fn parse(collection: Collection, text: &str) -> Result<Self, ClientError> {
        // A dot, or two, in the place of a name means another place, encoded or not.
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

    /// The one with this number.
    pub fn number(collection: Collection, id: i64) -> Self {
        Self {
            collection,
            path: format!("{}/{id}", collection.path()),
        }
    }

    /// Where it is.
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
