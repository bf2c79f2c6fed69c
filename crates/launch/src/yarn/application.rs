//! The application of one driver on YARN.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use livius_domain::{Departure, Exit, Verdict};
use livius_yarn::{Application, Cluster, Follower, Outage};

use super::executors::ExecutorsOfDriver;
use super::{Mirror, OnYarn};
use super::{ending, sighting};
use crate::remote::{
    Executors, Last, Mode, Over, Remote, Unanswered, Watched, kill_all, last_seen,
};
use crate::{Sighting, Spawn};

/// The lists without an application that prove that there is none. A ResourceManager that has just
/// taken over may not know all applications yet, and the request of a submitter that was killed may
/// still be on its way.
const MISSES: u32 = 3;

/// How long the kill of an application waits for its log. YARN may forget both soon after.
const LOG_BEFORE_KILL: Duration = Duration::from_secs(2);

/// The application of a driver.
pub(crate) struct YarnApplication {
    place: OnYarn,
    cluster: Cluster,
    mirror: Arc<Mirror>,
    executors: Watching,
}

impl YarnApplication {
    pub(crate) fn new(
        place: OnYarn,
        cluster: Cluster,
        mirror: Arc<Mirror>,
        executors: Arc<ExecutorsOfDriver>,
        spawn: Spawn,
    ) -> Self {
        Self {
            place,
            cluster,
            mirror,
            executors: Watching { executors, spawn },
        }
    }
}

/// The executors, with a way to do something about them that nothing waits for.
struct Watching {
    executors: Arc<ExecutorsOfDriver>,
    spawn: Spawn,
}

#[async_trait]
impl Executors for Watching {
    async fn keep(&self, mut over: Over) {
        tokio::select! {
            biased;
            () = over.told() => {}
            never = self.executors.keep_watching() => match never {},
        }
        let executors = Arc::clone(&self.executors);
        (self.spawn)(Box::pin(async move { executors.finish().await }));
    }
}

#[async_trait]
impl Remote for YarnApplication {
    fn name(&self) -> &str {
        &self.place.tag
    }

    fn mode(&self) -> Mode {
        self.place.mode
    }

    async fn lives(&self) -> Result<bool, Unanswered> {
        let found = self.cluster.find(&self.place.tag).await?;
        Ok(found.iter().any(|one| !one.state.is_final()))
    }

    async fn ended(&self, submission: Departure) -> Departure {
        let submitted = submission.exit == Exit::Code(0);
        let watched = Copied {
            follower: self.cluster.follow(&self.place.tag),
            mirror: &self.mirror,
        };
        let (tells, over) = Over::new();
        let last = async {
            let last = tokio::select! {
                biased;
                last = last_seen(watched, submitted, MISSES) => last,
                never = self.mirror.keep_copying() => match never {},
            };
            tells.send_replace(true);
            last
        };
        let (last, ()) = tokio::join!(last, self.executors.keep(over));
        match last {
            Last::Final(application) => {
                // A submission that was repeated can have made several.
                tokio::join!(self.mirror.finish(), kill_all(self, Duration::ZERO));
                let departure = ending::departure(&application);
                match departure.verdict {
                    Some(Verdict::Failed(_)) => self.mirror.told().await.within(departure),
                    _ => departure,
                }
            }
            Last::Absent(_) if submitted => {
                self.mirror.finish().await;
                ending::forgotten(&self.place.tag)
            }
            Last::Absent(_) => submission,
        }
    }

    async fn sighted(&self, known: Option<&Sighting>) -> Sighting {
        let mut follower = self.cluster.follow(&self.place.tag);
        loop {
            let Some(application) = follower.changed().await.application else {
                continue;
            };
            let mut sighting = sighting::of(&application);
            if let Some(waits) = &mut sighting.waits
                && let Some(why) = self.mirror.why_lost(&application).await
            {
                *waits = format!("{waits}; it waits again, because {why}");
            }
            if Some(&sighting) != known {
                return sighting;
            }
        }
    }

    fn executors(&self) -> &dyn Executors {
        &self.executors
    }

    async fn before_kill(&self) {
        self.mirror.refresh(LOG_BEFORE_KILL).await;
    }

    async fn kill_each(&self, _grace: Duration) -> Result<usize, Unanswered> {
        let mut found = self.cluster.find(&self.place.tag).await?;
        found.retain(|one| !one.state.is_final());
        for application in &found {
            self.cluster.kill(application.id).await?;
        }
        Ok(found.len())
    }
}

/// A view of an application that tells the mirror where the log is.
struct Copied<'a> {
    follower: Follower,
    mirror: &'a Mirror,
}

#[async_trait]
impl Watched for Copied<'_> {
    type Application = Application;
    type Outage = Outage;

    async fn look(&mut self) -> Result<Option<Application>, Outage> {
        let seen = self.follower.refreshed().await?;
        let application = seen.application.filter(|_| seen.is_listed);
        if let Some(application) = &application {
            self.mirror.follow(application);
        }
        Ok(application)
    }

    async fn changed(&mut self) {
        self.follower.changed().await;
    }

    fn is_final(application: &Application) -> bool {
        application.state.is_final()
    }
}
