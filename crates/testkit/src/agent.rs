//! An agent that the test scripts. It uses the channels that a real agent's WebSocket ends in.

use std::time::Duration;

use axum::http::StatusCode;
use livius_agent_link::{
    AgentFrame, AgentKey, AgentSocket, Command, CommandFrame, Event, Hello, InHand, Notice,
    PROTOCOL_VERSION,
};
use livius_domain::{DriverId, JobId, OutputStream, SessionId, StageProgress, StatementId};
use livius_launch::DriverOrder;
use livius_sessions::AttachRefused;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::launcher::FakeProcess;
use crate::world::World;

const DEADLINE: Duration = Duration::from_secs(5);

/// A scripted agent. It keeps its unacknowledged events, as a real one does.
pub struct ScriptedAgent {
    driver: DriverId,
    process: FakeProcess,
    /// The jobs that it has in hand.
    jobs: Vec<JobId>,
    key: AgentKey,
    instance: String,
    outbox: Vec<(u64, Event)>,
    next_seq: u64,
    to_server: mpsc::Sender<Box<AgentFrame>>,
    from_server: mpsc::Receiver<Box<CommandFrame>>,
}

impl ScriptedAgent {
    /// Connects as the agent of a session's driver, once the driver is launched.
    pub async fn connect(world: &World, session: SessionId) -> Self {
        let (order, process) = world.driver(session).await;
        Self::of(world, &order, process).await
    }

    /// Connects as the agent of a driver.
    pub async fn of(world: &World, order: &DriverOrder, process: FakeProcess) -> Self {
        let (to_server, _) = mpsc::channel(1);
        let (_, from_server) = mpsc::channel(1);
        let mut agent = Self {
            process,
            driver: order.id.clone(),
            jobs: Vec::new(),
            key: AgentKey::of_token(order.token.expose_secret()),
            instance: format!("instance-of-{}", order.id),
            outbox: Vec::new(),
            next_seq: 1,
            to_server,
            from_server,
        };
        agent.reconnect(world).await;
        agent
    }

    /// Connects again and sends all unacknowledged events.
    pub async fn reconnect(&mut self, world: &World) {
        self.attach(world).await.unwrap();
        let Command::Welcome { acked } = self.command().await else {
            panic!("no welcome")
        };
        self.outbox.retain(|(seq, _)| *seq > acked);
        self.repeat().await;
    }

    /// Tries to connect again, and returns why the server does not let it in.
    pub async fn refused(&mut self, world: &World) -> AttachRefused {
        self.attach(world).await.unwrap_err()
    }

    async fn attach(&mut self, world: &World) -> Result<(), AttachRefused> {
        let (to_server, sent) = mpsc::channel(64);
        let (into_server, incoming) = mpsc::channel(64);
        relay(sent, into_server, self.process.clone());
        let (outgoing, from_server) = mpsc::channel(1024);
        let hello = Hello {
            versions: vec![PROTOCOL_VERSION],
            driver: self.driver.clone(),
            instance: self.instance.clone(),
            pid: 1,
            spark: "4.1.4".to_owned(),
            scala: "2.13.17".to_owned(),
            java: "17.0.15".to_owned(),
            first_seq: self.outbox.first().map_or(self.next_seq, |(seq, _)| *seq),
            last_seq: self.next_seq - 1,
            sessions: vec![InHand {
                jobs: self.jobs.clone(),
                ..InHand::default()
            }],
        };
        let socket = AgentSocket {
            hello,
            incoming,
            outgoing,
        };
        let attached = world.sessions().attach(&self.driver, &self.key, socket);
        attached.await?;
        (self.to_server, self.from_server) = (to_server, from_server);
        Ok(())
    }

    /// The name of its driver.
    pub fn driver(&self) -> &DriverId {
        &self.driver
    }

    /// From now on it has these jobs in hand.
    pub fn holds(&mut self, jobs: &[JobId]) {
        self.jobs = jobs.to_vec();
    }

    /// Sends again every event that was not acknowledged.
    pub async fn repeat(&mut self) {
        for (seq, event) in self.outbox.clone() {
            self.send(seq, event).await;
        }
    }

    /// Counts and keeps an event that is lost on the way, while the connection stays up.
    pub fn lose(&mut self, event: Event) {
        self.keep(event);
    }

    /// Forgets the oldest event that was not acknowledged, as a faulty agent might.
    pub fn forget_oldest(&mut self) {
        self.outbox.remove(0);
    }

    /// How many commands the agent has not read.
    pub fn commands_on_the_way(&self) -> usize {
        self.from_server.len()
    }

    /// Drops the connection.
    pub fn disconnect(&mut self) {
        let (to_server, _) = mpsc::channel(1);
        self.to_server = to_server;
        self.from_server.close();
    }

    /// Waits until the server has dropped the connection.
    pub async fn hung_up(&mut self) {
        let dropped = async { while self.from_server.recv().await.is_some() {} };
        let waited = tokio::time::timeout(DEADLINE, dropped).await;
        waited.expect("the end of the connection within the deadline");
    }

    /// Says an event of another session, which this driver does not serve.
    pub async fn say_of(&mut self, session: SessionId, event: Event) {
        let seq = self.keep(event.clone());
        let frame = AgentFrame::Event {
            seq,
            session: Some(session),
            event,
        };
        self.to_server.send(Box::new(frame)).await.unwrap();
    }

    /// Sends an event and keeps it until it is acknowledged.
    pub async fn say(&mut self, event: Event) {
        let seq = self.keep(event.clone());
        self.send(seq, event).await;
    }

    fn keep(&mut self, event: Event) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        self.outbox.push((seq, event));
        seq
    }

    /// Sending fails on a lost link. The event stays in the outbox.
    async fn send(&self, seq: u64, event: Event) {
        let frame = AgentFrame::Event {
            seq,
            session: None,
            event,
        };
        let _ = self.to_server.send(Box::new(frame)).await;
    }

    /// Sends a frame that may be lost.
    pub async fn notice(&self, notice: Notice) {
        let frame = AgentFrame::Notice {
            session: None,
            notice,
        };
        self.to_server.send(Box::new(frame)).await.unwrap();
    }

    /// Reports a statement's progress.
    pub async fn progress(&self, statement: StatementId, progress: f64) {
        self.stages(statement, progress, Vec::new()).await;
    }

    /// Reports a statement's progress with the stages that run.
    pub async fn stages(&self, statement: StatementId, progress: f64, stages: Vec<StageProgress>) {
        self.notice(Notice::Progress {
            statement,
            progress,
            stages,
        })
        .await;
    }

    /// Sends what a statement's code has printed behind so many bytes of the stream.
    pub async fn printed(
        &self,
        statement: StatementId,
        stream: OutputStream,
        offset: u64,
        text: &str,
    ) {
        self.notice(Notice::Output {
            statement,
            stream,
            offset,
            bytes: text.len() as u64,
            text: text.to_owned(),
        })
        .await;
    }

    /// Answers a completion.
    pub async fn completed(&self, request: u64, candidates: &[&str]) {
        let candidates = candidates.iter().map(|text| (*text).to_owned()).collect();
        self.notice(Notice::Completed {
            request,
            candidates,
        })
        .await;
    }

    /// Reports that the SparkContext is up, and the interpreter is not.
    pub async fn context_up(&mut self) {
        let event = Event::ContextUp {
            app_id: "local-1".to_owned(),
            spark_ui_url: Some("http://127.0.0.1:4040".to_owned()),
        };
        self.say(event).await;
    }

    /// Reports that the SparkContext and the interpreter are up.
    pub async fn ready(&mut self) {
        let event = Event::Ready {
            app_id: "local-1".to_owned(),
            spark_ui_url: Some("http://127.0.0.1:4040".to_owned()),
            spark_user: "me".to_owned(),
            master: "local[2]".to_owned(),
        };
        self.say(event).await;
    }

    /// The next command that is not an acknowledgement.
    pub async fn command(&mut self) -> Command {
        loop {
            let next = tokio::time::timeout(DEADLINE, self.from_server.recv()).await;
            match next
                .expect("a command within the deadline")
                .expect("a link that is up")
                .command
            {
                Command::Ack { seq } => self.outbox.retain(|(kept, _)| *kept > seq),
                command => return command,
            }
        }
    }

    /// Waits until every event is acknowledged. It skips commands in between, which it has seen
    /// before.
    pub async fn settled(&mut self) {
        while !self.outbox.is_empty() {
            let next = tokio::time::timeout(DEADLINE, self.from_server.recv()).await;
            let command = next.expect("an acknowledgement within the deadline");
            if let Command::Ack { seq } = command.expect("a link that is up").command {
                self.outbox.retain(|(kept, _)| *kept > seq);
            }
        }
    }

    /// Takes the next command, which must be a run.
    pub async fn expect_run(&mut self) -> (StatementId, String) {
        match self.command().await {
            Command::Run {
                statement, code, ..
            } => (statement, code.to_string()),
            other => panic!("expected a run, got {other:?}"),
        }
    }

    /// Takes the next command, which must be a cancel.
    pub async fn expect_cancel(&mut self) -> StatementId {
        match self.command().await {
            Command::Cancel { statement, .. } => statement,
            other => panic!("expected a cancel, got {other:?}"),
        }
    }

    /// Reports that a statement's code has begun.
    pub async fn started(&mut self, statement: StatementId) {
        self.say(Event::Started {
            statement,
            at: 1_700_000_000_100,
        })
        .await;
    }

    /// Reports this text as a statement's result.
    pub async fn finished(&mut self, statement: StatementId, text: &str) {
        let output =
            json!({"status": "ok", "execution_count": statement.0, "data": {"text/plain": text}});
        self.finish(statement, false, &output).await;
    }

    /// Reports that a statement's code was stopped.
    pub async fn stopped(&mut self, statement: StatementId) {
        let output = json!({"status": "error", "execution_count": statement.0, "ename": "KeyboardInterrupt", "evalue": "", "traceback": []});
        self.finish(statement, true, &output).await;
    }

    async fn finish(&mut self, statement: StatementId, cancelled: bool, output: &Value) {
        let output = Some(output.to_string());
        self.say(Event::Finished {
            statement,
            at: 1_700_000_000_200,
            cancelled,
            output,
            chunks: 0,
        })
        .await;
    }
}

/// The connection ends with the agent's process. What the agent has sent before arrives.
#[expect(
    clippy::disallowed_methods,
    reason = "it stands for the network, which is no part of the server"
)]
fn relay(
    mut sent: mpsc::Receiver<Box<AgentFrame>>,
    into_server: mpsc::Sender<Box<AgentFrame>>,
    process: FakeProcess,
) {
    tokio::spawn(async move {
        loop {
            let frame = tokio::select! {
                biased;
                frame = sent.recv() => frame,
                _ = process.exited() => None,
            };
            let Some(frame) = frame else {
                return;
            };
            if into_server.send(frame).await.is_err() {
                return;
            }
        }
    });
}

impl World {
    /// Creates the first session of a world and makes its agent report that it is ready.
    pub async fn idle_session(&self, request: &str) -> ScriptedAgent {
        let created = self.post("/sessions", request).await;
        assert_eq!(created.status, StatusCode::CREATED, "{}", created.text);
        let first = SessionId(0);
        let mut agent = ScriptedAgent::connect(self, first).await;
        agent.ready().await;
        self.await_state(first, "idle").await;
        agent
    }
}
