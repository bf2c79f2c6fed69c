//! Sessions that get no driver of a pool, and why.

use jiff::tz::TimeZone;
use livius_domain::pool::Level;
use livius_domain::{Exit, Hours, SessionId};
use livius_testkit::ScriptedAgent;

use super::*;

#[tokio::test]
async fn a_miss_names_the_key_and_what_would_have_hit() {
    let world = world_of(vec![template("small", Level::Ready)]).await;
    let _agent = waiting(&world, Level::Ready, &[]).await;
    let request = r#"{"kind":"pyspark","driverMemory":"4g"}"#;
    let created = world.post("/sessions", request).await.json();
    assert_eq!(created["state"], "starting");
    let start = start_of(&world, S0).await;
    assert_eq!(start["outcome"], "miss");
    let miss = &start["misses"][0];
    assert_eq!(miss["pool"], "small");
    assert_eq!(miss["reason"], "differs");
    assert_eq!(miss["key"], "spark.driver.memory");
    assert_eq!(
        (&miss["wanted"], &miss["had"]),
        (&"4g".into(), &Value::Null)
    );
    let log = log_of(&world, S0).await;
    assert!(
        log.contains(
            "livius: no pool had a driver for this session: pool small: spark.driver.memory is"
        ),
        "{log}"
    );
    let pool = &pools(&world).await[0];
    assert_eq!(pool["misses"], 1);
    assert_eq!(
        pool["reasons"][0],
        serde_json::json!({"reason": "differs", "key": "spark.driver.memory", "count": 1})
    );
    // The session has a driver of its own, and the pool keeps its.
    ScriptedAgent::connect(&world, S0).await.ready().await;
    world.await_state(S0, "idle").await;
    assert_eq!(states(&world).await, ["waiting"]);
}

#[tokio::test]
async fn an_empty_pool_says_so_and_grows_with_demand() {
    let pool = Template {
        max: 2,
        ..template("small", Level::Ready)
    };
    let world = world_of(vec![pool]).await;
    let (order, _) = launched(&world, &[]).await;
    world.post("/sessions", ANY).await;
    assert_eq!(start_of(&world, S0).await["misses"][0]["reason"], "empty");
    await_pool(&world, "it wants two", |pool| pool["wanted"] == 2).await;
    assert_eq!(
        world
            .launcher()
            .of_pools()
            .iter()
            .filter(|it| it.0.id == order.id)
            .count(),
        1
    );
    world.clock().advance(Duration::from_mins(11));
    await_pool(&world, "it wants one again", |pool| pool["wanted"] == 1).await;
}

#[tokio::test]
async fn a_driver_that_refuses_a_setting_is_ended_and_the_session_starts_its_own() {
    let world = world_of(vec![template("small", Level::Ready)]).await;
    let mut agent = waiting(&world, Level::Ready, &[]).await;
    let (_, process) = world.launcher().of_pools().remove(0);
    let request = r#"{"kind":"pyspark","conf":{"spark.sql.x":"bad"}}"#;
    let (created, ()) = tokio::join!(world.post("/sessions", request), async {
        agent.command().await;
        let error = Some("spark.sql.x cannot be set".to_owned());
        agent.say(Event::Begun { error }).await;
    });
    assert_eq!(created.json()["state"], "starting");
    let miss = start_of(&world, S0).await["misses"][0].clone();
    assert_eq!(miss["reason"], "refused");
    assert!(
        miss["message"]
            .to_string()
            .contains("spark.sql.x cannot be set"),
        "{miss}"
    );
    assert_eq!(agent.command().await, Command::Stop);
    process.exit(Exit::Code(0));
    ScriptedAgent::connect(&world, S0).await.ready().await;
    world.await_state(S0, "idle").await;
}

#[tokio::test]
async fn a_driver_that_does_not_answer_is_not_handed_over() {
    let world = world_of(vec![template("small", Level::Ready)]).await;
    let _silent = waiting(&world, Level::Ready, &[]).await;
    let created = world.post("/sessions", ANY).await.json();
    assert_eq!(created["state"], "starting");
    let miss = start_of(&world, S0).await["misses"][0].clone();
    assert!(
        miss["message"].to_string().contains("does not answer"),
        "{miss}"
    );
}

#[tokio::test]
async fn a_driver_that_died_is_never_handed_over() {
    let world = world_of(vec![template("small", Level::Ready)]).await;
    let _agent = waiting(&world, Level::Ready, &[]).await;
    let (order, process) = world.launcher().of_pools().remove(0);
    process.exit(Exit::Signal(9));
    let created = world.post("/sessions", ANY).await.json();
    assert_eq!(created["state"], "starting");
    assert_eq!(start_of(&world, S0).await["outcome"], "miss");
    let pool = await_pool(&world, "the failure is told", |pool| {
        !pool["lastFailure"].is_null()
            || pool["drivers"]
                .as_array()
                .unwrap()
                .iter()
                .all(|it| it["id"] != order.id.as_str())
    })
    .await;
    assert!(
        !pool["drivers"].to_string().contains(order.id.as_str()),
        "{pool}"
    );
}

#[tokio::test]
async fn a_pool_outside_its_hours_has_no_drivers() {
    // The test's clock begins at 22:13.
    let pool = Template {
        hours: Some(Hours::parse(["00:00-12:00"], TimeZone::UTC).unwrap()),
        max_age: Duration::from_hours(48),
        ..template("small", Level::Ready)
    };
    let world = world_of(vec![pool]).await;
    world.post("/sessions", ANY).await;
    assert_eq!(start_of(&world, S0).await["misses"][0]["reason"], "closed");
    assert!(world.launcher().of_pools().is_empty());
    let shown = &pools(&world).await[0];
    assert_eq!(
        (&shown["open"], &shown["wanted"]),
        (&false.into(), &0.into())
    );
    world.clock().advance(Duration::from_hours(12));
    let mut agent = waiting(&world, Level::Ready, &[]).await;
    world.clock().advance(Duration::from_hours(12));
    assert_eq!(agent.command().await, Command::Stop);
}

#[tokio::test]
async fn without_pools_nothing_is_started_and_nothing_is_written() {
    let world = World::new().await;
    world.post("/sessions", ANY).await;
    ScriptedAgent::connect(&world, SessionId(0))
        .await
        .ready()
        .await;
    world.await_state(S0, "idle").await;
    assert_eq!(start_of(&world, S0).await["outcome"], "off");
    assert_eq!(pools(&world).await, serde_json::json!([]));
    assert!(!log_of(&world, S0).await.contains("livius"));
    assert!(world.launcher().of_pools().is_empty());
}
