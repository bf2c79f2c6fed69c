//! One agent's connection: frames from the socket into a channel, and the other way round, until either side has enough.

use std::fmt::Display;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, close_code};
use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _};
use livius_agent_link::{AgentFrame, AgentSocket, Command, FrameError, Hello};
use livius_domain::DriverId;
use livius_sessions::AttachRefused;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

/// Frames on their way, each direction. A full channel makes its sender wait, and in the end the agent.
const QUEUE_FRAMES: usize = 32;

/// Commands that wait for the socket: all jobs and files of a session are handed over at once when its driver comes back.
const QUEUE_COMMANDS: usize = 1024;

/// How long the agent may take to say hello.
const HELLO_DEADLINE: Duration = Duration::from_secs(10);

/// After so long without a sign of the agent, it is asked for one.
const PING_AFTER: Duration = Duration::from_secs(15);

/// After so many times that long, it is given up.
const PATIENCE: u32 = 3;

/// How long the agent may take to accept a frame.
const SEND_DEADLINE: Duration = Duration::from_secs(45);

/// Why a connection has ended.
#[derive(Debug, thiserror::Error)]
pub enum End {
    /// The agent closed it, or it broke.
    #[error("closed by the agent")]
    Closed,
    /// The socket failed.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The session does not want it any more.
    #[error("closed by the session")]
    Released,
    /// The agent said nothing, or accepted nothing.
    #[error("the agent is silent")]
    Silent,
    /// There was no hello in time.
    #[error("no hello")]
    NoHello,
    /// The hello is another driver's.
    #[error("the hello names another driver")]
    OtherDriver,
    /// The agent sent what is not a frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The agent sent what is not text.
    #[error("a frame is not text")]
    NotText,
    /// The session does not want it at all.
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
    let end = match begin(driver, &mut stream, attach).await {
        Err(end) => end,
        Ok((incoming, outgoing)) => {
            let ping = Notify::new();
            tokio::select! {
                biased;
                // Reading ends when the agent does, or the session's actor.
                end = read(&mut stream, incoming, &ping) => end,
                // Writing ends when the session drops its side.
                end = write(&mut sink, outgoing, &ping) => end,
            }
        }
    };
    let reason = end.to_string().chars().take(100).collect::<String>().into();
    let close = Message::Close(Some(CloseFrame {
        code: end.close_code(),
        reason,
    }));
    // A courtesy: the agent may be gone.
    let _ = timeout(Duration::from_secs(1), sink.send(close)).await;
    end
}

async fn begin<In, E>(
    driver: &DriverId,
    stream: &mut In,
    attach: impl AsyncFnOnce(AgentSocket) -> Result<(), AttachRefused>,
) -> Result<(mpsc::Sender<AgentFrame>, mpsc::Receiver<Command>), End>
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
    let (incoming_sender, incoming) = mpsc::channel(QUEUE_FRAMES);
    let (outgoing, outgoing_receiver) = mpsc::channel(QUEUE_COMMANDS);
    attach(AgentSocket {
        hello,
        incoming,
        outgoing,
    })
    .await?;
    Ok((incoming_sender, outgoing_receiver))
}

async fn read<In, E>(stream: &mut In, incoming: mpsc::Sender<AgentFrame>, ping: &Notify) -> End
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
        let frame = match text_of(message) {
            Ok(Some(text)) => AgentFrame::parse(&text),
            Ok(None) => continue,
            Err(end) => return end,
        };
        match frame {
            Ok(AgentFrame::Unknown) => {}
            Ok(frame) => {
                if incoming.send(frame).await.is_err() {
                    return End::Released;
                }
            }
            Err(error) => return error.into(),
        }
    }
}

async fn write<Out>(sink: &mut Out, mut outgoing: mpsc::Receiver<Command>, ping: &Notify) -> End
where
    Out: Sink<Message> + Unpin,
    Out::Error: Display,
{
    loop {
        let message = tokio::select! {
            biased;
            // A command is a sign of life as good as a ping, but is not answered by the socket itself.
            () = ping.notified() => Message::Ping(Vec::new().into()),
            command = outgoing.recv() => match command {
                Some(command) => Message::Text(command.to_text().into()),
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

/// The text of a message; `None` for one that is only a sign of life.
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
