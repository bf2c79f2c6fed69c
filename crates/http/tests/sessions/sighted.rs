//! A resource manager describes the application of a session that has not ended.

use livius_domain::AppInfo;
use livius_testkit::{Sighting, World, eventually};
use serde_json::{Value, json};

use super::{ANY, S0, create, log_of, ready};

fn sighting(ui: Option<&str>, waits: Option<&str>) -> Sighting {
    Sighting {
        app: AppInfo {
            app_id: "application_1_0001".to_owned(),
            spark_ui_url: ui.map(str::to_owned),
            driver_log_url: Some("http://node:8042/logs".to_owned()),
        },
        waits: waits.map(str::to_owned),
    }
}

async fn await_app(world: &World, id: &str, ui: Value) {
    let expected =
        json!({"driverLogUrl": "http://node:8042/logs", "sparkUiUrl": ui, "executorLogUrls": null});
    eventually(&format!("the application is {expected}"), async || {
        let shown = world.get("/sessions/0").await.json();
        (shown["appId"] == id && shown["appInfo"] == expected).then_some(())
    })
    .await;
}

#[tokio::test]
async fn clients_see_an_application_before_its_agent_connects() {
    let world = World::new().await;
    create(&world, ANY).await;
    let (order, _) = world.driver(S0).await;
    let full = "the queue etl is full";
    world
        .launcher()
        .sight(&order.id, sighting(None, Some(full)));
    await_app(&world, "application_1_0001", Value::Null).await;
    assert_eq!(
        world.get("/sessions/0/state").await.json()["state"],
        "starting"
    );
    let line = format!("livius: application_1_0001 waits: {full}");
    let log = log_of(&world, S0).await;
    assert!(log.contains(&line), "{log}");

    // The address that users reach counts more than the one that the driver knows.
    let proxied = "http://manager:8088/proxy/application_1_0001/";
    world
        .launcher()
        .sight(&order.id, sighting(Some(proxied), None));
    await_app(&world, "application_1_0001", json!(proxied)).await;
    let _agent = ready(&world, S0).await;
    await_app(&world, "application_1_0001", json!(proxied)).await;

    let world = world.crash_and_restart().await;
    await_app(&world, "application_1_0001", json!(proxied)).await;
    let log = log_of(&world, S0).await;
    assert_eq!(log.matches(&line).count(), 1, "{log}");
}

#[tokio::test]
async fn the_driver_tells_what_the_resource_manager_does_not() {
    let world = World::new().await;
    create(&world, ANY).await;
    let (order, _) = world.driver(S0).await;
    let agent = ready(&world, S0).await;
    let before = world.get("/sessions/0").await.json();
    let own = before["appInfo"]["sparkUiUrl"].clone();
    assert!(own.is_string(), "{before}");
    world.launcher().sight(&order.id, sighting(None, None));
    await_app(&world, "application_1_0001", own).await;
    drop(agent);
}
