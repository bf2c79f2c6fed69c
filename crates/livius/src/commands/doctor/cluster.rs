//! The cluster that drivers run on: what is reachable, and what would keep drivers from working.

mod agent_url;
mod kubernetes;
mod note;
mod place;
mod probe;
mod standalone;
mod versions;
mod yarn;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use livius_domain::chain;
use livius_kubernetes::Template;
use livius_spark_home::{Installation, Search, SparkConf, find_spark};
use serde::Serialize;

use self::note::Note;
use self::place::{Mode, Place};
use crate::config::{ProcessEnvironment, Settings};
use crate::runtime::on_runtime;

/// The findings about one cluster.
#[derive(Debug, Serialize)]
pub struct ClusterReport {
    master: String,
    deploy_mode: Mode,
    findings: Vec<Note>,
}

impl ClusterReport {
    /// Tells whether nothing was found that keeps drivers from working.
    pub fn is_healthy(&self) -> bool {
        !self.findings.iter().any(Note::is_problem)
    }

    /// The report for people.
    pub fn text(&self) -> String {
        let mode = self.deploy_mode.as_str();
        let mut lines = vec![format!("Cluster  {}, in {mode} mode", self.master)];
        lines.extend(
            self.findings
                .iter()
                .map(|note| format!("  {}", note.text())),
        );
        lines.join("\n")
    }
}

/// What a driver's start would know.
struct Facts {
    spark: Option<Installation>,
    /// Spark's configuration: of the installation, then the server's.
    conf: BTreeMap<String, String>,
    /// The variables after `spark-env.sh`.
    environment: BTreeMap<String, String>,
    /// The directories that may have Hadoop's configuration.
    hadoop: Vec<Utf8PathBuf>,
    /// The objects that the pod of each driver gets.
    objects: Option<Arc<Template>>,
}

/// Looks at the cluster of a master: the named one, or the one that the configuration names. `None` if
/// there is no cluster to look at. With a limit for it, a small application is submitted in cluster mode.
pub fn report(
    named: Option<&str>,
    (settings, environment): (&Settings, &ProcessEnvironment),
    search: &Search,
    probe: Option<Duration>,
) -> anyhow::Result<Option<ClusterReport>> {
    let (facts, broken) = Facts::gather(settings, search);
    let (place, configured) = Place::of(named, &facts.conf);
    if named.is_none() && place == Place::Local && probe.is_none() {
        return Ok(None);
    }
    let has_cluster = !matches!(place, Place::Local | Place::Unknown);
    let mode = match probe {
        Some(_) if has_cluster => Mode::Cluster,
        _ => configured,
    };
    let master = place::master(named, &facts.conf);
    let mut findings: Vec<Note> = broken.into_iter().collect();
    findings.extend(on_runtime(async {
        let mut notes = match &place {
            Place::Local => vec![Note::good(
                "drivers run on this machine, and need no cluster",
            )],
            Place::Yarn => yarn::look(&facts).await,
            Place::Standalone(masters) => standalone::look(masters, &facts.environment).await,
            Place::Kubernetes(master) => kubernetes::look(&facts, master, mode).await,
            Place::Unknown => vec![unknown()],
        };
        let is_usable = !notes.iter().any(Note::is_problem);
        if has_cluster {
            notes.extend(agent_url::look(settings, mode).await);
        }
        match probe {
            Some(limit) if has_cluster && is_usable => {
                let server = (settings, environment);
                notes.extend(probe::run((master, &place), server, &facts, limit).await);
            }
            Some(_) if has_cluster => notes.push(Note::warning(
                "no application was submitted, because of the problems above",
                "solve them, and try again",
            )),
            Some(_) | None => {}
        }
        Ok(notes)
    })?);
    Ok(Some(ClusterReport {
        master: master.to_owned(),
        deploy_mode: mode,
        findings,
    }))
}

fn unknown() -> Note {
    Note::problem(
        "Livius knows no such master",
        "write yarn, spark://HOST:PORT, k8s://https://HOST:PORT or local[*]",
    )
}

impl Facts {
    /// Gathers what is known. Spark itself and its files may be missing or broken.
    fn gather(settings: &Settings, search: &Search) -> (Self, Option<Note>) {
        let spark = find_spark(search).ok().map(|(spark, _)| spark);
        let read = spark
            .as_ref()
            .map(|spark| SparkConf::read(spark, &search.environment));
        let (read, broken) = match read.transpose() {
            Ok(read) => (read, None),
            Err(error) => {
                let what = format!("could not {}", chain(&error));
                let remedy = "correct the file in Spark's configuration directory";
                (None, Some(Note::problem(what, remedy)))
            }
        };
        // Without a Spark only the process's own variables name Hadoop's files.
        let read = read.unwrap_or_else(|| SparkConf {
            dir: None,
            defaults: BTreeMap::new(),
            java_options: String::new(),
            environment: search.environment.inherited(),
        });
        let hadoop = read.directories();
        let mut conf = read.defaults;
        conf.extend(settings.spark.defaults.clone());
        conf.extend(settings.spark.overrides.clone());
        let facts = Self {
            spark,
            conf,
            environment: read.environment,
            hadoop,
            objects: settings.kubernetes.pages.objects.clone(),
        };
        (facts, broken)
    }
}
