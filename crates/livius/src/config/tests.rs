//! The layers together.

use camino::Utf8Path;
use livius_sessions::{LocalFiles, ShutdownPolicy};

use super::*;

fn with(variables: &[(&str, &str)], flags: &Flags) -> Result<Configuration, ConfigError> {
    let mut all = vec![("HOME", "/home/ada")];
    all.extend(variables);
    load(flags, &ProcessEnvironment::invented(&all, "/somewhere"))
}

fn set(pairs: &[&str]) -> Flags {
    Flags {
        set: pairs.iter().map(|pair| (*pair).to_owned()).collect(),
        ..Flags::default()
    }
}

fn with_file(
    text: &str,
    variables: &[(&str, &str)],
    flags: &Flags,
) -> (tempfile::TempDir, Result<Configuration, ConfigError>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("livius.toml");
    std::fs::write(&path, text).unwrap();
    let flags = Flags {
        config: Some(path.to_str().unwrap().to_owned()),
        ..flags.clone()
    };
    let resolved = with(variables, &flags);
    (dir, resolved)
}

fn shown(configuration: &Configuration, path: &str) -> String {
    let mut rows = configuration.resolved.rows();
    let (_, sourced) = rows.find(|(known, _)| *known == path).unwrap();
    format!("{} ({})", sourced.value, sourced.origin)
}

#[test]
fn defaults_stand_alone_and_agree_with_the_domain() {
    let resolved = with(&[], &Flags::default()).unwrap();
    let settings = resolved.settings;
    assert_eq!(settings.server.data_dir, "/home/ada/.local/share/livius");
    assert_eq!(settings.server.listen.to_string(), "127.0.0.1:8998");
    assert!(settings.spark.defaults.is_empty());
    assert!(settings.spark.overrides.is_empty());
    assert_eq!(settings.local_files, LocalFiles::Any);
    assert_eq!(settings.sessions.on_shutdown, ShutdownPolicy::Stop);
    assert_eq!(
        format!("{:?}", settings.limits),
        format!("{:?}", livius_domain::Limits::default())
    );
    assert_eq!(
        settings.agent_urls("0.0.0.0:81".parse().unwrap()),
        ["ws://127.0.0.1:81/api/v1/agent"]
    );
}

#[test]
fn runtimes_are_in_the_data_directory_or_apart_from_it() {
    let runtimes = |path: &str| {
        let settings = with(&[], &set(&[path])).unwrap().settings;
        let environment = ProcessEnvironment::invented(&[], "/");
        settings.search(&environment).runtimes
    };
    assert_eq!(runtimes("server.data_dir=/data"), "/data/runtimes");
    assert_eq!(runtimes("server.runtimes_dir=/opt/livius"), "/opt/livius");
}

#[test]
fn each_layer_is_over_the_one_before_and_every_value_knows_its_own() {
    let file = "[sessions]\nmax_live = 1\nidle_timeout = \"2h\"\n\n[spark]\nhome = \"spark\"\nmaster = \"yarn\"\n";
    let variables = [
        ("LIVIUS_SESSIONS_MAX_LIVE", "2"),
        ("SPARK_HOME", "/opt/inherited"),
        ("LIVIUS_LOGS_LEVEL", "debug"),
    ];
    let mut flags = set(&["sessions.max_live=3"]);
    flags.add(
        &sections::logs::LEVEL,
        "--log-level",
        Some(&"warn".to_owned()),
    );
    let (dir, resolved) = with_file(file, &variables, &flags);
    let resolved = resolved.unwrap();
    let dir = Utf8Path::from_path(dir.path()).unwrap();
    let expected = [
        ("sessions.max_live", "3 (flag --set)".to_owned()),
        ("sessions.idle_timeout", format!("2h ({dir}/livius.toml:3)")),
        ("spark.home", format!("{dir}/spark ({dir}/livius.toml:6)")),
        ("logs.level", "warn (flag --log-level)".to_owned()),
        ("sessions.max_ended", "1000 (default)".to_owned()),
    ];
    for (path, text) in expected {
        assert_eq!(shown(&resolved, path), text, "{path}");
    }
    let settings = resolved.settings;
    assert_eq!(settings.spark.overrides["spark.master"], "yarn");
    assert!(!settings.spark.defaults.contains_key("spark.master"));
}

#[test]
fn headers_are_livys_unless_others_are_chosen_or_none() {
    let defaults = with(&[], &Flags::default()).unwrap().settings;
    assert_eq!(
        defaults.server.security_headers,
        livius_http::SecurityHeaders::default()
    );
    let key = "server.header_x_frame_options";
    let other = with(&[], &set(&[&format!("{key}=DENY")])).unwrap();
    let other = other.settings.server.security_headers;
    let none = with(&[], &set(&[&format!("{key}=off")])).unwrap();
    let none = none.settings.server.security_headers;
    assert!(format!("{other:?}").contains("\"DENY\""), "{other:?}");
    assert!(!format!("{none:?}").contains("x-frame-options"), "{none:?}");
    assert!(format!("{none:?}").contains("nosniff"), "{none:?}");
    let refused = with(
        &[("LIVIUS_SERVER_HEADER_X_FRAME_OPTIONS", "a\nb")],
        &Flags::default(),
    );
    let error = refused.unwrap_err().to_string();
    assert!(error.contains(key), "{error}");
    assert!(
        error.contains("write off to leave the header out"),
        "{error}"
    );
}

#[test]
fn inherited_homes_are_the_weakest_word() {
    let inherited = with(&[("SPARK_HOME", "/opt/spark")], &Flags::default()).unwrap();
    assert_eq!(
        shown(&inherited, "spark.home"),
        "/opt/spark (environment SPARK_HOME)"
    );
    let ours = with(
        &[
            ("SPARK_HOME", "/opt/spark"),
            ("LIVIUS_SPARK_HOME", "/opt/ours"),
        ],
        &Flags::default(),
    )
    .unwrap();
    assert_eq!(
        shown(&ours, "spark.home"),
        "/opt/ours (environment LIVIUS_SPARK_HOME)"
    );
}

#[test]
fn spark_configuration_is_merged_entry_by_entry() {
    let file = "[spark.conf]\n\"spark.a\" = \"file\"\nspark.b = 8\nspark.c.d = true\n";
    let flags = Flags {
        conf: vec!["spark.a=flag=x".to_owned()],
        ..set(&["spark.conf.spark.e=set"])
    };
    let (_dir, resolved) = with_file(
        file,
        &[("LIVIUS_SPARK_CONF", "spark.b=env; spark.f=1,2")],
        &flags,
    );
    let resolved = resolved.unwrap();
    let table: Vec<String> = resolved
        .resolved
        .table(&sections::spark::CONF)
        .iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    assert_eq!(
        table,
        [
            "spark.a=flag=x",
            "spark.b=env",
            "spark.c.d=true",
            "spark.e=set",
            "spark.f=1,2"
        ]
    );
    assert_eq!(
        shown(&resolved, "spark.conf.spark.b"),
        "env (environment LIVIUS_SPARK_CONF)"
    );
}

#[test]
fn every_problem_is_told_at_once_with_its_place_and_a_suggestion() {
    let file = "[sesions]\nmax_live = 3\n[sessions]\nidle_timout = \"1h\"\nttl = 10\nmax_live = [1]\n[server]\nmax_live = 2\n";
    let variables = [
        ("LIVIUS_SESSION_TTL", "1h"),
        ("LIVIUS_SERVER_BODY_LIMIT", "big"),
        ("LIVIUS_TEST_PYTHON", "x"),
    ];
    let (dir, resolved) = with_file(file, &variables, &set(&["spark.hme=/x", "nonsense"]));
    let error = resolved.unwrap_err();
    let dir = dir.path().to_str().unwrap();
    let told: Vec<String> = error
        .problems
        .iter()
        .map(|problem| problem.replace(dir, "DIR"))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    DIR/livius.toml:1: there is no section [sesions]; did you mean [sessions]?
    DIR/livius.toml:4: there is no key sessions.idle_timout; did you mean sessions.idle_timeout?
    DIR/livius.toml:5: sessions.ttl: "10" is not a duration: a number and a unit, such as 500ms, 30s, 10m, 2h or 1d; or never
    DIR/livius.toml:6: sessions.max_live: a list where a whole number of at least 1 is needed
    DIR/livius.toml:8: there is no key server.max_live; did you mean sessions.max_live?
    environment LIVIUS_SERVER_BODY_LIMIT: server.body_limit: "big" is not a size in bytes, such as 65536, 64k, 64m or 1g
    environment LIVIUS_SESSION_TTL: no key is set by this variable; did you mean LIVIUS_SESSIONS_TTL?
    flag --set: there is no key spark.hme; did you mean spark.home?
    flag --set: "nonsense" is not KEY=VALUE
    "#);
}

#[test]
fn a_file_that_is_not_toml_is_told_by_line() {
    let (_dir, resolved) = with_file("[server]\nlisten = \n", &[], &Flags::default());
    let error = resolved.unwrap_err().to_string();
    assert!(error.contains("livius.toml:2: "), "{error}");
    let missing = Flags {
        config: Some("nowhere.toml".to_owned()),
        ..Flags::default()
    };
    let error = with(&[], &missing).unwrap_err().to_string();
    assert!(
        error.contains("/somewhere/nowhere.toml: cannot be read"),
        "{error}"
    );
}

#[test]
fn the_users_own_file_is_read_when_it_is_there() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("livius");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("livius.toml"), "[sessions]\nmax_live = 7\n").unwrap();
    let resolved = with(
        &[("XDG_CONFIG_HOME", home.path().to_str().unwrap())],
        &Flags::default(),
    )
    .unwrap();
    assert!(shown(&resolved, "sessions.max_live").starts_with("7 ("));
}

#[test]
fn a_public_address_is_refused_unless_allowed() {
    for address in ["0.0.0.0:8998", "[::]:8998", "192.168.1.5:80"] {
        let error = with(&[], &set(&[&format!("server.listen={address}")]))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("can be reached by other machines"),
            "{address}: {error}"
        );
        let allowed = set(&[
            &format!("server.listen={address}"),
            "server.allow_public_without_authentication=true",
        ]);
        let settings = with(&[], &allowed).unwrap().settings;
        assert_eq!(settings.local_files, LocalFiles::Under(vec![]), "{address}");
    }
    for address in ["127.0.0.1:0", "127.8.8.8:80", "[::1]:8998"] {
        assert!(
            with(&[], &set(&[&format!("server.listen={address}")])).is_ok(),
            "{address}"
        );
    }
}

#[test]
fn impersonation_is_refused_while_nobody_is_authenticated_unless_allowed() {
    let error = with(&[], &set(&["impersonation.enabled=true"]))
        .unwrap_err()
        .to_string();
    assert!(error.contains("act as any user"), "{error}");
    assert!(
        error.contains("impersonation.allow_without_authentication"),
        "{error}"
    );
    let allowed = set(&[
        "impersonation.enabled=true",
        "impersonation.allow_without_authentication=true",
    ]);
    let settings = with(&[], &allowed).unwrap().settings;
    assert!(settings.impersonation.enabled);
    assert_eq!(settings.local_files, LocalFiles::Under(vec![]));
    let off = set(&["impersonation.superusers=ann"]);
    assert!(!with(&[], &off).unwrap().settings.impersonation.enabled);
}

#[test]
fn other_local_users_are_named_by_number_or_name() {
    for (text, expected) in [
        ("", LocalUsers::OwnAnd([].into())),
        ("33,root", LocalUsers::OwnAnd([0, 33].into())),
        ("33,*", LocalUsers::Any),
    ] {
        let pair = format!("server.local_users={text}");
        let settings = with(&[], &set(&[&pair])).unwrap().settings;
        assert_eq!(settings.server.local_users, expected, "{text}");
    }
}

#[test]
fn what_only_looks_right_is_refused_too() {
    let cases = [
        (
            "server.agent_url=http://x",
            "does not begin with ws:// or wss://",
        ),
        (
            "server.host_names=gw.example,http://gw",
            "\"http://gw\" is not a host's name",
        ),
        ("server.host_names=gw:8998", "is not a host's name"),
        (
            "server.local_users=no-such-user",
            "there is no user \"no-such-user\" in /etc/passwd",
        ),
        ("server.local_users=-1", "there is no user"),
        (
            "logs.level=info,=",
            "is not a level or a list of directives",
        ),
        ("sessions.on_shutdown=wait", "is not one of stop, keep"),
        ("sessions.max_live=0", "is not a whole number of at least 1"),
    ];
    for (pair, message) in cases {
        let error = with(&[], &set(&[pair])).unwrap_err().to_string();
        assert!(error.contains(message), "{pair}: {error}");
    }
    let homeless = load(
        &Flags::default(),
        &ProcessEnvironment::invented(&[], "/somewhere"),
    )
    .unwrap_err()
    .to_string();
    assert!(
        homeless.contains("there is no home directory"),
        "{homeless}"
    );
}

#[test]
fn limits_of_kubernetes_hold_for_the_servers_own_configuration() {
    let master = "spark.master=k8s://https://h:6443";
    let template = "spark.kubernetes.driver.podTemplateFile";
    let named = format!("spark.conf.{template}=/etc/pod.yaml");
    let settings = with(&[], &set(&[master])).unwrap().settings.kubernetes;
    assert_eq!(settings.limits.own_masters, ["k8s://https://h:6443"]);
    assert_eq!(settings.limits.namespaces, ["*"]);
    assert_eq!(settings.pages.address, None);
    let account = "spark.kubernetes.authenticate.driver.serviceAccountName";
    let own = format!("spark.conf.{account}=spark");
    let limits = with(&[], &set(&[master, &own]))
        .unwrap()
        .settings
        .kubernetes
        .limits;
    assert_eq!(limits.own_service_accounts, ["spark"]);
    assert!(limits.service_accounts.is_empty());
    let ui = "kubernetes.spark_ui=https://ui/{namespace}/{pod}/";
    let allowed = "kubernetes.pod_templates=/etc/pod.yaml";
    with(&[], &set(&[master, &named, allowed, ui])).unwrap();
    // Without an API server as the master, nothing asks Kubernetes for it.
    with(&[], &set(&[&named])).unwrap();
    let refused = format!(
        "spark.conf.{template}: every session and batch would be refused: the server's setting kubernetes.pod_templates"
    );
    for (pairs, message) in [
        (vec![master, &named], &*refused),
        (
            vec!["spark.master=k8s://ftp://h"],
            "spark.master: every session and batch would be refused: write the master as k8s://https://host:port",
        ),
        (
            vec!["kubernetes.masters=https://good@evil"],
            "kubernetes.masters: \"https://good@evil\" is not the address of an API server",
        ),
        (
            vec!["kubernetes.host_paths=mnt"],
            "kubernetes.host_paths: \"mnt\" is not an absolute path",
        ),
        (
            vec!["kubernetes.spark_ui=https://ui/{node}"],
            "has no names in braces but {namespace}, {pod}, {app}, {driver}, {service}",
        ),
        (
            vec!["kubernetes.spark_ui=javascript:x"],
            "it begins with http:// or https://",
        ),
    ] {
        let error = with(&[], &set(&pairs)).unwrap_err().to_string();
        assert!(error.contains(message), "{pairs:?}: {error}");
    }
}

#[test]
fn the_objects_of_drivers_are_read_and_checked() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ui.yaml");
    let setting = format!("kubernetes.ingress={}", file.display());
    let read = |more: &[&str]| {
        let pairs = [&[&*setting], more].concat();
        let read = with(&[], &set(&pairs));
        read.map(|it| it.settings.kubernetes.pages)
            .map_err(|error| error.to_string())
    };
    let missing = read(&[]).unwrap_err();
    assert!(
        missing.contains("kubernetes.ingress: cannot read the file"),
        "{missing}"
    );
    let ingress = |host: &str| {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nspec: {{ rules: [{{ host: \"{host}\" }}] }}\n"
        )
    };
    std::fs::write(&file, ingress("{driver}.ui.example.com")).unwrap();
    let pages = read(&[]).unwrap();
    assert_eq!(
        pages.address.as_deref(),
        Some("http://{driver}.ui.example.com/")
    );
    assert!(pages.objects.is_some());
    let pages = read(&["kubernetes.spark_ui=https://ui/{service}/"]).unwrap();
    assert_eq!(pages.address.as_deref(), Some("https://ui/{service}/"));
    std::fs::write(&file, ingress("{host}")).unwrap();
    let bad = read(&[]).unwrap_err();
    assert!(
        bad.contains("ui.yaml is no template for the objects of drivers: document 1: spec.rules.host: {host} stands for no name")
            && bad.contains("correct it"),
        "{bad}"
    );
    std::fs::write(&file, vec![b'#'; 70_000]).unwrap();
    let long = read(&[]).unwrap_err();
    assert!(long.contains("it is longer than 65536 bytes"), "{long}");
    std::fs::write(&file, b"\xff").unwrap();
    assert!(read(&[]).unwrap_err().contains("cannot read the file"));
}

/// Every setting with a duration, with texts that are strange: they do what they say, or are
/// refused.
#[test]
fn strange_durations_do_what_they_say_or_are_refused() {
    const DAY: u64 = 24 * 60 * 60;
    let read = |path: &str, text: &str| {
        let resolved = with(&[], &set(&[&format!("{path}={text}")]));
        resolved
            .map(|it| it.settings)
            .map_err(|error| error.to_string())
    };
    let keys = sections::all().filter(|key| {
        matches!(
            key.shape,
            value::Shape::Duration | value::Shape::DurationOrNever
        )
    });
    let mut with_never = Vec::new();
    for path in keys.map(|key| key.path) {
        for text in ["9999999d", "584942417355us", "1us"] {
            read(path, text).unwrap_or_else(|error| panic!("{path} = {text}: {error}"));
        }
        for text in [
            "-1s",
            "0",
            "10",
            "999999999999d",
            "99999999999999999999s",
            "1.5h",
            "s",
            "",
        ] {
            let error = read(path, text).unwrap_err();
            assert!(error.contains(path), "{path} = {text}: {error}");
        }
        if path == "sessions.start_timeout" {
            assert!(
                read(path, "0s")
                    .unwrap_err()
                    .contains("every session would fail")
            );
        } else {
            read(path, "0s").unwrap();
        }
        match read(path, "never") {
            Ok(_) => with_never.push(path),
            Err(error) => assert!(error.contains("\"never\" is not a duration"), "{error}"),
        }
    }
    // A driver that ignores requests to stop must be killed at some time.
    let expected = [
        "server.shutdown_timeout",
        "sessions.idle_timeout",
        "sessions.ttl",
        "sessions.start_timeout",
        "sessions.link_grace",
        "sessions.retention",
        "batches.retention",
    ];
    assert_eq!(with_never, expected);
    let long = read("sessions.retention", "9999999d").unwrap().limits;
    assert_eq!(long.ended_retention.as_secs(), 9_999_999 * DAY);
    let never = read("sessions.idle_timeout", "never").unwrap().limits;
    let zero = read("sessions.idle_timeout", "0s").unwrap().limits;
    assert_eq!(never.idle_timeout, zero.idle_timeout);
}

#[test]
fn pools_are_read_from_sections_variables_and_flags() {
    let text = r#"
        [sessions]
        pool_memory = "2g"

        [pools.notebooks]
        level = "ready"
        kind = "pyspark"
        driver_memory = "2g"
        num_executors = 2
        jars = ["/a.jar", "hdfs:/b.jar"]
        conf = { "spark.sql.shuffle.partitions" = 16 }
        min = 2
        max = 6
        max_age = "30m"
        hours = ["Mon-Fri 07:00-19:00", "Sat 08:00-12:00"]
        users = ["ann", "bob"]

        [pools.any]
        level = "primed"
        conf.spark.x = 1
    "#;
    let flags = set(&["pools.any.min=3", "pools.any.conf.spark.y=2"]);
    let (_dir, read) = with_file(
        text,
        &[("LIVIUS_POOLS", "any.max=4;env.level=primed")],
        &flags,
    );
    let pools = read.unwrap().settings.sessions.pools;
    assert_eq!((pools.enabled, pools.memory), (true, Some(2 << 30)));
    let [any, env, notebooks] = &pools.templates[..] else {
        panic!("{:?}", pools.templates)
    };
    assert_eq!((any.min, any.max, env.min, env.max), (3, 4, 1, 1));
    let conf = &any.request.submit.conf;
    assert_eq!((&*conf["spark.x"], &*conf["spark.y"]), ("1", "2"));
    assert_eq!((notebooks.min, notebooks.max), (2, 6));
    assert_eq!(notebooks.max_age, std::time::Duration::from_mins(30));
    assert_eq!(notebooks.users, ["ann", "bob"]);
    assert!(notebooks.hours.is_some());
    let submit = &notebooks.request.submit;
    assert_eq!(submit.jars, ["/a.jar", "hdfs:/b.jar"]);
    assert_eq!(submit.num_executors, Some(2));
    assert_eq!(submit.conf["spark.sql.shuffle.partitions"], "16");
}

#[test]
fn a_wrong_pool_is_refused_with_its_place() {
    for (line, says) in [
        ("min = -1", "pools.p.min: "),
        ("max = 0", "pools.p.max: it must be at least min"),
        ("mim = 1", "pools.p.mim: there is no such key of a pool"),
        ("level = \"hot\"", "pools.p.level: write ready or primed"),
        (
            "hours = \"always\"",
            "pools.p.hours: \"always\" is not a window of time",
        ),
        ("time_zone = \"Mars\"", "pools.p.time_zone: "),
        ("max_age = \"0s\"", "pools.p.max_age: "),
        ("jars = [\"a.jar\"]", "pools.p.jars: \"a.jar\" is relative"),
        ("driver_memory = \"much\"", "pools.p: "),
        ("kind = \"cobol\"", "pools.p: "),
    ] {
        let text =
            format!("[pools.p]\nkind = \"sql\"\n{line}\n").replace("kind = \"sql\"\nkind", "kind");
        let (_dir, read) = with_file(&text, &[], &Flags::default());
        let error = read.unwrap_err().to_string();
        assert!(error.contains(says), "{line}: {error}");
        assert!(error.contains("livius.toml:"), "{line}: {error}");
    }
    for (text, says) in [
        (
            "[pools.p]\nmin = 1\n",
            "pools.p.kind: a ready driver has a kind",
        ),
        ("[pools]\nmin = 1\n", "write [pools.min]"),
        ("[pools.\"a b\"]\nmin = 1\n", "the name of a pool"),
        (
            "[sessions]\npool_memory = \"much\"\n",
            "sessions.pool_memory: \"much\" is neither auto",
        ),
    ] {
        let (_dir, read) = with_file(text, &[], &Flags::default());
        let error = read.unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}
