//! Sessions that get a driver of a pool.

use livius_agent_link::{Command, Event};
use livius_domain::pool::Level;
use livius_domain::{ResourceUse, SessionId, StatementId};
use livius_testkit::{Program, Start};

use super::*;

#[tokio::test]
async fn a_session_with_a_ready_driver_is_idle_when_it_is_created() {
    let world = world_of(vec![template("small", Level::Ready)]).await;
    let mut agent = waiting(&world, Level::Ready, &[]).await;
    let (order, _) = &world.launcher().of_pools()[0];
    let Program::Agent { start, .. } = order.program else {
        panic!("{:?}", order.program)
    };
    assert_eq!(start, Start::Warm);

    let (created, begin) = post_to(&world, &mut agent, ANY).await;
    assert_eq!(created["state"], "idle");
    assert_eq!(created["appId"], "local-1");
    let Command::Begin { conf, .. } = begin else {
        panic!("{begin:?}")
    };
    assert!(conf.is_empty(), "nothing differs: {conf:?}");
    let start = start_of(&world, S0).await;
    assert_eq!(start["outcome"], "hit");
    assert_eq!(
        (&start["pool"], &start["level"]),
        (&"small".into(), &"ready".into())
    );
    let log = log_of(&world, S0).await;
    assert!(
        log.contains("livius: the session got a ready driver of pool small"),
        "{log}"
    );

    assert_eq!(world.run("1 + 1").await.status, 201);
    assert_eq!(
        agent.expect_run().await,
        (StatementId(0), "1 + 1".to_owned())
    );
    agent.started(StatementId(0)).await;
    agent.finished(StatementId(0), "2").await;
    world.await_statement(S0, 0, "available").await;
}

#[tokio::test]
async fn a_driver_serves_one_session_and_the_pool_is_refilled() {
    let world = world_of(vec![template("small", Level::Ready)]).await;
    let mut first = waiting(&world, Level::Ready, &[]).await;
    post_to(&world, &mut first, ANY).await;
    let mut second = waiting(&world, Level::Ready, &[&first]).await;
    assert_ne!(first.driver(), second.driver());
    let (created, _) = post_to(&world, &mut second, ANY).await;
    assert_eq!(created["state"], "idle");
    // A session that ends takes its driver with it.
    let (_, process) = world
        .launcher()
        .of_pools()
        .into_iter()
        .find(|(order, _)| order.id == *first.driver())
        .unwrap();
    let deleted = tokio::join!(world.delete("/sessions/0"), async {
        assert_eq!(first.command().await, Command::Stop);
        process.exit(livius_domain::Exit::Code(0));
    });
    assert_eq!(deleted.0.status, 200);
    let pool = await_pool(&world, "two hits", |pool| pool["hits"] == 2).await;
    let drivers = pool["drivers"].to_string();
    assert!(!drivers.contains(first.driver().as_str()), "{drivers}");
}

#[tokio::test]
async fn late_settings_and_files_reach_a_ready_driver() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, "x").unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (jar, data) = (file("a.jar"), file("b.txt"));
    let world = world_of(vec![template("small", Level::Ready)]).await;
    let mut agent = waiting(&world, Level::Ready, &[]).await;
    let request = serde_json::json!({
        "kind": "pyspark", "name": "mine", "jars": [jar], "files": [data],
        "conf": {"spark.sql.shuffle.partitions": "3"},
    });
    let (created, begin) = post_to(&world, &mut agent, &request.to_string()).await;
    assert_eq!(
        (&created["state"], &created["name"]),
        (&"idle".into(), &"mine".into())
    );
    let Command::Begin { conf, .. } = begin else {
        panic!("{begin:?}")
    };
    assert_eq!(
        conf.into_iter().collect::<Vec<_>>(),
        [("spark.sql.shuffle.partitions".to_owned(), "3".to_owned())]
    );
    let mut added = Vec::new();
    for _ in 0..2 {
        let Command::Resource {
            resource,
            used_as,
            name,
            uri,
        } = agent.command().await
        else {
            panic!("no resource")
        };
        agent
            .say(Event::ResourceAdded {
                resource,
                error: None,
            })
            .await;
        added.push((used_as, name, uri));
    }
    added.sort_by(|a, b| a.1.cmp(&b.1));
    assert_eq!(
        added,
        [
            (ResourceUse::Library, "a.jar".to_owned(), Some(jar)),
            (ResourceUse::File, "b.txt".to_owned(), Some(data))
        ]
    );
}

#[tokio::test]
async fn a_primed_driver_gets_the_whole_configuration() {
    let world = world_of(vec![template("small", Level::Primed)]).await;
    let mut agent = waiting(&world, Level::Primed, &[]).await;
    let request = r#"{"kind":"spark","executorMemory":"3g","conf":{"spark.x":"1"}}"#;
    let created = world.post("/sessions", request).await.json();
    assert_eq!(created["state"], "starting");
    let Command::Begin { document, conf } = agent.command().await else {
        panic!("no begin")
    };
    assert_eq!(document["kind"], "spark");
    for (name, value) in [
        ("spark.executor.memory", "3g"),
        ("spark.x", "1"),
        ("spark.app.name", "livy-session-0"),
        ("spark.master", "local[2]"),
    ] {
        assert_eq!(conf.get(name).map(String::as_str), Some(value), "{name}");
    }
    agent.ready().await;
    world.await_state(S0, "idle").await;
    assert_eq!(start_of(&world, S0).await["level"], "primed");
}

#[tokio::test]
async fn a_primed_driver_that_loses_its_connection_is_told_again() {
    let world = world_of(vec![template("small", Level::Primed)]).await;
    let mut agent = waiting(&world, Level::Primed, &[]).await;
    world.post("/sessions", ANY).await;
    let begin = agent.command().await;
    agent.disconnect();
    agent.reconnect(&world).await;
    assert_eq!(agent.command().await, begin);
    agent.ready().await;
    world.await_state(S0, "idle").await;
}

#[tokio::test]
async fn ready_drivers_are_looked_at_first() {
    let world = world_of(vec![
        template("a", Level::Primed),
        template("b", Level::Ready),
    ])
    .await;
    let (first, second) = {
        let one = launched(&world, &[]).await;
        let of_level = |order: &DriverOrder| match order.program {
            Program::Agent {
                start: Start::Primed,
                ..
            } => Level::Primed,
            _ => Level::Ready,
        };
        let level = of_level(&one.0);
        let first = waiting(&world, level, &[]).await;
        let (order, _) = launched(&world, &[&first]).await;
        let second = waiting(&world, of_level(&order), &[&first]).await;
        if level == Level::Ready {
            (first, second)
        } else {
            (second, first)
        }
    };
    let mut ready = first;
    post_to(&world, &mut ready, ANY).await;
    assert_eq!(start_of(&world, S0).await["pool"], "b");
    drop(second);
    assert_eq!(
        world.stored_session(SessionId(0)).await.driver.as_ref(),
        Some(ready.driver())
    );
}
