//! Which versions work together, as far as Spark, Hadoop and Kubernetes document it.

use livius_spark_home::{Installation, Version};

use super::note::Note;

/// The jars of Hadoop's client in a Spark: the shaded one since Spark 3.1, and the plain one.
const HADOOP_CLIENTS: [&str; 2] = ["hadoop-client-api-", "hadoop-yarn-api-"];

/// The version of Hadoop's client in a Spark.
pub fn hadoop_client(spark: &Installation) -> Option<Version> {
    HADOOP_CLIENTS
        .into_iter()
        .find_map(|prefix| version_of_jar(spark, prefix))
}

/// Whether a Spark has the module for a kind of cluster, such as `spark-yarn`.
pub fn has_module(spark: &Installation, module: &str) -> bool {
    let prefix = format!("{module}_");
    spark.jars.iter().any(|jar| jar.name.starts_with(&prefix))
}

fn version_of_jar(spark: &Installation, prefix: &str) -> Option<Version> {
    let text = |name: &str| {
        let rest = name.strip_prefix(prefix)?.strip_suffix(".jar")?;
        Version::parse(rest)
    };
    spark.jars.iter().find_map(|jar| text(&jar.name))
}

/// Judges a Spark's client of Hadoop and a cluster's version. Hadoop's compatibility guidelines promise
/// that clients and servers of one major version understand each other, and no more.
pub fn hadoop(client: &Version, cluster: &str) -> Note {
    let what = format!("Spark has the client of Hadoop {client}, and the cluster has {cluster}");
    match Version::parse(cluster) {
        Some(version) if version.major == client.major => Note::good(what),
        Some(_) => Note::warning(
            format!(
                "{what}: Hadoop promises only within a major version that they understand each other"
            ),
            "use a Spark that is built for the cluster's Hadoop",
        ),
        None => Note::good(what),
    }
}

/// The oldest Kubernetes that a Spark's documentation names ("Running Spark on Kubernetes",
/// Prerequisites), as the minor version of Kubernetes 1. For a Spark that is not in the list the last
/// known number holds: none has asked for an older one.
const OLDEST_KUBERNETES: [((u32, u32), u32); 4] =
    [((3, 3), 20), ((3, 4), 22), ((3, 5), 24), ((4, 0), 30)];

/// Judges an API server's version, such as `v1.33.1`, for a Spark.
pub fn kubernetes(spark: Option<&Version>, cluster: &str) -> Note {
    let what = format!("the API server has Kubernetes {cluster}");
    let Some(spark) = spark else {
        return Note::good(what);
    };
    let oldest = OLDEST_KUBERNETES
        .iter()
        .rfind(|(line, _)| *line <= spark.line())
        .map(|(_, minor)| *minor);
    let found = Version::parse(cluster.trim_start_matches('v'));
    match (found, oldest) {
        (Some(found), Some(oldest)) if found.line() < (1, oldest) => Note::warning(
            format!("{what}: the documentation of Spark {spark} asks for 1.{oldest} or newer"),
            "use a newer cluster, or an older Spark",
        ),
        _ => Note::good(what),
    }
}

#[cfg(test)]
mod tests {
    use livius_spark_home::Jar;

    use super::*;

    fn spark(jars: &[&str]) -> Installation {
        let jar = |name: &&str| Jar {
            name: (*name).to_owned(),
            size: 1,
        };
        Installation {
            home: "/opt/spark".into(),
            version: Version::parse("3.5.9").unwrap(),
            scala: Version::parse("2.12.18").unwrap(),
            jars: jars.iter().map(jar).collect(),
        }
    }

    #[test]
    fn the_jars_tell_hadoops_client_and_the_modules() {
        let shaded = spark(&[
            "hadoop-client-api-3.3.4.jar",
            "hadoop-client-runtime-3.3.4.jar",
            "spark-yarn_2.12-3.5.9.jar",
        ]);
        assert_eq!(hadoop_client(&shaded), Version::parse("3.3.4"));
        assert!(has_module(&shaded, "spark-yarn"));
        assert!(!has_module(&shaded, "spark-kubernetes"));
        let plain = spark(&["hadoop-yarn-api-2.7.4.jar"]);
        assert_eq!(hadoop_client(&plain), Version::parse("2.7.4"));
        assert_eq!(hadoop_client(&spark(&["hadoop-client-api-x.jar"])), None);
    }

    #[test]
    fn hadoop_promises_within_a_major_version() {
        let client = Version::parse("3.3.4").unwrap();
        for (cluster, is_good) in [
            ("3.4.2", true),
            ("3.1.1.7.1.9.0-387", true),
            ("2.10.2", false),
            ("4.0.0", false),
            ("unknown", true),
        ] {
            let note = hadoop(&client, cluster);
            assert_eq!(matches!(note, Note::Good { .. }), is_good, "{note:?}");
        }
    }

    #[test]
    fn sparks_documentation_names_the_oldest_kubernetes() {
        for (spark, cluster, is_good) in [
            ("3.5.9", "v1.24.0", true),
            ("3.5.9", "v1.23.17", false),
            ("4.0.5", "v1.29.1-eks-1", false),
            ("4.3.0", "v1.30.0", true),
            ("4.3.0", "v1.9.0", false),
            ("3.1.3", "v1.9.0", true),
            ("4.3.0", "main", true),
        ] {
            let note = kubernetes(Version::parse(spark).as_ref(), cluster);
            assert_eq!(matches!(note, Note::Good { .. }), is_good, "{note:?}");
        }
        let note = kubernetes(None, "v1.9.0");
        assert!(matches!(note, Note::Good { .. }));
    }
}
