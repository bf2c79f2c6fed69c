//! For tests: programs that a test writes and runs.

use std::io::Write as _;
use std::process::{Command, Stdio};

use camino::Utf8Path;

/// Writes an executable script, and the directories above it.
///
/// A child process writes the file. If the test itself had it open, a process that another thread starts at this
/// moment would inherit the descriptor, and the kernel would refuse to run the script ("text file busy").
///
/// # Panics
///
/// If the file cannot be written.
#[expect(
    clippy::unwrap_used,
    reason = "a test that cannot set itself up has failed"
)]
pub fn write_program(path: &Utf8Path, script: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut shell = Command::new("sh")
        .args(["-c", r#"cat > "$0" && chmod 755 "$0""#, path.as_str()])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = shell.stdin.take().unwrap();
    input.write_all(script.as_bytes()).unwrap();
    drop(input);
    assert!(shell.wait().unwrap().success(), "cannot write {path}");
}
