//! The values that the files as a whole come to: one for each key of ours, with every entry that had a part in it.

use super::convert::Assignment;
use super::files::Entry;
use super::judge::{Judged, Verdict};
use crate::config::value::Raw;

/// Names of entries that an origin tells at most; a blacklist may have hundreds.
const NAMES_TOLD: usize = 3;

/// A value, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Combined<'a> {
    /// The value.
    pub setting: Assignment,
    /// The entries, at least one.
    pub sources: Vec<&'a Entry>,
    /// What the reader should know.
    pub remarks: Vec<String>,
}

impl Combined<'_> {
    /// The names of the entries.
    pub fn names(&self) -> String {
        let names: Vec<&str> = self
            .sources
            .iter()
            .take(NAMES_TOLD)
            .map(|entry| entry.name.as_str())
            .collect();
        match self.sources.len().saturating_sub(NAMES_TOLD) {
            0 => names.join(", "),
            more => format!("{} and {more} more", names.join(", ")),
        }
    }
}

/// Combines what was taken. Several entries that come to the same key either add to a list, or were made to agree by their conversions.
pub fn combine<'a>(judged: &[Judged<'a>]) -> Vec<Combined<'a>> {
    let mut all: Vec<Combined<'a>> = Vec::new();
    for one in judged {
        let Verdict::Taken(settings, remark) = &one.verdict else {
            continue;
        };
        for setting in settings {
            let place = |known: &Combined<'_>| {
                (known.setting.key, &known.setting.entry) == (setting.key, &setting.entry)
            };
            let index = all.iter().position(place).unwrap_or_else(|| {
                all.push(Combined {
                    setting: setting.clone(),
                    sources: Vec::new(),
                    remarks: Vec::new(),
                });
                all.len() - 1
            });
            all[index].sources.push(one.entry);
            all[index].remarks.extend(remark.clone());
            add(&mut all[index].setting.raw, &setting.raw);
        }
    }
    all
}

fn add(raw: &mut Raw, other: &Raw) {
    if let (Raw::Many(texts), Raw::Many(more)) = (raw, other) {
        for text in more {
            if !texts.contains(text) {
                texts.push(text.clone());
            }
        }
    }
}
