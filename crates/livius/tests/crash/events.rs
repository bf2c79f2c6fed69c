//! Clients that follow events, and go on after their last one when a server dies.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::{PATIENCE, PAUSE, Sender};
use crate::place::Place;

/// How long a client waits for a next event before it looks whether it is to end.
const LOOK_UP: Duration = Duration::from_millis(200);

/// An event of a stream.
#[derive(Debug)]
pub struct Event {
    pub id: String,
    pub name: String,
    pub data: Value,
}

/// A stream of events that a client has opened.
pub struct Stream {
    response: reqwest::Response,
    text: String,
    ready: VecDeque<Event>,
}

/// The outcome of the wait for an event.
pub enum Next {
    Event(Event),
    /// The server is gone, or says no more.
    Over,
    /// Nothing yet.
    Quiet,
}

impl Stream {
    /// Opens a stream behind the last event. The error is the status of a refusal, if there was a
    /// response.
    pub async fn open(
        sender: &Sender,
        path: &str,
        last: Option<&str>,
    ) -> Result<Self, Option<u16>> {
        let response = sender.open(path, last).await.map_err(|_| None)?;
        match response.status().as_u16() {
            200 => Ok(Self {
                response,
                text: String::new(),
                ready: VecDeque::new(),
            }),
            status => Err(Some(status)),
        }
    }

    pub async fn next(&mut self) -> Next {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Next::Event(event);
            }
            let piece = tokio::time::timeout(LOOK_UP, self.response.chunk()).await;
            let Ok(piece) = piece else { return Next::Quiet };
            let Ok(Some(piece)) = piece else {
                return Next::Over;
            };
            self.text.push_str(std::str::from_utf8(&piece).unwrap());
            while let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                self.ready.extend(event(&block));
            }
        }
    }
}

/// Reads an event. A comment is none.
fn event(block: &str) -> Option<Event> {
    let field = |name: &str| {
        let mut lines = block.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    Some(Event {
        id: field("id")?.to_owned(),
        name: field("event")?.to_owned(),
        data: serde_json::from_str(field("data")?).unwrap(),
    })
}

/// Follows a stream that has an end, over as many servers as it takes. Returns its events, with `end` as
/// the last one. `None` if there is no such thing any more.
pub fn to_the_end(sender: &Sender, path: &str) -> Option<Vec<Event>> {
    sender.runtime().block_on(async {
        let until = Instant::now() + PATIENCE;
        let mut events: Vec<Event> = Vec::new();
        loop {
            assert!(Instant::now() < until, "{path} has no end: {events:?}");
            let last = events.last().map(|event| event.id.clone());
            match Stream::open(sender, path, last.as_deref()).await {
                Ok(mut stream) => loop {
                    match stream.next().await {
                        Next::Event(event) => events.push(event),
                        Next::Quiet if Instant::now() < until => {}
                        Next::Quiet | Next::Over => break,
                    }
                },
                Err(Some(404)) => return None,
                Err(Some(204)) => {
                    let last = events.last().map(|event| event.name.as_str());
                    assert_eq!(last, Some("end"), "{path} ended without an end");
                    break;
                }
                Err(_) => {}
            }
            tokio::time::sleep(PAUSE).await;
        }
        let ends = events.iter().filter(|event| event.name == "end").count();
        assert_eq!(ends, 1, "{path}: {events:#?}");
        Some(events)
    })
}

/// The states of sessions and batches, by kind and number, as a client knows them from events.
type States = BTreeMap<(&'static str, i64), String>;

/// Follows all sessions and batches.
pub struct AllEvents {
    states: Mutex<States>,
}

/// The thread of a client that follows all sessions and batches.
struct Following {
    sender: Sender,
    shared: Arc<AllEvents>,
    is_over: Arc<AtomicBool>,
    last: Option<String>,
    /// The last events since the stream began, or missed some.
    told: States,
}

impl AllEvents {
    /// Follows until the flag is set.
    pub fn follow(
        place: &Arc<Place>,
        is_over: &Arc<AtomicBool>,
    ) -> (Arc<Self>, std::thread::JoinHandle<()>) {
        let shared = Arc::new(Self {
            states: Mutex::default(),
        });
        let following = Following {
            sender: Sender::new(place),
            shared: Arc::clone(&shared),
            is_over: Arc::clone(is_over),
            last: None,
            told: States::new(),
        };
        (shared, std::thread::spawn(move || following.run()))
    }

    /// Whether the client knows these states.
    pub fn agrees(&self, kind: &'static str, listed: Vec<(i64, String)>) -> Result<(), String> {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, state) in listed {
            let known = states.get(&(kind, id));
            if known != Some(&state) {
                return Err(format!("{kind} {id} is {state}, and events say {known:?}"));
            }
        }
        Ok(())
    }
}

impl Following {
    fn run(mut self) {
        while !self.is_over.load(Ordering::Relaxed) {
            let path = "/api/v1/events";
            let opened = self.sender.runtime().block_on(Stream::open(
                &self.sender,
                path,
                self.last.as_deref(),
            ));
            match opened {
                Ok(stream) => self.read(stream),
                Err(Some(status)) if status != 429 && status != 503 => {
                    panic!("{path} after {:?}: {status}", self.last)
                }
                Err(_) => std::thread::sleep(PAUSE),
            }
        }
    }

    fn read(&mut self, mut stream: Stream) {
        while !self.is_over.load(Ordering::Relaxed) {
            let next = self.sender.runtime().block_on(stream.next());
            match next {
                Next::Event(event) => self.take(event),
                Next::Quiet => {}
                Next::Over => return,
            }
        }
    }

    fn take(&mut self, event: Event) {
        let Event { id, name, data } = event;
        if matches!(name.as_str(), "begin" | "missed") {
            self.last = Some(id);
            self.told.clear();
            // A server that dies now is followed by one that says `missed` again.
            let listed = self.lists();
            *self
                .shared
                .states
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = listed;
            return;
        }
        let last = self.last.replace(id.clone());
        let numbers = |id: &str| -> (u64, u64) {
            let (session, batch) = id.split_once('-').unwrap();
            (session.parse().unwrap(), batch.parse().unwrap())
        };
        let (before, now) = (numbers(&last.unwrap()), numbers(&id));
        assert!(
            now.0 >= before.0 && now.1 >= before.1 && now != before,
            "event {id} comes after {before:?}"
        );
        let kind = match (name.as_str(), data["kind"].as_str()) {
            ("session", _) | ("gone", Some("session")) => "session",
            ("batch", _) | ("gone", Some("batch")) => "batch",
            other => panic!("{other:?}: {data}"),
        };
        let which = (kind, data["id"].as_i64().unwrap());
        let mut states = self
            .shared
            .states
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if name == "gone" {
            states.remove(&which);
            return;
        }
        let state = data["state"].as_str().unwrap().to_owned();
        let is_end = matches!(state.as_str(), "success" | "dead" | "killed");
        let before = self.told.insert(which, state.clone());
        assert!(
            !is_end || before.as_ref() != Some(&state),
            "the end of {which:?} is told twice"
        );
        states.insert(which, state);
    }

    /// The sessions, and the newest batches.
    fn lists(&self) -> States {
        let mut states = States::new();
        let (_, sessions) = self.sender.get("/sessions?size=100");
        for (id, state) in states_of(&sessions) {
            states.insert(("session", id), state);
        }
        for (id, state) in newest_batches(&self.sender, 300) {
            states.insert(("batch", id), state);
        }
        states
    }
}

/// The newest batches, and their states.
pub fn newest_batches(sender: &Sender, count: i64) -> Vec<(i64, String)> {
    let (_, first) = sender.get("/batches?from=0&size=1");
    let total = first["total"].as_i64().unwrap();
    let mut batches = Vec::new();
    let mut from = (total - count).max(0);
    while from < total {
        let (_, page) = sender.get(&format!("/batches?from={from}&size=100"));
        batches.extend(states_of(&page));
        from += 100;
    }
    batches
}

pub fn states_of(listed: &Value) -> Vec<(i64, String)> {
    let listed = listed["sessions"].as_array().unwrap().iter();
    let entry = |one: &Value| {
        let state = one["state"].as_str().unwrap().to_owned();
        (one["id"].as_i64().unwrap(), state)
    };
    listed.map(entry).collect()
}
