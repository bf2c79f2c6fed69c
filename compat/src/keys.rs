//! Livy's configuration keys, read from `docs/LIVY-CONFIGURATION.md`. The server's own registry
//! generates that file.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};

use crate::surface::State;

/// The columns of the tables of keys.
const COLUMNS: [&str; 5] = ["Livy's key", "Since Livy", "Livy's default", "mark", "here"];

/// All keys, by group.
#[derive(Debug)]
pub struct Keys {
    /// In the file's order.
    pub groups: Vec<KeyGroup>,
}

/// Keys that belong together.
#[derive(Debug)]
pub struct KeyGroup {
    /// The heading.
    pub heading: String,
    /// The rows.
    pub keys: Vec<Key>,
}

/// A key, as it is written in a cell of a table.
#[derive(Debug)]
pub struct Key {
    /// Its name, and its old one.
    pub name: String,
    /// The first version of Livy that has it.
    pub since: String,
    /// Its state, and whether it protects something.
    pub mark: String,
    /// Its meaning for Livius, or why it has none.
    pub here: String,
}

impl Keys {
    /// The keys of this repository.
    pub fn own() -> anyhow::Result<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/LIVY-CONFIGURATION.md");
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| {
            format!(
                "{}: run `cargo xtask codegen` if it is stale",
                path.display()
            )
        })
    }

    /// Reads the tables of keys, and skips the rest of the text.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let mut groups: Vec<KeyGroup> = Vec::new();
        let mut heading = "";
        let mut inside = false;
        for line in text.lines() {
            if let Some(found) = line.strip_prefix("## ") {
                heading = found;
                inside = false;
                continue;
            }
            let cells = cells(line);
            if cells == COLUMNS {
                inside = true;
                groups.push(KeyGroup {
                    heading: heading.to_owned(),
                    keys: Vec::new(),
                });
            } else if inside && line.starts_with("| ") {
                let group = groups.last_mut().context("a key before any table")?;
                group
                    .keys
                    .push(Key::of(&cells).with_context(|| line.to_owned())?);
            }
        }
        if groups.is_empty() {
            bail!("it has no table of keys");
        }
        Ok(Self { groups })
    }

    /// All keys.
    pub fn all(&self) -> impl Iterator<Item = &Key> {
        self.groups.iter().flat_map(|group| &group.keys)
    }
}

impl Key {
    fn of(cells: &[&str]) -> anyhow::Result<Self> {
        let &[name, since, _, mark, here] = cells else {
            bail!("a key has {} cells", COLUMNS.len());
        };
        let words = mark.strip_suffix(", **protects**").unwrap_or(mark);
        State::ALL
            .into_iter()
            .find(|state| state.words() == words)
            .ok_or_else(|| anyhow!("there is no mark {words:?}"))?;
        if here.is_empty() {
            bail!("it does not say why");
        }
        Ok(Self {
            name: name.to_owned(),
            since: since.to_owned(),
            mark: mark.to_owned(),
            here: here.to_owned(),
        })
    }
}

fn cells(line: &str) -> Vec<&str> {
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
    inner.split(" | ").map(str::trim).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
## Server

| Livy's key | Since Livy | Livy's default | mark | here |
|---|---|---|---|---|
| `a.b`<br>formerly `a.c` | 0.2 | none | works | `x` |

## Other files

| file | here |
|---|---|
| `c` | not read |
";

    #[test]
    fn the_tables_of_keys_are_read_and_nothing_else() {
        let keys = Keys::parse(TABLE).unwrap();
        assert_eq!(keys.groups.len(), 1);
        assert_eq!(keys.groups[0].heading, "Server");
        let all: Vec<&Key> = keys.all().collect();
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].name, "`a.b`<br>formerly `a.c`");
        assert_eq!(
            (&*all[0].since, &*all[0].mark, &*all[0].here),
            ("0.2", "works", "`x`")
        );
    }

    #[test]
    fn another_mark_and_a_missing_reason_are_refused() {
        let marked = TABLE.replace("works", "perhaps");
        assert!(format!("{:#}", Keys::parse(&marked).unwrap_err()).contains("perhaps"));
        let silent = TABLE.replace("| `x` |", "|  |");
        assert!(Keys::parse(&silent).is_err());
        assert!(Keys::parse("nothing").is_err());
    }
}
