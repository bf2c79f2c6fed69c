//! A driver of a session, or the application of a batch, as the fake Java runs it.
//!
//! A session's driver keeps each event until the server acknowledges it, and connects again when the
//! connection is lost, as a real agent does. A statement `<milliseconds> <bytes> <name>` takes this long,
//! and has an output of the name and so many more bytes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::process::ExitCode;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use livius_agent_link::{
    AgentFrame, Command, Event, Hello, InHand, MAX_COMMAND_BYTES, PROTOCOL_VERSION,
};
use livius_domain::{DriverId, JobId, JobOutcome, ResourceId, StatementId};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message, protocol::WebSocketConfig};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::ledger;

/// The word before those of the fake Java, when this program is to be a driver.
pub const WORD: &str = "as-a-driver";

/// A driver ends when it has met no server for this long. A round takes a part of it.
const GRACE: Duration = Duration::from_mins(1);

/// The pause before another attempt to connect.
const PAUSE: Duration = Duration::from_millis(10);

/// The characters of a piece of a long output.
const PIECE: usize = 20_000;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The arguments of the fake Java, if this program is to be a driver.
pub fn words() -> Option<Vec<String>> {
    let mut words = std::env::args().skip(1);
    (words.next()? == WORD).then(|| words.collect())
}

/// Is a driver.
pub fn run(words: &[String]) -> ExitCode {
    let last = words.last().unwrap();
    if !words.iter().any(|word| word.contains("livius.agent.Main")) {
        ledger::note(&format!("batch {last}"));
        println!("ran {last}");
        return ExitCode::SUCCESS;
    }
    let text = std::fs::read_to_string(last).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(Agent::new(&document).serve());
    ExitCode::SUCCESS
}

/// The output of a statement, of which the harness knows the code only.
pub fn output_of(code: &str) -> String {
    let mut words = code.splitn(3, ' ').skip(1);
    let bytes: usize = words.next().unwrap().parse().unwrap();
    let name = words.next().unwrap();
    format!("{name} {}", "x".repeat(bytes))
}

fn duration_of(code: &str) -> Duration {
    let milliseconds = code.split(' ').next().unwrap();
    Duration::from_millis(milliseconds.parse().unwrap())
}

struct Agent {
    driver: DriverId,
    server: String,
    token: String,
    outbox: VecDeque<(u64, Event)>,
    next_seq: u64,
    known: BTreeSet<StatementId>,
    known_jobs: BTreeSet<JobId>,
    known_files: BTreeSet<ResourceId>,
    http: reqwest::Client,
    /// The statement that runs, its code, and when it ends.
    running: Option<(StatementId, String, Instant)>,
    /// The numbers of the events that end work.
    ends: BTreeMap<StatementId, u64>,
}

/// Why a connection is over.
enum Over {
    Lost,
    Stop,
}

impl Agent {
    fn new(document: &Value) -> Self {
        let mut agent = Self {
            driver: DriverId::parse(document["driver"].as_str().unwrap()).unwrap(),
            server: document["servers"][0].as_str().unwrap().to_owned(),
            token: document["token"].as_str().unwrap().to_owned(),
            outbox: VecDeque::new(),
            next_seq: 1,
            known: BTreeSet::new(),
            known_jobs: BTreeSet::new(),
            known_files: BTreeSet::new(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            running: None,
            ends: BTreeMap::new(),
        };
        agent.tell(Event::Ready {
            app_id: format!("local-{}", agent.driver),
            spark_ui_url: None,
            spark_user: "test".to_owned(),
            master: "local".to_owned(),
        });
        agent
    }

    /// Serves the session until it is told to stop, or no server comes back.
    async fn serve(mut self) {
        let mut last_contact = Instant::now();
        while last_contact.elapsed() < GRACE {
            match self.connect().await {
                Ok(Some(socket)) => {
                    let over = self.talk(socket).await;
                    last_contact = Instant::now();
                    if matches!(over, Over::Stop) {
                        return;
                    }
                }
                // The server does not know the driver any more.
                Ok(None) => return,
                Err(()) => {}
            }
            self.work_until(Instant::now() + PAUSE).await;
        }
    }

    /// Works without a connection.
    async fn work_until(&mut self, until: Instant) {
        match &self.running {
            Some((.., end)) if *end <= until => {
                sleep_until(*end).await;
                self.finish();
            }
            _ => sleep_until(until).await,
        }
    }

    async fn connect(&self) -> Result<Option<Socket>, ()> {
        let mut request = self.server.as_str().into_client_request().unwrap();
        let token = format!("Bearer {}", self.token);
        for (name, value) in [
            ("livius-driver", self.driver.as_str()),
            ("authorization", &token),
        ] {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_COMMAND_BYTES))
            .max_frame_size(Some(MAX_COMMAND_BYTES));
        let connected = connect_async_with_config(request, Some(config), true);
        match timeout(Duration::from_secs(5), connected).await {
            Ok(Ok((socket, _))) => Ok(Some(socket)),
            Ok(Err(Error::Http(response))) if response.status() == 404 => Ok(None),
            _ => Err(()),
        }
    }

    async fn talk(&mut self, mut socket: Socket) -> Over {
        let hello = serde_json::to_value(self.hello()).unwrap();
        if send(&mut socket, "hello", hello).await.is_err() {
            return Over::Lost;
        }
        // How much of the outbox this connection has carried.
        let mut sent = 0;
        let mut is_welcome = false;
        loop {
            if is_welcome {
                let fresh: Vec<Value> = self
                    .outbox
                    .iter()
                    .filter(|(seq, _)| *seq > sent)
                    .map(|(seq, event)| numbered(*seq, event))
                    .collect();
                for frame in fresh {
                    sent = frame["seq"].as_u64().unwrap();
                    if socket.send(Message::text(frame.to_string())).await.is_err() {
                        return Over::Lost;
                    }
                }
            }
            let end = self.running.as_ref().map(|(.., end)| *end);
            let ended = async {
                match end {
                    Some(end) => sleep_until(end).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = ended => self.finish(),
                message = socket.next() => match message {
                    Some(Ok(Message::Text(text))) => match serde_json::from_str(&text).unwrap() {
                        Command::Welcome { acked } => {
                            self.forget(acked);
                            is_welcome = true;
                        }
                        Command::Ack { seq } => self.forget(seq),
                        Command::Stop => {
                            let frame = numbered(self.next_seq, &Event::Stopped { reason: "asked".to_owned() });
                            let _ = socket.send(Message::text(frame.to_string())).await;
                            return Over::Stop;
                        }
                        Command::Resource { resource, name, .. } => {
                            if self.fetch(resource, &name).await.is_err() {
                                // The server tells of it again.
                                return Over::Lost;
                            }
                        }
                        command => self.obey(command),
                    },
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Over::Lost,
                },
            }
        }
    }

    fn hello(&self) -> Hello {
        Hello {
            versions: vec![PROTOCOL_VERSION],
            driver: self.driver.clone(),
            instance: format!("instance-{}", std::process::id()),
            pid: i64::from(std::process::id()),
            spark: "4.1.4".to_owned(),
            scala: "2.13.17".to_owned(),
            java: "17.0.1".to_owned(),
            first_seq: self.outbox.front().map_or(self.next_seq, |(seq, _)| *seq),
            last_seq: self.next_seq - 1,
            sessions: vec![InHand {
                active: self.running.as_ref().map(|(id, ..)| *id),
                ..InHand::default()
            }],
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Run {
                statement, code, ..
            } => self.begin(statement, &code),
            Command::Job { job, payload, .. } if self.known_jobs.insert(job) => {
                ledger::note(&format!("job {payload}"));
                let at = now();
                self.tell(Event::JobStarted { job, at });
                self.tell(Event::JobFinished {
                    job,
                    at,
                    outcome: JobOutcome::Succeeded,
                    result: Some(payload),
                    chunks: 0,
                    error: None,
                });
            }
            _ => {}
        }
    }

    /// Fetches an uploaded file, once.
    async fn fetch(&mut self, resource: ResourceId, name: &str) -> Result<(), ()> {
        if self.known_files.contains(&resource) {
            return Ok(());
        }
        let server = self.server.replacen("ws://", "http://", 1);
        let asked = self
            .http
            .get(format!("{server}/resources/{resource}"))
            .header("livius-driver", self.driver.as_str())
            .bearer_auth(&self.token)
            .timeout(Duration::from_secs(5));
        let response = asked.send().await.map_err(drop)?;
        let error = match response.status().as_u16() {
            200 => {
                let content = response.bytes().await.map_err(drop)?;
                ledger::note(&ledger::upload(name, &content));
                None
            }
            404 => {
                // That is fine if the session is being deleted.
                ledger::note(&format!("missing upload {name}"));
                Some("there is no such file".to_owned())
            }
            _ => return Err(()),
        };
        self.known_files.insert(resource);
        self.tell(Event::ResourceAdded { resource, error });
        Ok(())
    }

    fn begin(&mut self, statement: StatementId, code: &str) {
        if !self.known.insert(statement) {
            let is_acknowledged = self.ends.get(&statement).is_some_and(|end| {
                let oldest = self.outbox.front().map_or(self.next_seq, |(seq, _)| *seq);
                *end < oldest
            });
            if is_acknowledged {
                // The server has acknowledged the end, and does not know it.
                ledger::note(&format!("LOST the end of {code}"));
            }
            return;
        }
        ledger::note(&format!("statement {code}"));
        println!("ran {code}");
        self.tell(Event::Started {
            statement,
            at: now(),
        });
        let end = Instant::now() + duration_of(code);
        self.running = Some((statement, code.to_owned(), end));
    }

    fn finish(&mut self) {
        let (statement, code, _) = self.running.take().unwrap();
        let text = output_of(&code);
        let document =
            json!({"status": "ok", "execution_count": statement, "data": {"text/plain": text}});
        let document = document.to_string();
        let pieces: Vec<&str> = if document.len() > PIECE {
            let bytes = document.as_bytes().chunks(PIECE);
            bytes
                .map(|piece| std::str::from_utf8(piece).unwrap())
                .collect()
        } else {
            Vec::new()
        };
        for (index, text) in pieces.iter().enumerate() {
            self.tell(Event::Chunk {
                statement,
                index: u32::try_from(index).unwrap(),
                text: (*text).to_owned(),
            });
        }
        let chunks = u32::try_from(pieces.len()).unwrap();
        self.ends.insert(statement, self.next_seq);
        self.tell(Event::Finished {
            statement,
            at: now(),
            cancelled: false,
            output: (chunks == 0).then_some(document),
            chunks,
        });
    }

    fn tell(&mut self, event: Event) {
        self.outbox.push_back((self.next_seq, event));
        self.next_seq += 1;
    }

    fn forget(&mut self, acked: u64) {
        while self.outbox.front().is_some_and(|(seq, _)| *seq <= acked) {
            self.outbox.pop_front();
        }
    }
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

fn numbered(seq: u64, event: &Event) -> Value {
    let mut frame = serde_json::to_value(event).unwrap();
    frame["v"] = PROTOCOL_VERSION.into();
    frame["seq"] = seq.into();
    let text = frame.to_string();
    assert!(
        matches!(AgentFrame::parse(&text), Ok(AgentFrame::Event { .. })),
        "{text}"
    );
    frame
}

async fn send(socket: &mut Socket, kind: &str, mut frame: Value) -> Result<(), Box<Error>> {
    frame["v"] = PROTOCOL_VERSION.into();
    frame["type"] = kind.into();
    let sent = socket.send(Message::text(frame.to_string())).await;
    sent.map_err(Box::new)
}
