//! Sessions: numbers, names, stored fields, lists.

use std::sync::Arc;

use livius_domain::pool::{Differs, Level, Passed, PoolOutcome, Why};
use livius_domain::{
    AppInfo, End, Exit, Failure as SessionFailure, FailureCode, Kind, Outcome as SessionOutcome,
    Phase, SessionId, SessionRecord, SessionRequest, SessionState, StopCause,
};

use super::listing::{self, Sessions};
use super::{ALL, Failure, Outcome, Place, at, driver_of, full_submit, lines, unnamed};
use crate::{NewSession, SessionSummary, Store, Visible};

/// The answer of `create_*` is the record that is read later. It has every field of the request.
pub async fn a_new_session_is_stored_as_asked_for(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let new = NewSession {
        request: full_request(),
        owner: Some("alice".to_owned()),
        proxy_user: Some("bob".to_owned()),
        created_at: at(3)?,
        key: None,
        webhook: None,
    };
    let record = store.create_session(new).await?;
    let expected = SessionRecord {
        id: SessionId(0),
        version: 0,
        request: full_request().into(),
        owner: Some("alice".to_owned()),
        proxy_user: Some("bob".to_owned()),
        state: SessionState::Starting,
        app: None,
        driver: None,
        pool: None,
        created_at: at(3)?,
        last_activity: at(3)?,
        ended_at: None,
        last_lines: None,
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

/// No number is given twice.
pub async fn numbers_only_grow_and_a_refusal_uses_one_up(place: &dyn Place) -> Outcome {
    listing::numbers_only_grow(&Sessions(place.open().await?)).await
}

/// Names of listed sessions that have not ended are unique.
pub async fn a_name_is_unique_among_listed_sessions(place: &dyn Place) -> Outcome {
    listing::a_name_is_unique(&Sessions(place.open().await?)).await
}

/// Names of sessions differ when their bytes differ.
pub async fn names_are_compared_exactly(place: &dyn Place) -> Outcome {
    listing::names_are_compared_exactly(&Sessions(place.open().await?)).await
}

/// An update stores every field, and removes the fields that are now empty. The request changes with
/// the end only.
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
            last_lines: state.is_ended().then(lines),
            state,
            app: (second % 2 == 0).then(|| app.clone()),
            driver: (second % 3 == 0).then(|| driver_of(first.id)),
            pool: every_outcome()
                .into_iter()
                .cycle()
                .nth(usize::try_from(second)?)
                .flatten(),
            last_activity: at(second)?,
            ..first.clone()
        };
        let stored = if record.ended_at.is_some() {
            Arc::default()
        } else {
            first.request.clone()
        };
        record.request = Arc::default();
        store.update_session(&mut record).await?;
        (first.version, first.request) = (record.version, stored.clone());
        record.request = stored;
        let summary = SessionSummary {
            id: record.id,
            owner: record.owner.clone(),
            proxy_user: record.proxy_user.clone(),
            state: record.state.clone(),
            app: record.app.clone(),
        };
        assert_eq!(store.session_summaries(&[first.id]).await?, [summary]);
        assert_eq!(store.session(first.id).await?, Some(record));
    }
    Ok(())
}

fn every_outcome() -> Vec<Option<Arc<PoolOutcome>>> {
    let passed = |why| Passed {
        pool: "small".to_owned(),
        why,
    };
    let differs = Differs {
        key: "spark.driver.memory".to_owned(),
        wanted: Some("2g".to_owned()),
        had: None,
    };
    let outcomes = [
        PoolOutcome::Off,
        PoolOutcome::Hit {
            pool: "small".to_owned(),
            level: Level::Ready,
        },
        PoolOutcome::Miss {
            pools: vec![
                passed(Why::Differs(differs)),
                passed(Why::Empty),
                passed(Why::NotAllowed),
                passed(Why::Closed),
                passed(Why::Refused {
                    message: "it died".to_owned(),
                }),
            ],
        },
    ];
    let outcomes = outcomes.map(|outcome| Some(Arc::new(outcome)));
    outcomes.into_iter().chain([None]).collect()
}

/// An update without a row fails.
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

/// A list of sessions has a window.
pub async fn listed_sessions_are_windowed(place: &dyn Place) -> Outcome {
    listing::a_list_has_a_window(&Sessions(place.open().await?)).await
}

/// A user's list has only the user's sessions.
pub async fn a_list_shows_what_is_visible(place: &dyn Place) -> Outcome {
    listing::a_list_shows_what_is_visible(&Sessions(place.open().await?)).await
}

/// A long list is read part by part.
pub async fn a_list_is_read_on_while_rows_come_and_go(place: &dyn Place) -> Outcome {
    listing::a_list_is_read_on(&Sessions(place.open().await?)).await
}

/// Summaries show listed sessions.
pub async fn sessions_are_summed_up(place: &dyn Place) -> Outcome {
    listing::summaries_are_of_listed_records(&Sessions(place.open().await?)).await
}

/// A starting server finds all sessions that have not ended.
pub async fn unended_sessions_are_found_listed_or_not(place: &dyn Place) -> Outcome {
    listing::unended_records_are_found(&Sessions(place.open().await?)).await
}

/// No two sessions have the same number, and no number is skipped.
pub async fn creates_at_once_get_different_numbers(place: &dyn Place) -> Outcome {
    listing::creates_at_once_get_different_numbers(Sessions(place.open().await?)).await
}

/// If many creates have the same name at the same time, one succeeds.
pub async fn of_creates_at_once_with_one_name_one_wins(place: &dyn Place) -> Outcome {
    listing::of_creates_at_once_with_one_name_one_wins(Sessions(place.open().await?)).await
}

async fn ids(store: &dyn Store) -> Result<(u64, Vec<i32>), Failure> {
    let (total, records) = store.list_sessions(Visible::All, ALL).await?.counted();
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
        evidence: livius_domain::Evidence::default(),
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
        SessionState::Starting,
        SessionState::Running,
        SessionState::Stopping {
            cause: Some(StopCause::IdleTimeout),
            failure: None,
        },
        SessionState::Stopping {
            cause: None,
            failure: Some(failure.clone()),
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
