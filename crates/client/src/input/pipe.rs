//! Reads statements from a pipe or a file.

use std::collections::VecDeque;
use std::io::BufRead as _;

use tokio::sync::mpsc;

use super::Entered;
use super::splitter::Splitter;

/// Standard input, line by line.
#[derive(Debug)]
pub struct Pipe {
    lines: mpsc::Receiver<std::io::Result<String>>,
    splitter: Splitter,
    ready: VecDeque<String>,
}

impl Pipe {
    /// Starts to read.
    pub fn open() -> Self {
        let (sender, lines) = mpsc::channel(64);
        // A read of standard input cannot be cancelled. In its own thread it does not keep the
        // process from ending.
        std::thread::spawn(move || {
            let mut stdin = std::io::stdin().lock();
            loop {
                let mut line = Vec::new();
                let read = match stdin.read_until(b'\n', &mut line) {
                    Ok(0) => return,
                    Ok(_) => {
                        let line = String::from_utf8_lossy(&line);
                        Ok(line.trim_end_matches(['\n', '\r']).to_owned())
                    }
                    Err(error) => Err(error),
                };
                let failed = read.is_err();
                if sender.blocking_send(read).is_err() || failed {
                    return;
                }
            }
        });
        Self {
            lines,
            splitter: Splitter::default(),
            ready: VecDeque::new(),
        }
    }

    /// Reads the next statement. `kind` applies unless the statement names its own.
    pub async fn next(&mut self, kind: &str) -> Entered {
        loop {
            if let Some(code) = self.ready.pop_front() {
                return Entered::Code(code);
            }
            match self.lines.recv().await {
                Some(Ok(line)) => self.ready.extend(self.splitter.feed(&line, kind)),
                Some(Err(error)) => return Entered::Failed(error.to_string()),
                None => return self.splitter.finish().map_or(Entered::End, Entered::Code),
            }
        }
    }
}
