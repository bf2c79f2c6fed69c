//! Batches for the other cases.

use livius_domain::{
    BatchEnd, BatchId, BatchOutcome, BatchRecord, BatchRequest, BatchState, DriverId, Exit,
    Failure as BatchFailure, FailureCode, Phase, StopCause, SubmitOptions,
};

use super::{Failure, at, full_submit};
use crate::{BatchStore, NewBatch};

pub(super) fn unnamed() -> Result<NewBatch, Failure> {
    Ok(NewBatch {
        request: BatchRequest::default(),
        owner: None,
        proxy_user: None,
        created_at: at(0)?,
        key: None,
        webhook: None,
    })
}

pub(super) fn named(name: &str) -> Result<NewBatch, Failure> {
    let request = BatchRequest {
        submit: SubmitOptions {
            name: Some(name.to_owned()),
            ..SubmitOptions::default()
        },
        ..BatchRequest::default()
    };
    Ok(NewBatch {
        request,
        ..unnamed()?
    })
}

/// A batch that has ended.
pub(super) async fn ended(
    store: &dyn BatchStore,
    new: NewBatch,
    second: i64,
) -> Result<BatchRecord, Failure> {
    let mut record = store.create_batch(new).await?;
    record.state = BatchState::Ended(end(BatchOutcome::Succeeded));
    record.times.ended_at = Some(at(second)?);
    store.update_batch(&mut record).await?;
    Ok(record)
}

pub(super) fn driver_of(batch: BatchId) -> DriverId {
    DriverId::for_batch(batch, [1, 2, 3, 4, 5, 6])
}

pub(super) fn full_request() -> BatchRequest {
    BatchRequest {
        file: "hdfs:/jobs/ü b.jar".to_owned(),
        class_name: Some("org.example.Main$".to_owned()),
        args: ["", "--x", "a b", "'", "\"", "a\nb", "🤔"]
            .map(str::to_owned)
            .into(),
        submit: full_submit(),
    }
}

/// A batch that has the same text in every text field.
pub(super) fn hostile(text: &str) -> Result<NewBatch, Failure> {
    let (some, many) = (Some(text.to_owned()), vec![text.to_owned(); 2]);
    let submit = SubmitOptions {
        proxy_user: some.clone(),
        jars: many.clone(),
        py_files: many.clone(),
        files: many.clone(),
        archives: many.clone(),
        driver_memory: some.clone(),
        executor_memory: some.clone(),
        queue: some.clone(),
        name: some.clone(),
        conf: [(text.to_owned(), text.to_owned())].into(),
        ..SubmitOptions::default()
    };
    let request = BatchRequest {
        file: text.to_owned(),
        class_name: some.clone(),
        args: many,
        submit,
    };
    Ok(NewBatch {
        request,
        owner: some.clone(),
        proxy_user: some,
        ..unnamed()?
    })
}

pub(super) fn failure() -> BatchFailure {
    BatchFailure {
        code: FailureCode::ApplicationFailed,
        phase: Phase::Submit,
        evidence: livius_domain::Evidence::default(),
        message: "it said: \"no\"\n".to_owned(),
        hint: String::new(),
    }
}

pub(super) fn end(outcome: BatchOutcome) -> BatchEnd {
    BatchEnd {
        outcome,
        cause: None,
        failure: None,
        exit: Some(Exit::Code(0)),
    }
}

pub(super) fn every_state() -> Vec<BatchState> {
    let stopping = |cause, was_running| BatchState::Stopping { cause, was_running };
    vec![
        BatchState::Starting,
        BatchState::Running,
        stopping(StopCause::User, false),
        stopping(StopCause::Ttl, true),
        BatchState::Ended(end(BatchOutcome::Succeeded)),
        BatchState::Ended(BatchEnd {
            failure: Some(failure()),
            exit: Some(Exit::Code(i32::MIN)),
            ..end(BatchOutcome::Failed)
        }),
        BatchState::Ended(BatchEnd {
            cause: Some(StopCause::User),
            exit: Some(Exit::Signal(9)),
            ..end(BatchOutcome::Killed)
        }),
        BatchState::Ended(BatchEnd {
            exit: Some(Exit::Unknown),
            ..end(BatchOutcome::Failed)
        }),
        BatchState::Ended(BatchEnd {
            exit: None,
            ..end(BatchOutcome::Killed)
        }),
    ]
}
