//! Responses that real daemons of Hadoop 3.4.2 gave, with a real Spark among the applications.

use axum::http::StatusCode;
use livius_yarn::{Application, ApplicationId, Cluster, Container, FinalStatus, State};

use crate::daemon::{Daemon, Reply, cluster};

const APPS: &str = include_str!("../recorded/apps.json");
const OTHERS: &str = include_str!("../recorded/apps-of-others.json");
const NO_APPS: &str = include_str!("../recorded/apps-none.json");
const SPARK: &str = include_str!("../recorded/apps-spark-running.json");
const ATTEMPTS: &str = include_str!("../recorded/attempts.json");
const OTHERS_ATTEMPTS: &str = include_str!("../recorded/attempts-of-others.json");
const ATTEMPT: &str = include_str!("../recorded/attempt.json");
const CONTAINER: &str = include_str!("../recorded/containers-one.json");
const CONTAINERS: &str = include_str!("../recorded/containers-several.json");
const INFO: &str = include_str!("../recorded/info.json");
const LOGS: &str = include_str!("../recorded/logs-local.json");
const AGGREGATED_LOGS: &str = include_str!("../recorded/logs-aggregated.json");
const LOG: &str = include_str!("../recorded/log-local.txt");
const AGGREGATED_LOG: &str = include_str!("../recorded/log-aggregated.txt");

/// A cluster that gives one response, or another one to requests whose path has a word.
async fn recorded(
    text: &'static str,
    word: &'static str,
    other: &'static str,
) -> (Daemon, Cluster) {
    let daemon = Daemon::start(move |target| {
        let text = if target.contains(word) { other } else { text };
        Reply::Text(StatusCode::OK, text.to_owned())
    })
    .await;
    let (cluster, _, _) = cluster(&[daemon.address]);
    (daemon, cluster)
}

async fn apps(text: &'static str) -> Vec<Application> {
    let (_daemon, cluster) = recorded(text, "-", text).await;
    cluster.find("livius").await.unwrap()
}

fn named(apps: &[Application], name: &str) -> Application {
    let found = apps.iter().find(|app| app.name == name);
    found.unwrap_or_else(|| panic!("{name} is missing")).clone()
}

fn id() -> ApplicationId {
    "application_1796047317987_0001".parse().unwrap()
}

#[tokio::test]
async fn applications_in_every_state() {
    let apps = apps(APPS).await;
    let table: Vec<String> = apps
        .iter()
        .map(|app| {
            let first = app.diagnostics.lines().next().unwrap_or_default();
            format!(
                "{} {} {} {:?} {:?} | {first}",
                app.name, app.user, app.queue, app.state, app.final_status
            )
        })
        .collect();
    insta::assert_snapshot!(
        table.join("\n"),
        @"
    ended root root.default Finished Succeeded | 
    running alice root.default Accepted Undefined | AM container is launched, waiting for AM container to Register with RM
    killed alice root.etl Killed Killed | Application application_1796047317987_0003 was killed by user alice
    queue alice nosuch Failed Failed | Application application_1796047317987_0002 submitted by user alice to unknown queue: nosuch
    failing alice root.default Failed Failed | Application application_1796047317987_0001 failed 2 times due to AM Container for appattempt_1796047317987_0001_000002 exited with  exitCode: 3
    "
    );
    insta::assert_debug_snapshot!(named(&apps, "ended"), @r#"
    Application {
        id: ApplicationId {
            manager_started: 1796047317987,
            sequence: 6,
        },
        name: "ended",
        user: "root",
        queue: "root.default",
        state: Finished,
        final_status: Succeeded,
        diagnostics: "",
        tracking_url: Some(
            "http://localhost:28088/proxy/application_1796047317987_0006/",
        ),
        am_container_logs: Some(
            "http://localhost:41333/node/containerlogs/container_1796047317987_0006_01_000001/root",
        ),
        am_host: Some(
            "localhost:41333",
        ),
        tags: {
            "livius",
            "livius-driver-b-6-aa",
        },
        started: Some(
            2026-11-30T14:02:12.563Z,
        ),
        finished: Some(
            2026-11-30T14:02:45.468Z,
        ),
    }
    "#);
}

#[tokio::test]
async fn an_application_before_its_first_container() {
    let queue = named(&apps(APPS).await, "queue");
    assert_eq!(queue.am_container(), None);
    assert_eq!(queue.tracking_url, None);
    assert!(queue.started.is_some() && queue.finished.is_some());
}

#[tokio::test]
async fn a_running_spark_has_its_page_and_its_containers() {
    let spark = named(&apps(SPARK).await, "ended");
    assert_eq!(spark.state, State::Running);
    assert_eq!(spark.final_status, FinalStatus::Undefined);
    assert!(
        spark
            .tracking_url
            .as_ref()
            .unwrap()
            .ends_with("/proxy/application_1796047317987_0006/")
    );
    let master = spark.am_container().unwrap();
    assert_eq!(master.id, "container_1796047317987_0006_01_000001");

    let (_daemon, cluster) = recorded(CONTAINERS, "-", CONTAINERS).await;
    let containers = cluster.containers(spark.id, 1).await.unwrap();
    assert!(containers.contains(&master), "{containers:?}");
    assert!(containers.len() > 1);
    let (daemon, cluster) = recorded(CONTAINER, "-", CONTAINER).await;
    assert_eq!(cluster.containers(id(), 12).await.unwrap().len(), 1);
    let attempt = "/ws/v1/cluster/apps/application_1796047317987_0001/appattempts/appattempt_1796047317987_0001_000012/containers?";
    assert!(daemon.asked()[0].contains(attempt));
}

#[tokio::test]
async fn applications_of_others_have_states_and_no_more() {
    let others = apps(OTHERS).await;
    let running = named(&others, "running");
    assert_eq!(running.state, State::Accepted);
    assert_eq!((running.started, running.am_container()), (None, None));
    assert_eq!(named(&others, "failing").state, State::Failed);
    let (_daemon, cluster) = recorded(OTHERS_ATTEMPTS, "_000001", ATTEMPT).await;
    let attempts = cluster.attempts(id()).await.unwrap();
    assert_eq!(attempts[0].container, None);
}

#[tokio::test]
async fn a_list_without_applications() {
    assert_eq!(apps(NO_APPS).await, []);
    // As Hadoop 2 writes it.
    assert_eq!(apps(r#"{"apps":null}"#).await, []);
}

#[tokio::test]
async fn attempts_with_their_reasons() {
    let (_daemon, cluster) = recorded(ATTEMPTS, "_000001", ATTEMPT).await;
    let attempts = cluster.attempts(id()).await.unwrap();
    let numbers: Vec<u32> = attempts.iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, [1, 2]);
    let first = &attempts[0];
    assert_eq!(first.state.as_deref(), Some("FAILED"));
    assert!(first.started < first.finished && first.started.is_some());
    assert!(first.diagnostics.contains("exited with  exitCode: 3"));
    let container = first.container.as_ref().unwrap();
    assert_eq!(container.id, "container_1796047317987_0001_01_000001");
    assert!(container.node.as_ref().unwrap().starts_with("localhost:"));
}

#[tokio::test]
async fn the_resource_manager_about_itself() {
    let (_daemon, cluster) = recorded(INFO, "-", INFO).await;
    let info = cluster.info().await.pop().unwrap().info.unwrap();
    assert_eq!(info.version, "3.4.2");
    assert_eq!(
        (info.state.as_str(), info.ha_state.as_str()),
        ("STARTED", "ACTIVE")
    );
}

#[tokio::test]
async fn logs_at_a_node_and_aggregated_ones() {
    for (list, log) in [(LOGS, LOG), (AGGREGATED_LOGS, AGGREGATED_LOG)] {
        let (daemon, cluster) = recorded(log, "/logs?", list).await;
        let container = Container {
            id: "container_1796047317987_0004_01_000001".to_owned(),
            node: Some(daemon.address.to_string()),
        };
        let files = cluster.log_files(&container).await.unwrap();
        let stdout = files.iter().find(|file| file.name == "stdout").unwrap();
        assert_eq!(stdout.bytes, 51);
        // The recorded request was for the last nine bytes.
        let part = cluster.read_log(&container, "stdout", 42, 9).await.unwrap();
        assert_eq!(part.content, b"18\n19\n20\n");
        assert_eq!(part.total, 51);
    }
}
