//! A driver beside the server: `SparkSubmit` in client mode, which is the driver itself.

use super::{CommandError, Draft, Plan, application, environment, launch_document, split, words};
use crate::{Program, java_options};

pub(super) fn plan(draft: &Draft<'_>) -> Result<Plan, CommandError> {
    let (options, in_file) = draft.placed(users_options(draft)?);
    let mut args = draft.own_options(heap(draft)?);
    if matches!(draft.order.program, Program::Application { .. }) {
        args.push(format!("-Dlivius.launch={}", draft.dir.launch_file()));
    }
    args.extend(options);
    args.push("-cp".to_owned());
    args.push(draft.class_path(draft.setting("spark.driver.extraClassPath")));
    args.extend(draft.submit_words());
    args.extend(program_words(draft)?);
    let mut plan = draft.plan_with(args, environment::of_driver(draft), in_file);
    plan.files.insert(
        draft.dir.launch_file(),
        launch_document::text(draft.ground, draft.order, &draft.conf),
    );
    Ok(plan)
}

/// The options that the user wants, in the order in which later ones override earlier ones.
fn users_options(draft: &Draft<'_>) -> Result<Vec<String>, CommandError> {
    let mut options = draft.options_of_submit()?;
    for key in [
        "spark.driver.defaultJavaOptions",
        "spark.driver.extraJavaOptions",
    ] {
        options.extend(split(key, draft.conf.get(key))?);
    }
    Ok(options)
}

/// The heap in mebibytes.
fn heap(draft: &Draft<'_>) -> Result<u64, CommandError> {
    let key = "spark.driver.memory";
    let from_environment = || draft.ground.conf.environment.get("SPARK_DRIVER_MEMORY");
    let size = draft.conf.get(key).or_else(from_environment);
    java_options::mebibytes(size.map_or("1g", String::as_str))
        .map_err(|source| CommandError::Setting { key, source })
}

fn program_words(draft: &Draft<'_>) -> Result<Vec<String>, CommandError> {
    match &draft.order.program {
        Program::Agent { .. } => Ok(words([
            "--class",
            "livius.agent.Main",
            "spark-internal",
            draft.dir.launch_file().as_str(),
        ])),
        Program::Application {
            file,
            class_name,
            args,
        } => application::words(file, class_name.as_deref(), args),
    }
}
