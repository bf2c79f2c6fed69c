//! Reading everything after the store was opened again.

use std::sync::Arc;

use livius_domain::{Kind, SessionId, StatementId, StatementRecord, StatementState};

use super::{ALL, Outcome, Place, all_listed, at, driver_of, ended, named, unnamed};
use crate::{PiecesOf, StoreError, Visible};

/// All records that were acknowledged are there.
pub async fn everything_survives_opening_again(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let mut session = store.create_session(named("a")?).await?;
    session.driver = Some(driver_of(session.id));
    store.update_session(&mut session).await?;
    let over = ended(&*store, unnamed()?, 5).await?;
    store.unlist_session(over.id).await?;
    let running = StatementState::Running {
        started: Some(at(2)?),
    };
    let made = store
        .create_statement(session.id, Kind::PySpark, "print('🤔')", None, None)
        .await?;
    let mut statement = StatementRecord {
        state: running,
        ..made
    };
    store
        .update_statement(&mut statement, Some("{\"a\":1}"))
        .await?;
    store
        .put_piece(PiecesOf::Statement(session.id, statement.id), 3, "piece")
        .await?;
    let before = store.list_statements(session.id, ALL).await?;
    drop(store);

    let store = place.open().await?;
    assert_eq!(
        store.list_sessions(Visible::All, ALL).await?.counted(),
        (1, vec![session.clone()])
    );
    assert_eq!(store.session_named("a").await?, Some(session.clone()));
    assert_eq!(
        store.unended_sessions().await?,
        all_listed([session.clone()])
    );
    assert_eq!(store.list_statements(session.id, ALL).await?, before);
    assert_eq!(store.unfinished_statements(session.id).await?, [statement]);
    assert_eq!(
        store
            .piece(PiecesOf::Statement(session.id, StatementId(0)), 3)
            .await?
            .as_deref(),
        Some("piece")
    );
    assert_eq!(store.purge_sessions(at(6)?, u64::MAX).await?, [over]);
    Ok(())
}

/// Numbers of refused sessions and deleted rows are not given again.
pub async fn numbers_go_on_after_opening_again(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    store.create_session(named("a")?).await?;
    ended(&*store, unnamed()?, 1).await?;
    let made = store
        .create_statement(SessionId(0), Kind::Spark, "1", None, None)
        .await?;
    let over = StatementState::Cancelled {
        started: None,
        completed: at(1)?,
    };
    store
        .update_statement(
            &mut StatementRecord {
                state: over,
                ..made
            },
            None,
        )
        .await?;
    store.trim_statements(SessionId(0), 0).await?;
    store.purge_sessions(at(9)?, 0).await?;
    let refused = store.create_session(named("a")?).await;
    assert!(
        matches!(refused, Err(StoreError::DuplicateName { attempted: 2, .. })),
        "{refused:?}"
    );
    drop(store);

    let store = place.open().await?;
    assert_eq!(store.create_session(unnamed()?).await?.id, SessionId(3));
    assert_eq!(
        store
            .create_statement(SessionId(0), Kind::Spark, "1", None, None)
            .await?
            .id,
        StatementId(1)
    );
    Ok(())
}

/// A client may disconnect at any time.
pub async fn a_call_that_is_given_up_is_done_whole_or_not_at_all(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    store.create_session(named("a")?).await?;
    for turns in 0..200 {
        let (shared, new) = (Arc::clone(&store), unnamed()?);
        let call = tokio::task::JoinSet::from_iter([async move {
            let made = shared.create_session(new).await?;
            shared
                .create_statement(made.id, Kind::Spark, "1", None, None)
                .await?;
            shared.trim_statements(made.id, 0).await?;
            shared.list_sessions(Visible::All, ALL).await?;
            shared.purge_sessions(made.created_at, 0).await
        }]);
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        drop(call);
    }
    let last = store.create_session(unnamed()?).await?;
    let made = store
        .create_statement(last.id, Kind::Spark, "1", None, None)
        .await?;
    assert_eq!(
        store
            .statement(last.id, made.id)
            .await?
            .map(|stored| stored.record),
        Some(made)
    );
    let (total, listed) = store.list_sessions(Visible::All, ALL).await?.counted();
    assert_eq!(u64::try_from(listed.len())?, total);
    assert_eq!(listed.last(), Some(&last));
    drop(store);
    assert_eq!(
        place
            .open()
            .await?
            .list_sessions(Visible::All, ALL)
            .await?
            .counted(),
        (total, listed)
    );
    Ok(())
}
