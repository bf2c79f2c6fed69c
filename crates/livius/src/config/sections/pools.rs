//! `[pools.<name>]`: drivers that wait for sessions.
//!
//! The names of pools are the operator's, so the section is one table. Its entries are read here.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8Path;
use jiff::tz::TimeZone;
use livius_domain::pool::{Level, Template};
use livius_domain::{Hours, SessionRequest};
use serde_json::{Value as Json, json};

use crate::config::check::Problems;
use crate::config::resolved::Resolved;
use crate::config::setting::{Key, Setting, Table, table};
use crate::config::value::{Base, Raw, Shape, Value};

settings! {
    POOLS: Table = table(
        "pools",
        "Each `[pools.NAME]` is a pool of drivers that wait for sessions. Keys: `level` (`ready` or `primed`), `kind`, `conf`, `jars`, `py_files`, `files`, `archives`, `driver_memory`, `driver_cores`, `executor_memory`, `executor_cores`, `num_executors`, `queue`, `user`, `users`, `groups`, `min`, `max`, `max_age`, `hours`, `time_zone`. [POOLS.md](POOLS.md) explains them. Without a pool there is one primed driver for the kind of session used last. In the variable, and with `--set`, a key is `NAME.KEY`.",
    );
}

/// The longest name of a pool.
const NAME_BYTES: usize = 40;

/// The most drivers of one pool.
const MOST: u64 = 1000;

/// How old a driver gets in a pool if nothing says.
const MAX_AGE: Duration = Duration::from_hours(8);

/// Keys of a session's request, and its fields.
const FIELDS: [(&str, &str, Form); 11] = [
    ("kind", "kind", Form::Text),
    ("jars", "jars", Form::Files),
    ("py_files", "pyFiles", Form::Files),
    ("files", "files", Form::Files),
    ("archives", "archives", Form::Files),
    ("driver_memory", "driverMemory", Form::Text),
    ("driver_cores", "driverCores", Form::Number),
    ("executor_memory", "executorMemory", Form::Text),
    ("executor_cores", "executorCores", Form::Number),
    ("num_executors", "numExecutors", Form::Number),
    ("queue", "queue", Form::Text),
];

/// The keys that describe the pool itself.
const OWN: [&str; 9] = [
    "level",
    "user",
    "users",
    "groups",
    "min",
    "max",
    "max_age",
    "hours",
    "time_zone",
];

#[derive(Clone, Copy)]
enum Form {
    Text,
    Files,
    Number,
}

/// The entries of one pool, by key.
type Entries = BTreeMap<String, String>;

/// Reads the pools, by name.
pub fn read(resolved: &Resolved, problems: &mut Problems) -> Vec<Template> {
    let mut pools: BTreeMap<String, Entries> = BTreeMap::new();
    for (path, text) in resolved.table(&POOLS) {
        match path.split_once('.') {
            Some((name, key)) if is_name(name) => {
                let entries = pools.entry(name.to_owned()).or_default();
                entries.insert(key.to_owned(), text);
            }
            Some(_) => problems.refuse_entry(
                &POOLS,
                &path,
                "the name of a pool has up to 40 small letters, digits, - and _",
            ),
            None => problems.refuse_entry(
                &POOLS,
                &path,
                format!("a pool is a section of its own: write [pools.{path}]"),
            ),
        }
    }
    let read = pools.into_iter().filter_map(|(name, entries)| {
        let template = template(&name, &entries);
        template
            .map_err(|(key, sentence)| {
                let path = format!("{name}.{key}");
                problems.refuse_entry(&POOLS, path.trim_end_matches('.'), sentence);
            })
            .ok()
    });
    read.collect()
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    !name.is_empty() && name.len() <= NAME_BYTES && name.chars().all(fits)
}

/// A key, and what is wrong with it.
type Refusal = (String, String);

fn template(name: &str, entries: &Entries) -> Result<Template, Refusal> {
    let is_known = |key: &str| {
        OWN.contains(&key)
            || FIELDS.iter().any(|(known, ..)| *known == key)
            || key
                .strip_prefix("conf.")
                .is_some_and(|name| !name.is_empty())
    };
    if let Some(unknown) = entries.keys().find(|key| !is_known(key)) {
        return Err((unknown.clone(), "there is no such key of a pool".to_owned()));
    }
    let text = |key: &str| entries.get(key).cloned();
    let list = |key: &str| entries.get(key).map_or_else(Vec::new, |text| split(text));
    let level = match entries.get("level").map(String::as_str) {
        None | Some("ready") => Level::Ready,
        Some("primed") => Level::Primed,
        Some(_) => return Err(refusal("level", "write ready or primed")),
    };
    if level == Level::Ready && !entries.contains_key("kind") {
        return Err(refusal("kind", "a ready driver has a kind: set it"));
    }
    let min = count(entries, "min")?.unwrap_or(1);
    let max = count(entries, "max")?.unwrap_or_else(|| min.max(1));
    if max < min || max == 0 {
        return Err(refusal("max", "it must be at least min, and at least 1"));
    }
    Ok(Template {
        name: name.to_owned(),
        level,
        request: request(entries)?,
        user: text("user"),
        users: list("users"),
        groups: list("groups"),
        min,
        max,
        max_age: max_age(entries)?,
        hours: hours(&list("hours"), entries)?,
    })
}

fn refusal(key: &str, sentence: impl Into<String>) -> Refusal {
    (key.to_owned(), sentence.into())
}

fn split(text: &str) -> Vec<String> {
    let entries = text.split(',').map(str::trim);
    let entries = entries.filter(|entry| !entry.is_empty());
    entries.map(str::to_owned).collect()
}

/// The request that the pool's sessions would be, read as a client's.
fn request(entries: &Entries) -> Result<SessionRequest, Refusal> {
    let mut request = serde_json::Map::new();
    for (key, field, form) in FIELDS {
        let Some(text) = entries.get(key) else {
            continue;
        };
        let value = match form {
            Form::Text => json!(text),
            Form::Files => Json::from(files(key, text)?),
            Form::Number => text.parse::<u32>().map_or_else(|_| json!(text), Json::from),
        };
        request.insert(field.to_owned(), value);
    }
    let conf = entries.iter().filter_map(|(key, text)| {
        let name = key.strip_prefix("conf.")?;
        Some((name.to_owned(), json!(text)))
    });
    request.insert("conf".to_owned(), Json::Object(conf.collect()));
    let text = Json::Object(request).to_string();
    let options = livius_wire::ReadOptions::default();
    livius_wire::read_session(&text, options).map_err(|error| refusal("", error.to_string()))
}

/// Spark would look for a relative path in the working directory of the driver.
fn files(key: &str, text: &str) -> Result<Vec<String>, Refusal> {
    let files = split(text);
    let is_relative = |file: &&String| !file.starts_with('/') && !file.contains(":/");
    match files.iter().find(is_relative) {
        Some(relative) => Err(refusal(
            key,
            format!("{relative:?} is relative: write an absolute path or a URI"),
        )),
        None => Ok(files),
    }
}

fn count(entries: &Entries, key: &str) -> Result<Option<usize>, Refusal> {
    let Some(value) = value(entries, key, Shape::Within(0, MOST))? else {
        return Ok(None);
    };
    match value {
        Value::Number(number) => Ok(usize::try_from(number).ok()),
        _ => Ok(None),
    }
}

fn max_age(entries: &Entries) -> Result<Duration, Refusal> {
    match value(entries, "max_age", Shape::DurationOrNever)? {
        None => Ok(MAX_AGE),
        Some(Value::Duration(Some(age))) if !age.is_zero() => Ok(age),
        Some(Value::Duration(None)) => Ok(livius_domain::duration::FOREVER),
        Some(_) => Err(refusal(
            "max_age",
            "no driver would wait: write a longer time",
        )),
    }
}

fn value(entries: &Entries, key: &str, shape: Shape) -> Result<Option<Value>, Refusal> {
    let base = Base {
        directory: Utf8Path::new("/"),
        home: None,
    };
    let Some(text) = entries.get(key) else {
        return Ok(None);
    };
    let read = shape.read(&Raw::One(text.clone()), base);
    read.map(Some).map_err(|sentence| refusal(key, sentence))
}

fn hours(windows: &[String], entries: &Entries) -> Result<Option<Hours>, Refusal> {
    let zone = match entries.get("time_zone") {
        None => TimeZone::UTC,
        Some(name) => TimeZone::get(name)
            .map_err(|error| refusal("time_zone", format!("{name:?}: {error}")))?,
    };
    if windows.is_empty() {
        return Ok(None);
    }
    let hours = Hours::parse(windows.iter().map(String::as_str), zone);
    hours
        .map(Some)
        .map_err(|error| refusal("hours", error.to_string()))
}
