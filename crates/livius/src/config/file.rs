//! The layer of the configuration file.

use camino::{Utf8Path, Utf8PathBuf};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::flags::Flags;
use super::layers::Layers;
use super::problem::{suggestion, unknown_key};
use super::process_environment::ProcessEnvironment;
use super::resolved::Origin;
use super::sections::{self, pools};
use super::setting::Key;
use super::value::{Base, Raw, Shape};

/// The file of `--config` or `LIVIUS_CONFIG`, or else the user's own file if it exists.
pub fn locate(flags: &Flags, environment: &ProcessEnvironment) -> Option<Utf8PathBuf> {
    let named = flags
        .config
        .as_deref()
        .or_else(|| environment.get("LIVIUS_CONFIG"));
    match named {
        Some(path) => Some(environment.base().resolve(path)),
        None => environment
            .default_config_file()
            .filter(|path| path.exists()),
    }
}

/// Reads the file into the layers.
pub fn read(path: &Utf8Path, environment: &ProcessEnvironment, layers: &mut Layers) {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return layers.general_problem(format!("{path}: cannot be read: {error}")),
    };
    let (document, errors) = DeTable::parse_recoverable(&text);
    for error in &errors {
        let line = error.span().map_or(1, |span| line_of(&text, span.start));
        layers.problem(&Origin::File(path.to_owned(), line), error.message());
    }
    if errors.is_empty() {
        let directory = path.parent().unwrap_or(Utf8Path::new("/"));
        let reader = Reader {
            path,
            text: &text,
            base: Base {
                directory,
                ..environment.base()
            },
        };
        reader.document(document.get_ref(), layers);
    }
}

struct Reader<'a> {
    path: &'a Utf8Path,
    text: &'a str,
    base: Base<'a>,
}

impl Reader<'_> {
    fn document(&self, document: &DeTable<'_>, layers: &mut Layers) {
        for (section, value) in in_order(document) {
            match value.get_ref() {
                // The names of pools are the operator's.
                DeValue::Table(table) if section.get_ref() == pools::POOLS.key.path => {
                    self.entries(&pools::POOLS.key, "", table, layers);
                }
                DeValue::Table(table) if is_section(section.get_ref()) => {
                    self.section(section.get_ref(), table, layers);
                }
                DeValue::Table(_) => {
                    let unknown = format!("[{}]", section.get_ref());
                    let hint =
                        suggestion(&unknown, section_names().map(|known| format!("[{known}]")));
                    layers.problem(
                        &self.origin(section.span().start),
                        &format!("there is no section {unknown}{hint}"),
                    );
                }
                _ => layers.problem(
                    &self.origin(section.span().start),
                    &unknown_key(section.get_ref()),
                ),
            }
        }
    }

    fn section(&self, section: &str, table: &DeTable<'_>, layers: &mut Layers) {
        for (name, value) in in_order(table) {
            let path = format!("{section}.{}", name.get_ref());
            let origin = self.origin(name.span().start);
            let table = sections::find(&path).filter(|key| key.shape == Shape::Table);
            match (value.get_ref(), table) {
                (DeValue::Table(entries), Some(table)) => {
                    self.entries(table, "", entries, layers);
                }
                (other, _) => layers.set_named(&path, &raw(other), origin, self.base),
            }
        }
    }

    /// Without quotes, TOML reads `spark.sql.shuffle.partitions = 4` as nested tables. We treat it
    /// as one name.
    fn entries(&self, table: &Key, prefix: &str, entries: &DeTable<'_>, layers: &mut Layers) {
        for (name, value) in in_order(entries) {
            let full = format!("{prefix}{}", name.get_ref());
            let origin = self.origin(name.span().start);
            match (value.get_ref(), raw(value.get_ref())) {
                (DeValue::Table(inner), _) => {
                    self.entries(table, &format!("{full}."), inner, layers);
                }
                (_, Raw::One(text)) => layers.set_entry(table, &full, &text, origin),
                (_, Raw::Many(texts)) if *table == pools::POOLS.key => {
                    layers.set_entry(table, &full, &texts.join(","), origin);
                }
                (_, Raw::Many(_) | Raw::Nested) => {
                    layers.problem(
                        &origin,
                        &format!("{}.{full}: a list where a text is needed", table.path),
                    );
                }
            }
        }
    }

    fn origin(&self, offset: usize) -> Origin {
        Origin::File(self.path.to_owned(), line_of(self.text, offset))
    }
}

type Entry<'a, 'i> = (&'a Spanned<DeString<'i>>, &'a Spanned<DeValue<'i>>);

/// The entries in the order of the file, because the parser sorts them by name.
fn in_order<'a, 'i>(table: &'a DeTable<'i>) -> Vec<Entry<'a, 'i>> {
    let mut entries: Vec<Entry<'a, 'i>> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    entries
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text
        .bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
}

fn section_names() -> impl Iterator<Item = String> {
    sections::all()
        .filter_map(|key| key.path.split('.').next())
        .map(str::to_owned)
}

fn is_section(name: &str) -> bool {
    section_names().any(|section| section == name)
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::Array(items) => {
            let texts: Option<Vec<String>> = items.iter().map(Spanned::get_ref).map(one).collect();
            texts.map_or(Raw::Nested, Raw::Many)
        }
        other => one(other).map_or(Raw::Nested, Raw::One),
    }
}

fn one(value: &DeValue<'_>) -> Option<String> {
    Some(match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => match i128::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => number.to_string(),
            Err(_) => number.as_str().to_owned(),
        },
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(on) => on.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(_) | DeValue::Table(_) => return None,
    })
}
