//! `[server]`: the address, the limits of requests, and the data directory.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use camino::Utf8PathBuf;
use livius_domain::Limits;
use livius_http::SecurityHeaders;

use super::DEFAULTS;
use crate::config::check::Problems;
use crate::config::resolved::Resolved;
use crate::config::setting::{
    Key, Setting, Text, address, count, data_dir, duration, duration_or_forever, list,
    optional_dir, optional_text, size, switch, text,
};

settings! {
    LISTEN: SocketAddr = address(
        "server.listen",
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8998),
        "The address that the server listens on, for clients and for the agents in its drivers. Port 0 takes a free port.",
    );
    AGENT_URL: Option<String> = optional_text(
        "server.agent_url",
        "The address at which drivers reach this server, as `ws://host:port`. Set it if that is not the address that the server listens on: behind a proxy, or for drivers on other machines.",
    );
    DATA_DIR: Option<Utf8PathBuf> = data_dir(
        "server.data_dir",
        "The directory of the server's data: its store, the drivers' logs, the Spark installations that it manages. If it is unset, `$XDG_DATA_HOME/livius` or `~/.local/share/livius`.",
    );
    RUNTIMES_DIR: Option<Utf8PathBuf> = optional_dir(
        "server.runtimes_dir",
        "The directory of the Sparks and Javas that `livius setup` installs, the compiled agents, and the archives of Spark's classes. If it is unset, `runtimes` in the data directory. An image for containers has it apart from the data, which is on a volume.",
    );
    ALLOW_PUBLIC_WITHOUT_AUTHENTICATION: bool = switch(
        "server.allow_public_without_authentication",
        false,
        "Lets the server listen on an address that other machines reach, although it does not authenticate users. Everyone who reaches it can run code as the server's user.",
    );
    BODY_LIMIT: u64 = size(
        "server.body_limit",
        DEFAULTS.body_bytes as u64,
        "The maximum length of a request body. Bodies that the server is receiving take at most four times this much memory together. Further requests wait for a while, and then the server refuses them.",
    );
    CODE_LIMIT: u64 = size(
        "server.code_limit",
        DEFAULTS.code_bytes as u64,
        "The maximum length of a statement's code.",
    );
    UPLOAD_LIMIT: u64 = size(
        "server.upload_limit",
        DEFAULTS.upload_bytes,
        "The maximum length of a file that a client uploads to a session. The server keeps the file on disk until the session's driver has it.",
    );
    DISK_RESERVE: u64 = size(
        "server.disk_reserve",
        256 << 20,
        "How much space of the data directory's disk stays free. Below that the server refuses new sessions, batches and uploads with status 507, and starts no driver that waits. 0 turns it off.",
    );
    MAX_CONNECTIONS: u64 = count(
        "server.max_connections",
        1,
        4096,
        "How many connections the server has at once. It answers further requests with status 503, except those of its drivers, for which there are 1024 more places. A connection on which nothing happens ends after two minutes, one whose client does not read after one minute.",
    );
    MAX_WAITS_PER_CLIENT: u64 = count(
        "server.max_waits_per_client",
        1,
        1000,
        "How many requests of one client may wait for a change at once (`?wait=`). The server answers further ones without a wait. A client is an authenticated user, or else an IP address, or a network of IPv6 addresses (/64). Clients behind a proxy that does not authenticate them share these waits.",
    );
    IDEMPOTENCY_RETENTION: Duration = duration(
        "server.idempotency_retention",
        DEFAULTS.key_retention,
        "How long the server remembers the key of a request (the header `Idempotency-Key`) and what the request made. A client that repeats the request later than that has it done again.",
    );
    MAX_IDEMPOTENCY_KEYS: u64 = count(
        "server.max_idempotency_keys",
        1,
        DEFAULTS.keys as u64,
        "How many keys of requests the server remembers. It forgets the oldest first, within a minute.",
    );
    HOST_NAMES: Vec<String> = list(
        "server.host_names",
        "The host names, without ports, by which clients reach this server, besides `localhost`, IP addresses, and the host name of this machine with its other names in `/etc/hosts`. The server refuses a request whose header `Host` has any other name, because a stranger can let a name of theirs point here, and then a browser on this machine would show this server to their page. Only pages under one of these names may send requests that change something. A proxy must pass `Host` on, or set it to a name of this server.",
    );
    LOCAL_USERS: Vec<String> = list(
        "server.local_users",
        "The users of this machine, by number or by name in `/etc/passwd`, whose programs may send requests to the server, besides the server's own user and root; `*` is everyone. Name the user of a proxy here that runs on this machine. Requests that come from other machines are not looked at.",
    );
    CSRF_PROTECTION: bool = switch(
        "server.csrf_protection",
        false,
        "Whether a request that changes something (every method except GET, HEAD and OPTIONS) needs the header `X-Requested-By`, with any value, as with Livy's protection against forged requests. Many clients do not send it by default. The server refuses changes from pages of other sites in any case.",
    );
    HEADER_X_XSS_PROTECTION: Text = text(
        "server.header_x_xss_protection",
        "1; mode=block",
        "The header `X-XSS-Protection` of every response; `off` leaves it out.",
    );
    HEADER_X_FRAME_OPTIONS: Text = text(
        "server.header_x_frame_options",
        "SAMEORIGIN",
        "The header `X-Frame-Options` of every response; `off` leaves it out.",
    );
    HEADER_X_CONTENT_TYPE_OPTIONS: Text = text(
        "server.header_x_content_type_options",
        "nosniff",
        "The header `X-Content-Type-Options` of every response; `off` leaves it out.",
    );
    HEADER_CONTENT_SECURITY_POLICY: Text = text(
        "server.header_content_security_policy",
        "default-src 'self'; script-src 'self' 'unsafe-inline'; img-src 'self'; frame-src 'self';",
        "The header `Content-Security-Policy` of every response; `off` leaves it out. The pages under `/ui` need scripts, styles and requests from `'self'`, and nothing inline.",
    );
    IGNORE_UNKNOWN_FIELDS: bool = switch(
        "server.ignore_unknown_fields",
        false,
        "Whether the server ignores fields of a request that Livy does not know. Otherwise it refuses the request, as Livy does.",
    );
    SHUTDOWN_TIMEOUT: Duration = duration_or_forever(
        "server.shutdown_timeout",
        Duration::from_mins(1),
        "How long a shutdown may take, including the end of the drivers. After that the server exits without waiting for the rest.",
    );
}

/// The names of the headers that settings choose, with the settings.
static HEADERS: [(&str, &Setting<Text>); 4] = [
    ("x-content-type-options", &HEADER_X_CONTENT_TYPE_OPTIONS),
    ("x-frame-options", &HEADER_X_FRAME_OPTIONS),
    ("x-xss-protection", &HEADER_X_XSS_PROTECTION),
    ("content-security-policy", &HEADER_CONTENT_SECURITY_POLICY),
];

/// The text that leaves a header out.
pub const NO_HEADER: &str = "off";

/// The refusal of a text that no header can have.
pub const HEADER_REFUSAL: &str = "the text of a header has one line of printable ASCII characters, 4096 of them at most; write off to leave the header out";

/// The users of this machine whose requests the server takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocalUsers {
    /// Everyone.
    Any,
    /// The server's own user, root, and these.
    OwnAnd(BTreeSet<u32>),
}

/// The settings of the section that are not limits.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// The address that the server listens on.
    pub listen: SocketAddr,
    /// The address at which drivers reach the server, if it is not `listen`.
    pub agent_url: Option<String>,
    /// The directory of the server's data.
    pub data_dir: Utf8PathBuf,
    /// The directory of Sparks, Javas, agents and archives, if it is not in `data_dir`.
    pub runtimes_dir: Option<Utf8PathBuf>,
    /// How many bytes of the data directory's disk stay free.
    pub disk_reserve: u64,
    /// How many connections the server has at once.
    pub max_connections: usize,
    /// How many requests of one client may wait at once.
    pub max_waits_per_client: usize,
    /// Names that browsers reach the server by.
    pub host_names: Vec<String>,
    /// The users of this machine whose requests the server takes.
    pub local_users: LocalUsers,
    /// Whether requests that change something must carry Livy's CSRF header.
    pub csrf_protection: bool,
    /// Security headers of every response.
    pub security_headers: SecurityHeaders,
    /// Ignores fields of requests that Livy does not know.
    pub ignore_unknown_fields: bool,
    /// The deadline of a shutdown.
    pub shutdown_timeout: Duration,
}

impl ServerSettings {
    /// Reads the section; `None` when it is refused.
    pub fn read(resolved: &Resolved, limits: &mut Limits, problems: &mut Problems) -> Option<Self> {
        limits.body_bytes = resolved.count(&BODY_LIMIT);
        limits.code_bytes = resolved.count(&CODE_LIMIT);
        limits.upload_bytes = resolved.value(&UPLOAD_LIMIT);
        limits.key_retention = resolved.value(&IDEMPOTENCY_RETENTION);
        limits.keys = resolved.count(&MAX_IDEMPOTENCY_KEYS);
        let data_dir = resolved.value(&DATA_DIR);
        if data_dir.is_none() {
            problems.refuse(
                &DATA_DIR,
                "there is no home directory to put it in: set it (--data-dir DIR)",
            );
        }
        let listen = listen(resolved, problems);
        let agent_url = agent_url(resolved, problems);
        let host_names = host_names(resolved, problems);
        let local_users = local_users(resolved, problems);
        let security_headers = security_headers(resolved, problems);
        Some(Self {
            listen,
            agent_url,
            data_dir: data_dir?,
            runtimes_dir: resolved.value(&RUNTIMES_DIR),
            disk_reserve: resolved.value(&DISK_RESERVE),
            max_connections: resolved.count(&MAX_CONNECTIONS),
            max_waits_per_client: resolved.count(&MAX_WAITS_PER_CLIENT),
            host_names,
            local_users,
            csrf_protection: resolved.value(&CSRF_PROTECTION),
            security_headers: security_headers?,
            ignore_unknown_fields: resolved.value(&IGNORE_UNKNOWN_FIELDS),
            shutdown_timeout: resolved.value(&SHUTDOWN_TIMEOUT),
        })
    }
}

fn listen(resolved: &Resolved, problems: &mut Problems) -> SocketAddr {
    let listen = resolved.value(&LISTEN);
    if !listen.ip().is_loopback() && !resolved.value(&ALLOW_PUBLIC_WITHOUT_AUTHENTICATION) {
        problems.refuse(
            &LISTEN,
            format!(
                "{listen} can be reached by other machines, and this server authenticates nobody: whoever reaches it runs code as its user. \
                 Listen on 127.0.0.1, or say --allow-public-without-authentication if something else keeps strangers out"
            ),
        );
    }
    listen
}

fn agent_url(resolved: &Resolved, problems: &mut Problems) -> Option<String> {
    let url = resolved.value(&AGENT_URL)?;
    if !url.starts_with("ws://") && !url.starts_with("wss://") {
        problems.refuse(
            &AGENT_URL,
            format!("{url:?} does not begin with ws:// or wss://"),
        );
    }
    Some(url)
}

fn host_names(resolved: &Resolved, problems: &mut Problems) -> Vec<String> {
    let names = resolved.value(&HOST_NAMES);
    for name in names.iter().filter(|name| !is_host_name(name)) {
        problems.refuse(
            &HOST_NAMES,
            format!("{name:?} is not a host's name, such as gw.example, without scheme and port"),
        );
    }
    names
}

fn is_host_name(text: &str) -> bool {
    let within = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !text.is_empty() && text.bytes().all(within)
}

fn local_users(resolved: &Resolved, problems: &mut Problems) -> LocalUsers {
    let names = resolved.value(&LOCAL_USERS);
    if names.iter().any(|name| name == "*") {
        return LocalUsers::Any;
    }
    let known = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let mut uids = BTreeSet::new();
    for name in names {
        match name.parse().ok().or_else(|| uid_of(&name, &known)) {
            Some(uid) => drop(uids.insert(uid)),
            None => problems.refuse(
                &LOCAL_USERS,
                format!("there is no user {name:?} in /etc/passwd: write the user's number"),
            ),
        }
    }
    LocalUsers::OwnAnd(uids)
}

fn uid_of(name: &str, passwd: &str) -> Option<u32> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
    })
}

fn security_headers(resolved: &Resolved, problems: &mut Problems) -> Option<SecurityHeaders> {
    let texts = HEADERS.map(|(name, setting)| (name, setting, resolved.value(setting)));
    let sent = || texts.iter().filter(|(_, _, text)| text != NO_HEADER);
    for (_, setting, text) in sent() {
        if !SecurityHeaders::accepts(text) {
            problems.refuse(setting, HEADER_REFUSAL);
        }
    }
    SecurityHeaders::new(sent().map(|(name, _, text)| (*name, &**text)))
}
