//! The one watch of all followed drivers.

use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::StreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::watcher::{self, DefaultBackoff, Event, watcher};
use livius_domain::{Clock, chain};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

use crate::error::KubernetesError;
use crate::follow::Registry;
use crate::names::of_role;
use crate::place::Place;
use crate::pod::DriverPod;

/// The shortest pause between the beginnings of two lists, so that many impatient followers share
/// one.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);

/// How long a watch goes on without followers. A caller that follows now and then would otherwise
/// cause a list each time.
const LINGER: Duration = Duration::from_secs(3);

/// The limit of one watch, in seconds, by the API server. Another one follows without a new list. A
/// connection that broke without a sign is noticed 5 seconds later.
const WATCH_SECONDS: u32 = 110;

/// The longest pause before a retry. The library's own limit is half a minute, in which the end of an
/// outage would not be noticed.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The status of a list or a watch that goes on from a state that the API server has forgotten.
const GONE: u16 = 410;

/// Lists and watches the pods of our server that are followed. Executors have a watch of their own,
/// because there are many of them, and they would make each list of drivers longer. Followers wait for
/// its [`run`](Self::run).
pub struct Watch {
    pub(crate) drivers: RoleWatch,
    pub(crate) executors: RoleWatch,
}

impl Watch {
    /// Runs until the namespace and all its followers are dropped. It can be dropped at any time; the
    /// followers then learn nothing new.
    pub async fn run(self) {
        tokio::join!(self.drivers.run(), self.executors.run());
    }
}

/// Lists and watches the pods of one role, while some are followed.
pub struct RoleWatch {
    /// The value of Spark's label.
    pub(crate) role: &'static str,
    pub(crate) place: Place,
    /// The namespace's handles and the followers own the register. When they are gone, the work is
    /// done.
    pub(crate) registry: Weak<Registry>,
    pub(crate) wake: Arc<Notify>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// The end of a round.
enum End {
    /// A follower wants a new list.
    Outdated,
    /// The watch cannot go on from where it was, which tells nothing about the API server.
    Broken,
    /// The API server gives no list, or no watch.
    Away(KubernetesError),
    /// No driver is followed, or all handles of the namespace are gone.
    Unneeded,
}

impl RoleWatch {
    async fn run(self) {
        let mut backoff = DefaultBackoff::default();
        let mut is_away = false;
        while let Some(registry) = self.registry.upgrade() {
            if registry.rest() {
                drop(registry);
                self.wake.notified().await;
                continue;
            }
            let number = registry.begin();
            drop(registry);
            let begun = Instant::now();
            let mut round = Round {
                watch: &self,
                number,
                is_listed: false,
                idle_since: None,
            };
            let end = round.run().await;
            // A list ends an outage, even if the watch after it failed.
            if is_away && round.is_listed {
                is_away = false;
                tracing::info!(
                    namespace = self.place.namespace,
                    "Kubernetes lists pods again"
                );
            }
            sleep_until(begun + SHORTEST_PAUSE).await;
            match end {
                End::Unneeded | End::Outdated => {}
                End::Broken => self.pause(&mut backoff).await,
                End::Away(error) => {
                    if !is_away {
                        is_away = true;
                        tracing::warn!(
                            namespace = self.place.namespace,
                            error = chain(&error),
                            "cannot watch the pods of Kubernetes; their states stay as they were seen last"
                        );
                    }
                    self.pause(&mut backoff).await;
                }
            }
        }
    }

    /// Waits before a retry. A follower that cannot wait ends the pause.
    async fn pause(&self, backoff: &mut DefaultBackoff) {
        let pause = backoff.next().unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE);
        // Both ends of the wait mean the same: it is time for a round.
        let _ = timeout(pause, self.wake.notified()).await;
    }
}

/// One complete list, and the news after it.
struct Round<'a> {
    watch: &'a RoleWatch,
    number: u64,
    is_listed: bool,
    idle_since: Option<Instant>,
}

impl Round<'_> {
    async fn run(&mut self) -> End {
        let watch = self.watch;
        let place = &watch.place;
        let config = watcher::Config::default()
            .labels(&of_role(&place.server, watch.role))
            .timeout(WATCH_SECONDS);
        let mut events = pin!(watcher(place.api::<Pod>(), config));
        let mut pods = Vec::new();
        loop {
            let event = tokio::select! {
                biased;
                // A list in progress is of use to those who wait for it, so a wish for another one
                // waits for its end.
                end = self.unwanted() => return end,
                event = events.next() => event,
            };
            let Some(registry) = watch.registry.upgrade() else {
                return End::Unneeded;
            };
            match event {
                Some(Ok(Event::Init)) => pods.clear(),
                Some(Ok(Event::InitApply(pod))) => pods.push(DriverPod::read(pod)),
                Some(Ok(Event::InitDone)) => {
                    self.is_listed = true;
                    registry.listed(self.number, std::mem::take(&mut pods));
                }
                Some(Ok(Event::Apply(pod))) => registry.applied(DriverPod::read(pod)),
                Some(Ok(Event::Delete(pod))) => registry.deleted(DriverPod::read(pod)),
                Some(Err(error)) => return self.failed(&registry, &error),
                None => return End::Broken,
            }
        }
    }

    /// Returns when this round is of no use any more.
    async fn unwanted(&mut self) -> End {
        loop {
            let Some(registry) = self.watch.registry.upgrade() else {
                return End::Unneeded;
            };
            let is_idle = registry.is_idle();
            let is_outdated = self.is_listed && registry.is_outdated(self.number);
            drop(registry);
            if is_outdated {
                return End::Outdated;
            }
            let woken = self.watch.wake.notified();
            if is_idle {
                let since = *self.idle_since.get_or_insert_with(Instant::now);
                tokio::select! {
                    biased;
                    () = woken => {}
                    () = sleep_until(since + LINGER) => return End::Unneeded,
                }
            } else {
                self.idle_since = None;
                woken.await;
            }
        }
    }

    fn failed(&self, registry: &Registry, error: &watcher::Error) -> End {
        let place = &self.watch.place;
        let (error, is_of_stream) = match error {
            watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error) => {
                (place.error(error), false)
            }
            watcher::Error::WatchFailed(error) => (place.error(error), true),
            watcher::Error::WatchError(status) => {
                (place.error(&kube::Error::Api(status.clone())), true)
            }
            watcher::Error::NoResourceVersion => {
                let url = place.url.clone();
                let problem = "a list has no version".to_owned();
                (KubernetesError::Foreign { url, problem }, false)
            }
        };
        let is_gone = matches!(error, KubernetesError::Refused { status: GONE, .. });
        // The list that follows tells whether the API server is there.
        if is_gone || is_of_stream {
            tracing::debug!(
                namespace = place.namespace,
                error = chain(&error),
                "the watch of pods broke; listing them again"
            );
            return End::Broken;
        }
        registry.missed(self.number, &error, self.watch.clock.now());
        End::Away(error)
    }
}
