//! Installs what the tests need besides the code: two Sparks, Pythons with packages, YARN,
//! R. All but R is in `target/test-env`. The API server of Kubernetes is used if it is built.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::Context as _;
use serde_json::Value;

use crate::faults;
use crate::jars;
use crate::kubernetes;
use crate::python;
use crate::steps::{Binaries, Steps, output, root};

/// The tested Spark with Scala 2.12. The other one is the default of `livius setup`.
const SPARK_35: &str = "3.5.9";

/// The software that is installed for the tests.
pub struct Provisions {
    /// A Python with the packages that sessions and clients use.
    pub python: PathBuf,
    /// A Python with pandas 3.
    pub pandas_3: PathBuf,
    airflow: PathBuf,
    sparkmagic: PathBuf,
    livy_client: PathBuf,
    yarn: PathBuf,
    pub spark_35: String,
    pub spark_4: String,
    pub java: String,
    /// `Rscript`, if R is installed.
    pub r: Option<PathBuf>,
    /// The API server of Kubernetes, if it is built.
    pub kubernetes: Option<PathBuf>,
}

impl Provisions {
    /// The environment variables that tell the tests.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("LIVIUS_TEST_PYTHON", self.python.display().to_string()),
            ("LIVIUS_TEST_AIRFLOW", self.airflow.display().to_string()),
            (
                "LIVIUS_TEST_SPARKMAGIC",
                self.sparkmagic.display().to_string(),
            ),
            (
                "LIVIUS_TEST_LIVY_CLIENT",
                self.livy_client.display().to_string(),
            ),
            ("LIVIUS_TEST_YARN", self.yarn.display().to_string()),
            ("LIVIUS_TEST_SPARK_35", self.spark_35.clone()),
            ("LIVIUS_TEST_SPARK_4", self.spark_4.clone()),
            // The Java of the newer Spark serves both.
            ("JAVA_HOME", self.java.clone()),
        ];
        let optional = [
            ("LIVIUS_TEST_R", &self.r),
            ("LIVIUS_TEST_KUBERNETES", &self.kubernetes),
        ];
        variables.extend(
            optional
                .into_iter()
                .filter_map(|(name, path)| Some((name, path.as_ref()?.display().to_string()))),
        );
        variables
    }
}

/// Installs everything, and prints the variables for a shell.
pub fn print() -> anyhow::Result<()> {
    let provisions = provide(&Steps::begin(), Binaries::Cargo)?;
    let mut out = std::io::stdout().lock();
    for (name, value) in provisions.variables() {
        writeln!(out, "export {name}='{value}'").context("cannot print")?;
    }
    Ok(())
}

/// Installs what comes from package registries and needs no binary of ours. It mostly waits for the
/// network, so the suite compiles at the same time.
pub fn packages(steps: &Steps) -> anyhow::Result<()> {
    let directory = directory()?;
    pythons(steps, &directory)?;
    faults::install(steps, &directory)?;
    r_language(steps)?;
    Ok(())
}

/// Installs everything that is not installed yet.
pub fn provide(steps: &Steps, binaries: Binaries) -> anyhow::Result<Provisions> {
    let directory = directory()?;
    let [sessions, pandas_3, airflow, sparkmagic] = pythons(steps, &directory)?;
    let [spark_35, spark_4, java] = sparks(steps, binaries, &directory.join("livius"))?;
    let jars = |packages| jars::provide(steps, packages, &spark_4, &java, &directory);
    let (livy_client, yarn) = (jars(&jars::LIVY_CLIENT)?, jars(&jars::YARN)?);
    let r = r_language(steps)?;
    let kubernetes = kubernetes::built(steps, &directory)?;
    Ok(Provisions {
        python: sessions,
        pandas_3,
        airflow,
        sparkmagic,
        livy_client,
        yarn,
        spark_35,
        spark_4,
        java,
        r,
        kubernetes,
    })
}

/// The folder for everything that the tests need.
pub fn directory() -> anyhow::Result<PathBuf> {
    let directory = root().join("target/test-env");
    fs::create_dir_all(&directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    Ok(directory)
}

/// The Pythons of sessions, of pandas 3, of Airflow and of sparkmagic.
fn pythons(steps: &Steps, directory: &Path) -> anyhow::Result<[PathBuf; 4]> {
    let python = |packages, name: &str| python::environment(steps, packages, &directory.join(name));
    Ok([
        python(&python::SESSIONS, "python")?,
        python(&python::PANDAS_3, "pandas-3")?,
        python(&python::AIRFLOW, "airflow")?,
        python(&python::SPARKMAGIC, "sparkmagic")?,
    ])
}

/// The homes of both Sparks, and of the Java that runs them. The command that users have installs
/// them.
fn sparks(steps: &Steps, binaries: Binaries, data: &Path) -> anyhow::Result<[String; 3]> {
    let mut command = binaries.command("livius")?;
    command.args(["setup", "--json", "--data-dir"]).arg(data);
    command.args(["--spark-version", SPARK_35, "--spark-version", "default"]);
    let ready = steps.step(
        "spark: livius setup, for Spark 3.5 and the current Spark 4",
        || output(&mut command),
    )?;
    let ready: Value = serde_json::from_str(&ready).context("livius setup did not print JSON")?;
    let home = |index: usize, of: &str| {
        let home = ready[index][of]["home"].as_str();
        home.map(str::to_owned)
            .with_context(|| format!("livius setup named no home: {ready}"))
    };
    Ok([home(0, "spark")?, home(1, "spark")?, home(1, "java")?])
}

/// R from the `PATH`. On Debian and Ubuntu, root installs it.
fn r_language(steps: &Steps) -> anyhow::Result<Option<PathBuf>> {
    if let Some(found) = on_path("Rscript") {
        return Ok(Some(found));
    }
    if on_path("apt-get").is_none() || !is_root()? {
        steps.say("r: SKIPPED, as R is not installed: the tests of R only test that it is missing");
        return Ok(None);
    }
    let apt = |words: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["--quiet", "--quiet"])
            .args(words)
            // The standard output of `provide` is for the shell.
            .stdout(std::io::stderr());
        command
    };
    let installed = steps
        .run("r: apt-get update", &mut apt(&["update"]))
        .and_then(|()| {
            let install = ["install", "--yes", "--no-install-recommends", "r-base-core"];
            steps.run(
                "r: apt-get install r-base-core (a minute or two)",
                &mut apt(&install),
            )
        });
    if let Err(error) = installed {
        steps.say(&format!(
            "r: SKIPPED, as R cannot be installed here ({error:#})"
        ));
    }
    Ok(on_path("Rscript"))
}

fn is_root() -> anyhow::Result<bool> {
    Ok(output(Command::new("id").arg("-u"))?.trim() == "0")
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|directory| directory.join(program))
        .find(|found| found.is_file())
}
