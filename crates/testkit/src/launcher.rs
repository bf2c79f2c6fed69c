//! Drivers without processes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use camino::Utf8Path;
use livius_domain::{
    BatchId, DriverId, Exit, Failure, FailureCode, Phase, ProcessRecord, SessionId, Verdict,
};
use livius_launch::{DriverOrder, DriverProcess, Gone, Launcher};
use tokio::sync::watch;

/// Starts fake drivers, and remembers what was ordered. It outlives the server, as real drivers do.
#[derive(Default)]
pub struct FakeLauncher {
    drivers: Mutex<HashMap<DriverId, (DriverOrder, FakeProcess)>>,
    refusal: Mutex<Option<String>>,
    batches: Mutex<Vec<BatchId>>,
    held: watch::Sender<bool>,
    verdicts: Mutex<HashMap<DriverId, Verdict>>,
    most_running: AtomicUsize,
    world: Arc<Outside>,
}

/// What all fake processes have in common.
#[derive(Default)]
struct Outside {
    /// Whether they ignore it when they are to end.
    deaf: AtomicBool,
    /// How often the server died: what it waited for then is not done any more.
    crashes: watch::Sender<u32>,
}

/// A fake driver's process.
#[derive(Clone)]
pub struct FakeProcess {
    pid: i32,
    exit: Arc<watch::Sender<Option<Exit>>>,
    world: Arc<Outside>,
}

impl FakeLauncher {
    /// Makes every launch from now on fail.
    pub fn refuse(&self, message: &str) {
        *self.refusal.lock().unwrap() = Some(message.to_owned());
    }

    /// What was ordered for a session, and its process.
    pub fn driver_of(&self, session: SessionId) -> Option<(DriverOrder, FakeProcess)> {
        self.find(&format!("s-{session}-"))
    }

    /// The same for a batch.
    pub fn driver_of_batch(&self, batch: BatchId) -> Option<(DriverOrder, FakeProcess)> {
        self.find(&format!("b-{batch}-"))
    }

    /// The batches that something was started for, in that order.
    pub fn started_batches(&self) -> Vec<BatchId> {
        self.batches.lock().unwrap().clone()
    }

    /// Makes launches from now on wait until they may go on.
    pub fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }

    /// Makes processes live on that are to end, from now on, until they may.
    pub fn make_deaf(&self, deaf: bool) {
        self.world.deaf.store(deaf, Ordering::SeqCst);
    }

    /// The server dies: the launches that are held do not happen any more, and the ends that are waited for are not.
    pub(crate) fn lose_server(&self) {
        self.world.crashes.send_modify(|crashes| *crashes += 1);
    }

    fn find(&self, prefix: &str) -> Option<(DriverOrder, FakeProcess)> {
        let drivers = self.drivers.lock().unwrap();
        drivers
            .iter()
            .find(|(id, _)| id.as_str().starts_with(prefix))
            .map(|(_, driver)| driver.clone())
    }

    /// Makes the resource manager say this of a driver.
    pub fn say(&self, driver: &DriverId, verdict: Verdict) {
        self.verdicts
            .lock()
            .unwrap()
            .insert(driver.clone(), verdict);
    }

    /// The processes that still run.
    pub fn running(&self) -> usize {
        running_of(&self.drivers.lock().unwrap())
    }

    /// How many of them ran at once, at the most.
    pub fn most_running(&self) -> usize {
        self.most_running.load(Ordering::SeqCst)
    }
}

fn running_of(drivers: &HashMap<DriverId, (DriverOrder, FakeProcess)>) -> usize {
    let running = |(_, process): &&(DriverOrder, FakeProcess)| process.exit.borrow().is_none();
    drivers.values().filter(running).count()
}

impl Outside {
    /// Becomes ready when the server dies.
    async fn crash(&self) {
        let _ = self.crashes.subscribe().changed().await;
    }
}

/// Nobody is left who could be told.
fn lost() -> Failure {
    Failure {
        code: FailureCode::LaunchFailed,
        phase: Phase::Launch,
        message: "the server is gone".to_owned(),
        hint: String::new(),
    }
}

impl FakeProcess {
    /// Waits for its end.
    pub async fn ended(&self) -> Exit {
        let mut exit = self.exit.subscribe();
        let ended = exit.wait_for(Option::is_some).await;
        ended.ok().and_then(|exit| *exit).unwrap_or(Exit::Unknown)
    }

    /// Ends the process.
    pub fn exit(&self, exit: Exit) {
        self.exit.send_if_modified(|now| {
            let first = now.is_none();
            *now = now.or(Some(exit));
            first
        });
    }
}

#[async_trait]
impl Launcher for FakeLauncher {
    async fn launch(&self, order: DriverOrder) -> Result<Box<dyn DriverProcess>, Failure> {
        if let Some(message) = self.refusal.lock().unwrap().clone() {
            let hint = "this is a test".to_owned();
            return Err(Failure {
                code: FailureCode::LaunchFailed,
                phase: Phase::Launch,
                message,
                hint,
            });
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
        let mut drivers = self.drivers.lock().unwrap();
        let pid = 1_000 + i32::try_from(drivers.len()).unwrap();
        let process = FakeProcess {
            pid,
            exit: Arc::new(watch::channel(None).0),
            world: Arc::clone(&self.world),
        };
        drivers.insert(order.id.clone(), (order, process.clone()));
        let running = running_of(&drivers);
        self.most_running.fetch_max(running, Ordering::SeqCst);
        Ok(Box::new(process))
    }

    async fn adopt(
        &self,
        dir: &Utf8Path,
        _: Option<&ProcessRecord>,
    ) -> Result<Box<dyn DriverProcess>, Gone> {
        let drivers = self.drivers.lock().unwrap();
        let (_, process) = drivers
            .values()
            .find(|(order, _)| order.dir == dir)
            .ok_or(Gone::NeverStarted)?;
        let exit = *process.exit.borrow();
        match exit {
            None => Ok(Box::new(process.clone())),
            Some(exit) => Err(Gone::Ended(exit)),
        }
    }

    async fn verdict(&self, dir: &Utf8Path) -> Option<Verdict> {
        let driver = DriverId::parse(dir.file_name()?)?;
        self.verdicts.lock().unwrap().get(&driver).cloned()
    }
}

#[async_trait]
impl DriverProcess for FakeProcess {
    fn record(&self) -> ProcessRecord {
        ProcessRecord {
            pid: self.pid,
            start_ticks: 1,
        }
    }

    async fn exited(&self) -> Exit {
        self.ended().await
    }

    async fn terminate(&self, _: Duration) -> Exit {
        if !self.world.deaf.load(Ordering::SeqCst) {
            self.exit(Exit::Signal(9));
        }
        tokio::select! {
            exit = self.ended() => exit,
            () = self.world.crash() => Exit::Unknown,
        }
    }
}
