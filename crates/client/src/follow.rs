//! Follows a log until its session or batch has ended.

use std::collections::VecDeque;

use crate::answers::Entry;
use crate::error::ClientError;
use crate::livy::Livy;
use crate::log::{LogError, LogReader, Sink};
use crate::pace::Pace;
use crate::reference::Reference;

/// Passes lines to the sink until the end, then returns the last state of the session or batch.
/// Returns `None` if the server no longer has it.
///
/// `tail` limits the lines that exist at the start to the last ones.
pub async fn follow(
    livy: &Livy,
    reference: &Reference,
    tail: Option<usize>,
    sink: &mut Sink<'_>,
) -> Result<Option<Entry>, LogError> {
    let followed = until_end(livy, reference, tail, sink).await;
    match followed {
        Err(LogError::Client(error)) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
        Ok(entry) => Ok(Some(entry)),
    }
}

async fn until_end(
    livy: &Livy,
    reference: &Reference,
    tail: Option<usize>,
    sink: &mut Sink<'_>,
) -> Result<Entry, LogError> {
    let mut reader = LogReader::new(livy, reference);
    if let Some(count) = tail {
        skip(&mut reader, count, sink).await?;
    }
    let mut pace = Pace::SLOW;
    loop {
        // Read the state before the log: a log that is read after the end is complete.
        let entry: Entry = livy.look(reference.path()).await?;
        if reader.poll(sink).await? {
            pace.quicken();
        }
        if entry.is_ended() {
            return Ok(entry);
        }
        pace.wait().await;
    }
}

/// Reads the existing lines, and passes the last ones to the sink.
async fn skip(
    reader: &mut LogReader<'_>,
    count: usize,
    sink: &mut Sink<'_>,
) -> Result<(), LogError> {
    let mut last = VecDeque::new();
    let mut keep = |line: &str| {
        last.push_back(line.to_owned());
        if last.len() > count {
            last.pop_front();
        }
        Ok(())
    };
    reader.poll(&mut keep).await?;
    for line in last {
        sink(&line).map_err(LogError::Sink)?;
    }
    Ok(())
}

/// Replaces a name by the id that it has now, because another session may get the name later.
pub async fn pinned(livy: &Livy, reference: &Reference) -> Result<Reference, ClientError> {
    let entry: Entry = livy.get(reference.path()).await?;
    Ok(Reference::number(reference.collection, entry.id))
}
