//! The address at which drivers reach the server.

use std::net::{IpAddr, SocketAddr};

use reqwest::Url;
use tokio::net::lookup_host;

use super::note::Note;
use super::place::Mode;
use crate::config::Settings;

/// Judges the server's address for drivers, and tries to resolve its name.
pub async fn look(settings: &Settings, mode: Mode) -> Vec<Note> {
    let server = &settings.server;
    let mut notes = vec![judge(server.agent_url.as_deref(), server.listen, mode)];
    let named = server.agent_url.as_deref().and_then(host_and_port);
    if let Some((host, port)) = named.filter(|_| mode == Mode::Cluster) {
        notes.extend(resolved(&host, port).await);
    }
    notes
}

fn judge(configured: Option<&str>, listen: SocketAddr, mode: Mode) -> Note {
    let shown = configured.map_or_else(
        || format!("ws://{}", crate::config::reachable(listen)),
        str::to_owned,
    );
    let Some((host, _)) = host_and_port(&shown) else {
        return Note::problem(
            format!("server.agent_url is {shown:?}, which is no address"),
            "write ws://HOST:PORT",
        );
    };
    if mode == Mode::Client {
        return Note::good(format!(
            "drivers run on this machine, and connect to the server at {shown}"
        ));
    }
    let port = listen.port();
    if is_this_machine_only(&host) {
        return Note::problem(
            format!("drivers on other machines cannot connect to the server at {shown}"),
            if listen.ip().is_loopback() {
                format!(
                    "set server.listen to an address that other machines reach, and server.agent_url to ws://NAME:{port} with a name of \
                     this machine, or of the service in front of it"
                )
            } else {
                format!(
                    "set server.agent_url to ws://NAME:{port} with a name of this machine, or of the service in front of it"
                )
            },
        );
    }
    if listen.ip().is_loopback() {
        return Note::warning(
            format!(
                "drivers connect to {shown}, and the server listens on {listen} only, so something has to pass their connections on"
            ),
            "set server.listen to an address that other machines reach, unless a proxy on this machine has that address",
        );
    }
    Note::good(format!("drivers connect to the server at {shown}"))
}

/// Whether each machine takes a host for itself.
fn is_this_machine_only(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(ip) => ip.to_canonical().is_loopback() || ip.to_canonical().is_unspecified(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

fn host_and_port(url: &str) -> Option<(String, u16)> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']);
    let host = host.trim_end_matches('.');
    Some((host.to_owned(), url.port_or_known_default()?))
}

/// A warning if this machine does not know the name. The cluster may know it all the same.
async fn resolved(host: &str, port: u16) -> Option<Note> {
    let error = lookup_host((host, port)).await.err()?;
    Some(Note::warning(
        format!("this machine cannot resolve {host} of server.agent_url: {error}"),
        "make sure that the cluster's machines can: each driver connects to it",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(configured: &str, listen: &str, mode: Mode) -> String {
        let configured = Some(configured).filter(|url| !url.is_empty());
        judge(configured, listen.parse().unwrap(), mode).text()
    }

    #[test]
    fn a_driver_elsewhere_needs_an_address_that_leads_back() {
        let mut texts = Vec::new();
        for (configured, listen) in [
            ("", "127.0.0.1:8998"),
            ("", "0.0.0.0:8998"),
            ("", "[::]:8998"),
            ("", "10.0.0.7:8998"),
            ("ws://localhost:8998", "0.0.0.0:8998"),
            ("ws://[::1]:8998", "0.0.0.0:8998"),
            ("ws://0.0.0.0:8998", "0.0.0.0:8998"),
            ("ws://[::ffff:127.0.0.1]:8998/api", "0.0.0.0:8998"),
            ("ws://gw.example:8998", "127.0.0.1:8998"),
            ("ws://gw.example:8998", "0.0.0.0:8998"),
            ("wss://gw.example", "10.0.0.7:1"),
            ("ws://", "0.0.0.0:8998"),
        ] {
            let text = judged(configured, listen, Mode::Cluster);
            texts.push(format!("{configured:?} {listen}\n  {text}"));
        }
        insta::assert_snapshot!(texts.join("\n"), @r#"
        "" 127.0.0.1:8998
          PROBLEM  drivers on other machines cannot connect to the server at ws://127.0.0.1:8998
                   what to do: set server.listen to an address that other machines reach, and server.agent_url to ws://NAME:8998 with a name of this machine, or of the service in front of it
        "" 0.0.0.0:8998
          PROBLEM  drivers on other machines cannot connect to the server at ws://127.0.0.1:8998
                   what to do: set server.agent_url to ws://NAME:8998 with a name of this machine, or of the service in front of it
        "" [::]:8998
          PROBLEM  drivers on other machines cannot connect to the server at ws://[::1]:8998
                   what to do: set server.agent_url to ws://NAME:8998 with a name of this machine, or of the service in front of it
        "" 10.0.0.7:8998
          ok       drivers connect to the server at ws://10.0.0.7:8998
        "ws://localhost:8998" 0.0.0.0:8998
          PROBLEM  drivers on other machines cannot connect to the server at ws://localhost:8998
                   what to do: set server.agent_url to ws://NAME:8998 with a name of this machine, or of the service in front of it
        "ws://[::1]:8998" 0.0.0.0:8998
          PROBLEM  drivers on other machines cannot connect to the server at ws://[::1]:8998
                   what to do: set server.agent_url to ws://NAME:8998 with a name of this machine, or of the service in front of it
        "ws://0.0.0.0:8998" 0.0.0.0:8998
          PROBLEM  drivers on other machines cannot connect to the server at ws://0.0.0.0:8998
                   what to do: set server.agent_url to ws://NAME:8998 with a name of this machine, or of the service in front of it
        "ws://[::ffff:127.0.0.1]:8998/api" 0.0.0.0:8998
          PROBLEM  drivers on other machines cannot connect to the server at ws://[::ffff:127.0.0.1]:8998/api
                   what to do: set server.agent_url to ws://NAME:8998 with a name of this machine, or of the service in front of it
        "ws://gw.example:8998" 127.0.0.1:8998
          WARNING  drivers connect to ws://gw.example:8998, and the server listens on 127.0.0.1:8998 only, so something has to pass their connections on
                   what to do: set server.listen to an address that other machines reach, unless a proxy on this machine has that address
        "ws://gw.example:8998" 0.0.0.0:8998
          ok       drivers connect to the server at ws://gw.example:8998
        "wss://gw.example" 10.0.0.7:1
          ok       drivers connect to the server at wss://gw.example
        "ws://" 0.0.0.0:8998
          PROBLEM  server.agent_url is "ws://", which is no address
                   what to do: write ws://HOST:PORT
        "#);
    }

    #[test]
    fn a_driver_on_this_machine_may_use_loopback() {
        let text = judged("", "127.0.0.1:8998", Mode::Client);
        assert!(text.starts_with("ok "), "{text}");
    }

    #[tokio::test]
    async fn a_name_that_nothing_resolves_is_told() {
        // The top-level domain `invalid` is reserved for names that do not exist (RFC 6761).
        let text = resolved("gw.invalid", 8998).await.unwrap().text();
        assert!(text.contains("cannot resolve gw.invalid"), "{text}");
        assert_eq!(resolved("127.0.0.1", 8998).await, None);
    }
}
