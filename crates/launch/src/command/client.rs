//! A driver on this machine: `SparkSubmit` in client mode is the driver.

use super::{CommandBuilder, CommandError, LaunchPlan, environment, launch_document, split};
use crate::Program;
use crate::java_options::{self, OptionError};

pub(super) fn plan(builder: &CommandBuilder<'_>) -> Result<LaunchPlan, CommandError> {
    let options = users_options(builder)?;
    let theirs = builder.with_javas_variables(options.clone());
    let (options, in_file) = builder.placed(options);
    let before = builder.setting("spark.driver.extraClassPath");
    let mut args = builder.fast_start.compilers(&theirs);
    if before.is_none_or(str::is_empty) {
        args.extend(builder.fast_start.classes(&theirs));
    }
    args.extend(builder.own_options(heap(builder)?));
    if matches!(builder.order.program, Program::Application { .. }) {
        args.push(format!("-Dlivius.launch={}", builder.dir.launch_file()));
    }
    args.extend(options);
    args.push("-cp".to_owned());
    args.push(builder.class_path(before));
    args.extend(builder.submit_words());
    let launch = builder.dir.launch_file();
    args.extend(builder.program_words("spark-internal", launch.as_str())?);
    let mut plan = builder.plan_with(args, environment::of_driver(builder), in_file);
    plan.files
        .insert(builder.dir.launch_file(), launch_document::text(builder));
    Ok(plan)
}

/// The user's options. Later ones override earlier ones.
fn users_options(builder: &CommandBuilder<'_>) -> Result<Vec<String>, CommandError> {
    let mut options = builder.options_of_submit()?;
    // In Spark the driver's own size overrides a heap that is set for all of Spark's JVMs.
    options.retain(|option| !java_options::sets_heap(option));
    for key in [
        "spark.driver.defaultJavaOptions",
        "spark.driver.extraJavaOptions",
    ] {
        let own = split(key, builder.conf.get(key))?;
        if let Some(heap) = own.iter().find(|option| java_options::sets_heap(option)) {
            let source = OptionError::Heap(heap.clone());
            return Err(CommandError::Setting { key, source });
        }
        options.extend(own);
    }
    Ok(options)
}

/// The heap in mebibytes.
fn heap(builder: &CommandBuilder<'_>) -> Result<u64, CommandError> {
    let key = "spark.driver.memory";
    let variables = &builder.spark_conf.environment;
    let from_environment = || {
        let mut names = ["SPARK_DRIVER_MEMORY", "SPARK_MEM"].into_iter();
        names.find_map(|name| variables.get(name).filter(|size| !size.is_empty()))
    };
    let size = builder.conf.get(key).or_else(from_environment);
    java_options::mebibytes(size.map_or("1g", String::as_str))
        .map_err(|source| CommandError::Setting { key, source })
}
