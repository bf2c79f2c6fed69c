//! A driver in a pod of a Kubernetes cluster. `SparkSubmit` runs on this machine, makes the pod and
//! ends.
//!
//! The pod sees no file of this machine. The agent and the launch document are in a Secret of the
//! driver, which the server makes before the submitter starts, and which the pod mounts.
//! `docs/adr/0027` has the reasons.

use std::collections::BTreeMap;

use livius_domain::{DriverId, Kind};
use livius_kubernetes::Names;

use super::{
    CommandBuilder, CommandError, LaunchPlan, append, environment, launch_document, prepend,
};
use crate::kubernetes::{AGENT, LAUNCH, OUR_LABELS, OUR_NAMES, OwnPod, SparkPages};
use crate::{Backend, Program, Start, Unsupported};

/// The directory in the pod that has the files of the driver's Secret.
const MOUNTED: &str = "/opt/livius";

const POD_NAME: &str = "spark.kubernetes.driver.pod.name";
const DRIVER_HOST: &str = "spark.driver.host";
const OVERHEADS: [&str; 3] = [
    "spark.kubernetes.memoryOverheadFactor",
    "spark.driver.memoryOverheadFactor",
    "spark.driver.memoryOverhead",
];
/// The part of the heap that Spark adds to the memory of a pod with a Python or R program. For other
/// programs it is a tenth.
const OVERHEAD_OF_INTERPRETERS: &str = "0.4";

/// Adds the labels by which the server finds the pods of a driver.
pub(super) fn add_labels(
    conf: &mut BTreeMap<String, String>,
    backend: Backend,
    driver: &DriverId,
    server: &str,
) {
    let roles: &[&str] = match backend {
        Backend::Kubernetes => &["driver", "executor"],
        // The driver is a process of this machine.
        _ => &["executor"],
    };
    for role in roles {
        for (label, value) in [("driver", driver.as_str()), ("server", server)] {
            let key = format!("spark.kubernetes.{role}.label.{OUR_LABELS}{label}");
            conf.insert(key, value.to_owned());
        }
    }
}

/// Has the executors of a driver in the server's own pod find it, and belong to that pod.
pub(super) fn add_own_pod(conf: &mut BTreeMap<String, String>, pod: &OwnPod) {
    conf.entry(DRIVER_HOST.to_owned())
        .or_insert_with(|| pod.address.clone());
    // Spark looks for the pod in the namespace of the executors.
    if namespace(conf) == pod.namespace {
        conf.entry(POD_NAME.to_owned())
            .or_insert_with(|| pod.name.clone());
    }
}

/// The namespace of a complete configuration.
pub(super) fn namespace(conf: &BTreeMap<String, String>) -> &str {
    let named = conf.get("spark.kubernetes.namespace");
    named.map_or("default", |name| name.trim())
}

pub(super) fn plan(mut builder: CommandBuilder<'_>) -> Result<LaunchPlan, CommandError> {
    if let Program::Agent {
        start: Start::Primed,
        ..
    } = builder.order.program
    {
        return Err(Unsupported::PrimedInPod.into());
    }
    let document = launch_document::text(&builder);
    prepare(&mut builder);
    let (mut args, in_file) = builder.small_jvm()?;
    args.extend(builder.submit_words());
    let launch = mounted(LAUNCH);
    args.extend(builder.program_words("spark-internal", &launch)?);
    let mut plan = builder.plan_with(args, environment::of_submitter(&builder), in_file);
    plan.in_secret = Some(document);
    Ok(plan)
}

/// Adds the settings that the driver needs in its pod.
fn prepare(builder: &mut CommandBuilder<'_>) {
    let own_name = format!("{OUR_NAMES}{}", builder.order.id);
    let conf = &mut builder.conf;
    append(conf, "spark.driver.extraClassPath", ":", &mounted(AGENT));
    let mut set = |key: &str, value: &str| conf.insert(key.to_owned(), value.to_owned());
    set(
        &format!("spark.kubernetes.driver.secrets.{own_name}"),
        MOUNTED,
    );
    // The server follows the pod itself.
    set("spark.kubernetes.submission.waitAppCompletion", "false");
    let mut default = |key: &str, value: &str| {
        let entry = conf.entry(key.to_owned());
        entry.or_insert_with(|| value.to_owned());
    };
    default(POD_NAME, &own_name);
    // As on this machine: without a UTF-8 locale Java destroys names and arguments.
    default("spark.kubernetes.driverEnv.LC_CTYPE", "C.UTF-8");
    default("spark.executorEnv.LC_CTYPE", "C.UTF-8");
    add_pages(conf, builder.pages, &builder.order.id);
    match builder.order.program {
        Program::Agent { kind, .. } => {
            let is_sized = OVERHEADS.iter().any(|key| conf.contains_key(*key));
            if !is_sized && !matches!(kind, Kind::Spark | Kind::Sql) {
                conf.insert(OVERHEADS[0].to_owned(), OVERHEAD_OF_INTERPRETERS.to_owned());
            }
        }
        Program::Application { .. } => {
            let own = format!("-Dlivius.launch={}", mounted(LAUNCH));
            prepend(conf, "spark.driver.extraJavaOptions", &own);
        }
    }
}

/// Has Spark know the path that users reach its pages by.
fn add_pages(conf: &mut BTreeMap<String, String>, pages: &SparkPages, driver: &DriverId) {
    let names = Names {
        namespace: namespace(conf),
        pod: conf.get(POD_NAME).map_or("", String::as_str),
        app: None,
        driver: driver.as_str(),
    };
    let settings = pages.settings(&names);
    // Each of them alone would lead elsewhere.
    if settings.iter().all(|(key, _)| !conf.contains_key(*key)) {
        let settings = settings.into_iter();
        conf.extend(settings.map(|(key, value)| (key.to_owned(), value)));
    }
}

fn mounted(file: &str) -> String {
    format!("{MOUNTED}/{file}")
}
