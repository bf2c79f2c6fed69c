//! The objects of an API server, with their history.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The path of the namespace.
pub const NAMESPACE: &str = "/api/v1/namespaces/spark";

/// The objects, by resource and name.
#[derive(Debug)]
pub struct Store {
    objects: BTreeMap<(String, String), Value>,
    history: Vec<Event>,
    version: u64,
    /// The server has forgotten the history until here.
    pub forgotten: u64,
    /// Watches that began before a change of this number are broken.
    pub breaks: u64,
}

#[derive(Debug, Clone)]
struct Event {
    version: u64,
    resource: String,
    kind: &'static str,
    object: Value,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            objects: BTreeMap::new(),
            history: Vec::new(),
            version: 100,
            forgotten: 0,
            breaks: 0,
        }
    }
}

impl Store {
    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn get(&self, resource: &str, name: &str) -> Option<&Value> {
        self.objects.get(&(resource.to_owned(), name.to_owned()))
    }

    /// Adds or replaces an object.
    pub fn put(&mut self, resource: &str, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        let key = (resource.to_owned(), name);
        let old = self.objects.insert(key, object.clone());
        let kind = if old.is_some() { "MODIFIED" } else { "ADDED" };
        self.remember(resource, kind, object.clone());
        object
    }

    /// Removes an object. Its last state is that of the event.
    pub fn remove(&mut self, resource: &str, name: &str) -> Option<Value> {
        let key = (resource.to_owned(), name.to_owned());
        let mut object = self.objects.remove(&key)?;
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.remember(resource, "DELETED", object.clone());
        Some(object)
    }

    fn remember(&mut self, resource: &str, kind: &'static str, object: Value) {
        self.history.push(Event {
            version: self.version,
            resource: resource.to_owned(),
            kind,
            object,
        });
    }

    /// The objects of a resource with some labels and fields.
    pub fn select(&self, resource: &str, query: &[(String, String)]) -> Vec<Value> {
        let all = self.objects.iter().filter(|entry| entry.0.0 == resource);
        let fitting = all.filter(|entry| fits(entry.1, query));
        fitting.map(|entry| entry.1.clone()).collect()
    }

    /// The lines of a watch after a version, and the version that they lead to.
    pub fn news(&self, resource: &str, query: &[(String, String)], after: u64) -> (String, u64) {
        let news = self.history.iter().filter(|event| event.version > after);
        let fitting = news.filter(|event| event.resource == resource && fits(&event.object, query));
        let lines = fitting
            .map(|event| format!("{}\n", json!({"type": event.kind, "object": event.object})));
        (lines.collect(), self.version)
    }
}

/// Whether an object has the labels and fields of a query.
fn fits(object: &Value, query: &[(String, String)]) -> bool {
    let value = |key: &str| query.iter().find(|pair| pair.0 == key).map(|pair| &pair.1);
    let labels = value("labelSelector").map_or("", String::as_str);
    let of_labels = terms(labels).all(|(key, wanted)| object["metadata"]["labels"][key] == wanted);
    let fields = value("fieldSelector").map_or("", String::as_str);
    let of_fields = terms(fields).all(|(key, wanted)| {
        let mut found = object;
        for part in key.split('.') {
            found = &found[part];
        }
        found == wanted
    });
    of_labels && of_fields
}

fn terms(selector: &str) -> impl Iterator<Item = (&str, &str)> {
    let terms = selector.split(',').filter(|term| !term.is_empty());
    terms.map(|term| term.split_once('=').unwrap())
}
