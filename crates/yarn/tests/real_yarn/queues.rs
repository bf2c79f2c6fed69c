//! Queues without room: applications wait, or the scheduler preempts others.

use livius_testkit::YarnCluster;
use livius_yarn::{Application, Attempt, FinalStatus, State};

use crate::Case;
use crate::world::{Request, Submitted, World};

pub const CASES: &[Case] = &[("a_wait_for_room_is_told", waits)];

/// A cluster of its own takes long to start, so these run if `LIVIUS_TEST_WHOLE` is set.
pub const WHOLE: &[Case] = &[("preemption_is_told", preemption)];

const SLEEPS: &str = "sleep 7531";

fn asking(queue: &'static str, megabytes: u32, attempts: u32) -> Request {
    Request {
        queue,
        attempts,
        megabytes,
        ..Request::of(SLEEPS)
    }
}

fn waits(world: &mut World) {
    let fills = world.submit(&asking("default", 6500, 1));
    world.started(&fills);
    let reasons = [
        // The masters of this queue may take 90 % of the cluster: 7424 of 8192.
        (
            world.submit(&asking("default", 1000, 1)),
            "Application is added to the scheduler and is not yet activated. Queue's AM resource limit exceeded.",
        ),
        (
            world.submit(&asking("etl", 1900, 1)),
            "Application is Activated, waiting for resources to be assigned for AM.",
        ),
    ];
    for (waits, reason) in &reasons {
        let application = until(world, waits, |app| app.diagnostics.contains(reason));
        assert_eq!(application.state, State::Accepted);
        assert_eq!(application.am_container(), None);
        println!("it waits: {}", application.diagnostics);
    }
    let told = world.wait(world.cluster.find(&fills.tag)).unwrap();
    assert!(!told[0].state.is_final(), "it was the reason: {told:?}");
    kill(world, &fills);
    for (waited, _) in &reasons {
        world.started(waited);
        kill(world, waited);
    }
}

fn preemption(_: &mut World) {
    let world = World::of(YarnCluster::start_preempting(&YarnCluster::jars().unwrap()));
    is_the_end(&world);
    begins_new_attempts(&world);
    world.stop();
}

/// An application with one attempt has ended.
fn is_the_end(world: &World) {
    let victim = world.submit(&asking("etl", 6000, 1));
    world.started(&victim);
    let other = world.submit(&asking("default", 3000, 1));
    let ended = world.ended(&victim);
    println!("it was preempted: {}", ended.diagnostics);
    assert_eq!(ended.state, State::Failed);
    assert_eq!(ended.final_status, FinalStatus::Failed);
    let reason = &ended.diagnostics;
    assert!(reason.contains("failed 1 times"), "{reason}");
    assert_preempted(reason);
    let attempts = attempts(world, &victim);
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0].container, ended.am_container());
    assert_preempted(&attempts[0].diagnostics);
    world.started(&other);
    kill(world, &other);
}

/// YARN does not count a preempted attempt, so an application with two attempts has a third one.
fn begins_new_attempts(world: &World) {
    let victim = world.submit(&asking("etl", 6000, 2));
    world.started(&victim);
    for number in 1..=2 {
        let other = world.submit(&asking("default", 3000, 1));
        let waits = until(world, &victim, |app| app.am_container().is_none());
        assert_eq!(waits.state, State::Accepted);
        // The application itself tells nothing of its last attempt.
        assert!(!waits.diagnostics.contains("-102"), "{waits:?}");
        let preempted = &attempts(world, &victim)[number - 1];
        assert_eq!(preempted.state.as_deref(), Some("FAILED"));
        println!("attempt {number} was preempted: {}", preempted.diagnostics);
        assert_preempted(&preempted.diagnostics);
        kill(world, &other);
        let again = world.started(&victim).am_container().unwrap();
        assert_eq!(again.attempt().map(|next| next as usize), Some(number + 1));
    }
    kill(world, &victim);
}

fn assert_preempted(reason: &str) {
    assert!(reason.contains("exitCode: -102"), "{reason}");
    assert!(
        reason.contains("Container preempted by scheduler"),
        "{reason}"
    );
}

fn until(
    world: &World,
    submitted: &Submitted,
    mut wanted: impl FnMut(&Application) -> bool,
) -> Application {
    let mut follower = world.cluster.follow(&submitted.tag);
    let seen = world.until(&mut follower, |seen| {
        seen.application.as_ref().is_some_and(&mut wanted)
    });
    seen.application.unwrap()
}

fn attempts(world: &World, submitted: &Submitted) -> Vec<Attempt> {
    world.wait(world.cluster.attempts(submitted.id)).unwrap()
}

fn kill(world: &World, submitted: &Submitted) {
    world.wait(world.cluster.kill(submitted.id)).unwrap();
    assert_eq!(world.ended(submitted).state, State::Killed);
}
