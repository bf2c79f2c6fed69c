//! A scripted API server.

use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;

/// The findings about an API server of a version that permits everything but some rights.
async fn told(version: &'static str, forbidden: &'static [&'static str], mode: Mode) -> String {
    let info = move || async move {
        Json(
            json!({"major": "1", "minor": "33", "gitVersion": version, "gitCommit": "", "gitTreeState": "",
            "buildDate": "", "goVersion": "", "compiler": "", "platform": ""}),
        )
    };
    let review = move |Json(mut review): Json<Value>| async move {
        let asked = &review["spec"]["resourceAttributes"];
        assert_eq!(asked["namespace"], "etl");
        let text = |key: &str| asked[key].as_str().unwrap_or_default().to_owned();
        let right = format!("{} {}", text("verb"), text("resource"));
        review["status"] = json!({"allowed": !forbidden.contains(&right.as_str())});
        Json(review)
    };
    let reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let router = Router::new()
        .route("/version", get(info))
        .route(reviews, post(review));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let master = format!("k8s://http://{}", listener.local_addr().unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    let conf = [(NAMESPACE, "etl"), (IMAGES[0], "spark:1"), (ACCOUNT, "x")];
    let conf = conf.map(|(key, value)| (key.to_owned(), value.to_owned()));
    texts(&look(&facts(conf.into()), &master, mode).await)
}

fn facts(conf: BTreeMap<String, String>) -> Facts {
    Facts {
        spark: None,
        conf,
        environment: BTreeMap::new(),
        hadoop: Vec::new(),
        objects: None,
    }
}

fn texts(notes: &[Note]) -> String {
    let texts: Vec<String> = notes.iter().map(Note::text).collect();
    texts.join("\n")
}

#[tokio::test]
async fn a_server_with_all_rights_is_fine() {
    insta::assert_snapshot!(told("v1.36.3", &[], Mode::Cluster).await, @r"
    ok       the API server has Kubernetes v1.36.3
    ok       the account has all rights that the server and Spark's client need in the namespace etl
    ");
}

#[tokio::test]
async fn missing_rights_are_named_by_mode() {
    let forbidden = &["create secrets", "create services"];
    insta::assert_snapshot!(told("v1.36.3", forbidden, Mode::Cluster).await, @r"
    ok       the API server has Kubernetes v1.36.3
    PROBLEM  the account lacks rights in the namespace etl: create secrets, create services
               what to do: bind a Role with these rights to it in etl; docs/guide/kubernetes.md has the whole list
    ");
    let client = told("v1.36.3", &["create services"], Mode::Client).await;
    assert!(!client.contains("PROBLEM"), "{client}");
}

#[test]
fn the_objects_of_drivers_need_rights_in_cluster_mode() {
    let text = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nspec: { defaultBackend: {} }";
    let template = Template::parse(text).unwrap();
    let names = |mode| -> Vec<String> {
        let needed = needed(mode, None, Some(&template));
        needed.iter().map(Right::to_string).collect()
    };
    let create = "create ingresses.networking.k8s.io".to_owned();
    assert!(names(Mode::Cluster).contains(&create));
    assert!(!names(Mode::Client).contains(&create));
}

#[tokio::test]
async fn an_api_server_that_is_away_is_a_problem() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let master = format!("k8s://http://{}", closed.local_addr().unwrap());
    drop(closed);
    let text = texts(&look(&facts(BTreeMap::new()), &master, Mode::Client).await);
    assert!(
        text.starts_with("PROBLEM  the API server tells nothing: ")
            && text.contains("what to do: check the address in spark.master"),
        "{text}"
    );
}

#[test]
fn a_request_without_credentials_is_told_from_one_without_rights() {
    let refused = |status, message: &str| {
        let message = message.to_owned();
        failed("x", &KubernetesError::Refused { status, message }).text()
    };
    // As a real API server of version 1.36 says it.
    let anonymous = r#"selfsubjectaccessreviews.authorization.k8s.io is forbidden: User "system:anonymous" cannot create resource"#;
    for text in [refused(401, "Unauthorized"), refused(403, anonymous)] {
        assert!(text.contains("give the server credentials"), "{text}");
    }
    let text = refused(403, r#"pods is forbidden: User "eve" cannot list resource"#);
    assert!(text.contains("bind the roles"), "{text}");
}

#[test]
fn a_drivers_pod_needs_an_image_and_an_account() {
    insta::assert_snapshot!(texts(&driver(&BTreeMap::new())), @r"
    WARNING  no image is set for drivers, so each request has to name one
               what to do: set spark.kubernetes.container.image in [spark.conf], to an image with this Spark
    WARNING  drivers run with the namespace's service account `default`, which usually may not create executors
               what to do: set spark.kubernetes.authenticate.driver.serviceAccountName in [spark.conf], and give that account the rights of drivers in docs/guide/kubernetes.md
    ");
}
