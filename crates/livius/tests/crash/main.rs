//! Kills the server with SIGKILL again and again while clients use it: once at each failpoint, and then at
//! random moments and failpoints. Meanwhile the network between agents and server loses, stalls, cuts and
//! doubles frames ([`proxy`]). Afterwards everything that a client was told must be true.
//!
//! The server, its supervisors and its store are the real ones. "Java" is a script, and the drivers are
//! this program itself ([`driver`]): they speak the agent's protocol, run statements of a few words, and
//! write down what they ran, so that nothing can run twice without notice. Clients send each request
//! with an `Idempotency-Key`, and send it again until it is answered.
//!
//! `LIVIUS_CRASH_ROUNDS` is the least number of kills, `LIVIUS_CRASH_SEED` the seed of all choices. A failure
//! prints both.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test says what it does, and fails loudly"
)]

mod chance;
mod client;
#[path = "../common/server.rs"]
mod common;
#[path = "../common/data.rs"]
mod data;
mod driver;
mod events;
mod facts;
mod kills;
mod ledger;
mod place;
mod proxy;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Trial};

use crate::chance::Chance;
use crate::client::Client;
use crate::events::AllEvents;
use crate::facts::Facts;
use crate::kills::Kills;
use crate::place::Place;

/// The kills of a run of the suite.
const ROUNDS: u64 = 300;

/// The clients that use the server at the same time.
const CLIENTS: u64 = 4;

/// The kills between two looks at everything.
const BETWEEN_LOOKS: u64 = 100;

/// How long a server that was just started may take to remove what is left of drivers, and how many
/// servers are started for that: a session may end after the server has purged ended ones.
const SWEEP: Duration = Duration::from_secs(5);
const STARTS: u32 = 5;

fn main() -> ExitCode {
    if let Some(words) = driver::words() {
        return driver::run(&words);
    }
    let arguments = Arguments::from_args();
    let trial = Trial::test("nothing_that_a_client_was_told_is_lost_or_doubled", || {
        let rounds = number("LIVIUS_CRASH_ROUNDS").unwrap_or(ROUNDS);
        let seed = number("LIVIUS_CRASH_SEED").unwrap_or_else(chance::of_the_moment);
        println!("{rounds} kills, seed {seed}");
        kill_again_and_again(rounds, seed);
        Ok(())
    });
    libtest_mimic::run(&arguments, vec![trial]).exit_code()
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Kills a server at each failpoint, and then at random moments and failpoints.
fn kill_again_and_again(rounds: u64, seed: u64) {
    let place = Arc::new(Place::make(seed));
    let facts = Arc::new(Facts::default());
    let mut kills = Kills::new(&place, Chance::new(seed));
    let mut stage = 0;
    while kills.count() < rounds {
        stage += 1;
        let seed = seed ^ (stage << 32);
        under_load(&place, &facts, seed, &mut |is_broken: &dyn Fn() -> bool| {
            if stage == 1 {
                kills.at_every_failpoint(is_broken);
            } else {
                let left = rounds - kills.count();
                kills.at_any_moment(left.min(BETWEEN_LOOKS), is_broken);
            }
        });
        println!("after {} kills: {}", kills.count(), facts.summary());
    }
    let faults = place.network().faults();
    println!("the network had the faults {faults:?}");
    let missing = faults.iter().filter(|(_, count)| *count == 0).count();
    let is_short = rounds < ROUNDS;
    let enough = if is_short {
        missing < faults.len()
    } else {
        missing == 0
    };
    assert!(enough, "the network lacked faults: {faults:?}");
    place.shut_down();
}

/// Has clients use the server while it is killed. Then everything must be as they were told.
fn under_load(
    place: &Arc<Place>,
    facts: &Arc<Facts>,
    seed: u64,
    kill: &mut dyn FnMut(&dyn Fn() -> bool),
) {
    let is_over = Arc::new(AtomicBool::new(false));
    let is_settled = Arc::new(AtomicBool::new(false));
    place.network().set_faulty(true);
    let (events, following) = AllEvents::follow(place, &is_settled);
    let clients = (0..CLIENTS).map(|number| {
        let client = Client::new(place, facts, &is_over, Chance::new(seed ^ (number + 1)));
        std::thread::spawn(move || client.use_server())
    });
    let clients: Vec<_> = clients.collect();
    let is_broken = || following.is_finished() || clients.iter().any(JoinHandle::is_finished);
    kill(&is_broken);
    // The last requests need a server that answers.
    let server = place.start();
    is_over.store(true, Ordering::Relaxed);
    let resume = |panic| std::panic::resume_unwind(panic);
    for client in clients {
        client.join().unwrap_or_else(resume);
    }
    if following.is_finished() {
        following.join().unwrap_or_else(resume);
        panic!("a client that follows all events has ended");
    }
    place.network().set_faulty(false);
    facts.settle_and_check(place, &events);
    is_settled.store(true, Ordering::Relaxed);
    following.join().unwrap_or_else(resume);
    drop(server);
    await_no_leftovers(place, facts);
}

/// Waits until nothing is left of drivers that no client knows. Servers look for it when they start.
fn await_no_leftovers(place: &Arc<Place>, facts: &Facts) {
    let mut left = Vec::new();
    for _ in 0..STARTS {
        let server = place.start();
        let until = Instant::now() + SWEEP;
        while Instant::now() < until {
            left = facts.leftovers(place);
            if left.is_empty() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        drop(server);
    }
    panic!("of drivers that no client knows is left: {left:#?}");
}
