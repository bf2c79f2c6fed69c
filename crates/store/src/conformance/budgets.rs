//! Budgets for outputs and results.

use livius_domain::{
    JobLanguage, JobOutcome, Kind, SessionId, StatementId, StatementRecord, StatementState,
};

use super::jobs::over;
use super::{Failure, Outcome, Place, at, unnamed};
use crate::{Output, PiecesOf, Store};

const LONG: usize = 10_000;

/// The oldest go first, and no more than necessary: of one session, or of all.
pub async fn outputs_in_excess_are_named_oldest_first(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    for session in 0..2 {
        store.create_session(unnamed()?).await?;
        for _ in 0..3 {
            statement(&*store, SessionId(session), &"x".repeat(LONG)).await?;
        }
        in_pieces(&*store, SessionId(session)).await?;
    }
    let of = |session, id| PiecesOf::Statement(SessionId(session), StatementId(id));
    let all: Vec<PiecesOf> = [0, 1]
        .into_iter()
        .flat_map(|session| [0, 1, 2, 3].map(|id| of(session, id)))
        .collect();
    let long = LONG as u64;
    for (session, budget, expected) in [
        (None, 8 * long, &all[..0]),
        (None, 8 * long - 1, &all[..1]),
        (None, 6 * long, &all[..2]),
        (None, 0, &all[..]),
        (Some(SessionId(1)), 4 * long, &all[..0]),
        (Some(SessionId(1)), 2 * long + 5, &all[4..6]),
        (Some(SessionId(1)), 0, &all[4..]),
        (Some(SessionId(7)), 0, &all[..0]),
    ] {
        let named = store.excess_outputs(session, budget).await?;
        assert_eq!(named, expected, "{session:?} {budget}");
    }
    // Another output takes the place of a long one.
    let first = store.statement(SessionId(0), StatementId(0)).await?;
    let mut first = first.ok_or("no such statement")?.record;
    store.update_statement(&mut first, Some("gone")).await?;
    assert_eq!(store.excess_outputs(None, 0).await?, all[1..]);
    store.trim_statements(SessionId(0), 1).await?;
    assert_eq!(store.excess_outputs(None, 0).await?, all[3..]);
    Ok(())
}

/// A job that succeeded has its result until it is a job that failed.
pub async fn results_of_jobs_count_too(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    let job = store
        .create_job(session, JobLanguage::Jvm, "AA==", None)
        .await?;
    let mut record = over(&job, JobOutcome::Succeeded)?;
    store
        .update_job(&mut record, Some(&"x".repeat(LONG)))
        .await?;
    let named = store.excess_outputs(Some(session), 0).await?;
    assert_eq!(named, [PiecesOf::Job(session, job.id)]);
    let mut record = over(&record, JobOutcome::Failed)?;
    store.update_job(&mut record, None).await?;
    assert_eq!(store.excess_outputs(None, 0).await?, []);
    Ok(())
}

/// Short ones are bounded by the number of statements.
pub async fn short_and_unfinished_outputs_do_not_count(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    statement(&*store, session, &"x".repeat(4096)).await?;
    let running = store
        .create_statement(session, Kind::Spark, "1", None, None)
        .await?;
    let of = PiecesOf::Statement(session, running.id);
    store.put_piece(of, 0, &"x".repeat(LONG)).await?;
    assert_eq!(store.excess_outputs(None, 0).await?, []);
    Ok(())
}

/// Others keep theirs.
pub async fn pieces_of_an_output_that_was_replaced_are_deleted(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    let mut replaced = in_pieces(&*store, session).await?;
    let kept = in_pieces(&*store, session).await?;
    store.update_statement(&mut replaced, Some("gone")).await?;
    let of = PiecesOf::Statement(session, replaced.id);
    store.delete_pieces(of).await?;
    assert_eq!(store.count_pieces(of).await?, 0);
    let stored = store.statement(session, replaced.id).await?;
    let output = stored.ok_or("no such statement")?.output;
    assert_eq!(output, Output::Inline("gone".to_owned()));
    let neighbour = PiecesOf::Statement(session, kept.id);
    assert_eq!(store.count_pieces(neighbour).await?, 2);
    store.delete_pieces(of).await?;
    Ok(())
}

/// A finished statement with this output.
async fn statement(store: &dyn Store, session: SessionId, output: &str) -> Outcome {
    let made = store
        .create_statement(session, Kind::Spark, "1", None, None)
        .await?;
    store
        .update_statement(&mut finished(made)?, Some(output))
        .await?;
    Ok(())
}

/// A finished statement whose output has two pieces.
async fn in_pieces(store: &dyn Store, session: SessionId) -> Result<StatementRecord, Failure> {
    let made = store
        .create_statement(session, Kind::Spark, "1", None, None)
        .await?;
    for index in 0..2 {
        let of = PiecesOf::Statement(session, made.id);
        store.put_piece(of, index, &"x".repeat(LONG / 2)).await?;
    }
    let mut record = finished(made)?;
    store.update_statement(&mut record, None).await?;
    Ok(record)
}

fn finished(record: StatementRecord) -> Result<StatementRecord, Failure> {
    let state = StatementState::Available {
        started: None,
        completed: at(1)?,
    };
    Ok(StatementRecord { state, ..record })
}
