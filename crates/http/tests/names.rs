//! Any text as the name of a session or a batch: the server takes it and returns it unchanged
//! wherever the name is shown, or refuses it and leaves nothing behind.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use livius_domain::{BatchId, Limits, SessionId};
use livius_testkit::{DriverOrder, World, WorldOptions, eventually, texts};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// The longest name, in characters.
const LONGEST: usize = 1_000;

/// The two kinds of things with names, which share no name.
#[derive(Clone, Copy)]
struct Place {
    path: &'static str,
    /// The rest of a request.
    rest: &'static str,
}

const PLACES: [Place; 2] = [
    Place {
        path: "/sessions",
        rest: r#""kind":"pyspark""#,
    },
    Place {
        path: "/batches",
        rest: r#""file":"hdfs://h/app.py""#,
    },
];

/// Texts as code points, each of them once.
fn candidates() -> Vec<Vec<u32>> {
    let mut all = texts::nasty();
    // Without what no name may have, so that more of them are names.
    let plain = |text: &Vec<u32>| {
        let kept = text.iter().copied().filter(|&point| is_allowed(point));
        kept.chain([u32::from('~')]).collect()
    };
    all.extend(all.iter().map(plain).collect::<Vec<_>>());
    let known = [
        "..".to_owned(),
        ".".to_owned(),
        "a/b\\c".to_owned(),
        "/".to_owned(),
        "../../etc/passwd".to_owned(),
        "state;x=y?from=1#end".to_owned(),
        "%2F%00%zz%".to_owned(),
        "\"'`{\"name\":\"'x'\"}".to_owned(),
        "${spark.app.name} $(id) {{x}}".to_owned(),
        "<script>alert(1)</script>".to_owned(),
        " ".to_owned(),
        " a  b ".to_owned(),
        "a\u{a0}\u{2003}b\u{feff}".to_owned(),
        "A".to_owned(),
        "a".to_owned(),
        "\u{e9}".to_owned(),
        "e\u{301}".to_owned(),
        "\u{202e}txt.exe\u{202c}\u{2066}x\u{2069}".to_owned(),
        "e".to_owned() + &"\u{301}".repeat(LONGEST - 1),
        "-1".to_owned(),
        "+1".to_owned(),
        "1.0".to_owned(),
        "0x10".to_owned(),
        "null".to_owned(),
        "\u{661}\u{662}".to_owned(),
        "007".to_owned(),
        "99999999999999999999".to_owned(),
        "one\ntwo".to_owned(),
        "a\tb".to_owned(),
        "\u{7f}".to_owned(),
        "\u{10ffff}".repeat(LONGEST),
        "\u{10ffff}".repeat(LONGEST + 1),
        "x".repeat(1 << 20),
        "\u{1f926}".repeat(1 << 18),
        "\\\"".repeat(1 << 19),
    ];
    all.extend(known.map(|text| text.chars().map(u32::from).collect()));
    all.sort();
    all.dedup();
    all
}

fn is_allowed(point: u32) -> bool {
    char::from_u32(point).is_some_and(|character| !character.is_control())
}

/// The text, if it may be a name.
fn name_of(text: &[u32]) -> Option<String> {
    let name: String = text
        .iter()
        .map(|&point| char::from_u32(point))
        .collect::<Option<_>>()?;
    let is_name = text.len() <= LONGEST
        && text.iter().copied().all(is_allowed)
        && !name.bytes().all(|byte| byte.is_ascii_digit());
    is_name.then_some(name)
}

/// The text as a string of JSON with escapes only.
fn escaped(text: &[u32]) -> String {
    let mut units = Vec::new();
    for &point in text {
        match char::from_u32(point) {
            Some(known) => units.extend_from_slice(known.encode_utf16(&mut [0; 2])),
            None => units.push(u16::try_from(point).expect("a surrogate")),
        }
    }
    let mut json = String::from("\"");
    for unit in units {
        write!(json, "\\u{unit:04x}").expect("memory");
    }
    json + "\""
}

/// The text as a string of JSON in UTF-8, with the escapes that it needs.
fn in_utf8(text: &[u32]) -> String {
    // No text has this character in front of a lone surrogate, and JSON does not escape it.
    let mark = '\u{fdd0}';
    let marked = texts::with(text, |point| format!("{mark}u{point:04x}"));
    json!(marked).to_string().replace(mark, "\\")
}

async fn order(world: &World, place: Place, id: i64) -> DriverOrder {
    let id = id.try_into().expect("a number");
    eventually("the driver is launched", async || match place.path {
        "/batches" => world.launcher().driver_of_batch(BatchId(id)),
        _ => world.launcher().driver_of(SessionId(id)),
    })
    .await
    .0
}

async fn listed(world: &World, place: Place) -> BTreeMap<i64, Value> {
    let list = world.get(&format!("{}?size=1000", place.path)).await.json();
    let all = list["sessions"].as_array().expect("a list");
    assert_eq!(list["total"], all.len());
    all.iter()
        .map(|one| (one["id"].as_i64().expect("a number"), one["name"].clone()))
        .collect()
}

/// Looks for each name in all places that show it, and where it is part of the path.
async fn all_are_there(world: &World, place: Place, names: &BTreeMap<i64, Value>) {
    assert_eq!(&listed(world, place).await, names);
    for (id, name) in names {
        let plain = world.get(&format!("{}/{id}", place.path)).await.json();
        assert_eq!(&plain["name"], name);
        let text = name.as_str().expect("a text");
        let path = utf8_percent_encode(text, NON_ALPHANUMERIC);
        for rest in ["", "/state", "/log"] {
            let found = world.get(&format!("{}/{path}{rest}", place.path)).await;
            assert_eq!(found.status, 200, "{text:?}{rest}: {}", found.text);
            assert_eq!(found.json()["id"], *id, "{text:?}{rest}");
        }
        if place.path == "/batches" {
            let ours = world.get(&format!("/api/v1/batches/{path}")).await;
            assert_eq!(ours.json()["id"], *id, "{text:?}: {}", ours.text);
        }
    }
}

#[tokio::test]
async fn every_text_is_kept_unchanged_or_refused_without_a_trace() {
    let many = 1_000;
    let mut world = World::with(WorldOptions {
        limits: Limits {
            live_sessions: many,
            concurrent_starts: many,
            concurrent_batch_starts: many,
            running_batches: many,
            ..Limits::default()
        },
        ..WorldOptions::default()
    })
    .await;
    let mut kept = Vec::new();
    for place in PLACES {
        let mut names = BTreeMap::new();
        for text in candidates() {
            let body = |name: String| format!(r#"{{"name":{name},{}}}"#, place.rest);
            let answer = world.post(place.path, &body(in_utf8(&text))).await;
            let shown: Vec<u32> = text.iter().copied().take(30).collect();
            let Some(name) = name_of(&text) else {
                assert_eq!(answer.status, 400, "{shown:x?}: {}", answer.text);
                // What is no text at all gets Livy's bare string.
                let message = match answer.json() {
                    Value::String(message) => message,
                    object => object["msg"].as_str().expect("a text").to_owned(),
                };
                let remedies = ["(a name has 1 to 1000 characters", "name must be a string"];
                assert!(
                    remedies.iter().any(|remedy| message.contains(remedy)),
                    "{shown:x?}: {message}"
                );
                assert!(!message.contains(char::is_control), "{message:?}");
                assert!(message.len() < 2_000, "{} bytes", message.len());
                continue;
            };
            assert_eq!(answer.status, 201, "{shown:x?}: {}", answer.text);
            let created = answer.json();
            assert_eq!(created["name"], name, "{shown:x?}");
            let id = created["id"].as_i64().expect("a number");
            // A request for a name that is taken uses up a number, as with Livy; others do not.
            assert_eq!(
                usize::try_from(id).ok(),
                Some(2 * names.len()),
                "{shown:x?}"
            );
            let launched = order(&world, place, id).await;
            assert_eq!(launched.conf["spark.app.name"], name, "{shown:x?}");
            names.insert(id, json!(name));
            // Escapes write the same name, which is taken now.
            let again = world.post(place.path, &body(escaped(&text))).await;
            assert_eq!(again.status, 400, "{shown:x?}: {}", again.text);
            assert!(
                again.text.contains("Duplicate session name"),
                "{}",
                again.text
            );
        }
        all_are_there(&world, place, &names).await;
        kept.push((place, names));
    }
    world.quiesced().await;
    let launched: usize = kept.iter().map(|(_, names)| names.len()).sum();
    assert_eq!(world.launcher().running(), launched);
    world = world.crash_and_restart().await;
    for (place, names) in &kept {
        all_are_there(&world, *place, names).await;
    }
}
