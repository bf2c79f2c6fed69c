//! Tests with tables of real files.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicU32};

use camino::Utf8PathBuf;
use proptest::prelude::*;
use tempfile::TempDir;

use super::file::{CUT, LINE_BYTES, TAIL_BYTES};
use super::*;

impl LogFile {
    fn read(&self, from: u64, count: u64) -> io::Result<Vec<String>> {
        let mut lines = Vec::new();
        self.read_within(from, count, &mut Budget::new(ANSWER_BYTES), &mut lines)?;
        Ok(lines)
    }
}

struct Logs {
    directory: TempDir,
    log: DriverLog,
}

impl Logs {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let path = |name| Utf8PathBuf::from_path_buf(directory.path().join(name)).unwrap();
        let log = DriverLog::new(path("stdout.log"), path("stderr.log"));
        Self { directory, log }
    }

    fn append(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.directory.path().join(name);
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .unwrap()
            .write_all(bytes.as_ref())
            .unwrap();
    }

    fn out(bytes: impl AsRef<[u8]>) -> Self {
        let logs = Self::new();
        logs.append("stdout.log", bytes);
        logs
    }

    fn file(&self) -> &LogFile {
        &self.log.stdout
    }

    fn all(&self) -> Vec<String> {
        self.log.page(0, -1).unwrap().lines
    }

    /// Returns the tail. Checks that the page and a second call agree.
    fn tail(&self, count: usize) -> Vec<String> {
        let tail = self.log.tail(count).unwrap();
        assert_eq!(
            tail,
            self.log
                .page(-1, i64::try_from(count).unwrap())
                .unwrap()
                .lines
        );
        assert_eq!(tail, self.log.tail(count).unwrap());
        tail
    }
}

#[test]
fn what_a_line_is() {
    let cases: [(&[u8], &[&str]); 12] = [
        (b"", &[]),
        (b"\n", &[""]),
        (b"a", &["a"]),
        (b"a\n", &["a"]),
        (b"a\n\n", &["a", ""]),
        (b"a\nb", &["a", "b"]),
        (b"a\r\nb\r\n", &["a", "b"]),
        (b"a\r\r\n\r\n\r", &["a\r", "", ""]),
        (b"10%\r20%\r30%\n", &["10%\r20%\r30%"]),
        (
            b"\xff\xfea\xc3\n\xc3\xa9",
            &["\u{fffd}\u{fffd}a\u{fffd}", "é"],
        ),
        (b"a\0b\n", &["a\0b"]),
        ("\u{2028}🤔\u{85}\n".as_bytes(), &["\u{2028}🤔\u{85}"]),
    ];
    for (bytes, expected) in cases {
        let logs = Logs::out(bytes);
        let file = logs.file();
        assert_eq!(file.lines().unwrap(), expected.len() as u64, "{bytes:?}");
        assert_eq!(file.read(0, u64::MAX).unwrap(), expected, "{bytes:?}");
        assert_eq!(file.last(usize::MAX).unwrap().lines, expected, "{bytes:?}");
        assert_eq!(
            file.last(1).unwrap().lines,
            expected[expected.len().saturating_sub(1)..],
            "{bytes:?}"
        );
        assert_eq!(file.last(0).unwrap().lines, [""; 0]);
        logs.tail(2);
        logs.tail(10);
    }
}

#[test]
fn pages_are_livys() {
    let logs = Logs::new();
    logs.append("stdout.log", "a\nb\n");
    logs.append("stderr.log", "c\nd\ne");
    let all = ["stdout: ", "a", "b", "\nstderr: ", "c", "d", "e"];
    let cases: [(i64, i64, i64, &[&str]); 19] = [
        (-1, 100, 0, &all),
        (-1, 7, 0, &all),
        (-1, 6, 1, &all[1..]),
        (-1, 2, 5, &all[5..]),
        (-7, 2, 5, &all[5..]),
        (i64::MIN, 1, 6, &all[6..]),
        (-1, -1, 0, &all),
        (-1, i64::MIN, 0, &all),
        (2, -1, 2, &all[2..]),
        (0, 1, 0, &all[..1]),
        (0, 4, 0, &all[..4]),
        (1, 2, 1, &all[1..3]),
        (2, 3, 2, &all[2..5]),
        (6, i64::MAX, 6, &all[6..]),
        (7, 1, 7, &[]),
        (1_000, 5, 1_000, &[]),
        (i64::MAX, i64::MAX, i64::MAX, &[]),
        (-1, 0, 7, &[]),
        (3, 0, 3, &[]),
    ];
    for (from, size, answered, expected) in cases {
        let page = logs.log.page(from, size).unwrap();
        let expected = LogLines {
            from: answered,
            total: 7,
            lines: expected.iter().map(|line| (*line).to_owned()).collect(),
        };
        assert_eq!(page, expected, "from {from} size {size}");
    }
    for count in 0..9 {
        assert_eq!(logs.tail(count), all[all.len().saturating_sub(count)..]);
    }
}

#[test]
fn without_files_there_are_the_headings() {
    let logs = Logs::new();
    assert_eq!(
        logs.log.page(-1, 100).unwrap(),
        LogLines {
            from: 0,
            total: 2,
            lines: vec!["stdout: ".to_owned(), "\nstderr: ".to_owned()],
        }
    );
    assert_eq!(logs.tail(1), ["\nstderr: "]);
    assert_eq!(logs.tail(10), ["stdout: ", "\nstderr: "]);
    assert_eq!(logs.file().lines().unwrap(), 0);
    assert_eq!(logs.file().read(0, 9).unwrap(), [""; 0]);
}

#[test]
fn what_is_appended_is_found() {
    let logs = Logs::new();
    let steps: [(&str, &str, &[&str]); 6] = [
        ("stderr.log", "wa", &["stdout: ", "\nstderr: ", "wa"]),
        ("stderr.log", "rn", &["stdout: ", "\nstderr: ", "warn"]),
        (
            "stdout.log",
            "a\n",
            &["stdout: ", "a", "\nstderr: ", "warn"],
        ),
        ("stderr.log", "\n", &["stdout: ", "a", "\nstderr: ", "warn"]),
        (
            "stderr.log",
            "\nx",
            &["stdout: ", "a", "\nstderr: ", "warn", "", "x"],
        ),
        (
            "stdout.log",
            "b",
            &["stdout: ", "a", "b", "\nstderr: ", "warn", "", "x"],
        ),
    ];
    for (name, text, expected) in steps {
        logs.append(name, text);
        assert_eq!(logs.all(), expected);
        assert_eq!(logs.tail(10), expected);
    }
}

#[test]
fn a_file_that_is_cut_replaced_or_removed_is_read_anew() {
    let logs = Logs::out("line\n".repeat(5_000));
    let path = logs.directory.path().join("stdout.log");
    assert_eq!(logs.file().lines().unwrap(), 5_000);
    File::create(&path).unwrap().write_all(b"cut\n").unwrap();
    assert_eq!(logs.all()[1], "cut");
    assert_eq!(logs.tail(9), ["stdout: ", "cut", "\nstderr: "]);
    let other = logs.directory.path().join("other");
    fs::write(&other, "longer than it was\n2\n").unwrap();
    fs::rename(&other, &path).unwrap();
    assert_eq!(
        logs.tail(9),
        ["stdout: ", "longer than it was", "2", "\nstderr: "]
    );
    fs::remove_file(&path).unwrap();
    assert_eq!(logs.tail(9), ["stdout: ", "\nstderr: "]);
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let logs = Logs::new();
    fs::create_dir(logs.directory.path().join("stdout.log")).unwrap();
    assert!(logs.log.page(0, 10).is_err());
    assert!(logs.log.tail(10).is_err());
}

#[test]
fn two_hundred_thousand_lines() {
    let text = (0..200_000)
        .map(|number| format!("line {number}\n"))
        .collect::<Vec<_>>()
        .concat();
    let logs = Logs::out(&text);
    let file = logs.file();
    assert_eq!(file.lines().unwrap(), 200_000);
    for from in [
        0, 1, 998, 999, 1_000, 1_001, 123_456, 198_999, 199_000, 199_999,
    ] {
        let expected: Vec<String> = (from..200_000)
            .take(3)
            .map(|number| format!("line {number}"))
            .collect();
        assert_eq!(file.read(from, 3).unwrap(), expected, "from {from}");
    }
    assert_eq!(file.read(200_000, 3).unwrap(), [""; 0]);
    assert_eq!(file.read(u64::MAX, u64::MAX).unwrap(), [""; 0]);
    assert_eq!(logs.tail(3), ["line 199998", "line 199999", "\nstderr: "]);
    assert_eq!(logs.tail(5_000)[..2], ["line 195001", "line 195002"]);
    assert_eq!(logs.all().len(), 200_002);
    logs.append("stdout.log", text);
    assert_eq!(file.lines().unwrap(), 400_000);
    assert_eq!(file.read(321_000, 1).unwrap(), ["line 121000"]);
}

#[test]
fn long_lines_are_cut_with_a_note() {
    let note = " … [cut after 65536 bytes]";
    let cases = [
        ("x".repeat(LINE_BYTES), "x".repeat(LINE_BYTES)),
        ("x".repeat(LINE_BYTES + 1), "x".repeat(LINE_BYTES) + note),
        ("x".repeat(9 * LINE_BYTES), "x".repeat(LINE_BYTES) + note),
        ("é".repeat(LINE_BYTES), "é".repeat(LINE_BYTES / 2) + note),
        (
            "x".to_owned() + &"é".repeat(LINE_BYTES),
            "x".to_owned() + &"é".repeat(LINE_BYTES / 2 - 1) + note,
        ),
    ];
    for (line, expected) in cases {
        for end in ["", "\n", "\nlast"] {
            let logs = Logs::out(format!("first\n{line}{end}"));
            let lines = logs.file().read(0, 9).unwrap();
            assert_eq!(lines[0], "first");
            assert!(
                lines[1] == expected,
                "{} instead of {} bytes",
                lines[1].len(),
                expected.len()
            );
            assert_eq!(
                lines.get(2).map(String::as_str),
                end.strip_prefix('\n').filter(|last| !last.is_empty())
            );
        }
    }
}

#[test]
fn a_tail_has_what_fits_into_the_end_of_a_file() {
    let window = usize::try_from(TAIL_BYTES).unwrap();
    let x = |count: usize| "x".repeat(count);
    let cut = |rest: String| format!("{CUT}{rest}");
    let err = || "\nstderr: ".to_owned();
    let cases = [
        (
            format!("first\n{}\nlast\n", x(window)),
            vec![cut(x(window - 6)), "last".to_owned(), err()],
        ),
        (x(window + 1), vec![cut(x(window)), err()]),
        (format!("first\n{}", x(window)), vec![cut(x(window)), err()]),
        // The cut part is a line end or the only character of the line.
        (format!("a\n{}", x(window - 1)), vec![x(window - 1), err()]),
        (
            "é\n".to_owned() + &x(window - 2),
            vec![x(window - 2), err()],
        ),
        (
            format!("{}é{}", x(9), x(window - 1)),
            vec![cut(x(window - 1)), err()],
        ),
        (x(window), vec!["stdout: ".to_owned(), x(window), err()]),
    ];
    for (text, expected) in cases {
        let logs = Logs::out(&text);
        let tail = logs.log.tail(10).unwrap();
        assert!(
            tail == expected,
            "{} bytes: {} lines",
            text.len(),
            tail.len()
        );
    }
}

#[test]
fn a_cut_tail_says_nothing_of_the_other_file() {
    let logs = Logs::out("out\n");
    logs.append("stderr.log", "y".repeat(LINE_BYTES * 2));
    logs.append("stderr.log", "\nlast");
    assert_eq!(logs.log.tail(1).unwrap(), ["last"]);
    let tail = logs.log.tail(10).unwrap();
    assert_eq!((tail.len(), tail[1].as_str()), (2, "last"));
    assert!(tail[0].starts_with(CUT));
}

/// Checking all of it would take minutes.
#[test]
fn a_tail_costs_the_same_however_long_the_file_is() {
    let logs = Logs::out("");
    let file = File::options()
        .write(true)
        .open(logs.directory.path().join("stdout.log"));
    file.unwrap().set_len(1 << 40).unwrap();
    logs.append("stdout.log", "\nlast\n");
    let tail = logs.log.tail(10).unwrap();
    assert_eq!(tail[tail.len() - 2..], ["last", "\nstderr: "]);
    assert!(tail.iter().any(|line| is_marker(line)), "{tail:?}");
}

#[test]
fn an_answer_is_bounded_and_can_be_continued() {
    let line = "0123456789abcdef".repeat(64);
    let logs = Logs::out(format!("{line}\n").repeat(20_000));
    logs.append("stderr.log", "the end");
    let (mut from, mut answers, mut seen) = (0, 0, Vec::new());
    loop {
        let LogLines { total, lines, .. } = logs.log.page(from, -1).unwrap();
        assert!(lines.iter().map(String::len).sum::<usize>() <= ANSWER_BYTES + 100);
        assert_eq!(total, 20_003);
        if lines.is_empty() {
            break;
        }
        from += i64::try_from(lines.len()).unwrap();
        answers += 1;
        seen.extend(lines);
    }
    assert_eq!((answers, seen.len()), (2, 20_003));
    assert_eq!(seen.last().unwrap(), "the end");
}

#[test]
fn a_tail_of_a_moment_ago_is_there_without_a_look_at_the_files() {
    let logs = Logs::out("one\ntwo\n");
    let begun = Instant::now();
    assert_eq!(logs.log.tail_seen_since(begun, 2), None);
    let first = logs.log.tail(2).unwrap();
    logs.append("stdout.log", "three\n");
    assert_eq!(logs.log.tail_seen_since(begun, 2), Some(first.clone()));
    assert_eq!(logs.log.tail_seen_since(begun, 3), None);
    let later = Instant::now();
    assert_eq!(logs.log.tail_seen_since(later, 2), None);
    let second = logs.log.tail(2).unwrap();
    assert_ne!(first, second);
    // The files have not changed, but were looked at.
    assert_eq!(logs.log.tail_seen_since(later, 2), Some(second.clone()));
    let latest = Instant::now();
    logs.log.tail(2).unwrap();
    assert_eq!(logs.log.tail_seen_since(latest, 2), Some(second));
    // A reader that waits for the disk holds up no other.
    let _reading = logs.log.last_tail.lock().unwrap();
    assert_eq!(logs.log.tail_seen_since(begun, 2), None);
}

#[test]
#[ignore = "measures"]
fn how_long_it_takes() {
    let timed = |what: &str, rounds: u32, one: &dyn Fn()| {
        let begin = std::time::Instant::now();
        (0..rounds).for_each(|_| one());
        println!("{what}: {:?}", begin.elapsed() / rounds);
    };
    let logs = Logs::out(format!("{}\n", "x".repeat(99)).repeat(2_000_000));
    logs.append("stderr.log", format!("{}\n", "y".repeat(99)).repeat(10_000));
    timed("tail of 10, first", 1, &|| drop(logs.log.tail(10).unwrap()));
    timed("tail of 10, nothing changed", 10_000, &|| {
        drop(logs.log.tail(10).unwrap());
    });
    timed("tail of 10, grown", 1_000, &|| {
        logs.append("stderr.log", "one more line\n");
        logs.log.tail(10).unwrap();
    });
    timed("first page of 100 from 200 MB", 1, &|| {
        drop(logs.log.page(-1, 100).unwrap());
    });
    timed("page of 100, nothing changed", 1_000, &|| {
        drop(logs.log.page(1_234_567, 100).unwrap());
    });
    timed("all, up to the bound", 3, &|| {
        drop(logs.log.page(-1, -1).unwrap());
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A file that grew in pieces reads like the whole text.
    #[test]
    fn pieces_make_no_difference(pieces in prop::collection::vec("[ab\r\n]{0,9}", 0..12), count in 0usize..9) {
        let logs = Logs::new();
        for piece in &pieces {
            logs.append("stdout.log", piece);
            let count = logs.file().lines().unwrap();
            prop_assert_eq!(logs.file().read(0, u64::MAX).unwrap().len() as u64, count);
        }
        let whole = Logs::out(pieces.concat());
        prop_assert_eq!(logs.all(), whole.all());
        prop_assert_eq!(logs.tail(count), whole.tail(count));
    }
}

/// Lines of this log differ in length and have characters of several bytes.
fn numbered(from: usize, to: usize) -> String {
    let lines: Vec<String> = (from..to).map(|n| format!("{n} höchst 🤔 x\n")).collect();
    lines.concat()
}

fn keep(logs: &Logs, limit: u64) -> u64 {
    let path = logs.directory.path().join("stdout.log");
    let file = OpenOptions::new().append(true).open(path).unwrap();
    keeper::keep_within(&file, limit).unwrap();
    std::os::unix::fs::MetadataExt::blocks(&file.metadata().unwrap()) * 512
}

fn is_marker(line: &str) -> bool {
    line.contains("bytes of output were removed here") && line.contains("logs.driver_limit")
}

#[test]
fn a_log_within_its_limit_stays_as_it_is() {
    let text = numbered(0, 1_000);
    let logs = Logs::out(&text);
    let before = logs.all();
    keep(&logs, text.len() as u64);
    assert_eq!(logs.all(), before);
}

/// The first part and the newest part stay, whatever was written, however often the middle goes.
#[test]
fn the_middle_of_a_long_log_is_replaced_by_one_line() {
    const LIMIT: u64 = 256 << 10;
    let logs = Logs::new();
    let mut last = 0;
    for round in 1..=40 {
        logs.append("stdout.log", numbered(last, last + 3_000));
        last += 3_000;
        let kept = keep(&logs, LIMIT);
        assert!(
            kept <= LIMIT + (64 << 10),
            "round {round} keeps {kept} bytes"
        );
        let lines = logs.all();
        let end = lines.len() - 1; // the heading of stderr
        assert_eq!(lines[1], "0 höchst 🤔 x");
        assert_eq!(lines[end - 1], format!("{} höchst 🤔 x", last - 1));
        assert!(
            lines.iter().all(|line| !line.contains('\0')),
            "round {round}"
        );
        assert!(
            lines.iter().all(|line| !line.contains('\u{fffd}')),
            "round {round}"
        );
        let markers = lines.iter().filter(|line| is_marker(line)).count();
        assert_eq!(markers, usize::from(round > 4), "round {round}");
        // A reader that was not there before sees the same lines.
        let path = |name| Utf8PathBuf::from_path_buf(logs.directory.path().join(name)).unwrap();
        let fresh = DriverLog::new(path("stdout.log"), path("stderr.log"));
        assert_eq!(fresh.page(0, -1).unwrap().lines, lines);
        assert_eq!(fresh.page(-1, 5).unwrap().lines, lines[lines.len() - 5..]);
        assert_eq!(logs.log.tail(5).unwrap(), lines[lines.len() - 5..]);
        let total = u64::try_from(lines.len()).unwrap();
        assert_eq!(logs.log.page(0, 1).unwrap().total, total);
    }
    // Each line can be read by its number, around the gap as well.
    let lines = logs.all();
    let marker = lines.iter().position(|line| is_marker(line)).unwrap();
    assert!(lines[marker + 1].starts_with(CUT), "{}", lines[marker + 1]);
    for at in marker - 3..marker + 4 {
        let page = logs.log.page(i64::try_from(at).unwrap(), 2).unwrap();
        assert_eq!(page.lines, lines[at..at + 2]);
    }
}

/// One line that never ends is bounded too.
#[test]
fn output_without_line_ends_is_bounded() {
    let logs = Logs::out("ä".repeat(1 << 20));
    let kept = keep(&logs, 256 << 10);
    assert!(kept <= 320 << 10, "{kept}");
    let lines = logs.all();
    assert_eq!(lines.len(), 5, "{}", lines.len());
    assert!(lines[1].starts_with("ää") && is_marker(&lines[2]));
    assert!(lines[3].starts_with(CUT));
    assert!(lines.iter().all(|line| !line.contains(['\0', '\u{fffd}'])));
}

/// Readers that read while the middle is removed never see zeros.
#[test]
fn a_reader_is_not_disturbed() {
    let logs = Logs::out(numbered(0, 20_000));
    let (done, reads) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..60 {
                // The supervisor leaves readers some time, too.
                let before = reads.load(SeqCst);
                while reads.load(SeqCst) == before {
                    std::thread::yield_now();
                }
                logs.append("stdout.log", numbered(round * 20_000, (round + 1) * 20_000));
                keep(&logs, 128 << 10);
            }
            done.store(true, SeqCst);
        });
        while !done.load(SeqCst) {
            reads.fetch_add(1, SeqCst);
            let lines = logs.all();
            assert_eq!(lines[1], "0 höchst 🤔 x");
            assert!(lines.iter().all(|line| !line.contains('\0')));
            assert!(
                logs.log
                    .tail(20)
                    .unwrap()
                    .iter()
                    .all(|line| !line.contains('\0'))
            );
        }
    });
}

/// A file system without holes: the end of the file goes, and a line says so.
#[test]
fn without_holes_the_end_is_removed() {
    let logs = Logs::out(numbered(0, 10_000));
    let path = logs.directory.path().join("stdout.log");
    let file = OpenOptions::new().append(true).open(path).unwrap();
    keeper::shorten(&file, 4096).unwrap();
    logs.append("stdout.log", "later\n");
    let lines = logs.all();
    assert_eq!(lines[1], "0 höchst 🤔 x");
    let end = lines.len() - 1;
    assert_eq!(lines[end - 1], "later");
    assert!(
        lines[end - 2].contains("output was removed here"),
        "{}",
        lines[end - 2]
    );
}

fn news(
    logs: &Logs,
    place: (u64, u64),
    most: u64,
    is_over: bool,
) -> (Vec<String>, (u64, u64), bool) {
    let (stdout, stderr) = place;
    let news = logs
        .log
        .past(LogPlace { stdout, stderr }, most, is_over)
        .unwrap();
    let lines = news.lines.into_iter();
    let told = |(stream, line)| format!("{stream:?} {line}");
    (
        lines.map(told).collect(),
        (news.place.stdout, news.place.stderr),
        news.is_cut,
    )
}

#[test]
fn a_follower_gets_each_line_once_when_it_has_ended() {
    let logs = Logs::new();
    assert_eq!(news(&logs, (0, 0), 9, false), (vec![], (0, 0), false));
    logs.append("stdout.log", "a\nb\nhalf");
    logs.append("stderr.log", "c\n");
    let first = ["Stdout a", "Stdout b", "Stderr c"]
        .map(String::from)
        .to_vec();
    assert_eq!(news(&logs, (0, 0), 9, false), (first, (2, 1), false));
    let short = ["Stdout b"].map(String::from).to_vec();
    assert_eq!(news(&logs, (1, 0), 1, false), (short, (2, 0), false));
    assert_eq!(news(&logs, (2, 1), 9, false), (vec![], (2, 1), false));
    let last = ["Stdout half"].map(String::from).to_vec();
    assert_eq!(news(&logs, (2, 1), 9, true), (last, (3, 1), false));
    assert_eq!(news(&logs, (7, 1), 9, false), (vec![], (2, 1), true));
    for (count, place) in [(0, (3, 1)), (1, (3, 0)), (2, (2, 0)), (99, (0, 0))] {
        let before = logs.log.before_last(count).unwrap();
        assert_eq!((before.stdout, before.stderr), place, "{count}");
    }
}
