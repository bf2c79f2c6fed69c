//! Single requests, and the choice of the ResourceManager.

use std::time::Duration;

use axum::http::StatusCode;
use livius_yarn::{ApplicationId, YarnError};
use serde_json::json;

use crate::daemon::{Daemon, Reply, app, cluster, list, refusal, with_properties};

fn id() -> ApplicationId {
    "application_1700000000000_0007".parse().unwrap()
}

#[tokio::test]
async fn the_newest_application_comes_first() {
    let manager = Daemon::start(|_| {
        list(&[
            app(9, "livius,mine", "FINISHED"),
            app(10, "livius,mine", "RUNNING"),
            app(11, "other", "RUNNING"),
        ])
    })
    .await;
    let (cluster, _, _) = cluster(&[manager.address]);
    let found = cluster.find("MINE").await.unwrap();
    let ids: Vec<String> = found.iter().map(|app| app.id.to_string()).collect();
    assert_eq!(
        ids,
        [
            "application_1700000000000_0010",
            "application_1700000000000_0009"
        ]
    );
    let asked = manager.asked();
    assert!(asked[0].starts_with("GET /ws/v1/cluster/apps?applicationTags=mine&"));
    assert!(asked[0].ends_with("&user.name=livius"), "{asked:?}");
}

#[tokio::test]
async fn a_standby_sends_us_to_the_other_one_and_nowhere_else() {
    let stranger = Daemon::start(|_| list(&[])).await;
    let elsewhere = format!("http://{}/ws/v1/cluster/apps", stranger.address);
    let standby = Daemon::start(move |_| Reply::Redirect(elsewhere.clone())).await;
    let active = Daemon::start(|_| list(&[app(1, "t", "RUNNING")])).await;
    let (cluster, _, _) = cluster(&[standby.address, active.address]);
    for _ in 0..3 {
        assert_eq!(cluster.find("t").await.unwrap().len(), 1);
    }
    // The active one is asked first from then on.
    assert_eq!(standby.asked().len(), 1);
    assert_eq!(active.asked().len(), 3);
    assert!(stranger.asked().is_empty());
}

#[tokio::test]
async fn each_resource_manager_tells_why_none_answers() {
    let standby = Daemon::start(|_| Reply::Redirect("http://b.example/ws".to_owned())).await;
    let starting = Daemon::start(|_| {
        let text = "Can not find any active RM. Will retry in next 3 seconds.\nmore";
        Reply::Text(StatusCode::OK, text.to_owned())
    })
    .await;
    let broken = Daemon::start(|_| refusal(503, "java.lang.Exception: wait")).await;
    let silent = Daemon::start(|_| Reply::Silence).await;
    let gone = Daemon::start(|_| Reply::Silence).await.stop().await;
    let addresses = [
        standby.address,
        starting.address,
        broken.address,
        silent.address,
        gone,
    ];
    let (cluster, _, _) = cluster(&addresses);
    let Err(YarnError::Away(misses)) = cluster.find("t").await else {
        panic!("somebody answered");
    };
    let reasons: Vec<&str> = misses.iter().map(|miss| miss.reason.as_str()).collect();
    assert_eq!(
        reasons[..4],
        [
            "This is standby RM. The redirect url is: /ws",
            "Can not find any active RM. Will retry in next 3 seconds.",
            "status 503: wait",
            "no answer in time",
        ]
    );
    assert!(reasons[4].contains("refused"), "{}", reasons[4]);
    assert_eq!(misses[0].address, format!("http://{}/", standby.address));
}

#[tokio::test]
async fn responses_that_are_none_of_yarns_are_told() {
    let cases = [
        ("", "EOF"),
        ("<html>login</html>", "<html>login</html>"),
        (r#"{"apps": {"app": [{"id": "#, "EOF"),
        (
            r#"{"apps": {"app": [{"id": "x", "state": "S", "finalStatus": "F"}]}}"#,
            "not the id",
        ),
        (r#"{"apps": {"app": 3}}"#, "a list or an object"),
    ];
    for (text, expected) in cases {
        let manager = Daemon::start(move |_| Reply::Text(StatusCode::OK, text.to_owned())).await;
        let (cluster, _, _) = cluster(&[manager.address]);
        let error = cluster.find("t").await.unwrap_err();
        assert!(matches!(error, YarnError::Foreign { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_body_without_end_is_given_up() {
    let slow = Duration::from_mins(1);
    let manager = Daemon::start(|_| Reply::Endless(StatusCode::OK)).await;
    let (cluster, _, _) = with_properties(&[manager.address], slow, &[]);
    let error = cluster.find("t").await.unwrap_err().to_string();
    assert!(error.contains("more than 67108864 bytes"), "{error}");
    manager.now(|_| Reply::Endless(StatusCode::INTERNAL_SERVER_ERROR));
    let error = cluster.find("t").await.unwrap_err();
    assert!(
        matches!(&error, YarnError::Refused { status: 500, text, .. } if text.len() < 3_000),
        "{error}"
    );
}

#[tokio::test]
async fn a_kill_is_refused_in_yarns_words() {
    let text =
        "Unauthorized attempt to kill appid application_1700000000000_0007 by remote user livius";
    let manager = Daemon::start(|_| Reply::Text(StatusCode::FORBIDDEN, text.to_owned())).await;
    let (cluster, _, _) = cluster(&[manager.address]);
    let error = cluster.kill(id()).await.unwrap_err();
    assert!(matches!(&error, YarnError::Forbidden { text: said } if said == text));
    let asked = manager.asked();
    assert_eq!(
        asked,
        ["PUT /ws/v1/cluster/apps/application_1700000000000_0007/state?user.name=livius"]
    );
    manager.now(|_| refusal(404, "java.lang.Exception: app with id: x not found"));
    let error = cluster.kill(id()).await.unwrap_err();
    assert!(matches!(&error, YarnError::NotFound { text } if text == "app with id: x not found"));
    manager.now(|_| Reply::Text(StatusCode::UNAUTHORIZED, "no".to_owned()));
    let error = cluster.kill(id()).await.unwrap_err();
    assert!(
        matches!(error, YarnError::Unauthenticated { .. }),
        "{error}"
    );
    manager.now(|_| Reply::Json(json!({"state": "KILLING"})));
    cluster.kill(id()).await.unwrap();
}

#[tokio::test]
async fn every_resource_manager_tells_about_itself() {
    let standby = Daemon::start(|_| {
        Reply::Json(json!({"clusterInfo": {
            "hadoopVersion": "3.4.2", "state": "STARTED", "haState": "STANDBY",
        }}))
    })
    .await;
    let gone = Daemon::start(|_| Reply::Silence).await.stop().await;
    let (cluster, _, _) = cluster(&[gone, standby.address]);
    let reports = cluster.info().await;
    assert!(matches!(reports[0].info, Err(YarnError::Away(_))));
    let info = reports[1].info.as_ref().unwrap();
    assert_eq!(info.version, "3.4.2");
    assert_eq!(info.ha_state, "STANDBY");
}
