//! The environment of drivers.

use std::collections::BTreeMap;

use super::CommandBuilder;
use super::local_ports::is_local;
use crate::DriverOrder;

/// The longest directory name for `TMPDIR`. Programs make sockets there, and a socket's path must
/// be short.
const TMPDIR_MAX: usize = 64;

/// The environment of a driver on this machine.
pub(super) fn of_driver(builder: &CommandBuilder<'_>) -> BTreeMap<String, String> {
    let mut variables = of_monitor(builder);
    let mut set = |name: &str, value: String| variables.insert(name.to_owned(), value);
    set("JAVA_HOME", builder.toolchain.found.java.home.to_string());
    // As in a driver of `spark-submit`. If the driver's code runs Spark's scripts, they use the same
    // configuration, and do not run `spark-env.sh` again.
    set("SPARK_ENV_LOADED", "1".to_owned());
    set("SPARK_CONF_DIR", builder.conf_dir().into_string());
    if builder.dir.temporary().as_str().len() <= TMPDIR_MAX {
        set("TMPDIR", builder.dir.temporary().into_string());
    }
    if keeps_to_itself(builder.order, &builder.conf) {
        variables
            .entry("SPARK_LOCAL_IP".to_owned())
            .or_insert_with(|| "127.0.0.1".to_owned());
    }
    if let Some(path) = builder.setting("spark.driver.extraLibraryPath") {
        let inherited = variables
            .get("LD_LIBRARY_PATH")
            .filter(|value| !value.is_empty());
        // In this order in Spark, too.
        let joined = inherited.map_or_else(
            || path.to_owned(),
            |inherited| format!("{inherited}:{path}"),
        );
        variables.insert("LD_LIBRARY_PATH".to_owned(), joined);
    }
    variables
}

/// The environment of the monitor of a driver on a cluster. Spark passes it to the driver, so it
/// must not name directories of this machine.
pub(super) fn of_monitor(builder: &CommandBuilder<'_>) -> BTreeMap<String, String> {
    let spark = &builder.toolchain.found.spark;
    let mut variables = builder.spark_conf.environment.clone();
    variables.insert("SPARK_HOME".to_owned(), spark.home.to_string());
    variables.insert("SPARK_SCALA_VERSION".to_owned(), spark.scala_line());
    make_unicode(&mut variables);
    variables
}

/// The environment of a `SparkSubmit` that ends when it has handed its application over to YARN. It
/// is that of a `spark-submit` at the command line: `HADOOP_CONF_DIR`, `YARN_CONF_DIR` and
/// `HADOOP_USER_NAME` have their effect.
pub(super) fn of_submitter(builder: &CommandBuilder<'_>) -> BTreeMap<String, String> {
    let mut variables = of_monitor(builder);
    let mut set = |name: &str, value: String| variables.insert(name.to_owned(), value);
    set("SPARK_ENV_LOADED", "1".to_owned());
    // The submitter sends the logging configuration that it finds there.
    set("SPARK_CONF_DIR", builder.conf_dir().into_string());
    variables
}

/// Makes arguments and file names UTF-8. Without a UTF-8 locale, as in most containers, Java reads
/// them as ASCII and destroys other characters. Only the character type is set, so messages and
/// number formats do not change.
fn make_unicode(variables: &mut BTreeMap<String, String>) {
    let given = |name: &str| variables.get(name).filter(|value| !value.is_empty());
    let effective = given("LC_ALL")
        .or_else(|| given("LC_CTYPE"))
        .or_else(|| given("LANG"));
    let is_unicode = |locale: &String| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    };
    if effective.is_some_and(is_unicode) {
        return;
    }
    variables.insert("LC_CTYPE".to_owned(), "C.UTF-8".to_owned());
    // It would override `LC_CTYPE`. As `LANG` it still decides about the other categories.
    if let Some(all) = variables.remove("LC_ALL") {
        variables.insert("LANG".to_owned(), all);
    }
}

/// Tells whether the driver needs no connections from other machines: its executors are in it, and
/// its server is on loopback. By default Spark opens its ports and its UI to every network.
fn keeps_to_itself(order: &DriverOrder, conf: &BTreeMap<String, String>) -> bool {
    let loopback = |url: &String| {
        let host = url.split("://").nth(1).unwrap_or_default();
        ["127.", "localhost:", "[::1]:"]
            .iter()
            .any(|own| host.starts_with(own))
    };
    is_local(conf) && order.servers.iter().all(loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_unicode_whatever_the_locale_is() {
        for (given, made) in [
            ("", "LC_CTYPE=C.UTF-8"),
            ("LANG=C", "LANG=C LC_CTYPE=C.UTF-8"),
            ("LANG=de_DE.UTF-8", "LANG=de_DE.UTF-8"),
            ("LANG=C.utf8", "LANG=C.utf8"),
            (
                "LANG=de_DE.UTF-8 LC_CTYPE=POSIX",
                "LANG=de_DE.UTF-8 LC_CTYPE=C.UTF-8",
            ),
            ("LANG=de_DE.UTF-8 LC_ALL=C", "LANG=C LC_CTYPE=C.UTF-8"),
            ("LC_ALL= LANG=en_GB.UTF-8", "LANG=en_GB.UTF-8 LC_ALL="),
        ] {
            let mut variables: BTreeMap<String, String> = given
                .split_whitespace()
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            make_unicode(&mut variables);
            let shown: Vec<String> = variables
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            assert_eq!(shown.join(" "), made, "{given}");
        }
    }
}
