//! Runs a command, passes its output on as it comes, and reads it line by line on the way.

use std::io::{PipeReader, Read as _, Write as _};
use std::process::{Command, ExitStatus};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::Context as _;

/// The time that the output may stay open after the command has ended. A process that the command
/// left behind keeps it open for as long as it lives.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs a command whose standard output and error go to this program's standard output, in order and
/// in whole lines, so that commands that run side by side stay readable. Answers how it ended, and the lines for which `wanted` says so.
pub fn run(
    mut command: Command,
    wanted: impl Fn(&str) -> bool + Send + 'static,
) -> anyhow::Result<(ExitStatus, Vec<String>)> {
    let (reader, writer) = std::io::pipe().context("cannot make a pipe")?;
    command
        .stdout(writer.try_clone().context("cannot share a pipe")?)
        .stderr(writer);
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start {command:?}"))?;
    // The command holds the writing ends: the output ends when only its processes had them, and
    // they ended.
    drop(command);
    let (lines, found) = mpsc::channel();
    std::thread::spawn(move || {
        pass_on(reader, |line| {
            if wanted(line) {
                let _ = lines.send(line.to_owned());
            }
        });
    });
    let status = child.wait().context("cannot wait for a command")?;
    let mut kept = Vec::new();
    while let Ok(line) = found.recv_timeout(PATIENCE) {
        kept.push(line);
    }
    Ok((status, kept))
}

fn pass_on(mut reader: PipeReader, mut line_ended: impl FnMut(&str)) {
    let mut buffer = vec![0; 64 << 10];
    let mut begun = Vec::new();
    while let Ok(count @ 1..) = reader.read(&mut buffer) {
        begun.extend_from_slice(&buffer[..count]);
        let Some(end) = begun.iter().rposition(|byte| *byte == b'\n') else {
            continue;
        };
        let rest = begun.split_off(end + 1);
        print(&begun);
        for line in begun[..end].split(|byte| *byte == b'\n') {
            line_ended(&String::from_utf8_lossy(line));
        }
        begun = rest;
    }
    print(&begun);
}

fn print(text: &[u8]) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text);
    let _ = stdout.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn lines_of_both_streams_are_read_in_order() {
        let script = "echo one; echo two >&2; printf 'thr'; printf 'ee\\nno end'; exit 3";
        let (status, lines) = run(shell(script), |_| true).expect("sh runs");
        assert_eq!(status.code(), Some(3));
        assert_eq!(lines, ["one", "two", "three"]);
    }

    #[test]
    fn only_wanted_lines_are_kept() {
        let (_, lines) = run(shell("echo a; echo SKIPPED: b"), |line| {
            line.starts_with("SKIPPED")
        })
        .expect("sh runs");
        assert_eq!(lines, ["SKIPPED: b"]);
    }
}
