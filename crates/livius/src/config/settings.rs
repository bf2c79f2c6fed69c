//! The configuration as the rest of the program wants it: typed.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use camino::Utf8PathBuf;
use livius_domain::Limits;
use livius_http::SecurityHeaders;
use livius_sessions::{Impersonation, LocalFiles, ShutdownPolicy};
use tracing_subscriber::EnvFilter;

use super::environment::Surroundings;
use super::keys;
use super::layers::{Origin, Resolved};
use super::value::Value;

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object per line.
    Json,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// How.
    pub format: LogFormat,
    /// What, as directives.
    pub level: String,
}

/// Every setting, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where drivers reach the server, when it is not `listen`.
    pub agent_url: Option<String>,
    /// Names that browsers reach the server by.
    pub host_names: Vec<String>,
    /// Whether requests that change something must have Livy's header against forged ones.
    pub csrf_protection: bool,
    /// What every answer tells a browser not to do.
    pub security_headers: SecurityHeaders,
    /// Whether fields of requests that Livy does not know are ignored.
    pub ignore_unknown_fields: bool,
    /// Everything that the server keeps.
    pub data_dir: Utf8PathBuf,
    /// The deadline of a shutdown.
    pub shutdown_timeout: Duration,
    /// The Spark installation of new sessions, where the configuration itself names it.
    pub spark_home: Option<Utf8PathBuf>,
    /// The Java that runs drivers, where the configuration itself names it.
    pub java_home: Option<Utf8PathBuf>,
    /// Spark configuration that requests may override.
    pub spark_defaults: BTreeMap<String, String>,
    /// Spark configuration that they may not.
    pub spark_overrides: BTreeMap<String, String>,
    /// Spark configuration that they may not name.
    pub blocked_conf: Vec<String>,
    /// Further Spark configuration that holds lists of files.
    pub file_list_conf: Vec<String>,
    /// The bounds of everything.
    pub limits: Limits,
    /// Rows of an SQL result.
    pub sql_max_rows: u64,
    /// What a shutdown does with sessions.
    pub on_shutdown: ShutdownPolicy,
    /// What a shutdown does with batches.
    pub batches_on_shutdown: ShutdownPolicy,
    /// Who may run as whom.
    pub impersonation: Impersonation,
    /// Which local files requests may name.
    pub local_files: LocalFiles,
    /// The log.
    pub logs: LogSettings,
    /// What the operator should know of the configuration.
    pub notes: Vec<String>,
}

/// Why a value cannot stand, though it is right by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its key.
    pub key: &'static str,
    /// Why not, and what to do.
    pub sentence: String,
}

/// What no single value shows: combinations that are refused, and texts with a grammar of their own.
pub fn check(resolved: &Resolved) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut refuse = |key: &'static str, sentence: String| {
        problems.push(Problem { key, sentence });
    };
    if resolved.path("server.data_dir").is_none() {
        refuse(
            "server.data_dir",
            "there is no home directory to put it in: set it (--data-dir DIR)".to_owned(),
        );
    }
    let listen = resolved.address("server.listen");
    if !listen.ip().is_loopback() && !resolved.switch("server.allow_public_without_authentication")
    {
        refuse("server.listen", public_refusal(listen));
    }
    if let Some(master) = resolved.text("spark.master")
        && !resolved.is_default("spark.master")
        && !master.starts_with("spark://")
        && resolved.text("spark.deploy_mode").as_deref() == Some("cluster")
    {
        refuse("spark.deploy_mode", cluster_refusal(&master));
    }
    if let Some(url) = resolved.text("server.agent_url")
        && !url.starts_with("ws://")
        && !url.starts_with("wss://")
    {
        refuse(
            "server.agent_url",
            format!("{url:?} does not begin with ws:// or wss://"),
        );
    }
    for name in resolved.list("server.host_names").unwrap_or_default() {
        if !is_host_name(&name) {
            refuse(
                "server.host_names",
                format!(
                    "{name:?} is not a host's name, such as gw.example, without scheme and port"
                ),
            );
        }
    }
    for (key, _) in HEADERS {
        if let Some(text) = resolved.header(key)
            && !SecurityHeaders::accepts(&text)
        {
            refuse(key, HEADER_REFUSAL.to_owned());
        }
    }
    if let Some(level) = resolved.text("logs.level")
        && let Err(error) = EnvFilter::builder().parse(&level)
    {
        refuse(
            "logs.level",
            format!("{level:?} is not a level or a list of directives: {error}"),
        );
    }
    problems
}

/// The keys of headers.
const HEADERS: [(&str, &str); 4] = [
    (
        "server.header_x_content_type_options",
        "x-content-type-options",
    ),
    ("server.header_x_frame_options", "x-frame-options"),
    ("server.header_x_xss_protection", "x-xss-protection"),
    (
        "server.header_content_security_policy",
        "content-security-policy",
    ),
];

/// The text that leaves a header out.
pub const NO_HEADER: &str = "off";

/// Why a text is none of a header.
pub const HEADER_REFUSAL: &str = "the text of a header has one line of printable ASCII characters, 4096 of them at most; write off to leave the header out";

fn security_headers(resolved: &Resolved) -> SecurityHeaders {
    let texts = HEADERS.map(|(key, name)| (name, resolved.header(key)));
    let sent = texts
        .iter()
        .filter_map(|(name, text)| Some((*name, text.as_deref()?)));
    SecurityHeaders::new(sent).expect("the check refuses other texts")
}

fn is_host_name(text: &str) -> bool {
    let within = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !text.is_empty() && text.bytes().all(within)
}

fn cluster_refusal(master: &str) -> String {
    format!(
        "cluster mode needs a standalone master (spark://…), and spark.master is {master:?}: every session and batch would be refused. \
         Set client, or leave it out"
    )
}

fn public_refusal(listen: SocketAddr) -> String {
    format!(
        "{listen} can be reached by other machines, and this server authenticates nobody: whoever reaches it runs code as its user. \
         Listen on 127.0.0.1, or say --allow-public-without-authentication if something else keeps strangers out"
    )
}

impl Settings {
    /// Takes them from the resolved configuration.
    pub fn from_resolved(resolved: &Resolved) -> Self {
        let listen = resolved.address("server.listen");
        let (spark_defaults, spark_overrides) = spark_conf(resolved);
        let impersonates = resolved.switch("impersonation.enabled");
        Self {
            listen,
            agent_url: resolved.text("server.agent_url"),
            host_names: resolved.list("server.host_names").unwrap_or_default(),
            csrf_protection: resolved.switch("server.csrf_protection"),
            security_headers: security_headers(resolved),
            ignore_unknown_fields: resolved.switch("server.ignore_unknown_fields"),
            data_dir: resolved
                .path("server.data_dir")
                .expect("the check refuses a configuration without it"),
            shutdown_timeout: resolved.duration("server.shutdown_timeout"),
            spark_home: resolved.configured_path("spark.home"),
            java_home: resolved.configured_path("java.home"),
            spark_defaults,
            spark_overrides,
            blocked_conf: resolved.list("spark.blocked_conf").unwrap_or_default(),
            file_list_conf: resolved.list("spark.file_list_conf").unwrap_or_default(),
            limits: limits(resolved),
            sql_max_rows: resolved.number("sessions.sql_max_rows"),
            on_shutdown: on_shutdown(resolved, "sessions.on_shutdown"),
            batches_on_shutdown: on_shutdown(resolved, "batches.on_shutdown"),
            impersonation: Impersonation {
                enabled: impersonates,
                superusers: resolved
                    .list("impersonation.superusers")
                    .unwrap_or_default(),
            },
            local_files: match resolved.list("files.local_directories") {
                Some(directories) => {
                    LocalFiles::Under(directories.into_iter().map(Utf8PathBuf::from).collect())
                }
                None if listen.ip().is_loopback() && !impersonates => LocalFiles::Any,
                None => LocalFiles::Under(Vec::new()),
            },
            logs: LogSettings {
                format: match resolved.text("logs.format").as_deref() {
                    Some("json") => LogFormat::Json,
                    _ => LogFormat::Text,
                },
                level: resolved.text("logs.level").unwrap_or_default(),
            },
            notes: resolved.notes().to_vec(),
        }
    }

    /// Where agents connect to, once the server listens.
    pub fn agent_urls(&self, bound: SocketAddr) -> Vec<String> {
        let base = self
            .agent_url
            .clone()
            .unwrap_or_else(|| format!("ws://{}", reachable(bound)));
        let base = base.trim_end_matches('/');
        let path = livius_http::AGENT_PATH;
        vec![if base.ends_with(path) {
            base.to_owned()
        } else {
            format!("{base}{path}")
        }]
    }

    /// A directory in the data directory.
    pub fn data(&self, name: &str) -> Utf8PathBuf {
        self.data_dir.join(name)
    }

    /// Where to look for Spark and Java.
    pub fn search(&self, surroundings: &Surroundings) -> livius_spark_home::Search {
        livius_spark_home::Search {
            environment: surroundings.for_drivers(),
            runtimes: self.data("runtimes"),
            spark_home: self.spark_home.clone(),
            java_home: self.java_home.clone(),
        }
    }
}

/// The address that this machine itself reaches a bound address by.
pub fn reachable(bound: SocketAddr) -> SocketAddr {
    let ip = match bound.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, bound.port())
}

/// A master that somebody configured is the operator's word, as with Livy; the default is only a proposal.
fn spark_conf(resolved: &Resolved) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let mut defaults = resolved.table("spark.conf");
    let mut overrides = BTreeMap::new();
    for (path, name) in [
        ("spark.master", "spark.master"),
        ("spark.deploy_mode", "spark.submit.deployMode"),
    ] {
        let Some(text) = resolved.text(path) else {
            continue;
        };
        if resolved.get(path).origin == Origin::Default {
            defaults.entry(name.to_owned()).or_insert(text);
        } else {
            overrides.insert(name.to_owned(), text);
        }
    }
    (defaults, overrides)
}

fn limits(resolved: &Resolved) -> Limits {
    let never = Duration::ZERO;
    Limits {
        live_sessions: resolved.count("sessions.max_live"),
        concurrent_starts: resolved.count("sessions.max_starting"),
        waiting_statements: resolved.count("sessions.max_waiting_statements"),
        retained_statements: resolved.count("sessions.retained_statements"),
        unfinished_jobs: resolved.count("sessions.max_unfinished_jobs"),
        retained_jobs: resolved.count("sessions.retained_jobs"),
        upload_bytes: resolved.number("server.upload_limit"),
        pending_resources: resolved.count("sessions.max_pending_files"),
        ended_sessions: resolved.count("sessions.max_ended"),
        ended_retention: resolved.duration("sessions.retention"),
        code_bytes: resolved.count("server.code_limit"),
        body_bytes: resolved.count("server.body_limit"),
        start_timeout: resolved.duration("sessions.start_timeout"),
        stop_grace: resolved.duration("sessions.stop_grace"),
        link_grace: resolved.duration("sessions.link_grace"),
        idle_timeout: resolved
            .duration_or_never("sessions.idle_timeout")
            .unwrap_or(never),
        session_ttl: resolved.duration_or_never("sessions.ttl"),
        concurrent_batch_starts: resolved.count("batches.max_starting"),
        running_batches: resolved.count("batches.max_running"),
        waiting_batches: resolved.count("batches.max_waiting"),
        ended_batches: resolved.count("batches.max_ended"),
        ended_batch_retention: resolved.duration("batches.retention"),
        batch_grace: resolved.duration("batches.stop_grace"),
    }
}

fn on_shutdown(resolved: &Resolved, path: &str) -> ShutdownPolicy {
    match resolved.text(path).as_deref() {
        Some("keep") => ShutdownPolicy::Keep,
        _ => ShutdownPolicy::Stop,
    }
}

/// Typed reading. The registry gives each key its shape, and a test reads all of them: asking for another is a bug.
impl Resolved {
    fn text(&self, path: &str) -> Option<String> {
        match &self.get(path).value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// The text of a header that is sent.
    fn header(&self, path: &str) -> Option<String> {
        self.text(path).filter(|text| text != NO_HEADER)
    }

    fn path(&self, path: &str) -> Option<Utf8PathBuf> {
        match &self.get(path).value {
            Value::Path(found) => Some(found.clone()),
            _ => None,
        }
    }

    /// `SPARK_HOME` and `JAVA_HOME` are not the configuration's word: whoever looks for Spark reads them itself, and says so.
    fn configured_path(&self, path: &str) -> Option<Utf8PathBuf> {
        let fallback = keys::find(path).and_then(|key| key.fallback);
        let inherited = matches!(&self.get(path).origin, Origin::Variable(name) if Some(name.as_str()) == fallback);
        if inherited { None } else { self.path(path) }
    }

    fn list(&self, path: &str) -> Option<Vec<String>> {
        match &self.get(path).value {
            Value::List(texts) => Some(texts.clone()),
            _ => None,
        }
    }

    fn switch(&self, path: &str) -> bool {
        self.get(path).value == Value::Switch(true)
    }

    fn address(&self, path: &str) -> SocketAddr {
        match self.get(path).value {
            Value::Address(address) => address,
            ref other => unreachable!("{path} is {other:?}, not an address"),
        }
    }

    fn number(&self, path: &str) -> u64 {
        match self.get(path).value {
            Value::Number(number) | Value::Size(number) => number,
            ref other => unreachable!("{path} is {other:?}, not a number"),
        }
    }

    fn count(&self, path: &str) -> usize {
        usize::try_from(self.number(path)).unwrap_or(usize::MAX)
    }

    fn duration_or_never(&self, path: &str) -> Option<Duration> {
        match self.get(path).value {
            Value::Duration(duration) => duration,
            ref other => unreachable!("{path} is {other:?}, not a duration"),
        }
    }

    fn duration(&self, path: &str) -> Duration {
        self.duration_or_never(path)
            .expect("its shape has no `never`")
    }
}
