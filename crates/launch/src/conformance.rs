//! The contract of launchers, as tests. [`launcher_conformance!`](crate::launcher_conformance)
//! makes them for one launcher.

#![expect(
    clippy::unwrap_used,
    reason = "a case that cannot set itself up has failed"
)]

mod files;
mod life;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use livius_domain::{DriverId, Verdict};

use crate::{DriverOrder, Launcher};

pub use self::files::*;
pub use self::life::*;

/// A grace that no driver needs.
const LONG: Duration = Duration::from_mins(1);

/// A driver's reaction to a request to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manners {
    /// It ends.
    Obedient,
    /// It continues.
    Stubborn,
}

/// A place where a launcher starts drivers; it is empty at first.
#[async_trait]
pub trait Place: Send + Sync {
    /// The name of a driver. Names of places that share a cluster differ.
    fn name(&self, number: u8) -> DriverId {
        DriverId::parse(&format!("s-{number}-c0ffee")).unwrap()
    }

    /// A time in which every driver starts, prints and ends.
    fn patience(&self) -> Duration {
        Duration::from_mins(1)
    }

    /// A new launcher, like the one of each server that starts. All of them start and find the same
    /// drivers.
    fn launcher(&self) -> Arc<dyn Launcher>;

    /// An order for a driver of this name. It runs until [`Place::end`].
    fn order(&self, id: &DriverId, manners: Manners) -> DriverOrder;

    /// Makes a driver that runs print a line on standard output.
    async fn print(&self, id: &DriverId, line: &str);

    /// Makes a driver that runs end by itself with this code.
    async fn end(&self, id: &DriverId, code: i32);

    /// The resource manager's verdict on a driver that has ended with this code.
    fn verdict(&self, code: i32) -> Option<Verdict>;

    /// The processes of all drivers that still run.
    fn survivors(&self) -> Vec<String>;
}

/// Stamps the suite for an expression that makes a new [`Place`](crate::conformance::Place) and is
/// evaluated once per case: as tests, or as a list of names and functions for a program that is its
/// own harness.
#[macro_export]
macro_rules! launcher_conformance {
    (tests $place:expr) => {
        $crate::launcher_conformance! { @cases tests $place }
    };
    (list $place:expr) => {
        $crate::launcher_conformance! { @cases list $place }
    };
    (@cases $how:ident $place:expr) => {
        $crate::launcher_conformance! { @$how $place;
            a_driver_ends_by_itself,
            a_failure_is_told_to_all_who_wait,
            an_obedient_driver_is_terminated,
            a_stubborn_driver_is_terminated,
            a_driver_that_has_ended_is_terminated_at_once,
            a_driver_is_found_alive_at_its_location,
            a_driver_is_found_alive_without_its_location,
            a_driver_that_ended_meanwhile_is_found_ended,
            a_driver_that_never_started_can_be_launched,
            a_master_that_nobody_can_follow_is_refused,
            a_log_is_readable_before_during_and_after,
            an_explanation_ends_the_log_once,
            an_upload_is_placed_read_and_discarded,
            an_upload_that_breaks_off_leaves_nothing,
            uploads_wait_for_a_driver_that_was_not_started,
            an_ended_driver_keeps_its_log_only,
            a_removed_driver_leaves_nothing,
        }
    };
    (@tests $place:expr; $($case:ident,)*) => {
        $(
            #[test]
            fn $case() {
                let place = $place;
                $crate::conformance::run(&place, $crate::conformance::$case(&place));
            }
        )*
    };
    (@list $place:expr; $($case:ident,)*) => {
        vec![$((
            stringify!($case),
            (|| {
                let place = $place;
                $crate::conformance::run(&place, $crate::conformance::$case(&place));
            }) as fn(),
        )),*]
    };
}

/// Runs a case at a place to its end.
pub fn run(place: &impl Place, case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let done = tokio::time::timeout(place.patience() * 2, case).await;
        done.expect("it takes too long");
    });
}

async fn wait_for(place: &impl Place, what: &str, condition: impl Fn() -> bool) {
    let until = Instant::now() + place.patience();
    while !condition() {
        assert!(Instant::now() < until, "waited too long for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
