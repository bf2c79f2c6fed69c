//! The responses of each route about a batch.

use axum::body::Body;
use axum::http::Request;
use livius_domain::{Exit, Limits, SessionId};
use livius_sessions::Impersonation;
use livius_testkit::{Program, World, WorldOptions};
use serde_json::{Value, json};

use super::{APP, B0, B1, detail, run, submit};

#[tokio::test]
async fn a_batch_begins_as_livys_does() {
    let world = World::new().await;
    let created = world
        .post(
            "/batches",
            r#"{"file":"hdfs://h/app.py","name":"mine","args":["a b"],"conf":{"spark.x":"y"}}"#,
        )
        .await;
    assert_eq!(created.status, 201);
    assert_eq!(created.headers["location"], "/batches/0");
    assert_eq!(
        created.headers["content-type"],
        "application/json;charset=utf-8"
    );
    assert_eq!(
        created.text,
        r#"{"id":0,"name":"mine","owner":null,"proxyUser":null,"state":"starting","appId":null,"appInfo":{"driverLogUrl":null,"sparkUiUrl":null,"executorLogUrls":null},"log":["stdout: ","\nstderr: "]}"#
    );
    let (order, _) = world.batch_process(B0).await;
    assert!(order.id.as_str().starts_with("b-0-"));
    assert_eq!(order.conf["spark.app.name"], "mine");
    assert_eq!(order.conf["spark.x"], "y");
    let Program::Application {
        file,
        class_name: None,
        args,
    } = order.program
    else {
        panic!("a batch runs an application")
    };
    assert_eq!(
        (file.as_str(), args),
        ("hdfs://h/app.py", vec!["a b".to_owned()])
    );
}

#[tokio::test]
async fn a_batch_is_found_by_number_and_by_name_however_the_path_is_written() {
    let world = World::new().await;
    let (_, process) = run(&world, r#"{"file":"hdfs://h/a","name":"my job"}"#).await;
    for ended in [false, true] {
        if ended {
            process.exit(Exit::Code(0));
            world.await_batch(B0, "success").await;
        }
        for rest in ["", "/state", "/log"] {
            let plain = world.get(&format!("/batches/0{rest}")).await;
            assert_eq!(plain.status, 200, "{rest}");
            assert_eq!(plain.json()["id"], 0);
            for path in [
                format!("/batches/my%20job{rest}"),
                format!("/batches/0{rest}/"),
                format!("//batches//00{rest}"),
                format!("/batches;x=y/0{rest};z"),
            ] {
                let same = world.get(&path).await;
                assert_eq!(
                    (same.status, &same.text),
                    (plain.status, &plain.text),
                    "{path}"
                );
            }
            let head = Request::head(format!("/batches/0{rest}")).body(Body::empty());
            let head = world.send(head.unwrap()).await;
            assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
        }
        for path in ["/api/v1/batches/0", "/api/v1/batches/my%20job/"] {
            assert_eq!(world.get(path).await.json()["name"], "my job");
        }
    }
    assert_eq!(world.get("/batches/").await.json()["total"], 1);
    assert_eq!(
        world.delete("/batches/my%20job").await.text,
        r#"{"msg":"deleted"}"#
    );
    assert_eq!(world.get("/batches/0").await.status, 404);
}

#[tokio::test]
async fn what_is_not_there_is_not_found_in_livys_words() {
    let world = World::new().await;
    world.post("/sessions", r#"{"name":"a session"}"#).await;
    for name in ["0", "7", "x", "a%20session", "-1"] {
        let shown = name.replace("%20", " ");
        let words = json!({"msg": format!("Session '{shown}' not found.")});
        for answer in [
            world.get(&format!("/batches/{name}")).await,
            world.get(&format!("/batches/{name}/state")).await,
            world.get(&format!("/batches/{name}/log")).await,
            world.get(&format!("/batches/{name}/log?size=-1")).await,
            world.delete(&format!("/batches/{name}")).await,
        ] {
            assert_eq!(
                (answer.status.as_u16(), answer.json()),
                (404, words.clone())
            );
        }
        let problem = json!({"code": "not_found", "message": format!("there is no session or batch {shown}")});
        for answer in [
            world.get(&format!("/api/v1/batches/{name}")).await,
            world
                .post(&format!("/api/v1/batches/{name}/kill"), "")
                .await,
        ] {
            let mut problem = problem.clone();
            problem["requestId"] = answer.headers["x-request-id"].to_str().unwrap().into();
            assert_eq!((answer.status.as_u16(), answer.json()), (404, problem));
            assert_eq!(answer.headers["content-type"], "application/problem+json");
        }
    }
    let overflow = world.get("/batches/99999999999").await;
    assert_eq!(overflow.status, 400);
    assert_eq!(
        overflow.text,
        r#"{"msg":"For input string: \"99999999999\""}"#
    );
}

#[tokio::test]
async fn only_livys_routes_are_there() {
    let world = World::new().await;
    submit(&world, APP).await;
    for path in [
        "/batches/0/stop",
        "/batches/0/kill",
        "/batches/0/interrupt",
        "/batches/0/connect",
        "/batches/0/statements",
        "/batches/0/statements/0",
        "/batches/0/log/0",
        "/batch",
    ] {
        for answer in [
            world.get(path).await,
            world.post(path, "{}").await,
            world.delete(path).await,
        ] {
            assert_eq!(
                (answer.status.as_u16(), answer.text.as_str()),
                (404, ""),
                "{path}"
            );
        }
    }
    for (answer, allowed) in [
        (world.delete("/batches").await, "GET,HEAD,POST"),
        (world.post("/batches/0", "{}").await, "GET,HEAD,DELETE"),
        (world.post("/batches/0/state", "{}").await, "GET,HEAD"),
        (world.delete("/batches/0/log").await, "GET,HEAD"),
    ] {
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (405, ""));
        assert_eq!(answer.headers["allow"], allowed);
    }
    world.await_batch(B0, "starting").await;
}

#[tokio::test]
async fn a_window_of_the_batches_is_livys() {
    let world = World::new().await;
    for _ in 0..4 {
        submit(&world, APP).await;
    }
    for (query, from, ids) in [
        ("", 0, &[0, 1, 2, 3][..]),
        ("?from=1&size=2", 1, &[1, 2]),
        ("?from=-5&size=3", -5, &[]),
        ("?from=-3&size=5", -3, &[0, 1]),
        ("?size=0", 0, &[]),
        ("?size=-1", 0, &[]),
        ("?size=-2147483648", 0, &[]),
        ("?from=9", 9, &[]),
        ("?from=2147483647&size=2147483647", 2_147_483_647, &[]),
        ("?from=-2147483648&size=2147483647", -2_147_483_648, &[]),
        ("?from=2&size=2147483647", 2, &[2, 3]),
    ] {
        let answer = world.get(&format!("/batches{query}")).await;
        assert_eq!(answer.status, 200, "{query}");
        let answer = answer.json();
        let shown: Vec<i64> = answer["sessions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|batch| batch["id"].as_i64().unwrap())
            .collect();
        assert_eq!(
            (answer["from"].as_i64(), &answer["total"], shown.as_slice()),
            (Some(from), &json!(4), ids),
            "{query}"
        );
    }
    for (query, shown) in [
        ("from=abc", "abc"),
        ("from=1.5", "1.5"),
        ("size=", ""),
        ("size", ""),
        ("size=2147483648", "2147483648"),
        ("from=-2147483649", "-2147483649"),
    ] {
        let answer = world.get(&format!("/batches?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(
            answer.json(),
            json!({"msg": format!("For input string: \"{shown}\"")})
        );
    }
}

#[tokio::test]
async fn a_list_of_any_length_shows_each_batch_as_it_is() {
    let world = World::new().await;
    let asked = (0..250).map(|_| world.post("/batches", APP));
    futures_util::future::join_all(asked).await;
    assert_eq!(
        world.get("/batches").await.json()["sessions"]
            .as_array()
            .unwrap()
            .len(),
        100
    );
    let all = world.get("/batches?size=1000").await.json();
    assert_eq!(all["total"], 250);
    let all = all["sessions"].as_array().unwrap();
    let ids: Vec<i64> = all
        .iter()
        .map(|batch| batch["id"].as_i64().unwrap())
        .collect();
    assert_eq!(ids, (0..250).collect::<Vec<_>>());
    let one: Value = world.get("/batches/249").await.json();
    assert_eq!(all[249], one);
}

#[tokio::test]
async fn a_name_is_taken_as_long_as_its_batch_lives() {
    let world = World::new().await;
    let named = r#"{"file":"hdfs://h/a","name":"n"}"#;
    submit(&world, named).await;
    let refused = world.post("/batches", named).await;
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.text,
        r#"{"msg":"Rejected, Reason: Duplicate session name: Some(n) for session 1"}"#
    );
    assert_eq!(super::total(&world).await, 1);
    // Sessions and batches have separate names and numbers.
    assert_eq!(
        world.post("/sessions", r#"{"name":"n"}"#).await.json()["id"],
        0
    );

    world.batch_process(B0).await.1.exit(Exit::Code(1));
    world.await_batch(B0, "dead").await;
    assert_eq!(world.get("/batches/n").await.json()["id"], 0);
    assert_eq!(submit(&world, named).await.0, 2);
    // The name now means the live batch; the ended one is still there under its number.
    assert_eq!(world.get("/batches/n").await.json()["id"], 2);
    assert_eq!(world.get("/batches/0").await.json()["state"], "dead");

    assert_eq!(world.delete("/batches/n").await.status, 200);
    assert_eq!(world.get("/batches/n").await.json()["id"], 0);
    assert_eq!(submit(&world, named).await.0, 3);
    assert_eq!(world.get("/sessions/n").await.json()["id"], 0);
}

#[tokio::test]
async fn sessions_and_batches_are_counted_and_run_apart() {
    let limits = Limits {
        live_sessions: 1,
        concurrent_starts: 1,
        concurrent_batch_starts: 1,
        running_batches: 1,
        ..Limits::default()
    };
    let world = World::limited(limits).await;
    for id in 0..2 {
        assert_eq!(submit(&world, APP).await.0, id);
    }
    assert_eq!(world.post("/sessions", "{}").await.json()["id"], 0);
    world.driver(SessionId(0)).await;
    world.batch_process(B0).await;
    assert_eq!(world.get("/sessions").await.json()["total"], 1);
    assert_eq!(world.get("/batches").await.json()["total"], 2);
    assert_eq!(world.delete("/sessions/0").await.status, 200);
    world.await_batch(B1, "starting").await;
}

#[tokio::test]
async fn a_batch_runs_as_whom_the_request_names_where_that_is_allowed() {
    let asked = r#"{"file":"hdfs://h/a","proxyUser":"ann"}"#;
    let world = World::new().await;
    let created = world.post("/batches?doAs=bob", asked).await.json();
    assert_eq!(created["proxyUser"], Value::Null);
    let world = World::with(WorldOptions {
        impersonation: Impersonation {
            enabled: true,
            superusers: Vec::new(),
        },
        ..WorldOptions::default()
    })
    .await;
    for (id, query, user) in [(B0, "", "ann"), (B1, "?doAs=bob", "bob")] {
        let created = world.post(&format!("/batches{query}"), asked).await.json();
        assert_eq!(created["proxyUser"], user);
        let (order, _) = world.batch_process(id).await;
        assert_eq!(order.proxy_user.as_deref(), Some(user));
        assert_eq!(detail(&world, id).await["proxyUser"], user);
    }
}
