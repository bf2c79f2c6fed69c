//! The deaths of servers.

use std::os::unix::process::ExitStatusExt as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use livius_failpoint::Point;

use crate::chance::Chance;
use crate::place::Place;

/// The longest life of a server in milliseconds that is killed at a random moment. A start takes a part
/// of it, so that some servers die before they serve.
const LONGEST_LIFE: u64 = 350;

/// How long a server may take to reach a failpoint. Some are reached by chance, or by a start alone.
const LIFE_UP_TO_FAILPOINT: Duration = Duration::from_secs(2);

/// The servers that may miss a failpoint.
const TRIES: u32 = 30;

/// A server that is killed at a random failpoint is there for one of the first times.
const TIMES: u64 = 16;

/// Kills servers, and counts it.
pub struct Kills {
    place: Arc<Place>,
    chance: Chance,
    count: u64,
}

impl Kills {
    pub fn new(place: &Arc<Place>, chance: Chance) -> Self {
        Self {
            place: Arc::clone(place),
            chance,
            count: 0,
        }
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// Kills a server at each failpoint. Fails if one cannot be reached.
    pub fn at_every_failpoint(&mut self, is_broken: &dyn Fn() -> bool) {
        for point in Point::ALL {
            let mut tries = 0;
            while !self.at(*point, 1, LIFE_UP_TO_FAILPOINT, is_broken) {
                if is_broken() {
                    return;
                }
                tries += 1;
                let name = point.name();
                assert!(tries < TRIES, "no server has reached the failpoint {name}");
            }
        }
        println!("servers were killed at {} failpoints", Point::ALL.len());
    }

    /// Kills servers at random moments, some of them at random failpoints.
    pub fn at_any_moment(&mut self, kills: u64, is_broken: &dyn Fn() -> bool) {
        for _ in 0..kills {
            let life = Duration::from_millis(self.chance.below(LONGEST_LIFE));
            if self.chance.below(3) == 0 {
                let point = *self.chance.one_of(Point::ALL).unwrap();
                let times = 1 + self.chance.below(TIMES);
                self.at(point, times, life, is_broken);
            } else {
                let server = self.place.start();
                wait(life, is_broken);
                drop(server);
                self.count += 1;
            }
            if is_broken() {
                return;
            }
        }
    }

    /// Kills a server at a failpoint, or after some time. True if it was at the failpoint.
    fn at(
        &mut self,
        point: Point,
        times: u64,
        life: Duration,
        is_broken: &dyn Fn() -> bool,
    ) -> bool {
        self.place.leave_stray();
        let mut server = self
            .place
            .start_to_die(&format!("{}:{times}", point.name()));
        self.count += 1;
        let until = Instant::now() + life;
        while Instant::now() < until && !is_broken() {
            if let Some(status) = server.0.try_wait().unwrap() {
                let name = point.name();
                let log = self.place.last_lines();
                assert_eq!(status.signal(), Some(9), "at the failpoint {name}: {log}");
                return true;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        false
    }
}

fn wait(time: Duration, is_broken: &dyn Fn() -> bool) {
    let until = Instant::now() + time;
    while Instant::now() < until && !is_broken() {
        std::thread::sleep(Duration::from_millis(1));
    }
}
