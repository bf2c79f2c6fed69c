//! Tests the binary as a user starts it, with real drivers of each Spark, over HTTP.
//!
//! `cargo xtask test` installs the Sparks and names them in `LIVIUS_TEST_SPARK_35` and
//! `LIVIUS_TEST_SPARK_4`. The tests run one after the other, because each JVM needs much of the
//! machine. The suite runs this program twice, side by side, with one Spark each, which
//! `LIVIUS_TEST_LANE` names. Tests that need no isolation share one session.
//!
//! A module lists its cases in `CASES`, which run on every Spark, in `ONCE`, which run on the newest
//! Spark only, or in `OLDER`, which run on the oldest one only. A case belongs in one of the last two
//! when its subject does not depend on Spark's version: the server, the supervisor of a driver, a
//! client, a resource manager, or an interpreter without Spark. Its list says why. Cases in `WHOLE`
//! take many minutes. They run on every Spark if `LIVIUS_TEST_WHOLE` is set, and those in `OLDER` do
//! so, too: `cargo xtask test --yarn` is an example.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says what it does, and fails loudly"
)]

mod airflow;
mod batches;
mod cancel;
mod client;
mod clients;
mod command_line;
#[path = "../common/server.rs"]
mod common;
mod compat;
mod completion;
mod conforming;
#[path = "../common/data.rs"]
mod data;
mod death;
mod documents;
mod elsewhere;
mod fields;
mod java_client;
mod kubernetes;
mod languages;
mod launches;
mod live;
mod output;
mod pools;
mod pylivy;
mod python_clients;
mod restart;
mod server;
mod sparkmagic;
mod squatter;
mod standalone;
mod start;
mod texts;
mod times;
mod values;
mod yarn;

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use libtest_mimic::{Arguments, Failed, Trial};

use crate::client::Session;
use crate::server::Server;

/// A Spark to test with.
#[derive(Clone)]
struct Spark {
    /// The prefix of test names.
    name: &'static str,
    home: String,
}

/// The server and the session that the tests of one Spark share. The first test that needs them
/// creates them.
struct Shared {
    spark: Spark,
    server: OnceLock<Server>,
    /// A session lives as long as the program, because a test that fails replaces it.
    session: Mutex<Option<&'static Session>>,
}

impl Shared {
    fn server(&self) -> &Server {
        self.server
            .get_or_init(|| Server::start(&self.spark.home, &[]))
    }

    fn session(&self) -> &'static Session {
        self.session.lock().unwrap().get_or_insert_with(|| {
            let session = self.server().create(
                &serde_json::json!({"kind": "shared", "conf": {"spark.ui.enabled": "false"}}),
            );
            session.await_idle();
            Box::leak(Box::new(session))
        })
    }

    /// Deletes the session. Otherwise a test that leaves it with code that runs would make each
    /// later test wait until it fails.
    fn give_up_session(&self) {
        let session = self
            .session
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(session) = session {
            let status = client::delete(&session.url);
            println!("the shared session {} is deleted: {status:?}", session.id);
        }
        self.session.clear_poison();
    }
}

/// How many tests may fail before the others are not run. A test that fails often does so after
/// minutes, and a run of the suite has limited time.
const MOST_FAILURES: usize = 6;

static FAILURES: AtomicUsize = AtomicUsize::new(0);

type Case = (&'static str, fn(&Shared));

fn trials(shared: &Arc<Shared>, cases: &[Case]) -> Vec<Trial> {
    let trial = |(name, case): &Case| {
        let (shared, case) = (Arc::clone(shared), *case);
        let name = format!("{}::{name}", shared.spark.name);
        Trial::test(name.clone(), move || {
            if FAILURES.load(Ordering::Relaxed) >= MOST_FAILURES {
                return Err(Failed::from(format!(
                    "not run, because {MOST_FAILURES} tests failed before"
                )));
            }
            times::measure(&name, || {
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| case(&shared)))
            })
            .map_err(|panic| {
                FAILURES.fetch_add(1, Ordering::Relaxed);
                shared.give_up_session();
                Failed::from(client::panic_text(&*panic))
            })
        })
    };
    cases.iter().map(trial).collect()
}

/// The cases that run with each Spark.
const EACH: [&[Case]; 15] = [
    languages::CASES,
    values::CASES,
    live::CASES,
    output::CASES,
    texts::CASES,
    completion::CASES,
    cancel::CASES,
    start::CASES,
    launches::CASES,
    death::CASES,
    fields::CASES,
    restart::CASES,
    python_clients::CASES,
    java_client::CASES,
    batches::CASES,
];

/// The cases that run with each Spark if there is time.
const WHOLE: [&[Case]; 2] = [yarn::WHOLE, kubernetes::WHOLE];

/// The cases whose subject does not depend on Spark's version, and that run with the oldest one. They
/// are in `OLDER` or in `ONCE` so that both lists take about the same time.
const OLDER: [&[Case]; 7] = [
    restart::OLDER,
    batches::OLDER,
    compat::OLDER,
    pylivy::OLDER,
    airflow::OLDER,
    sparkmagic::OLDER,
    standalone::OLDER,
];

/// The cases whose subject does not depend on Spark's version, and that run with the newest one.
const ONCE: [&[Case]; 12] = [
    texts::ONCE,
    completion::ONCE,
    cancel::ONCE,
    start::ONCE,
    death::ONCE,
    pools::ONCE,
    python_clients::ONCE,
    sparkmagic::ONCE,
    command_line::ONCE,
    documents::ONCE,
    yarn::ONCE,
    kubernetes::ONCE,
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let sparks = [
        ("spark_3_5", "LIVIUS_TEST_SPARK_35"),
        ("spark_4", "LIVIUS_TEST_SPARK_4"),
    ];
    let mut all = Vec::new();
    let mut worlds = Vec::new();
    let lane = client::environment("LIVIUS_TEST_LANE");
    for (name, variable) in sparks {
        if lane.as_ref().is_some_and(|lane| lane != name) {
            continue;
        }
        let Some(home) = client::environment(variable) else {
            println!(
                "SKIPPED: no tests with {name}, as {variable} is not set; `cargo xtask test` sets it"
            );
            continue;
        };
        let shared = Arc::new(Shared {
            spark: Spark { name, home },
            server: OnceLock::new(),
            session: Mutex::new(None),
        });
        let is_newest = name == "spark_4";
        let is_whole = client::environment("LIVIUS_TEST_WHOLE").is_some();
        let mut lists = EACH.to_vec();
        if is_whole {
            lists.extend(WHOLE);
        }
        if is_whole || !is_newest {
            lists.extend(OLDER);
        }
        if is_newest {
            lists.extend(ONCE);
        }
        for cases in lists {
            all.extend(trials(&shared, cases));
        }
        worlds.push(shared);
    }
    let conclusion = libtest_mimic::run(&arguments, all);
    let mut leftovers = Vec::new();
    for shared in worlds {
        if let Some(server) = shared.server.get() {
            leftovers.extend(server.stop());
        }
    }
    if !leftovers.is_empty() {
        println!("FAILED: processes were left behind: {leftovers:#?}");
        return ExitCode::from(101);
    }
    conclusion.exit_code()
}
