//! Translates Livy's files to a `livius.toml`, with a list of the keys that it leaves out and the
//! reasons.

use std::fmt::Write as _;

use super::files::{self, Entry, Files};
use super::judge::{self, Judged, Verdict};
use super::keys;
use super::values::{self, Combined};
use crate::config::check::Problem;
use crate::config::layers::Layers;
use crate::config::problem::ConfigError;
use crate::config::process_environment::ProcessEnvironment;
use crate::config::resolved::Origin;
use crate::config::sections as ours;
use crate::config::setting::Key;
use crate::config::settings::Settings;
use crate::config::value::{Raw, Shape, Value};

/// The result of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The file: settings, then the list as comments.
    pub document: String,
    /// The list.
    pub report: String,
    /// True if every key is known and none needs a decision.
    pub settled: bool,
}

/// Reads Livy's files and translates them. The environment only tells where they are.
pub fn import(from: Option<&str>, environment: &ProcessEnvironment) -> Result<Import, ConfigError> {
    let files = files::read(&files::locate(from, environment)?, keys::present_name)?;
    let judged = judge::judge(&files);
    let combined = values::combine(&judged);
    let refusals = refusals(&combined, environment);
    let report = Report::of(&judged, &combined, &refusals);
    let list = report.text(&files);
    Ok(Import {
        document: format!(
            "# Made by `livius config import` from {}.\n{}\n{}",
            files.from,
            sections(&combined, &refusals, environment),
            commented(&list)
        ),
        settled: report.decisions.is_empty() && report.unknown.is_empty(),
        report: list,
    })
}

/// A well-formed value with which the server would not start.
struct Refusal {
    key: &'static Key,
    reason: String,
}

/// The values for which the server would refuse the configuration.
fn refusals(combined: &[Combined<'_>], environment: &ProcessEnvironment) -> Vec<Refusal> {
    let mut layers = Layers::with_defaults(environment);
    for one in combined {
        let origin = Origin::Flag("import".to_owned());
        if one.setting.entry.is_none() {
            let base = environment.base();
            layers.set(one.setting.key, &one.setting.raw, origin, base);
        }
    }
    let (resolved, _) = layers.finish();
    let problems = Settings::read(&resolved).err().unwrap_or_default();
    let own = |problem: &Problem| {
        combined
            .iter()
            .any(|one| one.setting.key == problem.key && one.setting.entry.is_none())
    };
    problems
        .into_iter()
        .filter(own)
        .map(|problem| Refusal {
            key: problem.key,
            reason: problem.sentence,
        })
        .collect()
}

/// The settings by section, in the order of the documentation. Tables come last, as TOML requires.
fn sections(
    combined: &[Combined<'_>],
    refusals: &[Refusal],
    environment: &ProcessEnvironment,
) -> String {
    let mut names: Vec<&str> = ours::all().filter_map(|key| section_of(key.path)).collect();
    names.dedup();
    let mut text = String::new();
    for section in names {
        let keys = || ours::all().filter(|key| section_of(key.path) == Some(section));
        let mut lines = String::new();
        for key in keys() {
            for one in combined
                .iter()
                .filter(|one| one.setting.key == key && one.setting.entry.is_none())
            {
                let refused = refusals.iter().any(|refusal| refusal.key == key);
                lines.push_str(&line(one, refused, environment));
            }
        }
        if !lines.is_empty() {
            let _ = write!(text, "\n[{section}]\n{lines}");
        }
        for key in keys().filter(|key| key.shape == Shape::Table) {
            let entries: String = combined
                .iter()
                .filter(|one| one.setting.key == key)
                .map(|one| line(one, false, environment))
                .collect();
            if !entries.is_empty() {
                let _ = write!(text, "\n[{}]\n{entries}", key.path);
            }
        }
    }
    text
}

fn section_of(path: &str) -> Option<&str> {
    path.split_once('.').map(|(section, _)| section)
}

/// A setting with its comment. A refused setting is commented out.
fn line(one: &Combined<'_>, refused: bool, environment: &ProcessEnvironment) -> String {
    let mut text = format!("# {}, from {}\n", plain(&one.names()), places(&one.sources));
    for remark in &one.remarks {
        let _ = writeln!(text, "# {}", plain(remark));
    }
    let name = match &one.setting.entry {
        Some(entry) => quoted(entry),
        None => one
            .setting
            .key
            .path
            .rsplit('.')
            .next()
            .unwrap_or_default()
            .to_owned(),
    };
    let setting = format!("{name} = {}", value(one, environment));
    if refused {
        let _ = writeln!(
            text,
            "# needs a decision, see below:\n# {}",
            plain(&setting)
        );
    } else {
        let _ = writeln!(text, "{setting}");
    }
    text
}

/// The value as TOML.
fn value(one: &Combined<'_>, environment: &ProcessEnvironment) -> String {
    let shape = one.setting.key.shape;
    let read = match one.setting.entry {
        None => shape.read(&one.setting.raw, environment.base()).ok(),
        Some(_) => None,
    };
    match (read, &one.setting.raw) {
        (Some(Value::Number(number)), _) => number.to_string(),
        (Some(Value::Switch(on)), _) => on.to_string(),
        (Some(Value::List(texts)), _) => {
            let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
            format!("[{}]", texts.join(", "))
        }
        (Some(other), _) => quoted(&other.to_string()),
        (None, Raw::One(text)) => quoted(text),
        (None, _) => "[]".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(character);
            }
            '\0'..=' ' | '\u{7f}' if character != ' ' => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(character));
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// The places of entries: each file once, with its lines.
fn places(entries: &[&Entry]) -> String {
    let mut text = String::new();
    let mut file = None;
    for entry in entries {
        let own = entry.file.file_name();
        if file == Some(own) {
            let _ = write!(text, ",{}", entry.line);
        } else {
            let blank = if text.is_empty() { "" } else { " " };
            let _ = write!(text, "{blank}{}:{}", own.unwrap_or_default(), entry.line);
        }
        file = Some(own);
    }
    text
}

/// The list that follows the settings.
#[derive(Debug, Default)]
struct Report {
    taken: usize,
    decisions: Vec<String>,
    not_yet: Vec<String>,
    idle: Vec<String>,
    unknown: Vec<String>,
}

impl Report {
    fn of(judged: &[Judged<'_>], combined: &[Combined<'_>], refusals: &[Refusal]) -> Self {
        let mut report = Self::default();
        for refusal in refusals {
            let sources: Vec<&Entry> = combined
                .iter()
                .filter(|one| one.setting.key == refusal.key && one.setting.entry.is_none())
                .flat_map(|one| one.sources.clone())
                .collect();
            let names: Vec<&str> = sources.iter().map(|entry| entry.name.as_str()).collect();
            let names = plain(&names.join(", "));
            let place = places(&sources);
            let reason = plain(&refusal.reason);
            report
                .decisions
                .push(format!("{place} {names}: {}: {reason}", refusal.key.path));
        }
        for Judged { entry, verdict } in judged {
            let place = format!("{} {}", places(&[entry]), plain(&entry.name));
            let told = |reason: &str| format!("{place}: {}", plain(reason));
            match verdict {
                Verdict::Taken(settings, _) => {
                    let refused = |key: &Key| refusals.iter().any(|refusal| refusal.key == key);
                    let held_back = settings.iter().all(|setting| refused(setting.key));
                    report.taken += usize::from(!held_back);
                }
                Verdict::Idle(reason) => report.idle.push(told(reason)),
                Verdict::NotYet(reason) => report.not_yet.push(told(reason)),
                Verdict::Unknown(reason) => report.unknown.push(told(reason)),
                Verdict::Unprotected(reason) => {
                    report
                        .decisions
                        .push(told(&format!("it protects something: {reason}")));
                }
                Verdict::Refused(reason) => report.decisions.push(told(reason)),
            }
        }
        report
    }

    fn text(&self, files: &Files) -> String {
        let mut text = format!(
            "Keys of Livy's: {} taken over, {} without a meaning here, {} for what is not there yet, {} unknown, {} that need a decision.\n",
            self.taken,
            self.idle.len(),
            self.not_yet.len(),
            self.unknown.len(),
            self.decisions.len()
        );
        let lists = [
            ("Need a decision, and are not set above", &self.decisions),
            ("Unknown", &self.unknown),
            ("For what is not there yet", &self.not_yet),
            ("Without a meaning here", &self.idle),
        ];
        for (heading, list) in lists.iter().filter(|(_, list)| !list.is_empty()) {
            let _ = write!(text, "\n{heading}:\n  {}\n", list.join("\n  "));
        }
        if !files.others.is_empty() {
            let _ = write!(
                text,
                "\nNot read, as they are about Livy's own process: {}. What drivers need of the environment must be in this server's.\n",
                files.others.join(", ")
            );
        }
        text
    }
}

fn commented(text: &str) -> String {
    text.lines()
        .map(|line| format!("# {line}").trim_end().to_owned() + "\n")
        .collect()
}

/// A text without control characters, so it stays on its line.
fn plain(text: &str) -> String {
    text.chars()
        .flat_map(|character| {
            let escaped = character.is_control().then(|| character.escape_default());
            let itself = escaped.is_none().then_some(character);
            escaped.into_iter().flatten().chain(itself)
        })
        .collect()
}
