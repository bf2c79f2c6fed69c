use serde_json::json;

use super::*;

/// Two objects, as docs/guide/kubernetes.md has them.
const USUAL: &str = r#"
apiVersion: v1
kind: Service
metadata:
  labels: { team: data }
spec:
  selector: { livius/driver: "{driver}", spark-role: driver }
  ports: [{ name: spark-ui, port: 4040, targetPort: spark-ui }]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: "ui-{driver}"
  annotations:
    nginx.ingress.kubernetes.io/rewrite-target: /$2
spec:
  tls: [{ hosts: [spark.example.com], secretName: spark-tls }]
  rules:
    - host: spark.example.com
      http:
        paths:
          - path: "/{namespace}/{driver}(/|$)(.*)"
            pathType: ImplementationSpecific
            backend: { service: { name: "{service}", port: { name: spark-ui } } }
"#;

fn pod() -> DriverPod {
    DriverPod {
        name: "mine".to_owned(),
        namespace: "etl".to_owned(),
        uid: "u-1".to_owned(),
        driver: "s-0-aa".to_owned(),
        ..DriverPod::default()
    }
}

#[test]
fn each_pod_gets_objects_of_its_own() {
    let template = Template::parse(USUAL).unwrap();
    let filled = template.fill("5e", &pod());
    let places: Vec<String> = filled.iter().map(|one| one.kind.path("etl")).collect();
    assert_eq!(
        places,
        [
            "/api/v1/namespaces/etl/services",
            "/apis/networking.k8s.io/v1/namespaces/etl/ingresses"
        ]
    );
    let owners = json!([{"apiVersion": "v1", "kind": "Pod", "name": "mine", "uid": "u-1"}]);
    let service = &filled[0].body;
    assert_eq!(
        service["metadata"],
        json!({
            "name": "livius-s-0-aa",
            "labels": {"team": "data", "livius/driver": "s-0-aa", "livius/server": "5e"},
            "ownerReferences": owners,
        })
    );
    assert_eq!(service["spec"]["selector"]["livius/driver"], "s-0-aa");
    assert_eq!(service["spec"]["ports"][0]["port"], 4040);
    let ingress = &filled[1].body;
    assert_eq!(
        (&*filled[1].name, &ingress["apiVersion"]),
        ("ui-s-0-aa", &json!("networking.k8s.io/v1"))
    );
    assert_eq!(
        ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/rewrite-target"],
        "/$2"
    );
    let path = &ingress["spec"]["rules"][0]["http"]["paths"][0];
    assert_eq!(path["path"], "/etl/s-0-aa(/|$)(.*)");
    assert_eq!(path["backend"]["service"]["name"], "livius-s-0-aa");
}

#[test]
fn the_rights_are_those_of_the_kinds() {
    let rights = Template::parse(USUAL).unwrap().rights();
    let rights: Vec<String> = rights.iter().map(Right::to_string).collect();
    assert_eq!(
        rights,
        [
            "create services",
            "get services",
            "create ingresses.networking.k8s.io",
            "get ingresses.networking.k8s.io"
        ]
    );
}

#[test]
fn an_ingress_with_a_host_tells_the_address() {
    for (spec, expected) in [
        (
            r#"{ rules: [{ host: h, http: { paths: [{ path: "/{driver}(/|$)(.*)" }] } }] }"#,
            Some("http://h/{driver}/"),
        ),
        (
            r#"{ rules: [{ host: h, http: { paths: [{ path: "/{app}/?(.*)" }] } }], tls: [{}] }"#,
            Some("https://h/{app}/"),
        ),
        (
            r#"{ rules: [{}, { host: "{driver}.h" }] }"#,
            Some("http://{driver}.h/"),
        ),
        (r"{ rules: [{ http: {} }] }", None),
        (r"{ defaultBackend: {} }", None),
    ] {
        let text = format!("apiVersion: networking.k8s.io/v1\nkind: Ingress\nspec: {spec}\n");
        let template = Template::parse(&text).unwrap();
        assert_eq!(template.address().as_deref(), expected, "{spec}");
    }
}

const SERVICE: &str = "apiVersion: v1\nkind: Service\nspec: { a: b }";

fn with(more: &str) -> String {
    format!("{SERVICE}\n{more}")
}

#[test]
fn a_template_that_does_not_fit_is_refused() {
    let service = SERVICE;
    let many = [service; 9].join("\n---\n");
    let long = format!("{service}\n#{}", "x".repeat(Template::MOST_BYTES));
    for (text, problem) in [
        (String::new(), "it has no object"),
        ("---\n# nothing\n".to_owned(), "it has no object"),
        (many, "it has more than 8 objects"),
        (long, "it is longer than 65536 bytes"),
        ("[1, 2]".to_owned(), "document 1: it is no mapping"),
        (
            with("---\napiVersion: v1\nkind: Pod\nspec: { a: b }"),
            "document 2: apiVersion \"v1\" and kind \"Pod\": the kinds are Service of v1, Ingress of networking.k8s.io/v1, \
             HTTPRoute of gateway.networking.k8s.io/v1",
        ),
        (
            "apiVersion: extensions/v1beta1\nkind: Ingress\nspec: { a: b }".to_owned(),
            "apiVersion \"extensions/v1beta1\" and kind \"Ingress\"",
        ),
        ("apiVersion: v1\nkind: Service".to_owned(), "it has no spec"),
        (with("status: {}"), "\"status\" cannot be set"),
        (with(&format!("---\n{service}")), "it is a second Service"),
    ] {
        let error = Template::parse(&text).unwrap_err().to_string();
        assert!(error.contains(problem), "{text}: {error}");
    }
    let error = Template::parse("a: [").unwrap_err().to_string();
    assert!(error.contains("line 1"), "{error}");
    // Braces of other languages.
    let snippet = "metadata: { annotations: { a: \"if ($x ~ a{2,3}) { return 403; }\" } }";
    Template::parse(&with(snippet)).unwrap();
}

#[test]
fn metadata_that_is_not_the_templates_is_refused() {
    let name = "x".repeat(40);
    for (text, problem) in [
        (
            with("metadata: { namespace: prod }"),
            "metadata.namespace cannot be set: an object is in the namespace of its driver",
        ),
        (
            with("metadata: { finalizers: [x] }"),
            "metadata.finalizers cannot be set",
        ),
        (
            with("metadata: { name: shared }"),
            "metadata.name is \"shared\", which two drivers would share",
        ),
        (
            with("metadata: { name: \"{pod}\" }"),
            "which two drivers would share",
        ),
        (
            with("metadata: { name: \"UI-{driver}\" }"),
            "cannot be the name of an object",
        ),
        (
            with(&format!("metadata: {{ name: \"{name}-{{driver}}\" }}")),
            "longer than the 63 bytes of the name of a Service",
        ),
        (
            with("metadata: { labels: { livius/server: x } }"),
            "\"livius/server\" is one of the server's",
        ),
        (
            with("metadata: { labels: { a: 1 } }"),
            "metadata.labels.a is no text",
        ),
        (
            with("metadata: { annotations: { a: \"x {host} y\" } }"),
            "metadata.annotations.a: {host} stands for no name: there are {namespace}, {pod}, {app}, {driver}, {service}",
        ),
        (
            with("metadata: { annotations: { a: {driver} } }"),
            "metadata.annotations.a: write \"{driver}\" in quotes",
        ),
        (
            with("metadata:\n  name: {driver}"),
            "metadata.name: write \"{driver}\" in quotes",
        ),
        (
            with("metadata: { labels: { \"{driver}\": x } }"),
            "metadata.labels: the key \"{driver}\" has a name in braces",
        ),
    ] {
        let error = Template::parse(&text).unwrap_err().to_string();
        assert!(error.contains(problem), "{text}: {error}");
    }
}
