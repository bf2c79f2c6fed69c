//! The events that a driver's actor waits for. Nothing is lost when a wait is given up.

use std::future::pending;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use livius_agent_link::{AgentFrame, Command};
use livius_domain::{Departure, Failure};
use livius_launch::{RunningDriver, Sighting};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use super::connection::Connection;
use crate::admission::Turn;

/// The report of a task that works for the actor.
pub(super) enum TaskReport {
    /// It is the driver's turn to start.
    Turn(Turn),
    /// The launch is over.
    Launched(Result<Arc<dyn RunningDriver>, Failure>),
    /// What a primed agent is told again.
    Begin(Command),
}

/// The deadline that has passed.
pub(super) enum Overdue {
    /// The agent's end, after it was asked to stop.
    Stop,
    /// The end of the connection of a process that has ended.
    Drain,
    /// The return of an agent whose connection is lost.
    Agent,
    /// The end of a start, which others wait for.
    Start,
}

/// Waits for the report of the task that works for the actor, or without end if no task does.
/// `None` when the task has ended without a report.
pub(super) async fn report(
    expected: &mut Option<oneshot::Receiver<TaskReport>>,
) -> Option<TaskReport> {
    let Some(receiver) = expected else {
        return pending().await;
    };
    let report = receiver.await.ok();
    *expected = None;
    report
}

/// What becomes known of a process from outside.
pub(super) enum News {
    /// The resource manager told of its application.
    Sighted(Box<Sighting>),
    /// It has ended.
    Departed(Departure),
}

/// The news of a process, its end at last.
pub(super) type AllNews = BoxStream<'static, News>;

/// Begins to wait for news of a process. The wait for its end goes on while the resource manager
/// tells of its application.
pub(super) fn watch(process: Arc<dyn RunningDriver>) -> AllNews {
    let watched = Arc::clone(&process);
    let departed = stream::once(async move { News::Departed(watched.ended().await) });
    let sighted = stream::unfold((process, None), |(process, known)| async move {
        let sighting = process.sighted(known.as_ref()).await;
        let news = News::Sighted(Box::new(sighting.clone()));
        Some((news, (process, Some(sighting))))
    });
    stream::select(departed, sighted).boxed()
}

/// Waits for news of the process, or without end if there is none.
pub(super) async fn news(all: &mut Option<AllNews>) -> News {
    let Some(all) = all else {
        return pending().await;
    };
    match all.next().await {
        Some(news) => news,
        None => pending().await,
    }
}

/// The next thing that the actor hears from the connection.
pub(super) enum Heard {
    /// A frame; `None` is the end of the connection.
    Frame(Option<Box<AgentFrame>>),
    /// The session has stored the event of this number, or could not.
    Stored { seq: u64, stored: bool },
}

/// Waits for the next frame, or for the session to store the last one. Waits without end while no
/// agent is connected.
pub(super) async fn heard(link: &mut Option<Connection>) -> Heard {
    match link {
        Some(Connection {
            storing: Some((seq, stored)),
            ..
        }) => Heard::Stored {
            seq: *seq,
            stored: stored.await.unwrap_or(false),
        },
        Some(link) => Heard::Frame(link.socket.incoming.recv().await),
        None => pending().await,
    }
}

/// Waits for a deadline, or without end if there is none.
pub(super) async fn deadline(next: Option<(Instant, Overdue)>) -> Overdue {
    let Some((at, overdue)) = next else {
        return pending().await;
    };
    sleep_until(at).await;
    overdue
}
