use std::fs;

use super::*;

const LIMIT: u64 = 1 << 20;

struct Driver {
    _dir: tempfile::TempDir,
    files: MirroredFiles,
}

impl Driver {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(dir.path()).unwrap();
        let files = MirroredFiles {
            stdout: path.join("stdout.log"),
            stderr: path.join("stderr.log"),
            record: path.join("mirror.json"),
        };
        Self { _dir: dir, files }
    }

    fn open(&self) -> Ledger {
        Ledger::open(self.files.clone(), LIMIT).unwrap()
    }

    fn log(&self, output: Output) -> String {
        fs::read_to_string(self.files.log(output)).unwrap()
    }
}

fn container(number: u32) -> Container {
    Container {
        id: format!("container_{number}"),
        node: Some("h:8042".to_owned()),
    }
}

/// Copies what follows, as a mirror does.
fn copy(ledger: &mut Ledger, output: Output, whole: &str) {
    while let Some(piece) = ledger.next(output, whole.len() as u64) {
        let from = usize::try_from(piece.from).unwrap();
        let content = &whole.as_bytes()[from..from + piece.length];
        ledger.append(output, piece, content).unwrap();
    }
}

#[test]
fn output_follows_the_submitters_lines() {
    for (before, after) in [
        ("", "a\nb"),
        ("submitted\n", "submitted\na\nb"),
        ("unended", "unended\na\nb"),
    ] {
        let driver = Driver::new();
        fs::write(&driver.files.stdout, before).unwrap();
        let mut ledger = driver.open();
        ledger.begin(&container(1), None).unwrap();
        copy(&mut ledger, Output::Stdout, "a");
        copy(&mut ledger, Output::Stdout, "a\nb");
        assert_eq!(driver.log(Output::Stdout), after);
        let tail = ledger.tail(Output::Stdout).unwrap();
        assert_eq!(String::from_utf8(tail).unwrap().trim_start(), "a\nb");
        assert_eq!(ledger.tail(Output::Stderr).unwrap(), b"");
    }
}

#[test]
fn a_piece_is_appended_once() {
    let driver = Driver::new();
    let mut ledger = driver.open();
    ledger.begin(&container(1), None).unwrap();
    let piece = ledger.next(Output::Stderr, 2).unwrap();
    for _ in 0..2 {
        ledger.append(Output::Stderr, piece, b"a\n").unwrap();
    }
    // Also by the next server.
    let mut ledger = driver.open();
    assert_eq!(ledger.container(), Some(container(1)));
    ledger.append(Output::Stderr, piece, b"a\n").unwrap();
    copy(&mut ledger, Output::Stderr, "a\nb\n");
    assert_eq!(driver.log(Output::Stderr), "a\nb\n");
}

/// The server is killed at each point of an append.
#[test]
fn an_append_that_was_broken_off_is_repeated_or_kept() {
    for written in ["", "se", "second\n"] {
        let driver = Driver::new();
        let mut ledger = driver.open();
        ledger.begin(&container(1), None).unwrap();
        copy(&mut ledger, Output::Stdout, "first\n");
        let pending = Record {
            pending: Some(Pending {
                output: Output::Stdout,
                append: Append {
                    before: 6,
                    after: 13,
                },
                bytes: 13,
            }),
            ..ledger.record.clone()
        };
        ledger.write(pending).unwrap();
        fs::write(&driver.files.stdout, format!("first\n{written}")).unwrap();
        let mut next = driver.open();
        copy(&mut next, Output::Stdout, "first\nsecond\nthird\n");
        let log = driver.log(Output::Stdout);
        assert_eq!(log, "first\nsecond\nthird\n", "{written:?}");
    }
}

#[test]
fn another_attempt_follows_the_first() {
    let driver = Driver::new();
    let mut ledger = driver.open();
    ledger.begin(&container(1), None).unwrap();
    copy(&mut ledger, Output::Stdout, "one");
    // The same container, and its node is not told any more.
    let mut known = container(1);
    known.node = None;
    ledger.begin(&known, None).unwrap();
    copy(&mut ledger, Output::Stdout, "one,");
    ledger.begin(&container(2), None).unwrap();
    copy(&mut ledger, Output::Stdout, "two\n");
    assert_eq!(
        driver.log(Output::Stdout),
        "one,\nlivius: YARN ran the driver again, in container_2\ntwo\n"
    );
    // The reason is not lost with the server.
    let why = Some("it was cold".to_owned());
    ledger.begin(&container(3), why).unwrap();
    let mut ledger = driver.open();
    copy(&mut ledger, Output::Stderr, "three\n");
    assert_eq!(
        driver.log(Output::Stderr),
        "livius: YARN ran the driver again, in container_3, because it was cold\nthree\n"
    );
}

#[test]
fn a_note_stands_once_on_a_line_of_its_own() {
    let driver = Driver::new();
    let mut ledger = driver.open();
    ledger.begin(&container(1), None).unwrap();
    copy(&mut ledger, Output::Stderr, "half");
    ledger.note("gone").unwrap();
    ledger.note("gone").unwrap();
    let mut ledger = driver.open();
    ledger.note("still gone").unwrap();
    assert_eq!(driver.log(Output::Stderr), "half\nlivius: gone\n");
    // It is no part of the container's log.
    copy(&mut ledger, Output::Stderr, "half\nmore\n");
    assert_eq!(driver.log(Output::Stderr), "half\nlivius: gone\n\nmore\n");
}

#[test]
fn a_log_stays_within_the_limit() {
    let driver = Driver::new();
    let mut ledger = driver.open();
    ledger.begin(&container(1), None).unwrap();
    let limit = usize::try_from(LIMIT).unwrap();
    copy(&mut ledger, Output::Stdout, "begin\n");
    let whole = format!("begin\n{}{}", "x".repeat(3 * limit), "\nend\n");
    copy(&mut ledger, Output::Stdout, &whole);
    let log = driver.log(Output::Stdout);
    let unread = 3 * limit + 5;
    let skipped = unread - limit / 2;
    let line = format!(
        "begin\nlivius: {skipped} bytes of the log were left out, because it reached logs.driver_limit (of an executor: logs.executor_limit)\n[cut] … xxx"
    );
    assert!(log.starts_with(&line), "{}", &log[..200]);
    assert!(log.ends_with("x\nend\n") && log.len() < limit);
    let mut whole = whole;
    for _ in 0..4 {
        whole.push_str(&"y".repeat(limit / 2));
        copy(&mut ledger, Output::Stdout, &whole);
    }
    let file = File::open(&driver.files.stdout).unwrap();
    let metadata = file.metadata().unwrap();
    let on_disk = std::os::unix::fs::MetadataExt::blocks(&metadata) * 512;
    assert!(on_disk <= LIMIT + 64 * 1024, "{on_disk}");
    assert!(ledger.next(Output::Stdout, whole.len() as u64).is_none());
}

#[test]
fn a_record_that_makes_no_sense_is_no_reason_to_copy_again() {
    let driver = Driver::new();
    fs::write(&driver.files.record, "{").unwrap();
    assert!(Ledger::open(driver.files.clone(), LIMIT).is_err());
}
