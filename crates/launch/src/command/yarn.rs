//! A driver in a container of a YARN cluster. `SparkSubmit` runs on this machine, hands the
//! application over and ends.
//!
//! The container sees no file of this machine. The agent and the launch document travel as files of
//! the application: the submitter copies them to the staging directory, which is the user's alone,
//! and YARN gives them to the containers of the application with mode 0500. `docs/adr/0023` has the
//! reasons.

use std::collections::BTreeMap;

use livius_domain::{DriverId, Kind};
use livius_spark_home::{SparkConf, Toolchain};

use super::application::file_uri;
use super::{
    CommandBuilder, CommandError, LaunchPlan, append, environment, launch_document, prepend,
};
use crate::{Program, Start, Unsupported};

/// The launch document in the container's working directory.
const LAUNCH: &str = "livius-launch.json";
/// The agent's jar in the container's working directory.
const AGENT: &str = "livius-agent.jar";

const TAGS: &str = "spark.yarn.tags";
/// The tag of all applications that a server of ours has started.
const OUR_TAG: &str = "livius";

/// The tag by which the application of a driver is found. YARN keeps tags in lower case, and the
/// names of drivers are.
pub(super) fn tag(driver: &DriverId) -> String {
    format!("{OUR_TAG}-driver-{driver}")
}

/// Adds our tags to those of the user. A tag of another driver is left out: a request could have the
/// server kill its own application in place of the other driver's.
pub(super) fn add_tags(conf: &mut BTreeMap<String, String>, driver: &DriverId) {
    let ours = [OUR_TAG.to_owned(), tag(driver)];
    let given = conf.get(TAGS).map_or("", String::as_str);
    let theirs = given.split(',').map(str::trim);
    let theirs = theirs.filter(|tag| !tag.is_empty() && !is_ours(tag));
    let tags: Vec<String> = theirs.map(str::to_owned).chain(ours).collect();
    conf.insert(TAGS.to_owned(), tags.join(","));
}

fn is_ours(tag: &str) -> bool {
    let tag = tag.to_ascii_lowercase();
    tag == OUR_TAG || tag.starts_with(&format!("{OUR_TAG}-driver-"))
}

pub(super) fn plan(mut builder: CommandBuilder<'_>) -> Result<LaunchPlan, CommandError> {
    if let Program::Agent {
        start: Start::Primed,
        ..
    } = builder.order.program
    {
        return Err(Unsupported::PrimedOnYarn.into());
    }
    let launch = launch_document::text(&builder);
    prepare(&mut builder);
    let (mut args, in_file) = builder.small_jvm()?;
    args.extend(builder.submit_words());
    args.extend(builder.program_words("spark-internal", LAUNCH)?);
    let mut plan = builder.plan_with(args, environment::of_submitter(&builder), in_file);
    plan.files.insert(builder.dir.launch_file(), launch);
    Ok(plan)
}

/// Adds the settings that the driver needs in its container.
fn prepare(builder: &mut CommandBuilder<'_>) {
    let shipped = [
        (builder.dir.launch_file(), LAUNCH),
        (builder.toolchain.agent_jar.clone(), AGENT),
    ];
    for (path, name) in shipped {
        append(
            &mut builder.conf,
            "spark.yarn.dist.files",
            ",",
            &link(path.as_str(), name),
        );
    }
    // The class path starts in the working directory.
    append(&mut builder.conf, "spark.driver.extraClassPath", ":", AGENT);
    // As on this machine: without a UTF-8 locale Java destroys names and arguments.
    for of in ["spark.yarn.appMasterEnv", "spark.executorEnv"] {
        let entry = builder.conf.entry(format!("{of}.LC_CTYPE"));
        entry.or_insert_with(|| "C.UTF-8".to_owned());
    }
    let mut set = |key: &str, value: &str| builder.conf.insert(key.to_owned(), value.to_owned());
    // The server follows the application itself.
    set("spark.yarn.submit.waitAppCompletion", "false");
    match builder.order.program {
        // A second attempt would be a session without the variables of the first.
        Program::Agent { .. } => drop(set("spark.yarn.maxAppAttempts", "1")),
        Program::Application { .. } => {
            let own = format!("-Dlivius.launch={LAUNCH}");
            prepend(&mut builder.conf, "spark.driver.extraJavaOptions", &own);
        }
    }
}

/// A session may run Python and R, on its driver and on its executors. `SparkSubmit` ships what they
/// need only with a program in that language.
pub(super) fn add_languages(
    conf: &mut BTreeMap<String, String>,
    toolchain: &Toolchain,
    spark_conf: &SparkConf,
    kind: Kind,
) {
    let home = &toolchain.found.spark.home;
    let named = spark_conf.environment.contains_key("PYSPARK_ARCHIVES_PATH");
    if named || home.join("python/lib/pyspark.zip").is_file() {
        conf.insert("spark.yarn.isPython".to_owned(), "true".to_owned());
    }
    let package = home.join("R/lib/sparkr.zip");
    if matches!(kind, Kind::SparkR | Kind::Shared) && package.is_file() {
        let entry = link(package.as_str(), "sparkr");
        append(conf, "spark.yarn.dist.archives", ",", &entry);
    }
}

/// An entry of a list of files, by the name that the file has in the container.
fn link(path: &str, name: &str) -> String {
    // Spark takes commas apart.
    format!("{}#{name}", file_uri(path).replace(',', "%2C"))
}
