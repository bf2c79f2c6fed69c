//! Reads a template, and refuses everything that the API server would refuse for each driver, or that
//! would give drivers something in common.

use serde_json::{Map, Value};

use super::{KINDS, Kind, Names, Object, Template};
use crate::error::KubernetesError;
use crate::names::check_name;
use crate::text;

/// The most objects of a template. Each costs a request for each driver.
const MOST_OBJECTS: usize = 8;

/// The prefix of the labels that the server gives.
const OUR_LABELS: &str = "livius/";

/// The name of an object without one.
const USUAL_NAME: &str = "{service}";

/// The longest names of a driver.
const LONGEST: Names<'static> = Names {
    namespace: "n",
    pod: "p",
    app: Some("a"),
    driver: "s-2147483647-0123456789ab",
};

/// Reads all documents of a template.
pub fn read(text: &str) -> Result<Template, KubernetesError> {
    if text.len() > Template::MOST_BYTES {
        let most = Template::MOST_BYTES;
        return Err(invalid(format!("it is longer than {most} bytes")));
    }
    let options = serde_saphyr::options! { strict_booleans: true };
    let documents: Vec<Value> = serde_saphyr::from_multiple_with_options(text, options)
        .map_err(|error| invalid(text::message(&error.without_snippet().to_string())))?;
    if documents.is_empty() {
        return Err(invalid("it has no object".to_owned()));
    }
    if documents.len() > MOST_OBJECTS {
        return Err(invalid(format!("it has more than {MOST_OBJECTS} objects")));
    }
    let mut objects: Vec<Object> = Vec::new();
    for (number, document) in (1..).zip(documents) {
        let read = object(document).and_then(|new| {
            let is_same = |one: &Object| one.kind == new.kind && one.name == new.name;
            if objects.iter().any(is_same) {
                let (kind, name) = (new.kind.name, &new.name);
                return Err(format!("it is a second {kind} with the name {name:?}"));
            }
            Ok(new)
        });
        let new = read.map_err(|problem| invalid(format!("document {number}: {problem}")))?;
        objects.push(new);
    }
    Ok(Template { objects })
}

fn invalid(problem: String) -> KubernetesError {
    KubernetesError::Invalid { problem }
}

fn object(document: Value) -> Result<Object, String> {
    let mut fields = map(document, "it")?;
    fields
        .iter()
        .try_for_each(|(key, value)| braces(key, value))?;
    let kind = kind(&mut fields)?;
    let mut metadata = map(fields.remove("metadata").unwrap_or_default(), "metadata")?;
    let spec = map(fields.remove("spec").unwrap_or_default(), "spec")?;
    if spec.is_empty() {
        return Err("it has no spec".to_owned());
    }
    if let Some(key) = fields.keys().next() {
        return Err(format!(
            "{key:?} cannot be set: it has apiVersion, kind, metadata and spec"
        ));
    }
    let name = name(kind, metadata.remove("name"))?;
    let labels = texts(metadata.remove("labels"), "metadata.labels")?;
    let annotations = texts(metadata.remove("annotations"), "metadata.annotations")?;
    if let Some(label) = labels.keys().find(|label| label.starts_with(OUR_LABELS)) {
        return Err(format!(
            "metadata.labels: {label:?} is one of the server's: take another prefix"
        ));
    }
    match metadata.keys().next().map(String::as_str) {
        None => {}
        Some("namespace") => {
            return Err(
                "metadata.namespace cannot be set: an object is in the namespace of its driver"
                    .to_owned(),
            );
        }
        Some(key) => {
            return Err(format!(
                "metadata.{key} cannot be set: metadata has name, labels and annotations"
            ));
        }
    }
    Ok(Object {
        kind,
        name,
        labels,
        annotations,
        spec: Value::Object(spec),
    })
}

fn kind(fields: &mut Map<String, Value>) -> Result<Kind, String> {
    let mut text = |key: &str| match fields.remove(key) {
        Some(Value::String(text)) => text::name(text),
        _ => String::new(),
    };
    let (api, name) = (text("apiVersion"), text("kind"));
    let mut kinds = KINDS.into_iter();
    let found = kinds.find(|kind| kind.name == name && kind.api_version() == api);
    found.ok_or_else(|| {
        let known = KINDS.map(|kind| format!("{} of {}", kind.name, kind.api_version()));
        format!(
            "apiVersion {api:?} and kind {name:?}: the kinds are {}",
            known.join(", ")
        )
    })
}

/// The name of an object. Each driver needs objects of its own.
fn name(kind: Kind, name: Option<Value>) -> Result<String, String> {
    let name = match name {
        None => return Ok(USUAL_NAME.to_owned()),
        Some(Value::String(name)) => name,
        Some(_) => return Err("metadata.name is no text".to_owned()),
    };
    if !["{driver}", USUAL_NAME].iter().any(|id| name.contains(id)) {
        return Err(format!(
            "metadata.name is {name:?}, which two drivers would share: put {{driver}} into it, or leave it out"
        ));
    }
    let example = LONGEST.fill(&name);
    check_name("an object", &example).map_err(|error| error.to_string())?;
    if example.len() > kind.longest_name {
        let (kind, most) = (kind.name, kind.longest_name);
        return Err(format!(
            "metadata.name is {name:?}, which is longer than the {most} bytes of the name of a {kind}"
        ));
    }
    Ok(name)
}

fn map(value: Value, what: &str) -> Result<Map<String, Value>, String> {
    match value {
        Value::Object(fields) => Ok(fields),
        Value::Null => Ok(Map::new()),
        _ => Err(format!("{what} is no mapping")),
    }
}

fn texts(value: Option<Value>, what: &str) -> Result<Map<String, Value>, String> {
    let texts = map(value.unwrap_or_default(), what)?;
    match texts.iter().find(|(_, value)| !value.is_string()) {
        Some((key, _)) => Err(format!("{what}.{key} is no text: write it in quotes")),
        None => Ok(texts),
    }
}

/// Refuses names in braces that stand for nothing, or that YAML takes for something else.
fn braces(path: &str, value: &Value) -> Result<(), String> {
    words(path, path)?;
    match value {
        Value::String(text) => words(path, text),
        Value::Array(items) => items.iter().try_for_each(|item| braces(path, item)),
        Value::Object(entries) => {
            let only = entries.iter().next().filter(|_| entries.len() == 1);
            if let Some((key, Value::Null)) = only
                && Names::PLACEHOLDERS.contains(&format!("{{{key}}}").as_str())
            {
                return Err(format!("{path}: write \"{{{key}}}\" in quotes"));
            }
            entries.iter().try_for_each(|(key, value)| {
                if Names::PLACEHOLDERS.iter().any(|word| key.contains(word)) {
                    return Err(format!("{path}: the key {key:?} has a name in braces"));
                }
                let below = format!("{path}.{key}");
                braces(&text::name(below), value)
            })
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

/// Refuses `{word}` if the word stands for nothing. Other braces are the text's own.
fn words(path: &str, text: &str) -> Result<(), String> {
    for (at, _) in text.match_indices('{') {
        let rest = &text[at..];
        let Some(end) = rest.find('}') else { break };
        let word = &rest[..=end];
        let inner = &word[1..end];
        let is_word = inner.starts_with(|c: char| c.is_ascii_alphabetic())
            && inner
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || b"_.-".contains(&c));
        if is_word && !Names::PLACEHOLDERS.contains(&word) {
            let known = Names::PLACEHOLDERS.join(", ");
            let word = text::name(word.to_owned());
            return Err(format!(
                "{path}: {word} stands for no name: there are {known}"
            ));
        }
    }
    Ok(())
}
