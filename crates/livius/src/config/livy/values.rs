//! Combines the entries of all files: one value for each of our keys, with every entry that
//! contributed to it.

use super::convert::Assignment;
use super::files::Entry;
use super::judge::{Judged, Verdict};
use crate::config::value::Raw;

/// The most names of entries in one origin. A blacklist may have hundreds of entries.
const NAMES_TOLD: usize = 3;

/// A value with its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Combined<'a> {
    /// The value.
    pub setting: Assignment,
    /// The entries, at least one.
    pub sources: Vec<&'a Entry>,
    /// Remarks for the administrator.
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

/// Combines the accepted entries. Entries for the same key either extend a list, or their
/// conversions have made them agree.
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
