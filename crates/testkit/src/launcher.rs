//! Drivers without processes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use camino::Utf8PathBuf;
use livius_domain::{
    BatchId, Departure, DriverId, DriverLocation, Exit, Failure, FailureCode, Phase, SessionId,
    Verdict,
};
use livius_launch::{
    Backend, DriverFiles, DriverOrder, DriverSpec, Found, LateStart, LaunchPreview, Launcher,
    LocalFiles, Program, RunningDriver, Sighting, Unsupported,
};
use tokio::sync::{SetOnce, watch};

/// Starts fake drivers and keeps their orders. It outlives the server, as real drivers do.
pub struct FakeLauncher {
    drivers: Mutex<BTreeMap<DriverId, (DriverOrder, FakeProcess)>>,
    refusal: Mutex<Option<Failure>>,
    batches: Mutex<Vec<BatchId>>,
    held: watch::Sender<bool>,
    full: AtomicBool,
    most_running: AtomicUsize,
    fingerprint: Mutex<String>,
    looks: AtomicUsize,
    free_memory: AtomicU64,
    on_clusters: Mutex<BTreeSet<DriverId>>,
    world: Arc<Outside>,
}

/// The state that all fake processes share.
#[derive(Default)]
struct Outside {
    /// The directory of all drivers' directories.
    root: Utf8PathBuf,
    /// The verdicts of the resource manager.
    verdicts: Mutex<HashMap<DriverId, Verdict>>,
    /// What the resource manager tells of applications that are not over.
    sightings: watch::Sender<HashMap<DriverId, Sighting>>,
    /// The number of those that have not ended.
    running: AtomicUsize,
    /// True if they ignore requests to end.
    deaf: AtomicBool,
    /// Whether no search can look at anything.
    blind: AtomicBool,
    /// How often the server died. Each death cancels what that server waited for.
    crashes: watch::Sender<u32>,
}

/// A fake driver's process.
#[derive(Clone)]
pub struct FakeProcess {
    id: DriverId,
    exit: Arc<ExitOnce>,
    world: Arc<Outside>,
}

impl FakeLauncher {
    /// A launcher whose drivers' files are in directories below `root`.
    pub fn new(root: Utf8PathBuf) -> Self {
        let world = Outside {
            root,
            ..Outside::default()
        };
        Self {
            drivers: Mutex::default(),
            refusal: Mutex::default(),
            batches: Mutex::default(),
            held: watch::Sender::default(),
            full: AtomicBool::default(),
            most_running: AtomicUsize::default(),
            fingerprint: Mutex::default(),
            looks: AtomicUsize::default(),
            free_memory: AtomicU64::new(64 << 30),
            on_clusters: Mutex::default(),
            world: Arc::new(world),
        }
    }

    /// Whether the disk of the drivers is nearly full.
    pub fn disk_is_full(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    /// The directory of a driver's files, which a test writes in the driver's place.
    pub fn dir(&self, id: &DriverId) -> Utf8PathBuf {
        self.world.root.join(id.as_str())
    }

    /// Makes every launch from now on fail.
    pub fn refuse(&self, message: &str) {
        self.refuse_with(FailureCode::LaunchFailed, message);
    }

    /// The same with this code.
    pub fn refuse_with(&self, code: FailureCode, message: &str) {
        *self.refusal.lock().unwrap() = Some(Failure {
            code,
            phase: Phase::Launch,
            evidence: livius_domain::Evidence::default(),
            message: message.to_owned(),
            hint: "this is a test".to_owned(),
        });
    }

    /// Lets launches succeed again.
    pub fn allow(&self) {
        *self.refusal.lock().unwrap() = None;
    }

    /// Sets how much memory is free.
    pub fn has_free_memory(&self, bytes: u64) {
        self.free_memory.store(bytes, Ordering::SeqCst);
    }

    /// The drivers of which a cluster has something.
    pub fn on_clusters(&self) -> MutexGuard<'_, BTreeSet<DriverId>> {
        self.on_clusters.lock().unwrap()
    }

    /// Changes the configuration of the installation.
    pub fn change_installation(&self, text: &str) {
        text.clone_into(&mut self.fingerprint.lock().unwrap());
    }

    /// How often the server has looked at the configuration of the installation.
    pub fn looks_at_installation(&self) -> usize {
        self.looks.load(Ordering::SeqCst)
    }

    /// The drivers of pools that were launched, by name, and their processes.
    pub fn of_pools(&self) -> Vec<(DriverOrder, FakeProcess)> {
        let drivers = self.drivers.lock().unwrap();
        let of_pools = drivers
            .iter()
            .filter(|(id, _)| id.as_str().starts_with("p-"));
        let mut found: Vec<_> = of_pools.map(|(_, driver)| driver.clone()).collect();
        found.sort_by(|a, b| a.0.id.cmp(&b.0.id));
        found
    }

    /// The order for a session's driver, and its process.
    pub fn driver_of(&self, session: SessionId) -> Option<(DriverOrder, FakeProcess)> {
        self.find(&format!("s-{session}-"))
    }

    /// The order for a batch's driver, and its process.
    pub fn driver_of_batch(&self, batch: BatchId) -> Option<(DriverOrder, FakeProcess)> {
        self.find(&format!("b-{batch}-"))
    }

    /// The batches whose drivers were started, in order.
    pub fn started_batches(&self) -> Vec<BatchId> {
        self.batches.lock().unwrap().clone()
    }

    /// Holds launches from now on, or lets them go on.
    pub fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }

    /// Makes processes ignore requests to end from now on, or obey again.
    pub fn make_deaf(&self, deaf: bool) {
        self.world.deaf.store(deaf, Ordering::SeqCst);
    }

    /// Makes every search for a driver fail from now on, as without free file descriptors, or
    /// succeed again.
    pub fn blind(&self, blind: bool) {
        self.world.blind.store(blind, Ordering::SeqCst);
    }

    /// The server dies: held launches do not happen, and waits for ends are over.
    pub(crate) fn lose_server(&self) {
        self.world.crashes.send_modify(|crashes| *crashes += 1);
    }

    /// Forgets a driver, whose process goes on: the memory of a server is measured without orders.
    pub fn forget(&self, id: &DriverId) {
        self.drivers.lock().unwrap().remove(id);
    }

    fn find(&self, prefix: &str) -> Option<(DriverOrder, FakeProcess)> {
        let drivers = self.drivers.lock().unwrap();
        let (id, driver) = drivers.range(DriverId::parse(prefix)?..).next()?;
        id.as_str().starts_with(prefix).then(|| driver.clone())
    }

    /// Sets the resource manager's verdict about a driver.
    pub fn say(&self, driver: &DriverId, verdict: Verdict) {
        self.world
            .verdicts
            .lock()
            .unwrap()
            .insert(driver.clone(), verdict);
    }

    /// Sets what the resource manager tells of a driver's application.
    pub fn sight(&self, driver: &DriverId, sighting: Sighting) {
        self.world.sightings.send_modify(|sightings| {
            sightings.insert(driver.clone(), sighting);
        });
    }

    /// The processes that still run.
    pub fn running(&self) -> usize {
        self.world.running.load(Ordering::SeqCst)
    }

    /// The greatest number of them that ran at once.
    pub fn most_running(&self) -> usize {
        self.most_running.load(Ordering::SeqCst)
    }
}

/// The end of a process, which happens once.
#[derive(Debug, Default)]
struct ExitOnce {
    is_chosen: AtomicBool,
    told: SetOnce<Exit>,
}

impl Outside {
    /// Waits until the server dies.
    async fn crash(&self) {
        let _ = self.crashes.subscribe().changed().await;
    }
}

/// The failure of a launch whose server is dead.
fn lost() -> Failure {
    Failure {
        code: FailureCode::LaunchFailed,
        phase: Phase::Launch,
        evidence: livius_domain::Evidence::default(),
        message: "the server is gone".to_owned(),
        hint: String::new(),
    }
}

impl FakeProcess {
    /// Whether it has not ended.
    pub fn is_running(&self) -> bool {
        !self.exit.told.initialized()
    }

    /// Waits for its end.
    pub async fn exited(&self) -> Exit {
        *self.exit.told.wait().await
    }

    /// The facts about the driver after this exit.
    fn departure(&self, exit: Exit) -> Departure {
        let verdicts = self.world.verdicts.lock().unwrap();
        LocalFiles::of(&self.world.root, &self.id).with_clues(Departure {
            verdict: verdicts.get(&self.id).cloned(),
            ..Departure::of(exit)
        })
    }

    /// Ends the process.
    pub fn exit(&self, exit: Exit) {
        // The server may start the next process as soon as it is told.
        if !self.exit.is_chosen.swap(true, Ordering::SeqCst) {
            self.world.running.fetch_sub(1, Ordering::SeqCst);
            let told = self.exit.told.set(exit);
            assert!(told.is_ok(), "a process ends once");
        }
    }
}

#[async_trait]
impl Launcher for FakeLauncher {
    fn check(&self, spec: &DriverSpec<'_>) -> Result<(), Unsupported> {
        Backend::check(spec.conf)
    }

    fn check_room(&self) -> std::io::Result<()> {
        if self.full.load(Ordering::SeqCst) {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    async fn launch(&self, order: DriverOrder) -> Result<Arc<dyn RunningDriver>, Failure> {
        if let Some(refusal) = self.refusal.lock().unwrap().clone() {
            return Err(refusal);
        }
        let mut held = self.held.subscribe();
        tokio::select! {
            biased;
            _ = held.wait_for(|held| !held) => {}
            () = self.world.crash() => return Err(lost()),
        }
        let batch = order.id.as_str().strip_prefix("b-");
        if let Some(id) = batch.and_then(|rest| rest.split('-').next()?.parse().ok()) {
            self.batches.lock().unwrap().push(BatchId(id));
        }
        let dir = self.dir(&order.id);
        std::fs::create_dir_all(&dir).unwrap();
        let mode = order.conf.get("spark.submit.deployMode");
        if mode.is_some_and(|mode| mode == "cluster") {
            // A driver that runs on a worker has an order for its monitor.
            std::fs::write(dir.join("order.json"), "{}").unwrap();
        }
        let mut drivers = self.drivers.lock().unwrap();
        let process = FakeProcess {
            id: order.id.clone(),
            exit: Arc::default(),
            world: Arc::clone(&self.world),
        };
        drivers.insert(order.id.clone(), (order, process.clone()));
        let running = self.world.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_running.fetch_max(running, Ordering::SeqCst);
        Ok(Arc::new(process))
    }

    async fn late_start(&self, order: DriverOrder) -> Result<LateStart, Failure> {
        let Program::Agent { kind, .. } = order.program else {
            return Err(lost());
        };
        Ok(LateStart {
            document: [("kind".to_owned(), kind.as_str().into())]
                .into_iter()
                .collect(),
            conf: order.conf,
        })
    }

    async fn preview(&self, order: DriverOrder) -> Result<LaunchPreview, Failure> {
        if let Some(refusal) = self.refusal.lock().unwrap().clone() {
            return Err(refusal);
        }
        Ok(LaunchPreview {
            conf: order.conf,
            command: vec!["fake".to_owned(), order.id.to_string()],
        })
    }

    async fn fingerprint(&self) -> Result<String, Failure> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        Ok(self.fingerprint.lock().unwrap().clone())
    }

    fn free_memory(&self) -> Option<u64> {
        Some(self.free_memory.load(Ordering::SeqCst))
    }

    async fn find(&self, id: &DriverId, _: Option<&DriverLocation>) -> Found {
        if self.world.blind.load(Ordering::SeqCst) {
            return Found::Unclear("too many open files".to_owned());
        }
        let drivers = self.drivers.lock().unwrap();
        let Some((_, process)) = drivers.get(id) else {
            return Found::NeverStarted;
        };
        match process.exit.told.get().copied() {
            None => Found::Alive(Arc::new(process.clone())),
            Some(exit) => Found::Ended(process.departure(exit)),
        }
    }

    async fn with_files(&self) -> std::io::Result<Vec<DriverId>> {
        LocalFiles::list(&self.world.root).await
    }

    async fn running_here(&self) -> std::io::Result<Vec<DriverId>> {
        let drivers = self.drivers.lock().unwrap();
        let runs = |process: &FakeProcess| process.exit.told.get().is_none();
        let running = drivers.iter().filter(|(_, (_, process))| runs(process));
        Ok(running.map(|(id, _)| id.clone()).collect())
    }

    async fn end_here(&self, id: &DriverId) -> std::io::Result<()> {
        if let Found::Alive(process) = Launcher::find(self, id, None).await {
            process.terminate(Duration::ZERO).await;
        }
        Ok(())
    }

    async fn on_clusters(&self) -> std::io::Result<Vec<DriverId>> {
        Ok(Self::on_clusters(self).iter().cloned().collect())
    }

    async fn reap(&self, id: &DriverId) -> std::io::Result<()> {
        Self::on_clusters(self).remove(id);
        Ok(())
    }

    fn files(&self, id: &DriverId) -> Arc<dyn DriverFiles> {
        Arc::new(LocalFiles::of(&self.world.root, id))
    }
}

#[async_trait]
impl RunningDriver for FakeProcess {
    fn location(&self) -> DriverLocation {
        DriverLocation::new(format!("fake {}", self.id))
    }

    async fn ended(&self) -> Departure {
        let exit = self.exited().await;
        self.departure(exit)
    }

    async fn sighted(&self, known: Option<&Sighting>) -> Sighting {
        let mut sightings = self.world.sightings.subscribe();
        let is_new = |sighting: &Sighting| Some(sighting) != known;
        let changed = sightings
            .wait_for(|sightings| sightings.get(&self.id).is_some_and(is_new))
            .await;
        changed.expect("the world has the sender")[&self.id].clone()
    }

    async fn terminate(&self, _: Duration) -> Departure {
        if !self.world.deaf.load(Ordering::SeqCst) {
            self.exit(Exit::Signal(9));
        }
        let exit = tokio::select! {
            exit = self.exited() => exit,
            () = self.world.crash() => Exit::Unknown,
        };
        self.departure(exit)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use livius_domain::Kind;
    use livius_launch::conformance::{Manners, Place};
    use livius_launch::{Start, launcher_conformance};

    use super::*;

    struct Fakes {
        launcher: Arc<FakeLauncher>,
        _home: tempfile::TempDir,
    }

    impl Fakes {
        fn new() -> Self {
            let home = tempfile::tempdir().unwrap();
            let root = Utf8PathBuf::from_path_buf(home.path().join("drivers")).unwrap();
            Self {
                launcher: Arc::new(FakeLauncher::new(root)),
                _home: home,
            }
        }

        fn process(&self, id: &DriverId) -> FakeProcess {
            self.launcher.drivers.lock().unwrap()[id].1.clone()
        }
    }

    #[async_trait]
    impl Place for Fakes {
        fn launcher(&self) -> Arc<dyn Launcher> {
            Arc::clone(&self.launcher) as _
        }

        fn order(&self, id: &DriverId, _: Manners) -> DriverOrder {
            DriverOrder {
                id: id.clone(),
                conf: [].into(),
                proxy_user: None,
                token: "secret".into(),
                servers: Vec::new(),
                program: Program::Agent {
                    kind: Kind::Spark,
                    start: Start::Session,
                    link_grace: Duration::ZERO,
                    cancel_grace: Duration::ZERO,
                    sql_max_rows: 1,
                },
            }
        }

        async fn print(&self, id: &DriverId, line: &str) {
            let path = self.launcher.dir(id).join("stdout.log");
            let mut options = std::fs::OpenOptions::new();
            let mut log = options.append(true).create(true).open(path).unwrap();
            writeln!(log, "{line}").unwrap();
        }

        async fn end(&self, id: &DriverId, code: i32) {
            self.process(id).exit(Exit::Code(code));
        }

        fn verdict(&self, _: i32) -> Option<Verdict> {
            None
        }

        fn survivors(&self) -> Vec<String> {
            vec!["a fake process".to_owned(); self.launcher.running()]
        }
    }

    launcher_conformance!(tests Fakes::new());
}
