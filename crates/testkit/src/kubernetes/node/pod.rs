//! The life of one pod on the node: from its start to its removal.

mod preparation;

use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use kube::{Api, ResourceExt as _};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Kubelet;
use super::container::{self, Ended, Order, Plan};
use super::events::Subject;
use super::log::Log;
use super::network::Member;
use super::status::{Part, Report, State, Verdict};
use super::time::now;

/// The pause after a request that the API server did not answer.
const RETRY: Duration = Duration::from_millis(200);

/// The time that a pod gets if it was removed without one.
const LEAST_GRACE: Duration = Duration::from_secs(1);

/// What the cluster has in mind for a pod.
#[derive(Debug, Clone)]
pub enum Fate {
    Lives,
    /// The node ends it.
    Ended(Verdict),
    /// Somebody deleted it: it gets this time from now on.
    Deleted {
        grace: Duration,
    },
    /// The API server has no such pod any more.
    Gone,
    NodeStops,
}

impl Fate {
    fn grace(&self) -> Duration {
        match self {
            Self::Deleted { grace } => *grace,
            Self::Ended(verdict) => verdict.grace,
            Self::Gone => LEAST_GRACE,
            Self::Lives | Self::NodeStops => Duration::ZERO,
        }
    }

    /// Tells whether nobody wants to hear about the pod.
    fn is_beyond_reports(&self) -> bool {
        matches!(self, Self::Gone | Self::NodeStops)
    }
}

/// Waits until a pod shall end.
async fn fated(fate: &mut watch::Receiver<Fate>) -> Fate {
    let shall_end = |fate: &Fate| !matches!(fate, Fate::Lives);
    match fate.wait_for(shall_end).await {
        Ok(fate) => fate.clone(),
        Err(_) => Fate::NodeStops,
    }
}

/// Which containers of a pod.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Init,
    Main,
}

/// A pod on the node.
struct Life {
    kubelet: Arc<Kubelet>,
    pod: Pod,
    subject: Subject,
    fate: watch::Receiver<Fate>,
    folder: Utf8PathBuf,
    report: Report,
    logs: Vec<(String, Arc<Log>)>,
}

/// Runs a pod until the cluster has forgotten it.
pub async fn live(kubelet: Arc<Kubelet>, pod: Pod, fate: watch::Receiver<Fate>) {
    let subject = Subject::of(&pod);
    let Some(address) = kubelet.network.take_address() else {
        let text = "no addresses are left on this node";
        kubelet
            .events
            .warning(&subject, "FailedCreatePodSandBox", text)
            .await;
        return;
    };
    let folder = kubelet.folder.join(&subject.uid);
    std::fs::create_dir_all(&folder).unwrap();
    let member = Member {
        namespace: subject.namespace.clone(),
        name: subject.name.clone(),
        labels: pod.labels().clone(),
        address: address.clone(),
        hosts: folder.join("hosts"),
    };
    kubelet.network.join(&subject.uid, member);
    let spec = pod.spec.clone().unwrap_or_default();
    let report = Report::new(&subject.uid, &address, &spec);
    let mut life = Life {
        kubelet,
        pod,
        subject,
        fate,
        folder,
        report,
        logs: Vec::new(),
    };
    life.work().await;
    life.leave().await;
    life.clean_up();
}

impl Life {
    /// Runs the containers to their ends.
    async fn work(&mut self) {
        self.tell().await;
        let mut fate = self.fate.clone();
        let until = self.deadline();
        let (volumes, until) = tokio::select! {
            biased;
            fate = fated(&mut fate) => return self.never_started(fate).await,
            () = pass(until) => {
                let verdict = self.overdue();
                return self.never_started(Fate::Ended(verdict)).await;
            }
            volumes = self.volumes() => (volumes, until),
        };
        for index in 0..self.report.init.len() {
            if !self.run(Kind::Init, &[index], &volumes, until).await {
                return;
            }
        }
        let all: Vec<usize> = (0..self.report.parts.len()).collect();
        self.run(Kind::Main, &all, &volumes, until).await;
    }

    fn deadline(&self) -> Option<Instant> {
        let seconds = self.pod.spec.as_ref()?.active_deadline_seconds?;
        Some(Instant::now() + Duration::from_secs(u64::try_from(seconds).ok()?))
    }

    fn overdue(&self) -> Verdict {
        let spec = self.pod.spec.as_ref();
        let seconds = spec.and_then(|spec| spec.termination_grace_period_seconds);
        Verdict {
            reason: "DeadlineExceeded",
            message: "Pod was active on the node longer than the specified deadline".to_owned(),
            grace: Duration::from_secs(u64::try_from(seconds.unwrap_or(30)).unwrap_or(0)),
            is_disruption: false,
        }
    }

    async fn never_started(&mut self, fate: Fate) {
        if let Fate::Ended(verdict) = fate {
            self.report.verdict = Some(verdict);
            self.tell().await;
        }
    }

    /// Runs some containers to their ends. Tells whether the pod goes on after them.
    async fn run(
        &mut self,
        kind: Kind,
        indexes: &[usize],
        volumes: &preparation::Folders,
        until: Option<Instant>,
    ) -> bool {
        let mut fate = self.fate.clone();
        let plans = tokio::select! {
            biased;
            fate = fated(&mut fate) => {
                self.never_started(fate).await;
                return false;
            }
            () = pass(until) => {
                let verdict = self.overdue();
                self.never_started(Fate::Ended(verdict)).await;
                return false;
            }
            plans = self.plans(kind, indexes, volumes) => plans,
        };
        let orders = watch::Sender::new(Order::Run);
        let mut running = self.start(kind, plans, &orders).await;
        self.tell().await;
        let fate = loop {
            tokio::select! {
                biased;
                ended = running.join_next() => {
                    let Some(ended) = ended else { break None };
                    self.note_end(kind, ended.unwrap());
                    if !running.is_empty() {
                        self.tell().await;
                    }
                }
                fate = fated(&mut fate) => break Some(fate),
                () = pass(until) => break Some(Fate::Ended(self.overdue())),
            }
        };
        if let Some(fate) = &fate {
            self.end(kind, running, &orders, fate).await;
        }
        self.tell().await;
        let succeeded =
            |part: &Part| matches!(&part.state, State::Terminated(e) if e.exit_code == 0);
        let parts = self.parts(kind);
        fate.is_none() && indexes.iter().all(|index| succeeded(&parts[*index]))
    }

    async fn start(
        &mut self,
        kind: Kind,
        plans: Vec<(usize, Plan)>,
        orders: &watch::Sender<Order>,
    ) -> JoinSet<(usize, Ended)> {
        let mut running = JoinSet::new();
        for (index, plan) in plans {
            let name = self.parts(kind)[index].container.name.clone();
            let log = Arc::new(Log::new(&plan.folder.join("log")));
            self.kubelet.logs.add(&self.subject, &name, &log);
            self.logs.push((name.clone(), Arc::clone(&log)));
            let (programs, orders) = (self.kubelet.folder.clone(), orders.subscribe());
            running.spawn(async move {
                let ended = container::run(plan, programs, &log, orders).await;
                (index, ended)
            });
            self.parts(kind)[index].state = State::Running { started: now() };
            let text = format!("Container created: {name}");
            self.kubelet
                .events
                .normal(&self.subject, "Created", &text)
                .await;
            let text = format!("Container started: {name}");
            self.kubelet
                .events
                .normal(&self.subject, "Started", &text)
                .await;
        }
        running
    }

    /// Ends the containers that still run.
    async fn end(
        &mut self,
        kind: Kind,
        mut running: JoinSet<(usize, Ended)>,
        orders: &watch::Sender<Order>,
        fate: &Fate,
    ) {
        let begun = Instant::now();
        let mut grace = fate.grace();
        if let Fate::Ended(verdict) = fate {
            self.report.verdict = Some(verdict.clone());
            if verdict.is_disruption {
                let text = verdict.message.clone();
                self.kubelet
                    .events
                    .warning(&self.subject, "Evicted", &text)
                    .await;
            }
        }
        orders.send_replace(if grace.is_zero() {
            Order::Die
        } else {
            Order::Finish
        });
        if !fate.is_beyond_reports() {
            for part in self.parts(kind).clone() {
                if matches!(part.state, State::Running { .. }) {
                    let text = format!("Stopping container {}", part.container.name);
                    self.kubelet
                        .events
                        .normal(&self.subject, "Killing", &text)
                        .await;
                }
            }
        }
        let mut later = self.fate.clone();
        loop {
            let is_dying = *orders.borrow() == Order::Die;
            tokio::select! {
                biased;
                ended = running.join_next() => match ended {
                    Some(ended) => self.note_end(kind, ended.unwrap()),
                    None => return,
                },
                Ok(()) = later.changed(), if !is_dying => {
                    let now = later.borrow_and_update().grace();
                    grace = grace.min(begun.elapsed() + now);
                }
                () = tokio::time::sleep_until(begun + grace), if !is_dying => {
                    orders.send_replace(Order::Die);
                }
            }
        }
    }

    fn note_end(&mut self, kind: Kind, (index, ended): (usize, Ended)) {
        self.parts(kind)[index].state = State::Terminated(ended);
    }

    fn parts(&mut self, kind: Kind) -> &mut Vec<Part> {
        match kind {
            Kind::Init => &mut self.report.init,
            Kind::Main => &mut self.report.parts,
        }
    }

    /// Reports the status, as soon as the API server takes it.
    async fn tell(&mut self) {
        let pods = self.pods();
        let patch = Patch::Strategic(self.report.patch());
        while !self.fate.borrow().is_beyond_reports() {
            let name = &self.subject.name;
            let told = pods
                .patch_status(name, &PatchParams::default(), &patch)
                .await;
            match told {
                Ok(_) => return,
                Err(kube::Error::Api(refusal)) if refusal.code == 404 => return,
                Err(kube::Error::Api(refusal)) if refusal.code == 422 => {
                    panic!("the status of {name} is refused: {}", refusal.message)
                }
                Err(_) => tokio::time::sleep(RETRY).await,
            }
        }
    }

    /// Keeps the ended pod until somebody deletes it, and removes it then.
    async fn leave(&mut self) {
        let mut fate = self.fate.clone();
        let deleted =
            |fate: &Fate| matches!(fate, Fate::Deleted { .. } | Fate::Gone | Fate::NodeStops);
        if fate.wait_for(deleted).await.is_err() {
            return;
        }
        let options = DeleteParams {
            grace_period_seconds: Some(0),
            preconditions: Some(Preconditions {
                uid: Some(self.subject.uid.clone()),
                resource_version: None,
            }),
            ..DeleteParams::default()
        };
        while !fate.borrow().is_beyond_reports() {
            match self.pods().delete(&self.subject.name, &options).await {
                Ok(_) => return,
                Err(kube::Error::Api(refusal)) if [404, 409].contains(&refusal.code) => return,
                Err(_) => tokio::time::sleep(RETRY).await,
            }
        }
    }

    fn clean_up(&mut self) {
        for (container, log) in &self.logs {
            self.kubelet.logs.remove(&self.subject, container, log);
        }
        self.kubelet.network.leave(&self.subject.uid);
        self.kubelet.network.release_address(&self.report.address);
        // The folder of the whole cluster goes at the latest with the cluster.
        let _ = std::fs::remove_dir_all(&self.folder);
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.kubelet.client.clone(), &self.subject.namespace)
    }
}

/// Waits until a time. Without one, it waits without end.
async fn pass(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}
