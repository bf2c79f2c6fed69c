//! The ResourceManagers of a YARN cluster.

use std::sync::Arc;
use std::time::Duration;

use livius_domain::{SystemClock, chain};
use livius_spark_home::Version;
use livius_yarn::{Cluster, Config, ManagerInfo, ManagerReport, Site, YarnError};

use super::Facts;
use super::note::Note;
use super::versions;

/// The limit of each request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Looks at YARN as the server would.
pub async fn look(facts: &Facts) -> Vec<Note> {
    let mut notes = Vec::new();
    let client = facts.spark.as_ref().and_then(versions::hadoop_client);
    if let Some(spark) = &facts.spark
        && !versions::has_module(spark, "spark-yarn")
    {
        notes.push(Note::problem(
            format!("the Spark at {} has no module for YARN", spark.home),
            "use a Spark distribution that is built with YARN",
        ));
    }
    match cluster(facts) {
        Ok(cluster) => notes.extend(managers(&cluster.info().await, client.as_ref())),
        Err(problem) => notes.push(problem),
    }
    notes
}

fn cluster(facts: &Facts) -> Result<Cluster, Note> {
    let site = Site::read(&facts.hadoop).map_err(|error| {
        Note::problem(
            chain(&error),
            "let HADOOP_CONF_DIR or YARN_CONF_DIR name the directory with the cluster's core-site.xml and yarn-site.xml",
        )
    })?;
    let config = Config {
        timeout: TIMEOUT,
        // Every user may read what is asked here.
        ..Config::of("livius")
    };
    let made = Cluster::new(site, config, Arc::new(SystemClock));
    made.map(|(cluster, _)| cluster)
        .map_err(|error| Note::problem(chain(&error), "check the certificates of this machine"))
}

/// Judges the answers of all ResourceManagers. One of them has to be active; others may be away.
fn managers(reports: &[ManagerReport], client: Option<&Version>) -> Vec<Note> {
    let active = reports
        .iter()
        .find_map(|report| report.info.as_ref().ok().filter(|info| is_active(info)));
    let mut notes: Vec<Note> = reports
        .iter()
        .map(|report| manager(report, active.is_some()))
        .collect();
    if active.is_none() && notes.iter().all(|note| !note.is_problem()) {
        notes.push(Note::problem(
            "no ResourceManager is active, so YARN starts nothing",
            "start one, or look at its log if it should be active",
        ));
    }
    notes.extend(
        active
            .zip(client)
            .map(|(info, client)| versions::hadoop(client, &info.version)),
    );
    notes
}

fn is_active(info: &ManagerInfo) -> bool {
    info.state == "STARTED" && (info.ha_state == "ACTIVE" || info.ha_state.is_empty())
}

fn manager(report: &ManagerReport, has_active: bool) -> Note {
    let address = &report.address;
    let error = match &report.info {
        Ok(info) => {
            return Note::good(format!(
                "the ResourceManager at {address} has Hadoop {}, and is {} {}",
                info.version, info.state, info.ha_state
            ));
        }
        Err(error) => error,
    };
    let what = format!(
        "the ResourceManager at {address} tells nothing: {}",
        chain(error)
    );
    if has_active {
        Note::warning(what, remedy(error))
    } else {
        Note::problem(what, remedy(error))
    }
}

fn remedy(error: &YarnError) -> &'static str {
    match error {
        YarnError::Away(_) => {
            "check yarn.resourcemanager.webapp.address in yarn-site.xml, and whether this machine may connect to it"
        }
        YarnError::Unauthenticated { .. } => {
            "open the ResourceManager's web pages to this server's user: Livius cannot prove its identity by Kerberos there yet"
        }
        YarnError::Forbidden { .. } => "allow the user in the access lists of YARN",
        YarnError::Setup(_) => "check the certificates of this machine",
        YarnError::NotFound { .. } | YarnError::Refused { .. } | YarnError::Foreign { .. } => {
            "check yarn.resourcemanager.webapp.address in yarn-site.xml: something else may answer there"
        }
    }
}

#[cfg(test)]
mod tests {
    use livius_yarn::Miss;

    use super::*;

    fn report(info: Result<(&str, &str), YarnError>) -> ManagerReport {
        ManagerReport {
            address: "http://rm:8088".to_owned(),
            info: info.map(|(state, ha_state)| ManagerInfo {
                version: "3.4.2".to_owned(),
                state: state.to_owned(),
                ha_state: ha_state.to_owned(),
            }),
        }
    }

    fn away() -> YarnError {
        YarnError::Away(vec![Miss {
            address: "http://rm:8088".to_owned(),
            reason: "connection refused".to_owned(),
        }])
    }

    fn texts(reports: &[ManagerReport]) -> String {
        let client = Version::parse("2.7.4");
        let notes = managers(reports, client.as_ref());
        let texts: Vec<String> = notes.iter().map(Note::text).collect();
        texts.join("\n")
    }

    #[test]
    fn one_active_manager_is_enough_and_an_old_client_is_told() {
        let reports = [
            report(Ok(("STARTED", "STANDBY"))),
            report(Err(away())),
            report(Ok(("STARTED", "ACTIVE"))),
        ];
        insta::assert_snapshot!(texts(&reports), @r"
        ok       the ResourceManager at http://rm:8088 has Hadoop 3.4.2, and is STARTED STANDBY
        WARNING  the ResourceManager at http://rm:8088 tells nothing: YARN does not answer: http://rm:8088: connection refused
                   what to do: check yarn.resourcemanager.webapp.address in yarn-site.xml, and whether this machine may connect to it
        ok       the ResourceManager at http://rm:8088 has Hadoop 3.4.2, and is STARTED ACTIVE
        WARNING  Spark has the client of Hadoop 2.7.4, and the cluster has 3.4.2: Hadoop promises only within a major version that they understand each other
                   what to do: use a Spark that is built for the cluster's Hadoop
        ");
    }

    #[test]
    fn without_an_active_manager_nothing_works() {
        insta::assert_snapshot!(texts(&[report(Err(away()))]), @r"
        PROBLEM  the ResourceManager at http://rm:8088 tells nothing: YARN does not answer: http://rm:8088: connection refused
                   what to do: check yarn.resourcemanager.webapp.address in yarn-site.xml, and whether this machine may connect to it
        ");
        insta::assert_snapshot!(texts(&[report(Ok(("STARTED", "STANDBY")))]), @r"
        ok       the ResourceManager at http://rm:8088 has Hadoop 3.4.2, and is STARTED STANDBY
        PROBLEM  no ResourceManager is active, so YARN starts nothing
                   what to do: start one, or look at its log if it should be active
        ");
        let address = "http://rm:8088".to_owned();
        insta::assert_snapshot!(texts(&[report(Err(YarnError::Unauthenticated { address }))]), @r"
        PROBLEM  the ResourceManager at http://rm:8088 tells nothing: http://rm:8088 wants authentication
                   what to do: open the ResourceManager's web pages to this server's user: Livius cannot prove its identity by Kerberos there yet
        ");
    }
}
