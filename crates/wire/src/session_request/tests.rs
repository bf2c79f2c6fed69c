use livius_domain::SubmitOptions;
use proptest::prelude::*;
use utoipa::PartialSchema;

use super::*;
use crate::submit_options::{
    MAX_CONF_ENTRIES, MAX_LIST_ITEMS, MAX_SUBMIT_REQUEST_BYTES, MAX_TEXT_BYTES,
};

fn read(text: &str) -> Result<SessionRequest, String> {
    read_session(text, ReadOptions::default()).map_err(|error| match error {
        RequestError::Json(message) => format!("Q {message}"),
        RequestError::Refused(message) => format!("M {message}"),
    })
}

fn default() -> SessionRequest {
    SessionRequest::default()
}

fn submit(submit: SubmitOptions) -> SessionRequest {
    SessionRequest {
        submit,
        ..default()
    }
}

fn strings(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

fn conf_of(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn every_field_is_read() {
    let text = r#"{"kind":"pyspark","proxyUser":"ann","jars":["a.jar"],"pyFiles":["b.py"],"files":["c"],
        "driverMemory":"1g","driverCores":1,"executorMemory":"2g","executorCores":2,"numExecutors":3,"archives":["d.zip"],
        "queue":"q","name":"n","conf":{"spark.x":"y"},"heartbeatTimeoutInSecond":60,"ttl":"1h","idleTimeout":"10m"}"#;
    let expected = SessionRequest {
        kind: Kind::PySpark,
        submit: SubmitOptions {
            proxy_user: Some("ann".into()),
            jars: strings(&["a.jar"]),
            py_files: strings(&["b.py"]),
            files: strings(&["c"]),
            archives: strings(&["d.zip"]),
            driver_memory: Some("1g".into()),
            driver_cores: Some(1),
            executor_memory: Some("2g".into()),
            executor_cores: Some(2),
            num_executors: Some(3),
            queue: Some("q".into()),
            name: Some("n".into()),
            conf: conf_of(&[("spark.x", "y")]),
        },
        heartbeat_timeout_seconds: 60,
        ttl: Some("1h".into()),
        idle_timeout: Some("10m".into()),
    };
    assert_eq!(read(text), Ok(expected));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_clients_send_instead_is_understood() {
    let table: Vec<(&str, SessionRequest)> = vec![
        ("{}", default()),
        ("{} and more", default()),
        (
            r#"{"kind":"scala"}"#,
            SessionRequest {
                kind: Kind::Spark,
                ..default()
            },
        ),
        (
            r#"{"kind":"pyspark3"}"#,
            SessionRequest {
                kind: Kind::PySpark3,
                ..default()
            },
        ),
        (
            r#"{"name":true}"#,
            submit(SubmitOptions {
                name: Some("true".into()),
                ..SubmitOptions::default()
            }),
        ),
        (
            r#"{"queue":5,"driverMemory":1024,"executorMemory":""}"#,
            submit(SubmitOptions {
                queue: Some("5".into()),
                driver_memory: Some("1024".into()),
                ..SubmitOptions::default()
            }),
        ),
        (
            r#"{"queue":true}"#,
            submit(SubmitOptions {
                queue: Some("true".into()),
                ..SubmitOptions::default()
            }),
        ),
        (
            r#"{"driverCores":"2","executorCores":" 3 ","numExecutors":4.0}"#,
            submit(SubmitOptions {
                driver_cores: Some(2),
                executor_cores: Some(3),
                num_executors: Some(4),
                ..SubmitOptions::default()
            }),
        ),
        (
            r#"{"driverCores":"","executorCores":null,"numExecutors":0}"#,
            default(),
        ),
        (
            r#"{"heartbeatTimeoutInSecond":"5"}"#,
            SessionRequest {
                heartbeat_timeout_seconds: 5,
                ..default()
            },
        ),
        (
            r#"{"heartbeatTimeoutInSecond":1.9}"#,
            SessionRequest {
                heartbeat_timeout_seconds: 1,
                ..default()
            },
        ),
        (r#"{"heartbeatTimeoutInSecond":-1}"#, default()),
        (r#"{"heartbeatTimeoutInSecond":null}"#, default()),
        (
            r#"{"jars":"a.jar, b.jar,","files":["x",5,""]}"#,
            submit(SubmitOptions {
                jars: strings(&["a.jar", "b.jar"]),
                files: strings(&["x", "5"]),
                ..SubmitOptions::default()
            }),
        ),
        (
            r#"{"conf":{"a":1,"b":true,"c":1.50,"d":null,"e":"","a":2}}"#,
            submit(SubmitOptions {
                conf: conf_of(&[("a", "2"), ("b", "true"), ("c", "1.50"), ("e", "")]),
                ..SubmitOptions::default()
            }),
        ),
        (
            r#"{"kind":null,"jars":null,"pyFiles":null,"files":null,"archives":null,"conf":null,"proxyUser":null,"queue":null,
             "name":null,"ttl":null,"idleTimeout":null,"driverMemory":null,"executorMemory":null}"#,
            default(),
        ),
        (
            r#"{"ttl":5,"idleTimeout":" 3 S "}"#,
            SessionRequest {
                ttl: Some("5".into()),
                idle_timeout: Some(" 3 S ".into()),
                ..default()
            },
        ),
    ];
    for (text, expected) in table {
        assert_eq!(read(text), Ok(expected), "{text}");
    }
}

#[test]
fn every_field_says_what_is_wrong_with_it() {
    let chain = |field: &str| format!(" (through reference chain: {}[\"{field}\"])", SHAPE.class);
    for name in [
        "proxyUser",
        "driverMemory",
        "executorMemory",
        "queue",
        "ttl",
        "idleTimeout",
        "name",
    ] {
        for (value, found) in [("[1]", "a list"), ("{}", "an object")] {
            let text = format!("{{\"{name}\":{value}}}");
            assert_eq!(
                read(&text),
                Err(format!(
                    "Q {name} must be a string: found {found}{}",
                    chain(name)
                ))
            );
        }
    }
    for name in ["jars", "pyFiles", "files", "archives"] {
        for (value, problem) in [
            ("{}", " must be a list of strings, not an object"),
            ("[\"a\",[]]", ": item 1 must be a string: found a list"),
            ("[null]", ": item 0 must be a string: found null"),
        ] {
            let text = format!("{{\"{name}\":{value}}}");
            assert_eq!(
                read(&text),
                Err(format!("Q {name}{problem}{}", chain(name)))
            );
        }
        let text = format!("{{\"{name}\":[\"a\\u0000b\"]}}");
        assert_eq!(
            read(&text),
            Err(format!(
                "M Rejected, Reason: {name} has control characters: \"a\\0b\""
            ))
        );
    }
    for name in ["driverCores", "executorCores", "numExecutors"] {
        for value in [
            "1.5",
            "-1",
            "3000000000",
            "1e400",
            "true",
            "[]",
            "{}",
            "\"x\"",
            "\"NaN\"",
            "\"inf\"",
        ] {
            let text = format!("{{\"{name}\":{value}}}");
            let message = format!(
                "Q {name} must be a whole number from 0 to 2147483647, not {value}; write for example \"{name}\": 2{}",
                chain(name)
            );
            let (head, tail) = message.split_once(" (through").unwrap();
            let actual = read(&text).unwrap_err();
            assert_eq!(actual, format!("{head} (through{tail}"), "{text}");
        }
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn values_are_refused_in_livys_words() {
    let long = format!("{{\"name\":\"{}\"}}", "x".repeat(1_001));
    for (text, expected) in [
        (
            r#"{"kind":"bogus"}"#,
            "Q Invalid kind: bogus (through reference chain: org.apache.livy.server.interactive.CreateInteractiveRequest[\"kind\"]); the kinds are spark, pyspark, sparkr, sql and shared",
        ),
        (
            r#"{"kind":5}"#,
            "Q requirement failed: Kind should be a string. (through reference chain: org.apache.livy.server.interactive.CreateInteractiveRequest[\"kind\"])",
        ),
        (
            r#"{"ttl":"abc"}"#,
            "M Rejected, Reason: Invalid time string: abc (ttl takes a whole number and a unit, such as 90s, 30m or 12h)",
        ),
        (
            r#"{"idleTimeout":"10x"}"#,
            "M Rejected, Reason: Invalid suffix: \"x\" (idleTimeout takes a whole number and a unit, such as 90s, 30m or 12h)",
        ),
        (
            r#"{"name":"123"}"#,
            "M Rejected, Reason: Invalid session name: 123 (a name has 1 to 1000 characters, is not all digits and has no control characters)",
        ),
        (
            r#"{"name":5}"#,
            "M Rejected, Reason: Invalid session name: 5 (a name has 1 to 1000 characters, is not all digits and has no control characters)",
        ),
        (
            r#"{"name":""}"#,
            "M Rejected, Reason: Invalid session name:  (a name has 1 to 1000 characters, is not all digits and has no control characters)",
        ),
        (
            r#"{"heartbeatTimeoutInSecond":"abc"}"#,
            "Q heartbeatTimeoutInSecond must be a whole number from 0 to 2147483647, not \"abc\"; write for example \"heartbeatTimeoutInSecond\": 2 (through reference chain: org.apache.livy.server.interactive.CreateInteractiveRequest[\"heartbeatTimeoutInSecond\"])",
        ),
        (
            r#"{"conf":[]}"#,
            "Q conf must be an object of strings, not a list (through reference chain: org.apache.livy.server.interactive.CreateInteractiveRequest[\"conf\"])",
        ),
        (
            r#"{"conf":{"a":[]}}"#,
            "Q conf: the value of \"a\" must be a string: found a list (through reference chain: org.apache.livy.server.interactive.CreateInteractiveRequest[\"conf\"])",
        ),
        (
            "{\"conf\":{\"a\\nb\":\"\"}}",
            "M Rejected, Reason: conf has a key that is empty, too long or has control characters: \"a\\nb\"",
        ),
        (
            "{\"conf\":{\"a\":\"\\u0000\"}}",
            "M Rejected, Reason: conf has a NUL character in the value of \"a\"",
        ),
        (
            "{\"queue\":\"a\\u001bb\"}",
            "M Rejected, Reason: queue has control characters: \"a\\u{1b}b\"",
        ),
        (
            r#"{"queue":"\ud800"}"#,
            "Q queue must be a string: unexpected end of hex escape; write text outside the basic plane in UTF-8 or as a pair (through reference chain: org.apache.livy.server.interactive.CreateInteractiveRequest[\"queue\"])",
        ),
    ] {
        assert_eq!(read(text), Err(expected.to_owned()), "{text}");
    }
    assert!(
        read(&long)
            .unwrap_err()
            .starts_with("M Rejected, Reason: Invalid session name: xxx")
    );
    assert!(
        read(r#"{"foo":1}"#)
            .unwrap_err()
            .starts_with("Q Unrecognized field \"foo\" (class ")
    );
}

#[test]
fn sizes_of_memory_are_sparks() {
    for name in ["driverMemory", "executorMemory"] {
        for size in ["1g", "512M", "2Gb", "100", "1kb", "3t", "1PB", "7b"] {
            assert!(
                read(&format!("{{\"{name}\":\"{size}\"}}")).is_ok(),
                "{size}"
            );
        }
        for size in [
            "lots", "g", "-1g", "1.5g", "1 g", " 1g", "1e3", "1x", "1gib", "1g1",
        ] {
            let expected = format!(
                "M Rejected, Reason: Invalid {name}: {size} ({name} takes a whole number and a unit, such as 512m or 2g)"
            );
            assert_eq!(read(&format!("{{\"{name}\":\"{size}\"}}")), Err(expected));
        }
    }
}

#[test]
fn everything_is_bounded() {
    let entries: Vec<String> = (0..=MAX_CONF_ENTRIES)
        .map(|n| format!("\"k{n}\":1"))
        .collect();
    assert!(
        read(&format!("{{\"conf\":{{{}}}}}", entries.join(",")))
            .unwrap_err()
            .contains("more than 10000 entries")
    );
    let items = vec!["\"a\""; MAX_LIST_ITEMS + 1].join(",");
    assert!(
        read(&format!("{{\"jars\":[{items}]}}"))
            .unwrap_err()
            .contains("more than 10000 items")
    );
    let csv = "a,".repeat(MAX_LIST_ITEMS + 1);
    assert!(
        read(&format!("{{\"jars\":\"{csv}\"}}"))
            .unwrap_err()
            .contains("more than 10000 items")
    );
    let text = "x".repeat(MAX_TEXT_BYTES + 1);
    assert!(
        read(&format!("{{\"queue\":\"{text}\"}}"))
            .unwrap_err()
            .contains("more than 65536 bytes")
    );
    let text = "x".repeat(MAX_SUBMIT_REQUEST_BYTES);
    assert!(
        read(&format!("{{\"conf\":{{\"a\":\"{text}\"}}}}"))
            .unwrap_err()
            .contains("longer than 4194304 bytes")
    );
}

#[test]
fn deep_nesting_is_refused_without_a_stack() {
    for key in ["jars", "conf", "kind", "driverCores", "foo"] {
        let bomb = format!(
            "{{\"{key}\":{}{}}}",
            "[".repeat(500_000),
            "]".repeat(500_000)
        );
        assert!(read(&bomb).is_err(), "{key}");
    }
    assert!(read(&"{\"conf\":".repeat(100_000)).is_err());
    assert!(read(&"[".repeat(100_000)).is_err());
}

#[test]
fn the_description_has_the_same_fields() {
    let described = serde_json::to_value(SessionBody::default()).unwrap();
    let mut described: Vec<&String> = described.as_object().unwrap().keys().collect();
    let mut names = SHAPE.names.to_vec();
    described.sort();
    names.sort_unstable();
    assert_eq!(described, names);
    let schema = serde_json::to_value(SessionBody::schema()).unwrap();
    assert_eq!(schema.get("required"), None);
}

proptest! {
    #[test]
    fn any_text_is_answered(text in ".*") {
        let _ = read(&text);
    }

    #[test]
    fn any_value_of_any_field_is_answered(
        field in proptest::sample::select(SHAPE.names.to_vec()),
        value in proptest::sample::select(vec![
            "null", "true", "0", "-0", "-1", "1.5", "1e999", "\"\"", "\"1\"", "\"a,b\"", "[]", "[[]]", "[null]", "{}",
            "{\"a\":null}", "{\"a\":{}}", "\"\\ud83d\\ude00\"", "\"\\ud83d\"",
        ]),
    ) {
        let _ = read(&format!("{{\"{field}\":{value}}}"));
    }
}
