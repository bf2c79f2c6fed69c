//! Failpoints: places in the server at which a test has the process die.
//!
//! Each of them is a boundary between two effects, such as a write to the store and the command that
//! follows from it. The crash test reads [`Point::ALL`], and fails if the server cannot be killed at one
//! of them, so no failpoint can be forgotten.
//!
//! A build without debug assertions, such as a release, has no failpoints: [`reach`] is empty there. The
//! suite's own builds have them, so they need no second build
//! ([ADR 0033](../../../docs/adr/0033-failpoints-of-our-own.md)).

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Makes the list of all failpoints.
macro_rules! points {
    ($($(#[$about:meta])* $point:ident = $name:literal;)*) => {
        /// A boundary between two effects.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Point {
            $($(#[$about])* $point,)*
        }

        impl Point {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$point,)*];

            /// The name: the subject, and the last effect.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$point => $name,)*
                }
            }
        }
    };
}

points! {
    /// The store is about to write.
    StoreWriting = "store.writing";
    /// The store has written, and its caller does not know yet.
    StoreWritten = "store.written";

    /// A new server has claimed its drivers.
    RecoveryClaimed = "recovery.claimed";
    /// It has made the actors of the sessions of its store.
    RecoveryTakenUp = "recovery.taken-up";
    /// An actor has looked for the process of its driver.
    RecoveryFound = "recovery.found";

    /// A session has its row, and no driver.
    SessionCreated = "session.created";
    /// It has its driver, and no actor.
    SessionSeated = "session.seated";
    /// A step of a session is stored.
    SessionStepStored = "session.step-stored";
    /// Its effects have been performed.
    SessionStepActed = "session.step-acted";
    /// A session is off the list, and its driver lives.
    SessionUnlisted = "session.unlisted";
    /// The driver of a deleted session was told to stop.
    SessionDriverStopped = "session.driver-stopped";
    /// The end of a session is stored.
    SessionEndStored = "session.end-stored";
    /// The temporary files of an ended session are gone.
    SessionFilesCleared = "session.files-cleared";

    /// A batch has its row, and no driver.
    BatchCreated = "batch.created";
    /// It has its driver, and no actor.
    BatchSeated = "batch.seated";
    /// A step of a batch is stored.
    BatchStepStored = "batch.step-stored";
    /// Its effects have been performed.
    BatchStepActed = "batch.step-acted";
    /// A batch is off the list.
    BatchUnlisted = "batch.unlisted";

    /// A step of a driver is stored.
    DriverStepStored = "driver.step-stored";
    /// Its effects have been begun.
    DriverStepActed = "driver.step-acted";
    /// The end of a driver is stored.
    DriverEndStored = "driver.end-stored";

    /// A driver that is to be launched has its directory.
    LaunchPlanned = "launch.planned";
    /// It has its files.
    LaunchWritten = "launch.written";
    /// The supervisor runs, and no file tells of it.
    SupervisorSpawned = "launch.supervisor-spawned";
    /// A file tells of the supervisor, which waits for the word.
    SupervisorRecorded = "launch.supervisor-recorded";
    /// The supervisor has the word to start the driver.
    SupervisorTold = "launch.supervisor-told";
    /// The driver runs, and the store does not know of its process.
    DriverStarted = "launch.driver-started";

    /// An agent has connected, and nothing about it is stored.
    AgentAttached = "agent.attached";
    /// An event is stored, and not acknowledged.
    EventStored = "agent.event-stored";
    /// An event is acknowledged.
    EventAcknowledged = "agent.event-acknowledged";

    /// A statement has its row.
    StatementCreated = "statement.created";
    /// A step of a statement is stored.
    StatementStepStored = "statement.step-stored";
    /// Its command was sent.
    StatementStepActed = "statement.step-acted";
    /// A piece of an output is stored.
    OutputPieceStored = "statement.piece-stored";
    /// The end of a statement is stored.
    StatementEndStored = "statement.end-stored";
    /// Clients see the end of a statement, and the next one has not begun.
    StatementEndShown = "statement.end-shown";

    /// A job has its row.
    JobCreated = "job.created";
    /// A step of a job is stored.
    JobStepStored = "job.step-stored";
    /// Its command was sent.
    JobStepActed = "job.step-acted";
    /// The end of a job is stored.
    JobEndStored = "job.end-stored";

    /// All of an upload has arrived.
    UploadArrived = "upload.arrived";
    /// An upload has its place, and no row.
    UploadPlaced = "upload.placed";
    /// It has its row, and the driver does not know of it.
    UploadStored = "upload.stored";
    /// The driver was told of it.
    UploadHandedOver = "upload.handed-over";
    /// The store knows that the driver has it.
    UploadAddedStored = "upload.added-stored";
    /// The server's copy is gone.
    UploadDiscarded = "upload.discarded";

    /// A request with a key is done, and its answer is not kept.
    KeyRequestDone = "key.request-done";
    /// The answer is kept, and not sent.
    KeyAnswerKept = "key.answer-kept";

    /// The rows of purged sessions are gone.
    PurgeRowsDeleted = "purge.rows-deleted";
    /// The files of a purged driver are gone.
    PurgeFilesRemoved = "purge.files-removed";
    /// The row of a purged driver is gone.
    PurgeDriverDeleted = "purge.driver-deleted";

    /// The sweep knows which drivers have files.
    SweepListed = "sweep.listed";
    /// The sweep is about to remove the files of a driver that no row names.
    SweepRemoving = "sweep.removing";
    /// They are gone.
    SweepRemoved = "sweep.removed";
}

/// A failpoint that a process is to die at, and what kills it.
struct Armed {
    point: Point,
    /// How often the process still lives through it.
    left: AtomicU32,
    die: fn(Point),
}

static ARMED: OnceLock<Armed> = OnceLock::new();

/// The reason why a failpoint cannot be armed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArmError {
    /// There is no failpoint of this name.
    #[error("there is no failpoint {0:?}")]
    Unknown(String),
    /// The text after the colon is no number from 1 on.
    #[error("{0:?} is no number from 1 on")]
    NoNumber(String),
    /// A failpoint is armed already.
    #[error("a failpoint is armed already")]
    Twice,
}

/// Has the process die when it reaches a failpoint: `statement.created`, or `statement.created:3` for
/// the third time.
pub fn arm(text: &str, die: fn(Point)) -> Result<(), ArmError> {
    let (point, times) = read(text)?;
    let armed = Armed {
        point,
        left: AtomicU32::new(times - 1),
        die,
    };
    ARMED.set(armed).map_err(|_| ArmError::Twice)
}

fn read(text: &str) -> Result<(Point, u32), ArmError> {
    let (name, times) = text.split_once(':').unwrap_or((text, "1"));
    let mut all = Point::ALL.iter();
    let point = all.find(|point| point.name() == name);
    let point = point.ok_or_else(|| ArmError::Unknown(name.to_owned()))?;
    let number = times.parse().ok().filter(|times| *times > 0);
    let times = number.ok_or_else(|| ArmError::NoNumber(times.to_owned()))?;
    Ok((*point, times))
}

/// Tells that the process is at a failpoint. It goes on, unless a test has it die there.
#[inline]
pub fn reach(point: Point) {
    if cfg!(debug_assertions) {
        die_if_armed(point);
    }
}

fn die_if_armed(point: Point) {
    let Some(armed) = ARMED.get().filter(|armed| armed.point == point) else {
        return;
    };
    let lives = armed
        .left
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            left.checked_sub(1)
        });
    if lives.is_err() {
        (armed.die)(point);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::atomic::AtomicBool;

    use super::*;

    #[test]
    fn every_failpoint_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = Point::ALL.iter().map(|point| point.name()).collect();
        assert_eq!(names.len(), Point::ALL.len());
        for point in Point::ALL {
            assert_eq!(read(point.name()), Ok((*point, 1)));
        }
    }

    #[test]
    fn a_text_that_names_no_failpoint_is_refused() {
        assert_eq!(read("job.created:7"), Ok((Point::JobCreated, 7)));
        assert_eq!(
            read("jobs.created"),
            Err(ArmError::Unknown("jobs.created".to_owned()))
        );
        for bad in ["0", "", "-1", "x"] {
            let text = format!("job.created:{bad}");
            assert_eq!(read(&text), Err(ArmError::NoNumber(bad.to_owned())));
        }
    }

    /// The only test that arms one: a process has one for all its life.
    #[test]
    fn a_process_dies_when_it_is_there_as_often_as_it_was_told() {
        static DEAD: AtomicBool = AtomicBool::new(false);
        let die = |_| DEAD.store(true, Ordering::Relaxed);
        arm("job.created:3", die).unwrap();
        assert_eq!(arm("job.created", die), Err(ArmError::Twice));
        for point in [
            Point::JobCreated,
            Point::StatementCreated,
            Point::JobCreated,
            Point::BatchCreated,
        ] {
            reach(point);
            assert!(!DEAD.load(Ordering::Relaxed), "{point:?}");
        }
        reach(Point::JobCreated);
        assert!(DEAD.load(Ordering::Relaxed));
    }
}
