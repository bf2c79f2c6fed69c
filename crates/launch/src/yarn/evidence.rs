//! Finds the reason of a failure in the logs of the container that ran the driver.

use std::time::Duration;

use livius_yarn::{Application, Cluster, Container, YarnError};

/// The logs that are searched, in this order. The output of a Python program is in the first one. A
/// failure of the JVM is in YARN's diagnostics as well.
const FILES: [&str; 2] = ["stdout", "stderr"];
/// The part at a log's end that is searched, in bytes.
const TAIL: usize = 64 << 10;
/// The longest time of the search. The end of the driver waits for it.
const LIMIT: Duration = Duration::from_secs(10);

/// The line that says why an application failed. `None` also when the logs cannot be read now: the
/// node may be gone, and the logs on their way to where they are kept.
pub(super) async fn of_master(cluster: &Cluster, application: &Application) -> Option<String> {
    let container = application.am_container()?;
    let search = search(cluster, &container);
    match tokio::time::timeout(LIMIT, search).await.ok()? {
        Ok(found) => found,
        Err(error) => {
            tracing::debug!(app.id = %application.id, %error, "cannot look for the reason of a failure in the driver's logs");
            None
        }
    }
}

async fn search(cluster: &Cluster, container: &Container) -> Result<Option<String>, YarnError> {
    let files = cluster.log_files(container).await?;
    for wanted in FILES {
        let Some(file) = files.iter().find(|file| file.name == wanted) else {
            continue;
        };
        let from = file.bytes.saturating_sub(TAIL as u64);
        let part = cluster.read_log(container, wanted, from, TAIL).await?;
        let text = String::from_utf8_lossy(&part.content);
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if let Some(reason) = crate::evidence::find(&lines) {
            return Ok(Some(reason));
        }
    }
    Ok(None)
}
