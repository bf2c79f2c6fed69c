//! Judges what the application of the probe has shown.

use std::time::Duration;

use livius_domain::{AppInfo, Failure, SessionState};

use crate::commands::doctor::cluster::note::Note;

/// The name of the application.
pub const NAME: &str = "livius-doctor";

/// The prefix of the agent's and the server's lines in a log.
const OURS: &str = "livius: ";

/// The application of a probe, as the cluster and the log show it.
#[derive(Debug, Clone)]
pub struct Seen {
    pub state: SessionState,
    pub app: Option<AppInfo>,
    /// The node of its driver, if the cluster tells.
    pub node: Option<String>,
    /// The last lines of its log.
    pub log: Vec<String>,
}

impl Seen {
    fn failure(&self) -> Option<&Failure> {
        match &self.state {
            SessionState::Stopping { failure, .. } => failure.as_ref(),
            SessionState::Ended(end) => end.failure.as_ref(),
            SessionState::Starting | SessionState::Running => None,
        }
    }

    /// Our own lines of the log, without the prefix.
    fn words(&self) -> impl DoubleEndedIterator<Item = &str> {
        let lines = self.log.iter();
        lines.filter_map(|line| line.trim().strip_prefix(OURS))
    }

    /// What the agent says of its attempts to connect. It tells the first failure.
    fn attempt(&self) -> Option<&str> {
        const BEGINNINGS: [&str; 5] = [
            "cannot connect to ",
            "HTTP ",
            "the connection to the server failed",
            "the server closed the connection",
            "the server is silent",
        ];
        self.words()
            .find(|words| {
                BEGINNINGS
                    .iter()
                    .any(|beginning| words.starts_with(beginning))
            })
            .map(|words| words.trim_end_matches("; trying again"))
    }
}

/// The findings, from an application that was looked at for some time. `listens` tells whether the
/// doctor answered the agent itself.
pub fn judge(url: &str, listens: bool, seen: &Seen, took: Duration, limit: Duration) -> Vec<Note> {
    let mut notes: Vec<Note> = started(seen).map(Note::good).into_iter().collect();
    let seconds = took.as_secs();
    let attempt = seen.attempt();
    notes.push(match (&seen.state, attempt) {
        (SessionState::Running, _) => Note::good(format!(
            "a session started there in {seconds} s, and its driver reached the server at {url}"
        )),
        (_, Some(words)) if !listens && words.starts_with("HTTP 404 ") => Note::good(format!(
            "a driver there reached {url}, and got 404, as a running server answers a driver that it does not know ({seconds} s)"
        )),
        (_, Some(words)) => {
            let (what, remedy) = cause(words, url, listens);
            Note::problem(format!("{what} ({seconds} s). Its words: {words}"), remedy)
        }
        (SessionState::Starting, None) => {
            let waits = seen.words().rev().find(|words| words.contains(" waits: "));
            let reason = waits.map_or_else(String::new, |words| format!(": {words}"));
            Note::problem(
                format!(
                    "the driver has not connected within {} s{reason}",
                    limit.as_secs()
                ),
                "look at the application at its cluster, or give it more time with --probe-timeout",
            )
        }
        (_, None) => ended(url, listens, seen),
    });
    notes
}

/// The place of the driver, as far as it is known.
fn started(seen: &Seen) -> Option<String> {
    let app = seen.app.as_ref()?;
    let place = match (&seen.node, &app.driver_log_url) {
        (Some(node), _) => format!(" on the node {node}"),
        (None, Some(log)) => format!("; its log is at {log}"),
        (None, None) => String::new(),
    };
    Some(format!("the probe was launched as {}{place}", app.app_id))
}

/// An end without a word of the agent.
fn ended(url: &str, listens: bool, seen: &Seen) -> Note {
    let Some(failure) = seen.failure() else {
        return Note::problem(
            "the driver of the probe ended without a reason",
            "look at the application at its cluster",
        );
    };
    let hint = if listens {
        failure.hint.clone()
    } else {
        format!(
            "{} If it is only that the driver got no answer: a server holds the port of {url}, and the cluster gives no log of the driver. Try again while the server is down",
            failure.hint
        )
    };
    Note::problem(
        format!("no session would start there: {}", failure.message),
        hint,
    )
}

/// The cause of a failed attempt, by the words of Java and of the system.
fn cause(words: &str, url: &str, listens: bool) -> (String, String) {
    let lower = words.to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| lower.contains(part));
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or_default();
    // Java's reason for an unknown host is the host's name alone.
    let is_name_only = words
        .strip_prefix("cannot connect to ")
        .and_then(|rest| rest.split_once(": "))
        .is_some_and(|(_, reason)| reason == host);
    if is_name_only
        || has(&[
            "unknownhost",
            "name or service not known",
            "failed to resolve",
            "name resolution",
            "nodename nor servname",
            "unresolved",
        ])
    {
        return (
            format!("a driver there cannot resolve {host}"),
            "set server.agent_url to a name or an address that the cluster's machines know"
                .to_owned(),
        );
    }
    if has(&["ssl", "tls", "certificate", "pkix", "handshake"]) {
        return (
            format!("a driver there does not trust {url}, or finds no TLS there"),
            "give the server of the address a certificate that the Java of drivers trusts, or use ws:// in server.agent_url".to_owned(),
        );
    }
    if has(&["refused"]) {
        return (
            format!("a driver there finds nothing that listens at {url}"),
            "compare the host and the port of server.agent_url with server.listen, and look at the proxy or the service between".to_owned(),
        );
    }
    if has(&[
        "timed out",
        "timeout",
        "no route",
        "unreachable",
        "is silent",
    ]) {
        return (
            format!("a driver there gets no answer from {url}"),
            "let the firewalls and network policies between pass connections to server.agent_url"
                .to_owned(),
        );
    }
    if words.starts_with("HTTP ") {
        let remedy = if listens {
            "something else answers at server.agent_url: compare it with server.listen, and let the proxy between pass WebSockets and the headers that begin with Livius-"
        } else {
            "something answers at server.agent_url that is no Livius server, or a proxy before it: let it pass WebSockets and the headers that begin with Livius-"
        };
        return (
            format!("a driver there gets an answer from {url} that is not the server's"),
            remedy.to_owned(),
        );
    }
    (
        format!("a driver there does not reach {url}"),
        "compare server.agent_url with the address of this machine, as the cluster's machines see it".to_owned(),
    )
}

#[cfg(test)]
#[path = "verdict/tests.rs"]
mod tests;
