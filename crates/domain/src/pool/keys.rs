//! Which keys of Spark's configuration are fixed when a driver waits in a pool, and which can be set
//! when a session takes it. `docs/POOLS.md` has the same as a table.

use super::Level;
use crate::ResourceUse;

/// Whether a key can be set late.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lateness {
    /// Nothing.
    Fixed,
    /// Nothing needs to be done.
    Moot,
    /// It can be set.
    Setting,
    /// These entries of its list can be added.
    Files(ResourceUse, Vec<String>),
}

/// Keys that `SparkSubmit` or the JVM act upon at the launch.
const OF_LAUNCH: [&str; 13] = [
    "spark.master",
    "spark.remote",
    "spark.submit.deployMode",
    "spark.driver.memory",
    "spark.driver.defaultJavaOptions",
    "spark.driver.extraJavaOptions",
    "spark.driver.extraClassPath",
    "spark.driver.extraLibraryPath",
    "spark.driver.userClassPathFirst",
    "spark.driver.supervise",
    "spark.driver.env",
    "spark.repl.local.jars",
    "spark.security.credentials",
];

/// The beginnings of further ones.
const BEGINNINGS_OF_LAUNCH: [&str; 9] = [
    "spark.jars.",
    "spark.kerberos.",
    "spark.yarn.",
    "spark.kubernetes.",
    "spark.mesos.",
    "spark.hadoop.hadoop.security.",
    "spark.security.credentials.",
    "spark.driver.env.",
    "spark.launcher.",
];

/// Settings that Spark reads once for each JVM. A primed driver has used them already. Those that Spark
/// reads for its first SparkContext or job are in `Priming.scala`, too.
const OF_JVM: [&str; 7] = [
    "spark.local.dir",
    "spark.log.structuredLogging.enabled",
    "spark.sql.broadcastExchange.maxThreadThreshold",
    "spark.sql.codegen.cache.maxEntries",
    "spark.sql.resultQueryStage.maxThreadThreshold",
    "spark.sql.shuffleExchange.maxThreadThreshold",
    "spark.sql.subquery.maxThreadThreshold",
];

/// The beginnings of further ones.
const BEGINNINGS_OF_JVM: [&str; 1] = ["spark.network."];

/// SQL settings that Spark reads once, when it makes its SparkSession or uses a part first.
const STATIC_SQL: [&str; 22] = [
    "spark.sql.warehouse.dir",
    "spark.sql.catalogImplementation",
    "spark.sql.globalTempDatabase",
    "spark.sql.extensions",
    "spark.sql.queryExecutionListeners",
    "spark.sql.cache.serializer",
    "spark.sql.debug",
    "spark.sql.sources.schemaStringLengthThreshold",
    "spark.sql.filesourceTableRelationCacheSize",
    "spark.sql.codegen.cache.maxEntries",
    "spark.sql.codegen.comments",
    "spark.sql.broadcastExchange.maxThreadThreshold",
    "spark.sql.subquery.maxThreadThreshold",
    "spark.sql.resultQueryStage.maxThreadThreshold",
    "spark.sql.shuffleExchange.maxThreadThreshold",
    "spark.sql.event.truncate.length",
    "spark.sql.legacy.sessionInitWithConfigDefaults",
    "spark.sql.defaultUrlStreamHandlerFactory.enabled",
    "spark.sql.metadataCacheTTLSeconds",
    "spark.sql.sources.disabledJdbcConnProviderList",
    "spark.sql.streaming.streamingQueryListeners",
    "spark.sql.artifact.isolation.enabled",
];

/// The beginnings of further ones.
const BEGINNINGS_OF_STATIC_SQL: [&str; 6] = [
    "spark.sql.ui.",
    "spark.sql.streaming.ui.",
    "spark.sql.hive.",
    "spark.sql.catalog.",
    "spark.sql.artifact.",
    "spark.sql.kerberos.",
];

/// The list of jars, which go to the class path of the driver.
const JARS: &str = "spark.jars";

/// Tells whether a key whose value differs can be set late.
pub(super) fn lateness(
    level: Level,
    name: &str,
    had: Option<&str>,
    wanted: Option<&str>,
) -> Lateness {
    match level {
        Level::Primed => of_primed(name, had, wanted),
        Level::Ready => of_ready(name, had, wanted),
    }
}

/// A primed driver has no SparkContext any more, so almost everything can be set.
fn of_primed(name: &str, had: Option<&str>, wanted: Option<&str>) -> Lateness {
    let is_fixed = OF_LAUNCH.contains(&name)
        || begins_with_any(name, &BEGINNINGS_OF_LAUNCH)
        || OF_JVM.contains(&name)
        || begins_with_any(name, &BEGINNINGS_OF_JVM)
        // SparkSubmit copies jars and Python files from other machines, and resolves patterns of file
        // names. It has run already.
        || (matches!(name, JARS | "spark.submit.pyFiles") && !entries(wanted).all(is_plain_local))
        // No jar leaves a class path.
        || (name == JARS && added(had, wanted).is_none());
    if is_fixed {
        Lateness::Fixed
    } else {
        Lateness::Setting
    }
}

/// A ready driver has a SparkContext with its configuration. Its SparkSession takes SQL settings, and
/// files can be added.
fn of_ready(name: &str, had: Option<&str>, wanted: Option<&str>) -> Lateness {
    if name == "spark.app.name" {
        // Spark shows the name that the pool gave. The session has its own.
        return Lateness::Moot;
    }
    let used_as = match name {
        JARS | "spark.submit.pyFiles" => Some(ResourceUse::Library),
        "spark.files" => Some(ResourceUse::File),
        _ => None,
    };
    if let Some(used_as) = used_as {
        return match added(had, wanted) {
            Some(added) if added.iter().all(|entry| fits_use(name, entry)) => {
                Lateness::Files(used_as, added)
            }
            _ => Lateness::Fixed,
        };
    }
    // A setting cannot be taken away.
    if wanted.is_some() && is_late_sql(name) {
        Lateness::Setting
    } else {
        Lateness::Fixed
    }
}

/// Tells whether a SparkSession takes the setting while it runs.
fn is_late_sql(name: &str) -> bool {
    name.starts_with("spark.sql.")
        && !STATIC_SQL.contains(&name)
        && !begins_with_any(name, &BEGINNINGS_OF_STATIC_SQL)
}

fn begins_with_any(name: &str, beginnings: &[&str]) -> bool {
    beginnings.iter().any(|start| name.starts_with(start))
}

fn entries(list: Option<&str>) -> impl Iterator<Item = &str> {
    let entries = list.unwrap_or_default().split(',').map(str::trim);
    entries.filter(|entry| !entry.is_empty())
}

/// The entries of a list that another one lacks. `None` if the other one has entries that the list
/// lacks, because a file cannot be taken away.
fn added(had: Option<&str>, wanted: Option<&str>) -> Option<Vec<String>> {
    let is_in = |list: Option<&str>, entry: &str| entries(list).any(|other| other == entry);
    if !entries(had).all(|entry| is_in(wanted, entry)) {
        return None;
    }
    let added = entries(wanted).filter(|entry| !is_in(had, entry));
    Some(added.map(str::to_owned).collect())
}

/// Whether an entry names one file of this machine, by its own name.
fn is_plain_local(entry: &str) -> bool {
    let is_local = ["/", "file:", "local:"]
        .iter()
        .any(|start| entry.starts_with(start));
    is_local && is_plain(entry)
}

/// Whether an entry names one file, which keeps its name.
fn is_plain(entry: &str) -> bool {
    !entry.contains(['*', '?', '[', ']', '{', '}', '#', '%', '\\']) && !entry.ends_with('/')
}

/// Whether an added file has the effect that the list has at a start. The end of a library's name
/// tells the agent whether it is for Python or for Java.
fn fits_use(name: &str, entry: &str) -> bool {
    let ends_with = |ends: &[&str]| ends.iter().any(|end| entry.ends_with(end));
    is_plain(entry)
        && match name {
            JARS => ends_with(&[".jar"]),
            "spark.submit.pyFiles" => ends_with(&[".py", ".egg", ".zip"]),
            _ => true,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_fixed_or_late() {
        use Lateness::{Fixed, Moot, Setting};
        for (name, primed, ready) in [
            ("spark.app.name", Setting, Moot),
            ("spark.master", Fixed, Fixed),
            ("spark.driver.memory", Fixed, Fixed),
            ("spark.driver.extraJavaOptions", Fixed, Fixed),
            ("spark.driver.extraClassPath", Fixed, Fixed),
            ("spark.jars.packages", Fixed, Fixed),
            ("spark.yarn.queue", Fixed, Fixed),
            ("spark.executor.memory", Setting, Fixed),
            ("spark.ui.port", Setting, Fixed),
            ("spark.sql.shuffle.partitions", Setting, Setting),
            ("spark.sql.warehouse.dir", Setting, Fixed),
            ("spark.sql.extensions", Setting, Fixed),
            ("spark.sql.catalog.iceberg", Setting, Fixed),
            ("spark.sql.hive.metastore.version", Setting, Fixed),
            ("spark.archives", Setting, Fixed),
            ("spark.local.dir", Fixed, Fixed),
            ("spark.network.timeout", Fixed, Fixed),
            ("spark.sql.codegen.cache.maxEntries", Fixed, Fixed),
            ("spark.hadoop.fs.s3a.endpoint", Setting, Fixed),
            ("spark.hadoop.hadoop.security.authentication", Fixed, Fixed),
        ] {
            assert_eq!(
                lateness(Level::Primed, name, Some("a"), Some("b")),
                primed,
                "{name}"
            );
            assert_eq!(
                lateness(Level::Ready, name, Some("a"), Some("b")),
                ready,
                "{name}"
            );
        }
        let removed = lateness(
            Level::Ready,
            "spark.sql.shuffle.partitions",
            Some("4"),
            None,
        );
        assert_eq!(removed, Fixed, "no setting can be taken away");
    }

    #[test]
    fn files_can_be_added_and_not_taken_away() {
        let files = |name, had, wanted| lateness(Level::Ready, name, Some(had), Some(wanted));
        let added = |used_as, names: &[&str]| {
            Lateness::Files(
                used_as,
                names.iter().map(|name| (*name).to_owned()).collect(),
            )
        };
        for (name, had, wanted, expected) in [
            (
                "spark.jars",
                "/a.jar",
                "/b.jar, /a.jar",
                added(ResourceUse::Library, &["/b.jar"]),
            ),
            ("spark.jars", "/a.jar", "/b.jar", Lateness::Fixed),
            ("spark.jars", "", "/lib/*.jar", Lateness::Fixed),
            ("spark.jars", "", "/b.zip", Lateness::Fixed),
            (
                "spark.submit.pyFiles",
                "",
                "/p.py,hdfs:/q.zip",
                added(ResourceUse::Library, &["/p.py", "hdfs:/q.zip"]),
            ),
            ("spark.files", "", "/f#other", Lateness::Fixed),
            (
                "spark.files",
                "/g",
                "/g,/f",
                added(ResourceUse::File, &["/f"]),
            ),
        ] {
            assert_eq!(files(name, had, wanted), expected, "{name} {wanted}");
        }
    }

    #[test]
    fn a_primed_driver_takes_local_jars_only() {
        for (had, wanted, expected) in [
            ("", "/a.jar", Lateness::Setting),
            ("/a.jar", "local:/b.jar,/a.jar", Lateness::Setting),
            ("/a.jar", "/b.jar", Lateness::Fixed),
            ("", "hdfs:/a.jar", Lateness::Fixed),
            ("", "/lib/*.jar", Lateness::Fixed),
        ] {
            let found = lateness(Level::Primed, JARS, Some(had), Some(wanted));
            assert_eq!(found, expected, "{wanted}");
        }
    }
}
