//! Livy's whole interface, as listed in `surface.yaml`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::yaml;

/// Livy's whole interface.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Surface {
    /// Every path with each of its methods.
    pub endpoints: Vec<Endpoint>,
    /// Query parameters.
    pub parameters: Vec<Parameter>,
    /// The headers of requests and answers that matter.
    pub headers: Vec<Part>,
    /// The objects of requests and responses.
    pub objects: Vec<Object>,
    /// The values that fields can have.
    pub values: Vec<Values>,
    /// Changes between Livy's versions, and the version that Livius follows.
    pub(crate) versions: Vec<Change>,
}

/// An endpoint.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// The method and the path, as in the OpenAPI document.
    pub endpoint: String,
    pub(crate) since: String,
    /// Its state in Livius.
    pub state: State,
    #[serde(default)]
    pub(crate) note: String,
    /// The rules about it.
    pub rules: Vec<String>,
}

/// A query parameter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its name.
    pub parameter: String,
    /// The endpoints that have it in the OpenAPI document; empty if none has.
    #[serde(default)]
    pub endpoints: Vec<String>,
    /// The places where it counts, in words, if they differ from these endpoints.
    #[serde(default, rename = "where")]
    pub(crate) place: String,
    pub(crate) since: String,
    /// Its state in Livius.
    #[serde(default)]
    pub state: State,
    #[serde(default)]
    pub(crate) note: String,
    /// The rules about it.
    pub rules: Vec<String>,
}

/// An object of requests or responses.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Object {
    #[serde(rename = "object")]
    pub(crate) title: String,
    /// Its name in the OpenAPI document.
    pub schema: Option<String>,
    /// The property (`Schema.property`) whose description in the OpenAPI document shows its keys,
    /// where it has no schema.
    pub described: Option<String>,
    /// In Livy's order.
    pub fields: Vec<Part>,
}

/// The values that a field can have.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Values {
    #[serde(rename = "values")]
    pub(crate) title: String,
    /// The property (`Schema.property`) whose description in the OpenAPI document lists the values.
    pub described: Option<String>,
    /// The texts.
    pub of: Vec<Part>,
}

/// A field of an object, a value of a field, or a header.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its key or text.
    pub name: String,
    pub(crate) since: String,
    /// Its state in Livius.
    #[serde(default)]
    pub state: State,
    #[serde(default)]
    pub(crate) note: String,
    /// The rules about it, where the OpenAPI document does not describe it.
    #[serde(default)]
    pub rules: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    pub version: String,
    pub was: String,
    pub here: String,
}

/// The comparison of something with Livy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It works as in Livy.
    #[default]
    Works,
    /// It differs on purpose.
    Differs,
    /// Livius does not have it yet.
    NotYet,
    /// It does not apply to Livius.
    NotApplicable,
}

impl State {
    /// Every state, in the order of their explanations.
    pub const ALL: [Self; 4] = [
        Self::Works,
        Self::Differs,
        Self::NotYet,
        Self::NotApplicable,
    ];

    /// Its name in the documents.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Differs => "differs on purpose",
            Self::NotYet => "not there yet",
            Self::NotApplicable => "not applicable",
        }
    }

    /// Tells whether Livius has it.
    pub const fn is_here(self) -> bool {
        matches!(self, Self::Works | Self::Differs)
    }
}

impl Surface {
    /// The surface of this repository.
    pub fn own() -> anyhow::Result<Self> {
        yaml::read(&Self::path())
    }

    fn path() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("surface.yaml")
    }

    /// Every row with its name, its state and its rules.
    pub fn rows(&self) -> impl Iterator<Item = (&str, State, &[String])> {
        let endpoints = self.endpoints.iter();
        let endpoints = endpoints.map(|one| (one.endpoint.as_str(), one.state, &*one.rules));
        let parameters = self.parameters.iter();
        let parameters = parameters.map(|one| (one.parameter.as_str(), one.state, &*one.rules));
        let fields = self.objects.iter().flat_map(|object| &object.fields);
        let values = self.values.iter().flat_map(|values| &values.of);
        let parts = self.headers.iter().chain(fields).chain(values);
        let parts = parts.map(|part| (part.name.as_str(), part.state, &*part.rules));
        endpoints.chain(parameters).chain(parts)
    }
}
