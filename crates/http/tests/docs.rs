//! The page that shows the OpenAPI document.

use std::io::Read as _;

use axum::body::Body;
use axum::http::Request;
use flate2::read::GzDecoder;
use http_body_util::BodyExt as _;
use livius_testkit::World;
use tower::ServiceExt as _;

/// The addresses in the attributes `href` and `src` of a page.
fn addresses(page: &str) -> Vec<&str> {
    let parts = page
        .split(" href=\"")
        .flat_map(|part| part.split(" src=\""));
    parts
        .skip(1)
        .filter_map(|part| part.split('"').next())
        .collect()
}

#[tokio::test]
async fn the_page_needs_nothing_from_outside() {
    let world = World::new().await;
    let page = world.get("/api/docs").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.headers["content-type"], "text/html;charset=utf-8");
    let files: Vec<&str> = addresses(&page.text)
        .into_iter()
        .filter(|address| address.starts_with("api/"))
        .collect();
    assert_eq!(files.len(), 4, "{}", page.text);
    for file in files {
        let answer = world.get(&format!("/{file}")).await;
        assert_eq!(answer.status, 200, "{file}");
    }
    let others = addresses(&page.text).into_iter();
    let outside: Vec<&str> = others.filter(|address| address.contains("//")).collect();
    assert_eq!(outside, [""; 0]);
    assert!(!page.text.contains("<script>"), "{}", page.text);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'self';"), "{policy}");
    assert!(policy.contains("default-src 'none';"), "{policy}");
}

/// A proxy may put a prefix before all paths.
#[tokio::test]
async fn the_page_finds_the_root_from_where_it_is() {
    let world = World::new().await;
    for (path, base) in [
        ("/api/docs", "<base href=\"./../\">"),
        ("/api/docs/", "<base href=\"./../../\">"),
    ] {
        let page = world.get(path).await;
        assert!(page.text.contains(base), "{path}: {}", page.text);
    }
}

#[tokio::test]
async fn its_files_are_compressed() {
    let world = World::new().await;
    let path = "/api/docs/swagger-ui-bundle.js";
    let request = Request::get(path).body(Body::empty()).unwrap();
    let answer = world.router().oneshot(request).await.unwrap();
    let (head, body) = answer.into_parts();
    assert_eq!(head.headers["content-encoding"], "gzip");
    let content_type = &head.headers["content-type"];
    assert_eq!(content_type, "text/javascript;charset=utf-8");
    let body = body.collect().await.unwrap().to_bytes();
    let mut script = String::new();
    GzDecoder::new(&body[..])
        .read_to_string(&mut script)
        .unwrap();
    assert!(script.contains("SwaggerUIBundle"));
}

#[tokio::test]
async fn files_that_it_does_not_need_are_absent() {
    let world = World::new().await;
    for name in ["swagger-initializer.js", "index.html", "..%2fv1"] {
        let answer = world.get(&format!("/api/docs/{name}")).await;
        assert_eq!(answer.status, 404, "{name}");
        assert_eq!(answer.json()["code"], "no_such_file", "{name}");
    }
}
