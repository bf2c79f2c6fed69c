//! Sessions and statements: deletion.

use livius_domain::{Kind, SessionId, StatementId, StatementRecord, StatementState};

use super::listing::{self, Sessions};
use super::{ALL, Failure, Outcome, Place, at, ended, named, unnamed};
use crate::{PiecesOf, Store};

/// Ended sessions are deleted by age.
pub async fn sessions_go_by_age(place: &dyn Place) -> Outcome {
    listing::ended_records_go_by_age(&Sessions(place.open().await?)).await
}

/// Ended sessions are deleted by number.
pub async fn sessions_go_by_number(place: &dyn Place) -> Outcome {
    listing::ended_records_go_by_number(&Sessions(place.open().await?)).await
}

/// Its statements and their outputs are deleted, too. Its number is not given again. Its name is
/// free.
pub async fn a_purged_session_leaves_nothing_but_its_number(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let mut session = ended(&*store, named("a")?, 1).await?;
    let statement = store
        .create_statement(session.id, Kind::Spark, "1", None, None)
        .await?;
    store
        .put_piece(PiecesOf::Statement(session.id, statement.id), 0, "{}")
        .await?;
    assert_eq!(
        store.purge_sessions(at(2)?, u64::MAX).await?,
        std::slice::from_ref(&session)
    );
    assert_eq!(store.session(session.id).await?, None);
    assert_eq!(store.session_named("a").await?, None);
    assert_eq!(
        store.list_statements(session.id, ALL).await?.counted(),
        (0, vec![])
    );
    assert_eq!(
        store
            .piece(PiecesOf::Statement(session.id, statement.id), 0)
            .await?,
        None
    );
    assert!(store.update_session(&mut session).await.is_err());
    assert_eq!(store.create_session(named("a")?).await?.id, SessionId(1));
    Ok(())
}

/// Unfinished ones do not count and are not deleted.
pub async fn finished_statements_go_oldest_first(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    for session in [0, 1] {
        store.create_session(unnamed()?).await?;
        for number in 0..8 {
            let made = store
                .create_statement(SessionId(session), Kind::Spark, "1", None, None)
                .await?;
            if number != 1 && number != 6 {
                finish(&*store, made).await?;
            }
        }
    }
    for (keep, left) in [
        (u64::MAX, vec![0, 1, 2, 3, 4, 5, 6, 7]),
        (6, vec![0, 1, 2, 3, 4, 5, 6, 7]),
        (5, vec![1, 2, 3, 4, 5, 6, 7]),
        (2, vec![1, 5, 6, 7]),
        (2, vec![1, 5, 6, 7]),
        (0, vec![1, 6]),
    ] {
        store.trim_statements(SessionId(0), keep).await?;
        assert_eq!(
            statements(&*store, SessionId(0)).await?,
            left,
            "keep {keep}"
        );
        assert_eq!(
            store
                .piece(PiecesOf::Statement(SessionId(0), StatementId(0)), 0)
                .await?
                .is_some(),
            left.contains(&0)
        );
    }
    assert_eq!(
        statements(&*store, SessionId(1)).await?.len(),
        8,
        "another session's"
    );
    Ok(())
}

/// The rule holds even when no row is left.
pub async fn a_trimmed_number_is_not_given_again(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    for number in 0..6 {
        let made = store
            .create_statement(session, Kind::Spark, "1", None, None)
            .await?;
        assert_eq!(made.id, StatementId(number));
        finish(&*store, made).await?;
        store
            .trim_statements(session, u64::from(number % 3 == 0))
            .await?;
        if number % 2 == 0 {
            store.trim_statements(session, 0).await?;
        }
    }
    Ok(())
}

async fn finish(store: &dyn Store, made: StatementRecord) -> Outcome {
    let mut record = StatementRecord {
        state: StatementState::Available {
            started: None,
            completed: at(1)?,
        },
        ..made
    };
    store
        .put_piece(PiecesOf::Statement(record.session, record.id), 0, "{}")
        .await?;
    Ok(store.update_statement(&mut record, None).await?)
}

async fn statements(store: &dyn Store, session: SessionId) -> Result<Vec<i32>, Failure> {
    let (total, statements) = store.list_statements(session, ALL).await?.counted();
    assert_eq!(u64::try_from(statements.len())?, total);
    Ok(statements
        .iter()
        .map(|statement| statement.record.id.0)
        .collect())
}
