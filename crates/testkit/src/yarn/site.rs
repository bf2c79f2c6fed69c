//! The configuration of a cluster for tests.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};

use super::YarnCluster;

const LOG4J: &str = "\
log4j.rootLogger=INFO,A
log4j.appender.A=org.apache.log4j.ConsoleAppender
log4j.appender.A.layout=org.apache.log4j.PatternLayout
log4j.appender.A.layout.ConversionPattern=%d{ISO8601} %p %c{2}: %m%n
";

/// The ports that others have to know. The NodeManager tells its own to the ResourceManager.
pub struct Ports {
    /// Those of the ResourceManagers.
    pub managers: Vec<ManagerPorts>,
    logs: u16,
    timeline: u16,
}

/// The ports of a ResourceManager.
pub struct ManagerPorts {
    pub web: u16,
    client: u16,
    scheduler: u16,
    tracker: u16,
    admin: u16,
}

impl Ports {
    /// Ports for so many ResourceManagers, that were free a moment ago.
    pub fn free(managers: usize) -> Self {
        // All are bound at the same time, so that they differ.
        let mut bound = Vec::new();
        let mut port = || {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            bound.push(listener);
            port
        };
        Self {
            managers: (0..managers)
                .map(|_| ManagerPorts {
                    web: port(),
                    client: port(),
                    scheduler: port(),
                    tracker: port(),
                    admin: port(),
                })
                .collect(),
            logs: port(),
            timeline: port(),
        }
    }
}

/// The scheduler's behaviour when an application waits for its queue's share.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scheduling {
    /// The application waits until containers end.
    Waits,
    /// The scheduler kills containers of the other queues.
    Preempts,
}

/// The id of a ResourceManager among several.
pub fn manager_id(number: usize) -> String {
    format!("rm{number}")
}

/// The directory with the configuration of one of several ResourceManagers, which names it.
pub fn manager_conf_dir(root: &Utf8Path, number: usize) -> Utf8PathBuf {
    root.join(format!("conf-{}", manager_id(number)))
}

pub fn conf_dir(root: &Utf8Path) -> Utf8PathBuf {
    root.join("conf")
}

pub fn staging_dir(root: &Utf8Path) -> Utf8PathBuf {
    root.join("staging")
}

pub fn log_url(ports: &Ports) -> String {
    format!("http://127.0.0.1:{}/ws/v1/applicationhistory", ports.logs)
}

/// Writes the files that Hadoop reads, and makes the folders that they name.
pub fn write(root: &Utf8Path, ports: &Ports, scheduling: Scheduling, member: &str) {
    for folder in [staging_dir(root), root.join("tmp")] {
        fs::create_dir_all(folder).unwrap();
    }
    let mut of_all = yarn(root, ports);
    if scheduling == Scheduling::Preempts {
        of_all.extend(preemption());
    }
    write_conf(&conf_dir(root), root, &of_all, member);
    if ports.managers.len() > 1 {
        for number in 0..ports.managers.len() {
            let mut of_one = of_all.clone();
            let key = "yarn.resourcemanager.ha.id".to_owned();
            of_one.push((key, manager_id(number)));
            write_conf(&manager_conf_dir(root, number), root, &of_one, member);
        }
    }
}

fn write_conf(conf: &Utf8Path, root: &Utf8Path, yarn: &Properties, member: &str) {
    fs::create_dir_all(conf).unwrap();
    let files = [
        ("core-site.xml", xml(&core(root))),
        ("yarn-site.xml", xml(yarn)),
        ("capacity-scheduler.xml", xml(&queues(member))),
        ("log4j.properties", LOG4J.to_owned()),
    ];
    for (name, text) in files {
        fs::write(conf.join(name), text).unwrap();
    }
}

type Properties = Vec<(String, String)>;

fn core(root: &Utf8Path) -> Properties {
    let user = user();
    let mut all = vec![
        ("fs.defaultFS".to_owned(), "file:///".to_owned()),
        ("hadoop.tmp.dir".to_owned(), format!("{root}/hadoop")),
    ];
    // The user of the test may impersonate every user, as a Livy server may.
    for what in ["hosts", "users", "groups"] {
        all.push((format!("hadoop.proxyuser.{user}.{what}"), "*".to_owned()));
    }
    all
}

fn yarn(root: &Utf8Path, ports: &Ports) -> Properties {
    let addresses = [
        ("nodemanager.address", 0),
        ("nodemanager.localizer.address", 0),
        ("nodemanager.webapp.address", 0),
        ("nodemanager.collector-service.address", 0),
        ("timeline-service.address", ports.timeline),
        ("timeline-service.webapp.address", ports.logs),
    ]
    .map(|(key, port)| (key, format!("127.0.0.1:{port}")));
    let store = "org.apache.hadoop.yarn.server";
    let others = [
        ("resourcemanager.hostname", "127.0.0.1"),
        ("resourcemanager.bind-host", "127.0.0.1"),
        ("nodemanager.hostname", "127.0.0.1"),
        ("nodemanager.bind-host", "127.0.0.1"),
        // Applications survive a restart of the ResourceManager, as in most clusters.
        ("resourcemanager.recovery.enabled", "true"),
        (
            "resourcemanager.store.class",
            &format!("{store}.resourcemanager.recovery.FileSystemRMStateStore"),
        ),
        (
            "resourcemanager.fs.state-store.uri",
            &format!("file://{root}/rm-state"),
        ),
        ("nodemanager.local-dirs", &format!("{root}/nm-local")),
        ("nodemanager.log-dirs", &format!("{root}/nm-logs")),
        ("nodemanager.resource.memory-mb", "8192"),
        ("nodemanager.resource.cpu-vcores", "8"),
        ("scheduler.minimum-allocation-mb", "64"),
        // A JVM reserves far more addresses than it uses memory.
        ("nodemanager.vmem-check-enabled", "false"),
        // By default the NodeManager leaves memory limits to control groups, and has none here.
        ("nodemanager.resource.memory.enforced", "false"),
        // The default of three seconds lets a container use too much memory for that long.
        ("nodemanager.container-monitor.interval-ms", "500"),
        // The disk of a machine for tests may be nearly full.
        (
            "nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage",
            "99.9",
        ),
        ("nodemanager.env-whitelist", "JAVA_HOME,PATH,LANG"),
        ("application.classpath", conf_dir(root).as_str()),
        ("acl.enable", "true"),
        ("admin.acl", " "),
        ("resourcemanager.am.max-attempts", "2"),
        // The default of one second would add up over the steps of a start.
        ("resourcemanager.nodemanagers.heartbeat-interval-ms", "100"),
        ("log-aggregation-enable", "true"),
        ("nodemanager.remote-app-log-dir", &format!("{root}/logs")),
        ("log.server.web-service.url", &log_url(ports)),
        ("timeline-service.hostname", "127.0.0.1"),
        (
            "timeline-service.store-class",
            &format!("{store}.timeline.MemoryTimelineStore"),
        ),
        (
            "timeline-service.state-store-class",
            &format!("{store}.timeline.recovery.MemoryTimelineStateStore"),
        ),
        (
            "timeline-service.generic-application-history.store-class",
            &format!("{store}.applicationhistoryservice.NullApplicationHistoryStore"),
        ),
    ]
    .map(|(key, value)| (key, value.to_owned()));
    let all = addresses.into_iter().chain(others);
    let all = all.map(|(key, value)| (format!("yarn.{key}"), value));
    all.chain(managers(&ports.managers)).collect()
}

fn managers(ports: &[ManagerPorts]) -> Properties {
    if let [alone] = ports {
        return manager_addresses(alone, "");
    }
    let mut all = high_availability(ports.len());
    for (number, one) in ports.iter().enumerate() {
        all.extend(manager_addresses(one, &format!(".{}", manager_id(number))));
    }
    all
}

/// The addresses of a ResourceManager. The suffix names one of several.
fn manager_addresses(ports: &ManagerPorts, suffix: &str) -> Properties {
    let addresses = [
        ("address", ports.client),
        ("scheduler.address", ports.scheduler),
        ("resource-tracker.address", ports.tracker),
        ("admin.address", ports.admin),
        ("webapp.address", ports.web),
    ];
    addresses
        .map(|(key, port)| {
            (
                format!("yarn.resourcemanager.{key}{suffix}"),
                format!("127.0.0.1:{port}"),
            )
        })
        .into()
}

/// Several ResourceManagers, of which an administrator makes one the active one.
fn high_availability(managers: usize) -> Properties {
    let ids: Vec<String> = (0..managers).map(manager_id).collect();
    [
        ("ha.enabled", "true"),
        ("ha.rm-ids", &ids.join(",")),
        ("ha.automatic-failover.enabled", "false"),
        ("cluster-id", "livius-test"),
    ]
    .map(|(key, value)| (format!("yarn.resourcemanager.{key}"), value.to_owned()))
    .into()
}

/// The scheduler takes what a queue lacks at once. By default it looks every three seconds, waits for
/// fifteen, and takes a tenth at a time.
fn preemption() -> Properties {
    [
        ("scheduler.monitor.enable", "true"),
        ("monitor.capacity.preemption.monitoring_interval", "300"),
        ("monitor.capacity.preemption.max_wait_before_kill", "300"),
        (
            "monitor.capacity.preemption.total_preemption_per_round",
            "1.0",
        ),
        (
            "monitor.capacity.preemption.natural_termination_factor",
            "1.0",
        ),
    ]
    .map(|(key, value)| (format!("yarn.resourcemanager.{key}"), value.to_owned()))
    .into()
}

fn queues(member: &str) -> Properties {
    let closed = YarnCluster::CLOSED_QUEUE;
    let mut all = vec![
        ("maximum-am-resource-percent".to_owned(), "0.9".to_owned()),
        ("root.queues".to_owned(), format!("default,etl,{closed}")),
        // What the root permits, all queues permit. A space is an empty list.
        ("root.acl_submit_applications".to_owned(), " ".to_owned()),
        ("root.acl_administer_queue".to_owned(), " ".to_owned()),
    ];
    for (queue, capacity, submitters) in
        [("default", 50, "*"), ("etl", 40, "*"), (closed, 10, member)]
    {
        let values = [
            ("capacity", capacity.to_string()),
            ("maximum-capacity", "100".to_owned()),
            ("user-limit-factor", "10".to_owned()),
            ("acl_submit_applications", submitters.to_owned()),
        ];
        all.extend(values.map(|(key, value)| (format!("root.{queue}.{key}"), value)));
    }
    let prefix = "yarn.scheduler.capacity";
    all.into_iter()
        .map(|(key, value)| (format!("{prefix}.{key}"), value))
        .collect()
}

fn xml(properties: &Properties) -> String {
    let mut text = "<?xml version=\"1.0\"?>\n<configuration>\n".to_owned();
    for (name, value) in properties {
        let _ = writeln!(
            text,
            "<property><name>{name}</name><value>{value}</value></property>"
        );
    }
    text + "</configuration>\n"
}

pub fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
