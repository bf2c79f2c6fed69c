//! The drivers under `/api/v1`, and the interpreters that are up in them.

use livius_agent_link::{InterpreterUp, Notice};
use livius_domain::SessionId;
use livius_testkit::{ScriptedAgent, World, eventually};
use serde_json::{Value, json};

const S0: SessionId = SessionId(0);
const DRIVERS: &str = "/api/v1/drivers";

fn up(kind: &str) -> InterpreterUp {
    InterpreterUp {
        kind: kind.to_owned(),
        since: 1_795_275_225_287,
    }
}

async fn driver(world: &World) -> Value {
    let list = world.get(DRIVERS).await.json();
    assert_eq!(list["total"], 1, "{list}");
    list["drivers"][0].clone()
}

fn kinds(driver: &Value) -> Vec<String> {
    let interpreters = driver["interpreters"].as_array().unwrap();
    let kinds = interpreters.iter().map(|one| one["kind"].as_str().unwrap());
    kinds.map(str::to_owned).collect()
}

async fn await_kinds(world: &World, expected: &[&str]) {
    eventually("the interpreters are known", async || {
        (kinds(&driver(world).await) == expected).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_driver_is_shown_from_its_start_to_its_end() {
    let world = World::new().await;
    let none = json!({"drivers": [], "total": 0, "nextCursor": null});
    assert_eq!(world.get(DRIVERS).await.json(), none);
    world.post("/sessions", r#"{"kind":"shared"}"#).await;
    world.driver(S0).await;
    let shown = driver(&world).await;
    let facts = ["session", "batch", "pool", "appId", "upAt", "interpreters"];
    assert_eq!(
        facts.map(|key| shown[key].clone()),
        [
            json!(0),
            json!(null),
            json!(null),
            json!(null),
            json!(null),
            json!([])
        ]
    );
    let path = format!("{DRIVERS}/{}", shown["id"].as_str().unwrap());

    let mut agent = ScriptedAgent::connect(&world, S0).await;
    agent.ready().await;
    world.await_state(S0, "idle").await;
    let shown = world.get(&path).await.json();
    assert_eq!(shown["state"], "up");
    assert!(
        shown["appId"].is_string() && shown["upAt"].is_string(),
        "{shown}"
    );

    world.driver(S0).await.1.exit(livius_domain::Exit::Code(3));
    world.await_state(S0, "dead").await;
    let gone = world.get(&path).await;
    assert_eq!(gone.status, 404, "{}", gone.text);
    assert_eq!(gone.json()["code"], "not_found");
    assert_eq!(world.get(DRIVERS).await.json(), none);
}

#[tokio::test]
async fn the_interpreters_are_those_that_the_agent_told_last() {
    let world = World::new().await;
    let agent = world.idle_session(r#"{"kind":"shared"}"#).await;
    for (told, shown) in [
        (vec![up("pyspark"), up("spark")], vec!["pyspark", "spark"]),
        // A kind of a later version is left out.
        (vec![up("cobol"), up("sql")], vec!["sql"]),
        (vec![], vec![]),
        (vec![up("sparkr"); 50], vec!["sparkr"; 6]),
    ] {
        agent
            .notice(Notice::Interpreters { interpreters: told })
            .await;
        await_kinds(&world, &shown).await;
    }
    agent
        .notice(Notice::Interpreters {
            interpreters: vec![up("sql")],
        })
        .await;
    await_kinds(&world, &["sql"]).await;
    let since = driver(&world).await["interpreters"][0]["since"].clone();
    assert_eq!(since, "2026-11-21T15:33:45.287Z");

    // Nothing is known of an agent that is away.
    drop(agent);
    eventually("the agent is away", async || {
        let shown = driver(&world).await;
        (kinds(&shown).is_empty() && shown["awaySince"].is_string()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_list_has_filters_and_pages() {
    let world = World::new().await;
    for _ in 0..3 {
        world.post("/batches", r#"{"file":"local:/a.py"}"#).await;
    }
    let _agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    let (mut seen, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = world.get(&format!("{DRIVERS}{query}")).await.json();
        assert_eq!(page["total"], 4);
        let drivers = page["drivers"].as_array().unwrap();
        seen.extend(
            drivers
                .iter()
                .map(|one| one["id"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["nextCursor"].as_str() else {
            break;
        };
        query = format!("?limit=2&cursor={cursor}");
    }
    assert!(seen.len() == 4 && seen.is_sorted(), "{seen:?}");
    let up = world.get(&format!("{DRIVERS}?state=up,lost")).await.json();
    assert_eq!(
        (&up["total"], &up["drivers"][0]["session"]),
        (&json!(1), &json!(0))
    );
    for query in [
        "state=gone",
        "state=",
        "limit=0",
        "cursor=before-1",
        "cursor=after-A",
    ] {
        let refused = world.get(&format!("{DRIVERS}?{query}")).await;
        assert_eq!(refused.status, 400, "{query}");
        assert_eq!(refused.json()["field"], query.split('=').next().unwrap());
    }
    for name in ["s-0-000000000000", "A", "..%2f..%2fsessions"] {
        assert_eq!(
            world.get(&format!("{DRIVERS}/{name}")).await.status,
            404,
            "{name}"
        );
    }
}
