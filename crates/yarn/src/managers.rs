//! The ResourceManagers of a cluster, of which one is active.

use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::Url;
use serde::de::DeserializeOwned;

use crate::error::YarnError;
use crate::http::{Failure, Http, Request};
use crate::site::Site;

/// Sends requests to the ResourceManager that is active.
#[derive(Debug)]
pub struct Managers {
    pub http: Http,
    pub site: Site,
    /// The one that answered last.
    active: AtomicUsize,
}

impl Managers {
    pub fn new(http: Http, site: Site) -> Self {
        Self {
            http,
            site,
            active: AtomicUsize::new(0),
        }
    }

    /// Sends a request, and reads the response as JSON of at most `limit` bytes.
    ///
    /// A ResourceManager on standby redirects to the active one, under a name that only the cluster
    /// may know. Therefore its redirect only means that the next configured one has to be asked.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        request: Request<'_>,
        limit: usize,
    ) -> Result<T, YarnError> {
        let urls = self.site.managers();
        let first = self.active.load(Ordering::Relaxed);
        let mut misses = Vec::new();
        for turn in 0..urls.len() {
            let at = (first + turn) % urls.len();
            let answer = self.http.json(&urls[at], request, limit).await;
            if let Err(Failure::Miss(miss) | Failure::Elsewhere(miss)) = answer {
                misses.push(miss);
                continue;
            }
            self.active.store(at, Ordering::Relaxed);
            return answer.map_err(YarnError::from);
        }
        Err(YarnError::Away(misses))
    }

    /// The address of the one that answered last.
    pub fn active_url(&self) -> &Url {
        &self.site.managers()[self.active.load(Ordering::Relaxed)]
    }
}
