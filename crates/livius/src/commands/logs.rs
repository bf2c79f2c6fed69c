//! `livius logs`: prints the log of a session or a batch, once or while it grows.

use livius_client::follow::{follow, pinned};
use livius_client::log::{LogError, LogReader, Sink, tail};
use livius_client::text::escaped_lines;
use livius_client::{Collection, Livy, Reference};

use crate::cli::Logs;
use crate::commands::connection;
use crate::config::ProcessEnvironment;
use crate::exit::Ending;
use crate::runtime::on_runtime;
use crate::terminal::{complain, put, stdout_is_terminal};

/// Runs the command.
pub fn run(arguments: &Logs) -> anyhow::Result<Ending> {
    let livy = connection::open(&arguments.server, &ProcessEnvironment::of_this_process())?;
    let reference = Reference::parse(Collection::of(arguments.batch), &arguments.which)?;
    on_runtime(async {
        let reference = pinned(&livy, &reference).await?;
        tolerated(print(&livy, &reference, arguments).await)?;
        Ok(Ending::Good)
    })
}

async fn print(livy: &Livy, reference: &Reference, arguments: &Logs) -> Result<(), LogError> {
    let sink = &mut *printer();
    if arguments.follow {
        let lines = arguments.tail.map(|lines| lines as usize);
        let entry = follow(livy, reference, lines, sink).await?;
        let noun = reference.collection.noun();
        complain(&match entry {
            Some(entry) => format!("livius: {noun} {} is {}", entry.id, entry.state),
            None => format!("livius: {noun} {} is gone", arguments.which),
        });
    } else if let Some(lines) = arguments.tail {
        for line in without_bare_headings(tail(livy, reference, lines).await?) {
            sink(&line).map_err(LogError::Sink)?;
        }
    } else {
        LogReader::new(livy, reference).poll(sink).await?;
    }
    Ok(())
}

/// A closed pipe is not an error.
fn tolerated(result: Result<(), LogError>) -> anyhow::Result<()> {
    match result {
        Err(LogError::Sink(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(LogError::Client(error)) => Err(error.into()),
        other => Ok(other?),
    }
}

/// Prints lines. On a terminal, control characters are escaped.
pub fn printer() -> Box<Sink<'static>> {
    let is_terminal = stdout_is_terminal();
    Box::new(move |line| {
        if is_terminal {
            put(&format!("{}\n", escaped_lines(line)))
        } else {
            put(&format!("{line}\n"))
        }
    })
}

/// The lines without the first heading, and without headings of empty sections.
fn without_bare_headings(lines: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for line in lines {
        let is_heading = line.starts_with('\n');
        if is_heading && kept.last().is_some_and(|last| last.starts_with('\n')) {
            kept.pop();
        }
        if line != "stdout: " {
            kept.push(line);
        }
    }
    kept.pop_if(|last| last.starts_with('\n'));
    kept.iter()
        .map(|line| line.trim_start_matches('\n').to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_told_when_something_follows() {
        let cases: [(&[&str], &[&str]); 4] = [
            (&["stdout: ", "a", "\nstderr: "], &["a"]),
            (&["a", "\nstderr: ", "b"], &["a", "stderr: ", "b"]),
            (
                &["stdout: ", "\nstderr: ", "\nYARN Diagnostics: ", "c"],
                &["YARN Diagnostics: ", "c"],
            ),
            (&["stdout: ", "\nstderr: "], &[]),
        ];
        for (lines, expected) in cases {
            let lines = lines.iter().map(|line| (*line).to_owned()).collect();
            assert_eq!(without_bare_headings(lines), expected);
        }
    }
}
