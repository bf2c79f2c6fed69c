//! Completion at a cursor.

use std::thread::scope;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::{Session, eventually, post};
use crate::{Case, Shared};

pub const CASES: &[Case] = &[
    ("completion::python_and_scala", python_and_scala),
    ("completion::sql", sql),
    ("completion::nobody_waits_for_a_statement", nobody_waits),
];

/// R completes code in a separate process, without Spark.
pub const ONCE: &[Case] = &[
    ("completion::r_names_and_members", r_names),
    ("completion::r_survives_every_text", r_survives),
    ("completion::r_waits_for_nothing", r_waits),
];

/// The completions at the bar in the text.
fn ask(session: &Session, kind: &str, text: &str) -> Vec<String> {
    let (before, after) = text.split_once('|').unwrap_or((text, ""));
    let body = json!({
        "code": format!("{before}{after}"), "kind": kind, "cursor": before.encode_utf16().count(),
    });
    let (status, answer) = post(&format!("{}/completion", session.url), &body);
    assert_eq!(status, 200, "{answer}");
    serde_json::from_value(answer["candidates"].clone()).unwrap()
}

fn has(found: &[String], wanted: &str) -> bool {
    found.iter().any(|name| name == wanted)
}

fn python_and_scala(shared: &Shared) {
    let session = shared.session();
    session.text("pyspark", "import os");
    assert!(has(&ask(session, "pyspark", "os.pat"), "path"));
    assert_eq!(ask(session, "pyspark", "'😀'; os.pathse|'"), ["pathsep"]);
    session.text("spark", "val known = \"x\"");
    await_scala(session);
    assert!(ask(session, "spark", "neverdefined.").is_empty());
}

/// The first completion of a compiler may exceed the timeout.
fn await_scala(session: &Session) {
    eventually("Scala completes", Duration::from_mins(1), || {
        has(&ask(session, "spark", "known.toUpp"), "toUpperCase").then_some(())
    });
}

fn sql(shared: &Shared) {
    let session = shared.session();
    session.data(
        "sql",
        "create or replace temporary view known_view as select 1 as alpha, 2 as beta",
    );
    assert_eq!(ask(session, "sql", "SELE"), ["SELECT"]);
    assert!(has(
        &ask(session, "sql", "select * from known_"),
        "known_view"
    ));
    assert!(has(
        &ask(session, "sql", "select alp| from known_view"),
        "alpha"
    ));
    let members = ask(session, "sql", "select v.| from known_view v");
    assert_eq!(members, ["alpha", "beta"]);
    assert!(ask(session, "sql", "").is_empty());
}

fn nobody_waits(shared: &Shared) {
    let session = shared.session();
    session.text("spark", "val known = \"x\"");
    let running = session.post("pyspark", "import time; time.sleep(6); print('slept')");
    session.await_running(running);
    let begun = Instant::now();
    for (kind, text) in [
        ("pyspark", "spa"),
        ("spark", "known.toUpp"),
        ("sql", "SELE"),
        ("sparkr", "data.fr"),
    ] {
        assert!(ask(session, kind, text).is_empty(), "{kind}");
    }
    assert!(begun.elapsed().as_secs() < 4, "{:?}", begun.elapsed());
    assert_eq!(session.statement(running)["state"], "running");
    let slept = session.await_end(running);
    assert_eq!(slept["output"]["data"]["text/plain"], "slept", "{slept:#}");
    assert!(has(&ask(session, "pyspark", "spa"), "spark"));
    await_scala(session);
}

/// A session, if R is installed.
fn with_r(shared: &Shared) -> Option<&Session> {
    if crate::client::environment("LIVIUS_TEST_R").is_none() {
        println!("SKIPPED: no R on this machine (LIVIUS_TEST_R is not set)");
        return None;
    }
    Some(shared.session())
}

fn r_names(shared: &Shared) {
    let Some(session) = with_r(shared) else {
        return;
    };
    session.text(
        "sparkr",
        "known_frame <- data.frame(alpha = 1, alter = 2); known_frame[['my col']] <- 3; known_frame$.hidden <- 4
         nested <- list(inner = list(deep = 1)); été <- 1
         setClass('Known', representation(slot_a = 'numeric')); object <- new('Known', slot_a = 1)
         place <- new.env(); place$value <- 1
         invisible(makeActiveBinding('active_one', function() { ran <<- TRUE; list(never = 1) }, globalenv()))
         `$.shy` <- function(x, name) ran <<- TRUE; names.shy <- function(x) ran <<- TRUE
         shy <- structure(list(kept = list(below = 1)), class = 'shy')",
    );
    for (text, expected) in [
        ("known_fr", &["known_frame"][..]),
        ("known_frame$al", &["alpha", "alter"]),
        ("known_frame$", &["alpha", "alter", "`my col`"]),
        ("known_frame$.", &[".hidden"]),
        ("'😀'; known_frame$alp|ter", &["alpha"]),
        ("'λ'; ét", &["été"]),
        ("x <- nested$inner$|)", &["deep"]),
        ("object@", &["slot_a"]),
        ("place$va", &["value"]),
        ("stats::medi", &["median", "median.default"]),
        ("nested[1:data.fra", &["data.frame"]),
        ("active_one$", &[]),
        ("shy$", &["kept"]),
        ("shy$kept$", &["below"]),
        ("nosuch$", &[]),
        ("f(nested)$in", &[]),
        ("nosuchpackage::", &[]),
        ("", &[]),
        ("known_frame$|known_frame$", &["alpha", "alter", "`my col`"]),
    ] {
        assert_eq!(ask(session, "sparkr", text), expected, "{text}");
    }
    assert_eq!(session.text("sparkr", "exists('ran')"), "[1] FALSE");
}

fn r_survives(shared: &Shared) {
    let Some(session) = with_r(shared) else {
        return;
    };
    session.text(
        "sparkr",
        "kept <- 'kept'; broken <- setNames(list(1), '\\xff'); `a'b` <- 1",
    );
    for text in [
        "\"kep",
        "'kep",
        "`kep",
        "kept$`",
        "((((kep",
        "kep\0",
        "\0",
        "kept@",
        "kept$$",
        "::",
        "$",
        "`",
        "#",
        "%o%",
        "\\",
        "\u{fffd}",
        "broken$",
        "\u{1f600}",
        "kept::kept$",
        "\r\n\r\n",
    ] {
        ask(session, "sparkr", text);
    }
    ask(session, "sparkr", &"(`$@".repeat(1 << 18));
    let long = format!("{}kep", "kept + 'λ'\n".repeat(100_000));
    assert_eq!(ask(session, "sparkr", &long), ["kept"]);
    session.error("sparkr", "'a\0b'");
    assert_eq!(session.text("sparkr", "kept"), "[1] \"kept\"");
}

fn r_waits(shared: &Shared) {
    let Some(session) = with_r(shared) else {
        return;
    };
    session.text("sparkr", "kept <- list(member = 1)");
    let running = session.post("sparkr", "Sys.sleep(3); cat('slept')");
    session.await_running(running);
    let begun = Instant::now();
    assert!(ask(session, "sparkr", "kept$").is_empty());
    assert!(begun.elapsed().as_secs() < 2);
    let slept = session.await_end(running);
    assert_eq!(slept["output"]["data"]["text/plain"], "slept", "{slept:#}");
    assert_eq!(ask(session, "sparkr", "kept$"), ["member"]);

    // A slow completion, and statements that arrive in the meantime.
    for round in 0..3 {
        session.text(
            "sparkr",
            "delayedAssign('slow', { cat('never shown'); Sys.sleep(600); list(a = 1) })",
        );
        scope(|threads| {
            let slow = threads.spawn(|| ask(session, "sparkr", "slow$"));
            let text = session.text("sparkr", &format!("cat('round {round}')"));
            assert!(text.ends_with(&format!("round {round}")), "{text}");
            assert!(slow.join().unwrap().is_empty());
        });
        assert_eq!(ask(session, "sparkr", "kept$mem"), ["member"]);
    }
}
