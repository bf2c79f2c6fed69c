//! A daemon as a process, and the processes that belong to a folder.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::process::{Pid, Signal, kill_process_group};

use super::site;

/// Flags for a short life on a small machine.
const JVM: [&str; 4] = [
    "-Xmx256m",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Djava.net.preferIPv4Stack=true",
];

/// Packages of Java that Hadoop reads by reflection.
const OPENED: [&str; 4] = ["java.lang", "java.util", "java.net", "java.nio"];

/// The end of a log that a failure shows, in bytes.
const SHOWN: usize = 4000;

/// A process with its log. Dropping it kills its process group: a NodeManager that has lost its
/// ResourceManager ignores SIGTERM for minutes.
pub struct Daemon {
    child: Child,
    log: Utf8PathBuf,
}

impl Daemon {
    /// Starts a main class of YARN.
    pub fn start(class: &str, jars: &Utf8Path, root: &Utf8Path) -> Self {
        let name = class.rsplit('.').next().unwrap();
        let path = root.join(format!("{name}.log"));
        let log = File::options()
            .create(true)
            .append(true)
            .open(&path)
            .unwrap();
        let conf = site::conf_dir(root);
        let mut command = Command::new(java());
        command
            .args(JVM)
            .args(
                OPENED
                    .iter()
                    .map(|package| format!("--add-opens=java.base/{package}=ALL-UNNAMED")),
            )
            .arg(format!("-Djava.io.tmpdir={root}/tmp"))
            .args(["-cp", &format!("{conf}:{jars}/*"), class])
            .env("HADOOP_CONF_DIR", &conf)
            .env_remove("YARN_CONF_DIR")
            .env_remove("HADOOP_USER_NAME")
            .current_dir(root)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0);
        Self {
            child: command.spawn().unwrap(),
            log: path,
        }
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// The end of its log.
    pub fn said(&self) -> String {
        let log = fs::read(&self.log).unwrap();
        let end = &log[log.len().saturating_sub(SHOWN)..];
        format!("{}: {}", self.log, String::from_utf8_lossy(end))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // The call fails only if the group is empty.
        let _ = kill_process_group(self.pid(), Signal::KILL);
        let _ = self.child.wait();
    }
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

/// A process that belongs to a folder.
#[derive(Debug)]
pub struct OfFolder {
    pub pid: Pid,
    /// Its command line.
    pub command: String,
}

/// The processes that run in a folder, or name it in their command or environment.
pub fn processes_of(folder: &Path) -> Vec<OfFolder> {
    let named = folder.to_str().unwrap();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let number = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let Some(pid) = number.and_then(Pid::from_raw) else {
            continue;
        };
        // A process that ended in between has no such files, and a zombie has empty ones.
        let text = |file: &str| {
            let bytes = fs::read(entry.path().join(file)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).replace('\0', " ")
        };
        let command = text("cmdline");
        let lives_there = fs::read_link(entry.path().join("cwd"))
            .is_ok_and(|directory| directory.starts_with(folder));
        if lives_there || command.contains(named) || text("environ").contains(named) {
            found.push(OfFolder { pid, command });
        }
    }
    found
}
