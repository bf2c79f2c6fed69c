//! The jobs of a session that are not over.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use livius_domain::JobId;

/// The jobs that are not over, as everybody but the session's actor sees them. A job leaves when
/// its end is stored.
#[derive(Debug, Default)]
pub struct OpenJobs(Mutex<BTreeSet<JobId>>);

impl OpenJobs {
    /// Adds a job.
    pub fn insert(&self, job: JobId) {
        self.ids().insert(job);
    }

    /// Removes a job.
    pub fn remove(&self, job: JobId) {
        self.ids().remove(&job);
    }

    /// Whether this job is not over.
    pub fn contains(&self, job: JobId) -> bool {
        self.ids().contains(&job)
    }

    /// Whether all jobs are over.
    pub fn is_empty(&self) -> bool {
        self.ids().is_empty()
    }

    fn ids(&self) -> MutexGuard<'_, BTreeSet<JobId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
