//! Livy's names of states and kinds.

use livius_domain::batch::{self, BatchOutcome};
use livius_domain::session;
use livius_domain::{JobOutcome, JobState, Kind, Outcome, StatementState};

/// Declares an enum of names together with the list of all of them, so that the list is complete.
macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the text of each variant says what it means")]
        pub enum $name { $($variant,)* }

        impl $name {
            /// Every state.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name as clients see it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

names! {
    /// The states in which Livy shows a session.
    SessionState {
        Starting = "starting",
        Idle = "idle",
        Busy = "busy",
        Recovering = "recovering",
        ShuttingDown = "shutting_down",
        Dead = "dead",
        Killed = "killed",
    }
}

names! {
    /// The states in which Livy shows a batch.
    BatchState {
        Starting = "starting",
        Running = "running",
        Success = "success",
        Dead = "dead",
        Killed = "killed",
    }
}

impl SessionState {
    /// Livy's state of a session. `busy` tells whether statements run or wait, `recovering` whether
    /// the server was restarted and has not heard of the driver's agent yet.
    pub fn of(state: &session::SessionState, busy: bool, recovering: bool) -> Self {
        use session::SessionState as State;
        match state {
            State::Starting => Self::Starting,
            State::Running if recovering => Self::Recovering,
            State::Running if busy => Self::Busy,
            State::Running => Self::Idle,
            State::Stopping { .. } => Self::ShuttingDown,
            State::Ended(end) => match end.outcome {
                Outcome::Killed => Self::Killed,
                Outcome::Stopped | Outcome::Failed => Self::Dead,
            },
        }
    }

    /// Tells whether a session in this state has ended.
    pub fn is_ended(self) -> bool {
        match self {
            Self::Starting | Self::Idle | Self::Busy | Self::Recovering | Self::ShuttingDown => {
                false
            }
            Self::Dead | Self::Killed => true,
        }
    }
}

impl BatchState {
    /// Livy's state of a batch. Livy has none for a batch that is being stopped, so such a batch
    /// keeps the state that it had.
    pub fn of(state: &batch::BatchState) -> Self {
        use batch::BatchState as State;
        match state {
            State::Starting
            | State::Stopping {
                was_running: false, ..
            } => Self::Starting,
            State::Running | State::Stopping { .. } => Self::Running,
            State::Ended(end) => match end.outcome {
                BatchOutcome::Succeeded => Self::Success,
                BatchOutcome::Failed => Self::Dead,
                BatchOutcome::Killed => Self::Killed,
            },
        }
    }

    /// Tells whether a batch in this state has ended.
    pub fn is_ended(self) -> bool {
        match self {
            Self::Starting | Self::Running => false,
            Self::Success | Self::Dead | Self::Killed => true,
        }
    }
}

/// Livy's name of a statement's state.
pub fn statement_state(state: StatementState) -> &'static str {
    match state {
        // The driver has the statement, but may still have to start its interpreter.
        StatementState::Waiting | StatementState::Running { started: None } => "waiting",
        StatementState::Running { .. } => "running",
        StatementState::Cancelling { .. } => "cancelling",
        StatementState::Available { .. } => "available",
        StatementState::Cancelled { .. } => "cancelled",
    }
}

/// Livy's name of a job's state.
pub fn job_state(state: JobState) -> &'static str {
    match state {
        JobState::Waiting => "SENT",
        JobState::Sent | JobState::Cancelling { started: None } => "QUEUED",
        JobState::Started { .. } | JobState::Cancelling { .. } => "STARTED",
        JobState::Ended { outcome, .. } => match outcome {
            JobOutcome::Succeeded => "SUCCEEDED",
            JobOutcome::Failed => "FAILED",
            JobOutcome::Cancelled => "CANCELLED",
        },
    }
}

/// The name of a kind that Livy's clients know: one unknown kind makes them refuse a whole list.
pub fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::PySpark3 => "pyspark",
        other => other.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn jobs_have_livys_names() {
        let started = Some(Timestamp::UNIX_EPOCH);
        let ended = |outcome| JobState::Ended {
            outcome,
            started,
            ended: Timestamp::UNIX_EPOCH,
        };
        for (state, name) in [
            (JobState::Waiting, "SENT"),
            (JobState::Sent, "QUEUED"),
            (
                JobState::Started {
                    started: Timestamp::UNIX_EPOCH,
                },
                "STARTED",
            ),
            (JobState::Cancelling { started: None }, "QUEUED"),
            (JobState::Cancelling { started }, "STARTED"),
            (ended(JobOutcome::Succeeded), "SUCCEEDED"),
            (ended(JobOutcome::Failed), "FAILED"),
            (ended(JobOutcome::Cancelled), "CANCELLED"),
        ] {
            assert_eq!(job_state(state), name);
        }
    }
}
