//! Applications end in every way that needs no Spark, and YARN tells why.

use livius_testkit::YarnCluster;
use livius_yarn::{FinalStatus, State, YarnError};

use crate::Case;
use crate::world::{ALICE, Request, World};

pub const CASES: &[Case] = &[
    ("failed_after_two_attempts", failed),
    ("killed_by_its_owner_and_not_by_a_stranger", killed),
    ("killed_by_the_memory_limit", out_of_memory),
    ("of_an_unknown_queue", unknown_queue),
    ("of_a_closed_queue", closed_queue),
];

fn failed(world: &mut World) {
    let application = Request {
        attempts: 2,
        ..Request::of("echo an error >&2; exit 3")
    };
    let submitted = world.submit(&application);
    let ended = world.ended(&submitted);
    assert_eq!(ended.state, State::Failed);
    assert_eq!(ended.final_status, FinalStatus::Failed);
    assert_eq!(ended.user, ALICE);
    assert_eq!(ended.queue, "root.default");
    assert_eq!(
        ended.tags,
        ["livius", &submitted.tag].map(str::to_owned).into()
    );
    assert!(ended.started < ended.finished && ended.started.is_some());
    let reason = &ended.diagnostics;
    assert!(reason.contains("failed 2 times"), "{reason}");
    assert!(reason.contains("exitCode: 3"), "{reason}");

    let attempts = world.wait(world.cluster.attempts(submitted.id)).unwrap();
    let numbers: Vec<u32> = attempts.iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, [1, 2]);
    for attempt in &attempts {
        assert_eq!(attempt.state.as_deref(), Some("FAILED"));
        let reason = &attempt.diagnostics;
        assert!(reason.contains("exitCode: 3"), "{reason}");
        assert!(attempt.started < attempt.finished);
    }
    assert_ne!(attempts[0].container, attempts[1].container);
    assert_eq!(attempts[1].container, ended.am_container());
}

fn killed(world: &mut World) {
    let submitted = world.submit(&Request::of("sleep 6543"));
    let started = world.started(&submitted);
    assert!(!started.state.is_final());
    let sleeps = |world: &World| {
        let containers = world.yarn.containers();
        containers.iter().any(|command| command == "sleep 6543 ")
    };
    world.eventually(|| {
        let started = sleeps(world);
        async move {
            let text = "it does not sleep yet".to_owned();
            started.then_some(()).ok_or(YarnError::NotFound { text })
        }
    });

    let stranger = world.client("stranger");
    let error = world.wait(stranger.kill(submitted.id)).unwrap_err();
    assert!(
        matches!(&error, YarnError::Forbidden { text } if text.contains("by remote user stranger")),
        "{error}"
    );
    let seen = world.wait(stranger.find(&submitted.tag)).unwrap();
    assert_eq!(seen[0].id, submitted.id);
    assert_eq!(seen[0].started, None, "a stranger sees the state alone");
    assert_eq!(seen[0].am_container(), None);

    let alice = world.client(ALICE);
    world.wait(alice.kill(submitted.id)).unwrap();
    let ended = world.ended(&submitted);
    assert_eq!(ended.state, State::Killed);
    assert_eq!(ended.final_status, FinalStatus::Killed);
    let reason = &ended.diagnostics;
    assert!(reason.contains("was killed by user alice"), "{reason}");
    world.wait(alice.kill(submitted.id)).unwrap();
    world.eventually(|| {
        let ended = !sleeps(world);
        async move {
            let text = "its container runs".to_owned();
            ended.then_some(()).ok_or(YarnError::NotFound { text })
        }
    });
    let never = "application_1_0001".parse().unwrap();
    let error = world.wait(alice.kill(never)).unwrap_err();
    assert!(matches!(error, YarnError::NotFound { .. }), "{error}");
}

fn out_of_memory(world: &mut World) {
    // `tail` keeps a line without end in its memory.
    let submitted = world.submit(&Request::of("(head -c 400M /dev/zero; sleep 100) | tail"));
    let ended = world.ended(&submitted);
    assert_eq!(ended.state, State::Failed);
    let reason = &ended.diagnostics;
    assert!(
        reason.contains("beyond the 'PHYSICAL' memory limit"),
        "{reason}"
    );
    assert!(reason.contains("exitCode: -104"), "{reason}");
}

fn unknown_queue(world: &mut World) {
    let submitted = world.submit(&Request {
        queue: "nosuch",
        ..Request::of("true")
    });
    let ended = world.ended(&submitted);
    assert_eq!(ended.state, State::Failed);
    assert_eq!(ended.queue, "nosuch");
    let reason = &ended.diagnostics;
    assert!(
        reason.ends_with("submitted by user alice to unknown queue: nosuch"),
        "{reason}"
    );
    let attempts = world.wait(world.cluster.attempts(submitted.id)).unwrap();
    assert!(attempts.is_empty());
}

fn closed_queue(world: &mut World) {
    let refused = world.try_submit(&Request {
        queue: YarnCluster::CLOSED_QUEUE,
        ..Request::of("true")
    });
    let Err((submitted, text)) = refused else {
        panic!("a closed queue took an application");
    };
    assert!(
        text.contains("does not have permission to submit"),
        "{text}"
    );
    // YARN has no application then. A full list proves it.
    let mut follower = world.cluster.follow(&submitted.tag);
    let seen = world.wait(follower.refreshed()).unwrap();
    assert!(seen.is_absent());
}
