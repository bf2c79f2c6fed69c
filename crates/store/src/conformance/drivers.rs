//! Drivers: stored fields, lists, leases.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use livius_domain::driver::{
    Departure, DriverEnd, DriverLocation, DriverProgram, DriverRecord, DriverState, DriverTimes,
    DriverUse, Lease, Link, Stopping, Verdict,
};
use livius_domain::failure::Clue;
use livius_domain::pool::{Configuration, Level, Pooled};
use livius_domain::{
    AppInfo, BatchId, DriverId, Exit, FailureCode, Kind, Phase, SessionId, StopCause,
};
use tokio::task::JoinSet;

use super::{Failure, Outcome, Place, TEXTS, at, batch_samples, unnamed};
use crate::{Claim, Store, StoreError};

/// A driver is read as it was stored.
pub async fn a_new_driver_is_stored_as_it_is(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let plain = of_session(7)?;
    let full = DriverRecord {
        program: DriverProgram::Application,
        made_for: DriverUse::Batch(BatchId(i32::MAX)),
        lease: Some(lease("one", 60)?),
        ..full(DriverId::for_batch(BatchId(3), [0xff; 6]))?
    };
    for driver in [plain, full] {
        store.create_driver(&driver).await?;
        assert_eq!(store.driver(&driver.id).await?, Some(driver.clone()));
        let again = store.create_driver(&driver).await;
        assert!(again.is_err(), "a name is given once");
    }
    Ok(())
}

/// An update stores every field except the lease, and removes the fields that are now empty.
pub async fn everything_that_can_change_of_a_driver_is_stored(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let mut driver = DriverRecord {
        lease: Some(lease("one", 60)?),
        ..of_session(0)?
    };
    store.create_driver(&driver).await?;
    for (round, state) in (1..).zip(every_state()) {
        driver = DriverRecord {
            version: driver.version,
            lease: driver.lease.clone(),
            ..if round % 2 == 0 {
                full(driver.id)?
            } else {
                of_session(0)?
            }
        };
        driver.times.ended_at = state.is_gone().then(|| at(round)).transpose()?;
        driver.state = state;
        store.update_driver(&mut driver).await?;
        assert_eq!(store.driver(&driver.id).await?, Some(driver.clone()));
        let stale_lease = driver.lease.take();
        store.update_driver(&mut driver).await?;
        driver.lease = stale_lease;
        assert_eq!(store.driver(&driver.id).await?, Some(driver.clone()));
    }
    Ok(())
}

/// A driver of a pool has no session. When a session takes it, its row names both.
pub async fn a_session_takes_a_driver_of_a_pool(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let mut driver = of_pool()?;
    store.create_driver(&driver).await?;
    assert_eq!(store.driver(&driver.id).await?, Some(driver.clone()));
    let claimed = claim(&*store, &lease("one", 60)?, at(0)?).await?;
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].made_for, DriverUse::Pool);
    driver = claimed.into_iter().next().ok_or("one was claimed")?;
    driver.made_for = DriverUse::Session(SessionId(i32::MAX));
    store.update_driver(&mut driver).await?;
    assert_eq!(store.driver(&driver.id).await?, Some(driver.clone()));
    assert_eq!(store.driver_names().await?, [driver.id.to_string()]);
    Ok(())
}

/// An update without a row fails, and not as a conflict. A read without a row finds nothing.
pub async fn an_unknown_driver_is_refused_or_absent(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let mut unknown = of_session(0)?;
    let refused = store.update_driver(&mut unknown).await;
    assert!(
        matches!(refused, Err(StoreError::Database { .. })),
        "{refused:?}"
    );
    assert_eq!(store.driver(&unknown.id).await?, None);
    assert!(!store.delete_driver(&unknown.id).await?);
    let (lease, now) = (lease("one", 60)?, at(0)?);
    assert_eq!(claim(&*store, &lease, now).await?, []);
    assert_eq!(store.renew_leases(&lease).await?, 0);
    Ok(())
}

/// A claim answers the drivers by name. A driver that is gone stays until it is deleted.
pub async fn drivers_that_have_not_ended_are_claimed(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    for number in [2, 0, 1] {
        store.create_driver(&of_session(number)?).await?;
    }
    let lease = lease("one", 60)?;
    let mut drivers = claim(&*store, &lease, at(0)?).await?;
    let names: Vec<_> = drivers.iter().map(|driver| driver.id.clone()).collect();
    let expected = [of_session(0)?.id, of_session(1)?.id, of_session(2)?.id];
    assert_eq!(names, expected);
    let mut gone = drivers.remove(1);
    gone.times.ended_at = Some(at(1)?);
    store.update_driver(&mut gone).await?;
    assert_eq!(claim(&*store, &lease, at(0)?).await?, drivers);
    assert_eq!(store.driver(&gone.id).await?, Some(gone.clone()));
    assert!(store.delete_driver(&gone.id).await?);
    assert!(!store.delete_driver(&gone.id).await?, "a second time");
    assert_eq!(store.driver(&gone.id).await?, None);
    Ok(())
}

/// A driver is free when no server has it or its lease has run out. A driver that is gone is not
/// claimed.
pub async fn a_server_claims_what_is_free(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let leases = [
        None,
        Some(("one", 10)),
        Some(("two", 10)),
        Some(("two", 90)),
    ];
    for (number, held) in (0..).zip(leases) {
        let lease = held
            .map(|(server, until)| lease(server, until))
            .transpose()?;
        store
            .create_driver(&DriverRecord {
                lease,
                ..of_session(number)?
            })
            .await?;
    }
    let mut gone = of_session(4)?;
    gone.times.ended_at = Some(at(0)?);
    store.create_driver(&gone).await?;

    let mine = lease("one", 50)?;
    assert_eq!(
        claimed(&*store, &mine, 10).await?,
        [0, 1],
        "not run out yet"
    );
    assert_eq!(claimed(&*store, &mine, 11).await?, [0, 1, 2]);
    let theirs = lease("two", 100)?;
    assert_eq!(claimed(&*store, &theirs, 20).await?, [3]);
    assert_eq!(claimed(&*store, &theirs, 51).await?, [0, 1, 2, 3]);
    assert_eq!(store.driver(&gone.id).await?, Some(gone));
    Ok(())
}

/// The former server must not overwrite the updates of the new one. A server that claims its own
/// driver keeps the version, so its updates go on.
pub async fn a_driver_that_changes_hands_has_another_version(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    store.create_driver(&of_session(0)?).await?;
    let mut mine = claim(&*store, &lease("one", 10)?, at(0)?).await?;
    assert_eq!(mine[0].version, 1, "nobody had it");
    store.update_driver(&mut mine[0]).await?;
    let again = claim(&*store, &lease("one", 20)?, at(0)?).await?;
    assert_eq!(again[0].version, 2);
    store.update_driver(&mut mine[0]).await?;
    let mut theirs = claim(&*store, &lease("two", 90)?, at(21)?).await?;
    let refused = store.update_driver(&mut mine[0]).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict { .. })),
        "{refused:?}"
    );
    store.update_driver(&mut theirs[0]).await?;
    Ok(())
}

/// The names of drivers are found in all rows that name one, also when the driver has no row.
pub async fn every_name_of_a_driver_is_found(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    assert_eq!(store.driver_names().await?, Vec::<String>::new());
    let mut batch = store.create_batch(batch_samples::unnamed()?).await?;
    let names = [of_session(7)?.id, batch_samples::driver_of(batch.id)];
    store.create_driver(&of_session(7)?).await?;
    batch.driver = Some(names[1].clone());
    store.update_batch(&mut batch).await?;
    let found: BTreeSet<String> = store.driver_names().await?.into_iter().collect();
    assert_eq!(found, names.map(|name| name.to_string()).into());
    Ok(())
}

/// A driver that is gone is needed as long as its session, batch or pool is there, or a row names it.
pub async fn a_driver_that_nothing_needs_is_found(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let mut session = store.create_session(unnamed()?).await?;
    let mut batch = store.create_batch(batch_samples::unnamed()?).await?;
    let made_for = |made_for, driver: DriverRecord| DriverRecord { made_for, ..driver };
    let named = [of_session(10)?, of_session(11)?];
    let needed = [
        made_for(DriverUse::Session(session.id), of_session(12)?),
        made_for(DriverUse::Batch(batch.id), of_session(13)?),
    ];
    let abandoned = [
        made_for(DriverUse::Session(SessionId(i32::MAX)), of_session(14)?),
        made_for(DriverUse::Batch(BatchId(i32::MAX)), of_session(15)?),
        of_pool()?,
    ];
    session.driver = Some(named[0].id.clone());
    store.update_session(&mut session).await?;
    batch.driver = Some(named[1].id.clone());
    store.update_batch(&mut batch).await?;
    let mut all = named.into_iter().chain(needed).chain(abandoned.clone());
    let mut all: Vec<DriverRecord> = all.by_ref().collect();
    for driver in &all {
        store.create_driver(driver).await?;
    }
    assert_eq!(store.abandoned_drivers().await?, [], "none is gone");
    for driver in &mut all {
        driver.times.ended_at = Some(at(1)?);
        store.update_driver(driver).await?;
    }
    let mut expected = abandoned.map(|driver| driver.id);
    expected.sort();
    assert_eq!(store.abandoned_drivers().await?, expected);
    Ok(())
}

/// A server that runs looks only for drivers that another server has lost, and only for those that
/// the asking part of it drives.
pub async fn a_claim_may_leave_out_own_drivers_and_other_programs(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let application = DriverRecord {
        program: DriverProgram::Application,
        ..of_session(1)?
    };
    store.create_driver(&of_session(0)?).await?;
    store.create_driver(&application).await?;
    let (first, later) = (lease("one", 10)?, lease("one", 90)?);
    assert_eq!(
        claimed(&*store, &first, 0).await?,
        [0],
        "not the application"
    );
    let lost = |now| Claim {
        own: false,
        ..all(&later, now)
    };
    assert_eq!(store.claim_drivers(lost(at(5)?)).await?, []);
    // A server that was late may have its drivers back.
    assert_eq!(store.claim_drivers(lost(at(11)?)).await?.len(), 1);
    Ok(())
}

/// A server renews its own leases only.
pub async fn leases_are_renewed(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    for (number, server) in [(0, "one"), (1, "two"), (2, "one")] {
        let lease = Some(lease(server, 10)?);
        store
            .create_driver(&DriverRecord {
                lease,
                ..of_session(number)?
            })
            .await?;
    }
    assert_eq!(store.renew_leases(&lease("one", 70)?).await?, 2);
    let mine = of_session(0)?.id;
    let read = store.driver(&mine).await?.ok_or("it is gone")?;
    assert_eq!((read.version, read.lease), (0, Some(lease("one", 70)?)));
    assert_eq!(claimed(&*store, &lease("three", 99)?, 60).await?, [1]);
    Ok(())
}

/// If several servers claim a driver at the same time, one gets it.
pub async fn of_claims_at_once_one_wins_each_driver(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    for number in 0..20 {
        store.create_driver(&of_session(number)?).await?;
    }
    let mut claims = JoinSet::new();
    for server in 0..8 {
        let (store, lease) = (Arc::clone(&store), lease(&format!("server {server}"), 60)?);
        let now = at(0)?;
        claims.spawn(async move { store.claim_drivers(all(&lease, now)).await });
    }
    let mut names = BTreeSet::new();
    for claim in claims.join_all().await {
        for driver in claim? {
            assert!(names.insert(driver.id), "given twice");
        }
    }
    assert_eq!(names.len(), 20);
    Ok(())
}

/// Texts are read as they were stored, byte by byte.
pub async fn any_text_of_a_driver_is_stored(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    for (number, text) in (0..).zip(TEXTS) {
        let some = Some(text.to_owned());
        let driver = DriverRecord {
            location: Some(DriverLocation::new(text.to_owned())),
            token_hash: some.clone(),
            instance: some,
            lease: Some(lease(text, 60)?),
            ..of_session(number)?
        };
        store.create_driver(&driver).await?;
        assert_eq!(store.driver(&driver.id).await?, Some(driver), "{text:?}");
    }
    Ok(())
}

/// All records that were acknowledged are there.
pub async fn drivers_survive_opening_again(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let driver = full(of_session(0)?.id)?;
    store.create_driver(&driver).await?;
    let claimed = claim(&*store, &lease("one", 60)?, at(0)?).await?;
    drop(store);

    let store = place.open().await?;
    assert_eq!(store.driver(&driver.id).await?.as_ref(), claimed.first());
    assert_eq!(claimed.len(), 1);
    Ok(())
}

/// A driver that waits for its start.
pub(super) fn of_session(number: i32) -> Result<DriverRecord, Failure> {
    let session = SessionId(number);
    Ok(DriverRecord {
        id: DriverId::for_session(session, [1, 2, 3, 4, 5, 6]),
        version: 0,
        program: DriverProgram::Agent,
        made_for: DriverUse::Session(session),
        pooled: None,
        state: DriverState::Queued,
        location: None,
        token_hash: None,
        instance: None,
        app: None,
        times: DriverTimes::new(at(0)?),
        lease: None,
    })
}

/// A driver that waits in a pool.
fn of_pool() -> Result<DriverRecord, Failure> {
    let configuration = Configuration {
        kind: Kind::PySpark,
        conf: TEXTS.map(|text| (text.to_owned(), text.to_owned())).into(),
        user: Some("ann".to_owned()),
        owner: Some("bob".to_owned()),
        sql_max_rows: u64::MAX,
        cancel_grace_ms: 0,
        installation: String::new(),
    };
    Ok(DriverRecord {
        id: DriverId::for_pool([7; 6]),
        made_for: DriverUse::Pool,
        state: DriverState::Primed,
        pooled: Some(Box::new(Pooled {
            pool: "small".to_owned(),
            level: Level::Primed,
            since: at(0)?,
            configuration,
        })),
        ..of_session(0)?
    })
}

/// A driver with all fields but a lease.
fn full(id: DriverId) -> Result<DriverRecord, Failure> {
    Ok(DriverRecord {
        id,
        state: DriverState::Up { link: Link::Up },
        location: Some(DriverLocation::new("{\"pid\":1}".to_owned())),
        token_hash: Some("0f".repeat(32)),
        instance: Some("agent 1".to_owned()),
        app: Some(AppInfo {
            app_id: "local-1".to_owned(),
            spark_ui_url: Some("http://h:4040".to_owned()),
            driver_log_url: None,
        }),
        times: DriverTimes {
            launched_at: Some(at(1)?),
            up_at: Some(at(2)?),
            ..DriverTimes::new(at(0)?)
        },
        ..of_session(0)?
    })
}

fn lease(server: &str, until: i64) -> Result<Lease, Failure> {
    Ok(Lease {
        server: server.to_owned(),
        until: at(until)?,
    })
}

/// A claim of all agents that are free or belong to the server.
fn all(lease: &Lease, now: Timestamp) -> Claim<'_> {
    Claim {
        lease,
        now,
        program: DriverProgram::Agent,
        own: true,
    }
}

async fn claim(
    store: &dyn Store,
    lease: &Lease,
    now: Timestamp,
) -> Result<Vec<DriverRecord>, StoreError> {
    store.claim_drivers(all(lease, now)).await
}

/// Claims drivers, and answers the sessions that they were made for.
async fn claimed(store: &dyn Store, lease: &Lease, now: i64) -> Result<Vec<i32>, Failure> {
    let claimed = claim(store, lease, at(now)?).await?;
    let mut sessions = Vec::new();
    for driver in claimed {
        assert_eq!(driver.lease.as_ref(), Some(lease));
        if let DriverUse::Session(session) = driver.made_for {
            sessions.push(session.0);
        }
    }
    Ok(sessions)
}

fn every_state() -> Vec<DriverState> {
    let stopping = Stopping {
        cause: Some(StopCause::Ttl),
        failure: None,
        forced: true,
        was_up: true,
    };
    let end = DriverEnd {
        phase: Phase::Launch,
        cause: Some(StopCause::User),
        failure: None,
        forced: false,
        departure: None,
    };
    vec![
        DriverState::Launching,
        DriverState::Connecting,
        DriverState::Context,
        DriverState::Primed,
        DriverState::Up { link: Link::Up },
        DriverState::Up { link: Link::Lost },
        DriverState::Up {
            link: Link::Recovering,
        },
        DriverState::Stopping(stopping.clone()),
        DriverState::Stopping(Stopping {
            cause: None,
            failure: Some(super::batch_samples::failure()),
            ..stopping
        }),
        DriverState::Queued,
        DriverState::Gone(end.clone()),
        DriverState::Gone(DriverEnd {
            cause: None,
            failure: Some(super::batch_samples::failure()),
            departure: Some(Departure {
                exit: Exit::Signal(9),
                unseen: None,
                verdict: Some(Verdict::Failed("it said: \"no\"\n".to_owned())),
                evidence: Some("java.lang.OutOfMemoryError".to_owned()),
                clue: Some(Clue::of(
                    FailureCode::OutOfHeap,
                    Some("java.lang.OutOfMemoryError"),
                )),
            }),
            ..end
        }),
    ]
}
