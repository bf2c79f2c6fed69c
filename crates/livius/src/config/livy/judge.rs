//! Decides what each entry of the files becomes.

use super::convert::{Assignment, Converted, Given};
use super::files::{Entry, Files, Role};
use super::keys::{self, LivyKey, Meaning};
use crate::config::problem::suggestion;
use crate::config::sections::spark;
use crate::config::value::Base;
use crate::config::value::Raw;

/// The decision on an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It becomes values of Livius, sometimes with a remark.
    Taken(Vec<Assignment>, Option<String>),
    /// It has no effect, for this reason.
    Idle(String),
    /// Livius does not have the feature yet.
    NotYet(String),
    /// Livius does not have the feature yet, and the key protects something. Leaving it out must be
    /// a decision of the administrator.
    Unprotected(String),
    /// Its text is refused.
    Refused(String),
    /// The key is unknown.
    Unknown(String),
}

/// An entry with its decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged<'a> {
    /// The entry.
    pub entry: &'a Entry,
    /// The decision.
    pub verdict: Verdict,
}

/// Decides on all entries, in order.
pub fn judge(files: &Files) -> Vec<Judged<'_>> {
    let judged = |entry| Judged {
        entry,
        verdict: verdict(entry, files),
    };
    files.entries.iter().map(judged).collect()
}

fn verdict(entry: &Entry, files: &Files) -> Verdict {
    let name = entry.name.as_str();
    if entry.role == Role::Blacklist {
        return checked(
            vec![Assignment {
                key: &spark::BLOCKED_CONF.key,
                entry: None,
                raw: Raw::Many(vec![name.to_owned()]),
            }],
            None,
        );
    }
    if entry.role == Role::Client && name.starts_with("spark.") {
        return spark_conf(entry, files);
    }
    if !name.starts_with("livy.") {
        return Verdict::Unknown(
            "Livy ignores keys that do not begin with livy. as well".to_owned(),
        );
    }
    match keys::find(name) {
        None => Verdict::Unknown(format!("Livy has no such key{}", hint(name))),
        Some(key) => known(key, entry, files),
    }
}

/// Entries `spark.…` of `livy-client.conf`, which become Spark configuration of sessions.
fn spark_conf(entry: &Entry, files: &Files) -> Verdict {
    let mut later = files
        .entries
        .iter()
        .filter(|other| other.role == Role::Client && other.name == entry.name);
    if later
        .next_back()
        .is_some_and(|last| last.line != entry.line)
    {
        return Verdict::Idle("it is set again further down".to_owned());
    }
    let setting = Assignment {
        key: &spark::CONF.key,
        entry: Some(entry.name.clone()),
        raw: Raw::One(entry.text.clone()),
    };
    checked(
        vec![setting],
        Some("Livy gives it to sessions only; here batches get it too".to_owned()),
    )
}

fn known(key: &LivyKey, entry: &Entry, files: &Files) -> Verdict {
    match key.meaning {
        Meaning::Nothing(reason) => return Verdict::Idle(reason.to_owned()),
        _ if !entry.is_in_place() => {
            return Verdict::Idle("Livy's server looks for it in livy.conf only".to_owned());
        }
        _ => {}
    }
    let says_something = matches!(key.meaning, Meaning::Maps(mapping) if mapping.blank);
    if entry.text.is_empty() && !says_something {
        return Verdict::Idle("it is empty: as good as not set".to_owned());
    }
    if let Some(other) = files.deciding(key.name)
        && !std::ptr::eq(other, entry)
        && !key.name.contains('<')
    {
        let file = other.file.file_name().unwrap_or_default();
        return Verdict::Idle(format!("{file}:{} {} wins over it", other.line, other.name));
    }
    match key.meaning {
        Meaning::Nothing(reason) => Verdict::Idle(reason.to_owned()),
        Meaning::NotYet(missing) => match missing.guard {
            Some(guard) if !guard.off.contains(&entry.text.as_str()) => {
                Verdict::Unprotected(format!("{}; {}", missing.reason, guard.remedy))
            }
            Some(_) => Verdict::Idle("it protects nothing with this text".to_owned()),
            None => Verdict::NotYet(missing.reason.to_owned()),
        },
        Meaning::Maps(mapping) => {
            let given = Given {
                text: &entry.text,
                to: mapping.to,
                files,
            };
            match (mapping.convert)(&given) {
                Ok(Converted::Values(settings, remark)) => checked(settings, remark),
                Ok(Converted::Nothing(reason)) => Verdict::Idle(reason),
                Err(reason) => Verdict::Refused(reason),
            }
        }
    }
}

/// Checks the values against our own keys, so that the refusal names Livy's key.
fn checked(settings: Vec<Assignment>, remark: Option<String>) -> Verdict {
    // Conversions refuse relative paths, so the base has no effect.
    let base = Base {
        directory: "/".into(),
        home: None,
    };
    let refusal = settings.iter().find_map(|setting| match setting.entry {
        Some(_) => None,
        None => setting.key.shape.read(&setting.raw, base).err(),
    });
    match refusal {
        Some(reason) => Verdict::Refused(reason),
        None => Verdict::Taken(settings, remark),
    }
}

fn hint(name: &str) -> String {
    let known = keys::all().flat_map(|key| [Some(key.name), key.old]);
    suggestion(name, known.flatten().map(str::to_owned))
}
