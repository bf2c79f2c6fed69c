//! The bytes of jobs and their results.

use livius_domain::{JobLanguage, JobOutcome, JobRecord, JobState, SessionId};

use super::jobs::{job, over};
use super::{Failure, Outcome, Place, at, unnamed};
use crate::{Output, PiecesOf, Store};

const OUTCOMES: [JobOutcome; 3] = [
    JobOutcome::Succeeded,
    JobOutcome::Failed,
    JobOutcome::Cancelled,
];

/// The server may have to send the bytes again until the job is over.
pub async fn the_bytes_of_a_job_stay_until_it_is_over(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    for outcome in OUTCOMES {
        let (mut made, neighbour) = (new_job(&*store).await?, new_job(&*store).await?);
        let states = [
            JobState::Sent,
            JobState::Started { started: at(1)? },
            JobState::Cancelling { started: None },
        ];
        for state in states {
            made.state = state;
            store.update_job(&mut made, None).await?;
            assert_eq!(payload(&*store, &made).await?.as_deref(), Some("gAVL"));
            let bytes = store.job_payload_bytes(made.session, made.id).await?;
            assert_eq!(bytes, Some(4));
        }
        let mut over = over(&made, outcome)?;
        for _ in 0..2 {
            store.update_job(&mut over, None).await?;
            assert_eq!(payload(&*store, &made).await?, None, "{outcome:?}");
            assert_eq!(store.job_payload_bytes(made.session, made.id).await?, None);
        }
        assert_eq!(payload(&*store, &neighbour).await?.as_deref(), Some("gAVL"));
    }
    Ok(())
}

/// `None` means that the result does not change.
pub async fn a_result_stays_until_another_comes(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let mut record = over(&new_job(&*store).await?, JobOutcome::Succeeded)?;
    for (given, expected) in [
        (None, Output::None),
        (Some(""), Output::Inline(String::new())),
        (Some("Zg=="), Output::Inline("Zg==".to_owned())),
        (None, Output::Inline("Zg==".to_owned())),
    ] {
        store.update_job(&mut record, given).await?;
        assert_eq!(job(&*store, &record).await?.result, expected, "{given:?}");
    }
    Ok(())
}

/// A job whose result is not kept becomes one that failed.
pub async fn a_job_that_failed_has_no_result(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    for outcome in [JobOutcome::Failed, JobOutcome::Cancelled] {
        let mut record = over(&new_job(&*store).await?, JobOutcome::Succeeded)?;
        store.update_job(&mut record, Some("Zg==")).await?;
        let mut record = over(&record, outcome)?;
        store.update_job(&mut record, None).await?;
        assert_eq!(job(&*store, &record).await?.result, Output::None);
    }
    Ok(())
}

/// Before the job is over, more pieces may come. The pieces of a job that failed are not a result.
pub async fn pieces_are_the_result_of_a_job_that_succeeded(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let whole = Output::Chunked {
        chunks: 4,
        bytes: 8 + 4 + 2,
    };
    for outcome in OUTCOMES {
        let (mut made, neighbour) = (new_job(&*store).await?, new_job(&*store).await?);
        for (index, text) in (0..).zip(["Zm9vYmFy", "Zg==", "", "é"]) {
            store
                .put_piece(PiecesOf::Job(made.session, made.id), index, text)
                .await?;
            store.update_job(&mut made, None).await?;
            let count = store
                .count_pieces(PiecesOf::Job(made.session, made.id))
                .await?;
            assert_eq!(count, index + 1);
            assert_eq!(job(&*store, &made).await?.result, Output::None);
            let piece = store
                .piece(PiecesOf::Job(made.session, made.id), index)
                .await?;
            assert_eq!(piece.as_deref(), Some(text));
        }
        assert_eq!(
            store.piece(PiecesOf::Job(made.session, made.id), 4).await?,
            None
        );
        let expected = if outcome == JobOutcome::Succeeded {
            whole.clone()
        } else {
            Output::None
        };
        let mut ended = over(&made, outcome)?;
        for _ in 0..2 {
            store.update_job(&mut ended, None).await?;
            assert_eq!(job(&*store, &made).await?.result, expected, "{outcome:?}");
        }
        let session = neighbour.session;
        assert_eq!(
            store.piece(PiecesOf::Job(session, neighbour.id), 0).await?,
            None
        );
        store
            .update_job(&mut over(&neighbour, outcome)?, None)
            .await?;
        assert_eq!(job(&*store, &neighbour).await?.result, Output::None);
    }
    Ok(())
}

/// The agent sends a piece again when it was not acknowledged.
pub async fn a_piece_of_a_result_again_changes_nothing(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let record = new_job(&*store).await?;
    for (index, text) in [(0, "Zm9v"), (1, "YmFy"), (0, "Zm9v"), (1, "other")] {
        store
            .put_piece(PiecesOf::Job(record.session, record.id), index, text)
            .await?;
    }
    let mut record = over(&record, JobOutcome::Succeeded)?;
    store.update_job(&mut record, None).await?;
    store
        .put_piece(PiecesOf::Job(record.session, record.id), 1, "other")
        .await?;
    let expected = Output::Chunked {
        chunks: 2,
        bytes: 8,
    };
    assert_eq!(job(&*store, &record).await?.result, expected);
    let piece = store
        .piece(PiecesOf::Job(record.session, record.id), 1)
        .await?;
    assert_eq!(piece.as_deref(), Some("YmFy"));
    Ok(())
}

/// A given result replaces the pieces.
pub async fn a_given_result_takes_the_place_of_pieces(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let mut record = over(&new_job(&*store).await?, JobOutcome::Succeeded)?;
    store
        .put_piece(PiecesOf::Job(record.session, record.id), 0, "Zm9v")
        .await?;
    for given in [Some("YmFy"), None] {
        store.update_job(&mut record, given).await?;
        let expected = Output::Inline("YmFy".to_owned());
        assert_eq!(job(&*store, &record).await?.result, expected, "{given:?}");
    }
    Ok(())
}

async fn new_job(store: &dyn Store) -> Result<JobRecord, Failure> {
    if store.session(SessionId(0)).await?.is_none() {
        store.create_session(unnamed()?).await?;
    }
    Ok(store
        .create_job(SessionId(0), JobLanguage::Python, "gAVL", None)
        .await?)
}

async fn payload(store: &dyn Store, record: &JobRecord) -> Result<Option<String>, Failure> {
    Ok(store.job_payload(record.session, record.id).await?)
}
