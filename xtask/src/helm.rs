//! The Helm chart in `deploy/helm/livius`: Helm's own check, the server's judgement of the
//! configuration that the chart makes, and a real API server that takes all objects.
//!
//! Helm is built from its Go modules, because no registry has a binary. The server may run without
//! nodes: no pod has to start.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::environment;
use crate::report::Report;
use crate::steps::{Binaries, Steps, root, tell, works};

const MODULE: &str = "helm.sh/helm/v4/cmd/helm@v4.3.1";

/// The namespace of the releases. Others are those of drivers in `ci/full-values.yaml`.
const RELEASES: &str = "chart";
const OF_DRIVERS: [&str; 2] = ["spark-a", "spark-b"];

/// The line of a ConfigMap before the server's configuration.
const CONFIGURATION: &str = "  livius.toml: |";
/// The same for the objects of drivers, and the place that the server finds them at.
const TEMPLATE: &str = "  spark-ui.yaml: |";
const MOUNTED: &str = "/etc/livius/spark-ui.yaml";

/// The same for the dashboard, which only one file with values asks for.
const DASHBOARD: &str = "  livius.json: |";
const WITH_DASHBOARD: &str = "full-values.yaml";

/// Values that the chart has to refuse, and words of the reason.
const REFUSED: [(&[&str], &str); 6] = [
    (&[], "does not authenticate its clients"),
    (
        &["acceptNoAuthentication=true", "spark.deployMode=both"],
        "deployMode",
    ),
    (
        &["acceptNoAuthentication=true", "spark.master=yarn"],
        "master",
    ),
    (&["acceptNoAuthentication=true", "replicas=2"], "replicas"),
    (
        &["acceptNoAuthentication=true", "serviceAccount.create=false"],
        "set serviceAccount.name",
    ),
    (
        &[
            "acceptNoAuthentication=true",
            "spark.deployMode=client",
            "drivers.namespaces={elsewhere}",
        ],
        "client mode",
    ),
];

/// The time in which an API server starts, on a machine with two busy cores.
const PATIENCE: Duration = Duration::from_mins(3);
const PAUSE: Duration = Duration::from_millis(200);

/// Checks the chart, as a command of its own.
pub fn run(kubernetes: Option<&Path>) -> anyhow::Result<()> {
    let steps = Steps::begin();
    let mut report = Report::default();
    check(&steps, &mut report, kubernetes, Binaries::Cargo)?;
    tell(report.text(&steps.ended()).trim_end());
    Ok(())
}

/// Checks the chart. `kubernetes` is the binary with the API server; without it no objects are
/// created, and Helm is used only if it was built before.
pub fn check(
    steps: &Steps,
    report: &mut Report,
    kubernetes: Option<&Path>,
    livius: Binaries,
) -> anyhow::Result<()> {
    let directory = environment::directory()?.join("helm");
    let program = directory.join("helm");
    if !program.is_file() {
        if kubernetes.is_none() || !works(Command::new("go").arg("version")) {
            report.skip(
                "SKIPPED: the Helm chart, as Helm is not built: `cargo xtask test --kubernetes` builds it, with Go",
            );
            return Ok(());
        }
        build(steps, &directory)?;
    }
    let helm = Helm {
        program,
        home: fresh(&directory.join("home"))?,
        server: None,
    };
    let values = values()?;
    steps.step("helm: the chart by itself", || {
        without_server(&helm, &values, livius)
    })?;
    let Some(binary) = kubernetes else {
        report.skip(
            "SKIPPED: the Helm chart at a real API server: `cargo xtask test --kubernetes` does it",
        );
        return Ok(());
    };
    steps.step("helm: the chart at a real API server", || {
        with_server(helm, &values, binary, &directory)
    })
}

fn build(steps: &Steps, directory: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    let mut go = Command::new("go");
    go.current_dir(directory)
        .args(["install", "-trimpath", MODULE])
        .env("GOBIN", directory)
        .env("CGO_ENABLED", "0")
        .env("GOFLAGS", "-mod=mod")
        .env("GOWORK", "off");
    steps.run_twice("helm: building it (some minutes, the first time)", &mut go)
}

/// An empty folder.
fn fresh(folder: &Path) -> anyhow::Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder.to_owned())
}

fn chart() -> PathBuf {
    root().join("deploy/helm/livius")
}

/// The files with values that the chart is tried with, in order.
fn values() -> anyhow::Result<Vec<PathBuf>> {
    let folder = chart().join("ci");
    let entries = fs::read_dir(&folder)
        .with_context(|| format!("cannot list {}", folder.display()))?
        .map(|entry| anyhow::Ok(entry?.path()));
    let mut files = entries.collect::<anyhow::Result<Vec<_>>>()?;
    files.sort();
    ensure!(!files.is_empty(), "{} has no files", folder.display());
    Ok(files)
}

/// Helm with a home of its own, so that no setting of the user counts.
struct Helm {
    program: PathBuf,
    home: PathBuf,
    /// The address and the token of an API server.
    server: Option<(String, String)>,
}

impl Helm {
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(words)
            .env("HELM_CACHE_HOME", self.home.join("cache"))
            .env("HELM_CONFIG_HOME", self.home.join("config"))
            .env("HELM_DATA_HOME", self.home.join("data"))
            .env("KUBECONFIG", "/dev/null");
        if let Some((address, token)) = &self.server {
            // The API server signs its own certificate, and both are on this machine.
            command
                .env("HELM_KUBEAPISERVER", address)
                .env("HELM_KUBETOKEN", token)
                .env("HELM_KUBEINSECURE_SKIP_TLS_VERIFY", "true");
        }
        command
    }

    /// The standard output of a command with the chart. The error has what Helm said.
    fn run(&self, words: &[&str], values: Option<&Path>) -> anyhow::Result<String> {
        let mut command = self.command(words);
        if let Some(values) = values {
            command.arg("--values").arg(values);
        }
        let output = command
            .output()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("helm {}: {}", words.join(" "), said.trim());
        }
        String::from_utf8(output.stdout).context("Helm did not print text")
    }
}

fn without_server(helm: &Helm, values: &[PathBuf], livius: Binaries) -> anyhow::Result<()> {
    let chart = chart();
    let chart = chart.to_str().context("the chart's path is no text")?;
    for values in values {
        let named = || format!("with {}", values.display());
        helm.run(&["lint", "--strict", chart], Some(values))
            .with_context(named)?;
        let words = ["template", "livius", chart, "--namespace", RELEASES];
        let all = helm.run(&words, Some(values)).with_context(named)?;
        dashboard(&all, values.ends_with(WITH_DASHBOARD)).with_context(named)?;
        let only = [&words[..], &["--show-only", "templates/config.yaml"]].concat();
        let made = helm.run(&only, Some(values)).with_context(named)?;
        let file = helm.home.join("livius.toml");
        let text = configuration(&made).with_context(named)?;
        let template = helm.home.join("spark-ui.yaml");
        let here = template.to_str().context("a path is no text")?;
        fs::write(&template, block(&made, TEMPLATE)).context("cannot write a file")?;
        fs::write(&file, text.replace(MOUNTED, here)).context("cannot write a file")?;
        judge(&file, livius).with_context(named)?;
    }
    for (pairs, reason) in REFUSED {
        let mut words = vec!["template", "livius", chart];
        for pair in pairs {
            words.extend(["--set", *pair]);
        }
        let refusal = match helm.run(&words, None) {
            Ok(_) => bail!("the chart takes {pairs:?}"),
            Err(error) => error.to_string(),
        };
        ensure!(
            refusal.contains(reason),
            "the chart refuses {pairs:?} without {reason:?}: {refusal}"
        );
    }
    Ok(())
}

/// The server's configuration in the text of a ConfigMap.
fn configuration(made: &str) -> anyhow::Result<String> {
    let text = block(made, CONFIGURATION);
    ensure!(!text.is_empty(), "the chart makes no livius.toml");
    Ok(text)
}

/// Checks that the chart makes the ConfigMap of the dashboard if it is asked to, and that it has the
/// dashboard and its label.
fn dashboard(made: &str, is_asked: bool) -> anyhow::Result<()> {
    let text = block(made, DASHBOARD);
    let is_labelled = made.contains("    grafana_dashboard: \"1\"\n");
    ensure!(
        is_asked != text.is_empty() && is_asked == is_labelled,
        "the chart makes a ConfigMap of the dashboard without being asked, or none, or without its label"
    );
    if is_asked {
        let file = chart().join("dashboards/livius.json");
        let file = fs::read_to_string(file).context("cannot read the dashboard")?;
        let file: serde_json::Value = serde_json::from_str(&file)?;
        let made: serde_json::Value = serde_json::from_str(&text)?;
        ensure!(file == made, "the chart changes the dashboard");
    }
    Ok(())
}

/// The text of a block in a ConfigMap. Empty if there is none.
fn block(made: &str, heading: &str) -> String {
    let lines = made.lines().skip_while(|line| *line != heading);
    let lines = lines
        .skip(1)
        .take_while(|line| line.is_empty() || line.starts_with("    "));
    let text = lines.map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or_default()));
    text.collect()
}

/// Asks the server whether it takes a configuration.
fn judge(file: &Path, livius: Binaries) -> anyhow::Result<()> {
    let mut command = livius.command("livius")?;
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LIVIUS_") {
            command.env_remove(name);
        }
    }
    let output = command
        .args(["config", "show", "--config"])
        .arg(file)
        .output()
        .context("cannot start livius")?;
    if !output.status.success() {
        bail!(
            "the server refuses the chart's livius.toml: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

fn with_server(
    mut helm: Helm,
    values: &[PathBuf],
    binary: &Path,
    directory: &Path,
) -> anyhow::Result<()> {
    let mut server = ApiServer::start(binary, &fresh(&directory.join("api-server"))?)?;
    helm.server = Some((server.address(), ApiServer::TOKEN.to_owned()));
    server.until_ready(&helm)?;
    let namespaces = namespaces(directory)?;
    let namespaces = namespaces.to_str().context("a path is no text")?;
    helm.run(
        &[
            "install",
            "namespaces",
            namespaces,
            "--namespace",
            RELEASES,
            "--create-namespace",
        ],
        None,
    )?;
    let chart = chart();
    let chart = chart.to_str().context("the chart's path is no text")?;
    for values in values {
        let take = || {
            let of = ["livius", chart, "--namespace", RELEASES];
            helm.run(&[&["install"], &of[..]].concat(), Some(values))?;
            let change = ["--set", "shutdownSeconds=45"];
            helm.run(&[&["upgrade"], &of[..], &change[..]].concat(), Some(values))?;
            helm.run(&["uninstall", "livius", "--namespace", RELEASES], None)
        };
        take().with_context(|| format!("with {}", values.display()))?;
    }
    Ok(())
}

/// Writes a chart that makes the namespaces of drivers.
fn namespaces(directory: &Path) -> anyhow::Result<PathBuf> {
    let chart = fresh(&directory.join("namespaces"))?;
    let mut objects = String::new();
    for name in OF_DRIVERS {
        objects.push_str("---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: ");
        objects.push_str(name);
        objects.push('\n');
    }
    fs::create_dir(chart.join("templates")).context("cannot make a folder")?;
    let about = "apiVersion: v2\nname: namespaces\nversion: 0.0.0\n";
    fs::write(chart.join("Chart.yaml"), about).context("cannot write a file")?;
    fs::write(chart.join("templates/all.yaml"), objects).context("cannot write a file")?;
    Ok(chart)
}

/// An API server with its store. Dropping it ends the process.
struct ApiServer {
    process: Child,
    log: PathBuf,
    port: u16,
}

impl ApiServer {
    /// The token of a user who may do everything, on the loopback interface for a minute.
    const TOKEN: &str = "chart";

    fn start(binary: &Path, folder: &Path) -> anyhow::Result<Self> {
        let (port, store) = two_free_ports()?;
        let path = |name: &str| folder.join(name).display().to_string();
        fs::write(
            path("tokens.csv"),
            format!("{},admin,admin,system:masters\n", Self::TOKEN),
        )
        .context("cannot write a file")?;
        let key = path("certificates/apiserver.key");
        let log = folder.join("log.txt");
        let output = File::create(&log).context("cannot make a file")?;
        let process = Command::new(binary)
            .args(["apiserver", &path("etcd"), &store.to_string()])
            .arg(format!("--etcd-servers=http://127.0.0.1:{store}"))
            .arg(format!("--secure-port={port}"))
            .args(["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1"])
            .arg("--endpoint-reconciler-type=none")
            .arg("--service-cluster-ip-range=10.96.0.0/16")
            .arg("--authorization-mode=RBAC")
            .arg("--service-account-issuer=https://kubernetes.default.svc")
            .arg(format!("--cert-dir={}", path("certificates")))
            // The server makes this key for its own certificate, before it reads the options.
            .arg(format!("--service-account-signing-key-file={key}"))
            .arg(format!("--service-account-key-file={key}"))
            .arg(format!("--token-auth-file={}", path("tokens.csv")))
            .stdin(Stdio::null())
            .stdout(output.try_clone().context("cannot share a file")?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        Ok(Self { process, log, port })
    }

    fn address(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// Waits until Helm can list its releases.
    fn until_ready(&mut self, helm: &Helm) -> anyhow::Result<()> {
        let until = Instant::now() + PATIENCE;
        while !works(&mut helm.command(&["list", "--all-namespaces"])) {
            let has_ended = self.process.try_wait()?.is_some();
            if has_ended || Instant::now() > until {
                let log = fs::read_to_string(&self.log).unwrap_or_default();
                let lines: Vec<&str> = log.lines().collect();
                let last = lines[lines.len().saturating_sub(20)..].join("\n");
                bail!("the API server does not start; the end of its log:\n{last}");
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Two ports that were free a moment ago.
fn two_free_ports() -> anyhow::Result<(u16, u16)> {
    let bind = || TcpListener::bind("127.0.0.1:0").context("cannot find a free port");
    // Both are bound at the same time, so that they differ.
    let (one, other) = (bind()?, bind()?);
    Ok((one.local_addr()?.port(), other.local_addr()?.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_map_has_the_servers_configuration() {
        let made = "---\ndata:\n  livius.toml: |\n    # made\n    \"a\" = 1\n\n    [b]\nother: 1\n";
        assert_eq!(
            configuration(made).expect("there is one"),
            "# made\n\"a\" = 1\n\n[b]\n"
        );
        assert!(configuration("data: {}\n").is_err());
    }
}
