//! `livius quickstart`: runs a Spark job from scratch, and shows what to try next.

mod tour;

use std::net::SocketAddr;

use anyhow::{Context as _, anyhow};
use camino::Utf8Path;
use livius_store_sqlite::OpenError;

use crate::cli::{Quickstart, ServerFlags};
use crate::commands::setup;
use crate::config::sections::{logs, server};
use crate::config::{Configuration, ProcessEnvironment, Settings};
use crate::exit::Ending;
use crate::logging;
use crate::runtime::on_runtime;
use crate::server::{Server, Signals};
use crate::terminal::{Progress, say};

/// Runs the command.
pub fn run(arguments: &Quickstart) -> anyhow::Result<Ending> {
    let progress = Progress::begin();
    let (mut settings, environment, may_move) = load(&arguments.flags)?;
    logging::start(&settings.logs);
    progress.step(&format!(
        "everything is kept in {}",
        settings.server.data_dir
    ));
    // The server makes the class archive in the background, and the first session need not wait.
    let found = setup::prepare(&settings.search(&environment), None, false, &progress)?;
    progress.step(&format!(
        "using Spark {} with Java {}",
        found.spark.version, found.java.version
    ));
    if arguments.exit {
        // No session comes after the one of the tour.
        settings.sessions.pools.enabled = false;
    }
    if may_move {
        settings.server.listen = free_address(settings.server.listen);
    }
    on_runtime(show(arguments.exit, &settings, &environment, &progress))
}

async fn show(
    exit: bool,
    settings: &Settings,
    environment: &ProcessEnvironment,
    progress: &Progress,
) -> anyhow::Result<Ending> {
    let mut signals = Signals::listen().context("cannot listen for signals")?;
    let server = Server::open(settings, environment)
        .await
        .map_err(explained)?;
    let address = crate::config::reachable(server.address());
    progress.step(&format!("the server listens on http://{address}"));
    let toured = tokio::select! {
        biased;
        signal = signals.next() => Err(anyhow::anyhow!("interrupted by {}", signal.name())),
        toured = tour::take(address, progress) => toured,
    };
    let session = match toured {
        Ok(session) => session,
        Err(error) => {
            server.shut_down(&mut signals).await;
            return Err(error.context("the quickstart failed"));
        }
    };
    if exit {
        progress.step("stopping the session and the server");
        let ending = server.shut_down(&mut signals).await;
        say(&format!(
            "quickstart: {} after {:.1} s",
            outcome(ending),
            progress.elapsed().as_secs_f64()
        ));
        return Ok(ending);
    }
    say(&next_steps(address, session, &settings.server.data_dir));
    let ending = server.run(&mut signals).await;
    say(&format!("quickstart: {}", outcome(ending)));
    Ok(ending)
}

/// Adds a remedy to the failure if another server uses the data directory.
fn explained(error: anyhow::Error) -> anyhow::Error {
    let in_use = |cause: &(dyn std::error::Error + 'static)| {
        matches!(cause.downcast_ref(), Some(OpenError::InUse { .. }))
    };
    if error.chain().any(in_use) {
        anyhow!(
            "{error:#}\n  what to do: stop that server, or keep this one's data elsewhere with `--data-dir DIR`"
        )
    } else {
        error
    }
}

fn outcome(ending: Ending) -> &'static str {
    match ending {
        Ending::Good => "done",
        Ending::Failed | Ending::Misused | Ending::Interrupted(_) | Ending::Application(_) => {
            "stopped before everything was in order"
        }
    }
}

/// Loads the settings, and returns whether the port may change because nothing sets it. Without a
/// log level, only warnings are logged, to leave room for the tour.
fn load(flags: &ServerFlags) -> anyhow::Result<(Settings, ProcessEnvironment, bool)> {
    let mut layer = flags.layer();
    let (Configuration { resolved, .. }, _) = super::load(&layer)?;
    if resolved.is_default(&logs::LEVEL.key) {
        layer.add(&logs::LEVEL, "quickstart", Some(&"warn".to_owned()));
    }
    let (Configuration { settings, resolved }, environment) = super::load(&layer)?;
    let may_move = resolved.is_default(&server::LISTEN.key);
    Ok((settings, environment, may_move))
}

/// The default port, or a free one if another process uses it.
fn free_address(usual: SocketAddr) -> SocketAddr {
    match std::net::TcpListener::bind(usual) {
        Ok(_) => usual,
        Err(_) => SocketAddr::new(usual.ip(), 0),
    }
}

/// Complete commands for another terminal.
fn next_steps(address: SocketAddr, session: i64, data_dir: &Utf8Path) -> String {
    let url = format!("http://{address}/sessions/{session}");
    let json = "-H 'Content-Type: application/json'";
    format!(
        "
Livius is listening on http://{address}, and session {session} is open. Try, in another terminal:

  # run some Python in the session; the answer has the statement's id
  curl -s {json} -d '{{\"code\": \"spark.range(1000).count()\"}}' {url}/statements

  # its result, once its state is \"available\"
  curl -s {url}/statements/1

  # SQL and Scala share the same Spark session
  curl -s {json} -d '{{\"kind\": \"sql\", \"code\": \"SELECT current_date() AS today\"}}' {url}/statements
  curl -s {url}/statements/2

  # what the driver says, and the end of the session
  curl -s '{url}/log?size=20'
  curl -s -X DELETE {url}

The server's data is in {data_dir}. Ctrl-C stops the server and its sessions."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_directory_in_use_comes_with_a_remedy() {
        let in_use = OpenError::InUse {
            path: "/data/livius.db".into(),
        };
        let told = |error: anyhow::Error| format!("{:#}", explained(error));
        assert_eq!(
            told(anyhow::Error::new(in_use).context("cannot open the store /data/livius.db")),
            "cannot open the store /data/livius.db: open /data/livius.db: another server is using it\n  what to do: stop that \
             server, or keep this one's data elsewhere with `--data-dir DIR`"
        );
        assert_eq!(told(anyhow!("else")), "else");
    }

    #[test]
    fn the_next_steps_name_the_real_server_and_session() {
        let text = next_steps("127.0.0.1:4711".parse().unwrap(), 7, Utf8Path::new("/data"));
        let commands: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("curl "))
            .collect();
        assert_eq!(commands.len(), 6);
        assert!(
            commands
                .iter()
                .all(|line| line.contains("http://127.0.0.1:4711/sessions/7")),
            "{text}"
        );
    }
}
