//! A small application on the cluster, which shows whether drivers there reach the server.
//!
//! It is a session like any other: the same launcher submits it, and its agent connects to
//! `server.agent_url`. This process listens there in the server's stead. If the server runs, the agent
//! can only learn that a Livius server answers.

mod verdict;

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use livius_domain::{DriverId, Kind, SessionRequest, SessionState, SystemClock, chain};
use livius_kubernetes::Namespace;
use livius_launch::kubernetes_access;
use livius_sessions::{Caller, SessionRef, SessionView};

use self::verdict::{Seen, judge};
use super::Facts;
use super::note::Note;
use super::place::Place;
use crate::config::{ProcessEnvironment, Settings};
use crate::server::{Signals, Trial};

const MASTER: &str = "spark.master";
const DEPLOY_MODE: &str = "spark.submit.deployMode";

/// How long the agent tries to connect. Its driver ends by itself then.
const GRACE: Duration = Duration::from_secs(30);

/// The time for the end of the driver.
const CLEANING: Duration = Duration::from_mins(1);

/// The lines at the log's end that are searched for the agent's words.
const LINES: i64 = 500;

/// The pause between two questions for the node of a driver.
const PAUSE: Duration = Duration::from_secs(1);

/// The limit of a question to the API server.
const QUESTION: Duration = Duration::from_secs(10);

/// Settings of a small application.
const SMALL: [(&str, &str); 3] = [
    ("spark.executor.instances", "1"),
    ("spark.dynamicAllocation.enabled", "false"),
    ("spark.cores.max", "1"),
];

/// Runs the application at a master, and tells what it shows. It has ended when this returns.
pub async fn run(
    (master, place): (&str, &Place),
    (settings, environment): (&Settings, &ProcessEnvironment),
    facts: &Facts,
    limit: Duration,
) -> Vec<Note> {
    let settings = small(master, settings);
    let remedy = "correct that, and try again";
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => {
            return vec![Note::problem(
                format!("cannot receive signals: {error}"),
                remedy,
            )];
        }
    };
    let trial = match Trial::open(&settings, environment).await {
        Ok(trial) => trial,
        Err(error) => {
            return vec![Note::problem(
                format!("the probe could not begin: {error:#}"),
                remedy,
            )];
        }
    };
    let begun = Instant::now();
    let seen = tokio::select! {
        biased;
        signal = signals.next() => Err(format!("the probe was stopped by {}", signal.name())),
        seen = look(&trial, place, facts, limit) => seen,
    };
    let took = begun.elapsed();
    let (url, listens) = (trial.agent_url().to_owned(), trial.listens());
    let is_clean = trial.close(CLEANING).await;
    let mut notes = match seen {
        Ok(seen) => judge(&url, listens, &seen, took, limit),
        Err(problem) => vec![Note::problem(problem, remedy)],
    };
    if !is_clean {
        notes.push(Note::warning(
            format!(
                "the driver of the probe has not ended within {} s",
                CLEANING.as_secs()
            ),
            format!(
                "end the application {} at its cluster, if it does not end by itself",
                verdict::NAME
            ),
        ));
    }
    notes
}

/// The settings of the server with this master, in cluster mode, for a small application.
fn small(master: &str, settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    let conf = &mut settings.spark.overrides;
    let fixed = [(MASTER, master), (DEPLOY_MODE, "cluster")];
    for (key, value) in fixed.into_iter().chain(SMALL) {
        conf.insert(key.to_owned(), value.to_owned());
    }
    // The administrator has named it.
    let own = &mut settings.kubernetes.limits.own_masters;
    own.push(master.to_owned());
    settings.limits.link_grace = GRACE;
    settings
}

async fn look(
    trial: &Trial,
    place: &Place,
    facts: &Facts,
    limit: Duration,
) -> Result<Seen, String> {
    let caller = Caller::default();
    let sessions = trial.sessions().acting(&caller);
    let mut request = SessionRequest {
        kind: Kind::Sql,
        ..SessionRequest::default()
    };
    request.submit.name = Some(verdict::NAME.to_owned());
    let created = sessions.create(request).await;
    let created = created
        .map_err(|error| format!("the server would refuse a session there: {}", chain(&error)))?;
    let which = SessionRef::Id(created.record.id);
    let deadline = tokio::time::Instant::now() + limit;
    let is_up = |view: &SessionView| matches!(view.record.state, SessionState::Running);
    // Its pod is gone when the driver has ended.
    let mut node = None;
    let view = {
        let mut waiting = pin!(sessions.get_when(&which, deadline, is_up));
        let driver = created.record.driver.as_ref().map(DriverId::as_str);
        let mut looking = pin!(node_of(trial, place, facts, driver));
        loop {
            tokio::select! {
                biased;
                view = &mut waiting => break view,
                found = &mut looking, if node.is_none() => node = Some(found),
            }
        }
    };
    let view = view.map_err(|error| chain(&error))?;
    let log = match sessions.log(&which).await {
        Ok(log) => log.page(-1, LINES).await.map(|page| page.lines),
        Err(error) => Err(error),
    };
    Ok(Seen {
        state: view.record.state.clone(),
        app: view.record.app.clone(),
        node,
        log: log.unwrap_or_default(),
    })
}

/// Waits for the node of the driver's pod. Other clusters tell it with the application.
async fn node_of(trial: &Trial, place: &Place, facts: &Facts, driver: Option<&str>) -> String {
    let (Place::Kubernetes(master), Some(driver)) = (place, driver) else {
        return std::future::pending().await;
    };
    let access = kubernetes_access(master, true, &facts.conf, &facts.environment);
    let name = super::kubernetes::namespace(&facts.conf);
    loop {
        tokio::time::sleep(PAUSE).await;
        let Some(server) = trial.server_id() else {
            continue;
        };
        let find = async {
            let clock = Arc::new(SystemClock);
            let (namespace, _) = Namespace::open(&access, name, &server, clock).await.ok()?;
            namespace.find(driver).await.ok()?.into_iter().next()?.node
        };
        if let Ok(Some(node)) = tokio::time::timeout(QUESTION, find).await {
            return node;
        }
    }
}
