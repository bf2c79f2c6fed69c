//! Followers, and the watcher that serves them.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use livius_domain::Clock as _;
use livius_yarn::{Follower, State, Watcher};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::daemon::{Daemon, Reply, app, cluster, list};

/// The watcher in a task that ends with the test.
fn run(watcher: Watcher) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(watcher.run());
    tasks
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what)
        .await
        .expect("it happens soon")
}

/// The applications of a daemon, which the test changes.
type Apps = Arc<Mutex<Vec<Value>>>;

async fn manager(apps: &[Value]) -> (Daemon, Apps) {
    let apps: Apps = Arc::new(Mutex::new(apps.to_vec()));
    let current = Arc::clone(&apps);
    let daemon = Daemon::start(move |_| list(&current.lock().unwrap())).await;
    (daemon, apps)
}

fn sequence(follower: &Follower) -> Option<String> {
    let app = follower.seen().application?;
    Some(app.id.to_string()["application_1700000000000_".len()..].to_owned())
}

#[tokio::test]
async fn a_follower_sees_its_application_come_change_and_vanish() {
    let (manager, apps) = manager(&[app(1, "other", "RUNNING")]).await;
    let (cluster, watcher, _) = cluster(&[manager.address]);
    let mut follower = cluster.follow("Livius-Driver-B-1");
    assert_eq!(follower.tag(), "livius-driver-b-1");
    assert!(!follower.seen().is_absent(), "nobody has looked yet");
    let _task = run(watcher);
    let seen = soon(follower.changed()).await;
    assert!(seen.is_absent() && seen.application.is_none());

    let tags = "livius,livius-driver-b-1";
    apps.lock().unwrap().push(app(2, tags, "ACCEPTED"));
    let seen = soon(follower.changed()).await;
    assert_eq!(seen.application.unwrap().state, State::Accepted);
    assert!(seen.is_listed);

    apps.lock().unwrap()[1] = app(2, tags, "A_NEW_STATE");
    let seen = soon(follower.changed()).await;
    let state = seen.application.unwrap().state;
    assert_eq!(state, State::Other("A_NEW_STATE".to_owned()));
    assert!(!state.is_final());

    apps.lock().unwrap().clear();
    let seen = soon(follower.changed()).await;
    assert!(seen.is_absent(), "the cluster has forgotten it");
    assert!(seen.application.is_some(), "and we have not");
}

#[tokio::test]
async fn the_newest_of_several_applications_is_seen_and_no_older_one_replaces_it() {
    let (manager, apps) = manager(&[app(3, "t", "RUNNING"), app(2, "t", "FAILED")]).await;
    let (cluster, watcher, _) = cluster(&[manager.address]);
    let mut follower = cluster.follow("t");
    let _task = run(watcher);
    soon(follower.changed()).await;
    assert_eq!(sequence(&follower).unwrap(), "0003");
    apps.lock().unwrap().remove(0);
    let seen = soon(follower.changed()).await;
    assert_eq!(sequence(&follower).unwrap(), "0003");
    assert!(!seen.is_listed);
}

#[tokio::test]
async fn an_outage_freezes_what_is_seen_and_ends() {
    let (manager, _) = manager(&[app(1, "t", "RUNNING")]).await;
    let (cluster, watcher, clock) = cluster(&[manager.address]);
    let mut follower = cluster.follow("t");
    let _task = run(watcher);
    let before = soon(follower.until(|seen| seen.is_listed)).await;

    let begun = clock.now();
    let address = manager.stop().await;
    let seen = soon(follower.until(|seen| seen.outage.is_some())).await;
    assert_eq!(seen.application, before.application);
    assert!(seen.is_listed && !seen.is_absent());
    clock.advance(Duration::from_mins(1));
    let outage = soon(follower.refreshed()).await.unwrap_err();
    assert_eq!(outage.since, begun, "an outage keeps its start");
    assert!(outage.error.contains("refused"), "{}", outage.error);

    let hanging = Daemon::start_at(address, |_| Reply::Silence).await;
    let outage = soon(follower.refreshed()).await.unwrap_err();
    assert_eq!(outage.since, begun);
    assert!(
        outage.error.contains("no answer in time"),
        "{}",
        outage.error
    );

    hanging.now(|_| Reply::Text(StatusCode::OK, "<html>".to_owned()));
    let outage = soon(follower.refreshed()).await.unwrap_err();
    assert!(outage.error.contains("<html>"), "{}", outage.error);

    hanging.now(|_| list(&[app(1, "t", "FINISHED")]));
    let seen = soon(follower.until(|seen| seen.outage.is_none())).await;
    assert!(seen.application.unwrap().state.is_final());
}

#[tokio::test]
async fn a_refreshed_view_has_everything_that_happened_before() {
    let (manager, apps) = manager(&[]).await;
    let (cluster, watcher, _) = cluster(&[manager.address]);
    let mut follower = cluster.follow("t");
    let _task = run(watcher);
    for sequence in 1..20 {
        apps.lock().unwrap().push(app(sequence, "t", "RUNNING"));
        let seen = soon(follower.refreshed()).await.unwrap();
        let id = seen.application.unwrap().id.to_string();
        assert_eq!(id, format!("application_1700000000000_{sequence:04}"));
    }
}

#[tokio::test]
async fn one_request_serves_a_hundred_followers() {
    let (manager, _) = manager(&[app(1, "t-0,t-249", "RUNNING")]).await;
    let (cluster, watcher, _) = cluster(&[manager.address]);
    let followers: Vec<Follower> = (0..250)
        .map(|number| cluster.follow(&format!("t-{number}")))
        .collect();
    let _task = run(watcher);
    for mut follower in followers {
        let seen = soon(follower.until(|seen| seen.looks > 1)).await;
        let tagged = ["t-0", "t-249"].contains(&follower.tag());
        assert_eq!(seen.is_listed, tagged, "{}", follower.tag());
        // The set that is followed stays the same until all have looked twice.
        std::mem::forget(follower);
    }
    let asked = manager.asked();
    let rounds = asked.len() / 3;
    assert!((2..10).contains(&rounds), "{} requests", asked.len());
    let mut tags: Vec<&str> = asked[..3]
        .iter()
        .flat_map(|line| {
            let (_, rest) = line.split_once("applicationTags=").unwrap();
            rest.split('&').next().unwrap().split("%2C")
        })
        .collect();
    tags.sort_unstable();
    tags.dedup();
    assert_eq!(tags.len(), 250);
}

#[tokio::test]
async fn followers_of_one_tag_share_it() {
    let (manager, _) = manager(&[app(1, "t", "RUNNING")]).await;
    let (cluster, watcher, _) = cluster(&[manager.address]);
    let (mut one, mut other) = (cluster.follow("t"), cluster.follow("T"));
    let _task = run(watcher);
    assert!(soon(one.changed()).await.is_listed);
    drop(one);
    soon(other.refreshed()).await.unwrap();
    assert!(soon(other.changed()).await.is_listed);
    let first = &manager.asked()[0];
    assert!(first.contains("applicationTags=t&"), "{first}");
}

#[tokio::test]
async fn without_followers_the_cluster_is_left_alone() {
    let (manager, _) = manager(&[]).await;
    let (cluster, watcher, _) = cluster(&[manager.address]);
    let _task = run(watcher);
    let mut follower = cluster.follow("a");
    soon(follower.changed()).await;
    drop(follower);
    // Another round may have begun before. Its pause is over after two ticks.
    tokio::time::sleep(Duration::from_millis(700)).await;
    let asked = manager.asked().len();
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(manager.asked().len(), asked);
    let mut follower = cluster.follow("b");
    soon(follower.changed()).await;
    assert!(manager.asked()[asked].contains("applicationTags=b&"));
}

#[tokio::test]
async fn the_watcher_ends_with_the_last_handle() {
    let (manager, _) = manager(&[]).await;
    let (cluster, watcher, _) = cluster(&[manager.address]);
    let mut tasks = run(watcher);
    let mut follower = cluster.follow("t");
    drop(cluster);
    soon(follower.changed()).await;
    drop(follower);
    soon(tasks.join_next()).await.unwrap().unwrap();
}
