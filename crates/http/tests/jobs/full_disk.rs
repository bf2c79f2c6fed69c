//! The store fails for a while. Nothing is acknowledged before it is stored, and nothing that was
//! acknowledged is lost.

use super::*;

#[tokio::test]
async fn what_cannot_be_stored_is_refused_and_leaves_nothing() {
    let (world, mut agent) = running().await;
    world.disk().set_full(true);
    assert_eq!(world.post("/sessions/0/submit-job", FOO).await.status, 500);
    assert_eq!(upload(&world, "a.txt", b"abc").await.status, 500);
    let uri = r#"{"uri":"hdfs://h/a.jar"}"#;
    assert_eq!(world.post("/sessions/0/add-jar", uri).await.status, 500);
    world.disk().set_full(false);
    assert!(kept(&world).await.is_empty());
    assert_eq!(world.get("/sessions/0/jobs/1").await.status, 404);
    // The driver has received none of them.
    submit(&world, FOO).await;
    expect_job(&mut agent).await;
}

#[tokio::test]
async fn a_result_that_cannot_be_stored_is_kept_by_the_agent() {
    let (world, mut agent) = running().await;
    submit(&world, FOO).await;
    expect_job(&mut agent).await;
    begin(&mut agent, J1).await;
    await_job(&world, J1, "STARTED").await;
    world.disk().set_full(true);
    end(&mut agent, J1, JobOutcome::Succeeded, Some("YmFy")).await;
    agent.hung_up().await;
    assert_eq!(status(&world, J1).await["state"], "STARTED");
    world.disk().set_full(false);
    agent.reconnect(&world).await;
    assert_eq!(await_job(&world, J1, "SUCCEEDED").await["result"], "YmFy");
}

#[tokio::test]
async fn a_file_whose_addition_cannot_be_stored_stays_until_it_can() {
    let world = starting().await;
    upload(&world, "a.txt", b"abc").await;
    let (order, _) = world.driver(S0).await;
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    agent.ready().await;
    expect_resource(&mut agent).await;
    agent.settled().await;
    world.disk().set_full(true);
    added(&mut agent, R1, None).await;
    agent.hung_up().await;
    assert_eq!(download(&world, &order, R1).await.text, "abc");
    world.disk().set_full(false);
    agent.reconnect(&world).await;
    agent.settled().await;
    assert_eq!(download(&world, &order, R1).await.status, 404);
    assert!(kept(&world).await.is_empty());
}

#[tokio::test]
async fn the_jobs_of_a_driver_that_dies_meanwhile_end_later() {
    let (world, mut agent) = running().await;
    submit(&world, FOO).await;
    expect_job(&mut agent).await;
    world.disk().set_full(true);
    world.driver(S0).await.1.exit(livius_domain::Exit::Code(3));
    world.await_state(S0, "dead").await;
    world.disk().set_full(false);
    await_job(&world, J1, "FAILED").await;
}
