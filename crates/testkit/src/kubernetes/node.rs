//! The node of the cluster: a scheduler and a kubelet that run containers as processes of this
//! machine.
//!
//! It does what tests of pods need. Missing: probes, hooks, `exec` and its relatives, restarts of
//! containers, users other than root, affinities, volumes of claims. A pod's containers start
//! together, as soon as all of them can.

mod container;
mod events;
mod fields;
mod log;
mod log_server;
mod network;
mod pod;
mod processes;
mod quantity;
mod registration;
mod scheduler;
mod service_proxy;
mod status;
mod time;
mod variables;
mod volumes;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use futures_util::{Stream, StreamExt as _};
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::api::{Patch, PatchParams, PostParams};
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client, ResourceExt as _};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

use self::events::{Events, Subject};
use self::log_server::Logs;
use self::network::Network;
use self::pod::Fate;
use self::quantity::Amounts;
use self::registration::{CAPACITY, NODE, labels};
use self::scheduler::Place;
use self::status::Verdict;
use super::image::Images;
use super::site::Site;

pub use self::container::MARK;

/// The pause after a watch that broke.
const RETRY: Duration = Duration::from_millis(200);

/// The time between two looks at what still has to be done.
const TICK: Duration = Duration::from_secs(1);

/// What all parts of the node share.
struct Kubelet {
    name: String,
    client: Client,
    /// The folder of the pods' folders.
    folder: Utf8PathBuf,
    images: Images,
    network: Network,
    events: Events,
    logs: Logs,
}

enum Command {
    SetReady(bool, oneshot::Sender<()>),
    CutOff(oneshot::Sender<()>),
    ComeBack(oneshot::Sender<()>),
    Evict(String, String, oneshot::Sender<bool>),
    Stop(oneshot::Sender<()>),
}

/// A handle to the running node. Dropping it without [`Node::stop`] kills the containers.
#[derive(Clone)]
pub struct Node {
    commands: mpsc::UnboundedSender<Command>,
}

impl Node {
    /// Registers the node, and runs it on the runtime of the caller.
    pub async fn start(site: Arc<Site>, client: Client, images: Images) -> Self {
        let folder = site.file("pods");
        std::fs::create_dir_all(&folder).unwrap();
        container::write_program(&folder);
        let certificate = site.authority().server(&["127.0.0.1"]);
        let logs = Logs::default();
        let (port, serve_logs) =
            log_server::bind(&certificate.certificate, &certificate.key, logs.clone()).await;
        let proxy = service_proxy::bind(&site.service_address(), site.api).await;
        registration::register(&client, port).await;
        let kubelet = Kubelet {
            name: NODE.to_owned(),
            events: Events::new(client.clone(), NODE),
            client,
            folder,
            images,
            network: Network::new(site.network()),
            logs,
        };
        let (commands, received) = mpsc::unbounded_channel();
        let mut servers = JoinSet::new();
        servers.spawn(serve_logs);
        servers.spawn(proxy);
        let work = Work {
            kubelet: Arc::new(kubelet),
            port,
            ready: true,
            is_cut_off: false,
            pods: BTreeMap::new(),
            listed: BTreeMap::new(),
            services: BTreeMap::new(),
            lives: BTreeMap::new(),
        };
        let handle = tokio::runtime::Handle::current();
        handle.spawn(async move {
            work.run(received).await;
            drop(servers);
        });
        Self { commands }
    }

    /// Reports that the node is ready, or is not.
    pub async fn set_ready(&self, ready: bool) {
        self.ask(|reply| Command::SetReady(ready, reply)).await;
    }

    /// Reports nothing, and does nothing that the API server asks for.
    pub async fn cut_off(&self) {
        self.ask(Command::CutOff).await;
    }

    /// Registers the node again, and does what it has missed.
    pub async fn come_back(&self) {
        self.ask(Command::ComeBack).await;
    }

    /// Ends a pod because the node has too little memory. Tells whether the node has the pod.
    pub async fn evict(&self, namespace: &str, name: &str) -> bool {
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        self.ask(|reply| Command::Evict(namespace, name, reply))
            .await
    }

    /// Kills all containers.
    pub async fn stop(&self) {
        self.ask(Command::Stop).await;
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> T {
        let (reply, answer) = oneshot::channel();
        let _ = self.commands.send(command(reply));
        answer.await.expect("the node runs")
    }
}

/// A pod that the node runs, or has run.
struct Living {
    fate: watch::Sender<Fate>,
    task: JoinHandle<()>,
}

/// The state of the node's main task.
struct Work {
    kubelet: Arc<Kubelet>,
    port: u16,
    ready: bool,
    /// Whether nothing of the cluster reaches the node.
    is_cut_off: bool,
    /// All pods of the cluster, by uid.
    pods: BTreeMap<String, Pod>,
    /// The pods of a list that is not complete.
    listed: BTreeMap<String, Pod>,
    services: BTreeMap<(String, String), Service>,
    lives: BTreeMap<String, Living>,
}

impl Work {
    async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        let mut pods = watch_all::<Pod>(&self.kubelet.client);
        let mut services = watch_all::<Service>(&self.kubelet.client);
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                command = commands.recv() => match command {
                    Some(Command::Stop(reply)) => {
                        self.stop().await;
                        let _ = reply.send(());
                        return;
                    }
                    Some(command) => self.obey(command).await,
                    None => return self.stop().await,
                },
                Some(event) = services.next(), if !self.is_cut_off => self.see_service(event),
                Some(event) = pods.next(), if !self.is_cut_off => {
                    self.see_pod(event);
                    self.follow();
                    self.schedule().await;
                }
                _ = ticks.tick() => {
                    registration::renew_spare(&self.kubelet.client).await;
                    if self.is_cut_off {
                        continue;
                    }
                    self.lives.retain(|uid, living| {
                        !living.task.is_finished() || self.pods.contains_key(uid)
                    });
                    self.schedule().await;
                    registration::renew(&self.kubelet.client).await;
                }
            }
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::SetReady(ready, reply) => {
                self.ready = ready;
                registration::report(&self.kubelet.client, self.port, ready).await;
                self.schedule().await;
                let _ = reply.send(());
            }
            Command::CutOff(reply) => {
                self.is_cut_off = true;
                let _ = reply.send(());
            }
            Command::ComeBack(reply) => {
                registration::register_again(&self.kubelet.client, self.port).await;
                self.is_cut_off = false;
                let _ = reply.send(());
            }
            Command::Evict(namespace, name, reply) => {
                let _ = reply.send(self.evict(&namespace, &name));
            }
            Command::Stop(_) => unreachable!("the loop ends"),
        }
    }

    fn evict(&mut self, namespace: &str, name: &str) -> bool {
        let wanted =
            |pod: &Pod| pod.namespace().as_deref() == Some(namespace) && pod.name_any() == name;
        let found = self.pods.iter().find(|(_, pod)| wanted(pod));
        let living = found.and_then(|(uid, _)| self.lives.get(uid));
        let verdict = Verdict {
            reason: "Evicted",
            message:
                "The node was low on resource: memory. Threshold quantity: 100Mi, available: 42Mi. "
                    .to_owned(),
            grace: Duration::ZERO,
            is_disruption: true,
        };
        living.is_some_and(|living| {
            living.fate.send_if_modified(|fate| {
                let lives = matches!(fate, Fate::Lives);
                if lives {
                    *fate = Fate::Ended(verdict);
                }
                lives
            })
        })
    }

    async fn stop(&mut self) {
        for living in self.lives.values() {
            living.fate.send_replace(Fate::NodeStops);
        }
        for (_, living) in std::mem::take(&mut self.lives) {
            // The message of a panic is on standard error already.
            let _ = living.task.await;
        }
    }

    fn see_service(&mut self, event: Event<Service>) {
        let key = |service: &Service| (service.namespace().unwrap_or_default(), service.name_any());
        match event {
            Event::Init => self.services.clear(),
            Event::InitApply(service) | Event::Apply(service) => {
                self.services.insert(key(&service), service);
            }
            Event::Delete(service) => {
                self.services.remove(&key(&service));
            }
            Event::InitDone => {}
        }
        self.kubelet.network.set_services(self.services.values());
    }

    fn see_pod(&mut self, event: Event<Pod>) {
        let uid = |pod: &Pod| pod.uid().unwrap_or_default();
        match event {
            Event::Init => self.listed.clear(),
            Event::InitApply(pod) => {
                self.listed.insert(uid(&pod), pod);
            }
            Event::InitDone => self.pods = std::mem::take(&mut self.listed),
            Event::Apply(pod) => {
                self.pods.insert(uid(&pod), pod);
            }
            Event::Delete(pod) => {
                self.pods.remove(&uid(&pod));
            }
        }
    }

    /// Starts the pods that are new on the node, and tells the others what the cluster wants.
    fn follow(&mut self) {
        for (uid, pod) in &self.pods {
            let Some(living) = self.lives.get(uid) else {
                let is_ours = |pod: &Pod| {
                    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_ref());
                    node == Some(&self.kubelet.name)
                };
                if is_ours(pod) {
                    let fate = watch::Sender::new(wish(pod).unwrap_or(Fate::Lives));
                    let life = pod::live(Arc::clone(&self.kubelet), pod.clone(), fate.subscribe());
                    let task = tokio::runtime::Handle::current().spawn(life);
                    self.lives.insert(uid.clone(), Living { fate, task });
                }
                continue;
            };
            if let Some(wish) = wish(pod) {
                living.fate.send_if_modified(|fate| {
                    let known = match (&fate, &wish) {
                        (Fate::Deleted { grace }, Fate::Deleted { grace: new }) => grace == new,
                        _ => false,
                    };
                    *fate = wish;
                    !known
                });
            }
        }
        for (uid, living) in &self.lives {
            if !self.pods.contains_key(uid) {
                living.fate.send_if_modified(|fate| {
                    let known = matches!(fate, Fate::Gone);
                    *fate = Fate::Gone;
                    !known
                });
            }
        }
    }

    /// Gives waiting pods to the node, or says why not.
    async fn schedule(&mut self) {
        let kubelet = Arc::clone(&self.kubelet);
        let labels = labels(NODE);
        let mut free = self
            .pods
            .values()
            .filter(|pod| !scheduler::is_waiting(pod))
            .fold(CAPACITY, |free, pod| {
                let here = pod
                    .spec
                    .as_ref()
                    .is_some_and(|spec| spec.node_name.as_deref() == Some(NODE));
                free.minus(if here {
                    scheduler::taken(pod)
                } else {
                    Amounts::default()
                })
            });
        for pod in self
            .pods
            .values_mut()
            .filter(|pod| scheduler::is_waiting(pod))
        {
            let place = Place {
                labels: &labels,
                ready: self.ready,
            };
            let subject = Subject::of(pod);
            let pods: Api<Pod> = Api::namespaced(kubelet.client.clone(), &subject.namespace);
            if let Err(problem) = scheduler::judge(pod, &place, free) {
                if !scheduler::says(pod, &problem) {
                    let patch = Patch::Strategic(scheduler::unschedulable(pod, &problem));
                    let parameters = PatchParams::default();
                    // Otherwise the next tick says it.
                    if let Ok(updated) = pods.patch_status(&subject.name, &parameters, &patch).await
                    {
                        *pod = updated;
                    }
                    let (kind, reason) = ("Warning", "FailedScheduling");
                    kubelet
                        .events
                        .scheduler(&subject, kind, reason, &problem)
                        .await;
                }
                continue;
            }
            let (binding, parameters) = (scheduler::binding(pod, NODE), PostParams::default());
            let bound: kube::Result<serde_json::Value> = pods
                .create_subresource("binding", &subject.name, &parameters, &binding)
                .await;
            if bound.is_ok() {
                free = free.minus(scheduler::taken(pod));
                pod.spec.get_or_insert_default().node_name = Some(NODE.to_owned());
                let Subject {
                    namespace, name, ..
                } = &subject;
                let text = format!("Successfully assigned {namespace}/{name} to {NODE}");
                kubelet
                    .events
                    .scheduler(&subject, "Normal", "Scheduled", &text)
                    .await;
            }
        }
    }
}

/// The end that the API server wants for a pod, if it wants one.
fn wish(pod: &Pod) -> Option<Fate> {
    pod.metadata.deletion_timestamp.as_ref()?;
    let seconds = pod.metadata.deletion_grace_period_seconds.unwrap_or(0);
    let grace = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    Some(Fate::Deleted { grace })
}

/// All objects of a kind, and their changes. A watch that breaks begins again.
fn watch_all<K>(client: &Client) -> impl Stream<Item = Event<K>> + Unpin + use<K>
where
    K: kube::Resource<DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned
        + Send
        + 'static,
{
    let events = kube::runtime::watcher(Api::<K>::all(client.clone()), watcher::Config::default());
    let seen = events.filter_map(|event| async {
        if event.is_err() {
            tokio::time::sleep(RETRY).await;
        }
        event.ok()
    });
    Box::pin(seen)
}
