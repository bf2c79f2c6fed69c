//! A reader follows a session: it waits for each change instead of asking again and again.

use std::time::Duration;

use livius_domain::{Exit, SessionId, StatementId, StatementState};
use livius_sessions::{Caller, SessionFeed, SessionRef};
use livius_testkit::World;
use tokio::time::Instant;

const S0: SessionRef = SessionRef::Id(SessionId(0));
const FIRST: StatementId = StatementId(0);

async fn follow(world: &World) -> SessionFeed {
    let caller = Caller::default();
    let feed = world.sessions().acting(&caller).follow(&S0).await.unwrap();
    feed.unwrap()
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

/// The state of the first statement, in one word.
fn seen(feed: &SessionFeed) -> String {
    let busy = if feed.view().busy { "busy" } else { "idle" };
    match feed.statement(FIRST) {
        None => busy.to_owned(),
        Some(statement) => {
            let state = match statement.record.state {
                StatementState::Waiting => "waiting",
                StatementState::Running { started: None } => "sent",
                StatementState::Running { .. } => "running",
                StatementState::Cancelling { .. } => "cancelling",
                StatementState::Available { .. } => "available",
                StatementState::Cancelled { .. } => "cancelled",
            };
            format!("{busy} {state} {:.1}", statement.progress)
        }
    }
}

#[tokio::test]
async fn a_reader_that_waits_sees_each_change_in_order() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"spark"}"#).await;
    let feed = follow(&world).await;
    let reading = async move {
        let (mut version, mut changes) = (feed.version(), vec![seen(&feed)]);
        while changes
            .last()
            .is_none_or(|last| last != "idle available 1.0")
        {
            version = feed.wait_past(version, soon()).await.unwrap();
            let now = seen(&feed);
            if changes.last() != Some(&now) {
                changes.push(now);
            }
        }
        changes
    };
    let running = async {
        world
            .post("/sessions/0/statements", r#"{"code":"1"}"#)
            .await;
        let (id, _) = agent.expect_run().await;
        agent.started(id).await;
        world.await_statement(SessionId(0), 0, "running").await;
        agent.progress(id, 0.5).await;
        agent.finished(id, "1").await;
    };
    let (changes, ()) = tokio::join!(reading, running);
    let order = ["idle", "busy running 0.0", "idle available 1.0"];
    let mut rest = changes.iter();
    for expected in order {
        assert!(
            rest.any(|change| change == expected),
            "{expected} in {changes:?}"
        );
    }
}

#[tokio::test]
async fn a_slow_reader_sees_the_newest_at_once() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"spark"}"#).await;
    let feed = follow(&world).await;
    let version = feed.version();
    world
        .post("/sessions/0/statements", r#"{"code":"1"}"#)
        .await;
    let (id, _) = agent.expect_run().await;
    agent.finished(id, "1").await;
    world.await_statement(SessionId(0), 0, "available").await;
    let newer = feed.wait_past(version, Instant::now()).await.unwrap();
    assert!(newer > version);
    assert_eq!(seen(&feed), "idle available 1.0");
    assert_eq!(feed.wait_past(newer, Instant::now()).await, None);
}

#[tokio::test]
async fn a_reader_is_told_of_the_end_and_waits_no_more() {
    let world = World::new().await;
    let _agent = world.idle_session(r#"{"kind":"spark"}"#).await;
    let feed = follow(&world).await;
    world.driver(SessionId(0)).await.1.exit(Exit::Code(1));
    let mut version = feed.version();
    while !feed.view().record.state.is_ended() {
        version = feed.wait_past(version, soon()).await.unwrap();
    }
    assert_eq!(feed.wait_past(version, soon()).await, None);
}
