//! Events: none is skipped, none counts twice, a fault of the agent's ends in words, and no text of
//! the agent's is believed unseen.

use livius_agent_link::Event;
use livius_domain::{AppInfo, Exit, SessionId, StatementId};
use livius_testkit::{ScriptedAgent, World};
use serde_json::Value;

const S0: SessionId = SessionId(0);

fn piece(statement: StatementId, index: u32, text: &str) -> Event {
    Event::Chunk {
        statement,
        index,
        text: text.to_owned(),
    }
}

fn finished(statement: StatementId, chunks: u32) -> Event {
    Event::Finished {
        statement,
        at: 1_700_000_000_200,
        cancelled: false,
        output: None,
        chunks,
    }
}

async fn running() -> (World, ScriptedAgent, StatementId) {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    world.run("x").await;
    let (id, _) = agent.expect_run().await;
    (world, agent, id)
}

async fn output(world: &World) -> Value {
    world.await_statement(S0, 0, "available").await["output"].clone()
}

#[tokio::test]
async fn an_event_lost_on_the_way_is_missed_and_said_again() {
    let (world, mut agent, id) = running().await;
    agent.started(id).await;
    agent.say(piece(id, 0, r#"{"status":"ok","#)).await;
    agent.lose(piece(id, 1, r#""data":{}}"#));
    agent.say(finished(id, 2)).await;
    agent.hung_up().await;
    world.await_statement(S0, 0, "running").await;
    agent.reconnect(&world).await;
    assert_eq!(output(&world).await["status"], "ok");
    agent.settled().await;
}

#[tokio::test]
async fn an_end_lost_on_the_way_is_missed_with_the_next_event() {
    let (world, mut agent, id) = running().await;
    agent.lose(finished(id, 0));
    agent
        .say(Event::ResourceAdded {
            resource: livius_domain::ResourceId(7),
            error: None,
        })
        .await;
    agent.hung_up().await;
    agent.reconnect(&world).await;
    output(&world).await;
    world.await_state(S0, "idle").await;
    agent.settled().await;
}

#[tokio::test]
async fn events_said_twice_count_once() {
    let (world, mut agent, id) = running().await;
    agent.started(id).await;
    agent.repeat().await;
    agent.say(piece(id, 0, r#"{"status":"#)).await;
    agent.say(piece(id, 1, r#""ok"}"#)).await;
    agent.repeat().await;
    agent.say(finished(id, 2)).await;
    agent.repeat().await;
    assert_eq!(output(&world).await["status"], "ok");
    agent.settled().await;
}

#[tokio::test]
async fn an_event_that_the_agent_itself_has_lost_costs_one_connection() {
    let (world, mut agent, id) = running().await;
    agent.settled().await;
    agent.lose(piece(id, 0, r#"{"status":"ok"}"#));
    agent.say(finished(id, 1)).await;
    agent.hung_up().await;
    agent.forget_oldest();
    agent.reconnect(&world).await;
    assert_eq!(output(&world).await["ename"], "IncompleteOutput");
    agent.settled().await;
}

#[tokio::test]
async fn a_server_that_was_restarted_goes_on_where_the_agent_is() {
    let (world, mut agent, id) = running().await;
    agent.started(id).await;
    agent.settled().await;
    let world = world.crash_and_restart().await;
    agent.disconnect();
    agent.reconnect(&world).await;
    agent.finished(id, "1").await;
    assert_eq!(output(&world).await["status"], "ok");
    agent.settled().await;
}

#[tokio::test]
async fn a_piece_of_an_output_that_nothing_waits_for_changes_nothing() {
    let (world, mut agent, id) = running().await;
    agent.say(piece(StatementId(99), 0, "lost")).await;
    agent.finished(id, "1").await;
    assert_eq!(output(&world).await["status"], "ok");
    agent.settled().await;
    assert_eq!(
        world.get("/sessions/0/statements/99").await.status,
        404,
        "nothing was stored for it"
    );
}

/// Reports of an application, the id that clients see, and the address of Spark's UI that they see.
#[tokio::test]
async fn clients_see_only_ids_and_addresses_that_can_be_true() {
    let longest = format!("https://{}", "h".repeat(AppInfo::MAX_ADDRESS_BYTES - 8));
    let too_long = format!("{longest}h");
    let long_id = "x".repeat(AppInfo::MAX_ID_CHARS + 1);
    for (app_id, url, shown_id, shown_url) in [
        ("local-1", None, Some("local-1"), None),
        (
            "local-1",
            Some("http://h:4040"),
            Some("local-1"),
            Some("http://h:4040"),
        ),
        ("local-1", Some(&*longest), Some("local-1"), Some(&*longest)),
        ("local-1", Some(&*too_long), Some("local-1"), None),
        (
            "local-1",
            Some("javascript:alert(1)"),
            Some("local-1"),
            None,
        ),
        ("local-1", Some("data:text/html,x"), Some("local-1"), None),
        ("local-1", Some("//h:4040"), Some("local-1"), None),
        ("local-1", Some("http://"), Some("local-1"), None),
        ("local-1", Some("http:///x"), Some("local-1"), None),
        ("local-1", Some("http://h/\nx"), Some("local-1"), None),
        ("local-1", Some(""), Some("local-1"), None),
        ("", Some("http://h:4040"), None, None),
        ("a\u{1b}[2J", Some("http://h:4040"), None, None),
        (&long_id, Some("http://h:4040"), None, None),
    ] {
        let world = World::new().await;
        world.post("/sessions", r#"{"kind":"pyspark"}"#).await;
        let mut agent = ScriptedAgent::connect(&world, S0).await;
        agent
            .say(Event::Ready {
                app_id: app_id.to_owned(),
                spark_ui_url: url.map(str::to_owned),
                spark_user: "me".to_owned(),
                master: "local[2]".to_owned(),
            })
            .await;
        world.await_state(S0, "idle").await;
        let session = world.get("/sessions/0").await.json();
        assert_eq!(session["appId"].as_str(), shown_id, "{app_id:?}");
        assert_eq!(
            session["appInfo"]["sparkUiUrl"].as_str(),
            shown_url,
            "{url:?}"
        );
    }
}

/// Every view of a session has the message of its failure.
#[tokio::test]
async fn a_long_reason_of_a_failed_start_is_cut() {
    let world = World::new().await;
    world.post("/sessions", r#"{"kind":"pyspark"}"#).await;
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    agent
        .say(Event::Failed {
            phase: "context".to_owned(),
            message: "é".repeat(5 << 20),
            detail: String::new(),
        })
        .await;
    let (_, process) = world.driver(S0).await;
    process.exit(Exit::Code(1));
    world.await_state(S0, "dead").await;
    let log = world.get("/sessions/0/log").await.text;
    assert!(
        log.contains("livius: the context could not be created: ééé"),
        "{log:.300}"
    );
    assert!(log.contains("the session's log has the whole story"));
    assert!(log.len() < 5_000, "{} bytes", log.len());
}
