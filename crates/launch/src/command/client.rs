//! A driver on this machine: `SparkSubmit` in client mode is the driver.

use super::{
    CommandBuilder, CommandError, LaunchPlan, application, environment, launch_document, split,
    words,
};
use crate::{Program, java_options};

pub(super) fn plan(builder: &CommandBuilder<'_>) -> Result<LaunchPlan, CommandError> {
    let (options, in_file) = builder.placed(users_options(builder)?);
    let before = builder.setting("spark.driver.extraClassPath");
    let mut args = builder.fast_start.compilers();
    if before.is_none_or(str::is_empty) {
        args.extend(builder.fast_start.classes());
    }
    args.extend(builder.own_options(heap(builder)?));
    if matches!(builder.order.program, Program::Application { .. }) {
        args.push(format!("-Dlivius.launch={}", builder.dir.launch_file()));
    }
    args.extend(options);
    args.push("-cp".to_owned());
    args.push(builder.class_path(before));
    args.extend(builder.submit_words());
    args.extend(program_words(builder)?);
    let mut plan = builder.plan_with(args, environment::of_driver(builder), in_file);
    plan.files
        .insert(builder.dir.launch_file(), launch_document::text(builder));
    Ok(plan)
}

/// The user's options. Later ones override earlier ones.
fn users_options(builder: &CommandBuilder<'_>) -> Result<Vec<String>, CommandError> {
    let mut options = builder.options_of_submit()?;
    for key in [
        "spark.driver.defaultJavaOptions",
        "spark.driver.extraJavaOptions",
    ] {
        options.extend(split(key, builder.conf.get(key))?);
    }
    Ok(options)
}

/// The heap in mebibytes.
fn heap(builder: &CommandBuilder<'_>) -> Result<u64, CommandError> {
    let key = "spark.driver.memory";
    let from_environment = || builder.spark_conf.environment.get("SPARK_DRIVER_MEMORY");
    let size = builder.conf.get(key).or_else(from_environment);
    java_options::mebibytes(size.map_or("1g", String::as_str))
        .map_err(|source| CommandError::Setting { key, source })
}

fn program_words(builder: &CommandBuilder<'_>) -> Result<Vec<String>, CommandError> {
    match &builder.order.program {
        Program::Agent { .. } => Ok(words([
            "--class",
            "livius.agent.Main",
            "spark-internal",
            builder.dir.launch_file().as_str(),
        ])),
        Program::Application {
            file,
            class_name,
            args,
        } => application::words(file, class_name.as_deref(), args),
    }
}
