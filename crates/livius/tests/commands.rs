//! Tests the binary as a process: the output and the exit codes of its commands. No test here needs
//! Spark.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

#[path = "common/server.rs"]
mod common;
#[path = "common/openmetrics.rs"]
mod openmetrics;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(30);

/// A command in an empty home directory, which is also its working directory.
fn livius(home: &Path, arguments: &[&str]) -> Command {
    let mut command = common::livius(home, arguments);
    command.current_dir(home);
    command
}

fn run(home: &TempDir, arguments: &[&str]) -> Output {
    livius(home.path(), arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A running server.
struct Server(common::Server);

impl Server {
    fn start(home: &TempDir, arguments: &[&str]) -> Self {
        Self(common::Server::start(home.path(), arguments))
    }

    fn get(&self, path: &str) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let url = format!("{}{path}", self.0.url);
        runtime.block_on(async { reqwest::get(url).await.unwrap().text().await.unwrap() })
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0.process.0), signal).unwrap();
    }

    fn exit_code(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.0.process.0.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "the server does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn config_show_tells_values_and_origins() {
    let home = home();
    std::fs::write(
        home.path().join("my.toml"),
        "[sessions]\n\nmax_live = 7\n[spark.conf]\n\"spark.x.password\" = \"pst\"\n",
    )
    .unwrap();
    let mut command = livius(
        home.path(),
        &[
            "config",
            "show",
            "--config",
            "my.toml",
            "--listen",
            "127.0.0.1:5",
        ],
    );
    let output = command.env("LIVIUS_SESSIONS_TTL", "8h").output().unwrap();
    let text = stdout(&output).replace(home.path().to_str().unwrap(), "HOME");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let expected = [
        "sessions.max_live = 7 # HOME/my.toml:3",
        "sessions.ttl = 8h # environment LIVIUS_SESSIONS_TTL",
        "server.listen = 127.0.0.1:5 # flag --listen",
        "server.data_dir = HOME/.local/share/livius # default",
        "spark.conf.spark.x.password = *********(redacted) # HOME/my.toml:5",
    ];
    let lines: Vec<String> = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    for line in expected {
        assert!(
            lines.iter().any(|shown| shown == line),
            "{line}\nis not in\n{text}"
        );
    }
}

#[test]
fn config_show_as_json_is_json() {
    let output = run(
        &home(),
        &["config", "show", "--json", "--set", "server.body_limit=1m"],
    );
    let shown: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(
        shown["server.body_limit"],
        serde_json::json!({"value": 1_048_576, "origin": "flag --set"})
    );
    assert_eq!(
        shown["spark.home"],
        serde_json::json!({"value": null, "origin": "default"})
    );
}

#[test]
fn a_wrong_configuration_is_told_whole_and_is_misuse() {
    let home = home();
    let output = run(
        &home,
        &[
            "serve",
            "--listen",
            "0.0.0.0:0",
            "--set",
            "sesions.ttl=1h",
            "--log-format",
            "xml",
        ],
    );
    assert_eq!(output.status.code(), Some(2));
    let text = stderr(&output);
    for words in [
        "0.0.0.0:0 can be reached by other machines",
        "did you mean sessions.ttl?",
        "not one of text, json",
    ] {
        assert!(text.contains(words), "{words}\nis not in\n{text}");
    }
    assert_eq!(
        std::fs::read_dir(home.path()).unwrap().count(),
        0,
        "a refused server makes nothing"
    );
    assert_eq!(run(&home, &["serve", "--port", "1"]).status.code(), Some(2));
}

#[test]
fn openapi_and_reference_are_what_is_checked_in() {
    for (arguments, file) in [
        (&["openapi"][..], "schemas/openapi.json"),
        (&["config", "reference"], "docs/CONFIGURATION.md"),
        (&["config", "livy-reference"], "docs/LIVY-CONFIGURATION.md"),
        (&["errors"], "docs/ERRORS.md"),
    ] {
        let written =
            std::fs::read_to_string(format!("{}/../../{file}", env!("CARGO_MANIFEST_DIR")))
                .unwrap();
        let output = run(&home(), arguments);
        assert!(
            stdout(&output) == written,
            "{file} is stale: run `cargo xtask codegen`"
        );
    }
}

#[test]
fn a_server_answers_until_it_is_asked_to_stop() {
    for signal in [Signal::TERM, Signal::INT] {
        let home = home();
        let mut server = Server::start(&home, &["--log-format", "json"]);
        let version: Value = serde_json::from_str(&server.get("/version")).unwrap();
        assert!(version["version"].is_string(), "{version}");
        assert!(home.path().join(".local/share/livius/livius.db").exists());
        server.signal(signal);
        assert_eq!(server.exit_code(), Some(0), "{signal:?}");
    }
}

#[test]
fn a_scraper_reads_the_metrics_of_a_running_server() {
    let home = home();
    let server = Server::start(&home, &[]);
    server.get("/version");
    let url = format!("{}/metrics", server.0.url);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let text = runtime.block_on(async {
        let accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        let request = reqwest::Client::new().get(url).header("accept", accept);
        request.send().await.unwrap().text().await.unwrap()
    });
    let families = openmetrics::read(&text);
    let value = |family: &str, label: &str| {
        let mut samples = families[family].samples.iter();
        let found = samples.find(|it| label.is_empty() || it.labels.values().any(|it| it == label));
        found.unwrap_or_else(|| panic!("{family} {label}")).value
    };
    assert!(value("livius_http_requests", "/version") >= 1.0);
    assert!(value("livius_sessions", "idle").abs() < f64::EPSILON);
    assert!(value("livius_store_call_duration_seconds", "read") >= 0.0);
    // The server began after this test was written.
    assert!(value("process_start_time_seconds", "") > 1_790_000_000.0);
    assert!(value("process_resident_memory_bytes", "") > 1_000_000.0);
    let version = &families["livius_build"].samples[0].labels["version"];
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_server_keeps_an_audit_log_through_its_stop() {
    let home = home();
    let mut server = Server::start(&home, &["--set", "audit.file=audit.log"]);
    let url = format!("{}/sessions/7", server.0.url);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let status = runtime.block_on(async {
        let request = reqwest::Client::new()
            .delete(url)
            .header("x-request-id", "r1");
        request.send().await.unwrap().status()
    });
    assert_eq!(status, 404);
    server.signal(Signal::TERM);
    assert_eq!(server.exit_code(), Some(0));
    let text = std::fs::read_to_string(home.path().join("audit.log")).unwrap();
    let line: Value = serde_json::from_str(text.trim_end()).unwrap();
    assert_eq!(
        (&line["requestId"], &line["action"], &line["session"]),
        (&"r1".into(), &"session_delete".into(), &"7".into()),
    );
    assert_eq!(
        (&line["status"], &line["peer"]),
        (&404.into(), &"127.0.0.1".into())
    );
    let absent = run(&home, &["serve", "--set", "audit.file=absent/audit.log"]);
    assert_eq!(absent.status.code(), Some(1));
    let told = stderr(&absent);
    assert!(told.contains("audit.file"), "{told}");
}

#[test]
fn a_server_without_a_spark_says_so_at_once() {
    let home = home();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--spark-home", "/none"];
    let mut command = livius(home.path(), &arguments);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let log = BufReader::new(child.stderr.take().unwrap());
    let warning = log
        .lines()
        .map(Result::unwrap)
        .find(|line| line.contains("no session can start"));
    child.kill().unwrap();
    child.wait().unwrap();
    let warning = warning.unwrap();
    assert!(
        warning.contains("WARN") && warning.contains("/none") && warning.contains("hint"),
        "{warning}"
    );
}

#[test]
fn connections_without_a_request_do_not_keep_a_server_from_stopping() {
    let home = home();
    let mut server = Server::start(&home, &[]);
    let silent = std::net::TcpStream::connect(server.0.url.trim_start_matches("http://")).unwrap();
    server.get("/version");
    server.signal(Signal::TERM);
    assert_eq!(server.exit_code(), Some(0));
    drop(silent);
}

#[test]
fn a_client_that_sends_all_before_it_reads_sees_why_it_is_refused() {
    let server = Server::start(&home(), &["--set", "server.body_limit=8m"]);
    let mut stream =
        std::net::TcpStream::connect(server.0.url.trim_start_matches("http://")).unwrap();
    let body = vec![b' '; 16 << 20];
    let head = format!(
        "POST /sessions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

/// The memory of a process in MiB.
fn resident(server: &Server) -> u64 {
    let status = format!("/proc/{}/status", server.0.process.0.id());
    let status = std::fs::read_to_string(status).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kibibytes: u64 = line
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    kibibytes >> 10
}

#[test]
fn the_memory_of_large_requests_goes_back() {
    let server = Server::start(&home(), &[]);
    let body = format!(r#"{{"name":"{}"}}"#, "x".repeat(20 << 20));
    let refused = || {
        let address = server.0.url.trim_start_matches("http://");
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let head = format!(
            "POST /sessions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    };
    refused();
    let before = resident(&server);
    for _ in 0..3 {
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(refused);
            }
        });
    }
    let deadline = Instant::now() + PATIENCE;
    while resident(&server) > before + 10 {
        let now = resident(&server);
        assert!(Instant::now() < deadline, "{now} MiB, before {before} MiB");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Asks for the sessions as another user of this machine.
fn ask_as(uid: u32, server: &Server) -> String {
    let address = server.0.url.trim_start_matches("http://");
    let (host, port) = address.split_once(':').unwrap();
    let script = format!(
        "exec 3<>/dev/tcp/{host}/{port}; printf 'GET /sessions HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"
    );
    let output = Command::new("bash")
        .args(["-c", &script])
        .uid(uid)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn another_user_of_the_machine_is_refused_unless_named() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root can ask as another user");
        return;
    }
    let own = Server::start(&home(), &[]);
    let refused = ask_as(65533, &own);
    assert!(refused.starts_with("HTTP/1.0 403"), "{refused}");
    assert!(refused.contains("server.local_users"), "{refused}");
    assert!(ask_as(0, &own).starts_with("HTTP/1.0 200"));
    for users in ["65533", "*"] {
        let setting = format!("server.local_users={users}");
        let server = Server::start(&home(), &["--set", &setting]);
        let answered = ask_as(65533, &server);
        assert!(answered.starts_with("HTTP/1.0 200"), "{users}: {answered}");
    }
}

#[test]
fn one_data_directory_has_one_server() {
    let home = home();
    let server = Server::start(&home, &[]);
    let second = run(&home, &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1), "{}", stderr(&second));
    assert!(
        stderr(&second).contains("cannot open the store"),
        "{}",
        stderr(&second)
    );
    assert!(server.get("/sessions").contains("\"total\":0"));
}

#[test]
fn a_taken_port_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(&home(), &["serve", "--listen", &address]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains(&format!("cannot listen on {address}")),
        "{}",
        stderr(&output)
    );
}

#[test]
fn doctor_says_what_is_missing_and_fails() {
    let output = run(&home(), &["doctor"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("Spark    MISSING") && text.contains("livius setup"),
        "{text}"
    );
    let report: Value =
        serde_json::from_str(&stdout(&run(&home(), &["doctor", "--json"]))).unwrap();
    assert_eq!(report["healthy"], false);
}

#[test]
fn doctor_lists_drivers_without_a_record() {
    let home = home();
    let driver = home.path().join("data/drivers/b-7-aabbccddeeff");
    let look = |words: &[&str]| {
        let words = [&["doctor", "--orphans"], words].concat();
        let mut command = livius(home.path(), &words);
        command.env("LIVIUS_SERVER_DATA_DIR", home.path().join("data"));
        command.output().unwrap()
    };
    let none = look(&[]);
    assert_eq!(none.status.code(), Some(0), "{}", stderr(&none));
    assert!(stdout(&none).contains("has a record of each driver"));
    std::fs::create_dir_all(&driver).unwrap();
    let process = Command::new("sleep")
        .arg("600")
        .env("LIVIUS_DRIVER_DIR", &driver)
        .spawn();
    let process = common::Killed(process.unwrap());
    let found = look(&[]);
    assert_eq!(found.status.code(), Some(1), "{}", stderr(&found));
    let line = format!("b-7-aabbccddeeff: processes {}; files", process.0.id());
    assert!(stdout(&found).contains(&line), "{}", stdout(&found));
    let found: Value = serde_json::from_str(&stdout(&look(&["--json"]))).unwrap();
    assert_eq!(found["orphans"][0]["driver"], "b-7-aabbccddeeff");
    assert_eq!(found["orphans"][0]["processes"][0], process.0.id());
    // A server ends and removes it.
    let data = home.path().join("data");
    let _server = Server::start(&home, &["--data-dir", data.to_str().unwrap()]);
    let until = Instant::now() + PATIENCE;
    while driver.exists() || look(&[]).status.code() != Some(0) {
        assert!(Instant::now() < until, "{}", stdout(&look(&[])));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A daemon that gives the same answers to every request for a path. Dropping it closes its port.
struct Fake {
    address: std::net::SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

impl Fake {
    fn start(answers: &'static [(&'static str, &'static str)]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let bind = tokio::net::TcpListener::bind("127.0.0.1:0");
        let listener = runtime.block_on(bind).unwrap();
        let address = listener.local_addr().unwrap();
        let answer = move |uri: axum::http::Uri| async move {
            let found = answers.iter().find(|(path, _)| *path == uri.path());
            let json = [("content-type", "application/json")];
            match found {
                Some((_, body)) => (axum::http::StatusCode::OK, json, *body),
                None => (axum::http::StatusCode::NOT_FOUND, json, "{}"),
            }
        };
        let router = axum::Router::new().fallback(answer);
        runtime.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            _runtime: runtime,
        }
    }
}

/// The findings about a cluster, each with its status.
fn findings(output: &Output) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(&stdout(output)).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let findings = report["cluster"]["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| {
            let has_remedy = finding["remedy"]
                .as_str()
                .is_some_and(|text| !text.is_empty());
            assert_eq!(has_remedy, finding["status"] != "good", "{finding}");
            (text(&finding["status"]), text(&finding["what"]))
        })
        .collect()
}

fn expect(found: &[(String, String)], expected: &[(&str, &str)]) {
    for (status, words) in expected {
        assert!(
            found
                .iter()
                .any(|(its, what)| its == status && what.contains(words)),
            "no {status} with {words:?} in {found:?}"
        );
    }
}

#[test]
fn doctor_looks_at_yarn() {
    let manager = Fake::start(&[(
        "/ws/v1/cluster/info",
        include_str!("../../yarn/tests/recorded/info.json"),
    )]);
    let home = home();
    let site = format!(
        "<configuration><property><name>yarn.resourcemanager.webapp.address</name><value>{}</value></property></configuration>",
        manager.address
    );
    std::fs::write(home.path().join("yarn-site.xml"), site).unwrap();
    let doctor = |words: &[&str]| {
        let mut command = livius(home.path(), &["doctor", "--json"]);
        command.args(words).env("HADOOP_CONF_DIR", home.path());
        command.output().unwrap()
    };
    let active = ("good", "has Hadoop 3.4.2, and is STARTED ACTIVE");
    let found = findings(&doctor(&["--master", "yarn"]));
    expect(&found, &[active, ("good", "drivers run on this machine")]);
    let found = findings(&doctor(&["--master", "yarn-cluster"]));
    let loopback = (
        "problem",
        "cannot connect to the server at ws://127.0.0.1:8998",
    );
    expect(&found, &[active, loopback]);
    let configured = [
        "--set",
        "spark.master=yarn-cluster",
        "--set",
        "server.agent_url=ws://10.0.0.7:8998",
    ];
    let found = findings(&doctor(&configured));
    expect(
        &found,
        &[
            active,
            ("warning", "the server listens on 127.0.0.1:8998 only"),
        ],
    );

    let address = manager.address;
    drop(manager);
    let output = doctor(&["--master", "yarn"]);
    assert_eq!(output.status.code(), Some(1));
    let away = format!("the ResourceManager at http://{address}/ tells nothing");
    expect(&findings(&output), &[("problem", &away)]);
}

#[test]
fn doctor_looks_at_kubernetes() {
    let api = Fake::start(&[
        (
            "/version",
            r#"{"major":"1","minor":"36","gitVersion":"v1.36.3","gitCommit":"","gitTreeState":"","buildDate":"","goVersion":"","compiler":"","platform":""}"#,
        ),
        (
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            r#"{"kind":"SelfSubjectAccessReview","apiVersion":"authorization.k8s.io/v1","metadata":{},"spec":{},"status":{"allowed":false}}"#,
        ),
    ]);
    let home = home();
    let master = format!("k8s://http://{}", api.address);
    let output = run(&home, &["doctor", "--json", "--master", &master]);
    assert_eq!(output.status.code(), Some(1));
    expect(
        &findings(&output),
        &[
            ("good", "the API server has Kubernetes v1.36.3"),
            (
                "problem",
                "lacks rights in the namespace default: list pods, watch pods",
            ),
        ],
    );
    let output = run(&home, &["doctor", "--json", "--probe", "--master", &master]);
    let nothing = (
        "warning",
        "no application was submitted, because of the problems above",
    );
    expect(&findings(&output), &[nothing]);
    let text = stdout(&run(&home, &["doctor", "--master", &master]));
    assert!(
        text.contains(&format!("Cluster  {master}, in client mode"))
            && text.contains("what to do: bind a Role"),
        "{text}"
    );
}

#[test]
fn doctor_names_no_cluster_unless_there_is_one() {
    let report = |words: &[&str]| -> Value {
        let output = run(&home(), &[&["doctor", "--json"], words].concat());
        serde_json::from_str(&stdout(&output)).unwrap()
    };
    assert_eq!(report(&[])["cluster"], Value::Null);
    let unknown = report(&["--master", "mesos://h:5050"]);
    assert_eq!(unknown["cluster"]["findings"][0]["status"], "problem");
    let local = report(&["--master", "local[2]"]);
    assert_eq!(local["cluster"]["findings"][0]["status"], "good");
}

/// Makes a Livy home directory with a configuration.
fn livys_home(home: &TempDir, text: &str) -> String {
    let conf = home.path().join("livy/conf");
    std::fs::create_dir_all(&conf).unwrap();
    std::fs::write(conf.join("livy.conf"), text).unwrap();
    home.path().join("livy").to_str().unwrap().to_owned()
}

#[test]
fn livys_configuration_is_imported_to_a_file_that_serves() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = home();
    let livy = livys_home(
        &home,
        "livy.server.session.timeout = 20m\nlivy.cache-log.size = 5\n",
    );
    let import = || {
        livius(home.path(), &["config", "import", "--write", "my.toml"])
            .env("LIVY_HOME", &livy)
            .output()
            .unwrap()
    };
    let output = import();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stdout(&output).contains("1 taken over, 1 without a meaning here"),
        "{}",
        stdout(&output)
    );
    let path = home.path().join("my.toml");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it may hold secrets");
    let shown = run(&home, &["config", "show", "--config", "my.toml"]);
    assert!(stdout(&shown).contains("sessions.idle_timeout = 20m"));
    let again = import();
    assert_eq!(again.status.code(), Some(1), "what is there stays");
    assert!(
        stderr(&again).contains("cannot write my.toml"),
        "{}",
        stderr(&again)
    );
}

#[test]
fn an_import_that_leaves_something_to_decide_says_so_by_its_exit_code() {
    let home = home();
    livys_home(&home, "livy.server.host = 0.0.0.0\nlivy.server.prot = 1\n");
    let output = run(&home, &["config", "import", "--from", "livy/conf"]);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    for words in [
        "# listen = \"0.0.0.0:8998\"",
        "#   livy.conf:1 livy.server.host: server.listen: 0.0.0.0:8998 can be reached by other machines",
        "#   livy.conf:2 livy.server.prot: Livy has no such key; did you mean livy.server.port?",
    ] {
        assert!(text.contains(words), "{words}\nis not in\n{text}");
    }
    let nowhere = run(&home, &["config", "import"]);
    assert_eq!(nowhere.status.code(), Some(2), "{}", stderr(&nowhere));
}

#[test]
fn livys_configuration_is_read_directly() {
    let home = home();
    let livy = livys_home(
        &home,
        "livy.server.session.max-creation = 3\nlivy.server.prot = 1\n",
    );
    let conf = format!("{livy}/conf");
    let shown = run(&home, &["config", "show", "--json", "--livy-conf", &conf]);
    let values: Value = serde_json::from_str(&stdout(&shown)).unwrap();
    let origin = format!("{conf}/livy.conf:1: livy.server.session.max-creation");
    assert_eq!(
        values["sessions.max_live"],
        serde_json::json!({"value": 3, "origin": origin})
    );
    assert!(stderr(&shown).contains("did you mean livy.server.port?"));
    let mut server = Server::start(&home, &["--livy-conf", &conf]);
    assert!(server.get("/sessions").contains("\"total\":0"));
    server.signal(Signal::TERM);
    assert_eq!(server.exit_code(), Some(0));
}
