//! The layer of environment variables.

use super::layers::Layers;
use super::problem::suggestion;
use super::process_environment::ProcessEnvironment;
use super::resolved::Origin;
use super::sections;
use super::setting::Key;
use super::value::Raw;

/// Variables with the prefix that set no key: the places of configuration files, options of client
/// commands, marks of drivers, and options of the test suite.
const NO_KEYS: [&str; 6] = [
    "LIVIUS_CONFIG",
    "LIVIUS_LIVY_CONF",
    "LIVIUS_URL",
    "LIVIUS_PASSWORD",
    "LIVIUS_DRIVER_",
    "LIVIUS_TEST_",
];

/// Reads variables of other programs, such as `SPARK_HOME`, into the layers.
pub fn read_fallbacks(environment: &ProcessEnvironment, layers: &mut Layers) {
    for key in sections::all() {
        let Some(variable) = key.fallback else {
            continue;
        };
        if let Some(text) = environment.get(variable) {
            let origin = Origin::Variable(variable.to_owned());
            layers.set(key, &Raw::One(text.to_owned()), origin, environment.base());
        }
    }
}

/// Reads the variables `LIVIUS_…` into the layers. An empty one counts as not set.
pub fn read(environment: &ProcessEnvironment, layers: &mut Layers) {
    let ours = |name: &str| {
        name.starts_with("LIVIUS_") && !NO_KEYS.iter().any(|other| name.starts_with(other))
    };
    for name in environment.not_unicode().filter(|name| ours(name)) {
        layers.problem(&Origin::Variable(name.to_owned()), "the value is not UTF-8");
    }
    for (name, text) in environment
        .variables()
        .filter(|(name, text)| ours(name) && !text.is_empty())
    {
        let origin = Origin::Variable(name.to_owned());
        if let Some(key) = sections::all().find(|key| key.variable() == name) {
            layers.set(key, &Raw::One(text.to_owned()), origin, environment.base());
        } else {
            let hint = suggestion(name, sections::all().map(Key::variable));
            layers.problem(&origin, &format!("no key is set by this variable{hint}"));
        }
    }
}
