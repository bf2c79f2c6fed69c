//! Jobs and added files: deletion, and reading them after the store was opened again.

use std::sync::Arc;

use jiff::Timestamp;
use livius_domain::{
    JobId, JobLanguage, JobOutcome, JobRecord, JobState, ResourceId, ResourceRecord, ResourceState,
    SessionId,
};

use super::jobs::{job, over};
use super::resources::upload;
use super::{Failure, Outcome, Place, at, ended, unnamed};
use crate::{Output, PiecesOf, Store};

/// Unfinished ones do not count and are not deleted.
pub async fn finished_jobs_go_oldest_first(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    for session in [0, 1] {
        store.create_session(unnamed()?).await?;
        for number in 1..=8 {
            let made = new_job(&*store, SessionId(session)).await?;
            if number != 2 && number != 7 {
                finish(&*store, &made).await?;
            }
        }
    }
    for (keep, left) in [
        (u64::MAX, vec![1, 2, 3, 4, 5, 6, 7, 8]),
        (6, vec![1, 2, 3, 4, 5, 6, 7, 8]),
        (5, vec![2, 3, 4, 5, 6, 7, 8]),
        (2, vec![2, 6, 7, 8]),
        (2, vec![2, 6, 7, 8]),
        (0, vec![2, 7]),
    ] {
        store.trim_jobs(SessionId(0), keep).await?;
        assert_eq!(numbers(&*store, SessionId(0)).await?, left, "keep {keep}");
        let piece = store
            .piece(PiecesOf::Job(SessionId(0), JobId(1)), 0)
            .await?;
        assert_eq!(piece.is_some(), left.contains(&1));
    }
    let others = numbers(&*store, SessionId(1)).await?;
    assert_eq!(others.len(), 8, "another session's");
    Ok(())
}

/// The rule holds even when no row is left.
pub async fn a_trimmed_number_of_a_job_is_not_given_again(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    for number in 1..=6 {
        let made = new_job(&*store, session).await?;
        assert_eq!(made.id, JobId(number));
        finish(&*store, &made).await?;
        store.trim_jobs(session, u64::from(number % 3 == 0)).await?;
        if number % 2 == 0 {
            store.trim_jobs(session, 0).await?;
        }
    }
    Ok(())
}

/// Finished or not, nothing of them is left.
pub async fn jobs_and_resources_go_with_their_session(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let alive = store.create_session(unnamed()?).await?.id;
    let gone = ended(&*store, unnamed()?, 1).await?;
    for session in [alive, gone.id] {
        for _ in 0..2 {
            let made = new_job(&*store, session).await?;
            store
                .put_piece(PiecesOf::Job(session, made.id), 0, "half a result")
                .await?;
            store.create_resource(session, upload("a.jar")).await?;
        }
        let first = store.job(session, JobId(1)).await?.ok_or("not there")?;
        finish(&*store, &first.record).await?;
    }
    assert_eq!(numbers(&*store, gone.id).await?, [1, 2]);
    store.purge_sessions(at(2)?, u64::MAX).await?;
    for id in [JobId(1), JobId(2)] {
        assert_eq!(store.job(gone.id, id).await?, None);
        assert_eq!(store.job_payload(gone.id, id).await?, None);
        assert_eq!(store.piece(PiecesOf::Job(gone.id, id), 0).await?, None);
    }
    assert_eq!(store.unfinished_jobs(gone.id).await?, []);
    assert_eq!(store.pending_resources(gone.id).await?, []);
    assert_eq!(numbers(&*store, alive).await?, [1, 2]);
    assert_eq!(store.pending_resources(alive).await?.len(), 2);
    Ok(())
}

/// All records that were acknowledged are there.
pub async fn jobs_and_resources_survive_opening_again(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    let waiting = new_job(&*store, session).await?;
    let mut started = JobRecord {
        state: JobState::Started { started: at(1)? },
        ..new_job(&*store, session).await?
    };
    store.update_job(&mut started, None).await?;
    store
        .put_piece(PiecesOf::Job(session, started.id), 3, "Zm9v")
        .await?;
    let mut failed = JobRecord {
        error: Some("it threw".to_owned()),
        ..over(&new_job(&*store, session).await?, JobOutcome::Failed)?
    };
    store.update_job(&mut failed, Some("Zg==")).await?;
    let long = new_job(&*store, session).await?;
    let long = finish(&*store, &long).await?;
    let pending = store.create_resource(session, upload("a.py")).await?;
    let mut added = ResourceRecord {
        state: ResourceState::Added,
        ..store.create_resource(session, upload("b.py")).await?
    };
    store.update_resource(&mut added).await?;
    drop(store);

    let store = place.open().await?;
    assert_eq!(
        store.unfinished_jobs(session).await?,
        [waiting.clone(), started.clone()]
    );
    for (record, bytes) in [
        (&waiting, Some("gAVL")),
        (&started, Some("gAVL")),
        (&failed, None),
    ] {
        let payload = store.job_payload(session, record.id).await?;
        assert_eq!(payload.as_deref(), bytes);
    }
    let piece = store.piece(PiecesOf::Job(session, started.id), 3).await?;
    assert_eq!(piece.as_deref(), Some("Zm9v"));
    let stored = job(&*store, &failed).await?;
    assert_eq!(stored.result, Output::Inline("Zg==".to_owned()));
    assert_eq!(stored.record, failed);
    let stored = job(&*store, &long).await?;
    let (chunks, bytes) = (1, 4);
    assert_eq!(stored.result, Output::Chunked { chunks, bytes });
    assert_eq!(store.pending_resources(session).await?, [pending]);
    Ok(())
}

/// Numbers of deleted rows are not given again.
pub async fn numbers_of_jobs_go_on_after_opening_again(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    for _ in 0..2 {
        let made = new_job(&*store, session).await?;
        finish(&*store, &made).await?;
    }
    store.trim_jobs(session, 0).await?;
    let made = store.create_resource(session, upload("a")).await?;
    store
        .update_resource(&mut ResourceRecord {
            state: ResourceState::Added,
            ..made
        })
        .await?;
    drop(store);

    let store = place.open().await?;
    assert_eq!(new_job(&*store, session).await?.id, JobId(3));
    let made = store.create_resource(session, upload("a")).await?;
    assert_eq!(made.id, ResourceId(2));
    Ok(())
}

/// A client may disconnect at any time.
pub async fn a_job_call_that_is_given_up_is_done_whole_or_not_at_all(place: &dyn Place) -> Outcome {
    let store = place.open().await?;
    let session = store.create_session(unnamed()?).await?.id;
    for turns in 0..200 {
        let shared = Arc::clone(&store);
        let call = tokio::task::JoinSet::from_iter([async move {
            let made = new_job(&*shared, session).await?;
            shared.create_resource(session, upload("a")).await?;
            finish(&*shared, &made).await?;
            shared.trim_jobs(session, 0).await?;
            shared
                .purge_sessions(Timestamp::MIN, 0)
                .await
                .map_err(Failure::from)
        }]);
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        drop(call);
    }
    let last = new_job(&*store, session).await?;
    let file = store.create_resource(session, upload("a")).await?;
    let unfinished = store.unfinished_jobs(session).await?;
    let pending = store.pending_resources(session).await?;
    assert_eq!(unfinished.last(), Some(&last));
    assert_eq!(pending.last(), Some(&file));
    for record in &unfinished {
        let payload = store.job_payload(session, record.id).await?;
        assert_eq!(payload.as_deref(), Some("gAVL"), "{record:?}");
    }
    drop(store);
    let store = place.open().await?;
    assert_eq!(store.unfinished_jobs(session).await?, unfinished);
    assert_eq!(store.pending_resources(session).await?, pending);
    Ok(())
}

async fn new_job(store: &dyn Store, session: SessionId) -> Result<JobRecord, Failure> {
    Ok(store
        .create_job(session, JobLanguage::Python, "gAVL", None)
        .await?)
}

/// Ends a job, with a long result.
async fn finish(store: &dyn Store, made: &JobRecord) -> Result<JobRecord, Failure> {
    store
        .put_piece(PiecesOf::Job(made.session, made.id), 0, "Zg==")
        .await?;
    let mut record = over(made, JobOutcome::Succeeded)?;
    store.update_job(&mut record, None).await?;
    Ok(record)
}

/// The numbers of the stored jobs.
async fn numbers(store: &dyn Store, session: SessionId) -> Result<Vec<i32>, Failure> {
    let mut numbers = Vec::new();
    for number in 0..20 {
        if store.job(session, JobId(number)).await?.is_some() {
            numbers.push(number);
        }
    }
    Ok(numbers)
}
