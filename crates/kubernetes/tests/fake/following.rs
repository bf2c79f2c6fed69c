//! Followers, and the watch that serves them.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use livius_domain::Clock as _;
use livius_kubernetes::{Follower, Phase, Seen};
use serde_json::json;

use crate::server::{Server, gone, status};
use crate::world::{OTHER, World, eventually, executor, pod, soon};

fn phase(seen: &Seen) -> Option<Phase> {
    Some(seen.pod.as_ref()?.phase.clone())
}

async fn until_phase(follower: &mut Follower, wanted: Phase) -> Seen {
    soon(follower.until(|seen| phase(seen).as_ref() == Some(&wanted))).await
}

#[tokio::test]
async fn a_follower_sees_its_pod_come_change_and_vanish() {
    let (mut world, watch) = World::resting().await;
    world.put_pod("b-2", "Running");
    let mut follower = world.namespace.follow("b-1");
    assert_eq!(follower.driver(), "b-1");
    assert!(!follower.seen().is_absent(), "no list was read yet");
    world.tasks.spawn(watch.run());
    let seen = soon(follower.changed()).await;
    assert!(seen.is_absent() && seen.last.is_none());

    world.put_pod("b-1", "Pending");
    let seen = soon(follower.changed()).await;
    assert_eq!(phase(&seen), Some(Phase::Pending));
    world.put_pod("b-2", "Failed");
    world.put_pod("b-1", "Running");
    let seen = soon(follower.changed()).await;
    assert_eq!(phase(&seen), Some(Phase::Running));

    world.remove_pod("b-1");
    let seen = soon(follower.until(Seen::is_absent)).await;
    assert_eq!(seen.last.unwrap().phase, Phase::Running);
    assert_eq!((world.lists(), world.watches()), (1, 1));
    let list = &world.state.asked()[0];
    assert_eq!(list.value("limit"), Some("500"));
    assert_eq!(
        list.value("labelSelector"),
        Some("livius/server=5e5e5e5e5e5e5e5e,spark-role=driver")
    );
    assert_eq!(
        list.value("resourceVersion"),
        None,
        "an old state is no proof"
    );
    let version = concat!("livius/", env!("CARGO_PKG_VERSION"));
    assert!(
        world
            .state
            .asked()
            .iter()
            .all(|asked| asked.user_agent == version)
    );
    assert!(world.state.asked().iter().all(|asked| !asked.is_authorized));
}

#[tokio::test]
async fn only_driver_pods_of_our_server_are_seen() {
    let world = World::start().await;
    let others = [
        pod("theirs", OTHER, "b-1", "Running"),
        executor("executor", crate::world::OURS, "b-1"),
    ];
    for other in others {
        world.state.change(|store| store.put("pods", other));
    }
    let mut follower = world.namespace.follow("b-1");
    assert!(soon(follower.changed()).await.is_absent());
    let theirs = pod("theirs", OTHER, "b-1", "Failed");
    world.state.change(|store| store.put("pods", theirs));
    world.put_pod("b-1", "Pending");
    let seen = soon(follower.changed()).await;
    assert_eq!(seen.pod.unwrap().name, "livius-b-1");
}

#[tokio::test]
async fn executors_are_told_by_a_watch_of_their_own() {
    let world = World::start().await;
    let mut executors = world.namespace.follow_executors("b-1");
    assert!(soon(executors.changed()).await.is_absent());
    world.put_pod("b-1", "Running");
    let put = |name: &str, server: &str, driver: &str| {
        let pod = executor(name, server, driver);
        world.state.change(|store| store.put("pods", pod));
    };
    put("theirs", OTHER, "b-1");
    put("of-another", crate::world::OURS, "b-2");
    put("e1", crate::world::OURS, "b-1");
    put("e2", crate::world::OURS, "b-1");
    let seen = soon(executors.until(|seen| seen.all.len() == 2)).await;
    let names: Vec<&str> = seen.all.iter().map(|pod| &*pod.name).collect();
    assert_eq!(names, ["e1", "e2"]);
    world.state.change(|store| store.remove("pods", "e1"));
    let seen = soon(executors.until(|seen| seen.all.len() == 1)).await;
    assert_eq!(seen.all[0].name, "e2");
    // No list of drivers has executors, and the other way round.
    assert_eq!((world.lists(), world.watches()), (1, 1));
    let list = &world.state.asked()[0];
    let selector = "livius/server=5e5e5e5e5e5e5e5e,spark-role=executor";
    assert_eq!(list.value("labelSelector"), Some(selector));
}

#[tokio::test]
async fn the_last_state_of_a_deleted_pod_is_known() {
    let world = World::start().await;
    world.put_pod("b-1", "Running");
    let mut follower = world.namespace.follow("b-1");
    until_phase(&mut follower, Phase::Running).await;
    // A node that ends a deleted pod reports its end with the deletion.
    world.state.change(|store| {
        let mut last = store.get("pods", "livius-b-1").unwrap().clone();
        last["status"]["phase"] = json!("Failed");
        store.put("pods", last);
        store.remove("pods", "livius-b-1")
    });
    let seen = soon(follower.until(Seen::is_absent)).await;
    assert_eq!(seen.last.unwrap().phase, Phase::Failed);
}

#[tokio::test]
async fn the_newest_of_several_pods_is_seen_and_no_older_one_replaces_it() {
    let world = World::start().await;
    let put = |name: &str, created: &str| {
        let mut one = pod(name, crate::world::OURS, "b-1", "Running");
        one["metadata"]["creationTimestamp"] = json!(created);
        world.state.change(|store| store.put("pods", one));
    };
    put("new", "2026-11-30T14:00:02Z");
    put("old", "2026-11-30T14:00:01Z");
    let mut follower = world.namespace.follow("b-1");
    let seen = soon(follower.changed()).await;
    assert_eq!(seen.pod.unwrap().name, "new");
    world.state.change(|store| store.remove("pods", "new"));
    let seen = soon(follower.until(Seen::is_absent)).await;
    assert_eq!(seen.last.unwrap().name, "new");
    put("newest", "2026-11-30T14:00:03Z");
    let seen = soon(follower.until(|seen| seen.pod.is_some())).await;
    assert_eq!(seen.pod.unwrap().name, "newest");
}

#[tokio::test]
async fn an_outage_freezes_what_is_seen_and_ends() {
    let world = World::start().await;
    world.put_pod("b-1", "Running");
    let mut follower = world.namespace.follow("b-1");
    let before = until_phase(&mut follower, Phase::Running).await;

    let World {
        state,
        server,
        clock,
        ..
    } = world;
    let begun = clock.now();
    let address = server.stop(&state).await;
    let seen = soon(follower.until(|seen| seen.outage.is_some())).await;
    assert_eq!(seen.pod, before.pod);
    assert!(!seen.is_absent());
    clock.advance(Duration::from_mins(1));
    let outage = soon(follower.refreshed()).await.unwrap_err();
    assert_eq!(outage.since, begun, "an outage keeps its start");
    assert!(outage.error.contains("refused"), "{}", outage.error);

    state.fault(|_| Some(status(503, "etcd is away")));
    let _server = Server::start_at(address, &state).await;
    let outage = soon(follower.refreshed()).await.unwrap_err();
    assert_eq!(outage.since, begun);
    assert!(
        outage.error.contains("status 503: etcd is away"),
        "{}",
        outage.error
    );

    state.fault(|_| Some("<html>".into_response()));
    let outage = soon(follower.refreshed()).await.unwrap_err();
    assert!(
        outage.error.contains("does not answer as Kubernetes does"),
        "{}",
        outage.error
    );

    state.fault(|_| Some(status(403, "pods is forbidden: User \"x\" cannot list")));
    let outage = soon(follower.refreshed()).await.unwrap_err();
    assert!(outage.error.contains("cannot list"), "{}", outage.error);

    // During the outage the pod has ended and was deleted.
    state.change(|store| store.remove("pods", "livius-b-1"));
    state.no_fault();
    let seen = soon(follower.until(|seen| seen.outage.is_none())).await;
    assert!(seen.is_absent());
    assert_eq!(seen.last, before.pod);
}

#[tokio::test]
async fn one_pod_that_cannot_be_read_proves_nothing_about_the_others() {
    let world = World::start().await;
    let mut broken = pod("broken", crate::world::OURS, "b-2", "Running");
    broken["spec"]["containers"] = json!("none");
    world.state.change(|store| store.put("pods", broken));
    let mut follower = world.namespace.follow("b-1");
    let seen = soon(follower.changed()).await;
    assert!(seen.outage.is_some() && !seen.is_absent() && seen.looks == 0);
}

#[tokio::test]
async fn a_history_that_the_server_forgot_is_no_outage() {
    let world = World::start().await;
    let mut follower = world.namespace.follow("b-1");
    soon(follower.changed()).await;
    // The watch breaks, and cannot go on from where it was.
    world.state.fault(|asked| asked.is_watch().then(gone));
    world.state.change(|store| {
        store.breaks += 1;
        store.forgotten = u64::MAX;
    });
    eventually("a second watch", || world.watches() >= 2).await;
    world.put_pod("b-1", "Running");
    world.state.no_fault();
    // The same as an event within the watch.
    eventually("a third watch", || world.watches() >= 3).await;
    world.state.change(|store| store.forgotten = 0);
    let seen = soon(follower.changed()).await;
    assert_eq!(phase(&seen), Some(Phase::Running));
    assert_eq!(seen.outage, None);
    assert!(seen.looks >= 2);
}

#[tokio::test]
async fn a_watch_that_breaks_is_no_outage_and_loses_nothing() {
    let world = World::start().await;
    let mut follower = world.namespace.follow("b-1");
    soon(follower.changed()).await;
    for phase in [Phase::Pending, Phase::Running, Phase::Failed] {
        world.state.break_watches();
        world.put_pod("b-1", &format!("{phase:?}"));
        let seen = soon(follower.changed()).await;
        assert_eq!(seen.outage, None);
        assert_eq!(seen.pod.unwrap().phase, phase);
    }
}

#[tokio::test]
async fn a_refreshed_view_has_everything_that_happened_before() {
    let (mut world, watch) = World::resting().await;
    // A server whose watches tell nothing.
    world.state.fault(|asked| {
        asked.is_watch().then(|| {
            let silent = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
            axum::body::Body::from_stream(silent).into_response()
        })
    });
    let mut follower = world.namespace.follow("b-1");
    world.tasks.spawn(watch.run());
    for phase in [Phase::Pending, Phase::Running, Phase::Succeeded] {
        world.put_pod("b-1", &format!("{phase:?}"));
        let seen = soon(follower.refreshed()).await.unwrap();
        assert_eq!(seen.pod.unwrap().phase, phase);
    }
    world.remove_pod("b-1");
    assert!(soon(follower.refreshed()).await.unwrap().is_absent());
}

#[tokio::test]
async fn one_list_and_one_watch_serve_all_followers() {
    let (mut world, watch) = World::resting().await;
    for number in 0..1_200 {
        world.put_pod(&format!("b-{number}"), "Running");
    }
    let drivers: Vec<String> = (0..1_250).map(|number| format!("b-{number}")).collect();
    let followers = drivers.iter().map(|driver| world.namespace.follow(driver));
    let followers: Vec<Follower> = followers.collect();
    world.tasks.spawn(watch.run());
    let asked = followers.into_iter().map(async |mut follower| {
        let seen = soon(follower.refreshed()).await.unwrap();
        // The set that is followed stays the same.
        (follower, seen)
    });
    let answers = futures_util::future::join_all(asked).await;
    for (number, (_, seen)) in answers.iter().enumerate() {
        assert_eq!(seen.is_absent(), number >= 1_200, "{number}");
    }
    let lists = world.state.asked();
    let first = lists
        .iter()
        .filter(|asked| asked.value("continue").is_none() && !asked.is_watch());
    let first = first.count();
    // Each has asked for a list of its own. They asked at once, so they share one.
    assert!((1..=2).contains(&first), "{first} lists");
    let pages = world.lists();
    assert_eq!(pages, first * 3, "pages of 500");
    // A follower of a driver that the watch knows already is served at once.
    let mut late = world.namespace.follow("b-7");
    assert_eq!(phase(&late.seen()), Some(Phase::Running));
    assert!(soon(late.changed()).await.looks > 0);
    assert_eq!(world.lists(), pages);
}

#[tokio::test]
async fn a_list_whose_next_page_is_gone_begins_again() {
    let (mut world, watch) = World::resting().await;
    for number in 0..600 {
        world.put_pod(&format!("b-{number}"), "Running");
    }
    world
        .state
        .fault(|asked| asked.value("continue").map(|_| gone()));
    let mut follower = world.namespace.follow("b-599");
    world.tasks.spawn(watch.run());
    eventually("two lists began", || world.lists() >= 3).await;
    assert_eq!(
        follower.seen(),
        Seen::default(),
        "half a list proves nothing"
    );
    world.state.no_fault();
    let seen = soon(follower.changed()).await;
    assert_eq!(phase(&seen), Some(Phase::Running));
}

#[tokio::test]
async fn followers_of_one_driver_share_its_news() {
    let world = World::start().await;
    let (mut one, mut other) = (world.namespace.follow("b-1"), world.namespace.follow("b-1"));
    soon(one.changed()).await;
    drop(one);
    soon(other.changed()).await;
    world.put_pod("b-1", "Running");
    assert_eq!(phase(&soon(other.changed()).await), Some(Phase::Running));
}

#[tokio::test]
async fn without_followers_the_server_is_left_alone() {
    let world = World::start().await;
    assert!(world.state.asked().is_empty());
    let mut follower = world.namespace.follow("b-1");
    soon(follower.changed()).await;
    drop(follower);
    // The next one comes soon, and finds the watch as it was.
    let mut follower = world.namespace.follow("b-1");
    soon(follower.changed()).await;
    assert_eq!(world.lists(), 1);
    drop(follower);
    // The watch rests when its news have no listener any more.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let asked = world.state.asked().len();
    world.put_pod("b-1", "Running");
    let mut follower = world.namespace.follow("b-1");
    let seen = follower.seen();
    assert_eq!(
        (seen.looks, seen.last),
        (0, None),
        "the old knowledge is forgotten"
    );
    let seen = soon(follower.changed()).await;
    assert_eq!(phase(&seen), Some(Phase::Running));
    assert_eq!(world.lists(), 2);
    assert_eq!(asked, 2);
}

#[tokio::test]
async fn the_watch_ends_with_the_last_handle() {
    let World {
        namespace,
        mut tasks,
        server,
        ..
    } = World::start().await;
    let mut follower = namespace.follow("b-1");
    drop(namespace);
    soon(follower.changed()).await;
    drop(follower);
    soon(tasks.join_next()).await.unwrap().unwrap();
    drop(server);
    let World {
        namespace,
        mut tasks,
        ..
    } = World::start().await;
    drop(namespace);
    soon(tasks.join_next()).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_server_that_refuses_from_the_start_is_an_outage() {
    let world = World::start().await;
    world
        .state
        .fault(|_| Some((StatusCode::UNAUTHORIZED, "Unauthorized").into_response()));
    let mut follower = world.namespace.follow("b-1");
    let outage = soon(follower.refreshed()).await.unwrap_err();
    assert!(
        outage.error.contains("status 401: Unauthorized"),
        "{}",
        outage.error
    );
}
