//! `livius doctor --orphans`: lists what drivers have left of which the server has no record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context as _;
use livius_domain::{Clock, DriverId, SystemClock};
use livius_launch::{Launcher as _, LocalLauncher, orphans};
use livius_store_sqlite::SqliteStore;
use serde_json::{Value, json};

use crate::config::{ProcessEnvironment, Settings};
use crate::exit::Ending;
use crate::runtime::on_runtime;
use crate::server;
use crate::terminal::say;

/// The traces of one driver.
#[derive(Debug, Default, PartialEq, Eq)]
struct Orphan {
    processes: BTreeSet<i32>,
    has_files: bool,
    is_on_cluster: bool,
}

/// Runs the command. It changes nothing: a server that runs ends orphans by itself.
pub fn run(
    settings: &Settings,
    environment: &ProcessEnvironment,
    as_json: bool,
) -> anyhow::Result<Ending> {
    let orphans = on_runtime(look(settings, environment))?;
    say(&if as_json {
        format!("{:#}", document(&orphans))
    } else {
        text(&orphans)
    });
    Ok(if orphans.is_empty() {
        Ending::Good
    } else {
        Ending::Failed
    })
}

async fn look(
    settings: &Settings,
    environment: &ProcessEnvironment,
) -> anyhow::Result<BTreeMap<DriverId, Orphan>> {
    let config = server::local(settings, environment);
    let drivers = config.drivers.clone();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let launcher = LocalLauncher::new(config, clock, server::in_background());
    // Listed before the rows are read: a driver has its row before it has anything else.
    let mut found = BTreeMap::<DriverId, Orphan>::new();
    let running = orphans::running(&drivers).context("cannot look at the processes")?;
    for (id, processes) in running {
        found.entry(id).or_default().processes = processes;
    }
    let with_files = launcher.with_files().await;
    for id in with_files.with_context(|| format!("cannot look into {drivers}"))? {
        found.entry(id).or_default().has_files = true;
    }
    let on_clusters = launcher.on_clusters().await;
    for id in on_clusters.context("cannot look on clusters")? {
        found.entry(id).or_default().is_on_cluster = true;
    }
    let database = settings.data("livius.db");
    let names = SqliteStore::names_of_drivers(&database).await;
    let names = names.with_context(|| format!("cannot read the store {database}"))?;
    // The text of a damaged row may be longer than the name in it.
    found.retain(|id, _| !names.iter().any(|name| name.contains(id.as_str())));
    Ok(found)
}

fn document(orphans: &BTreeMap<DriverId, Orphan>) -> Value {
    let orphan = |(id, orphan): (&DriverId, &Orphan)| {
        json!({
            "driver": id.as_str(),
            "processes": orphan.processes,
            "files": orphan.has_files,
            "cluster": orphan.is_on_cluster,
        })
    };
    let orphans: Vec<Value> = orphans.iter().map(orphan).collect();
    json!({ "orphans": orphans })
}

fn text(orphans: &BTreeMap<DriverId, Orphan>) -> String {
    if orphans.is_empty() {
        return "doctor: the server has a record of each driver".to_owned();
    }
    let mut lines: Vec<String> = orphans
        .iter()
        .map(|(id, orphan)| line(id, orphan))
        .collect();
    lines.push(String::new());
    lines.push(
        "doctor: of these drivers the server has no record; a server with this data directory ends \
         and removes them when it starts, and every 10 minutes"
            .to_owned(),
    );
    lines.join("\n")
}

fn line(id: &DriverId, orphan: &Orphan) -> String {
    let mut has = Vec::new();
    if !orphan.processes.is_empty() {
        let pids: Vec<String> = orphan.processes.iter().map(i32::to_string).collect();
        has.push(format!("processes {}", pids.join(", ")));
    }
    if orphan.has_files {
        has.push("files".to_owned());
    }
    if orphan.is_on_cluster {
        has.push("something on a cluster".to_owned());
    }
    format!("{id}: {}", has.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_orphan_is_told_with_all_that_it_has() {
        let id = DriverId::parse("b-7-aabbccddeeff").unwrap();
        let orphan = Orphan {
            processes: BTreeSet::from([12, 345]),
            has_files: true,
            is_on_cluster: true,
        };
        assert_eq!(
            line(&id, &orphan),
            "b-7-aabbccddeeff: processes 12, 345; files; something on a cluster"
        );
        let orphans = BTreeMap::from([(id, orphan)]);
        assert_eq!(
            document(&orphans),
            json!({"orphans": [{
                "driver": "b-7-aabbccddeeff", "processes": [12, 345], "files": true, "cluster": true,
            }]})
        );
    }
}
