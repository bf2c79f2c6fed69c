//! Short and long outputs, and unusual texts.

use livius_domain::{Kind, SessionId, StatementId, StatementRecord, StatementState};

use super::{Failure, Outcome, Place, TEXTS, at, named, unnamed};
use crate::{NewSession, Output, PiecesOf, Store};

/// `None` means that the output does not change.
pub async fn an_output_stays_until_another_comes(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let mut record = statement(&*store).await?;
    for (given, expected) in [
        (None, Output::None),
        (Some(""), Output::Inline(String::new())),
        (Some("{}"), Output::Inline("{}".to_owned())),
        (None, Output::Inline("{}".to_owned())),
    ] {
        store.update_statement(&mut record, given).await?;
        assert_eq!(output(&*store, &record).await?, expected, "{given:?}");
    }
    Ok(())
}

/// Before the statement is over, more pieces may come.
pub async fn pieces_are_an_output_once_the_statement_is_over(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let neighbour = statement(&*store).await?;
    let mut running = StatementRecord {
        state: StatementState::Running { started: None },
        ..statement(&*store).await?
    };
    for (index, text) in (0..).zip(["{\"a\":\"", "π\u{0}🤔", "", "\"}"]) {
        store
            .put_piece(
                PiecesOf::Statement(running.session, running.id),
                index,
                text,
            )
            .await?;
        store.update_statement(&mut running, None).await?;
        assert_eq!(output(&*store, &running).await?, Output::None);
        assert_eq!(
            store
                .piece(PiecesOf::Statement(running.session, running.id), index)
                .await?
                .as_deref(),
            Some(text)
        );
    }
    let mut over = finished(running)?;
    for _ in 0..2 {
        store.update_statement(&mut over, None).await?;
        assert_eq!(
            output(&*store, &over).await?,
            Output::Chunked {
                chunks: 4,
                bytes: 6 + 7 + 2
            }
        );
    }
    assert_eq!(
        store
            .piece(PiecesOf::Statement(over.session, over.id), 4)
            .await?,
        None
    );
    assert_eq!(
        store
            .piece(PiecesOf::Statement(neighbour.session, neighbour.id), 0)
            .await?,
        None
    );
    store
        .update_statement(&mut finished(neighbour.clone())?, None)
        .await?;
    assert_eq!(output(&*store, &neighbour).await?, Output::None);
    Ok(())
}

/// The agent sends a piece again when it was not acknowledged.
pub async fn a_piece_again_changes_nothing(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let record = statement(&*store).await?;
    for index in [0, 1, 0, 1] {
        store
            .put_piece(PiecesOf::Statement(record.session, record.id), index, "abc")
            .await?;
    }
    store
        .update_statement(&mut finished(record.clone())?, None)
        .await?;
    store
        .put_piece(PiecesOf::Statement(record.session, record.id), 1, "abc")
        .await?;
    assert_eq!(
        output(&*store, &record).await?,
        Output::Chunked {
            chunks: 2,
            bytes: 6
        }
    );
    Ok(())
}

/// When the driver dies before the output is complete, the server's message is the output.
pub async fn a_given_output_takes_the_place_of_pieces(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let record = statement(&*store).await?;
    store
        .put_piece(PiecesOf::Statement(record.session, record.id), 0, "{\"half")
        .await?;
    let mut over = finished(record)?;
    for given in [Some("{\"lost\":1}"), None] {
        store.update_statement(&mut over, given).await?;
        assert_eq!(
            output(&*store, &over).await?,
            Output::Inline("{\"lost\":1}".to_owned())
        );
    }
    Ok(())
}

/// Texts are read as they were stored, byte by byte.
pub async fn any_text_is_stored(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    for (number, text) in (0..).zip(TEXTS) {
        let new = NewSession {
            owner: Some(text.to_owned()),
            proxy_user: Some(text.to_owned()),
            ..named(&format!("{number}{text}"))?
        };
        let session = store.create_session(new).await?;
        assert_eq!(
            store.session(session.id).await?,
            Some(session.clone()),
            "{text:?}"
        );
        let mut record = store
            .create_statement(session.id, Kind::Spark, text, None, None)
            .await?;
        store
            .put_piece(PiecesOf::Statement(session.id, record.id), 0, text)
            .await?;
        store.update_statement(&mut record, Some(text)).await?;
        let stored = store
            .statement(session.id, record.id)
            .await?
            .ok_or("the statement is gone")?;
        assert_eq!(
            (stored.record, stored.output),
            (record, Output::Inline(text.to_owned()))
        );
        assert_eq!(
            store
                .piece(PiecesOf::Statement(session.id, StatementId(0)), 0)
                .await?
                .as_deref(),
            Some(text)
        );
    }
    Ok(())
}

/// Long texts are stored whole.
pub async fn ten_megabytes_of_code_are_stored(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    let code = "print('é🤔') # \u{0}\n".repeat(600_000);
    assert!(code.len() > 10 << 20);
    let record = store
        .create_statement(session, Kind::PySpark, &code, None, None)
        .await?;
    let mut over = finished(record)?;
    store.update_statement(&mut over, Some(&code)).await?;
    let stored = store
        .statement(session, over.id)
        .await?
        .ok_or("the statement is gone")?;
    assert!(stored.record == over && stored.output == Output::Inline(code));
    Ok(())
}

async fn statement(store: &dyn Store) -> Result<StatementRecord, Failure> {
    if store.session(SessionId(0)).await?.is_none() {
        store.create_session(unnamed()?).await?;
    }
    Ok(store
        .create_statement(SessionId(0), Kind::PySpark, "1", None, None)
        .await?)
}

fn finished(record: StatementRecord) -> Result<StatementRecord, Failure> {
    Ok(StatementRecord {
        state: StatementState::Available {
            started: None,
            completed: at(9)?,
        },
        ..record
    })
}

async fn output(store: &dyn Store, record: &StatementRecord) -> Result<Output, Failure> {
    let stored = store
        .statement(record.session, record.id)
        .await?
        .ok_or("the statement is gone")?;
    let listed = store
        .list_statements(record.session, super::ALL)
        .await?
        .records;
    assert!(listed.contains(&stored), "the list shows it otherwise");
    Ok(stored.output)
}
