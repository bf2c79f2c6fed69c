//! Starting, finding and ending drivers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use livius_domain::{DriverId, Exit};

use super::{LONG, Manners, Place};
use crate::{DriverSpec, Found, RunningDriver, Unsupported};

pub(super) async fn launch(
    place: &impl Place,
    id: &DriverId,
    manners: Manners,
) -> Arc<dyn RunningDriver> {
    let order = place.order(id, manners);
    let launched = place.launcher().launch(order).await;
    launched.map_err(|failure| failure.message).unwrap()
}

fn assert_nothing_runs(place: &impl Place) {
    assert_eq!(place.survivors(), Vec::<String>::new());
}

/// A driver ends with its own exit code.
pub async fn a_driver_ends_by_itself(place: &impl Place) {
    let id = place.name(0);
    let driver = launch(place, &id, Manners::Obedient).await;
    place.end(&id, 0).await;
    let departure = driver.ended().await;
    assert_eq!(departure.exit, Exit::Code(0));
    assert_eq!(departure.verdict, place.verdict(0));
    assert_nothing_runs(place);
}

/// Several tasks learn how a driver ended, and why by its log.
pub async fn a_failure_is_told_to_all_who_wait(place: &impl Place) {
    let id = place.name(0);
    let driver = launch(place, &id, Manners::Obedient).await;
    place.print(&id, "Error: no such table").await;
    place.end(&id, 3).await;
    let (one, two) = tokio::join!(driver.ended(), driver.ended());
    assert_eq!(one.exit, Exit::Code(3));
    assert_eq!(one.verdict, place.verdict(3));
    assert_eq!(one.evidence.as_deref(), Some("Error: no such table"));
    assert_eq!((&one, &driver.ended().await), (&two, &two));
}

/// A driver that obeys ends long before its grace is over.
pub async fn an_obedient_driver_is_terminated(place: &impl Place) {
    let driver = launch(place, &place.name(0), Manners::Obedient).await;
    let began = Instant::now();
    let departure = driver.terminate(LONG).await;
    assert!(began.elapsed() < LONG / 2, "its grace was waited for");
    assert_eq!(driver.ended().await, departure);
    assert_nothing_runs(place);
}

/// A driver that does not obey is killed after its grace.
pub async fn a_stubborn_driver_is_terminated(place: &impl Place) {
    let driver = launch(place, &place.name(0), Manners::Stubborn).await;
    let departure = driver.terminate(Duration::from_millis(100)).await;
    assert_eq!(driver.ended().await, departure);
    assert_nothing_runs(place);
}

/// To terminate an ended driver changes nothing.
pub async fn a_driver_that_has_ended_is_terminated_at_once(place: &impl Place) {
    let id = place.name(0);
    let driver = launch(place, &id, Manners::Obedient).await;
    place.end(&id, 5).await;
    let ended = driver.ended().await;
    assert_eq!(driver.terminate(LONG).await, ended);
}

/// The next server finds a driver at the location that the last one stored.
pub async fn a_driver_is_found_alive_at_its_location(place: &impl Place) {
    let id = place.name(0);
    let driver = launch(place, &id, Manners::Obedient).await;
    let location = driver.location();
    let found = place.launcher().find(&id, Some(&location)).await;
    let found = found.alive().expect("it runs");
    assert_eq!(found.location(), location);
    found.terminate(LONG).await;
    assert_eq!(driver.ended().await, found.ended().await);
    assert_nothing_runs(place);
}

/// The last server died before it stored the location.
pub async fn a_driver_is_found_alive_without_its_location(place: &impl Place) {
    let id = place.name(0);
    let driver = launch(place, &id, Manners::Obedient).await;
    let found = place.launcher().find(&id, None).await;
    let found = found.alive().expect("it runs");
    assert_eq!(found.location(), driver.location());
    place.end(&id, 4).await;
    assert_eq!(found.ended().await.exit, Exit::Code(4));
}

/// A driver that ended while there was no server is found with its end, whenever it is looked for.
pub async fn a_driver_that_ended_meanwhile_is_found_ended(place: &impl Place) {
    let id = place.name(0);
    let driver = launch(place, &id, Manners::Obedient).await;
    let location = driver.location();
    place.end(&id, 7).await;
    let ended = driver.ended().await;
    for at in [Some(&location), None, Some(&location)] {
        match place.launcher().find(&id, at).await {
            Found::Ended(departure) => assert_eq!(departure, ended),
            Found::Alive(_) => panic!("it is found alive"),
            Found::NeverStarted => panic!("it is found as never started"),
            Found::Unclear(why) => panic!("{why}"),
        }
    }
}

/// A driver that never started can be launched under the same name.
pub async fn a_driver_that_never_started_can_be_launched(place: &impl Place) {
    let id = place.name(0);
    for _ in 0..2 {
        let found = place.launcher().find(&id, None).await;
        assert!(matches!(found, Found::NeverStarted));
    }
    let other = launch(place, &place.name(1), Manners::Obedient).await;
    let found = place.launcher().find(&id, None).await;
    assert!(matches!(found, Found::NeverStarted), "another one runs");
    let driver = launch(place, &id, Manners::Obedient).await;
    for id in [id, place.name(1)] {
        place.end(&id, 0).await;
    }
    tokio::join!(driver.ended(), other.ended());
    assert_nothing_runs(place);
}

/// A launcher refuses at once what it cannot run.
#[expect(clippy::unused_async, reason = "the suite awaits every case")]
pub async fn a_master_that_nobody_can_follow_is_refused(place: &impl Place) {
    let conf = |mode: &str| {
        let pairs = [("spark.submit.deployMode", mode), ("spark.master", "x://y")];
        BTreeMap::from(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())))
    };
    let check = |mode| {
        let conf = conf(mode);
        place.launcher().check(&DriverSpec { conf: &conf })
    };
    assert_eq!(check("client"), Ok(()));
    assert_eq!(
        check("cluster"),
        Err(Unsupported::Master("x://y".to_owned()))
    );
    assert_eq!(
        check("other"),
        Err(Unsupported::DeployMode("other".to_owned()))
    );
}
