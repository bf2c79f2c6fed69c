use std::fs;

use tempfile::TempDir;

use super::*;

/// A directory with a `yarn-site.xml` of these properties.
fn directory(properties: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(&dir, "yarn-site.xml", properties);
    dir
}

fn write(dir: &TempDir, name: &str, properties: &[(&str, &str)]) {
    let lines: Vec<String> = properties
        .iter()
        .map(|(name, value)| {
            format!("<property><name>{name}</name><value>{value}</value></property>")
        })
        .collect();
    let text = format!(
        "<?xml version=\"1.0\"?>\n<configuration>{}</configuration>",
        lines.concat()
    );
    fs::write(dir.path().join(name), text).unwrap();
}

fn path(dir: &TempDir) -> Utf8PathBuf {
    Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap()
}

fn site(properties: &[(&str, &str)]) -> Result<Site, SiteError> {
    Site::read(&[path(&directory(properties))])
}

fn managers(properties: &[(&str, &str)]) -> Vec<String> {
    let site = site(properties).unwrap();
    site.managers().iter().map(Url::to_string).collect()
}

fn refusal(properties: &[(&str, &str)]) -> String {
    site(properties).unwrap_err().to_string()
}

const HA: [(&str, &str); 2] = [
    ("yarn.resourcemanager.ha.enabled", "true"),
    ("yarn.resourcemanager.ha.rm-ids", "rm1, rm2"),
];

#[test]
fn one_resource_manager() {
    let web = "yarn.resourcemanager.webapp.address";
    let host = "yarn.resourcemanager.hostname";
    let cases: [(&[(&str, &str)], &str); 7] = [
        (&[(web, "rm.example:18088")], "http://rm.example:18088/"),
        (&[(host, "rm.example")], "http://rm.example:8088/"),
        (
            &[
                (host, "rm.example"),
                (web, "${yarn.resourcemanager.hostname}:99"),
            ],
            "http://rm.example:99/",
        ),
        (&[(web, "rm.example")], "http://rm.example:8088/"),
        (&[(host, "[::1]")], "http://[::1]:8088/"),
        (&[], "http://127.0.0.1:8088/"),
        (
            &[
                ("yarn.http.policy", "HTTPS_ONLY"),
                (web, "rm.example:1"),
                ("yarn.resourcemanager.webapp.https.address", "rm.example:2"),
            ],
            "https://rm.example:2/",
        ),
    ];
    for (properties, expected) in cases {
        assert_eq!(managers(properties), [expected], "{properties:?}");
    }
    let tls = [("yarn.http.policy", "HTTPS_ONLY"), (host, "rm.example")];
    assert_eq!(managers(&tls), ["https://rm.example:8090/"]);
}

#[test]
fn several_resource_managers() {
    let own = [
        ("yarn.resourcemanager.webapp.address.rm1", "a.example:81"),
        ("yarn.resourcemanager.hostname.rm2", "b.example"),
        ("yarn.resourcemanager.webapp.address", "other.example:1"),
    ];
    assert_eq!(
        managers(&[&HA[..], &own].concat()),
        ["http://a.example:81/", "http://b.example:8088/"]
    );
}

#[test]
fn the_first_directory_that_has_a_file_provides_it() {
    let first = tempfile::tempdir().unwrap();
    write(&first, "core-site.xml", &[("domain", "example")]);
    let web = "yarn.resourcemanager.webapp.address";
    let second = directory(&[(web, "rm.${domain}:1")]);
    write(&second, "core-site.xml", &[("domain", "other")]);
    let third = directory(&[(web, "third.example:1")]);
    let site = Site::read(&[path(&first), path(&second), path(&third)]).unwrap();
    assert_eq!(site.managers()[0].as_str(), "http://rm.example:1/");
}

#[test]
fn the_server_of_logs() {
    let log_server = |properties: &[(&str, &str)]| {
        let site = site(properties).unwrap();
        site.log_server().map(Url::to_string)
    };
    let own = "yarn.log.server.web-service.url";
    let pages = "yarn.log.server.url";
    assert_eq!(log_server(&[]), None);
    assert_eq!(
        log_server(&[(own, "http://h.example:8188/ws/v1/applicationhistory")]).as_deref(),
        Some("http://h.example:8188/ws/v1/applicationhistory")
    );
    assert_eq!(
        log_server(&[(pages, "https://h.example:19888/jobhistory/logs/")]).as_deref(),
        Some("https://h.example:19888/ws/v1/history")
    );
    assert_eq!(log_server(&[(pages, "http://h.example/others")]), None);
    assert_eq!(log_server(&[(pages, "nothing")]), None);
    let own_url = (own, "http://h.example:8188/ws/v1/applicationhistory");
    for (aggregates, known) in [("true", true), ("false", false)] {
        let switch = ("yarn.log-aggregation-enable", aggregates);
        assert_eq!(log_server(&[own_url, switch]).is_some(), known);
    }
}

#[test]
fn nodes_have_the_protocol_of_the_cluster() {
    let plain = site(&[]).unwrap();
    let tls = site(&[("yarn.http.policy", "HTTPS_ONLY")]).unwrap();
    let node = |site: &Site, text| site.node(text).map(|url| url.to_string());
    assert_eq!(node(&plain, "n1:8042").as_deref(), Some("http://n1:8042/"));
    assert_eq!(node(&tls, "n1:8044").as_deref(), Some("https://n1:8044/"));
    for text in [
        "",
        "n1:8042/x",
        "user@n1:8042",
        "n1:8042?x",
        "n1 8042",
        "n1:99999",
    ] {
        assert_eq!(node(&plain, text), None, "{text:?}");
    }
}

#[test]
fn unusable_values_are_named() {
    let own = "yarn.log.server.web-service.url";
    insta::assert_snapshot!(
        [
            refusal(&[("yarn.http.policy", "BOTH")]),
            refusal(&[("yarn.resourcemanager.hostname", "${env.RM}")]),
            refusal(&[("yarn.resourcemanager.webapp.address", "http://rm:80")]),
            refusal(&[("yarn.resourcemanager.ha.enabled", "true")]),
            refusal(&HA),
            refusal(&[HA[0], ("yarn.resourcemanager.ha.rm-ids", &["r"; 17].join(","))]),
            refusal(&[(own, "ftp://x")]),
            refusal(&[(own, "http://me:secret@x/ws")]),
            Site::read(&["/no/such".into(), "/nor/this".into()]).unwrap_err().to_string(),
            Site::read(&[]).unwrap_err().to_string(),
        ]
        .join("\n"),
        @r#"
    yarn.http.policy has the value "BOTH", which YARN does not know
    yarn.resourcemanager.hostname has the value "${env.RM}:8088", which is no host with a port
    yarn.resourcemanager.webapp.address has the value "http://rm:80", which is no host with a port
    yarn.resourcemanager.ha.rm-ids is not set
    yarn.resourcemanager.webapp.address.rm1 is not set
    yarn.resourcemanager.ha.rm-ids has the value "r,r,r,r,r,r,r,r,r,r,r,r,r,r,r,r,r", which names too many ResourceManagers
    yarn.log.server.web-service.url has the value "ftp://x", which is no plain http address
    yarn.log.server.web-service.url has the value "x/ws", which is no plain http address
    no yarn-site.xml in /no/such or /nor/this
    no yarn-site.xml in any directory, because neither HADOOP_CONF_DIR nor YARN_CONF_DIR is set
    "#
    );
}

#[test]
fn an_unreadable_file_is_no_missing_one() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("yarn-site.xml")).unwrap();
    let error = Site::read(&[path(&dir)]).unwrap_err();
    assert!(matches!(error, SiteError::Read { .. }), "{error}");
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("yarn-site.xml"), "<html/>").unwrap();
    let error = Site::read(&[path(&dir)]).unwrap_err().to_string();
    assert!(error.contains("its root is <html>"), "{error}");
}
