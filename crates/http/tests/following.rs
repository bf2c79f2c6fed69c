//! A reader follows a session: it waits for each change instead of asking again and again.

use futures_util::FutureExt as _;
use livius_domain::{Exit, SessionId, StatementId, StatementState};
use livius_sessions::{Caller, Change, SessionFeed, SessionRef};
use livius_testkit::World;

const S0: SessionRef = SessionRef::Id(SessionId(0));
const FIRST: StatementId = StatementId(0);

async fn follow(world: &World) -> SessionFeed {
    let caller = Caller::default();
    let feed = world.sessions().acting(&caller).follow(&S0).await.unwrap();
    feed.unwrap()
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
    let mut feed = follow(&world).await;
    let reading = async move {
        let mut changes = vec![seen(&feed)];
        while changes
            .last()
            .is_none_or(|last| last != "idle available 1.0")
        {
            assert_eq!(feed.changed().await, Change::Changed);
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
    let mut feed = follow(&world).await;
    world
        .post("/sessions/0/statements", r#"{"code":"1"}"#)
        .await;
    let (id, _) = agent.expect_run().await;
    agent.finished(id, "1").await;
    world.await_statement(SessionId(0), 0, "available").await;
    assert_eq!(feed.changed().now_or_never(), Some(Change::Changed));
    assert_eq!(seen(&feed), "idle available 1.0");
    assert_eq!(feed.changed().now_or_never(), None);
}

#[tokio::test]
async fn a_reader_is_told_of_the_end_and_waits_no_more() {
    let world = World::new().await;
    let _agent = world.idle_session(r#"{"kind":"spark"}"#).await;
    let mut feed = follow(&world).await;
    world.driver(SessionId(0)).await.1.exit(Exit::Code(1));
    while !feed.view().record.state.is_ended() {
        assert_eq!(feed.changed().await, Change::Changed);
    }
    while feed.changed().await == Change::Changed {}
    assert_eq!(feed.changed().await, Change::Ended);
}
