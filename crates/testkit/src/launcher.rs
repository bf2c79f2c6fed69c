//! Drivers without processes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use camino::Utf8Path;
use domain::{DriverId, Exit, Failure, FailureCode, Phase, ProcessRecord, SessionId};
use launch::{DriverOrder, DriverProcess, Launcher};
use tokio::sync::watch;

/// Starts fake drivers, and remembers what was ordered. It outlives the server, as real drivers do.
#[derive(Default)]
pub struct FakeLauncher {
    drivers: Mutex<HashMap<DriverId, (DriverOrder, FakeProcess)>>,
    refusal: Mutex<Option<String>>,
}

/// A fake driver's process.
#[derive(Clone)]
pub struct FakeProcess {
    pid: i32,
    exit: Arc<watch::Sender<Option<Exit>>>,
}

impl FakeLauncher {
    /// Makes every launch from now on fail.
    pub fn refuse(&self, message: &str) {
        *self.refusal.lock().unwrap() = Some(message.to_owned());
    }

    /// What was ordered for a session, and its process.
    pub fn driver_of(&self, session: SessionId) -> Option<(DriverOrder, FakeProcess)> {
        let prefix = format!("s-{session}-");
        let drivers = self.drivers.lock().unwrap();
        drivers
            .iter()
            .find(|(id, _)| id.as_str().starts_with(&prefix))
            .map(|(_, driver)| driver.clone())
    }

    /// The processes that still run.
    pub fn running(&self) -> usize {
        self.drivers
            .lock()
            .unwrap()
            .values()
            .filter(|(_, process)| process.exit.borrow().is_none())
            .count()
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
        let mut drivers = self.drivers.lock().unwrap();
        let pid = 1_000 + i32::try_from(drivers.len()).unwrap();
        let process = FakeProcess {
            pid,
            exit: Arc::new(watch::channel(None).0),
        };
        drivers.insert(order.id.clone(), (order, process.clone()));
        Ok(Box::new(process))
    }

    async fn adopt(
        &self,
        dir: &Utf8Path,
        _: Option<&ProcessRecord>,
    ) -> Result<Box<dyn DriverProcess>, Exit> {
        let drivers = self.drivers.lock().unwrap();
        let (_, process) = drivers
            .values()
            .find(|(order, _)| order.dir == dir)
            .ok_or(Exit::Unknown)?;
        let exit = *process.exit.borrow();
        match exit {
            None => Ok(Box::new(process.clone())),
            Some(exit) => Err(exit),
        }
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
        self.exit(Exit::Signal(9));
        self.ended().await
    }
}
