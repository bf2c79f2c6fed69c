//! A driver on a worker of a standalone cluster. The agent's monitor runs on this machine: it
//! submits the driver with `SparkSubmit` and then follows it.

use serde_json::json;

use super::application::file_uri;
use super::{
    CommandBuilder, CommandError, LaunchPlan, append, environment, launch_document, words,
};
use crate::backend;

/// The property by which the monitor finds its driver among those of the master.
const TAG: &str = "spark.livius.driver";
/// The variable with the launch document. Spark passes the submitter's environment to the driver,
/// so the secret is on no command line. Spark 4.3 and the old REST server pass only variables whose
/// names begin with `SPARK_`.
const LAUNCH: &str = "SPARK_LIVIUS_LAUNCH";

pub(super) fn plan(mut builder: CommandBuilder<'_>) -> Result<LaunchPlan, CommandError> {
    let master = backend::master(&builder.conf).to_owned();
    let launch = launch_document::text(&builder);
    prepare(&mut builder);
    let (jvm, in_file) = builder.small_jvm()?;

    let mut submit = vec![builder.toolchain.found.java.program().into_string()];
    submit.extend(jvm.clone());
    submit.extend(builder.submit_words());
    let agent = file_uri(builder.toolchain.agent_jar.as_str());
    submit.extend(builder.program_words(&agent, "env")?);
    let order = json!({
        "v": 1,
        "tag": builder.order.id.as_str(),
        "master": master,
        "properties": builder.dir.properties(),
        "submit": submit,
        "environment": { LAUNCH: launch },
        "verdict": builder.dir.verdict_file(),
    });
    let mut args = jvm;
    args.extend(words([
        "livius.agent.StandaloneSubmit",
        builder.dir.order_file().as_str(),
    ]));
    let mut plan = builder.plan_with(args, environment::of_monitor(&builder), in_file);
    plan.files
        .insert(builder.dir.order_file(), order.to_string());
    Ok(plan)
}

/// Adds the settings that the driver needs on its worker.
fn prepare(builder: &mut CommandBuilder<'_>) {
    let tag = builder.order.id.as_str().to_owned();
    builder.conf.insert(TAG.to_owned(), tag);
    let agent = builder.toolchain.agent_jar.as_str();
    append(&mut builder.conf, "spark.driver.extraClassPath", ":", agent);
    // Not every Spark gives a driver on a worker the options that Spark itself needs, such as
    // `--add-opens`.
    let options = builder
        .conf
        .entry("spark.driver.extraJavaOptions".to_owned())
        .or_default();
    let mut needed = builder.toolchain.flags.jvm.clone();
    needed.extend((!options.is_empty()).then(|| options.clone()));
    *options = needed.join(" ");
    // A master's REST server listens on another port than the monitor uses.
    if let Some(rest) = builder.conf.get_mut("spark.master.rest.enabled") {
        "false".clone_into(rest);
    }
}
