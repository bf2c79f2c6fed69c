//! Bad requests: each is refused with a reason and leaves nothing behind.

use livius_testkit::{World, WorldOptions};

use super::{APP, submit, total};

/// Every field, with a bad value.
const WRONG: [(&str, &[&str]); 16] = [
    (
        "file",
        &[
            "null",
            "\"\"",
            "[1]",
            "{}",
            "\"app.py\"",
            "\"file:app.py\"",
            "\"../app.py\"",
            "\"/a\\nb\"",
            "\"file:///%ff\"",
        ],
    ),
    ("proxyUser", &["[1]", "{}", "\"a\\u0000\""]),
    ("className", &["[1]", "{}", "\"a\\nb\""]),
    (
        "args",
        &["\"a\"", "5", "{}", "[null]", "[[]]", "[\"\\u0000\"]"],
    ),
    (
        "jars",
        &[
            "5",
            "{}",
            "[null]",
            "[\"a.jar\"]",
            "[\"/a.jar,b.jar\"]",
            "[\"/a\\u001b\"]",
        ],
    ),
    ("pyFiles", &["{}", "[{}]", "[\"a.py\"]", "\"a.py\""]),
    (
        "files",
        &["{}", "[[]]", "[\"a\"]", "[\"/no/such/../file\",\"b\"]"],
    ),
    ("archives", &["{}", "[[]]", "[\"a.zip#x\"]"]),
    ("driverMemory", &["[1]", "\"lots\"", "\"-1g\"", "\"1.5g\""]),
    ("executorMemory", &["{}", "\"g\"", "true"]),
    ("driverCores", &["\"x\"", "-1", "1.5", "[]", "2147483648"]),
    ("executorCores", &["\"\"x\"", "-1", "1e3x", "{}"]),
    ("numExecutors", &["\"many\"", "-1", "0.5", "[2]"]),
    ("queue", &["[1]", "\"a\\u0007\""]),
    ("name", &["[1]", "\"\"", "\"12\"", "\"a\\nb\""]),
    (
        "conf",
        &[
            "[]",
            "\"a=b\"",
            "{\"\":\"x\"}",
            "{\"a\":{}}",
            "{\"a\":\"\\u0000\"}",
            "{\"spark.blocked\":\"x\"}",
            "{\"Spark.Blocked\":\"x\"}",
            "{\"spark.submit.proxyUser\":\"root\"}",
            "{\"spark.submit.deployMode\":\"cluster\"}",
            "{\"spark.submit.deployMode\":\"both\"}",
            "{\"spark.files\":\"relative\"}",
            "{\"spark.yarn.jars\":\"relative\"}",
            "{\"livy.rsc.sql.num-rows\":\"few\"}",
        ],
    ),
];

async fn world() -> World {
    World::with(WorldOptions {
        blocked_conf: vec!["spark.blocked".to_owned()],
        ..WorldOptions::default()
    })
    .await
}

#[tokio::test]
async fn every_field_wrong_in_turn_is_refused_and_leaves_nothing() {
    let world = world().await;
    for (field, values) in WRONG {
        for value in values {
            let body = match field {
                "file" => format!(r#"{{"file":{value}}}"#),
                _ => format!(r#"{{"file":"hdfs://h/a","{field}":{value}}}"#),
            };
            let refused = world.post("/batches", &body).await;
            assert_eq!(refused.status, 400, "{body}: {}", refused.text);
            let reason = refused.json();
            let reason = reason.as_str().or(reason["msg"].as_str());
            assert!(
                reason.is_some_and(|reason| reason.len() > 10),
                "{body}: {}",
                refused.text
            );
        }
    }
    assert_eq!(total(&world).await, 0);
    assert_eq!(submit(&world, APP).await.0, 0);
    assert_eq!(super::started(&world, 1).await, [0]);
}

#[tokio::test]
async fn bodies_that_are_no_requests_are_refused() {
    let world = world().await;
    for (body, start) in [
        ("", "\"No content to map due to end-of-input"),
        ("abc", "\"Malformed JSON: "),
        ("[]", "\"Malformed JSON: "),
        ("null", "\"Malformed JSON: "),
        ("{", "\"Malformed JSON: "),
        (
            "{}",
            "{\"msg\":\"Rejected, Reason: requirement failed: File is required.\"}",
        ),
        (
            "{\"className\":\"a.B\"}",
            "{\"msg\":\"Rejected, Reason: requirement failed: File is required.\"}",
        ),
        (
            "{\"file\":\"/a\",\"kind\":\"spark\"}",
            "\"Unrecognized field \\\"kind\\\" (class ",
        ),
        (
            "{\"file\":\"/a\",\"ttl\":\"1h\"}",
            "\"Unrecognized field \\\"ttl\\\" (class ",
        ),
        (
            "{\"file\":\"/a\",\"foo\":1}",
            "\"Unrecognized field \\\"foo\\\" (class ",
        ),
    ] {
        let refused = world.post("/batches", body).await;
        assert_eq!(refused.status, 400, "{body}");
        assert!(refused.text.starts_with(start), "{body}: {}", refused.text);
    }
    assert_eq!(total(&world).await, 0);
}

#[tokio::test]
async fn refusals_say_in_livys_words_what_is_not_granted() {
    let world = world().await;
    for (body, words) in [
        (
            r#"{"file":"app.py"}"#,
            "requirement failed: Path 'app.py' is not absolute.",
        ),
        (
            r#"{"file":"hdfs://h/a","jars":["/a.jar","b.jar"]}"#,
            "requirement failed: Path 'b.jar' is not absolute.",
        ),
        (
            r#"{"file":"hdfs://h/a","conf":{"spark.blocked":"x","spark.ok":"y"}}"#,
            "Blacklisted configuration values in session config: spark.blocked",
        ),
        (
            r#"{"file":"hdfs://h/a","conf":{"spark.submit.deployMode":"cluster"}}"#,
            "conf.spark.submit.deployMode is \"cluster\" and spark.master is \"local[2]\": cluster mode needs YARN, Kubernetes (k8s://…) or a standalone master \
             (spark://…); leave it out to run in client mode",
        ),
    ] {
        let refused = world.post("/batches", body).await;
        let expected = serde_json::json!({"msg": format!("Rejected, Reason: {words}")});
        assert_eq!(
            (refused.status.as_u16(), refused.json()),
            (400, expected),
            "{body}"
        );
    }
    // Both deploy modes are accepted.
    for conf in [
        r#"{"spark.submit.deployMode":"client"}"#,
        r#"{"spark.submit.deployMode":"cluster","spark.master":"spark://h:7077"}"#,
    ] {
        submit(&world, &format!(r#"{{"file":"hdfs://h/a","conf":{conf}}}"#)).await;
    }
    assert_eq!(total(&world).await, 2);
}
