use livius_domain::SubmitOptions;
use proptest::prelude::*;
use utoipa::PartialSchema;

use super::*;
use crate::read_session;
use crate::submit_options::{MAX_SUBMIT_REQUEST_BYTES, MAX_TEXT_BYTES};

fn told(error: RequestError) -> String {
    match error {
        RequestError::Json(message) => format!("Q {message}"),
        RequestError::Refused(message) => format!("M {message}"),
    }
}

fn read(text: &str) -> Result<BatchRequest, String> {
    read_batch(text, ReadOptions::default()).map_err(told)
}

/// Reads a request with a valid file and one more field.
fn read_with(field: &str, value: &str) -> Result<BatchRequest, String> {
    read(&format!(r#"{{"file":"f","{field}":{value}}}"#))
}

fn refusals(requests: &[&str]) -> String {
    let lines: Vec<String> = requests
        .iter()
        .map(|text| format!("{text}\n    {}", read(text).unwrap_err()))
        .collect();
    lines.join("\n")
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

fn of_file(file: &str) -> BatchRequest {
    BatchRequest {
        file: file.into(),
        ..BatchRequest::default()
    }
}

fn with_args(args: &[&str]) -> BatchRequest {
    BatchRequest {
        args: strings(args),
        ..of_file("f")
    }
}

#[test]
fn every_field_is_read() {
    let text = r#"{"file":"app.jar","proxyUser":"ann","className":"a.Main","args":["x",""],"jars":["a.jar"],"pyFiles":["b.py"],
        "files":["c"],"driverMemory":"1g","driverCores":1,"executorMemory":"2g","executorCores":2,"numExecutors":3,
        "archives":["d.zip"],"queue":"q","name":"n","conf":{"spark.x":"y"}}"#;
    let expected = BatchRequest {
        file: "app.jar".into(),
        class_name: Some("a.Main".into()),
        args: strings(&["x", ""]),
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
    };
    assert_eq!(read(text), Ok(expected));
}

/// Recorded between Livy and its clients: pylivy, livyclient, Airflow. Livy itself cannot take the
/// last one.
#[test]
fn recorded_requests_are_read() {
    let pi = |args: &[&str], submit| BatchRequest {
        args: strings(args),
        submit,
        ..of_file("/srv/data/pi.py")
    };
    let none = SubmitOptions::default;
    for (text, expected) in [
        (
            r#"{"file": "/srv/data/pi.py", "args": ["a", "b c"], "name": "pylivy-batch-1795251984"}"#,
            pi(
                &["a", "b c"],
                SubmitOptions {
                    name: Some("pylivy-batch-1795251984".into()),
                    ..none()
                },
            ),
        ),
        (
            r#"{"file": "/srv/data/pi.py", "args": ["x"], "name": "lc-1795249243", "conf": {"spark.executor.instances": 1}}"#,
            pi(
                &["x"],
                SubmitOptions {
                    name: Some("lc-1795249243".into()),
                    conf: conf_of(&[("spark.executor.instances", "1")]),
                    ..none()
                },
            ),
        ),
        (
            r#"{"file": "/srv/data/pi.py", "args": ["p"], "driverMemory": "512m", "driverCores": 1, "executorMemory": "512m", "executorCores": 1, "numExecutors": 1, "queue": "default", "conf": {"spark.a": 1, "spark.b": "x"}}"#,
            pi(
                &["p"],
                SubmitOptions {
                    driver_memory: Some("512m".into()),
                    driver_cores: Some(1),
                    executor_memory: Some("512m".into()),
                    executor_cores: Some(1),
                    num_executors: Some(1),
                    queue: Some("default".into()),
                    conf: conf_of(&[("spark.a", "1"), ("spark.b", "x")]),
                    ..none()
                },
            ),
        ),
        (
            r#"{"file": "/srv/data/pi.py", "args": ["p"], "driverCores": "1", "executorCores": "1", "numExecutors": "1"}"#,
            pi(
                &["p"],
                SubmitOptions {
                    driver_cores: Some(1),
                    executor_cores: Some(1),
                    num_executors: Some(1),
                    ..none()
                },
            ),
        ),
    ] {
        assert_eq!(read(text), Ok(expected), "{text}");
    }
}

#[test]
fn what_clients_send_instead_is_understood() {
    let all_null = r#"{"file":"f","proxyUser":null,"className":null,"args":null,"jars":null,"pyFiles":null,"files":null,"driverMemory":null,
        "driverCores":null,"executorMemory":null,"executorCores":null,"numExecutors":null,"archives":null,"queue":null,"name":null,"conf":null}"#;
    let with_jars = BatchRequest {
        submit: SubmitOptions {
            jars: strings(&["a.jar", "b.jar"]),
            ..SubmitOptions::default()
        },
        ..of_file("f")
    };
    for (text, expected) in [
        (r#"{"file":"f"} and more"#, of_file("f")),
        (r#"{"file":"e","file":"f"}"#, of_file("f")),
        (r#"{"file":5}"#, of_file("5")),
        (r#"{"file":"f","className":""}"#, of_file("f")),
        (r#"{"file":"f","jars":"a.jar, b.jar,"}"#, with_jars),
        (all_null, of_file("f")),
    ] {
        assert_eq!(read(text), Ok(expected), "{text}");
    }
}

#[test]
fn arguments_are_kept_exactly() {
    for (args, expected) in [
        ("[]", &[][..]),
        ("null", &[]),
        (r#"[""]"#, &[""]),
        (r#"["a","","b",""]"#, &["a", "", "b", ""]),
        (r#"["a,b"," c ","--d=e f"]"#, &["a,b", " c ", "--d=e f"]),
        (
            r#"["l1\nl2\r\n","\tx","\u001b[0m","\u007f"]"#,
            &["l1\nl2\r\n", "\tx", "\u{1b}[0m", "\u{7f}"],
        ),
        (
            r#"["$HOME","`id`","'","\"","\\","*"]"#,
            &["$HOME", "`id`", "'", "\"", "\\", "*"],
        ),
        (r#"["λ","\ud83e\udd14"]"#, &["λ", "🤔"]),
        (
            "[1,2.50,-0,1e5,true,false]",
            &["1", "2.50", "-0", "1e5", "true", "false"],
        ),
        ("[12345678901234567890123]", &["12345678901234567890123"]),
    ] {
        assert_eq!(read_with("args", args), Ok(with_args(expected)), "{args}");
    }
}

#[test]
fn arguments_that_no_program_can_be_given_are_refused() {
    insta::assert_snapshot!(refusals(&[
        r#"{"file":"f","args":"a b"}"#,
        r#"{"file":"f","args":5}"#,
        r#"{"file":"f","args":true}"#,
        r#"{"file":"f","args":{"a":"b"}}"#,
        r#"{"file":"f","args":["a",null]}"#,
        r#"{"file":"f","args":[{}]}"#,
        r#"{"file":"f","args":["a","b",["c"]]}"#,
        r#"{"file":"f","args":["a","b\u0000c"]}"#,
        r#"{"file":"f","args":["\ud800"]}"#,
        "{\"file\":\"f\",\"args\":[\"a\nb\"]}",
    ]), @r#"
        {"file":"f","args":"a b"}
            Q args must be a list of strings, not a string; write for example "args": ["one", "and two"] (through reference chain: org.apache.livy.server.batch.CreateBatchRequest["args"])
        {"file":"f","args":5}
            Q args must be a list of strings, not a number; write for example "args": ["one", "and two"] (through reference chain: org.apache.livy.server.batch.CreateBatchRequest["args"])
        {"file":"f","args":true}
            Q args must be a list of strings, not a boolean; write for example "args": ["one", "and two"] (through reference chain: org.apache.livy.server.batch.CreateBatchRequest["args"])
        {"file":"f","args":{"a":"b"}}
            Q args must be a list of strings, not an object; write for example "args": ["one", "and two"] (through reference chain: org.apache.livy.server.batch.CreateBatchRequest["args"])
        {"file":"f","args":["a",null]}
            Q args: item 1 must be a string: found null (through reference chain: org.apache.livy.server.batch.CreateBatchRequest["args"])
        {"file":"f","args":[{}]}
            Q args: item 0 must be a string: found an object (through reference chain: org.apache.livy.server.batch.CreateBatchRequest["args"])
        {"file":"f","args":["a","b",["c"]]}
            Q args: item 2 must be a string: found a list (through reference chain: org.apache.livy.server.batch.CreateBatchRequest["args"])
        {"file":"f","args":["a","b\u0000c"]}
            M Rejected, Reason: args: item 1 has a NUL character, which no program can be given; encode such data, or put it into a file
        {"file":"f","args":["\ud800"]}
            Q args: item 0 must be a string: unexpected end of hex escape; write text outside the basic plane in UTF-8 or as a pair (through reference chain: org.apache.livy.server.batch.CreateBatchRequest["args"])
        {"file":"f","args":["a
        b"]}
            Q Malformed JSON: control character (\u0000-\u001F) found while parsing a string at line 1 column 22
        "#);
}

#[test]
fn arguments_are_bounded() {
    let list = |count: usize, bytes: usize| {
        let item = format!("\"{}\"", "x".repeat(bytes));
        format!("[{}]", vec![item; count].join(","))
    };
    for (count, bytes) in [
        (MAX_LIST_ITEMS, 0),
        (1, MAX_ARGUMENT_BYTES),
        (8, MAX_ARGUMENT_BYTES),
        (1_024, 1_024),
    ] {
        let args = read_with("args", &list(count, bytes)).unwrap().args;
        assert_eq!((args.len(), args[0].len()), (count, bytes));
    }
    let two = format!("[\"\",\"{}\"]", "π".repeat(MAX_ARGUMENT_BYTES / 2 + 1));
    let refused = [
        read_with("args", &two),
        read_with("args", &list(1_025, 1_024)),
        read_with("args", &list(MAX_LIST_ITEMS + 1, 0)),
    ];
    let refused = refused.map(Result::unwrap_err).join("\n");
    insta::assert_snapshot!(refused, @r#"
        M Rejected, Reason: args: item 1 has 131072 bytes, and no program can be given more than 131071 in one argument; put large data into a file
        M Rejected, Reason: args has 1049600 bytes in all, and 1048576 is the most; put large data into a file
        Q args: more than 10000 items (through reference chain: org.apache.livy.server.batch.CreateBatchRequest["args"])
        "#);
}

#[test]
fn a_batch_needs_a_file() {
    for text in [
        "{}",
        r#"{"file":null}"#,
        r#"{"file":""}"#,
        r#"{"file":"f","file":null}"#,
        r#"{"className":"a.B"}"#,
    ] {
        let expected = "M Rejected, Reason: requirement failed: File is required.";
        assert_eq!(read(text), Err(expected.to_owned()), "{text}");
    }
}

#[test]
fn every_field_says_what_is_wrong_with_it() {
    let requests: Vec<String> = SHAPE
        .names
        .iter()
        .map(|name| {
            let value = match *name {
                "conf" => "[]",
                "args" | "jars" | "pyFiles" | "files" | "archives" => "{}",
                _ => "[1]",
            };
            format!("{{\"{name}\":{value}}}")
        })
        .collect();
    let requests: Vec<&str> = requests.iter().map(String::as_str).collect();
    insta::assert_snapshot!(refusals(&requests), @r#"
        {"file":[1]}
            Q file must be a string: found a list (through reference chain: org.apache.livy.server.batch.CreateBatchRequest["file"])
        {"proxyUser":[1]}
            Q proxyUser must be a string: found a list (through reference chain: org.apache.livy.server.batch.CreateBatchRequest["proxyUser"])
        {"className":[1]}
            Q className must be a string: found a list (through reference chain: org.apache.livy.server.batch.CreateBatchRequest["className"])
        {"args":{}}
            Q args must be a list of strings, not an object; write for example "args": ["one", "and two"] (through reference chain: org.apache.livy.server.batch.CreateBatchRequest["args"])
        {"jars":{}}
            Q jars must be a list of strings, not an object (through reference chain: org.apache.livy.server.batch.CreateBatchRequest["jars"])
        {"pyFiles":{}}
            Q pyFiles must be a list of strings, not an object (through reference chain: org.apache.livy.server.batch.CreateBatchRequest["pyFiles"])
        {"files":{}}
            Q files must be a list of strings, not an object (through reference chain: org.apache.livy.server.batch.CreateBatchRequest["files"])
        {"driverMemory":[1]}
            Q driverMemory must be a string: found a list (through reference chain: org.apache.livy.server.batch.CreateBatchRequest["driverMemory"])
        {"driverCores":[1]}
            Q driverCores must be a whole number from 0 to 2147483647, not [1]; write for example "driverCores": 2 (through reference chain: org.apache.livy.server.batch.CreateBatchRequest["driverCores"])
        {"executorMemory":[1]}
            Q executorMemory must be a string: found a list (through reference chain: org.apache.livy.server.batch.CreateBatchRequest["executorMemory"])
        {"executorCores":[1]}
            Q executorCores must be a whole number from 0 to 2147483647, not [1]; write for example "executorCores": 2 (through reference chain: org.apache.livy.server.batch.CreateBatchRequest["executorCores"])
        {"numExecutors":[1]}
            Q numExecutors must be a whole number from 0 to 2147483647, not [1]; write for example "numExecutors": 2 (through reference chain: org.apache.livy.server.batch.CreateBatchRequest["numExecutors"])
        {"archives":{}}
            Q archives must be a list of strings, not an object (through reference chain: org.apache.livy.server.batch.CreateBatchRequest["archives"])
        {"queue":[1]}
            Q queue must be a string: found a list (through reference chain: org.apache.livy.server.batch.CreateBatchRequest["queue"])
        {"name":[1]}
            Q name must be a string: found a list (through reference chain: org.apache.livy.server.batch.CreateBatchRequest["name"])
        {"conf":[]}
            Q conf must be an object of strings, not a list (through reference chain: org.apache.livy.server.batch.CreateBatchRequest["conf"])
        "#);
}

#[test]
fn values_are_refused_in_livys_words() {
    insta::assert_snapshot!(refusals(&[
        "[]",
        "",
        r#"{"file":"a\nb"}"#,
        r#"{"file":"f","className":"a\u0000b"}"#,
        r#"{"file":"f","name":"12"}"#,
        r#"{"file":"f","driverMemory":"lots"}"#,
        r#"{"file":"f","jars":["a\u001bb"]}"#,
        r#"{"file":"f","conf":{"":"x"}}"#,
    ]), @r#"
        []
            Q Malformed JSON: invalid type: sequence, expected an object at line 1 column 0; the body must be a JSON object, such as {"file":"/path/to/application.py"}

            Q No content to map due to end-of-input (the request has no body; send a JSON object, such as {"file":"/path/to/application.py"})
        {"file":"a\nb"}
            M Rejected, Reason: file has control characters: "a\nb"
        {"file":"f","className":"a\u0000b"}
            M Rejected, Reason: className has control characters: "a\0b"
        {"file":"f","name":"12"}
            M Rejected, Reason: Invalid session name: 12 (a name has 1 to 1000 characters, is not all digits and has no control characters)
        {"file":"f","driverMemory":"lots"}
            M Rejected, Reason: Invalid driverMemory: lots (driverMemory takes a whole number and a unit, such as 512m or 2g)
        {"file":"f","jars":["a\u001bb"]}
            M Rejected, Reason: jars has control characters: "a\u{1b}b"
        {"file":"f","conf":{"":"x"}}
            M Rejected, Reason: conf has a key that is empty, too long or has control characters: ""
        "#);
}

#[test]
fn the_fields_of_sessions_alone_are_unknown() {
    for name in ["kind", "ttl", "idleTimeout", "heartbeatTimeoutInSecond"] {
        let expected = format!(
            "Q Unrecognized field \"{name}\" (class org.apache.livy.server.batch.CreateBatchRequest), not marked as ignorable (16 \
             known properties: \"file\", \"proxyUser\", \"className\", \"args\", \"jars\", \"pyFiles\", \"files\", \"driverMemory\", \
             \"driverCores\", \"executorMemory\", \"executorCores\", \"numExecutors\", \"archives\", \"queue\", \"name\", \"conf\") \
             (through reference chain: org.apache.livy.server.batch.CreateBatchRequest[\"{name}\"])"
        );
        assert_eq!(read_with(name, "1"), Err(expected));
    }
    let lenient = ReadOptions {
        ignore_unknown_fields: true,
    };
    assert_eq!(
        read_batch(r#"{"file":"f","ttl":"1h"}"#, lenient),
        Ok(of_file("f"))
    );
}

#[test]
fn texts_and_requests_are_bounded() {
    for name in ["file", "className", "queue"] {
        let text = format!("\"{}\"", "x".repeat(MAX_TEXT_BYTES + 1));
        let expected = format!("M Rejected, Reason: {name} has a text of more than 65536 bytes");
        assert_eq!(read_with(name, &text), Err(expected));
    }
    let text = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_SUBMIT_REQUEST_BYTES));
    assert_eq!(
        read_with("conf", &text),
        Err(
            "Q The request for a batch is longer than 4194304 bytes; put large data into files and name them in \"files\""
                .to_owned()
        )
    );
    for key in ["args", "jars", "conf", "file", "foo"] {
        let bomb = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
        assert!(read_with(key, &bomb).is_err(), "{key}");
    }
}

#[test]
fn the_description_has_the_same_fields_and_needs_the_file_only() {
    let described = serde_json::to_value(BatchBody::default()).unwrap();
    let mut described: Vec<&String> = described.as_object().unwrap().keys().collect();
    let mut names = SHAPE.names.to_vec();
    described.sort();
    names.sort_unstable();
    assert_eq!(described, names);
    let schema = serde_json::to_value(BatchBody::schema()).unwrap();
    assert_eq!(schema["required"], serde_json::json!(["file"]));
}

proptest! {
    #[test]
    fn any_text_is_answered(text in ".*") {
        let _ = read(&text);
    }

    #[test]
    fn arguments_survive_unless_they_have_nul(args in proptest::collection::vec("(?s).*", 0..5)) {
        let text = serde_json::json!({"file": "f", "args": args}).to_string();
        match read(&text) {
            Ok(request) => prop_assert_eq!(request.args, args),
            Err(_) => prop_assert!(args.iter().any(|arg| arg.contains('\0'))),
        }
    }

    /// Fields that both requests have are read, and refused, in the same way.
    #[test]
    fn sessions_and_batches_agree_about_the_fields_they_share(
        field in proptest::sample::select(SHAPE.names.into_iter().filter(|name| !["file", "className", "args"].contains(name)).collect::<Vec<_>>()),
        value in proptest::sample::select(vec![
            "null", "true", "0", "-0", "-1", "1.5", "1e999", "\"\"", "\"1\"", "\"a,b\"", "\"2g\"", "[]", "[[]]", "[null]", "[\"a\",\"\"]",
            "{}", "{\"a\":null}", "{\"a\":1}", "{\"a\":{}}", "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "\"\\u0000\"",
        ]),
    ) {
        let session = read_session(&format!("{{\"{field}\":{value}}}"), ReadOptions::default())
            .map(|request| request.submit)
            .map_err(|error| told(error).replace("interactive.CreateInteractiveRequest", "batch.CreateBatchRequest"));
        prop_assert_eq!(read_with(field, value).map(|request| request.submit), session);
    }
}
