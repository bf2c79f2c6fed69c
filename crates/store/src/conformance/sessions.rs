//! Sessions: numbers, names, what is stored, lists.

use std::collections::BTreeSet;
use std::sync::Arc;

use livius_domain::session::{Link, Start};
use livius_domain::{
    AppInfo, End, Exit, Failure as SessionFailure, FailureCode, Kind, Outcome as SessionOutcome,
    Phase, SessionId, SessionRecord, SessionRequest, SessionState, StopCause,
};
use tokio::task::JoinSet;

use super::{
    ALL, Failure, Outcome, Place, at, driver_of, ended, full_submit, named, unnamed, windows,
};
use crate::{NewSession, Store, StoreError, Unended, Visible};

/// What is answered is what is read, and all that was asked for is in it.
pub async fn a_new_session_is_stored_as_asked_for(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let new = NewSession {
        request: full_request(),
        owner: Some("alice".to_owned()),
        proxy_user: Some("bob".to_owned()),
        created_at: at(3)?,
    };
    let record = store.create_session(new).await?;
    let expected = SessionRecord {
        id: SessionId(0),
        version: 0,
        request: full_request(),
        owner: Some("alice".to_owned()),
        proxy_user: Some("bob".to_owned()),
        state: SessionState::Starting {
            step: Start::Queued,
        },
        app: None,
        driver: None,
        created_at: at(3)?,
        last_activity: at(3)?,
        ended_at: None,
    };
    assert_eq!(record, expected);
    assert_eq!(store.session(SessionId(0)).await?, Some(expected.clone()));
    assert_eq!(store.session_named("nightly 🌙").await?, Some(expected));
    let finer = NewSession {
        created_at: at(0)? + jiff::SignedDuration::from_nanos(999),
        ..unnamed()?
    };
    let record = store.create_session(finer).await?;
    assert_eq!(store.session(record.id).await?, Some(record), "nanoseconds");
    Ok(())
}

/// Numbers are never used again, whatever becomes of their sessions.
pub async fn numbers_only_grow_and_a_refusal_uses_one_up(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    assert_eq!(store.create_session(named("a")?).await?.id, SessionId(0));
    for attempt in 1..=2 {
        match store.create_session(named("a")?).await {
            Err(StoreError::DuplicateName { name, attempted }) => {
                assert_eq!((name.as_str(), attempted), ("a", attempt));
            }
            other => return Err(format!("not refused: {other:?}").into()),
        }
    }
    assert_eq!(store.create_session(named("b")?).await?.id, SessionId(3));
    assert_eq!(ids(&*store).await?, (2, vec![0, 3]));
    Ok(())
}

/// A session that was taken off the list is not found, and its name is free, as is that of one that has ended; sessions without a name are not in each other's way.
pub async fn a_name_is_unique_among_listed_sessions(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let mut first = store.create_session(named("a")?).await?;
    assert!(store.unlist_session(first.id).await?);
    assert!(!store.unlist_session(first.id).await?, "a second time");
    assert!(!store.unlist_session(SessionId(77)).await?, "unknown");
    assert_eq!(store.session(first.id).await?, None);
    assert_eq!(store.session_named("a").await?, None);
    store.update_session(&mut first).await?;
    assert_eq!(
        store.session(first.id).await?,
        None,
        "an update does not list it again"
    );

    let second = store.create_session(named("a")?).await?;
    assert_eq!(store.session_named("a").await?, Some(second.clone()));
    ended(&*store, unnamed()?, 1).await?;
    ended(&*store, unnamed()?, 1).await?;
    let old = ended(&*store, named("z")?, 1).await?;
    assert_eq!(store.session_named("z").await?, Some(old));
    let new = store.create_session(named("z")?).await?;
    assert_eq!(store.session_named("z").await?, Some(new));
    assert!(store.create_session(named("a")?).await.is_err());
    assert_eq!(ids(&*store).await?, (5, vec![1, 2, 3, 4, 5]));
    Ok(())
}

/// Case, spaces and different ways to write a letter make different names.
pub async fn names_are_compared_exactly(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let names = [
        "a", "A", "a ", " a", "a%", "_", "'", "\"", "é", "e\u{301}", "🤔", "$1", "?1",
    ];
    for name in names {
        store.create_session(named(name)?).await?;
    }
    for (number, name) in (0..).zip(names) {
        let found = store.session_named(name).await?.map(|record| record.id);
        assert_eq!(found, Some(SessionId(number)), "{name:?}");
    }
    assert_eq!(store.session_named("%").await?, None);
    Ok(())
}

/// An update stores whatever it is given, and takes away what is no longer there.
pub async fn everything_that_can_change_is_stored(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let mut first = store
        .create_session(NewSession {
            request: full_request(),
            ..unnamed()?
        })
        .await?;
    let app = AppInfo {
        app_id: "local-1".to_owned(),
        spark_ui_url: Some("http://h:4040".to_owned()),
        driver_log_url: Some("http://h:8042/log".to_owned()),
    };
    for (second, state) in (1..).zip(every_state()) {
        let mut record = SessionRecord {
            ended_at: if state.is_ended() {
                Some(at(second)?)
            } else {
                None
            },
            state,
            app: (second % 2 == 0).then(|| app.clone()),
            driver: (second % 3 == 0).then(|| driver_of(first.id)),
            last_activity: at(second)?,
            ..first.clone()
        };
        store.update_session(&mut record).await?;
        first.version = record.version;
        assert_eq!(store.session(first.id).await?, Some(record));
    }
    Ok(())
}

/// Storing into nothing is not a success.
pub async fn a_change_to_an_unknown_session_is_refused(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let record = store.create_session(unnamed()?).await?;
    let mut unknown = SessionRecord {
        id: SessionId(9),
        ..record
    };
    assert!(store.update_session(&mut unknown).await.is_err());
    assert_eq!(store.session(unknown.id).await?, None);
    assert_eq!(store.session(SessionId(-1)).await?, None);
    assert_eq!(store.session_named("nobody").await?, None);
    assert_eq!(ids(&*store).await?, (1, vec![0]));
    Ok(())
}

/// A list shows the listed sessions of its window and counts them all.
pub async fn listed_sessions_are_windowed(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    assert_eq!(
        store.list_sessions(Visible::All, ALL).await?,
        (0, Vec::new())
    );
    for _ in 0..6 {
        store.create_session(unnamed()?).await?;
    }
    store.unlist_session(SessionId(5)).await?;
    for (window, expected) in windows(5) {
        let (total, records) = store.list_sessions(Visible::All, window).await?;
        let shown: Vec<i32> = records.iter().map(|record| record.id.0).collect();
        assert_eq!((total, shown), (5, expected), "{window:?}");
    }
    Ok(())
}

/// A user's list has the user's own rows, in the same windows; a name is compared exactly.
pub async fn a_list_shows_what_is_visible(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let owners = [Some("alice"), None, Some("Alice"), Some(""), Some("alice")];
    for owner in owners.into_iter().chain([Some("alice"); 4]) {
        let owner = owner.map(str::to_owned);
        let new = NewSession {
            owner,
            ..unnamed()?
        };
        store.create_session(new).await?;
    }
    store.unlist_session(SessionId(5)).await?;
    let alice = [0, 4, 6, 7, 8];
    for (window, expected) in windows(5) {
        let (total, records) = store.list_sessions(Visible::Of("alice"), window).await?;
        let shown: Vec<i32> = records.iter().map(|record| record.id.0).collect();
        let places = expected.into_iter().map(usize::try_from);
        let places = places.collect::<Result<Vec<usize>, _>>()?;
        let expected: Vec<i32> = places.into_iter().map(|place| alice[place]).collect();
        assert_eq!((total, shown), (5, expected), "{window:?}");
    }
    for (owner, expected) in [("Alice", 1), ("", 1), ("bob", 0), ("%", 0)] {
        let (total, records) = store.list_sessions(Visible::Of(owner), ALL).await?;
        assert_eq!(
            (total, records.len()),
            (expected, usize::try_from(expected)?)
        );
    }
    assert_eq!(store.list_sessions(Visible::All, ALL).await?.0, 8);
    Ok(())
}

/// A starting server finds what may still run.
pub async fn unended_sessions_are_found_listed_or_not(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    for _ in 0..3 {
        store.create_session(unnamed()?).await?;
    }
    let over = ended(&*store, unnamed()?, 1).await?;
    store.unlist_session(SessionId(1)).await?;
    store.unlist_session(over.id).await?;
    let unended = store.unended_sessions().await?.into_iter();
    let found: Vec<(i32, bool)> = unended
        .map(|Unended { record, listed }| (record.id.0, listed))
        .collect();
    assert_eq!(found, [(0, true), (1, false), (2, true)]);
    Ok(())
}

/// No two sessions share a number, and none is left out.
pub async fn creates_at_once_get_different_numbers(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let mut creates = JoinSet::new();
    for _ in 0..100 {
        let (store, new) = (Arc::clone(&store), unnamed()?);
        creates.spawn(async move { store.create_session(new).await.map(|record| record.id.0) });
    }
    let mut numbers = creates
        .join_all()
        .await
        .into_iter()
        .collect::<Result<Vec<i32>, _>>()?;
    numbers.sort_unstable();
    assert_eq!(numbers, (0..100).collect::<Vec<_>>());
    Ok(())
}

/// A name is given once, however many ask for it at a time.
pub async fn of_creates_at_once_with_one_name_one_wins(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let mut creates = JoinSet::new();
    for _ in 0..20 {
        let (store, new) = (Arc::clone(&store), named("the one")?);
        creates.spawn(async move { store.create_session(new).await });
    }
    let mut numbers = BTreeSet::new();
    let mut winners = Vec::new();
    for created in creates.join_all().await {
        match created {
            Ok(record) => winners.push(record.id),
            Err(StoreError::DuplicateName { attempted, .. }) => {
                assert!(numbers.insert(attempted), "{attempted} twice");
            }
            Err(error) => return Err(error.into()),
        }
    }
    assert_eq!((winners.len(), numbers.len()), (1, 19));
    assert!(!numbers.contains(&winners[0].0));
    Ok(())
}

async fn ids(store: &dyn Store) -> Result<(u64, Vec<i32>), Failure> {
    let (total, records) = store.list_sessions(Visible::All, ALL).await?;
    Ok((total, records.iter().map(|record| record.id.0).collect()))
}

fn full_request() -> SessionRequest {
    SessionRequest {
        kind: Kind::PySpark3,
        submit: full_submit(),
        heartbeat_timeout_seconds: u32::MAX,
        ttl: Some("1h".to_owned()),
        idle_timeout: Some("30 s".to_owned()),
    }
}

fn every_state() -> Vec<SessionState> {
    let failure = SessionFailure {
        code: FailureCode::DriverExited,
        phase: Phase::Context,
        message: "it said: \"no\"\n".to_owned(),
        hint: String::new(),
    };
    let end = |outcome, cause, failure, exit| {
        SessionState::Ended(End {
            outcome,
            cause,
            failure,
            exit,
        })
    };
    vec![
        SessionState::Starting {
            step: Start::Launching,
        },
        SessionState::Starting {
            step: Start::Connecting,
        },
        SessionState::Starting {
            step: Start::Context,
        },
        SessionState::Running { link: Link::Up },
        SessionState::Running { link: Link::Lost },
        SessionState::Running {
            link: Link::Recovering,
        },
        SessionState::Stopping {
            cause: Some(StopCause::IdleTimeout),
            failure: None,
            forced: false,
        },
        SessionState::Stopping {
            cause: None,
            failure: Some(failure.clone()),
            forced: true,
        },
        end(
            SessionOutcome::Stopped,
            Some(StopCause::User),
            None,
            Some(Exit::Code(0)),
        ),
        end(
            SessionOutcome::Killed,
            Some(StopCause::Ttl),
            None,
            Some(Exit::Signal(9)),
        ),
        end(
            SessionOutcome::Failed,
            None,
            Some(failure),
            Some(Exit::Unknown),
        ),
        end(SessionOutcome::Failed, None, None, None),
    ]
}
