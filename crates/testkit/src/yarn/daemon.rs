//! YARN's daemons, and requests to their REST interfaces.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use camino::Utf8Path;

use super::site;
use crate::daemon::Daemon;

/// Flags for a short life on a small machine.
const JVM: [&str; 4] = [
    "-Xmx256m",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Djava.net.preferIPv4Stack=true",
];

/// Packages of Java that Hadoop reads by reflection.
const OPENED: [&str; 4] = ["java.lang", "java.util", "java.net", "java.nio"];

/// Starts a main class of YARN, with a log of this name.
pub fn start(class: &str, jars: &Utf8Path, root: &Utf8Path, conf: &Utf8Path, name: &str) -> Daemon {
    let mut command = java_with(jars, root, conf);
    command.arg(class);
    Daemon::start(command, root.join(format!("{name}.log")))
}

/// Runs a command of YARN's administrator to its end, and tells whether it succeeded.
pub fn administer(words: &[&str], jars: &Utf8Path, root: &Utf8Path) -> Result<(), String> {
    const CLASS: &str = "org.apache.hadoop.yarn.client.cli.RMAdminCLI";
    let mut command = java_with(jars, root, &site::conf_dir(root));
    let output = command.arg(CLASS).args(words).output().unwrap();
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    Err(String::from_utf8_lossy(&text).into_owned())
}

/// A Java with YARN's jars and a directory with its configuration.
fn java_with(jars: &Utf8Path, root: &Utf8Path, conf: &Utf8Path) -> Command {
    let mut command = Command::new(java());
    command
        .args(JVM)
        .args(
            OPENED
                .iter()
                .map(|package| format!("--add-opens=java.base/{package}=ALL-UNNAMED")),
        )
        .arg(format!("-Djava.io.tmpdir={root}/tmp"))
        .args(["-cp", &format!("{conf}:{jars}/*")])
        .env("HADOOP_CONF_DIR", conf)
        .env_remove("YARN_CONF_DIR")
        .env_remove("HADOOP_USER_NAME")
        .current_dir(root);
    command
}

fn java() -> PathBuf {
    match std::env::var_os("JAVA_HOME") {
        Some(home) => Path::new(&home).join("bin/java"),
        None => "java".into(),
    }
}

/// The body of a successful response. `None` if there is none yet.
pub fn get(url: &str) -> Option<String> {
    ask(url, "GET", "")
        .filter(|(status, _)| *status == 200)
        .map(|(_, body)| body)
}

/// The status and the body of a response. `None` if there is none.
pub fn ask(url: &str, method: &str, body: &str) -> Option<(u16, String)> {
    let (host, path) = url.strip_prefix("http://")?.split_once('/')?;
    let mut stream = TcpStream::connect(host).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .ok()?;
    let length = body.len();
    let request = format!(
        "{method} /{path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut response = String::new();
    stream.read_to_string(&mut response).ok()?;
    let (head, body) = response.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}
