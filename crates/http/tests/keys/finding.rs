//! A client that has lost an answer asks what its request made.

use livius_testkit::World;
use serde_json::{Value, json};

use super::*;

async fn found(world: &World, user: Option<&str>, key: &str) -> Answer {
    let key = key.replace('%', "%25").replace('/', "%2F");
    let mut request = Request::get(format!("/api/v1/keys/{key}"));
    if let Some(user) = user {
        request = request.extension(AuthenticatedUser(user.to_owned()));
    }
    world.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_key_tells_what_its_request_made() {
    let world = World::new().await;
    let made = [
        json!({"kind": "session", "session": null, "id": 0, "path": "/sessions/0"}),
        json!({"kind": "batch", "session": null, "id": 0, "path": "/batches/0"}),
        json!({"kind": "statement", "session": 0, "id": 0, "path": "/sessions/0/statements/0"}),
        json!({"kind": "job", "session": 0, "id": 1, "path": "/sessions/0/jobs/1"}),
    ];
    for ((path, body), made) in MAKING.into_iter().zip(made) {
        post(&world, path, path, body).await;
        let answer = found(&world, None, path).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let expected = json!({
            "key": path, "state": "done", "request": format!("POST {path}"),
            "createdAt": "2023-11-14T22:13:20Z", "made": made
        });
        assert_eq!(answer.json(), expected);
    }
    let world = world.crash_and_restart().await;
    let answer = found(&world, None, "/sessions").await;
    assert_eq!(answer.json()["made"]["id"], 0);
    post(&world, "stop", "/sessions/0/stop", "").await;
    let answer = found(&world, None, "stop").await;
    assert_eq!(answer.json()["made"], Value::Null);
}

#[tokio::test]
async fn keys_of_others_and_unknown_ones_are_not_found() {
    let world = World::new().await;
    post_as(&world, "alice", "a%/b", "/sessions", "{}").await;
    assert_eq!(found(&world, Some("alice"), "a%/b").await.status, 200);
    for (user, key) in [(None, "a%/b"), (Some("bob"), "a%/b"), (Some("alice"), "b")] {
        let absent = found(&world, user, key).await;
        assert_eq!(absent.status, 404, "{}", absent.text);
        assert_eq!(absent.json()["code"], "not_found");
    }
    for path in ["a%20b", "%C3%A9", &"k".repeat(256)] {
        let refused = world.get(&format!("/api/v1/keys/{path}")).await;
        assert_eq!(refused.status, 400, "{}", refused.text);
        assert_eq!(refused.json()["code"], "bad_key");
    }
}
