//! The masters of a standalone cluster: their ports, and what their pages say.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::note::Note;

/// The limit of a connection's set-up, and of a page.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The longest page that is read. It lists all applications and workers.
const LONGEST_PAGE: usize = 8 << 20;

/// The port of a master's pages, unless `SPARK_MASTER_WEBUI_PORT` names another one.
const PAGES: u16 = 8080;

/// The part of a master's page `/json/` that matters here.
#[derive(Debug, Deserialize)]
struct Page {
    status: String,
    aliveworkers: u64,
}

/// Connects to each master, and reads its page.
pub async fn look(masters: &[String], environment: &BTreeMap<String, String>) -> Vec<Note> {
    let port = environment
        .get("SPARK_MASTER_WEBUI_PORT")
        .and_then(|port| port.parse().ok())
        .unwrap_or(PAGES);
    let mut reached = Vec::new();
    for master in masters {
        reached.push((master.as_str(), connect(master).await));
    }
    let mut notes = ports(&reached);
    for (master, reached) in reached {
        if reached.is_ok() {
            let host = master.rsplit_once(':').map_or(master, |(host, _)| host);
            notes.push(judge(master, page(host, port).await, port));
        }
    }
    notes
}

async fn connect(master: &str) -> anyhow::Result<()> {
    let connecting = timeout(TIMEOUT, TcpStream::connect(master)).await;
    connecting.context("it takes no connection within 5 s")??;
    Ok(())
}

/// One master has to take connections; the others of a list may be on standby or away.
fn ports(reached: &[(&str, anyhow::Result<()>)]) -> Vec<Note> {
    let any = reached.iter().any(|(_, reached)| reached.is_ok());
    let note = |(master, reached): &(&str, anyhow::Result<()>)| {
        let Err(error) = reached else {
            return Note::good(format!("the master spark://{master} takes connections"));
        };
        let what = format!("the master spark://{master} cannot be reached: {error:#}");
        let remedy =
            "compare the address with the one on the master's page, and look for firewalls between";
        if any {
            Note::warning(what, remedy)
        } else {
            Note::problem(what, remedy)
        }
    };
    reached.iter().map(note).collect()
}

async fn page(host: &str, port: u16) -> anyhow::Result<Page> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(TIMEOUT)
        .build()
        .context("cannot make an HTTP client")?;
    let url = format!("http://{host}:{port}/json/");
    let mut response = client.get(&url).send().await?.error_for_status()?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > LONGEST_PAGE {
            bail!("its page is too long");
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).context("it is not the page of a master")
}

fn judge(master: &str, page: anyhow::Result<Page>, port: u16) -> Note {
    let page = match page {
        Ok(page) => page,
        Err(error) => {
            return Note::warning(
                format!(
                    "the page of the master spark://{master} on port {port} says nothing: {error:#}"
                ),
                "set SPARK_MASTER_WEBUI_PORT if its pages are on another port; drivers do not need them",
            );
        }
    };
    let Page {
        status,
        aliveworkers,
    } = page;
    let what = format!("the master spark://{master} is {status}, with {aliveworkers} workers");
    match (status.as_str(), aliveworkers) {
        ("ALIVE", 1..) => Note::good(what),
        ("STANDBY", _) => Note::good(what),
        ("ALIVE", 0) => Note::warning(
            format!("{what}, so applications wait"),
            "start a worker, or look at the log of one why it does not register",
        ),
        _ => Note::warning(what, "wait until it has recovered"),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// The parts of a page of Spark 4.1 that are read, and one that is not.
    fn text(status: &str, workers: u64) -> String {
        format!(r#"{{"url":"spark://m:7077","aliveworkers":{workers},"status":"{status}"}}"#)
    }

    /// Answers one request with this body.
    async fn answer(listener: TcpListener, body: String) {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        assert!(socket.read(&mut request).await.unwrap() > 0);
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        socket.write_all(head.as_bytes()).await.unwrap();
        socket.write_all(body.as_bytes()).await.unwrap();
    }

    /// The findings about a master whose page has this body.
    async fn told(body: String) -> Vec<Note> {
        let master = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let pages = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = pages.local_addr().unwrap().port().to_string();
        let environment = [("SPARK_MASTER_WEBUI_PORT".to_owned(), port)].into();
        let address = master.local_addr().unwrap().to_string();
        let masters = [address.clone()];
        let (notes, ()) = tokio::join!(look(&masters, &environment), answer(pages, body));
        assert_eq!(
            notes[0],
            Note::good(format!("the master spark://{address} takes connections"))
        );
        notes
    }

    #[tokio::test]
    async fn a_masters_page_tells_its_state_and_workers() {
        for (body, status) in [
            (text("ALIVE", 2), "ok"),
            (text("STANDBY", 0), "ok"),
            (text("ALIVE", 0), "WARNING"),
            (text("RECOVERING", 2), "WARNING"),
            ("<html>".to_owned(), "WARNING"),
        ] {
            let notes = told(body.clone()).await;
            assert!(notes[1].text().starts_with(status), "{body}: {notes:?}");
        }
    }

    #[tokio::test]
    async fn a_closed_port_is_a_problem_unless_another_master_is_there() {
        let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = open.local_addr().unwrap().to_string();
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closed_at = closed.local_addr().unwrap().to_string();
        drop(closed);
        let notes = look(std::slice::from_ref(&closed_at), &BTreeMap::new()).await;
        assert!(notes.len() == 1 && notes[0].is_problem(), "{notes:?}");
        let reached = [
            (open.as_str(), Ok(())),
            (closed_at.as_str(), Err(anyhow::anyhow!("refused"))),
        ];
        assert!(!ports(&reached).iter().any(Note::is_problem));
    }
}
