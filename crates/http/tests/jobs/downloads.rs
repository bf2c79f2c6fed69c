//! The files that an agent may fetch.

use super::*;

async fn ask(world: &World, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    world.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_file_is_given_to_its_own_driver_alone() {
    let world = starting().await;
    world.post("/sessions", r#"{"kind":"shared"}"#).await;
    upload(&world, "a.txt", b"abc").await;
    let (order, _) = world.driver(S0).await;
    let (stranger, _) = world.driver(SessionId(1)).await;
    let authorization = |order: &DriverOrder| format!("Bearer {}", order.token.expose_secret());
    let (own, others) = (authorization(&order), authorization(&stranger));
    let path = "/api/v1/agent/resources/1";
    for (driver, authorization, status) in [
        (order.id.as_str(), own.as_str(), 200),
        (order.id.as_str(), "Bearer 0000", 401),
        (order.id.as_str(), others.as_str(), 401),
        (order.id.as_str(), "Basic x", 401),
        (stranger.id.as_str(), others.as_str(), 404),
        ("s-9-000000000000", own.as_str(), 404),
        ("../x", own.as_str(), 404),
    ] {
        let headers = [("livius-driver", driver), ("authorization", authorization)];
        let answer = ask(&world, path, &headers).await;
        assert_eq!(answer.status.as_u16(), status, "{driver}: {}", answer.text);
    }
    assert_eq!(ask(&world, path, &[]).await.status, 401);
}

#[tokio::test]
async fn a_file_comes_whole_and_says_how_long_it_is() {
    let world = starting().await;
    upload(&world, "a.txt", &vec![b'x'; 1_000_000]).await;
    let (order, _) = world.driver(S0).await;
    let answer = download(&world, &order, R1).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-length"], "1000000");
    assert_eq!(answer.headers["content-type"], "application/octet-stream");
    assert_eq!(answer.text.len(), 1_000_000);
    for resource in [0, 2, -1] {
        let answer = download(&world, &order, ResourceId(resource)).await;
        assert_eq!(answer.status, 404, "{resource}");
    }
    let token = format!("Bearer {}", order.token.expose_secret());
    let headers = [
        ("livius-driver", order.id.as_str()),
        ("authorization", &token),
    ];
    for resource in ["x", "..", "99999999999", "arriving-1"] {
        let path = format!("/api/v1/agent/resources/{resource}");
        let answer = ask(&world, &path, &headers).await;
        assert_eq!(answer.status, 400, "{resource}: {}", answer.text);
    }
}
