//! `[webhooks]`: which URLs requests may name, and how those are told of an end.

use std::fs::File;
use std::io::Read as _;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use livius_sessions::Webhooks;
use livius_webhooks::{Courier, Hosts, Networks, Rules, Secrets};

use crate::config::check::Problems;
use crate::config::resolved::Resolved;
use crate::config::setting::{Key, Setting, count, duration, list, optional_file};

/// Longer files have something else than secrets.
const LONGEST_FILE: u64 = 64 << 10;

settings! {
    HOSTS: Vec<String> = list(
        "webhooks.hosts",
        "The hosts of the URLs that requests may name as webhooks: `hooks.example.com`, `*.example.com` (the hosts below), or an address. A host without a port stands for port 443 of `https` and 80 of `http`; `hooks.example.com:8443` for that port. If it is unset, requests may name no webhook.",
    );
    PRIVATE_NETWORKS: Vec<String> = list(
        "webhooks.private_networks",
        "The private addresses that webhooks may have, as `10.1.2.3`, `10.1.0.0/16` or `fd00:1::/32`. All other addresses must be public, also those that the names in `webhooks.hosts` lead to. An address in `webhooks.hosts` needs no entry here.",
    );
    SECRET_FILE: Option<Utf8PathBuf> = optional_file(
        "webhooks.secret_file",
        "A file with the secrets that messages are signed with, one a line: `whsec_` and 24 to 64 random bytes in base64. A message has a signature of each, so a new secret can be added before receivers know it. `webhooks.hosts` needs it. The server reads the file when it starts.",
    );
    TIMEOUT: Duration = duration(
        "webhooks.timeout",
        Duration::from_secs(10),
        "The time that one attempt to tell a webhook may take.",
    );
    RETRY_FOR: Duration = duration(
        "webhooks.retry_for",
        Duration::from_hours(24),
        "How long after the first attempt a message is sent again, with pauses from 10 seconds to an hour. Then it is dropped, and the log says so.",
    );
    MAX_WAITING: u64 = count(
        "webhooks.max_waiting",
        1,
        10_000,
        "The most webhooks of sessions, statements and batches that have not ended, together with the messages that have not arrived. With more of them, requests that name a webhook are refused.",
    );
}

/// Reads the section. `None` without hosts.
pub fn read(resolved: &Resolved, problems: &mut Problems) -> Option<Webhooks> {
    let texts = resolved.value(&HOSTS);
    let hosts = Hosts::read(texts.iter().map(String::as_str));
    let hosts = hosts.map_err(|problem| problems.refuse(&HOSTS, problem.to_string()));
    let texts = resolved.value(&PRIVATE_NETWORKS);
    let networks = Networks::read(texts.iter().map(String::as_str));
    let networks =
        networks.map_err(|problem| problems.refuse(&PRIVATE_NETWORKS, problem.to_string()));
    let (Ok(hosts), Ok(networks)) = (hosts, networks) else {
        return None;
    };
    if hosts.is_empty() {
        return None;
    }
    let timeout = resolved.value(&TIMEOUT);
    if timeout.is_zero() {
        problems.refuse(&TIMEOUT, "an attempt needs some time: write 10s");
    }
    let Some(file) = resolved.value(&SECRET_FILE) else {
        problems.refuse(
            &HOSTS,
            "webhooks need a secret that their messages are signed with: set webhooks.secret_file",
        );
        return None;
    };
    let secrets = secrets(&file).map_err(|problem| problems.refuse(&SECRET_FILE, problem));
    let courier = Courier::new(Rules::new(hosts, networks), secrets.ok()?, timeout);
    let courier = courier.map_err(|error| {
        let sentence = format!("cannot make a client for webhooks: {error}");
        problems.refuse(&HOSTS, sentence);
    });
    Some(Webhooks {
        courier: courier.ok()?,
        retry_for: resolved.value(&RETRY_FOR),
        limit: usize::try_from(resolved.value(&MAX_WAITING)).unwrap_or(usize::MAX),
    })
}

fn secrets(file: &Utf8Path) -> Result<Secrets, String> {
    let mut text = String::new();
    let read = File::open(file).and_then(|opened| {
        opened
            .take(LONGEST_FILE)
            .read_to_string(&mut text)
            .map(drop)
    });
    read.map_err(|error| format!("cannot read {file}: {error}"))?;
    Secrets::read(&text).map_err(|problem| format!("{file}: {problem}"))
}
