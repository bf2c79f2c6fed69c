//! The new lines of a log.

use std::fmt::Display;

use axum::response::sse::Event;
use livius_domain::{OutputStream, chain};
use livius_sessions::{
    BatchFeed, Change, LogFollower, LogNews, LogPlace, Logbook, SessionError, SessionFeed,
};
use livius_wire::LogEventAnswer;
use serde_json::json;

use super::bad_id;
use crate::request::follower::Follower;
use crate::response::event_stream::{END, Events, event};
use crate::v1::Problem;
use crate::v1::parameters::{Parameters, bad, number};

/// The session or batch whose log a client follows.
pub trait Owner: Send + 'static {
    /// Waits for a change of it.
    fn changed(&mut self) -> impl Future<Output = Change> + Send;
}

impl Owner for SessionFeed {
    async fn changed(&mut self) -> Change {
        SessionFeed::changed(self).await
    }
}

impl Owner for BatchFeed {
    async fn changed(&mut self) -> Change {
        BatchFeed::changed(self).await
    }
}

/// A client that follows a log.
pub struct LogEvents<O> {
    log: LogFollower,
    /// `None` when it has ended.
    owner: Option<O>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// There may be lines that the client has not had.
    Reading,
    /// The client has had all lines.
    Waiting,
    Over,
}

/// The place where a client begins: behind its last event, before the last lines, or at the
/// beginning. `None` when it has had all of them.
pub async fn place(
    log: &Logbook,
    follower: &Follower,
    query: Option<&str>,
) -> Result<Option<LogPlace>, Problem> {
    let tail = Parameters::new(query).text("tail");
    match (follower.last_event.as_deref(), tail) {
        (Some(END), _) => Ok(None),
        (Some(id), _) => parsed(id).map(Some).ok_or_else(|| bad_id(id)),
        (None, Some(tail)) => {
            let lines = number(&tail).and_then(|lines| u64::try_from(lines).ok());
            let lines = lines.ok_or_else(|| {
                bad("tail", "tail is not a number")
                    .hint("write a number of lines, such as tail=100")
            })?;
            Ok(Some(log.before_last(lines).await?))
        }
        (None, None) => Ok(Some(LogPlace::default())),
    }
}

/// `<lines of stdout>-<lines of stderr>`.
fn parsed(id: &str) -> Option<LogPlace> {
    let (stdout, stderr) = id.split_once('-')?;
    Some(LogPlace {
        stdout: stdout.parse().ok()?,
        stderr: stderr.parse().ok()?,
    })
}

fn id(place: LogPlace) -> impl Display {
    format!("{}-{}", place.stdout, place.stderr)
}

impl<O: Owner> LogEvents<O> {
    /// Begins to follow a log. A log whose session or batch has ended has no owner.
    pub fn new(log: &Logbook, place: LogPlace, owner: Option<O>) -> Self {
        Self {
            log: log.follow(place),
            owner,
            stage: Stage::Reading,
        }
    }

    async fn read(&mut self) -> Result<Vec<Event>, SessionError> {
        let is_over = self.owner.is_none();
        let news = self.log.read(is_over).await?;
        if !news.lines.is_empty() || news.is_cut {
            return Ok(events(news));
        }
        if is_over {
            self.stage = Stage::Over;
            return Ok(vec![event(END, "end", &json!({}))]);
        }
        self.stage = Stage::Waiting;
        Ok(Vec::new())
    }

    /// Waits until there may be lines. False if the client is to get no more.
    async fn wait(&mut self) -> bool {
        let Some(owner) = &mut self.owner else {
            return true;
        };
        let change = tokio::select! {
            change = owner.changed() => change,
            () = self.log.grown() => Change::Changed,
        };
        match change {
            Change::Changed => true,
            Change::Stopping => false,
            // What the driver wrote last is read now, and then there is no more.
            Change::Ended => {
                self.owner = None;
                true
            }
        }
    }
}

/// An event for the lines of each output.
fn events(news: LogNews) -> Vec<Event> {
    let id = id(news.place).to_string();
    let mut is_cut = news.is_cut;
    let mut events = Vec::new();
    let mut lines = news.lines.into_iter().peekable();
    let first = lines
        .peek()
        .map_or(OutputStream::Stdout, |(stream, _)| *stream);
    let mut stream = first;
    let mut of_stream = Vec::new();
    for (next, line) in lines {
        if next != stream {
            let lines = std::mem::take(&mut of_stream);
            let is_cut = std::mem::take(&mut is_cut);
            events.push((stream, lines, is_cut));
            stream = next;
        }
        of_stream.push(line);
    }
    events.push((stream, of_stream, is_cut));
    let last = events.len() - 1;
    let told = events
        .into_iter()
        .enumerate()
        .map(|(index, (stream, lines, is_cut))| {
            let answer = LogEventAnswer {
                stream,
                lines,
                is_cut,
            };
            // Only the last one says that the client has had all of them.
            if index == last {
                event(&id, "log", &answer)
            } else {
                Event::default()
                    .event("log")
                    .json_data(&answer)
                    .expect("texts are always JSON")
            }
        });
    told.collect()
}

impl<O: Owner> Events for LogEvents<O> {
    async fn next(&mut self) -> Option<Vec<Event>> {
        match self.stage {
            Stage::Over => return None,
            Stage::Waiting => {
                if !self.wait().await {
                    return None;
                }
                self.stage = Stage::Reading;
            }
            Stage::Reading => {}
        }
        let read = self.read().await.inspect_err(|error| {
            tracing::warn!(error = %chain(error), "a log that a client follows cannot be read");
        });
        read.ok()
    }
}
