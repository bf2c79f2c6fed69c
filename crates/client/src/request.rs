//! The bodies of requests that create sessions and batches.

use camino::Utf8Path;
use serde_json::{Map, Value, json};

/// The options for Spark of a session or batch. The client does not send fields that are empty or
/// `None`.
#[derive(Debug, Clone, Default)]
pub struct SparkOptions {
    /// Spark configuration: names and texts.
    pub conf: Vec<(String, String)>,
    /// Jars for the driver and the executors.
    pub jars: Vec<String>,
    /// Python files and archives for the Python path.
    pub py_files: Vec<String>,
    /// Files for the working directories.
    pub files: Vec<String>,
    /// Archives that are unpacked into the working directories.
    pub archives: Vec<String>,
    /// The driver's memory, such as `2g`.
    pub driver_memory: Option<String>,
    /// The driver's cores.
    pub driver_cores: Option<u32>,
    /// An executor's memory.
    pub executor_memory: Option<String>,
    /// An executor's cores.
    pub executor_cores: Option<u32>,
    /// The number of executors.
    pub num_executors: Option<u32>,
    /// The queue of the cluster.
    pub queue: Option<String>,
    /// The user that Spark runs as.
    pub proxy_user: Option<String>,
}

/// Resolves relative paths, if the server is on this machine. A server on another machine cannot
/// see local files.
#[derive(Debug, Clone, Copy)]
pub struct Paths<'a> {
    directory: Option<&'a Utf8Path>,
}

impl<'a> Paths<'a> {
    /// Resolves against this directory if the server is on this machine.
    pub fn new(directory: &'a Utf8Path, server_is_local: bool) -> Self {
        Self {
            directory: server_is_local.then_some(directory),
        }
    }

    /// Makes a path absolute if it is relative and the file exists. The part after `#` is an alias,
    /// not part of the path.
    pub fn resolved(self, text: &str) -> String {
        let (path, alias) = text
            .split_once('#')
            .map_or((text, None), |(path, alias)| (path, Some(alias)));
        let here = self.directory.map(|directory| directory.join(path));
        match here.filter(|here| !Utf8Path::new(path).is_absolute() && here.exists()) {
            Some(here) => alias.map_or_else(|| here.to_string(), |alias| format!("{here}#{alias}")),
            None => text.to_owned(),
        }
    }
}

/// The Spark part of a request. It holds only the fields that are set, because older servers do not
/// know every field.
pub fn spark(options: &SparkOptions, paths: Paths<'_>) -> Map<String, Value> {
    let mut body = Map::new();
    if !options.conf.is_empty() {
        let pair = |(name, text): &(String, String)| (name.clone(), Value::from(text.as_str()));
        let conf = options.conf.iter().map(pair).collect();
        body.insert("conf".into(), Value::Object(conf));
    }
    let lists = [
        ("jars", &options.jars),
        ("pyFiles", &options.py_files),
        ("files", &options.files),
        ("archives", &options.archives),
    ];
    for (key, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        let resolved = list.iter().map(|text| paths.resolved(text)).collect();
        body.insert(key.into(), resolved);
    }
    let single = [
        ("driverMemory", json!(options.driver_memory)),
        ("driverCores", json!(options.driver_cores)),
        ("executorMemory", json!(options.executor_memory)),
        ("executorCores", json!(options.executor_cores)),
        ("numExecutors", json!(options.num_executors)),
        ("queue", json!(options.queue)),
        ("proxyUser", json!(options.proxy_user)),
    ];
    for (key, value) in single.into_iter().filter(|(_, value)| !value.is_null()) {
        body.insert(key.into(), value);
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_said_is_asked_for() {
        let nothing = Paths::new("/".into(), false);
        assert!(spark(&SparkOptions::default(), nothing).is_empty());
        let texts = |list: &[&str]| {
            list.iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        let options = SparkOptions {
            conf: vec![
                ("a".into(), "b=c".into()),
                ("spark.x".into(), String::new()),
            ],
            jars: texts(&["hdfs:///a.jar", "b.jar"]),
            py_files: texts(&["c.py"]),
            files: texts(&["d"]),
            archives: texts(&["e.zip#e"]),
            driver_memory: Some("1g".into()),
            driver_cores: Some(1),
            executor_memory: Some("2g".into()),
            executor_cores: Some(2),
            num_executors: Some(3),
            queue: Some("q".into()),
            proxy_user: Some("u".into()),
        };
        let body = Value::Object(spark(&options, nothing));
        assert_eq!(
            body,
            json!({
                "conf": {"a": "b=c", "spark.x": ""}, "jars": ["hdfs:///a.jar", "b.jar"], "pyFiles": ["c.py"], "files": ["d"],
                "archives": ["e.zip#e"], "driverMemory": "1g", "driverCores": 1, "executorMemory": "2g", "executorCores": 2,
                "numExecutors": 3, "queue": "q", "proxyUser": "u",
            })
        );
    }

    #[test]
    fn files_of_this_machine_become_absolute_for_a_server_on_it() {
        let directory = tempfile::tempdir().unwrap();
        let here = Utf8Path::from_path(directory.path()).unwrap();
        std::fs::write(here.join("a.py"), "").unwrap();
        let (near, far) = (Paths::new(here, true), Paths::new(here, false));
        assert_eq!(near.resolved("a.py"), format!("{here}/a.py"));
        assert_eq!(near.resolved("a.py#b"), format!("{here}/a.py#b"));
        assert_eq!(far.resolved("a.py"), "a.py");
        for other in ["none.py", "/etc/hosts", "hdfs:///a.py", "s3://b/a.py#c"] {
            assert_eq!(near.resolved(other), other);
        }
    }
}
