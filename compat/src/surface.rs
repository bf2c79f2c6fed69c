//! All that Livy's interface has, as `surface.yaml` lists it.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::yaml;

/// All that Livy's interface has.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Surface {
    /// Every path with each of its methods.
    pub endpoints: Vec<Endpoint>,
    /// What may be behind the `?` of a path.
    pub parameters: Vec<Parameter>,
    /// The headers of requests and answers that matter.
    pub headers: Vec<Part>,
    /// What requests and answers are made of.
    pub objects: Vec<Object>,
    /// What the texts in them may be.
    pub values: Vec<Values>,
    /// What changed between Livy's versions, and which side is taken.
    pub(crate) versions: Vec<Change>,
}

/// An endpoint.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// The method and the path, as in the OpenAPI document.
    pub endpoint: String,
    pub(crate) since: String,
    /// Whether it is here.
    pub state: State,
    #[serde(default)]
    pub(crate) note: String,
    /// The rules that say how it must be.
    pub rules: Vec<String>,
}

/// A query parameter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its name.
    pub parameter: String,
    /// The endpoints that the OpenAPI document says to have it; none where it is not in there.
    #[serde(default)]
    pub endpoints: Vec<String>,
    /// Where it counts, in words, if that are not these endpoints.
    #[serde(default, rename = "where")]
    pub(crate) place: String,
    pub(crate) since: String,
    /// Whether it is here.
    #[serde(default)]
    pub state: State,
    #[serde(default)]
    pub(crate) note: String,
    /// The rules that say how it must be.
    pub rules: Vec<String>,
}

/// An object that requests or answers are made of.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Object {
    #[serde(rename = "object")]
    pub(crate) title: String,
    /// Its name in the OpenAPI document.
    pub schema: Option<String>,
    /// The property (`Schema.property`) whose description in the OpenAPI document shows its keys, where it has no schema.
    pub described: Option<String>,
    /// In Livy's order.
    pub fields: Vec<Part>,
}

/// The texts that a field may have.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Values {
    #[serde(rename = "values")]
    pub(crate) title: String,
    /// The property (`Schema.property`) whose description in the OpenAPI document lists them.
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
    /// Whether it is here.
    #[serde(default)]
    pub state: State,
    #[serde(default)]
    pub(crate) note: String,
    /// The rules that say how it must be, where the OpenAPI document does not.
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

/// Whether something is as Livy's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As there.
    #[default]
    Works,
    /// On purpose.
    Differs,
    /// It is still missing.
    NotYet,
    /// It has no meaning here.
    NotApplicable,
}

impl State {
    /// Every state, in the order in which they are explained.
    pub const ALL: [Self; 4] = [
        Self::Works,
        Self::Differs,
        Self::NotYet,
        Self::NotApplicable,
    ];

    /// How the documents call it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Differs => "differs on purpose",
            Self::NotYet => "not there yet",
            Self::NotApplicable => "not applicable",
        }
    }

    /// Whether Livius has it.
    pub const fn is_here(self) -> bool {
        matches!(self, Self::Works | Self::Differs)
    }
}

impl Surface {
    /// The one of this repository.
    pub fn own() -> anyhow::Result<Self> {
        yaml::read(&Self::path())
    }

    fn path() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("surface.yaml")
    }

    /// Every row with what it is called, its state and its rules.
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
