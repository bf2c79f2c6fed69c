//! The metrics as text, by content negotiation.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::Request;
use livius_domain::{Exit, SessionId};
use livius_testkit::{Answer, World, eventually};

const S0: SessionId = SessionId(0);
const PROMETHEUS: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

async fn scrape(world: &World, accept: &str) -> Answer {
    let request = Request::get("/metrics").header("accept", accept);
    world.send(request.body(Body::empty()).unwrap()).await
}

/// The value of one series, as the text format names it. `None` if it is not there.
async fn value(world: &World, series: &str) -> Option<f64> {
    let text = scrape(world, "text/plain").await.text;
    let mut lines = text.lines();
    let line = lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map(|value| value.parse().unwrap())
}

/// The names of the labels of each series, by the name of the series.
fn labels_in(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::<_, BTreeSet<_>>::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        value.parse::<f64>().unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let names = labels.split("\",").filter_map(|one| one.split_once("=\""));
        let names = names.map(|(name, _)| name.to_owned());
        found.entry(name.to_owned()).or_default().extend(names);
    }
    found
}

#[tokio::test]
async fn scrapers_get_text_and_all_others_livys_page() {
    let world = World::new().await;
    for (accept, content_type) in [
        (
            PROMETHEUS,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        ),
        ("text/plain", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/html,*/*;q=0.8", "text/html;charset=utf-8"),
        ("*/*", "text/html;charset=utf-8"),
    ] {
        let answer = scrape(&world, accept).await;
        assert_eq!(answer.status, 200, "{accept}");
        assert_eq!(answer.headers["content-type"], content_type, "{accept}");
        assert_eq!(answer.headers["vary"], "accept", "{accept}");
        let is_page = answer.text.starts_with("<!DOCTYPE html>");
        assert_eq!(is_page, content_type.starts_with("text/html"), "{accept}");
        let is_whole = answer.text.ends_with("# EOF\n");
        assert_eq!(is_whole, accept == PROMETHEUS, "{accept}");
        if !is_page {
            assert_eq!(answer.headers["cache-control"], "no-store");
        }
    }
    let page = world.get("/metrics").await;
    assert!(page.text.starts_with("<!DOCTYPE html>"));
}

#[tokio::test]
async fn a_session_and_its_statements_are_measured() {
    let world = World::new().await;
    let mut agent = world.idle_session(r#"{"kind":"pyspark"}"#).await;
    for code in ["1", "2", "3"] {
        world.run(code).await;
    }
    assert_eq!(value(&world, "livius_statements_waiting").await, Some(2.0));
    world.await_state(S0, "busy").await;
    assert_eq!(
        value(&world, r#"livius_sessions{state="busy"}"#).await,
        Some(1.0)
    );
    assert_eq!(
        value(&world, r#"livius_sessions{state="idle"}"#).await,
        Some(0.0)
    );
    let (first, _) = agent.expect_run().await;
    agent.started(first).await;
    agent.finished(first, "1").await;
    world.await_statement(S0, 0, "available").await;
    let (second, _) = agent.expect_run().await;
    agent.started(second).await;
    world.await_statement(S0, 1, "running").await;
    world.post("/sessions/0/statements/2/cancel", "").await;
    world.await_statement(S0, 2, "cancelled").await;
    world.driver(S0).await.1.exit(Exit::Code(1));
    world.await_state(S0, "dead").await;
    for (outcome, count) in [("ok", 1.0), ("lost", 1.0), ("cancelled", 1.0)] {
        let series = format!(r#"livius_statements_total{{kind="pyspark",outcome="{outcome}"}}"#);
        assert_eq!(value(&world, &series).await, Some(count), "{series}");
    }
    for (series, expected) in [
        ("livius_statements_waiting", Some(0.0)),
        (r#"livius_sessions{state="busy"}"#, Some(0.0)),
        (
            r#"livius_agent_connections_total{attempt="first"}"#,
            Some(1.0),
        ),
        (
            r#"livius_http_requests_total{route="/sessions/{id}/statements",method="POST",status="2xx"}"#,
            Some(3.0),
        ),
        (
            r#"livius_http_requests_total{route="/sessions",method="POST",status="2xx"}"#,
            Some(1.0),
        ),
        (r#"livius_drivers_waiting{program="batch"}"#, Some(0.0)),
    ] {
        assert_eq!(value(&world, series).await, expected, "{series}");
    }
    for phase in ["queued", "launching", "connecting", "context"] {
        let series = format!(
            r#"livius_driver_start_phase_duration_seconds_count{{program="session",phase="{phase}"}}"#
        );
        assert_eq!(value(&world, &series).await, Some(1.0), "{series}");
    }
    for operation in ["read", "durable_write", "write"] {
        let series =
            format!(r#"livius_store_call_duration_seconds_count{{operation="{operation}"}}"#);
        assert!(value(&world, &series).await > Some(0.0), "{series}");
    }
}

#[tokio::test]
async fn a_reconnect_and_a_lost_connection_count() {
    let world = World::new().await;
    let mut agent = world.idle_session("{}").await;
    agent.disconnect();
    eventually("the connection is lost", async || {
        let lost = value(&world, "livius_agent_connections_lost_total").await;
        (lost == Some(1.0)).then_some(())
    })
    .await;
    agent.reconnect(&world).await;
    eventually("the agent is back", async || {
        let series = r#"livius_agent_connections_total{attempt="again"}"#;
        (value(&world, series).await == Some(1.0)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn every_series_is_described_and_has_the_labels_that_are_told() {
    let world = World::new().await;
    let _agent = world.idle_session("{}").await;
    world.get("/no/such/route").await;
    world.get("/metrics").await;
    let text = scrape(&world, "text/plain").await.text;
    let mut known = BTreeMap::new();
    for family in world.sessions().metrics().descriptions() {
        let labels: BTreeSet<String> = family.labels.iter().map(|&it| it.to_owned()).collect();
        if family.kind == "histogram" {
            for suffix in ["sum", "count"] {
                known.insert(format!("{}_{suffix}", family.name), labels.clone());
            }
            let mut labels = labels;
            labels.insert("le".to_owned());
            known.insert(format!("{}_bucket", family.name), labels);
        } else {
            known.insert(family.name.clone(), labels);
        }
    }
    for (series, labels) in labels_in(&text) {
        assert_eq!(known.get(&series), Some(&labels), "{series}");
    }
    let unrouted = r#"livius_http_requests_total{route="none",method="GET",status="4xx"}"#;
    assert_eq!(value(&world, unrouted).await, Some(1.0));
}
