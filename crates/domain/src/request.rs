//! Checked requests of clients for a session, a batch, a statement or a job.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{JobLanguage, Kind, redact};

/// Options for Spark that sessions and batches have in common. Texts are as the client sent them.
/// The launcher resolves paths, and the responses hide secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SubmitOptions {
    /// User to impersonate, as asked for (the record holds the effective one).
    pub proxy_user: Option<String>,
    /// Jars for the driver and the executors.
    pub jars: Vec<String>,
    /// Python files.
    pub py_files: Vec<String>,
    /// Files for the executors' working directories.
    pub files: Vec<String>,
    /// Archives to be unpacked there.
    pub archives: Vec<String>,
    /// Spark's size syntax, such as `2g`.
    pub driver_memory: Option<String>,
    /// A count.
    pub driver_cores: Option<u32>,
    /// Spark's size syntax.
    pub executor_memory: Option<String>,
    /// A count.
    pub executor_cores: Option<u32>,
    /// A count.
    pub num_executors: Option<u32>,
    /// Queue of the resource manager.
    pub queue: Option<String>,
    /// Name of the session or batch, unique among those of its sort that have not ended.
    pub name: Option<String>,
    /// Spark configuration.
    pub conf: BTreeMap<String, String>,
}

impl SubmitOptions {
    fn hide_secrets(&mut self) {
        for (key, value) in &mut self.conf {
            let shown = redact::value(key, value);
            if shown != value {
                *value = shown.to_owned();
            }
        }
        let lists = [
            &mut self.jars,
            &mut self.py_files,
            &mut self.files,
            &mut self.archives,
        ];
        for address in lists.into_iter().flatten() {
            hide_in_address(address);
        }
    }
}

fn hide_in_address(address: &mut String) {
    if let Cow::Owned(shown) = redact::address(address) {
        *address = shown;
    }
}

/// A checked request for a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionRequest {
    /// Default kind of its statements.
    pub kind: Kind,
    /// Its options for Spark.
    #[serde(flatten)]
    pub submit: SubmitOptions,
    /// 0 is off.
    pub heartbeat_timeout_seconds: u32,
    /// Longest life, as the client wrote it.
    pub ttl: Option<String>,
    /// Longest idleness, as the client wrote it.
    pub idle_timeout: Option<String>,
}

impl Default for SessionRequest {
    fn default() -> Self {
        Self {
            kind: Kind::Shared,
            submit: SubmitOptions::default(),
            heartbeat_timeout_seconds: 0,
            ttl: None,
            idle_timeout: None,
        }
    }
}

impl SessionRequest {
    /// Removes the secrets. Responses show the request as before.
    pub fn hide_secrets(&mut self) {
        self.submit.hide_secrets();
    }

    /// The time without requests after which the session is given up; `None` when the client did
    /// not ask for it.
    pub fn heartbeat_timeout(&self) -> Option<Duration> {
        (self.heartbeat_timeout_seconds > 0)
            .then(|| Duration::from_secs(self.heartbeat_timeout_seconds.into()))
    }
}

/// A checked request for a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BatchRequest {
    /// The application: a jar, or a Python or R file.
    pub file: String,
    /// The main class of a jar.
    pub class_name: Option<String>,
    /// Its arguments: any text without NUL, also the empty one.
    pub args: Vec<String>,
    /// Its options for Spark.
    #[serde(flatten)]
    pub submit: SubmitOptions,
}

impl BatchRequest {
    /// The memory of the request, about.
    pub fn bytes(&self) -> usize {
        let submit = &self.submit;
        let lists = [
            &self.args,
            &submit.jars,
            &submit.py_files,
            &submit.files,
            &submit.archives,
        ];
        let options = [
            &self.class_name,
            &submit.proxy_user,
            &submit.driver_memory,
            &submit.executor_memory,
            &submit.queue,
            &submit.name,
        ];
        let conf = submit.conf.iter().flat_map(|(key, value)| [key, value]);
        let texts = lists.into_iter().flatten();
        let texts = texts.chain(options.into_iter().flatten()).chain(conf);
        let texts = texts.map(|text| size_of::<String>() + text.len());
        size_of::<Self>() + self.file.len() + texts.sum::<usize>()
    }

    /// Removes the secrets. Responses show the request as before.
    pub fn hide_secrets(&mut self) {
        hide_in_address(&mut self.file);
        redact::arguments(&mut self.args);
        self.submit.hide_secrets();
    }
}

/// A request to run code in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStatement {
    /// The text, line ends normalised to `\n`.
    pub code: String,
    /// The language; the session's when `None`.
    pub kind: Option<Kind>,
}

/// A request to run a job in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// The language it is written in.
    pub language: JobLanguage,
    /// Its bytes in standard base64, never none.
    pub payload: String,
}
