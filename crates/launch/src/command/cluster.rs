//! A driver on a worker of a standalone cluster. What runs beside the server is the agent's monitor: it has `SparkSubmit` hand the driver
//! over to the master, and then follows it there.

use serde_json::json;

use super::application::file_uri;
use super::{CommandError, Draft, Plan, application, environment, launch_document, words};
use crate::Program;

/// The heap of the monitor, and of the JVM that it submits with, in mebibytes: they hold next to nothing.
const SMALL_HEAP: u64 = 256;
/// The property by which the monitor knows its driver among those of the master.
const TAG: &str = "spark.livius.driver";
/// The variable with the launch document. Spark hands the environment of whoever submits on to the driver, where the secret is then on
/// no command line; since 4.3, and with the REST server of old, it does so with names that begin like this one only.
const LAUNCH: &str = "SPARK_LIVIUS_LAUNCH";

pub(super) fn plan(mut draft: Draft<'_>) -> Result<Plan, CommandError> {
    let master = standalone_master(&draft)?;
    if let Some(user) = &draft.order.proxy_user {
        return Err(CommandError::ProxyUser(user.clone()));
    }
    let launch = launch_document::text(draft.ground, draft.order, &draft.conf);
    prepare(&mut draft);
    let (options, in_file) = draft.placed(draft.options_of_submit()?);
    let mut jvm = draft.own_options(SMALL_HEAP);
    jvm.extend(words(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]));
    jvm.extend(options);
    jvm.extend(["-cp".to_owned(), draft.class_path(None)]);

    let mut submit = vec![draft.ground.java.program().into_string()];
    submit.extend(jvm.clone());
    submit.extend(draft.submit_words());
    submit.extend(program_words(&draft)?);
    let order = json!({
        "v": 1,
        "tag": draft.order.id.as_str(),
        "master": master,
        "properties": draft.dir.properties(),
        "submit": submit,
        "environment": { LAUNCH: launch },
        "verdict": draft.dir.verdict_file(),
    });
    let mut args = jvm;
    args.extend(words([
        "livius.agent.StandaloneSubmit",
        draft.dir.order_file().as_str(),
    ]));
    let mut plan = draft.plan_with(args, environment::of_monitor(&draft), in_file);
    plan.files.insert(draft.dir.order_file(), order.to_string());
    Ok(plan)
}

fn standalone_master(draft: &Draft<'_>) -> Result<String, CommandError> {
    let master = draft.setting("spark.master").unwrap_or("local[*]");
    if master.starts_with("spark://") {
        Ok(master.to_owned())
    } else {
        Err(CommandError::Master(master.to_owned()))
    }
}

/// Puts into the configuration what the driver needs on its worker.
fn prepare(draft: &mut Draft<'_>) {
    let tag = draft.order.id.as_str().to_owned();
    draft.conf.insert(TAG.to_owned(), tag);
    let class_path = draft
        .conf
        .entry("spark.driver.extraClassPath".to_owned())
        .or_default();
    if !class_path.is_empty() {
        class_path.push(':');
    }
    class_path.push_str(draft.ground.agent_jar.as_str());
    // Not every Spark gives the driver there the options that it needs itself, such as `--add-opens`.
    let options = draft
        .conf
        .entry("spark.driver.extraJavaOptions".to_owned())
        .or_default();
    let mut needed = draft.ground.flags.jvm.clone();
    needed.extend((!options.is_empty()).then(|| options.clone()));
    *options = needed.join(" ");
    // The REST server that some masters have listens at another port than the one where the monitor asks.
    if let Some(rest) = draft.conf.get_mut("spark.master.rest.enabled") {
        "false".clone_into(rest);
    }
}

fn program_words(draft: &Draft<'_>) -> Result<Vec<String>, CommandError> {
    match &draft.order.program {
        Program::Agent { .. } => Ok(words([
            "--class",
            "livius.agent.Main",
            &file_uri(draft.ground.agent_jar.as_str()),
            "env",
        ])),
        Program::Application {
            file,
            class_name,
            args,
        } => application::words(file, class_name.as_deref(), args),
    }
}
