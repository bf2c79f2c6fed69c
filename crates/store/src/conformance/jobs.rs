//! Jobs: numbers, stored fields, unfinished jobs.

use std::sync::Arc;

use livius_domain::{JobId, JobLanguage, JobOutcome, JobRecord, JobState, SessionId};
use tokio::task::JoinSet;

use super::{Failure, Outcome, Place, TEXTS, at, unnamed};
use crate::{Output, PiecesOf, Store, StoredJob};

/// Each session numbers its own jobs. Statements have numbers of their own.
pub async fn numbers_of_jobs_count_from_1_in_each_session(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    for _ in 0..2 {
        let session = store.create_session(unnamed()?).await?.id;
        store
            .create_statement(session, livius_domain::Kind::Spark, "1", None, None)
            .await?;
    }
    for (session, number) in [(0, 1), (1, 1), (0, 2), (0, 3), (1, 2)] {
        let made = store
            .create_job(SessionId(session), JobLanguage::Python, "gAU=", None)
            .await?;
        let expected = JobRecord {
            session: SessionId(session),
            id: JobId(number),
            version: 0,
            language: JobLanguage::Python,
            state: JobState::Waiting,
            error: None,
        };
        assert_eq!(made, expected);
        assert_eq!(
            store.job(made.session, made.id).await?,
            Some(StoredJob {
                record: expected,
                result: Output::None
            })
        );
    }
    Ok(())
}

/// An update stores every state and error, and removes an error that is now empty.
pub async fn every_state_and_language_of_a_job_is_stored(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    for language in [JobLanguage::Jvm, JobLanguage::Python] {
        let mut record = store.create_job(session, language, "AA==", None).await?;
        for (number, state) in (0..).zip(states()?) {
            record.state = state;
            record.error = (number % 2 == 0).then(|| format!("why {number}"));
            store.update_job(&mut record, None).await?;
            assert_eq!(
                store.job(session, record.id).await?,
                Some(StoredJob {
                    record: record.clone(),
                    result: Output::None
                })
            );
        }
    }
    Ok(())
}

/// An update without a row fails. A read without a row finds nothing.
pub async fn an_unknown_job_is_refused_or_absent(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    let nowhere = SessionId(5);
    let refused = store
        .create_job(nowhere, JobLanguage::Jvm, "AA==", None)
        .await;
    assert!(refused.is_err(), "{refused:?}");
    let record = store
        .create_job(session, JobLanguage::Jvm, "AA==", None)
        .await?;
    for mut unknown in [
        JobRecord {
            session: nowhere,
            ..record.clone()
        },
        JobRecord {
            id: JobId(2),
            ..record.clone()
        },
        JobRecord {
            id: JobId(-1),
            ..record
        },
    ] {
        let (session, id) = (unknown.session, unknown.id);
        assert!(store.update_job(&mut unknown, Some("AA==")).await.is_err());
        assert!(
            store
                .put_piece(PiecesOf::Job(session, id), 0, "AA==")
                .await
                .is_err()
        );
        assert_eq!(store.job(session, id).await?, None);
        assert_eq!(store.job_payload(session, id).await?, None);
        assert_eq!(store.piece(PiecesOf::Job(session, id), 0).await?, None);
    }
    assert_eq!(store.unfinished_jobs(nowhere).await?, []);
    store.trim_jobs(nowhere, 0).await?;
    Ok(())
}

/// A starting server finds the unfinished jobs in the order of their creation.
pub async fn unfinished_jobs_come_in_order(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let mut unfinished = [Vec::new(), Vec::new()];
    for session in [0, 1] {
        store.create_session(unnamed()?).await?;
        for state in states()?.into_iter().skip(session) {
            let number = SessionId(i32::try_from(session)?);
            let made = store
                .create_job(number, JobLanguage::Jvm, "AA==", None)
                .await?;
            let error = Some("so far".to_owned());
            let mut record = JobRecord {
                state,
                error,
                ..made
            };
            store.update_job(&mut record, Some("AA==")).await?;
            unfinished[session].extend((!state.is_final()).then_some(record));
        }
    }
    for (number, unfinished) in (0..).zip(unfinished) {
        assert_eq!(store.unfinished_jobs(SessionId(number)).await?, unfinished);
    }
    Ok(())
}

/// A list goes on below the last number of its page, while jobs come and go.
pub async fn jobs_are_listed_newest_first(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    let other = store.create_session(unnamed()?).await?.id;
    assert_eq!(store.list_jobs(session, None, 5).await?.total, 0);
    store
        .create_job(other, JobLanguage::Jvm, "AA==", None)
        .await?;
    for state in states()? {
        let made = store
            .create_job(session, JobLanguage::Python, "AA==", None)
            .await?;
        let error = Some("é".repeat(10_000));
        let mut record = JobRecord {
            state,
            error,
            ..made
        };
        store.update_job(&mut record, Some("AA==")).await?;
    }
    let all = states()?.len();
    let (mut before, mut seen) = (None, Vec::new());
    loop {
        let page = store.list_jobs(session, before, 2).await?;
        assert_eq!(page.total, all as u64);
        for record in &page.records {
            let error = record.error.as_deref().unwrap_or_default();
            assert!(error.starts_with('é') && error.len() < 10_000, "{error}");
            assert_eq!(record.language, JobLanguage::Python);
        }
        seen.extend(page.records.iter().map(|record| record.id.0));
        let Some(next) = page.next else {
            break;
        };
        before = Some(JobId(next));
        // It comes too late for this list.
        store
            .create_job(other, JobLanguage::Jvm, "AA==", None)
            .await?;
    }
    let newest_first: Vec<i32> = (1..=i32::try_from(all)?).rev().collect();
    assert_eq!(seen, newest_first);
    Ok(())
}

/// No two jobs have the same number, and no number is skipped.
pub async fn jobs_created_at_once_count_without_a_gap(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    let mut creates = JoinSet::new();
    for _ in 0..100 {
        let store = Arc::clone(&store);
        creates.spawn(async move {
            let made = store
                .create_job(session, JobLanguage::Jvm, "AA==", None)
                .await;
            made.map(|record| record.id.0)
        });
    }
    let numbers = creates.join_all().await.into_iter();
    let mut numbers = numbers.collect::<Result<Vec<i32>, _>>()?;
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=100).collect::<Vec<_>>());
    Ok(())
}

/// Texts are read as they were stored, byte by byte.
pub async fn any_text_of_a_job_is_stored(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    let long = "Zm9v".repeat(3 << 20);
    for text in TEXTS.into_iter().chain([long.as_str()]) {
        let mut record = store
            .create_job(session, JobLanguage::Jvm, text, None)
            .await?;
        let payload = store.job_payload(session, record.id).await?;
        assert!(payload.as_deref() == Some(text), "{text:.80?}");
        record.error = Some(text.to_owned());
        store
            .put_piece(PiecesOf::Job(session, record.id), 0, text)
            .await?;
        store.update_job(&mut record, Some(text)).await?;
        let stored = job(&*store, &record).await?;
        let inline = Output::Inline(text.to_owned());
        assert!(stored.record == record, "{text:.80?}");
        assert!(stored.result == inline, "{text:.80?}");
        let piece = store.piece(PiecesOf::Job(session, record.id), 0).await?;
        assert!(piece.as_deref() == Some(text), "{text:.80?}");
    }
    Ok(())
}

/// Every kind of state. Final states stand between others.
fn states() -> Result<Vec<JobState>, Failure> {
    let (begun, ended) = (at(1)?, at(2)?);
    let over = |outcome, started| JobState::Ended {
        outcome,
        started,
        ended,
    };
    Ok(vec![
        over(JobOutcome::Succeeded, Some(begun)),
        JobState::Sent,
        over(JobOutcome::Failed, None),
        JobState::Started { started: begun },
        JobState::Cancelling { started: None },
        over(JobOutcome::Cancelled, None),
        over(JobOutcome::Cancelled, Some(begun)),
        JobState::Cancelling {
            started: Some(begun),
        },
        JobState::Waiting,
        over(JobOutcome::Failed, Some(begun)),
        over(JobOutcome::Succeeded, None),
    ])
}

/// Reads a job that must be there.
pub(super) async fn job(store: &dyn Store, record: &JobRecord) -> Result<StoredJob, Failure> {
    let stored = store.job(record.session, record.id).await?;
    Ok(stored.ok_or("the job is gone")?)
}

/// The same job, ended.
pub(super) fn over(record: &JobRecord, outcome: JobOutcome) -> Result<JobRecord, Failure> {
    let state = JobState::Ended {
        outcome,
        started: record.state.started(),
        ended: at(9)?,
    };
    Ok(JobRecord {
        state,
        ..record.clone()
    })
}
