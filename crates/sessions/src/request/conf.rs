//! The Spark configuration of a session or a batch.

use std::collections::BTreeMap;
use std::time::Duration;

use livius_domain::{SubmitOptions, duration};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{CANCEL_GRACE_KEY, SQL_MAX_ROWS_KEY};
use crate::config::Config;
use crate::error::SessionError;

/// The prefix that Livy's clients add to keys that are not Spark's.
const LIVY_PREFIX: &str = "spark.__livy__.";

/// Keys that make Spark run code or read files on the server's machine as the server's user, before
/// it takes on another user and whatever files a request may name.
const AS_SERVER: [&str; 6] = [
    "spark.driver.extrajavaoptions",
    "spark.driver.defaultjavaoptions",
    "spark.driver.extraclasspath",
    "spark.driver.extralibrarypath",
    "spark.driver.userclasspathfirst",
    "spark.jars.ivysettings",
];

/// Refuses keys that a request may not name. Keys are compared without prefix, case and `_`/`-`, so
/// that no spelling gets past.
pub fn check(config: &Config, submit: &SubmitOptions) -> Result<(), SessionError> {
    let blocked: Vec<String> = config.blocked_conf.iter().map(|key| normal(key)).collect();
    let is_walled = config.impersonation.enabled || !config.local_files.are_all();
    let refused: Vec<String> = submit
        .conf
        .keys()
        .filter(|key| {
            let normal = normal(key);
            is_identity(&normal)
                || blocked.contains(&normal)
                || (is_walled && AS_SERVER.contains(&normal.as_str()))
        })
        .cloned()
        .collect();
    if !refused.is_empty() {
        return Err(SessionError::BlockedConf(refused));
    }
    if let Some(text) = find(&submit.conf, SQL_MAX_ROWS_KEY)
        && text.trim().parse::<u64>().is_err()
    {
        return Err(SessionError::Rejected(format!(
            "conf.{SQL_MAX_ROWS_KEY} is {text:?}: not a count of rows"
        )));
    }
    if let Some(text) = find(&submit.conf, CANCEL_GRACE_KEY)
        && let Err(error) = duration::parse(text)
    {
        return Err(SessionError::Rejected(format!(
            "conf.{CANCEL_GRACE_KEY} is {text:?}: {error}"
        )));
    }
    Ok(())
}

/// How long cancelled code has to end, as the request asks.
pub fn cancel_grace(conf: &BTreeMap<String, String>) -> Option<Duration> {
    duration::parse(find(conf, CANCEL_GRACE_KEY)?).ok()
}

/// The cap of an SQL result that the request asks for.
pub fn sql_max_rows(conf: &BTreeMap<String, String>) -> Option<u64> {
    find(conf, SQL_MAX_ROWS_KEY)?.trim().parse().ok()
}

/// The whole configuration: the server's defaults, the request's `conf`, its fields, and the
/// server's overrides. `name` is the application's name where the request gives none. Keys that are
/// not Spark's stay with the server.
pub fn spark_conf(
    config: &Config,
    submit: &SubmitOptions,
    name: Option<String>,
) -> BTreeMap<String, String> {
    let mut conf = config.spark_defaults.clone();
    let own = submit
        .conf
        .iter()
        .filter(|(key, _)| key.starts_with("spark.") && !key.starts_with(LIVY_PREFIX));
    conf.extend(own.map(|(key, value)| (key.clone(), value.clone())));

    let count = |value: Option<u32>| value.map(|value| value.to_string());
    let fields = [
        ("spark.app.name", submit.name.clone()),
        ("spark.yarn.queue", submit.queue.clone()),
        ("spark.driver.memory", submit.driver_memory.clone()),
        ("spark.driver.cores", count(submit.driver_cores)),
        ("spark.executor.memory", submit.executor_memory.clone()),
        ("spark.executor.cores", count(submit.executor_cores)),
        ("spark.executor.instances", count(submit.num_executors)),
    ];
    for (key, value) in fields {
        if let Some(value) = value {
            conf.insert(key.to_owned(), value);
        }
    }
    for (key, _, list) in file_lists(submit) {
        merge_list(&mut conf, key, list);
    }
    if let Some(name) = name {
        conf.entry("spark.app.name".to_owned()).or_insert(name);
    }
    conf.extend(config.spark_overrides.clone());
    conf
}

/// The file lists of a request: Spark's key, the field's name, the entries.
pub fn file_lists(submit: &SubmitOptions) -> [(&'static str, &'static str, &[String]); 4] {
    [
        ("spark.jars", "jars", &submit.jars),
        ("spark.submit.pyFiles", "pyFiles", &submit.py_files),
        ("spark.files", "files", &submit.files),
        ("spark.archives", "archives", &submit.archives),
    ]
}

/// The field's entries first, then those of `conf`.
fn merge_list(conf: &mut BTreeMap<String, String>, key: &str, list: &[String]) {
    if list.is_empty() {
        return;
    }
    let existing = conf.get(key).filter(|text| !text.trim().is_empty());
    let merged: Vec<String> = list
        .iter()
        .flat_map(|entry| entry.split(','))
        .map(|entry| spark_uri(entry.trim()))
        .chain(existing.cloned())
        .collect();
    conf.insert(key.to_owned(), merged.join(","));
}

/// Spark takes a path with a blank or a `%` for one that is no URI, and its `#fragment` for a part
/// of the file's name. We keep the characters of patterns, because Spark expands patterns.
fn spark_uri(entry: &str) -> String {
    const IN_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'"').add(b'<').add(b'>');
    if !entry.starts_with('/') || utf8_percent_encode(entry, IN_PATH).nth(1).is_none() {
        return entry.to_owned();
    }
    format!("file://{}", utf8_percent_encode(entry, IN_PATH))
}

fn normal(key: &str) -> String {
    let key = key.trim().to_ascii_lowercase();
    let key = key.strip_prefix(LIVY_PREFIX).unwrap_or(&key);
    key.replace('_', "-")
}

/// Only the checked `proxyUser` decides which user a driver runs as.
fn is_identity(normal: &str) -> bool {
    let squeezed = normal.replace('-', "");
    squeezed.contains("proxyuser") || squeezed.contains("hadoopusername")
}

/// Takes the value of a key out of the configuration, in any spelling.
pub fn take(conf: &mut BTreeMap<String, String>, wanted: &str) -> Option<String> {
    let wanted = normal(wanted);
    let taken: Vec<_> = conf
        .extract_if(.., |key, _| normal(key) == wanted)
        .collect();
    taken.into_iter().next().map(|(_, value)| value)
}

fn find<'a>(conf: &'a BTreeMap<String, String>, wanted: &str) -> Option<&'a String> {
    conf.iter()
        .find(|(key, _)| normal(key) == normal(wanted))
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Impersonation, LocalFiles};

    fn config() -> Config {
        Config {
            server: "test".to_owned(),
            agent_urls: vec![],
            limits: livius_domain::Limits::default(),
            spark_defaults: BTreeMap::from([("spark.master".to_owned(), "local[*]".to_owned())]),
            spark_overrides: BTreeMap::new(),
            blocked_conf: vec!["spark.yarn.jars".to_owned()],
            file_list_conf: vec![],
            sql_max_rows: 1000,
            local_files: LocalFiles::Any,
            impersonation: Impersonation::default(),
            pools: crate::config::PoolSettings::off(),
            webhooks: None,
            policy: std::sync::Arc::new(crate::policy::AllowAll),
            metrics: livius_metrics::Metrics::default(),
            audit: crate::audit::Audit::default(),
        }
    }

    fn with_conf(pairs: &[(&str, &str)]) -> SubmitOptions {
        let conf = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        SubmitOptions {
            conf,
            ..SubmitOptions::default()
        }
    }

    #[test]
    fn no_spelling_of_a_blocked_key_gets_past() {
        let spellings = [
            "spark.yarn.jars",
            "SPARK.YARN.JARS",
            "spark.__livy__.livy.rsc.proxy-user",
            "livy.rsc.proxy_user",
            "spark.yarn.appMasterEnv.HADOOP_PROXY_USER",
            "spark.executorEnv.HADOOP_USER_NAME",
        ];
        for key in spellings {
            let error = check(&config(), &with_conf(&[(key, "x")])).expect_err(key);
            assert_eq!(
                error.to_string(),
                format!("these configuration keys may not be set: {key}")
            );
        }
    }

    #[test]
    fn keys_that_act_as_the_server_are_refused_where_a_request_may_not_do_all_it_can() {
        let under = |path: &str| LocalFiles::Under(vec![path.into()]);
        for (enabled, local_files, allowed) in [
            (false, LocalFiles::Any, true),
            (false, under("/"), true),
            (true, LocalFiles::Any, false),
            (false, under("/shared"), false),
            (false, LocalFiles::Under(vec![]), false),
        ] {
            let config = Config {
                impersonation: Impersonation {
                    enabled,
                    superusers: vec![],
                },
                local_files: local_files.clone(),
                ..config()
            };
            for key in AS_SERVER
                .into_iter()
                .chain(["Spark.Driver.ExtraJavaOptions"])
            {
                let request = with_conf(&[(key, "x")]);
                let checked = check(&config, &request);
                assert_eq!(checked.is_ok(), allowed, "{key} {enabled} {local_files:?}");
            }
            let harmless = with_conf(&[("spark.executor.extraJavaOptions", "-Da=b")]);
            assert!(check(&config, &harmless).is_ok());
        }
    }

    #[test]
    fn fields_win_over_conf_and_lists_are_merged() {
        let request = SubmitOptions {
            name: Some("mine".to_owned()),
            driver_memory: Some("2g".to_owned()),
            num_executors: Some(3),
            queue: Some("q".to_owned()),
            jars: vec!["/a.jar".to_owned(), "/b.jar".to_owned()],
            ..with_conf(&[
                ("spark.app.name", "theirs"),
                ("spark.driver.memory", "1g"),
                ("spark.jars", "/c.jar"),
                ("spark.jars.packages", ""),
                ("livy.uri", "http://x"),
                ("spark.__livy__.livy.rsc.session.kind", "spark"),
            ])
        };
        let conf = spark_conf(&config(), &request, None);
        let shown: Vec<String> = conf
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        assert_eq!(
            shown,
            [
                "spark.app.name=mine",
                "spark.driver.memory=2g",
                "spark.executor.instances=3",
                "spark.jars=/a.jar,/b.jar,/c.jar",
                "spark.jars.packages=",
                "spark.master=local[*]",
                "spark.yarn.queue=q",
            ]
        );
    }

    #[test]
    fn paths_that_are_no_uris_are_made_ones() {
        for (path, uri) in [
            ("/a/b.jar", "/a/b.jar"),
            ("/a/*.jar", "/a/*.jar"),
            ("/a b/c.tar#d", "file:///a%20b/c.tar#d"),
            ("/100%/π.jar", "file:///100%25/%CF%80.jar"),
            ("hdfs:///a b", "hdfs:///a b"),
        ] {
            assert_eq!(spark_uri(path), uri);
        }
    }

    #[test]
    fn the_name_falls_back_and_the_operator_has_the_last_word() {
        let operator = Config {
            spark_overrides: BTreeMap::from([("spark.master".to_owned(), "yarn".to_owned())]),
            ..config()
        };
        let conf = spark_conf(
            &operator,
            &with_conf(&[("spark.master", "local[9]")]),
            Some("livy-session-4".to_owned()),
        );
        assert_eq!(conf["spark.app.name"], "livy-session-4");
        assert_eq!(conf["spark.master"], "yarn");
        assert_eq!(
            spark_conf(&config(), &with_conf(&[("spark.master", "local[9]")]), None)["spark.master"],
            "local[9]"
        );
    }

    #[test]
    fn the_cap_of_sql_results_is_read_in_any_spelling_and_checked() {
        assert_eq!(
            sql_max_rows(&with_conf(&[("livy.rsc.sql.num-rows", "5")]).conf),
            Some(5)
        );
        assert_eq!(
            sql_max_rows(&with_conf(&[("spark.__livy__.livy.rsc.sql.num_rows", "7")]).conf),
            Some(7)
        );
        assert!(check(&config(), &with_conf(&[("livy.rsc.sql.num-rows", "many")])).is_err());
    }

    #[test]
    fn the_time_for_cancelled_code_is_read_in_any_spelling_and_checked() {
        let with = |key, value| with_conf(&[(key, value)]);
        for (key, value, read) in [
            ("livy.rsc.job-cancel.timeout", "2m", Some(120)),
            (
                "spark.__livy__.livy.rsc.job_cancel.timeout",
                "5000",
                Some(5),
            ),
            ("livy.rsc.job-cancel.trigger-interval", "2m", None),
        ] {
            let conf = with(key, value).conf;
            assert_eq!(cancel_grace(&conf), read.map(Duration::from_secs), "{key}");
        }
        assert!(check(&config(), &with("livy.rsc.job-cancel.timeout", "soon")).is_err());
    }
}
