//! Spark without a server: what a user waits for at `pyspark` and `spark-shell`.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::measures::session;
use crate::report::{BARE, Report};

const LIMIT: Duration = Duration::from_mins(5);

/// The lines by which a shell tells its progress. The scripts join each from two texts, because a
/// shell may echo its input.
const CONTEXT: &str = "livius-bench: context";
const JOB: &str = "livius-bench: job";

/// Without a terminal, Python does not run the start of PySpark's shell by itself.
const PYTHON: &str = "\
import os
if 'spark' not in globals(): exec(open(os.environ['PYTHONSTARTUP']).read())

print('livius-bench: ' + 'context', flush=True)
print(spark.range(10).count())
print('livius-bench: ' + 'job', flush=True)
";

const SCALA: &str = "\
println(\"livius-bench: \" + \"context\")
spark.range(10).count()
println(\"livius-bench: \" + \"job\")
";

/// Starts the shell of a kind, if it has one, and runs a first Spark job in it.
pub async fn measure(home: &str, kind: &str, report: &mut Report) -> Result<()> {
    let (program, script) = match kind {
        "pyspark" => ("pyspark", PYTHON),
        "spark" => ("spark-shell", SCALA),
        _ => return Ok(()),
    };
    crate::note(&format!("{BARE}: {program}"));
    let begun = Instant::now();
    let mut shell = start(home, program, script).await?;
    let output = shell.stdout.take().context("no output of the shell")?;
    let mut lines = BufReader::new(output).lines();
    for (marker, what) in [
        (CONTEXT, session::to_idle(kind)),
        (JOB, session::to_first_job(kind)),
    ] {
        let mut found = false;
        while !found {
            let line = timeout(LIMIT, lines.next_line()).await??;
            ensure!(line.is_some(), "{program} ended before \"{marker}\"");
            found = line.is_some_and(|line| line.contains(marker));
        }
        report.time(BARE, &what, begun.elapsed());
    }
    timeout(LIMIT, shell.wait()).await??;
    Ok(())
}

async fn start(home: &str, program: &str, script: &str) -> Result<Child> {
    let mut shell = Command::new(format!("{home}/bin/{program}"))
        .args(["--master", "local[*]"])
        .env("SPARK_HOME", home)
        .envs(python_path(home))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("start {program} of {home}"))?;
    let mut input = shell.stdin.take().context("no input of the shell")?;
    input.write_all(script.as_bytes()).await?;
    Ok(shell)
}

/// A Spark that pip installed into a folder of its own needs that folder on Python's path.
fn python_path(home: &str) -> Option<(&'static str, PathBuf)> {
    let folder = Path::new(home).parent()?;
    let is_package = Path::new(home).join("__init__.py").exists();
    is_package.then(|| ("PYTHONPATH", folder.to_owned()))
}
