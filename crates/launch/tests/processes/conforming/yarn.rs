//! The suite for drivers in containers of YARN. The ResourceManager is scripted; the processes of
//! this machine are real.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use livius_domain::{DriverId, Verdict};
use livius_launch::conformance::{Manners, Place};
use livius_launch::{DriverOrder, Launcher, launcher_conformance};
use tokio::runtime::Runtime;

use crate::on_yarn::{SUBMITS, Yarn};
use crate::resource_manager::{container, id};

/// The suite.
pub fn yarn() -> Vec<crate::Test> {
    launcher_conformance!(list Containers::new())
}

struct Containers {
    yarn: Yarn,
    /// The number of each driver's application.
    numbers: Mutex<BTreeMap<DriverId, u32>>,
    /// Serves the ResourceManager. A case has a runtime of its own.
    _serving: Runtime,
}

impl Containers {
    fn new() -> Self {
        let serving = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        Self {
            yarn: serving.block_on(Yarn::new()),
            numbers: Mutex::default(),
            _serving: serving,
        }
    }

    fn number(&self, driver: &DriverId) -> u32 {
        self.numbers.lock().unwrap()[driver]
    }
}

#[async_trait]
impl Place for Containers {
    fn launcher(&self) -> Arc<dyn Launcher> {
        Arc::new(self.yarn.launcher(SUBMITS))
    }

    /// YARN kills a container whether its process obeys or not.
    fn order(&self, driver: &DriverId, _manners: Manners) -> DriverOrder {
        let mut numbers = self.numbers.lock().unwrap();
        let number = u32::try_from(numbers.len() + 1).unwrap();
        numbers.insert(driver.clone(), number);
        let manager = &self.yarn.manager;
        manager.submit(number, &format!("livius-driver-{driver}"));
        manager.run_master(number, 1);
        let mut order = self.yarn.order("cluster");
        order.id = driver.clone();
        order
    }

    async fn print(&self, driver: &DriverId, line: &str) {
        let container = container(self.number(driver), 1);
        self.yarn
            .manager
            .write(&container, "stdout", &format!("{line}\n"));
    }

    async fn end(&self, driver: &DriverId, code: i32) {
        let number = self.number(driver);
        match code {
            0 => self.yarn.manager.set(number, "FINISHED", "SUCCEEDED", ""),
            code => {
                let words = format!("User application exited with status {code}");
                let manager = &self.yarn.manager;
                manager.set(number, "FINISHED", "FAILED", &words);
            }
        }
    }

    fn verdict(&self, code: i32) -> Option<Verdict> {
        Some(match code {
            0 => Verdict::Finished,
            code => Verdict::Failed(format!(
                "YARN says that {} failed: User application exited with status {code}",
                id(1)
            )),
        })
    }

    fn survivors(&self) -> Vec<String> {
        let mut left = self.yarn.world.survivors();
        left.extend(self.yarn.manager.live());
        left
    }
}
