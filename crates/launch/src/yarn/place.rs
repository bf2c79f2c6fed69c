//! The facts by which the application of a driver is found again.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use livius_spark_home::SparkConf;
use serde::{Deserialize, Serialize};

use crate::remote::Mode;

/// A driver's application: `yarn.json`, and a part of the driver's location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OnYarn {
    /// The application's tag, which no other driver has.
    pub(crate) tag: String,
    pub(crate) mode: Mode,
    /// The directories with Hadoop's configuration, as the submitter sees them.
    pub(crate) conf: Vec<Utf8PathBuf>,
    /// The user that submits it.
    pub(crate) user: String,
}

impl OnYarn {
    pub(crate) fn of(tag: String, mode: Mode, conf: &SparkConf) -> Self {
        Self {
            tag,
            mode,
            conf: conf.directories(),
            user: user(&conf.environment),
        }
    }
}

/// The user that Hadoop's clients name on a cluster that believes them.
fn user(environment: &BTreeMap<String, String>) -> String {
    let mut variables = ["HADOOP_USER_NAME", "USER", "LOGNAME"].into_iter();
    let value = |variable| environment.get(variable).filter(|user| !user.is_empty());
    // A service without these variables usually runs as the system's first user.
    let user = variables.find_map(value);
    user.map_or("root", String::as_str).to_owned()
}
