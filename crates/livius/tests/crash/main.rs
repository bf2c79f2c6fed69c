//! Kills the server with SIGKILL at random moments, again and again, while clients use it. Afterwards
//! everything that a client was told must be true.
//!
//! The server, its supervisors and its store are the real ones. "Java" is a script, and the drivers are
//! this program itself ([`driver`]): they speak the agent's protocol, run statements of a few words, and
//! write down what they ran, so that nothing can run twice without notice. Clients send each request
//! with an `Idempotency-Key`, and send it again until it is answered.
//!
//! `LIVIUS_CRASH_ROUNDS` is the number of kills, `LIVIUS_CRASH_SEED` the seed of all choices. A failure
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
mod facts;
mod ledger;
mod place;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Trial};

use crate::chance::Chance;
use crate::client::Client;
use crate::facts::Facts;
use crate::place::Place;

/// The kills of a run of the suite.
const ROUNDS: u32 = 300;

/// The clients that use the server at the same time.
const CLIENTS: u64 = 4;

/// The longest life of a server in milliseconds. A start takes a part of it, so that some servers die
/// before they serve.
const LONGEST_LIFE: u64 = 350;

/// The kills between two looks at everything.
const BETWEEN_LOOKS: u32 = 100;

fn main() -> ExitCode {
    if let Some(words) = driver::words() {
        return driver::run(&words);
    }
    let arguments = Arguments::from_args();
    let trial = Trial::test("nothing_that_a_client_was_told_is_lost_or_doubled", || {
        let rounds = number("LIVIUS_CRASH_ROUNDS").unwrap_or(u64::from(ROUNDS));
        let seed = number("LIVIUS_CRASH_SEED").unwrap_or_else(chance::of_the_moment);
        println!("{rounds} kills, seed {seed}");
        kill_again_and_again(u32::try_from(rounds).unwrap(), seed);
        Ok(())
    });
    libtest_mimic::run(&arguments, vec![trial]).exit_code()
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn kill_again_and_again(rounds: u32, seed: u64) {
    let place = Arc::new(Place::make());
    let facts = Arc::new(Facts::default());
    let mut left = rounds;
    let mut stage = 0;
    while left > 0 {
        let kills = left.min(BETWEEN_LOOKS);
        left -= kills;
        stage += 1;
        kill_under_load(&place, &facts, kills, seed ^ (stage << 32));
        let server = place.start();
        facts.settle_and_check(&place);
        drop(server);
        println!("after {} kills: {}", rounds - left, facts.summary());
    }
    place.shut_down();
}

/// Kills the server this often while clients use it.
fn kill_under_load(place: &Arc<Place>, facts: &Arc<Facts>, kills: u32, seed: u64) {
    let is_over = Arc::new(AtomicBool::new(false));
    let clients = (0..CLIENTS).map(|number| {
        let client = Client::new(place, facts, &is_over, Chance::new(seed ^ (number + 1)));
        std::thread::spawn(move || client.use_server())
    });
    let clients: Vec<_> = clients.collect();
    let mut chance = Chance::new(seed);
    let has_failed = || clients.iter().any(std::thread::JoinHandle::is_finished);
    for _ in 0..kills {
        let server = place.start();
        let until = Instant::now() + Duration::from_millis(chance.below(LONGEST_LIFE));
        while Instant::now() < until && !has_failed() {
            std::thread::sleep(Duration::from_millis(1));
        }
        drop(server);
        if has_failed() {
            break;
        }
    }
    // The last requests need a server that answers.
    let server = place.start();
    is_over.store(true, Ordering::Relaxed);
    for client in clients {
        client
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    }
    drop(server);
}
