//! Converts the texts of Livy's keys to values of Livius.

#![expect(
    clippy::unnecessary_wraps,
    reason = "the registry names conversions as values, so all have one type"
)]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use livius_http::SecurityHeaders;

use super::files::Files;
use crate::config::sections::server::{HEADER_REFUSAL, NO_HEADER};
use crate::config::sections::{sessions, spark};
use crate::config::setting::Key;
use crate::config::value::{Raw, Value};

/// The input of a conversion.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// The trimmed text. It is empty only for keys whose empty text has a meaning.
    pub text: &'a str,
    /// The settings that it becomes.
    pub to: &'static [&'static Key],
    /// All entries, because some keys count only together with others.
    pub files: &'a Files,
}

/// The result of a conversion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Converted {
    /// Values, and a remark for the administrator.
    Values(Vec<Assignment>, Option<String>),
    /// No value, for this reason.
    Nothing(String),
}

/// A value for one of Livius's keys, as a layer would set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The key.
    pub key: &'static Key,
    /// The entry, where the key is a table.
    pub entry: Option<String>,
    /// The value.
    pub raw: Raw,
}

/// A conversion. The error completes the sentence "the key: ".
pub type Convert = fn(&Given<'_>) -> Result<Converted, String>;

const HOST: &str = "livy.server.host";
const PORT: &str = "livy.server.port";
const DEFAULT_PORT: u16 = 8998;
const TIMEOUT_CHECK: &str = "livy.server.session.timeout-check";
const TTL_CHECK: &str = "livy.server.session.ttl-check";
const TTL: &str = "livy.server.session.ttl";
const DEFAULT_TTL: Duration = Duration::from_hours(8);

/// The text unchanged. The setting checks its form later.
pub fn text(given: &Given<'_>) -> Result<Converted, String> {
    Ok(plain(given, &Raw::One(given.text.to_owned())))
}

/// The text of a header; an empty one leaves it out.
pub fn header(given: &Given<'_>) -> Result<Converted, String> {
    if given.text.is_empty() {
        return Ok(plain(given, &Raw::One(NO_HEADER.to_owned())));
    }
    if !SecurityHeaders::accepts(given.text) {
        return Err(HEADER_REFUSAL.to_owned());
    }
    text(given)
}

/// An absolute path. Livy's relative paths start from its working directory, which is unknown here.
pub fn path(given: &Given<'_>) -> Result<Converted, String> {
    absolute(given.text)?;
    text(given)
}

/// Paths, separated by commas and blanks.
pub fn paths(given: &Given<'_>) -> Result<Converted, String> {
    let paths = split(given.text);
    paths.iter().try_for_each(|path| absolute(path))?;
    Ok(plain(given, &Raw::Many(paths)))
}

/// Texts, separated by commas and blanks.
pub fn list(given: &Given<'_>) -> Result<Converted, String> {
    Ok(plain(given, &Raw::Many(split(given.text))))
}

/// Yes or no.
pub fn switch(given: &Given<'_>) -> Result<Converted, String> {
    let raw = Raw::One(is_true(given.text).to_string());
    let is_word = is_true(given.text) || given.text.eq_ignore_ascii_case("false");
    let remark = (!is_word).then(|| format!("Livy takes {:?} for false", given.text));
    Ok(Converted::Values(settings(given, &raw), remark))
}

/// A duration.
pub fn duration(given: &Given<'_>) -> Result<Converted, String> {
    let duration = read_duration(given.text)?;
    Ok(Converted::Values(
        settings(given, &written(duration)),
        milliseconds(given.text),
    ))
}

/// `livy.server.host`.
pub fn host(given: &Given<'_>) -> Result<Converted, String> {
    let ip = read_host(given.text)?;
    match given.files.get(PORT).map(read_port).transpose() {
        Ok(port) => Ok(listen(given, ip, port.unwrap_or(DEFAULT_PORT), None)),
        Err(_) => Ok(Converted::Nothing(format!(
            "{PORT} is refused, and it says the other half of the address"
        ))),
    }
}

/// `livy.server.port`.
pub fn port(given: &Given<'_>) -> Result<Converted, String> {
    let port = read_port(given.text)?;
    match given.files.get(HOST).map(read_host).transpose() {
        Ok(Some(ip)) => Ok(listen(given, ip, port, None)),
        Ok(None) => {
            let remark = format!(
                "without {HOST}, Livy listens on every address of the machine; this server listens on loopback"
            );
            Ok(listen(
                given,
                Ipv4Addr::LOCALHOST.into(),
                port,
                Some(remark),
            ))
        }
        Err(_) => Ok(Converted::Nothing(format!(
            "{HOST} is refused, and it says the other half of the address"
        ))),
    }
}

/// `livy.server.session.timeout-check`.
pub fn timeout_check(given: &Given<'_>) -> Result<Converted, String> {
    if is_true(given.text) {
        return Ok(nothing("idle sessions are ended here in any case"));
    }
    Ok(plain(given, &Raw::One("never".to_owned())))
}

/// `livy.server.session.timeout`.
pub fn idle_timeout(given: &Given<'_>) -> Result<Converted, String> {
    if !looks_at_time(given.files) {
        return Ok(Converted::Nothing(format!(
            "{TIMEOUT_CHECK} is off, so no session is ended for being idle"
        )));
    }
    if read_duration(given.text)?.is_zero() {
        return Err(format!(
            "with Livy, {:?} ends a session as soon as it is idle; here it would mean never: write a longer time, or {TIMEOUT_CHECK} = false",
            given.text
        ));
    }
    duration(given)
}

/// `livy.server.session.ttl-check`.
pub fn ttl_check(given: &Given<'_>) -> Result<Converted, String> {
    if !is_true(given.text) {
        return Ok(nothing(
            "sessions live for as long as they like here, unless `sessions.ttl` is set",
        ));
    }
    if !looks_at_time(given.files) {
        return Ok(Converted::Nothing(format!(
            "{TIMEOUT_CHECK} is off, and then Livy does not look at lifetimes either"
        )));
    }
    match given.files.get(TTL).map(read_duration).transpose() {
        Ok(ttl) => Ok(plain(given, &written(ttl.unwrap_or(DEFAULT_TTL)))),
        Err(_) => Ok(Converted::Nothing(format!("{TTL} is refused"))),
    }
}

/// `livy.server.session.ttl`.
pub fn ttl(given: &Given<'_>) -> Result<Converted, String> {
    if !given.files.get(TTL_CHECK).is_some_and(is_true) || !looks_at_time(given.files) {
        return Ok(Converted::Nothing(format!(
            "Livy looks at it only where {TTL_CHECK} and {TIMEOUT_CHECK} are on"
        )));
    }
    duration(given)
}

/// `livy.server.session.allow-custom-classpath`.
pub fn custom_classpath(given: &Given<'_>) -> Result<Converted, String> {
    if is_true(given.text) {
        return Ok(nothing(
            "requests may choose their deploy mode here, unless `spark.blocked_conf` or `spark.deploy_mode` says otherwise",
        ));
    }
    let blocked = vec!["spark.submit.deployMode".to_owned()];
    Ok(plain(given, &Raw::Many(blocked)))
}

/// `livy.repl.enable-hive-context`.
pub fn hive(given: &Given<'_>) -> Result<Converted, String> {
    if !is_true(given.text) {
        return Ok(nothing(
            "sessions have no Hive catalog here either, unless Spark's own defaults say so",
        ));
    }
    let setting = Assignment {
        key: &spark::CONF.key,
        entry: Some("spark.sql.catalogImplementation".to_owned()),
        raw: Raw::One("hive".to_owned()),
    };
    Ok(Converted::Values(vec![setting], None))
}

/// `livy.server.kubernetes.oauthTokenFile`.
pub fn token_file(given: &Given<'_>) -> Result<Converted, String> {
    credential(given, "oauthTokenFile")
}

/// `livy.server.kubernetes.caCertFile`.
pub fn ca_file(given: &Given<'_>) -> Result<Converted, String> {
    credential(given, "caCertFile")
}

/// `livy.server.kubernetes.clientKeyFile`.
pub fn key_file(given: &Given<'_>) -> Result<Converted, String> {
    credential(given, "clientKeyFile")
}

/// `livy.server.kubernetes.clientCertFile`.
pub fn certificate_file(given: &Given<'_>) -> Result<Converted, String> {
    credential(given, "clientCertFile")
}

/// A file that Spark's submission of drivers to Kubernetes needs.
fn credential(given: &Given<'_>, name: &str) -> Result<Converted, String> {
    absolute(given.text)?;
    let setting = Assignment {
        key: &spark::CONF.key,
        entry: Some(format!("spark.kubernetes.authenticate.submission.{name}")),
        raw: Raw::One(given.text.to_owned()),
    };
    Ok(Converted::Values(vec![setting], None))
}

/// `livy.server.recovery.mode`.
pub fn recovery(given: &Given<'_>) -> Result<Converted, String> {
    let policy = match given.text {
        "recovery" => "keep",
        "off" => "stop",
        other => return Err(format!("{other:?} is not one of off, recovery")),
    };
    Ok(plain(given, &Raw::One(policy.to_owned())))
}

/// `livy.rsc.server.connect.timeout`.
pub fn start_timeout(given: &Given<'_>) -> Result<Converted, String> {
    let setting = &sessions::START_TIMEOUT;
    if read_duration(given.text)? > setting.default {
        return duration(given);
    }
    Ok(nothing(&format!(
        "a start may take longer here without being told so: {}, Spark's own start included",
        setting.key.default.constant()
    )))
}

fn nothing(reason: &str) -> Converted {
    Converted::Nothing(reason.to_owned())
}

fn plain(given: &Given<'_>, raw: &Raw) -> Converted {
    Converted::Values(settings(given, raw), None)
}

fn settings(given: &Given<'_>, raw: &Raw) -> Vec<Assignment> {
    let setting = |key: &&'static Key| Assignment {
        key,
        entry: None,
        raw: raw.clone(),
    };
    given.to.iter().map(setting).collect()
}

fn listen(given: &Given<'_>, ip: IpAddr, port: u16, remark: Option<String>) -> Converted {
    let raw = Raw::One(SocketAddr::new(ip, port).to_string());
    Converted::Values(settings(given, &raw), remark)
}

fn read_host(text: &str) -> Result<IpAddr, String> {
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    bare.parse().map_err(|_| {
        format!("{text:?} is a name: this server listens on addresses, so write the one that the name stands for")
    })
}

fn read_port(text: &str) -> Result<u16, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is not a port: a whole number up to 65535"))
}

fn read_duration(text: &str) -> Result<Duration, String> {
    livius_domain::duration::parse(text).map_err(|error| {
        format!("{error}: write a number and a unit, such as 500ms, 30s, 10m, 2h or 1d")
    })
}

fn written(duration: Duration) -> Raw {
    Raw::One(Value::Duration(Some(duration)).to_string())
}

/// Explains a bare number such as `state-retain.sec = 600`, whose unit is not seconds.
fn milliseconds(text: &str) -> Option<String> {
    text.chars()
        .all(|character| character.is_ascii_digit())
        .then(|| format!("Livy takes a bare number for milliseconds, whatever the key is called: {text} is {text}ms"))
}

/// Tells whether Livy checks the age of sessions at all.
fn looks_at_time(files: &Files) -> bool {
    files.get(TIMEOUT_CHECK).is_none_or(is_true)
}

/// Reads a boolean as Java does: anything else is false.
fn is_true(text: &str) -> bool {
    text.eq_ignore_ascii_case("true")
}

fn split(text: &str) -> Vec<String> {
    text.split([',', ' '])
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

fn absolute(path: &str) -> Result<(), String> {
    if path.starts_with('/') {
        return Ok(());
    }
    Err(format!(
        "{path:?} is not absolute, and what it counts from is not known here: write the whole path"
    ))
}
