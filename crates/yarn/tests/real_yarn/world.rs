//! A real cluster, and a client of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use livius_domain::SystemClock;
use livius_testkit::YarnCluster;
use livius_yarn::{Application, ApplicationId, Cluster, Config, Follower, Seen, Site, YarnError};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// The limit of every wait. A machine with two busy cores is slow.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// The user of most applications. YARN believes the name.
pub const ALICE: &str = "alice";

pub struct World {
    pub yarn: YarnCluster,
    runtime: Runtime,
    /// A client as the administrator.
    pub cluster: Cluster,
    submitted: AtomicU32,
}

/// An application that the test submitted.
pub struct Submitted {
    pub id: ApplicationId,
    pub tag: String,
}

impl World {
    pub fn start() -> Self {
        Self::of(YarnCluster::start(&YarnCluster::jars().unwrap()))
    }

    pub fn of(yarn: YarnCluster) -> Self {
        let runtime = Runtime::new().unwrap();
        let cluster = client(&runtime, &yarn, "root");
        Self {
            yarn,
            runtime,
            cluster,
            submitted: AtomicU32::new(0),
        }
    }

    pub fn stop(self) {
        let containers = self.yarn.stop();
        println!("processes of applications at the end: {containers:?}");
    }

    /// A client as another user.
    pub fn client(&self, user: &str) -> Cluster {
        client(&self.runtime, &self.yarn, user)
    }

    pub fn wait<T>(&self, what: impl Future<Output = T>) -> T {
        let limited = async { tokio::time::timeout(PATIENCE, what).await };
        self.runtime.block_on(limited).expect("it happens in time")
    }

    /// Submits a shell command as an application, with a tag of its own.
    pub fn submit(&self, request: &Request) -> Submitted {
        self.try_submit(request)
            .unwrap_or_else(|(_, text)| panic!("{text}"))
    }

    /// Like [`Self::submit`]. A refusal is an error with YARN's text.
    pub fn try_submit(&self, request: &Request) -> Result<Submitted, (Submitted, String)> {
        let number = self.submitted.fetch_add(1, Ordering::Relaxed);
        let tag = format!("livius-driver-b-{number}-aa");
        self.wait(async {
            let apps = format!("{}/ws/v1/cluster/apps", self.yarn.url());
            let user = format!("user.name={}", request.user);
            let http = reqwest::Client::new();
            let new = http.post(format!("{apps}/new-application?{user}"));
            let new: Value = new.send().await.unwrap().json().await.unwrap();
            let id = new["application-id"].as_str().unwrap();
            let submitted = Submitted {
                id: id.parse().unwrap(),
                tag: tag.clone(),
            };
            let logged = format!(
                "({}) 1><LOG_DIR>/stdout 2><LOG_DIR>/stderr",
                request.command
            );
            let body = json!({
                "application-id": id, "application-name": "a test", "application-type": "SPARK",
                "queue": request.queue, "max-app-attempts": request.attempts,
                "resource": {"memory": request.megabytes, "vCores": 1},
                "application-tags": {"tag": ["Livius", tag.to_uppercase()]},
                "am-container-spec": {"commands": {"command": logged}},
            });
            let answer = http.post(format!("{apps}?{user}")).json(&body).send();
            let answer = answer.await.unwrap();
            if answer.status() == 202 {
                return Ok(submitted);
            }
            Err((submitted, answer.text().await.unwrap()))
        })
    }

    pub fn until(&self, follower: &mut Follower, wanted: impl FnMut(&Seen) -> bool) -> Seen {
        self.wait(follower.until(wanted))
    }

    /// Waits for the end of an application.
    pub fn ended(&self, submitted: &Submitted) -> Application {
        let mut follower = self.cluster.follow(&submitted.tag);
        let seen = self.until(&mut follower, |seen| {
            let state = seen.application.as_ref().map(|app| &app.state);
            state.is_some_and(livius_yarn::State::is_final)
        });
        let application = seen.application.unwrap();
        assert_eq!(application.id, submitted.id);
        application
    }

    /// Waits until the container of an application's master was started.
    pub fn started(&self, submitted: &Submitted) -> Application {
        let mut follower = self.cluster.follow(&submitted.tag);
        let seen = self.until(&mut follower, |seen| {
            let container = seen.application.as_ref().map(Application::am_container);
            container.flatten().is_some()
        });
        seen.application.unwrap()
    }

    /// Submits an application that runs until it is killed, and follows it. Returns it as it was when
    /// its container had started, and a follower that has seen it.
    pub fn sleeping(&self) -> (Submitted, Application, Follower) {
        let submitted = self.submit(&Request::of("sleep 8765"));
        let started = self.started(&submitted);
        let mut follower = self.cluster.follow(&submitted.tag);
        self.until(&mut follower, |seen| seen.is_listed);
        (submitted, started, follower)
    }

    /// Repeats a request until it gives a value.
    pub fn eventually<T, F>(&self, mut request: impl FnMut() -> F) -> T
    where
        F: Future<Output = Result<T, YarnError>>,
    {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.wait(request()) {
                Ok(value) => return value,
                Err(error) => assert!(Instant::now() < until, "{error}"),
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

fn client(runtime: &Runtime, yarn: &YarnCluster, user: &str) -> Cluster {
    let site = Site::read(&[yarn.conf_dir()]).unwrap();
    let config = Config {
        tick: Duration::from_millis(300),
        ..Config::of(user)
    };
    let (cluster, watcher) = Cluster::new(site, config, Arc::new(SystemClock)).unwrap();
    runtime.spawn(watcher.run());
    cluster
}

/// An application to submit.
pub struct Request {
    pub user: &'static str,
    pub queue: &'static str,
    pub attempts: u32,
    /// The memory of its master, on paper. The scheduler counts in steps of 64.
    pub megabytes: u32,
    /// A command of the shell, without quotes and variables: YARN puts it into quotes.
    pub command: &'static str,
}

impl Request {
    /// An application of Alice.
    pub fn of(command: &'static str) -> Self {
        Self {
            user: ALICE,
            queue: "default",
            attempts: 1,
            megabytes: 128,
            command,
        }
    }
}
