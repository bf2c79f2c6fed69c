//! The rule as a property.

use proptest::prelude::*;

use super::*;

fn configuration() -> Configuration {
    Configuration {
        kind: Kind::PySpark,
        conf: BTreeMap::new(),
        user: None,
        owner: None,
        sql_max_rows: 1000,
        cancel_grace_ms: 30_000,
        installation: "a".to_owned(),
    }
}

/// Names of all sorts, so that most pairs of configurations share some.
fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "spark.app.name",
        "spark.master",
        "spark.driver.memory",
        "spark.driver.extraJavaOptions",
        "spark.executor.memory",
        "spark.jars",
        "spark.files",
        "spark.submit.pyFiles",
        "spark.archives",
        "spark.jars.packages",
        "spark.yarn.queue",
        "spark.sql.shuffle.partitions",
        "spark.sql.ansi.enabled",
        "spark.sql.warehouse.dir",
        "spark.sql.catalog.c",
        "spark.my.password",
        "spark.x",
    ])
    .prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "",
        "1",
        "2g",
        "/a.jar",
        "/a.jar,/b.jar",
        "/p.py",
        "hdfs:/c.jar",
        "/x/*.jar",
    ])
    .prop_map(str::to_owned)
}

prop_compose! {
    fn any_configuration()(
        kind in prop::sample::select(Kind::ALL.to_vec()),
        conf in prop::collection::btree_map(name(), value(), 0..6),
        user in prop::option::of(prop::sample::select(vec!["ann".to_owned(), "bob".to_owned()])),
        owner in prop::option::of(prop::sample::select(vec!["ann".to_owned(), "bob".to_owned()])),
        sql_max_rows in 1_u64..3,
        cancel_grace_ms in 1_u64..3,
        installation in prop::sample::select(vec!["a".to_owned(), "b".to_owned()]),
    ) -> Configuration {
        Configuration { kind, conf, user, owner, sql_max_rows, cancel_grace_ms, installation }
    }
}

fn level() -> impl Strategy<Value = Level> {
    prop::sample::select(vec![Level::Primed, Level::Ready])
}

/// The entries of a list, sorted: their order is not kept when files are added.
fn sorted(list: Option<&String>) -> Vec<&str> {
    let list = list.map(String::as_str).unwrap_or_default();
    let mut entries: Vec<&str> = list.split(',').filter(|it| !it.is_empty()).collect();
    entries.sort_unstable();
    entries.dedup();
    entries
}

/// What a session sees of a ready driver that has got its late settings.
fn applied(had: &Configuration, late: &Late, name: &str) -> Vec<String> {
    let mut entries: Vec<String> = match late.conf.get(name).or_else(|| had.conf.get(name)) {
        Some(value) => vec![value.clone()],
        None => Vec::new(),
    };
    if matches!(name, "spark.jars" | "spark.files" | "spark.submit.pyFiles") {
        let added = late.files.iter().filter(|(used_as, file)| {
            let of_python = file == "/p.py";
            match name {
                "spark.files" => *used_as == ResourceUse::File,
                "spark.jars" => *used_as == ResourceUse::Library && !of_python,
                _ => *used_as == ResourceUse::Library && of_python,
            }
        });
        let before = sorted(had.conf.get(name)).into_iter().map(str::to_owned);
        entries = before.chain(added.map(|(_, file)| file.clone())).collect();
        entries.sort_unstable();
        entries.dedup();
    }
    entries
}

proptest! {
    #[test]
    fn a_driver_serves_a_request_for_its_own_configuration(configuration in any_configuration(), level in level()) {
        let late = fit(level, &configuration, &configuration).unwrap();
        prop_assert!(late.files.is_empty());
        if level == Level::Ready {
            prop_assert!(late.conf.is_empty());
        }
    }

    #[test]
    fn a_driver_of_another_user_is_never_handed_over(had in any_configuration(), wanted in any_configuration(), level in level()) {
        let foreign = had.user != wanted.user || (had.owner.is_some() && had.owner != wanted.owner);
        if foreign {
            prop_assert!(fit(level, &had, &wanted).is_err());
        }
    }

    #[test]
    fn a_ready_driver_has_everything_that_the_request_wants(had in any_configuration(), wanted in any_configuration()) {
        let Ok(late) = fit(Level::Ready, &had, &wanted) else { return Ok(()) };
        prop_assert_eq!((&had.user, had.kind), (&wanted.user, wanted.kind));
        prop_assert_eq!(&had.installation, &wanted.installation);
        for name in had.conf.keys().chain(wanted.conf.keys()).filter(|name| *name != "spark.app.name") {
            let is_list = matches!(name.as_str(), "spark.jars" | "spark.files" | "spark.submit.pyFiles");
            let expected: Vec<String> = if is_list {
                sorted(wanted.conf.get(name)).into_iter().map(str::to_owned).collect()
            } else {
                wanted.conf.get(name).cloned().into_iter().collect()
            };
            prop_assert_eq!(applied(&had, &late, name), expected, "{}", name);
        }
        for name in late.conf.keys() {
            prop_assert!(name.starts_with("spark.sql."), "{}", name);
        }
    }

    #[test]
    fn a_primed_driver_gets_the_whole_configuration_and_has_its_flags(had in any_configuration(), wanted in any_configuration()) {
        let Ok(late) = fit(Level::Primed, &had, &wanted) else { return Ok(()) };
        prop_assert_eq!(&late.conf, &wanted.conf);
        for name in ["spark.master", "spark.driver.memory", "spark.driver.extraJavaOptions", "spark.jars.packages", "spark.yarn.queue"] {
            prop_assert_eq!(had.conf.get(name), wanted.conf.get(name), "{}", name);
        }
    }

    #[test]
    fn a_miss_names_a_key_that_differs_and_shows_no_secret(had in any_configuration(), wanted in any_configuration(), level in level()) {
        let Err(differs) = fit(level, &had, &wanted) else { return Ok(()) };
        if differs.key.starts_with("spark.") && !differs.key.contains(' ') {
            prop_assert_ne!(had.conf.get(&differs.key), wanted.conf.get(&differs.key));
        }
        if differs.key.contains("password") {
            for shown in [&differs.wanted, &differs.had].into_iter().flatten() {
                prop_assert!(shown.is_empty() || shown == crate::redact::REDACTED);
            }
        }
    }
}

#[test]
fn what_a_miss_says() {
    let with = |name: &str, value: &str| Configuration {
        conf: [(name.to_owned(), value.to_owned())].into(),
        ..configuration()
    };
    let of_ann = Configuration {
        user: Some("ann".to_owned()),
        ..configuration()
    };
    let scala = Configuration {
        kind: Kind::Spark,
        ..configuration()
    };
    for (wanted, says) in [
        (
            with("spark.driver.memory", "4g"),
            r#"spark.driver.memory is "4g" here and not set in the pool, and cannot be set late"#,
        ),
        (
            of_ann,
            r#"proxyUser is "ann" here and not set in the pool, and cannot be set late"#,
        ),
        (
            scala,
            r#"kind is "spark" here and "pyspark" in the pool, and cannot be set late"#,
        ),
    ] {
        let differs = fit(Level::Ready, &configuration(), &wanted).unwrap_err();
        assert_eq!(differs.to_string(), says);
    }
    let long = with("spark.driver.memory", &"é".repeat(300));
    let differs = fit(Level::Ready, &configuration(), &long).unwrap_err();
    assert_eq!(differs.wanted.unwrap().chars().count(), 201);
}

#[test]
fn a_driver_that_is_for_anyone_serves_a_known_user() {
    let wanted = Configuration {
        owner: Some("ann".to_owned()),
        ..configuration()
    };
    assert!(fit(Level::Ready, &configuration(), &wanted).is_ok());
    assert!(fit(Level::Ready, &wanted, &configuration()).is_err());
}
