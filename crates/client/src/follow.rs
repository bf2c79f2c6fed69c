//! Follows a log until its session or batch has ended: by the events of a Livius server, or by asking
//! Livy again and again.

use std::collections::VecDeque;

use serde::Deserialize;

use crate::answers::Entry;
use crate::error::ClientError;
use crate::events::Event;
use crate::live::Stream;
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
    let followed = match listened(livy, reference, tail, sink).await {
        Ok(true) => livy.look(reference.path()).await.map_err(LogError::Client),
        Ok(false) => until_end(livy, reference, tail, sink).await,
        Err(error) => Err(error),
    };
    match followed {
        Err(LogError::Client(error)) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
        Ok(entry) => Ok(Some(entry)),
    }
}

/// New lines of one output.
#[derive(Deserialize)]
struct News {
    stream: Stream,
    lines: Vec<String>,
    #[serde(default, rename = "isCut")]
    is_cut: bool,
}

/// Passes on lines as the server tells them, until the end. False if the server tells none.
async fn listened(
    livy: &Livy,
    reference: &Reference,
    tail: Option<usize>,
    sink: &mut Sink<'_>,
) -> Result<bool, LogError> {
    let path = format!("/api/v1{}/log/events", reference.path());
    let (mut last, mut pace) = (None, Pace::RETRY);
    let mut told = Stream::Stdout;
    loop {
        let path = match (&last, tail) {
            (None, Some(lines)) => format!("{path}?tail={lines}"),
            _ => path.clone(),
        };
        let opened = livy.events(&path, last.as_deref()).await;
        let mut events = match opened {
            Ok(Some(events)) => events,
            Ok(None) => return Ok(false),
            Err(error) if error.may_pass() => {
                pace.wait().await;
                // It waits for the server, but not for ever.
                livy.look::<Entry>(reference.path()).await?;
                continue;
            }
            Err(_) if last.is_none() => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        while let Some(Event { id, name, data }) = events.next().await {
            if name == "end" {
                return Ok(true);
            }
            if let Ok(news) = serde_json::from_str::<News>(&data) {
                tell(&news, &mut told, sink).map_err(LogError::Sink)?;
            }
            last = id.or(last);
        }
        pace.wait().await;
    }
}

fn tell(news: &News, told: &mut Stream, sink: &mut Sink<'_>) -> std::io::Result<()> {
    if news.is_cut {
        sink("livius: lines are missing here, because the log reached its limit")?;
    }
    if news.stream != *told && !news.lines.is_empty() {
        sink(match news.stream {
            Stream::Stdout => "stdout:",
            Stream::Stderr => "stderr:",
        })?;
        *told = news.stream;
    }
    news.lines.iter().try_for_each(|line| sink(line))
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
