//! The registry against Livy's own list of keys, and the files' way into the configuration.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::keys::{self, Meaning};
use super::*;
use crate::config::Configuration;
use crate::config::flags::Flags;
use crate::config::problem::ConfigError;
use crate::config::process_environment::ProcessEnvironment;
use crate::config::resolved::{Origin, Resolved};
use crate::config::sections as ours;
use crate::config::value::Shape;

const KEYS: &str = include_str!("tests/keys.txt");
const SERVER: &str = include_str!("tests/livy.conf");
const CLIENT: &str = include_str!("tests/livy-client.conf");
const BLACKLIST: &str = include_str!("tests/spark-blacklist.conf");
/// The configuration that the import makes of them.
const IMPORTED: &str = include_str!("tests/livius.toml");

/// Names that no specification lists, and that files of Livy's have all the same.
const BESIDES: [&str; 12] = [
    "livy.jars",
    "livy.repl.sparkr.package",
    "livy.server.server-url",
    "livy.server.serverUrl",
    "livy.server.session.factory",
    "livy.pyspark.archives",
    "livy.sparkr.package",
    "livy.uri",
    "livy.server.ha.mode",
    "livy.server.zk.services",
    "livy.server.kubernetes.allowedNamespaces",
    "livy.server.kubernetes.defaultNamespace",
];

/// A directory of Livy's.
struct Directory {
    dir: tempfile::TempDir,
}

impl Directory {
    fn with(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        Self { dir }
    }

    fn of(server: &str) -> Self {
        Self::with(&[("livy.conf", server)])
    }

    fn whole() -> Self {
        Self::with(&[
            ("livy.conf", SERVER),
            ("livy-client.conf", CLIENT),
            ("spark-blacklist.conf", BLACKLIST),
            ("livy-env.sh", "export HADOOP_CONF_DIR=/etc/hadoop\n"),
        ])
    }

    fn path(&self) -> &str {
        self.dir.path().to_str().unwrap()
    }

    fn import(&self) -> Import {
        import(Some(self.path()), &environment(&[])).unwrap()
    }

    fn flags(&self) -> Flags {
        Flags {
            livy_conf: Some(self.path().to_owned()),
            ..Flags::default()
        }
    }

    fn load(&self, set: &[&str]) -> Result<Resolved, ConfigError> {
        let flags = Flags {
            set: set.iter().map(|pair| (*pair).to_owned()).collect(),
            ..self.flags()
        };
        let loaded = crate::config::load(&flags, &environment(&[]));
        loaded.map(|configuration| configuration.resolved)
    }

    fn plain(&self, text: &str) -> String {
        text.replace(self.path(), "DIR")
    }
}

fn environment(variables: &[(&str, &str)]) -> ProcessEnvironment {
    let mut all = vec![("HOME", "/home/ada")];
    all.extend(variables);
    ProcessEnvironment::invented(&all, "/somewhere")
}

/// The values of a configuration that are not defaults, by key.
fn said(resolved: &Resolved) -> BTreeMap<String, String> {
    resolved
        .rows()
        .filter(|(_, sourced)| sourced.origin != Origin::Default)
        .map(|(path, sourced)| (path.to_owned(), sourced.value.to_string()))
        .collect()
}

fn load_toml(text: &str) -> Result<Resolved, ConfigError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("livius.toml");
    std::fs::write(&path, text).unwrap();
    let flags = Flags {
        config: Some(path.to_str().unwrap().to_owned()),
        ..Flags::default()
    };
    let loaded = crate::config::load(&flags, &environment(&[]));
    loaded.map(|configuration| configuration.resolved)
}

#[test]
fn every_key_of_livy_is_known_and_no_other() {
    let listed: BTreeSet<&str> = KEYS
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    assert!(listed.len() > 200, "{}", listed.len());
    let missing: Vec<&&str> = listed
        .iter()
        .filter(|name| keys::find(name).is_none())
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    let invented: Vec<&str> = keys::all()
        .flat_map(|key| [Some(key.name), key.old])
        .flatten()
        .filter(|name| !name.contains('<') && !listed.contains(name) && !BESIDES.contains(name))
        .collect();
    assert!(invented.is_empty(), "{invented:?}");
}

#[test]
fn every_name_is_there_once() {
    let names: Vec<&str> = keys::all()
        .flat_map(|key| [Some(key.name), key.old])
        .flatten()
        .collect();
    let unique: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(names.len(), unique.len());
}

#[test]
fn every_setting_that_is_mapped_to_takes_livys_default() {
    for key in keys::all() {
        if !matches!(key.meaning, Meaning::Maps(_)) || key.default.is_empty() {
            continue;
        }
        let files = Directory::of(&format!("{} = {}\n", key.name, key.default));
        let report = files.import().report;
        let decisions = usize::from(key.name == "livy.server.host");
        assert!(
            report.contains(&format!("0 unknown, {decisions} that need a decision")),
            "{}: {report}",
            key.name
        );
    }
}

/// Files of Livy's, and their values in our configuration.
const BECOMES: &[(&str, &str)] = &[
    (
        "livy.spark.file-list-configs = spark.a, spark.b",
        "spark.file_list_conf=[spark.a, spark.b]",
    ),
    (
        "livy.server.http.header.X-Frame-Options = DENY",
        "server.header_x_frame_options=DENY",
    ),
    (
        "livy.server.http.header.X-Frame-Options =",
        "server.header_x_frame_options=off",
    ),
    (
        "livy.server.host = localhost",
        "server.listen=127.0.0.1:8998",
    ),
    (
        "livy.server.host = ::1\nlivy.server.port = 0",
        "server.listen=[::1]:0",
    ),
    ("livy.server.host = [::1]", "server.listen=[::1]:8998"),
    ("livy.server.port = 80", "server.listen=127.0.0.1:80"),
    (
        "livy.server.spark-home = /opt/spark",
        "spark.home=/opt/spark",
    ),
    ("livy.spark.master = yarn", "spark.master=yarn"),
    (
        "livy.spark.master = yarn-cluster",
        "spark.master=yarn-cluster",
    ),
    ("livy.spark.deployMode = client", "spark.deploy_mode=client"),
    ("livy.spark.deploy-mode =", ""),
    (
        "livy.file.local-dir-whitelist = /a,/b  /c/",
        "files.local_directories=[/a, /b, /c/]",
    ),
    (
        "livy.impersonation.enabled = yes",
        "impersonation.enabled=false",
    ),
    ("livy.superusers = *", "impersonation.superusers=[*]"),
    (
        "livy.server.session.timeout = 90000",
        "sessions.idle_timeout=90s",
    ),
    (
        "livy.server.session.timeout = 2 h",
        "sessions.idle_timeout=2h",
    ),
    (
        "livy.server.session.timeout-check = false",
        "sessions.idle_timeout=never",
    ),
    (
        "livy.server.session.timeout-check = false\nlivy.server.session.timeout = 2h",
        "sessions.idle_timeout=never",
    ),
    ("livy.server.session.timeout-check = true", ""),
    ("livy.server.session.ttl = 5h", ""),
    ("livy.server.session.ttl-check = true", "sessions.ttl=8h"),
    (
        "livy.server.session.ttl-check = true\nlivy.server.session.ttl = 5h",
        "sessions.ttl=5h",
    ),
    (
        "livy.server.session.ttl-check = false\nlivy.server.session.ttl = 5h",
        "",
    ),
    (
        "livy.server.session.ttl-check = true\nlivy.server.session.ttl = 5h\nlivy.server.session.timeout-check = false",
        "sessions.idle_timeout=never",
    ),
    (
        "livy.server.session.state-retain.sec = 600",
        "batches.retention=600ms sessions.retention=600ms",
    ),
    (
        "livy.server.session.max-creation = 7",
        "batches.max_running=7 sessions.max_live=7",
    ),
    (
        "livy.server.session.allow-custom-classpath = false",
        "spark.blocked_conf=[spark.submit.deployMode]",
    ),
    ("livy.server.session.allow-custom-classpath = true", ""),
    (
        "livy.repl.enableHiveContext = true",
        "spark.conf.spark.sql.catalogImplementation=hive",
    ),
    ("livy.repl.enable-hive-context = false", ""),
    (
        "livy.server.recovery.mode = recovery",
        "batches.on_shutdown=keep sessions.on_shutdown=keep",
    ),
    (
        "livy.server.recovery.mode = off",
        "batches.on_shutdown=stop sessions.on_shutdown=stop",
    ),
    (
        "livy.rsc.client.shutdown_timeout = 3s",
        "sessions.stop_grace=3s",
    ),
    (
        "livy.rsc.server.idle-timeout = 1h",
        "sessions.link_grace=1h",
    ),
    ("livy.rsc.server.connect.timeout = 90s", ""),
    (
        "livy.rsc.server.connect.timeout = 20m",
        "sessions.start_timeout=20m",
    ),
    (
        "livy.rsc.retained-statements = 5",
        "sessions.retained_statements=5",
    ),
    (
        "livy.rsc.job-cancel.timeout = 2m",
        "sessions.cancel_grace=2m",
    ),
    ("livy.rsc.sql.num-rows = 5", "sessions.sql_max_rows=5"),
    (
        "livy.rsc.sql.num-rows = 5\nlivy.rsc.sql.num-rows = 6",
        "sessions.sql_max_rows=6",
    ),
    (
        "livy.server.csrf-protection.enabled = true\nlivy.server.access-control.enabled = false",
        "server.csrf_protection=true",
    ),
    (
        "livy.server.csrf_protection.enabled = true",
        "server.csrf_protection=true",
    ),
];

#[test]
fn what_texts_become() {
    for (text, expected) in BECOMES {
        let resolved = Directory::of(text).load(&[]);
        let said = said(&resolved.unwrap_or_else(|error| panic!("{text}: {error}")));
        let told: Vec<String> = said
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        assert_eq!(told.join(" "), *expected, "{text}");
    }
}

/// Files of Livy's, and a part of the one sentence that they are refused with.
const REFUSED: &[(&str, &str)] = &[
    (
        "livy.impersonation.enabled = TRUE",
        "livy.conf:1: livy.impersonation.enabled: impersonation.enabled: this server authenticates nobody",
    ),
    (
        "livy.server.http.header.X-Frame-Options = \\u03c0",
        "livy.conf:1: livy.server.http.header.X-Frame-Options: the text of a header has one line of printable ASCII characters",
    ),
    (
        "\nlivy.server.host = gateway",
        "livy.conf:2: livy.server.host: \"gateway\" is a name: this server listens on addresses, so write the one that the name stands for",
    ),
    (
        "livy.server.port = http",
        "livy.conf:1: livy.server.port: \"http\" is not a port",
    ),
    (
        "livy.server.host = 0.0.0.0\nlivy.server.port = 1",
        "livy.conf:1: livy.server.host, livy.server.port: server.listen: 0.0.0.0:1 can be reached by other machines",
    ),
    (
        "livy.server.spark-home = spark",
        "livy.server.spark-home: \"spark\" is not absolute",
    ),
    (
        "livy.file.local-dir-whitelist = /a b",
        "\"b\" is not absolute",
    ),
    (
        "livy.server.session.timeout = 0",
        "here it would mean never",
    ),
    (
        "livy.server.session.timeout = soon",
        "Invalid time string: soon: write a number and a unit",
    ),
    (
        "livy.server.session.max-creation = 0",
        "\"0\" is not a whole number of at least 1",
    ),
    (
        "livy.server.recovery.mode = on",
        "\"on\" is not one of off, recovery",
    ),
    (
        "livy.spark.deploy-mode = Cluster",
        "\"Cluster\" is not one of client, cluster",
    ),
    (
        "livy.spark.master = local\nlivy.spark.deploy-mode = cluster",
        "livy.conf:2: livy.spark.deploy-mode: spark.deploy_mode: cluster mode needs YARN, Kubernetes (k8s://…) or a standalone master",
    ),
    (
        "livy.spark.master = yarn-cluster\nlivy.spark.deploy-mode = client",
        "livy.conf:2: livy.spark.deploy-mode: spark.deploy_mode: every session and batch would be refused, because the server cannot run a driver at yarn-cluster",
    ),
    (
        "livy.server.auth.type = kerberos",
        "this protection cannot be taken over: the server has no authentication yet; let a proxy",
    ),
    (
        "livy.server.access_control.enabled = true",
        "the server has no access control yet",
    ),
    ("livy.keystore = /k.jks", "does not speak TLS yet"),
    ("livy.rsc.rpc.sasl.qop = auth-conf", "wss://"),
];

#[test]
fn what_cannot_be_followed_is_told_with_its_place_and_a_remedy() {
    for (text, expected) in REFUSED {
        let directory = Directory::of(text);
        let error = directory.load(&[]).unwrap_err();
        assert_eq!(error.problems.len(), 1, "{text}: {error}");
        assert!(error.problems[0].contains(expected), "{text}: {error}");
        let import = directory.import();
        assert!(!import.settled, "{text}");
        assert!(load_toml(&import.document).is_ok(), "{}", import.document);
    }
}

#[test]
fn one_bad_half_of_an_address_is_told_once() {
    let directory = Directory::of("livy.server.host = gateway\nlivy.server.port = 8999\n");
    assert_eq!(directory.load(&[]).unwrap_err().problems.len(), 1);
    let directory = Directory::of("livy.server.host = 127.0.0.1\nlivy.server.port = x\n");
    assert_eq!(directory.load(&[]).unwrap_err().problems.len(), 1);
}

#[test]
fn the_layer_lies_over_the_defaults_and_under_our_own_file() {
    let directory = Directory::of(
        "livy.server.spark-home = /opt/livys\nlivy.rsc.sql.num-rows = 5\nlivy.spark.master = yarn\n",
    );
    let own = Utf8PathBuf::from(directory.path()).join("livius.toml");
    std::fs::write(&own, "[sessions]\nsql_max_rows = 6\n").unwrap();
    let flags = Flags {
        config: Some(own.to_string()),
        ..Flags::default()
    };
    let variables = [
        ("SPARK_HOME", "/opt/inherited"),
        ("LIVIUS_LIVY_CONF", directory.path()),
    ];
    let Configuration { settings, resolved } =
        crate::config::load(&flags, &environment(&variables)).unwrap();
    let shown = |path: &str| {
        let mut rows = resolved.rows();
        let (_, sourced) = rows.find(|(known, _)| *known == path).unwrap();
        directory.plain(&format!("{} ({})", sourced.value, sourced.origin))
    };
    assert_eq!(
        shown("spark.home"),
        "/opt/livys (DIR/livy.conf:1: livy.server.spark-home)"
    );
    assert_eq!(shown("sessions.sql_max_rows"), "6 (DIR/livius.toml:2)");
    assert_eq!(
        shown("spark.master"),
        "yarn (DIR/livy.conf:3: livy.spark.master)"
    );
    assert_eq!(
        settings.spark.overrides["spark.master"], "yarn",
        "an operator's word, as with Livy"
    );
    assert_eq!(
        settings.spark.home.as_deref(),
        Some(Utf8Path::new("/opt/livys"))
    );
}

#[test]
fn a_stronger_layer_heals_what_livys_files_say() {
    let directory = Directory::of("livy.server.host = 0.0.0.0\n");
    assert!(directory.load(&[]).is_err());
    assert!(directory.load(&["server.listen=127.0.0.1:0"]).is_ok());
    assert!(
        directory
            .load(&["server.allow_public_without_authentication=true"])
            .is_ok()
    );
}

#[test]
fn credentials_for_kubernetes_are_those_of_the_submission() {
    let directory = Directory::of(
        "livy.server.kubernetes.oauthTokenFile = /token\nlivy.server.kubernetes.caCertFile = /ca.pem\n\
         livy.server.kubernetes.clientCertFile = /cert.pem\nlivy.server.kubernetes.clientKeyFile = /key.pem\n",
    );
    let prefix = "spark.conf.spark.kubernetes.authenticate.submission";
    let expected = [
        ("caCertFile", "/ca.pem"),
        ("clientCertFile", "/cert.pem"),
        ("clientKeyFile", "/key.pem"),
        ("oauthTokenFile", "/token"),
    ];
    let expected = expected.map(|(name, file)| (format!("{prefix}.{name}"), file.to_owned()));
    assert_eq!(said(&directory.load(&[]).unwrap()), expected.into());
    let relative = Directory::of("livy.server.kubernetes.caCertFile = ca.pem\n");
    let error = relative.load(&[]).unwrap_err().to_string();
    assert!(error.contains("\"ca.pem\" is not absolute"), "{error}");
}

#[test]
fn what_is_unknown_is_noted_and_keeps_nothing_from_working() {
    let text = "livy.server.sesion.timeout = 1h\nspark.master = yarn\nlivy.ui.basePath = /x\nlivy.server.session.state-retain.sec = 9\n";
    let directory = Directory::of(text);
    let resolved = directory.load(&[]).unwrap();
    let notes: Vec<String> = resolved
        .notes()
        .iter()
        .map(|note| directory.plain(note))
        .collect();
    assert_eq!(
        notes,
        [
            "DIR/livy.conf:1: livy.server.sesion.timeout: not followed: Livy has no such key; did you mean livy.server.session.timeout?",
            "DIR/livy.conf:2: spark.master: not followed: Livy ignores keys that do not begin with livy. as well",
            "DIR/livy.conf:3: livy.ui.basePath: not followed: `/` always redirects to `/ui`",
            "DIR/livy.conf:4: livy.server.session.state-retain.sec: Livy takes a bare number for milliseconds, whatever the key is called: 9 is 9ms",
        ]
    );
    assert_eq!(said(&resolved).len(), 2);
}

#[test]
fn a_whole_installation_is_imported() {
    let directory = Directory::whole();
    let import = directory.import();
    assert_eq!(directory.plain(&import.document), IMPORTED);
    assert!(!import.settled, "one key is unknown");
}

#[test]
fn what_was_imported_says_what_reading_directly_says() {
    let directory = Directory::whole();
    let direct = said(&directory.load(&[]).unwrap());
    let imported = said(&load_toml(&directory.import().document).unwrap());
    assert_eq!(direct, imported);
    assert!(direct.len() > 15, "{direct:?}");
    // Livy has no pools.
    let is_livys = |path: &str| path != "pools";
    for key in ours::all().filter(|key| key.shape == Shape::Table && is_livys(key.path)) {
        assert!(direct.keys().any(|path| path.starts_with(key.path)));
    }
}

#[test]
fn texts_cannot_break_out_of_the_document() {
    let odd = "livy.spark.master = a\\\"b\\\\\\nc\n\
               livy.x\\n[server]\\nlisten = 1\n";
    let blacklist = "spark.a\\nb \nspark.\\\"c\\\" x\n";
    let client = "spark.k\\ e\\=y\\n = \\u0001\\u007f v\n";
    let directory = Directory::with(&[
        ("livy.conf", odd),
        ("spark-blacklist.conf", blacklist),
        ("livy-client.conf", client),
    ]);
    let document = directory.import().document;
    let imported = load_toml(&document).unwrap_or_else(|error| panic!("{error}\n{document}"));
    assert_eq!(said(&imported), said(&directory.load(&[]).unwrap()));
}

#[test]
fn no_secret_is_told_that_is_not_taken_over() {
    let directory = Directory::of(
        "livy.keystore.password = hush\nlivy.rsc.client.auth.secret = hush\nlivy.key-pasword = hush\n",
    );
    let import = directory.import();
    assert!(!import.document.contains("hush"), "{}", import.document);
    let notes = directory.load(&[]).unwrap().notes().join("\n");
    assert!(!notes.contains("hush"), "{notes}");
}

#[test]
fn the_files_are_found_where_livy_finds_them() {
    let home = Directory::with(&[]);
    let conf = home.dir.path().join("conf");
    std::fs::create_dir(&conf).unwrap();
    std::fs::write(conf.join("livy.conf"), "livy.spark.master = a\n").unwrap();
    let other = Directory::of("livy.spark.master = b\n");
    let found = |from: Option<&str>, variables: &[(&str, &str)]| {
        import(from, &environment(variables)).map(|import| import.document)
    };
    let both = [("LIVY_HOME", home.path()), ("LIVY_CONF_DIR", other.path())];
    assert!(found(None, &both[..1]).unwrap().contains("master = \"a\""));
    assert!(found(None, &both).unwrap().contains("master = \"b\""));
    let file = conf.join("livy.conf");
    assert!(
        found(file.to_str(), &both)
            .unwrap()
            .contains("master = \"a\"")
    );
    let cases = [
        (None, "name its directory with --from DIR"),
        (home.dir.path().to_str(), "there is no livy.conf"),
        (
            Some("/no/such/livy.conf"),
            "/no/such/livy.conf: cannot be read",
        ),
    ];
    for (from, expected) in cases {
        let error = found(from, &[]).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn one_file_is_read_by_its_name() {
    let directory = Directory::whole();
    let blacklist = format!("{}/spark-blacklist.conf", directory.path());
    let import = import(Some(&blacklist), &environment(&[])).unwrap();
    assert!(import.settled);
    assert!(import.document.contains(
        "# spark.master, spark.submit.deployMode, spark.yarn.jars and 1 more, from spark-blacklist.conf:2,3,5,6\n\
         blocked_conf = [\"spark.master\", \"spark.submit.deployMode\", \"spark.yarn.jars\", \"livy.rsc.server.idle-timeout\"]\n"
    ), "{}", import.document);
}
