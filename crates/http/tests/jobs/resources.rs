//! Files that the driver fetches itself.

use livius_domain::Limits;
use livius_sessions::LocalFiles;

use super::*;

fn uri(uri: &str) -> String {
    serde_json::json!({ "uri": uri }).to_string()
}

#[tokio::test]
async fn an_address_is_handed_over_and_the_answer_is_the_drivers() {
    let (world, mut agent) = running().await;
    for (number, path, address, used_as, name) in [
        (
            1,
            "add-jar",
            "hdfs://h/jars/app.jar",
            ResourceUse::Library,
            "app.jar",
        ),
        (
            2,
            "add-pyfile",
            "s3a://b/lib.zip?x=y",
            ResourceUse::Library,
            "lib.zip",
        ),
        (
            3,
            "add-file",
            "https://h/data/a.csv#f",
            ResourceUse::File,
            "a.csv",
        ),
    ] {
        let (path, body) = (format!("/sessions/0/{path}"), uri(address));
        let driver = async {
            let told = expect_resource(&mut agent).await;
            added(&mut agent, told.resource, None).await;
            told
        };
        let (answer, told) = tokio::join!(world.post(&path, &body), driver);
        assert_eq!(
            (answer.status.as_u16(), answer.text.as_str()),
            (200, ""),
            "{path}"
        );
        let expected = Added {
            resource: ResourceId(number),
            used_as,
            name: name.to_owned(),
            uri: Some(address.to_owned()),
        };
        assert_eq!(told, expected);
    }
}

#[tokio::test]
async fn what_the_driver_cannot_add_is_said() {
    let (world, mut agent) = running().await;
    let body = uri("hdfs://h/gone.jar");
    let driver = async {
        let told = expect_resource(&mut agent).await;
        added(&mut agent, told.resource, Some("no such file")).await;
    };
    let (answer, ()) = tokio::join!(world.post("/sessions/0/add-jar", &body), driver);
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.text,
        r#"{"msg":"gone.jar cannot be added to the session: no such file"}"#
    );
}

#[tokio::test]
async fn while_the_session_starts_nobody_waits_and_all_come_before_what_is_sent_later() {
    let world = starting().await;
    for name in ["a.jar", "b.jar"] {
        let answer = world
            .post("/sessions/0/add-jar", &uri(&format!("hdfs://h/{name}")))
            .await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, ""));
    }
    submit(&world, FOO).await;
    let statement = r#"{"code":"x","kind":"spark"}"#;
    world.post("/sessions/0/statements", statement).await;
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    agent.ready().await;
    assert_eq!(expect_resource(&mut agent).await.name, "a.jar");
    assert_eq!(expect_resource(&mut agent).await.name, "b.jar");
    let (mut jobs, mut runs) = (0, 0);
    while jobs + runs < 2 {
        match agent.command().await {
            Command::Job { .. } => jobs += 1,
            Command::Run { .. } => runs += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((jobs, runs), (1, 1));
}

#[tokio::test]
async fn bad_addresses_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let allowed = camino::Utf8PathBuf::from_path_buf(dir.path().canonicalize().unwrap()).unwrap();
    let world = World::with(WorldOptions {
        local_files: Some(LocalFiles::Under(vec![allowed])),
        ..WorldOptions::default()
    })
    .await;
    let _agent = world.idle_session(r#"{"kind":"shared"}"#).await;
    let outside = tempfile::NamedTempFile::new().unwrap();
    let outside = uri(outside.path().to_str().unwrap());
    for (body, words) in [
        ("{}", "requirement failed: no uri provided"),
        (r#"{"uri":""}"#, "requirement failed: no uri provided"),
        (r#"{"uri":"relative.jar"}"#, "relative.jar"),
        (r#"{"uri":"hdfs://h/.."}"#, "not the name of a file"),
        (&outside, "cannot be added"),
    ] {
        for path in ["add-jar", "add-pyfile", "add-file"] {
            let answer = world.post(&format!("/sessions/0/{path}"), body).await;
            assert_eq!(answer.status, 400, "{path} {body}: {}", answer.text);
            let message = answer.json()["msg"].as_str().unwrap().to_owned();
            assert!(message.contains(words), "{path} {body}: {message}");
            assert!(!message.starts_with("Rejected"), "{message}");
        }
    }
    let answer = world
        .post("/sessions/7/add-jar", &uri("hdfs://h/a.jar"))
        .await;
    assert_eq!(answer.text, r#"{"msg":"Session '7' not found."}"#);
}

#[tokio::test]
async fn too_many_on_their_way_are_refused_until_the_driver_has_some() {
    let world = World::limited(Limits {
        pending_resources: 2,
        ..Limits::default()
    })
    .await;
    world.post("/sessions", r#"{"kind":"shared"}"#).await;
    let add = async || world.post("/sessions/0/add-file", &uri("hdfs://h/a")).await;
    assert_eq!(add().await.status, 200);
    assert_eq!(upload(&world, "a.txt", b"abc").await.status, 200);
    let refused = add().await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(upload(&world, "a.txt", b"abc").await.status, 429);
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    agent.ready().await;
    expect_resource(&mut agent).await;
    added(&mut agent, R1, Some("no")).await;
    agent.settled().await;
    let driver = async {
        loop {
            let told = expect_resource(&mut agent).await;
            added(&mut agent, told.resource, None).await;
            if told.resource == ResourceId(3) {
                break;
            }
        }
    };
    assert_eq!(tokio::join!(add(), driver).0.status, 200);
}

/// A session whose driver runs on a worker of a cluster.
async fn on_another_machine(world: &World) -> ScriptedAgent {
    let conf = r#"{"spark.master":"spark://h:7077","spark.submit.deployMode":"cluster"}"#;
    let body = format!(r#"{{"kind":"shared","conf":{conf}}}"#);
    world.idle_session(&body).await
}

#[tokio::test]
async fn a_driver_on_another_machine_fetches_a_file_of_the_servers_machine_from_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a b.txt");
    std::fs::write(&path, "of the server").unwrap();
    let world = World::new().await;
    let mut agent = on_another_machine(&world).await;
    let (order, _) = world.driver(S0).await;
    let path = path.to_str().unwrap();
    let encoded = format!("file://{}", path.replace(' ', "%20"));
    for (number, address) in [(1, path), (2, &encoded)] {
        let driver = async {
            let told = expect_resource(&mut agent).await;
            assert_eq!(told.uri, None, "{address}");
            let content = download(&world, &order, told.resource).await;
            assert_eq!(content.text, "of the server");
            added(&mut agent, told.resource, None).await;
            told
        };
        let body = uri(address);
        let (answer, told) = tokio::join!(world.post("/sessions/0/add-file", &body), driver);
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(told.resource, ResourceId(number));
        // It is no longer on its way.
        let again = download(&world, &order, told.resource).await;
        assert_eq!(again.status, 404);
    }
    let driver = async {
        let told = expect_resource(&mut agent).await;
        added(&mut agent, told.resource, None).await;
        told.uri
    };
    let body = uri("local:///opt/a.txt");
    let (_, told) = tokio::join!(world.post("/sessions/0/add-file", &body), driver);
    assert_eq!(
        told.as_deref(),
        Some("local:///opt/a.txt"),
        "every node has it"
    );
}

#[tokio::test]
async fn a_driver_of_the_servers_machine_opens_a_named_file_itself() {
    let (world, mut agent) = running().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let (order, _) = world.driver(S0).await;
    let driver = async {
        let told = expect_resource(&mut agent).await;
        // The server may have more rights than the driver's user.
        let content = download(&world, &order, told.resource).await;
        assert_eq!(content.status, 404);
        added(&mut agent, told.resource, None).await;
        told.uri
    };
    let address = file.path().to_str().unwrap();
    let body = uri(address);
    let (_, told) = tokio::join!(world.post("/sessions/0/add-file", &body), driver);
    assert_eq!(told.as_deref(), Some(address));
}

#[tokio::test]
async fn a_link_that_changes_later_leads_nowhere_else() {
    let dir = tempfile::tempdir().unwrap();
    let allowed = camino::Utf8PathBuf::from_path_buf(dir.path().canonicalize().unwrap()).unwrap();
    std::fs::write(allowed.join("own.txt"), "own").unwrap();
    let link = allowed.join("link.txt");
    std::os::unix::fs::symlink(allowed.join("own.txt"), &link).unwrap();
    let secret = tempfile::NamedTempFile::new().unwrap();
    let world = World::with(WorldOptions {
        local_files: Some(LocalFiles::Under(vec![allowed])),
        ..WorldOptions::default()
    })
    .await;
    let mut agent = on_another_machine(&world).await;
    let (order, _) = world.driver(S0).await;
    let driver = async {
        let told = expect_resource(&mut agent).await;
        assert_eq!(download(&world, &order, told.resource).await.text, "own");
        std::fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink(secret.path(), &link).unwrap();
        let content = download(&world, &order, told.resource).await;
        assert_eq!(content.status, 404, "{}", content.text);
        added(&mut agent, told.resource, None).await;
    };
    let body = uri(link.as_str());
    tokio::join!(world.post("/sessions/0/add-file", &body), driver);
}

#[tokio::test]
async fn a_directory_is_no_file() {
    let (world, _agent) = running().await;
    let dir = tempfile::tempdir().unwrap();
    let body = uri(dir.path().to_str().unwrap());
    let answer = world.post("/sessions/0/add-file", &body).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains("is not a file"), "{}", answer.text);
}
