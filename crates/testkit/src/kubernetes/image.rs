//! The images that the node has: names of folders and programs of this machine.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};

/// The start of a container from Spark's image.
const SPARK_ENTRY: &str = include_str!("spark-entry.sh");

/// The variable that every image has. Programs of containers are those of this machine.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The contents of an image. A container sees the machine's files, and writes to copies of them.
#[derive(Debug, Clone)]
pub struct Image {
    /// The text of the program that gets the arguments, if the pod names no command.
    pub(super) entry: Option<&'static str>,
    /// The folder that the container sees as `/opt/spark`.
    pub(super) spark: Option<Utf8PathBuf>,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) shown: Vec<Utf8PathBuf>,
    /// The directory in which the program starts.
    pub(super) directory: &'static str,
}

impl Image {
    /// The programs of this machine. A pod has to name its command.
    pub fn shell() -> Self {
        Self {
            entry: None,
            spark: None,
            variables: BTreeMap::from([("PATH".to_owned(), PATH.to_owned())]),
            shown: Vec::new(),
            directory: "/",
        }
    }

    /// A Spark with its entry point, as Spark's own images have it.
    pub fn spark(home: &Utf8Path, java: &Utf8Path) -> Self {
        let shell = Self::shell();
        Self {
            entry: Some(SPARK_ENTRY),
            spark: Some(home.to_owned()),
            directory: "/opt/spark/work-dir",
            ..shell
        }
        .with_variable("JAVA_HOME", java.as_str())
        .with_variable("PATH", &format!("{java}/bin:{PATH}"))
        .with_variable("SPARK_HOME", "/opt/spark")
        .showing(java)
    }

    /// Sets a variable of the environment. The pod's own variables are stronger.
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Makes sure that a container sees a folder of this machine at the same path, even if it lies
    /// in `/tmp` or on another disk than `/`.
    pub fn showing(mut self, folder: &Utf8Path) -> Self {
        self.shown.push(folder.to_owned());
        self
    }
}

/// The images by name. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Images(Arc<Mutex<BTreeMap<String, Image>>>);

impl Images {
    pub fn add(&self, name: &str, image: Image) {
        let mut images = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        images.insert(name.to_owned(), image);
    }

    pub fn find(&self, name: &str) -> Option<Image> {
        let images = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        images.get(name).cloned()
    }
}
