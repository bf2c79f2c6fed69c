//! Logs of containers.

use futures_util::StreamExt as _;
use livius_kubernetes::{DriverPod, KubernetesError, LogLine};

use crate::Case;
use crate::world::{MAIN, World};

pub const CASES: &[Case] = &[
    ("a_log_with_times_and_a_last_line_without_newline", whole),
    (
        "a_log_that_is_followed_to_the_end_of_its_container",
        followed,
    ),
    ("a_log_that_does_not_exist", missing),
];

fn texts(lines: &[LogLine]) -> Vec<String> {
    let texts = lines
        .iter()
        .map(|line| String::from_utf8_lossy(&line.text).into_owned());
    texts.collect()
}

fn whole(world: &mut World) {
    world.create("b-8", "seq 3; sleep 2; printf four");
    let ended = world.ended("b-8");
    let lines = world.log(&ended);
    assert_eq!(texts(&lines), ["1", "2", "3", "four"]);
    assert!(lines.iter().all(|line| line.at >= ended.created));
    assert!(lines.is_sorted_by_key(|line| line.at));
    let since = lines[3].at;
    let late: Vec<LogLine> = world.wait(async {
        let log = world
            .namespace
            .log(&ended, MAIN, since, false)
            .await
            .unwrap();
        log.map(Result::unwrap).collect().await
    });
    assert_eq!(late.last().map(|line| line.at), Some(since));
    assert!(late.len() < 4, "{late:?}");
    world.delete("b-8");
}

fn followed(world: &mut World) {
    world.create("b-9", "echo one; sleep 2; echo two; exit 4");
    let running = world.started("b-9");
    let lines: Vec<LogLine> = world.wait(async {
        let log = world
            .namespace
            .log(&running, MAIN, None, true)
            .await
            .unwrap();
        log.map(Result::unwrap).collect().await
    });
    assert_eq!(texts(&lines), ["one", "two"]);
    assert!(lines.iter().all(|line| line.ends));
    world.delete("b-9");
}

fn missing(world: &mut World) {
    world.create_changed("b-10", "true", |pod| {
        pod["spec"]["containers"][0]["image"] = serde_json::json!("livius.test/none:1");
    });
    let mut follower = world.namespace.follow("b-10");
    let seen = world.until(&mut follower, |seen| {
        seen.pod.as_ref().is_some_and(|pod| pod.node.is_some())
    });
    let waiting = seen.pod.unwrap();
    let error = world
        .wait(world.namespace.log(&waiting, MAIN, None, true))
        .err()
        .unwrap();
    assert!(
        matches!(error, KubernetesError::Refused { status: 400, .. }),
        "{error}"
    );
    let error = world
        .wait(world.namespace.log(&waiting, "other", None, true))
        .err()
        .unwrap();
    assert!(
        matches!(error, KubernetesError::Refused { status: 400, .. }),
        "{error}"
    );
    let gone = DriverPod {
        name: "gone".to_owned(),
        ..waiting
    };
    let error = world
        .wait(world.namespace.log(&gone, MAIN, None, true))
        .err()
        .unwrap();
    assert!(matches!(error, KubernetesError::NotFound { .. }), "{error}");
    world.delete("b-10");
}
