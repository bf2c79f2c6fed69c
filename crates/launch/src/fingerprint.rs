//! Tells whether the configuration that all drivers share has changed.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::os::unix::fs::MetadataExt as _;

use camino::Utf8Path;
use livius_spark_home::{FindError, Search, find_spark};

/// The files of Spark's configuration directory that a driver reads at its launch.
const FILES: [&str; 3] = ["spark-defaults.conf", "spark-env.sh", "java-opts"];

/// A text that differs when Spark, its configuration files or the environment of drivers differ. It
/// looks at the files' sizes and times only: requests wait for it.
pub(crate) fn of(search: &Search) -> Result<String, FindError> {
    let (spark, _) = find_spark(search)?;
    let mut hasher = DefaultHasher::new();
    env!("CARGO_PKG_VERSION").hash(&mut hasher);
    spark.home.hash(&mut hasher);
    spark.version.to_string().hash(&mut hasher);
    search.java_home.hash(&mut hasher);
    for (name, value) in search.environment.inherited() {
        if !is_of_one_start(&name) {
            (name, value).hash(&mut hasher);
        }
    }
    let usual = || spark.home.join("conf");
    let dir = search
        .environment
        .path("SPARK_CONF_DIR")
        .unwrap_or_else(usual);
    dir.hash(&mut hasher);
    for name in FILES {
        facts(&dir.join(name)).hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// Variables that differ with each start of the server and have no meaning for a driver.
fn is_of_one_start(name: &str) -> bool {
    const NAMES: [&str; 11] = [
        "INVOCATION_ID",
        "JOURNAL_STREAM",
        "SYSTEMD_EXEC_PID",
        "NOTIFY_SOCKET",
        "MAINPID",
        "PWD",
        "OLDPWD",
        "SHLVL",
        "TERM",
        "COLUMNS",
        "LINES",
    ];
    NAMES.contains(&name)
        || ["SSH_", "LISTEN_"]
            .iter()
            .any(|start| name.starts_with(start))
}

/// The size of a file and the time of its last change.
fn facts(path: &Utf8Path) -> Option<(u64, u64, i64, i64)> {
    let found = fs::metadata(path).ok()?;
    Some((found.ino(), found.len(), found.ctime(), found.ctime_nsec()))
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;
    use livius_spark_home::Environment;

    use super::*;

    fn search(home: &Utf8Path, variables: &[(&str, &str)]) -> Search {
        let variables = variables.iter();
        let owned = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Search {
            environment: Environment::new(owned),
            runtimes: home.join("runtimes"),
            spark_home: Some(home.to_owned()),
            java_home: None,
        }
    }

    #[test]
    fn it_changes_with_the_files_and_the_environment_and_not_with_a_start() {
        let dir = tempfile::tempdir().unwrap();
        let home = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        fs::create_dir_all(home.join("jars")).unwrap();
        for jar in [
            "spark-core_2.13-4.1.4.jar",
            "scala-library-2.13.17.jar",
            "scala-compiler-2.13.17.jar",
        ] {
            fs::write(home.join("jars").join(jar), "x").unwrap();
        }
        let first = of(&search(&home, &[("INVOCATION_ID", "1")])).unwrap();
        assert_eq!(
            of(&search(&home, &[("INVOCATION_ID", "2"), ("PWD", "/")])).unwrap(),
            first
        );
        let other = of(&search(&home, &[("HADOOP_CONF_DIR", "/etc/hadoop")])).unwrap();
        assert_ne!(other, first);
        fs::create_dir_all(home.join("conf")).unwrap();
        fs::write(home.join("conf/spark-defaults.conf"), "spark.x 1").unwrap();
        let second = of(&search(&home, &[])).unwrap();
        assert_ne!(second, first);
        fs::write(home.join("conf/spark-defaults.conf"), "spark.x 22").unwrap();
        assert_ne!(of(&search(&home, &[])).unwrap(), second);
    }
}
