//! Malformed forms.

use livius_domain::ResourceUse;

use super::*;

async fn refused(world: &World, path: &str, body: Vec<u8>) -> (u16, String) {
    let answer = send(world, path, body).await;
    (answer.status.as_u16(), answer.text)
}

#[tokio::test]
async fn a_form_without_the_part_is_refused_in_livys_words() {
    let world = starting().await;
    for (path, body, expected) in [
        (
            "upload-jar",
            form(&[file("file", "a.jar", b"abc")]),
            "\"No jar sent!\"",
        ),
        (
            "upload-pyfile",
            form(&[file("jar", "a.py", b"abc")]),
            "\"No file sent!\"",
        ),
        (
            "upload-file",
            form(&[file("File", "a", b"abc")]),
            "\"No file sent!\"",
        ),
        (
            "upload-file",
            form(&[part("X: y", b"abc")]),
            "\"No file sent!\"",
        ),
        ("upload-file", form(&[]), "\"No file sent!\""),
    ] {
        let shown = refused(&world, &format!("/sessions/0/{path}"), body).await;
        assert_eq!(shown, (400, expected.to_owned()), "{path}");
    }
    assert!(kept(&world).await.is_empty());
}

#[tokio::test]
async fn only_the_one_part_is_taken() {
    let world = starting().await;
    let parts = [
        part(
            "Content-Disposition: form-data; name=\"note\"",
            &vec![b'n'; 100_000],
        ),
        file("jar", "other.jar", b"other"),
        file("file", "a.txt", b"abc"),
        file("file", "b.txt", b"second"),
        part("Content-Disposition: form-data; name=\"end\"", b""),
    ];
    assert_eq!(
        send(&world, "/sessions/0/upload-file", form(&parts))
            .await
            .status,
        200
    );
    let (order, _) = world.driver(S0).await;
    assert_eq!(kept(&world).await, ["1"]);
    assert_eq!(download(&world, &order, R1).await.text, "abc");
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    agent.ready().await;
    let told = expect_resource(&mut agent).await;
    assert_eq!(told, uploaded(R1, ResourceUse::File, "a.txt"));
}

#[tokio::test]
async fn what_is_no_form_says_how_to_make_one() {
    let world = starting().await;
    for content_type in [
        "application/json",
        "application/octet-stream",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/mixed; boundary=x",
    ] {
        let request = Request::post("/sessions/0/upload-jar").header("content-type", content_type);
        let answer = world.send(request.body(Body::from("{}")).unwrap()).await;
        assert_eq!(answer.status, 400, "{content_type}");
        assert_eq!(
            answer.json()["msg"],
            "The body is not a form with a file: its Content-Type must be multipart/form-data with a boundary, as curl sends it with -F jar=@/path/of/the.jar",
        );
    }
    let request = Request::post("/sessions/0/upload-jar").body(Body::empty());
    assert_eq!(world.send(request.unwrap()).await.status, 400);
}

#[tokio::test]
async fn a_form_that_is_not_whole_leaves_nothing() {
    let world = starting().await;
    let whole = form(&[file("file", "a.txt", b"abc"), file("more", "b", b"def")]);
    for end in (0..whole.len() - 4).step_by(7) {
        let (status, text) =
            refused(&world, "/sessions/0/upload-file", whole[..end].to_vec()).await;
        assert_eq!(status, 400, "{end}: {text}");
        assert!(
            text.contains("ends before its last boundary"),
            "{end}: {text}"
        );
    }
    let broken = || {
        let pieces = [
            Ok(whole[..whole.len() / 2].to_vec()),
            Err(std::io::Error::other("the line is cut")),
        ];
        Body::from_stream(futures_util::stream::iter(pieces))
    };
    assert_eq!(
        send(&world, "/sessions/0/upload-file", broken())
            .await
            .status,
        400
    );
    assert!(kept(&world).await.is_empty());
    // Other forms are still accepted.
    assert_eq!(upload(&world, "a.txt", b"abc").await.status, 200);
}

#[tokio::test]
async fn names_that_are_none_are_refused() {
    let world = starting().await;
    let long = "x".repeat(256);
    for file_name in [
        "",
        ".",
        "..",
        "../a",
        "/etc/passwd",
        "a/b",
        "C:\\dir\\a.txt",
        "a\u{85}b",
        &long,
    ] {
        let (status, text) = refused(
            &world,
            "/sessions/0/upload-file",
            form(&[file("file", file_name, b"abc")]),
        )
        .await;
        assert_eq!(status, 400, "{file_name:?}");
        assert!(
            text.contains("is not the name of a file"),
            "{file_name:?}: {text}"
        );
    }
    for (head, words) in [
        ("filename*=utf-8''..%2Fa", "is not the name of a file"),
        ("filename*=utf-8''a%00b", "is not the name of a file"),
        ("filename*=utf-8''a%0Ab", "is not the name of a file"),
        ("filename*=utf-8''%ff", "filename* is not of the form"),
        ("filename*=a", "filename* is not of the form"),
        ("x=y", "has no file name"),
    ] {
        let head = format!("Content-Disposition: form-data; name=\"file\"; {head}");
        let body = form(&[part(&head, b"abc")]);
        let (status, text) = refused(&world, "/sessions/0/upload-file", body).await;
        assert_eq!(status, 400, "{head}");
        assert!(text.contains(words), "{head}: {text}");
    }
    assert!(kept(&world).await.is_empty());
}

#[tokio::test]
async fn names_that_are_some_are_kept_as_they_are() {
    let world = starting().await;
    let longest = "x".repeat(255);
    let names = [".hidden", "a b", "-a", "ä;b", "a%2Fb", "...", &longest];
    for name in names {
        assert_eq!(upload(&world, name, b"abc").await.status, 200, "{name}");
    }
    let mut agent = ScriptedAgent::connect(&world, S0).await;
    agent.ready().await;
    for name in names {
        assert_eq!(expect_resource(&mut agent).await.name, name);
    }
}

#[tokio::test]
async fn what_nobody_wants_is_bounded() {
    let world = starting().await;
    let much = vec![b'x'; (1 << 20) + 1];
    let head = "Content-Disposition: form-data; name=\"note\"";
    let many: Vec<Vec<u8>> = (0..20_000).map(|_| part(head, b"")).collect();
    for (what, body, status, words) in [
        (
            "before the first part",
            [
                much.clone(),
                b"\r\n".to_vec(),
                form(&[file("file", "a", b"abc")]),
            ]
            .concat(),
            413,
            "Besides its file",
        ),
        (
            "in another part",
            form(&[part(head, &much), file("file", "a", b"abc")]),
            413,
            "Besides its file",
        ),
        (
            "in another part behind it",
            form(&[file("file", "a", b"abc"), part(head, &much)]),
            413,
            "Besides its file",
        ),
        (
            "behind the last part",
            [form(&[file("file", "a", b"abc")]), much.clone()].concat(),
            413,
            "Besides its file",
        ),
        ("many parts", form(&many), 413, "Besides its file"),
        (
            "a long head",
            form(&[part(&format!("X: {}", "x".repeat(20_000)), b"")]),
            400,
            "the head of a part is longer",
        ),
        (
            "a head of many lines",
            form(&[part(&["X: y"; 40].join("\r\n"), b"")]),
            400,
            "the head of a part is not made of lines",
        ),
        (
            "a boundary's long line",
            format!("--{BOUNDARY}{}\r\n", " ".repeat(2_000)).into_bytes(),
            400,
            "a boundary does not end",
        ),
    ] {
        let (found, text) = refused(&world, "/sessions/0/upload-file", body).await;
        assert_eq!(found, status, "{what}: {text}");
        assert!(text.contains(words), "{what}: {text}");
    }
    assert!(kept(&world).await.is_empty());
}

#[tokio::test]
async fn a_session_that_is_not_there_takes_no_file() {
    let world = World::new().await;
    let unread = Body::from_stream(futures_util::stream::pending::<std::io::Result<Vec<u8>>>());
    let mut request = form_request("/sessions/7/upload-file", unread);
    request
        .headers_mut()
        .insert("expect", "100-continue".parse().unwrap());
    let answer = world.send(request).await;
    assert_eq!(answer.text, r#"{"msg":"Session '7' not found."}"#);
}
