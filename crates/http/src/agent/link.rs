//! Serves one agent's connection: moves frames between the socket and a pair of channels until one
//! side ends.

use std::fmt::Display;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, close_code};
use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _};
use livius_agent_link::{
    AgentFrame, AgentSocket, CommandFrame, FrameError, Hello, MAX_FRAME_BYTES,
};
use livius_domain::DriverId;
use livius_sessions::AttachRefused;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

/// Frames that may wait in a channel. A full channel makes its sender wait, and in the end the
/// agent.
const QUEUE_FRAMES: usize = 32;

/// A longer frame waits until the channel is empty, so the frames of one agent that wait have less
/// than 16 MiB and one more frame.
const SHORT_FRAME_BYTES: usize = MAX_FRAME_BYTES / QUEUE_FRAMES;

/// Commands that may wait for the socket. When a driver comes back, its session sends it all
/// unfinished jobs and files at once.
const QUEUE_COMMANDS: usize = 1024;

/// The time that the agent may take to send its hello.
const HELLO_DEADLINE: Duration = Duration::from_secs(10);

/// The server pings an agent that has been silent for this long.
const PING_AFTER: Duration = Duration::from_secs(15);

/// After this many silent intervals the server gives up on the agent.
const PATIENCE: u32 = 3;

/// The time that sending one frame may take.
const SEND_DEADLINE: Duration = Duration::from_secs(45);

/// The reason why a connection ended.
#[derive(Debug, thiserror::Error)]
pub enum End {
    /// The agent closed the connection, or it broke.
    #[error("closed by the agent")]
    Closed,
    /// The socket failed.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The session released the connection.
    #[error("closed by the session")]
    Released,
    /// The agent neither sent nor accepted anything in time.
    #[error("the agent is silent")]
    Silent,
    /// No hello arrived in time.
    #[error("no hello")]
    NoHello,
    /// The hello names another driver.
    #[error("the hello names another driver")]
    OtherDriver,
    /// The agent sent a malformed frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The agent sent binary data.
    #[error("a frame is not text")]
    NotText,
    /// The session refused the connection.
    #[error(transparent)]
    Refused(#[from] AttachRefused),
}

impl End {
    fn close_code(&self) -> u16 {
        match self {
            Self::Closed | Self::Released => close_code::NORMAL,
            Self::Broken(_) | Self::Silent => close_code::AWAY,
            Self::NoHello | Self::OtherDriver | Self::Refused(_) => close_code::POLICY,
            Self::Frame(_) => close_code::PROTOCOL,
            Self::NotText => close_code::UNSUPPORTED,
        }
    }
}

/// Serves a connection until it ends.
pub async fn run<In, Out, E>(
    driver: &DriverId,
    mut sink: Out,
    mut stream: In,
    attach: impl AsyncFnOnce(AgentSocket) -> Result<(), AttachRefused>,
) -> End
where
    In: Stream<Item = Result<Message, E>> + Unpin,
    Out: Sink<Message> + Unpin,
    Out::Error: Display,
    E: Display,
{
    // Boxed, because the connection would keep room for its beginning.
    let end = match Box::pin(begin(driver, &mut stream, attach)).await {
        Err(end) => end,
        Ok(attached) => {
            let ping = Notify::new();
            tokio::select! {
                biased;
                // Reading ends when the agent or the session's actor does.
                end = read(&mut stream, attached.incoming, &ping) => end,
                // Writing ends when the session drops its side.
                end = write(&mut sink, attached.outgoing, attached.version, &ping) => end,
            }
        }
    };
    let reason = end.to_string().chars().take(100).collect::<String>().into();
    let close = Message::Close(Some(CloseFrame {
        code: end.close_code(),
        reason,
    }));
    // The agent may be gone, so a failure to say goodbye does not matter.
    let _ = timeout(Duration::from_secs(1), sink.send(close)).await;
    end
}

/// The socket's ends of a session's channels, and the protocol version of the connection.
struct Attached {
    incoming: mpsc::Sender<Box<AgentFrame>>,
    outgoing: mpsc::Receiver<Box<CommandFrame>>,
    version: u32,
}

async fn begin<In, E>(
    driver: &DriverId,
    stream: &mut In,
    attach: impl AsyncFnOnce(AgentSocket) -> Result<(), AttachRefused>,
) -> Result<Attached, End>
where
    In: Stream<Item = Result<Message, E>> + Unpin,
    E: Display,
{
    let hello = timeout(HELLO_DEADLINE, async {
        loop {
            if let Some(text) = text_of(stream.next().await)? {
                return Ok::<_, End>(Hello::parse(&text)?);
            }
        }
    });
    let hello = hello.await.map_err(|_| End::NoHello)??;
    if hello.driver != *driver {
        return Err(End::OtherDriver);
    }
    let version = hello.version();
    let (incoming_sender, incoming) = mpsc::channel(QUEUE_FRAMES);
    let (outgoing, outgoing_receiver) = mpsc::channel(QUEUE_COMMANDS);
    attach(AgentSocket {
        hello,
        incoming,
        outgoing,
    })
    .await?;
    Ok(Attached {
        incoming: incoming_sender,
        outgoing: outgoing_receiver,
        version,
    })
}

async fn read<In, E>(stream: &mut In, incoming: mpsc::Sender<Box<AgentFrame>>, ping: &Notify) -> End
where
    In: Stream<Item = Result<Message, E>> + Unpin,
    E: Display,
{
    let mut silences = 0;
    loop {
        let Ok(message) = timeout(PING_AFTER, stream.next()).await else {
            silences += 1;
            if silences == PATIENCE {
                return End::Silent;
            }
            ping.notify_one();
            continue;
        };
        silences = 0;
        let mut places = 1;
        let frame = match text_of(message) {
            Ok(Some(text)) => {
                if text.len() > SHORT_FRAME_BYTES {
                    places = QUEUE_FRAMES;
                }
                AgentFrame::parse(&text)
            }
            Ok(None) => continue,
            Err(end) => return end,
        };
        match frame {
            Ok(AgentFrame::Unknown) => {}
            Ok(frame) => {
                let Ok(mut free) = incoming.reserve_many(places).await else {
                    return End::Released;
                };
                if let Some(place) = free.next() {
                    place.send(Box::new(frame));
                }
            }
            Err(error) => return error.into(),
        }
    }
}

async fn write<Out>(
    sink: &mut Out,
    mut outgoing: mpsc::Receiver<Box<CommandFrame>>,
    version: u32,
    ping: &Notify,
) -> End
where
    Out: Sink<Message> + Unpin,
    Out::Error: Display,
{
    loop {
        let message = tokio::select! {
            biased;
            // Pings come first: a command also shows that the server lives, but the agent's socket
            // does not answer it by itself.
            () = ping.notified() => Message::Ping(Vec::new().into()),
            command = outgoing.recv() => match command {
                Some(command) => Message::Text(command.to_text(version).into()),
                None => return End::Released,
            },
        };
        match timeout(SEND_DEADLINE, sink.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return End::Broken(error.to_string()),
            Err(_) => return End::Silent,
        }
    }
}

/// Returns the text of a message, or `None` for a ping or pong.
fn text_of<E: Display>(message: Option<Result<Message, E>>) -> Result<Option<Utf8Bytes>, End> {
    match message {
        None | Some(Ok(Message::Close(_))) => Err(End::Closed),
        Some(Err(error)) => Err(End::Broken(error.to_string())),
        Some(Ok(Message::Text(text))) => Ok(Some(text)),
        Some(Ok(Message::Binary(_))) => Err(End::NotText),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
    }
}

#[cfg(test)]
mod tests;
