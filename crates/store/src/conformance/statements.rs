//! Statements: numbers, stored fields, lists.

use std::sync::Arc;

use livius_domain::{Kind, SessionId, StatementId, StatementRecord, StatementState};
use tokio::task::JoinSet;

use super::{ALL, Outcome, Place, at, unnamed, windows};
use crate::{Output, PiecesOf, Start, StoredStatement, Window};

/// Each session numbers its own statements.
pub async fn numbers_count_from_0_in_each_session(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    for _ in 0..2 {
        store.create_session(unnamed()?).await?;
    }
    for (session, number) in [(0, 0), (1, 0), (0, 1), (0, 2), (1, 1)] {
        let made = store
            .create_statement(SessionId(session), Kind::Sql, "select 1", None, None)
            .await?;
        let expected = StatementRecord {
            session: SessionId(session),
            id: StatementId(number),
            version: 0,
            kind: Kind::Sql,
            code: "select 1".into(),
            state: StatementState::Waiting,
        };
        assert_eq!(made, expected);
        let stored = store.statement(made.session, made.id).await?;
        assert_eq!(
            stored,
            Some(StoredStatement {
                record: expected,
                output: Output::None
            })
        );
    }
    Ok(())
}

/// An update stores every state.
pub async fn every_state_and_kind_is_stored(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    let (started, completed) = (Some(at(1)?), at(2)?);
    let states = [
        StatementState::Running { started: None },
        StatementState::Running { started },
        StatementState::Cancelling { started },
        StatementState::Waiting,
        StatementState::Available { started, completed },
        StatementState::Available {
            started: None,
            completed,
        },
        StatementState::Cancelled { started, completed },
        StatementState::Cancelled {
            started: None,
            completed,
        },
    ];
    for kind in Kind::ALL {
        let mut record = store
            .create_statement(session, kind, "", None, None)
            .await?;
        for state in states {
            record.state = state;
            store.update_statement(&mut record, None).await?;
            let stored = store.statement(session, record.id).await?;
            assert_eq!(
                stored,
                Some(StoredStatement {
                    record: record.clone(),
                    output: Output::None
                })
            );
        }
    }
    Ok(())
}

/// An update without a row fails. A read without a row finds nothing.
pub async fn an_unknown_row_is_refused_or_absent(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    let nowhere = SessionId(5);
    assert!(
        store
            .create_statement(nowhere, Kind::Spark, "1", None, None)
            .await
            .is_err()
    );
    let record = store
        .create_statement(session, Kind::Spark, "1", None, None)
        .await?;
    for mut unknown in [
        StatementRecord {
            session: nowhere,
            ..record.clone()
        },
        StatementRecord {
            id: StatementId(1),
            ..record
        },
    ] {
        assert!(
            store
                .update_statement(&mut unknown, Some("{}"))
                .await
                .is_err()
        );
        assert!(
            store
                .put_piece(PiecesOf::Statement(unknown.session, unknown.id), 0, "{")
                .await
                .is_err()
        );
        assert_eq!(store.statement(unknown.session, unknown.id).await?, None);
        assert_eq!(
            store
                .piece(PiecesOf::Statement(unknown.session, unknown.id), 0)
                .await?,
            None
        );
    }
    assert_eq!(store.statement(session, StatementId(-1)).await?, None);
    assert_eq!(
        store.list_statements(nowhere, ALL).await?.counted(),
        (0, Vec::new())
    );
    assert_eq!(store.unfinished_statements(nowhere).await?, Vec::new());
    store.trim_statements(nowhere, 0).await?;
    Ok(())
}

/// A list counts all statements of the session and shows those in the window.
pub async fn statements_are_windowed(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    for session in [0, 1] {
        store.create_session(unnamed()?).await?;
        for _ in 0..5 {
            store
                .create_statement(SessionId(session), Kind::Spark, "1", None, None)
                .await?;
        }
    }
    for (window, expected) in windows(5) {
        let (total, statements) = store.list_statements(SessionId(1), window).await?.counted();
        assert!(
            statements
                .iter()
                .all(|statement| statement.record.session == SessionId(1))
        );
        let shown: Vec<i32> = statements
            .iter()
            .map(|statement| statement.record.id.0)
            .collect();
        assert_eq!((total, shown), (5, expected), "{window:?}");
    }
    Ok(())
}

/// A page of long code would be more than the memory of a server.
pub async fn a_window_of_statements_is_bounded_by_their_length(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    let long = "x".repeat(3 << 20);
    let codes = ["1", &long, &long, &long, "2", "3", &long];
    for code in codes {
        store
            .create_statement(session, Kind::Spark, code, None, None)
            .await?;
    }
    for descending in [false, true] {
        let mut window = Window {
            start: Start::Offset(0),
            limit: 100,
            descending,
        };
        let mut read = Vec::new();
        loop {
            let part = store.list_statements(session, window).await?;
            let bytes: usize = part.records.iter().map(|it| it.record.code.len()).sum();
            assert!(bytes <= 8 << 20, "{bytes}");
            assert_eq!(part.total.is_some(), read.is_empty());
            read.extend(part.records);
            let Some(next) = part.next else { break };
            window.start = Start::After(next);
        }
        if descending {
            read.reverse();
        }
        let code: Vec<&str> = read.iter().map(|it| &*it.record.code).collect();
        assert_eq!(code, codes);
    }
    Ok(())
}

/// A starting server finds the unfinished statements.
pub async fn unfinished_statements_come_in_order(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    let completed = at(1)?;
    let states = [
        StatementState::Available {
            started: None,
            completed,
        },
        StatementState::Cancelling { started: None },
        StatementState::Cancelled {
            started: None,
            completed,
        },
        StatementState::Running { started: None },
        StatementState::Waiting,
    ];
    let mut unfinished = Vec::new();
    for state in states {
        let made = store
            .create_statement(session, Kind::Spark, "1", None, None)
            .await?;
        let mut record = StatementRecord { state, ..made };
        store.update_statement(&mut record, Some("{}")).await?;
        unfinished.extend((!state.is_final()).then_some(record));
    }
    assert_eq!(store.unfinished_statements(session).await?, unfinished);
    Ok(())
}

/// No two statements have the same number, and no number is skipped.
pub async fn creates_at_once_count_without_a_gap(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    let mut creates = JoinSet::new();
    for _ in 0..100 {
        let store = Arc::clone(&store);
        creates.spawn(async move {
            store
                .create_statement(session, Kind::Spark, "1", None, None)
                .await
                .map(|record| record.id.0)
        });
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
