//! Files that clients upload.

use async_compression::tokio::write::GzipEncoder;
use livius_domain::Limits;
use tokio::io::AsyncWriteExt as _;

use super::*;

/// All byte values, in every order that looks like a line or a boundary.
fn hostile_content() -> Vec<u8> {
    let mut content: Vec<u8> = (0..=255).collect();
    content.extend_from_slice(format!("\r\n--{}", &BOUNDARY[..20]).as_bytes());
    content.extend_from_slice(b"\r\n\r\n--\r\n");
    content.extend(std::iter::repeat_n(b'\r', 1000));
    content.extend((0..300_000_u32).map(|index| index.to_le_bytes()[(index % 3) as usize]));
    content
}

#[tokio::test]
async fn a_file_goes_to_the_driver_as_it_came_and_is_gone_afterwards() {
    let (world, mut agent) = running().await;
    let (order, _) = world.driver(S0).await;
    let content = hostile_content();
    for (number, path, part, used_as) in [
        (1, "upload-jar", "jar", ResourceUse::Library),
        (2, "upload-pyfile", "file", ResourceUse::Library),
        (3, "upload-file", "file", ResourceUse::File),
    ] {
        let body = form(&[file(part, "a b.π", &content)]);
        let path = format!("/sessions/0/{path}");
        let driver = async {
            let told = expect_resource(&mut agent).await;
            assert_eq!(kept(&world).await, [told.resource.to_string()]);
            let got = downloaded(&world, &order, told.resource).await;
            added(&mut agent, told.resource, None).await;
            (told, got)
        };
        let (answer, (told, got)) = tokio::join!(send(&world, &path, body), driver);
        let shown = (answer.status.as_u16(), answer.text.as_str());
        assert_eq!(shown, (200, ""), "{path}");
        assert_eq!(
            answer.headers["content-type"],
            "application/json;charset=utf-8"
        );
        assert_eq!(told, uploaded(ResourceId(number), used_as, "a b.π"));
        assert!(got == content, "{path}: {} bytes", got.len());
        assert!(kept(&world).await.is_empty());
    }
}

async fn downloaded(world: &World, order: &DriverOrder, resource: ResourceId) -> Vec<u8> {
    let token = order.token.expose_secret();
    let request = Request::get(format!("/api/v1/agent/resources/{resource}"))
        .header("authorization", format!("Bearer {token}"))
        .header("livius-driver", order.id.as_str())
        .body(Body::empty());
    let answer = tower::ServiceExt::oneshot(world.router(), request.unwrap());
    let body = answer.await.unwrap().into_body();
    let body = http_body_util::BodyExt::collect(body).await.unwrap();
    body.to_bytes().to_vec()
}

#[tokio::test]
async fn while_the_session_starts_a_file_is_kept_for_it() {
    let world = starting().await;
    let (order, _) = world.driver(S0).await;
    assert_eq!(upload(&world, "a.txt", b"abc").await.status, 200);
    assert_eq!(upload(&world, "a.txt", b"").await.status, 200);
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    agent.ready().await;
    for (resource, content) in [(R1, "abc"), (R2, "")] {
        let told = expect_resource(&mut agent).await;
        assert_eq!(told, uploaded(resource, ResourceUse::File, "a.txt"));
        assert_eq!(download(&world, &order, resource).await.text, content);
    }
}

#[tokio::test]
async fn what_the_driver_cannot_add_is_said_and_not_kept() {
    let (world, mut agent) = running().await;
    let driver = async {
        let told = expect_resource(&mut agent).await;
        added(&mut agent, told.resource, Some("it is no jar")).await;
    };
    let (answer, ()) = tokio::join!(upload(&world, "a.jar", b"abc"), driver);
    let expected = r#"{"msg":"a.jar cannot be added to the session: it is no jar"}"#;
    assert_eq!(
        (answer.status.as_u16(), answer.text.as_str()),
        (400, expected)
    );
    assert!(kept(&world).await.is_empty());
}

#[tokio::test]
async fn a_file_may_have_as_many_bytes_as_the_limit_and_not_one_more() {
    const LIMIT: usize = 10_000;
    let world = World::limited(Limits {
        upload_bytes: LIMIT as u64,
        ..Limits::default()
    })
    .await;
    world.post("/sessions", r#"{"kind":"shared"}"#).await;
    assert_eq!(upload(&world, "a", &[b'x'; LIMIT]).await.status, 200);
    let expected = r#"{"msg":"The file is longer than 10000 bytes (server.upload_limit): put it where the driver can read it, and add it by its address"}"#;
    let refused = upload(&world, "a", &[b'x'; LIMIT + 1]).await;
    assert_eq!(
        (refused.status.as_u16(), refused.text.as_str()),
        (413, expected)
    );
    // Refused before the body is read.
    let unread = Body::from_stream(futures_util::stream::pending::<std::io::Result<Vec<u8>>>());
    let mut request = form_request("/sessions/0/upload-file", unread);
    let length = LIMIT + (1 << 20) + 1;
    request
        .headers_mut()
        .insert("content-length", length.into());
    request
        .headers_mut()
        .insert("expect", "100-continue".parse().unwrap());
    let refused = world.send(request).await;
    assert_eq!(
        (refused.status.as_u16(), refused.text.as_str()),
        (413, expected)
    );
    assert_eq!(kept(&world).await, ["1"], "nothing is left of the others");
}

#[tokio::test]
async fn a_packed_form_is_unpacked_and_bounded_as_it_is_then() {
    const LIMIT: usize = 100_000;
    let world = World::limited(Limits {
        upload_bytes: LIMIT as u64,
        ..Limits::default()
    })
    .await;
    world.post("/sessions", r#"{"kind":"shared"}"#).await;
    for (length, status) in [(LIMIT, 200), (100 * LIMIT, 413)] {
        let mut packed = GzipEncoder::new(Vec::new());
        let body = form(&[file("file", "a", &vec![b'x'; length])]);
        packed.write_all(&body).await.unwrap();
        packed.shutdown().await.unwrap();
        let mut request = form_request("/sessions/0/upload-file", packed.into_inner());
        let gzip = "gzip".parse().unwrap();
        request.headers_mut().insert("content-encoding", gzip);
        assert_eq!(world.send(request).await.status.as_u16(), status);
    }
    let (order, _) = world.driver(S0).await;
    assert_eq!(download(&world, &order, R1).await.text.len(), LIMIT);
    assert_eq!(kept(&world).await, ["1"]);
}

#[tokio::test]
async fn many_files_arrive_at_once() {
    let (world, mut agent) = running().await;
    let (order, _) = world.driver(S0).await;
    let contents: Vec<Vec<u8>> = (0..20_u8).map(|index| vec![index; 100_000]).collect();
    let names: Vec<String> = (0..20).map(|index| format!("f{index}")).collect();
    let sent = names.iter().zip(&contents);
    let uploads = sent.map(|(name, content)| upload(&world, name, content));
    let driver = async {
        for _ in 0..20 {
            let told = expect_resource(&mut agent).await;
            let index: usize = told.name[1..].parse().unwrap();
            let got = downloaded(&world, &order, told.resource).await;
            assert!(got == contents[index], "{} is another file", told.name);
            added(&mut agent, told.resource, None).await;
        }
    };
    let (answers, ()) = tokio::join!(futures_util::future::join_all(uploads), driver);
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert!(kept(&world).await.is_empty());
}
