//! The actor and its jobs. They wait for their driver only, not for each other.

use jiff::Timestamp;
use livius_agent_link::{Command, Turn};
use livius_domain::{End, JobEffect, JobEvent, JobId, JobLanguage, JobOutcome, JobRecord, NewJob};
use livius_failpoint::{Point, reach};
use livius_store::PiecesOf;

use super::Actor;
use super::words::{end_reason, shortened};
use crate::driver::AgentPort;
use crate::error::SessionError;
use crate::keys::Keyed;
use crate::results::SHORT_BYTES;
use crate::view::{JobView, OutputView};

/// Jobs are trimmed after so many have ended.
const TRIM_EVERY: u64 = 64;

/// The limit of the unfinished jobs of one session, in bytes of base64.
const WAITING_BYTES: usize = 128 << 20;

/// A job that is not over.
pub(super) struct Unfinished {
    record: JobRecord,
    /// The length of its bytes in base64.
    bytes: usize,
}

impl Actor {
    /// Stores a job and gives it to the driver, if that can be reached.
    pub(super) async fn submit_job(
        &mut self,
        new: NewJob,
        key: Option<&Keyed>,
    ) -> Result<JobView, SessionError> {
        self.check_job(new.payload.len())?;
        let store = &self.core.store;
        let record = store
            .create_job(
                self.record.id,
                new.language,
                &new.payload,
                key.map(Keyed::row),
            )
            .await
            .map_err(SessionError::not_created)?;
        reach(Point::JobCreated);
        let view = JobView {
            record: record.clone(),
            result: OutputView::None,
        };
        let unfinished = Unfinished {
            record: record.clone(),
            bytes: new.payload.len(),
        };
        self.jobs.insert(record.id, unfinished);
        self.entry.open_jobs.insert(record.id);
        self.record.last_activity = self.core.clock.now();
        self.publish();
        if self.is_reachable() {
            let dispatched = self
                .step_job(record, JobEvent::Dispatch, Some(new.payload))
                .await;
            self.retry_after(dispatched);
        }
        Ok(view)
    }

    /// Tells whether a job could be submitted.
    pub(super) fn check_job(&self, bytes: usize) -> Result<(), SessionError> {
        if !self.record.state.accepts_statements() {
            return Err(SessionError::not_active(&self.record.state));
        }
        self.check_room(bytes)
    }

    fn check_room(&self, more: usize) -> Result<(), SessionError> {
        if more > WAITING_BYTES {
            return Err(SessionError::InvalidStatement(format!(
                "job has {more} bytes of base64, and a session takes {WAITING_BYTES}: send its data as a file instead"
            )));
        }
        let session = self.record.id;
        let limit = self.core.config.limits.unfinished_jobs;
        if self.jobs.len() >= limit {
            return Err(SessionError::TooManyJobs { session, limit });
        }
        let bytes = self.jobs.values().map(|job| job.bytes);
        let held = bytes.fold(0, usize::saturating_add);
        if held.saturating_add(more) > WAITING_BYTES {
            let limit = WAITING_BYTES;
            return Err(SessionError::TooMuchCode { session, limit });
        }
        Ok(())
    }

    /// Cancels a job, unless it is over.
    pub(super) async fn cancel_job(&mut self, id: JobId) -> Result<(), SessionError> {
        let Some(record) = self.unfinished_job(id) else {
            return Ok(());
        };
        self.record.last_activity = self.core.clock.now();
        let cancel = JobEvent::Cancel(self.record.last_activity);
        self.step_job(record, cancel, None).await
    }

    /// The agent's connection, if jobs wait for it.
    pub(super) fn port_for_jobs(&self) -> Option<AgentPort> {
        let port = self.entry.driver.view().port.clone();
        port.filter(|_| !self.unsent_jobs.is_empty())
    }

    /// Sends the next of the jobs that the driver may lack.
    pub(super) async fn send_next_job(&mut self, turn: Option<Turn>) {
        // The job takes the turn again.
        drop(turn);
        let Some(id) = self.unsent_jobs.pop_first() else {
            return;
        };
        if let Some(record) = self.unfinished_job(id)
            && self.is_reachable()
        {
            let sent = self.step_job(record, JobEvent::Missed, None).await;
            self.retry_after(sent);
        }
    }

    /// Gives the driver every job that it may not have got, or that it does not have in hand; it
    /// knows those that it was given before.
    pub(super) async fn hand_over_jobs(&mut self) -> Result<(), SessionError> {
        let port = self.entry.driver.view().port.clone();
        let in_hand = port.and_then(|port| port.jobs_in_hand);
        self.unsent_jobs.clear();
        let records: Vec<JobRecord> = self.jobs.values().map(|job| job.record.clone()).collect();
        for record in records {
            let event = match &in_hand {
                Some(in_hand) if !in_hand.contains(&record.id) => JobEvent::Missed,
                _ => JobEvent::Dispatch,
            };
            self.step_job(record, event, None).await?;
        }
        Ok(())
    }

    pub(super) async fn job_started(&mut self, id: JobId, at: i64) -> Result<(), SessionError> {
        match self.unfinished_job(id) {
            Some(record) => {
                let started = JobEvent::Started(self.timestamp(at));
                self.step_job(record, started, None).await
            }
            None => Ok(()),
        }
    }

    /// Stores a piece of a result. One that is no base64 is left out, and missed when the job has
    /// ended.
    pub(super) async fn job_chunk(
        &mut self,
        id: JobId,
        index: u32,
        data: &str,
    ) -> Result<(), SessionError> {
        if !self.jobs.contains_key(&id) || !is_base64(data) {
            return Ok(());
        }
        let store = &self.core.store;
        let of = PiecesOf::Job(self.record.id, id);
        Ok(store.put_piece(of, index, data).await?)
    }

    pub(super) async fn job_finished(
        &mut self,
        id: JobId,
        at: i64,
        ending: Ending,
    ) -> Result<(), SessionError> {
        let Some(record) = self.unfinished_job(id) else {
            return Ok(());
        };
        let at = self.timestamp(at);
        let record = if self.is_whole(id, &ending).await? {
            ended(&record, at, ending.outcome, ending.error)?
        } else {
            let lost = "the result did not arrive whole: submit the job again".to_owned();
            ended(&record, at, JobOutcome::Failed, Some(lost))?
        };
        let result = ending.result.filter(|result| is_base64(result));
        self.store_job(record, result.as_deref()).await?;
        let is_long = ending.chunks > 0 || result.is_some_and(|result| result.len() > SHORT_BYTES);
        self.record.last_activity = self.core.clock.now();
        self.publish();
        self.trim_jobs().await;
        self.keep_results_within(is_long).await;
        Ok(())
    }

    /// Tells whether a result is here as it was sent.
    async fn is_whole(&self, id: JobId, ending: &Ending) -> Result<bool, SessionError> {
        if ending.outcome != JobOutcome::Succeeded {
            return Ok(true);
        }
        if ending.chunks == 0 {
            return Ok(ending.result.as_deref().is_none_or(is_base64));
        }
        let of = PiecesOf::Job(self.record.id, id);
        Ok(self.core.store.count_pieces(of).await? == ending.chunks)
    }

    /// Fails the unfinished jobs, because the driver is gone.
    pub(super) async fn end_jobs(&mut self, end: &End) -> Result<(), SessionError> {
        for record in self.core.store.unfinished_jobs(self.record.id).await? {
            let lost = JobEvent::DriverLost(self.core.clock.now());
            let (state, effect) = record.state.on(lost)?;
            let error = (effect == Some(JobEffect::WriteDriverLost)).then(|| end_reason(end));
            let record = JobRecord {
                state,
                error,
                ..record
            };
            self.store_job(record, None).await?;
        }
        Ok(())
    }

    /// Takes up the jobs of a session found in the store.
    pub(super) async fn recover_jobs(&mut self) -> Result<(), SessionError> {
        let store = &self.core.store;
        for record in store.unfinished_jobs(self.record.id).await? {
            let bytes = store.job_payload_bytes(record.session, record.id).await?;
            let bytes = usize::try_from(bytes.unwrap_or_default()).unwrap_or(usize::MAX);
            self.entry.open_jobs.insert(record.id);
            self.jobs.insert(record.id, Unfinished { record, bytes });
        }
        Ok(())
    }

    /// One step of a job: stored, then acted upon.
    async fn step_job(
        &mut self,
        record: JobRecord,
        event: JobEvent,
        payload: Option<String>,
    ) -> Result<(), SessionError> {
        let (state, effect) = record.state.on(event)?;
        let (id, language) = (record.id, record.language);
        if state != record.state {
            self.store_job(JobRecord { state, ..record }, None).await?;
        }
        reach(Point::JobStepStored);
        match effect {
            Some(JobEffect::SendJob) => self.send_job(id, language, payload).await?,
            Some(JobEffect::SendCancel) => self.send_cancel_job(id, false),
            Some(JobEffect::SendKill) => self.send_cancel_job(id, true),
            Some(JobEffect::SendJobAndCancel) => {
                self.send_job(id, language, payload).await?;
                if !self.unsent_jobs.contains(&id) {
                    self.send_cancel_job(id, false);
                }
            }
            Some(JobEffect::WriteDriverLost) | None => {}
        }
        reach(Point::JobStepActed);
        Ok(())
    }

    fn send_cancel_job(&mut self, job: JobId, force: bool) {
        self.send(Command::CancelJob { job, force });
    }

    /// Sends a job, or remembers to send it when the socket has taken the one before it: the bytes of
    /// one job are in memory at a time.
    async fn send_job(
        &mut self,
        job: JobId,
        language: JobLanguage,
        mut payload: Option<String>,
    ) -> Result<(), SessionError> {
        let port = self.entry.driver.view().port.clone();
        let Some(turn) = port.and_then(|port| port.try_turn()) else {
            self.unsent_jobs.insert(job);
            return Ok(());
        };
        if payload.is_none() {
            let store = &self.core.store;
            payload = store.job_payload(self.record.id, job).await?;
        }
        let Some(payload) = payload else {
            return self.fail_unsendable(job).await;
        };
        let command = Command::Job {
            job,
            language,
            payload,
        };
        self.entry.driver.send_in_turn(command, turn);
        Ok(())
    }

    /// Fails a job whose bytes are gone, as it would wait without end.
    async fn fail_unsendable(&mut self, job: JobId) -> Result<(), SessionError> {
        let Some(record) = self.unfinished_job(job) else {
            return Ok(());
        };
        let gone = "the server has lost the job's bytes: submit it again".to_owned();
        let now = self.core.clock.now();
        let record = ended(&record, now, JobOutcome::Failed, Some(gone))?;
        self.store_job(record, None).await
    }

    async fn store_job(
        &mut self,
        mut record: JobRecord,
        result: Option<&str>,
    ) -> Result<(), SessionError> {
        self.core.store.update_job(&mut record, result).await?;
        if record.state.is_final() {
            reach(Point::JobEndStored);
            self.jobs.remove(&record.id);
            self.unsent_jobs.remove(&record.id);
            self.entry.open_jobs.remove(record.id);
            self.setup.publisher.bump();
            self.ended_jobs += 1;
        } else if let Some(job) = self.jobs.get_mut(&record.id) {
            job.record = record;
        }
        Ok(())
    }

    fn unfinished_job(&self, id: JobId) -> Option<JobRecord> {
        self.jobs.get(&id).map(|job| job.record.clone())
    }

    async fn trim_jobs(&mut self) {
        if self.ended_jobs < TRIM_EVERY {
            return;
        }
        self.ended_jobs = 0;
        let keep = self.core.config.limits.retained_jobs as u64;
        if let Err(error) = self.core.store.trim_jobs(self.record.id, keep).await {
            tracing::warn!(session.id = %self.record.id, error = %livius_domain::chain(&error), "cannot drop old jobs");
        }
    }
}

/// Waits until the socket has taken the last job; without end while no job waits for that.
pub(super) async fn turn(port: Option<&AgentPort>) -> Option<Turn> {
    match port {
        Some(port) => port.turn().await,
        None => std::future::pending().await,
    }
}

fn ended(
    record: &JobRecord,
    at: Timestamp,
    outcome: JobOutcome,
    error: Option<String>,
) -> Result<JobRecord, SessionError> {
    let (state, _) = record.state.on(JobEvent::Finished { at, outcome })?;
    Ok(JobRecord {
        state,
        error: error.map(shortened),
        ..record.clone()
    })
}

/// The agent's report of a job's end.
pub(super) struct Ending {
    pub outcome: JobOutcome,
    pub result: Option<String>,
    pub chunks: u32,
    pub error: Option<String>,
}

/// Responses embed a result as it is, so it must be base64.
fn is_base64(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}
