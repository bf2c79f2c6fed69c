//! A driver with an application on YARN: first its process on this machine, then the application.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use livius_domain::{Departure, DriverLocation, Exit, Verdict, chain};
use livius_yarn::{Application, Cluster, Follower, Outage, Seen, YarnError};
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep};

use super::{Mirror, Mode, OnYarn};
use super::{ending, sighting};
use crate::location::{self, Location, ProcessRecord};
use crate::supervised::Supervised;
use crate::{Found, RunningDriver, Sighting};

/// The lists without an application that prove that there is none. A ResourceManager that has just
/// taken over may not know all applications yet, and the request of a submitter that was killed may
/// still be on its way.
const MISSES: u32 = 3;
/// The pause between them.
const PAUSE: Duration = Duration::from_secs(2);
/// The pause before an application that still runs is killed again.
const KILL_AGAIN: Duration = Duration::from_secs(2);
/// How long an outage may last after a submission that failed. The outage was the reason then, and
/// without this limit the driver would never end.
const OUTAGE_AFTER_FAILURE: Duration = Duration::from_mins(2);
/// How long the end of a driver on this machine waits for that of its executors' application. That
/// ends by itself when it has lost its driver.
const TIDYING: Duration = Duration::from_secs(30);
/// The grace of a submitter: it has nothing to clean up.
const SUBMITTER_GRACE: Duration = Duration::from_secs(2);

/// How long the kill of an application waits for its log. YARN may forget both soon after.
const LOG_BEFORE_KILL: Duration = Duration::from_secs(2);

/// A driver with an application on YARN.
pub(crate) struct YarnDriver {
    process: Process,
    location: DriverLocation,
    place: OnYarn,
    cluster: Cluster,
    mirror: Arc<Mirror>,
    end: OnceCell<Departure>,
}

/// The process of this machine: the submitter in cluster mode, the driver in client mode.
enum Process {
    Running(Arc<dyn RunningDriver>),
    Gone(Departure),
}

impl YarnDriver {
    /// A driver whose process was just started.
    pub(crate) fn started(
        process: Supervised,
        place: OnYarn,
        cluster: Cluster,
        mirror: Arc<Mirror>,
    ) -> Self {
        let location = location::write(&Location {
            supervisor: process.record().clone(),
            yarn: Some(place.clone()),
        });
        Self::of(
            Process::Running(Arc::new(process)),
            location,
            place,
            cluster,
            mirror,
        )
    }

    fn of(
        process: Process,
        location: DriverLocation,
        place: OnYarn,
        cluster: Cluster,
        mirror: Arc<Mirror>,
    ) -> Self {
        Self {
            process,
            location,
            place,
            cluster,
            mirror,
            end: OnceCell::new(),
        }
    }

    /// Completes the result of a search for the process of this machine, whose supervisor was this.
    pub(crate) async fn find(
        process: Found,
        supervisor: ProcessRecord,
        place: OnYarn,
        cluster: Cluster,
        mirror: Arc<Mirror>,
    ) -> Found {
        let location = location::write(&Location {
            supervisor,
            yarn: Some(place.clone()),
        });
        let process = match process {
            Found::Alive(process) => Process::Running(process),
            Found::Ended(departure) => Process::Gone(departure),
            other @ (Found::NeverStarted | Found::Unclear(_)) => return other,
        };
        let driver = Self::of(process, location, place, cluster, mirror);
        if driver.may_live().await {
            Found::Alive(Arc::new(driver))
        } else {
            Found::Ended(driver.ended().await)
        }
    }

    /// Whether the driver lives, as far as can be told now.
    async fn may_live(&self) -> bool {
        match (&self.process, self.place.mode) {
            (Process::Running(_), _) => true,
            (Process::Gone(_), Mode::Client) => false,
            (Process::Gone(_), Mode::Cluster) => match self.cluster.find(&self.place.tag).await {
                Ok(found) => found.iter().any(|one| !one.state.is_final()),
                // Its agent may be connected all the same.
                Err(_) => true,
            },
        }
    }

    async fn process_ended(&self) -> Departure {
        match &self.process {
            Process::Running(process) => process.ended().await,
            Process::Gone(departure) => departure.clone(),
        }
    }

    async fn to_the_end(&self) -> Departure {
        let local = self.process_ended().await;
        match self.place.mode {
            Mode::Client => {
                if tokio::time::timeout(TIDYING, self.kill_all())
                    .await
                    .is_err()
                {
                    tracing::warn!(
                        tag = self.place.tag,
                        "could not end the application of a driver that is gone; YARN ends it"
                    );
                }
                local
            }
            Mode::Cluster => self.application_ended(local).await,
        }
    }

    async fn application_ended(&self, submission: Departure) -> Departure {
        let submitted = submission.exit == Exit::Code(0);
        let seen = tokio::select! {
            biased;
            seen = self.last_seen(submitted) => seen,
            never = self.mirror.keep_copying() => match never {},
        };
        match seen {
            Some(application) => {
                // A submission that was repeated can have made several.
                tokio::join!(self.mirror.finish(), self.kill_all());
                let departure = ending::departure(&application);
                match departure.verdict {
                    Some(Verdict::Failed(_)) => Departure {
                        evidence: self.mirror.evidence().await,
                        ..departure
                    },
                    _ => departure,
                }
            }
            None if submitted => {
                self.mirror.finish().await;
                ending::forgotten(&self.place.tag)
            }
            None => submission,
        }
    }

    /// The application in its final state. `None` if YARN has none.
    async fn last_seen(&self, submitted: bool) -> Option<Application> {
        let mut follower = self.cluster.follow(&self.place.tag);
        let mut missed = 0;
        loop {
            let seen = look(&mut follower, submitted).await?;
            let application = seen.application.filter(|_| seen.is_listed);
            if let Some(application) = &application {
                self.mirror.follow(application);
            }
            match application {
                Some(application) if application.state.is_final() => return Some(application),
                Some(_) => {
                    missed = 0;
                    follower.changed().await;
                }
                None => {
                    missed += 1;
                    if missed == MISSES {
                        return None;
                    }
                    sleep(PAUSE).await;
                }
            }
        }
    }

    /// Kills every application of the driver, and returns when none is left.
    async fn kill_all(&self) {
        let mut told = false;
        loop {
            match self.kill_each().await {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if !told => {
                    told = true;
                    tracing::warn!(
                        tag = self.place.tag,
                        error = chain(&error),
                        "cannot kill an application; trying again"
                    );
                }
                Err(_) => {}
            }
            sleep(KILL_AGAIN).await;
        }
    }

    /// Asks for the end of those that run, and counts them.
    async fn kill_each(&self) -> Result<usize, YarnError> {
        let mut found = self.cluster.find(&self.place.tag).await?;
        found.retain(|one| !one.state.is_final());
        for application in &found {
            self.cluster.kill(application.id).await?;
        }
        Ok(found.len())
    }

    /// Ends the process of this machine, then every application that there is or that appears.
    async fn end_by_force(&self, grace: Duration) {
        if let Process::Running(process) = &self.process {
            let grace = match self.place.mode {
                Mode::Client => grace,
                Mode::Cluster => grace.min(SUBMITTER_GRACE),
            };
            process.terminate(grace).await;
        }
        self.mirror.refresh(LOG_BEFORE_KILL).await;
        loop {
            self.kill_all().await;
            sleep(KILL_AGAIN).await;
        }
    }
}

#[async_trait]
impl RunningDriver for YarnDriver {
    fn location(&self) -> DriverLocation {
        self.location.clone()
    }

    async fn ended(&self) -> Departure {
        self.end.get_or_init(|| self.to_the_end()).await.clone()
    }

    async fn sighted(&self, known: Option<&Sighting>) -> Sighting {
        let mut follower = self.cluster.follow(&self.place.tag);
        loop {
            let told = follower.changed().await.application;
            let sighting = told.as_ref().map(sighting::of);
            if let Some(sighting) = sighting.filter(|told| Some(told) != known) {
                return sighting;
            }
        }
    }

    async fn terminate(&self, grace: Duration) -> Departure {
        tokio::select! {
            biased;
            // YARN's word, or the certainty that there is no application.
            departure = self.ended() => departure,
            // It goes on until then.
            () = self.end_by_force(grace) => self.ended().await,
        }
    }
}

/// A complete list of now. Waits for the end of an outage: a driver that cannot be looked at is not
/// gone. `None` if the submission has failed and the outage lasts.
async fn look(follower: &mut Follower, submitted: bool) -> Option<Seen> {
    let begun = Instant::now();
    loop {
        match follower.refreshed().await {
            Ok(seen) => return Some(seen),
            Err(Outage { .. }) if !submitted && begun.elapsed() > OUTAGE_AFTER_FAILURE => {
                return None;
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}
