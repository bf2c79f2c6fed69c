//! Sends a server what its OpenAPI document allows, and what it forbids: no answer may tell of a fault
//! of the server. schemathesis makes the requests.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

use crate::python;
use crate::steps::{Binaries, Steps, root, tell};

/// How long it sends requests, in seconds.
const SECONDS: &str = "25";

/// The routes that it leaves out: streams have no end, and an agent's socket is no request.
const LEFT_OUT: [&str; 4] = [
    "--exclude-path-regex",
    "events$",
    "--exclude-path",
    "/api/v1/agent",
];

/// Runs it against a server of its own, which has no Spark: its sessions end at once.
pub fn check(steps: &Steps, directory: &Path, binaries: Binaries) -> anyhow::Result<()> {
    let python = install(steps, directory)?;
    steps.step("openapi: schemathesis, against a server", || {
        let data = directory.join("schemathesis-data");
        let _ = std::fs::remove_dir_all(&data);
        let mut command = binaries.command("livius")?;
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--spark-home"])
            .arg(directory.join("no-spark"))
            .arg("--data-dir")
            .arg(&data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut server = Server(command.spawn().context("cannot start a server")?);
        let address = server.address()?;
        let mut run = Command::new(python.with_file_name("schemathesis"));
        run.args(["run", &format!("{address}/api/v1/openapi.json")])
            .args(["--url", &address, "--checks", "no_fault", "--no-color"])
            .args(["--phases", "coverage,fuzzing", "--generation-deterministic"])
            .args(["--max-time", SECONDS, "--continue-on-failure"])
            .args(LEFT_OUT)
            .env("SCHEMATHESIS_HOOKS", root().join("xtask/schemathesis.py"))
            .current_dir(directory);
        let output = run.output().context("cannot start schemathesis")?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            bail!("schemathesis found faults of the server:\n{text}");
        }
        let cases = text.lines().find(|line| line.contains("generated,"));
        tell(&format!(
            "schemathesis: {}",
            cases.context("schemathesis sent nothing")?.trim()
        ));
        Ok(())
    })
}

/// Installs it, and returns the Python that has it.
pub fn install(steps: &Steps, directory: &Path) -> anyhow::Result<PathBuf> {
    let directory = directory.join("schemathesis");
    python::environment(steps, &python::SCHEMATHESIS, &directory)
}

/// A server, until this is dropped.
struct Server(Child);

impl Server {
    /// Waits until it listens.
    fn address(&mut self) -> anyhow::Result<String> {
        let stdout = self.0.stdout.take().context("no output")?;
        for line in BufReader::new(stdout).lines() {
            if let Some((_, address)) = line?.split_once("listening on ") {
                return Ok(address.to_owned());
            }
        }
        bail!("the server ended before it listened")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
