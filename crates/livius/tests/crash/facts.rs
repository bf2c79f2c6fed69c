//! The facts that clients were told, and the looks that compare them with the server's answers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::Sender;
use crate::events::{self, AllEvents};
use crate::place::Place;
use crate::{driver, ledger};

/// A session and a number of a statement in it.
pub type StatementId = (i64, i64);

/// A session and a number of a job in it.
pub type JobId = (i64, i64);

/// The requests of which clients remember the keys.
const REMEMBERED: usize = 200;

/// How long all work may take to end when the server lives.
const PATIENCE: Duration = Duration::from_mins(2);

/// The answers that clients have got.
#[derive(Default)]
pub struct Facts(Mutex<Tables>);

#[derive(Default)]
struct Tables {
    sessions: BTreeMap<i64, Stage>,
    statements: BTreeMap<StatementId, Work>,
    jobs: BTreeMap<JobId, Work>,
    batches: BTreeMap<i64, Work>,
    batch_stages: BTreeMap<i64, Stage>,
    uploads: Vec<(i64, Upload)>,
    remembered: VecDeque<Keyed>,
}

/// A file that a client has uploaded.
#[derive(Debug, Clone)]
pub struct Upload {
    pub name: String,
    pub repeats: u64,
}

impl Upload {
    pub fn content(&self) -> String {
        let times = usize::try_from(self.repeats).unwrap();
        format!("{}\n", self.name).repeat(times)
    }
}

/// A request that was done, with its key.
#[derive(Debug, Clone)]
pub struct Keyed {
    pub key: String,
    /// The session that it is for.
    pub session: Option<i64>,
    pub path: String,
    pub body: Value,
    /// The number of what it made.
    pub made: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    /// A client deletes it. Whether it is there is unknown.
    Leaving,
    Deleted,
}

/// A piece of work that the server has taken.
#[derive(Debug, Clone)]
struct Work {
    /// The code, the payload or the name, which no other piece has.
    what: String,
    /// Whether a client was shown that it has ended.
    has_ended: bool,
}

impl Work {
    fn new(what: String) -> Self {
        Self {
            what,
            has_ended: false,
        }
    }
}

impl Facts {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn session(&self, id: i64) {
        let before = self.tables().sessions.insert(id, Stage::Open);
        assert_eq!(before, None, "the number of session {id} was given twice");
    }

    pub fn open_sessions(&self) -> Vec<i64> {
        let tables = self.tables();
        let sessions = tables.sessions.iter();
        let open = sessions.filter(|(_, stage)| **stage == Stage::Open);
        open.map(|(id, _)| *id).collect()
    }

    /// True for one client only.
    pub fn begin_delete(&self, id: i64) -> bool {
        self.tables().sessions.insert(id, Stage::Leaving) == Some(Stage::Open)
    }

    pub fn deleted(&self, id: i64) {
        self.tables().sessions.insert(id, Stage::Deleted);
    }

    pub fn statement(&self, id: StatementId, code: String) {
        let before = self.tables().statements.insert(id, Work::new(code));
        assert!(before.is_none(), "statement {id:?} was {before:?} before");
    }

    pub fn job(&self, id: JobId, payload: String) {
        let before = self.tables().jobs.insert(id, Work::new(payload));
        assert!(before.is_none(), "job {id:?} was {before:?} before");
    }

    pub fn batch(&self, id: i64, name: String) {
        let before = self.tables().batches.insert(id, Work::new(name));
        assert!(before.is_none(), "batch {id} was {before:?} before");
    }

    pub fn upload(&self, session: i64, upload: Upload) {
        self.tables().uploads.push((session, upload));
    }

    pub fn remember(&self, keyed: Keyed) {
        let remembered = &mut self.tables().remembered;
        remembered.push_back(keyed);
        if remembered.len() > REMEMBERED {
            remembered.pop_front();
        }
    }

    pub fn remembered(&self) -> Vec<Keyed> {
        self.tables().remembered.iter().cloned().collect()
    }

    /// The batches that have ended, and that no client deletes.
    pub fn ended_batches(&self) -> Vec<i64> {
        let tables = self.tables();
        let batches = tables.batches.iter();
        let ended =
            batches.filter(|(id, work)| work.has_ended && !tables.batch_stages.contains_key(id));
        ended.map(|(id, _)| *id).collect()
    }

    /// True for one client only.
    pub fn begin_delete_batch(&self, id: i64) -> bool {
        let stages = &mut self.tables().batch_stages;
        stages.insert(id, Stage::Leaving).is_none()
    }

    pub fn batch_deleted(&self, id: i64) {
        self.tables().batch_stages.insert(id, Stage::Deleted);
    }

    pub fn is_batch_open(&self, id: i64) -> bool {
        !self.tables().batch_stages.contains_key(&id)
    }

    pub fn statements(&self) -> Vec<StatementId> {
        self.tables().statements.keys().copied().collect()
    }

    pub fn jobs(&self) -> Vec<JobId> {
        self.tables().jobs.keys().copied().collect()
    }

    pub fn batches(&self) -> Vec<i64> {
        self.tables().batches.keys().copied().collect()
    }

    /// Whether the session must be there, both before and after a look at it.
    pub fn is_open(&self, session: i64) -> bool {
        self.tables().sessions[&session] == Stage::Open
    }

    /// Looks at a statement. True if it has ended, or its session goes.
    pub fn look_at_statement(&self, sender: &Sender, id: StatementId) -> bool {
        let work = self.tables().statements[&id].clone();
        let path = format!("/sessions/{}/statements/{}", id.0, id.1);
        let Some(shown) = self.shown(sender, id.0, &path) else {
            return true;
        };
        assert_eq!(shown["code"], work.what.as_str(), "{path}: {shown}");
        let has_ended = shown["state"] == "available";
        if has_ended {
            let text = &shown["output"]["data"]["text/plain"];
            let expected = driver::output_of(&work.what);
            assert!(text == expected.as_str(), "{path}: {shown}");
        }
        assert!(has_ended || !work.has_ended, "it ran again: {path} {shown}");
        if let Some(work) = self.tables().statements.get_mut(&id) {
            work.has_ended |= has_ended;
        }
        has_ended
    }

    /// The same for a job.
    pub fn look_at_job(&self, sender: &Sender, id: JobId) -> bool {
        let work = self.tables().jobs[&id].clone();
        let path = format!("/sessions/{}/jobs/{}", id.0, id.1);
        let Some(shown) = self.shown(sender, id.0, &path) else {
            return true;
        };
        let has_ended = shown["state"] == "SUCCEEDED";
        if has_ended {
            assert_eq!(shown["result"], work.what.as_str(), "{path}: {shown}");
        }
        assert_ne!(shown["state"], "FAILED", "{path}: {shown}");
        assert!(has_ended || !work.has_ended, "it ran again: {path} {shown}");
        if let Some(work) = self.tables().jobs.get_mut(&id) {
            work.has_ended |= has_ended;
        }
        has_ended
    }

    /// The same for a batch.
    pub fn look_at_batch(&self, sender: &Sender, id: i64) -> bool {
        let work = self.tables().batches[&id].clone();
        let path = format!("/batches/{id}");
        let deletion = self.tables().batch_stages.get(&id).copied();
        let (status, shown) = sender.get(&path);
        match deletion {
            Some(Stage::Deleted) => {
                assert_eq!(status, 404, "batch {id} came back: {shown}");
                return true;
            }
            _ if !self.is_batch_open(id) => return true,
            _ => assert_eq!(status, 200, "{path}: {shown}"),
        }
        let state = shown["state"].as_str().unwrap();
        assert!(
            matches!(state, "starting" | "running" | "success"),
            "{path}: {shown}"
        );
        let has_ended = state == "success";
        assert!(has_ended || !work.has_ended, "it ran again: {path} {shown}");
        if let Some(work) = self.tables().batches.get_mut(&id) {
            work.has_ended |= has_ended;
        }
        has_ended
    }

    /// The answer of a path below a session. `None` if the session goes or is gone.
    fn shown(&self, sender: &Sender, session: i64, path: &str) -> Option<Value> {
        let stage = self.tables().sessions[&session];
        let (status, shown) = sender.get(path);
        match stage {
            Stage::Open if self.is_open(session) => {
                assert_eq!(status, 200, "{path}: {shown}");
                Some(shown)
            }
            Stage::Deleted => {
                assert_eq!(status, 404, "session {session} came back: {path}: {shown}");
                None
            }
            Stage::Open | Stage::Leaving => None,
        }
    }

    /// Waits until all work has ended, and compares everything. No client may use the server.
    pub fn settle_and_check(&self, place: &Arc<Place>, events: &AllEvents) {
        let sender = Sender::new(place);
        let until = Instant::now() + PATIENCE;
        let wait = |what: &str, is_so: &dyn Fn() -> bool| {
            while !is_so() {
                assert!(Instant::now() < until, "{what} does not end");
                std::thread::sleep(Duration::from_millis(10));
            }
        };
        for id in self.statements() {
            let what = format!("statement {id:?}");
            wait(&what, &|| self.look_at_statement(&sender, id));
        }
        for id in self.jobs() {
            wait(&format!("job {id:?}"), &|| self.look_at_job(&sender, id));
        }
        for id in self.batches() {
            wait(&format!("batch {id}"), &|| self.look_at_batch(&sender, id));
        }
        self.check_lists(&sender);
        self.check_logs(&sender);
        let uploads = self.open_uploads();
        wait("an upload", &|| {
            let runs = ledger::read(&place.ledger());
            uploads.iter().all(|line| runs.contains_key(line))
        });
        self.check_ledger(place);
        Self::check_events(&sender, events, until);
    }

    /// The lines that drivers have written about the uploads of open sessions.
    fn open_uploads(&self) -> Vec<String> {
        let tables = self.tables();
        let uploads = tables.uploads.iter();
        let open = uploads.filter(|(session, _)| tables.sessions[session] == Stage::Open);
        open.map(|(_, upload)| ledger::upload(&upload.name, upload.content().as_bytes()))
            .collect()
    }

    /// A client that has followed all events knows what the lists say.
    fn check_events(sender: &Sender, events: &AllEvents, until: Instant) {
        loop {
            let (_, sessions) = sender.get("/sessions?size=100");
            let agreed = events.agrees("session", events::states_of(&sessions));
            let agreed =
                agreed.and_then(|()| events.agrees("batch", events::newest_batches(sender, 50)));
            let Err(why) = agreed else { return };
            assert!(Instant::now() < until, "an event is lost: {why}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The processes and directories of drivers that no client knows. A server that was just
    /// started removes it soon.
    pub fn leftovers(&self, place: &Place) -> Vec<String> {
        let open = self.open_sessions();
        let batches = self.batches();
        let mut left = Vec::new();
        let processes = place.processes();
        // A supervisor and a driver each.
        if processes.len() > 2 * open.len() {
            left.extend(processes.into_iter().map(|(_, line)| line));
        }
        let mut known = BTreeSet::new();
        let mut ended = Vec::new();
        for directory in place.driver_directories() {
            let mut words = directory.split('-');
            let kind = words.next();
            let id = words.next().and_then(|id| id.parse().ok());
            let is_new = known.insert((kind.map(str::to_owned), id));
            match (kind, id) {
                (Some("s"), Some(id)) if is_new && open.contains(&id) => {}
                (Some("s"), Some(_)) if is_new => ended.push(directory),
                (Some("b"), Some(id)) if is_new && batches.contains(&id) => {}
                _ => left.push(directory),
            }
        }
        if ended.len() > Place::ENDED_SESSIONS {
            left.extend(ended);
        }
        left
    }

    /// The lists have what clients know of, and nothing else.
    fn check_lists(&self, sender: &Sender) {
        let sessions = self.open_sessions();
        let (_, listed) = sender.get("/sessions?size=100");
        assert_eq!(ids(&listed["sessions"]), sessions, "{listed}");
        for session in sessions {
            let path = format!("/sessions/{session}/statements?from=0&size=1000000");
            let (_, listed) = sender.get(&path);
            let known = self.statements().into_iter();
            let known: Vec<i64> = known
                .filter(|(of, _)| *of == session)
                .map(|(_, id)| id)
                .collect();
            assert_eq!(ids(&listed["statements"]), known, "session {session}");
        }
        let mut batches = self.batches();
        batches.retain(|id| self.is_batch_open(*id));
        let mut listed = Vec::new();
        while listed.len() < batches.len() {
            let path = format!("/batches?from={}&size=100", listed.len());
            let page = ids(&sender.get(&path).1["sessions"]);
            assert!(
                !page.is_empty(),
                "only {listed:?} of {batches:?} are listed"
            );
            listed.extend(page);
        }
        listed.sort_unstable();
        assert_eq!(listed, batches);
    }

    /// Each piece of work has its line in a log, once.
    fn check_logs(&self, sender: &Sender) {
        for session in self.open_sessions() {
            let lines = log(sender, &format!("/sessions/{session}/log"));
            let tables = self.tables();
            for (_, work) in tables.statements.range((session, 0)..(session + 1, 0)) {
                let line = format!("ran {}", work.what);
                let count = lines.iter().filter(|it| **it == line).count();
                assert_eq!(count, 1, "{line:?} in the log of session {session}");
            }
        }
        let batches = self.tables().batches.clone();
        for (id, work) in batches {
            if !self.is_batch_open(id) {
                continue;
            }
            let lines = log(sender, &format!("/batches/{id}/log"));
            let line = format!("ran {}", work.what);
            let count = lines.iter().filter(|it| **it == line).count();
            assert_eq!(count, 1, "{line:?} in the log of batch {id}: {lines:#?}");
        }
    }

    /// Each piece of work has run once. That of a deleted session may have been too late.
    fn check_ledger(&self, place: &Place) {
        let runs = ledger::read(&place.ledger());
        let often: Vec<_> = runs.iter().filter(|(_, count)| **count > 1).collect();
        assert!(often.is_empty(), "it ran more than once: {often:?}");
        let uploads = self.tables().uploads.clone();
        for (session, upload) in uploads {
            let missing = runs.contains_key(&format!("missing upload {}", upload.name));
            let is_fine = !missing || !self.is_open(session);
            assert!(
                is_fine,
                "an upload of session {session} is lost: {upload:?}"
            );
        }
        let lost: Vec<_> = runs.keys().filter(|work| work.contains("LOST")).collect();
        assert!(lost.is_empty(), "{lost:?}");
        let tables = self.tables();
        let has_run = |kind: &str, work: &Work| runs.contains_key(&format!("{kind} {}", work.what));
        let is_open = |session: i64| tables.sessions[&session] == Stage::Open;
        for ((session, id), work) in &tables.statements {
            let is_fine = has_run("statement", work) || !is_open(*session);
            assert!(is_fine, "statement {id} of session {session} never ran");
        }
        for ((session, id), work) in &tables.jobs {
            let is_fine = has_run("job", work) || !is_open(*session);
            assert!(is_fine, "job {id} of session {session} never ran");
        }
        for (id, work) in &tables.batches {
            assert!(has_run("batch", work), "batch {id} never ran");
        }
    }

    pub fn summary(&self) -> String {
        let tables = self.tables();
        format!(
            "{} sessions, {} statements, {} jobs, {} uploads and {} batches are as clients were told",
            tables.sessions.len(),
            tables.statements.len(),
            tables.jobs.len(),
            tables.uploads.len(),
            tables.batches.len()
        )
    }
}

fn log(sender: &Sender, path: &str) -> Vec<String> {
    let (status, shown) = sender.get(&format!("{path}?from=0&size=-1"));
    assert_eq!(status, 200, "{path}: {shown}");
    let lines = shown["log"].as_array().unwrap().iter();
    lines
        .map(|line| line.as_str().unwrap().to_owned())
        .collect()
}

fn ids(list: &Value) -> Vec<i64> {
    let list = list.as_array().into_iter().flatten();
    let mut ids: Vec<i64> = list.filter_map(|one| one["id"].as_i64()).collect();
    ids.sort_unstable();
    ids
}
