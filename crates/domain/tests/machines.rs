//! The state machines as tables (every state, every event) and under random sequences of events.

use std::fmt::Write as _;

use jiff::Timestamp;
use livius_domain::session::{SessionEvent as Event, SessionState as State};
use livius_domain::statement::{StatementEvent, StatementState};
use livius_domain::{
    Departure, DriverEnd, End, Exit, Failure, FailureCode, Outcome, Phase, SessionEffect,
    StopCause, Verdict,
};
use proptest::prelude::*;

fn failure() -> Failure {
    Failure {
        code: FailureCode::ContextFailed,
        phase: Phase::Context,
        evidence: livius_domain::Evidence::default(),
        message: "m".to_owned(),
        hint: "h".to_owned(),
    }
}

fn states() -> Vec<(&'static str, State)> {
    let end = End {
        outcome: Outcome::Stopped,
        cause: Some(StopCause::User),
        failure: None,
        exit: None,
    };
    vec![
        ("starting", State::Starting),
        ("running", State::Running),
        (
            "stopping",
            State::Stopping {
                cause: Some(StopCause::User),
                failure: None,
            },
        ),
        ("ended", State::Ended(end)),
    ]
}

/// The ways in which a driver can be gone.
fn ends() -> Vec<(&'static str, DriverEnd)> {
    let by_itself = |phase, exit| DriverEnd {
        phase,
        cause: None,
        failure: None,
        forced: false,
        departure: Some(Departure::of(exit)),
    };
    let stopped = |cause, forced, exit| DriverEnd {
        cause: Some(cause),
        forced,
        ..by_itself(Phase::Running, exit)
    };
    vec![
        (
            "exit 1, connecting",
            by_itself(Phase::Connect, Exit::Code(1)),
        ),
        ("exit 0, running", by_itself(Phase::Running, Exit::Code(0))),
        (
            "signal 9, context",
            by_itself(Phase::Context, Exit::Signal(9)),
        ),
        ("unseen", by_itself(Phase::Running, Exit::Unknown)),
        (
            "launch failed",
            DriverEnd {
                phase: Phase::Launch,
                cause: None,
                failure: Some(failure()),
                forced: false,
                departure: None,
            },
        ),
        (
            "context failed",
            DriverEnd {
                failure: Some(failure()),
                ..by_itself(Phase::Stopping, Exit::Code(1))
            },
        ),
        (
            "stopped in the queue",
            DriverEnd {
                departure: None,
                ..stopped(StopCause::User, false, Exit::Unknown)
            },
        ),
        ("stopped", stopped(StopCause::User, false, Exit::Code(0))),
        (
            "forced, obeyed",
            stopped(StopCause::User, true, Exit::Signal(15)),
        ),
        (
            "killed",
            stopped(StopCause::IdleTimeout, true, Exit::Signal(9)),
        ),
        (
            "start timeout",
            stopped(StopCause::StartTimeout, true, Exit::Signal(9)),
        ),
        (
            "unreachable",
            stopped(StopCause::Unreachable, true, Exit::Signal(9)),
        ),
    ]
}

fn events() -> Vec<(&'static str, Event)> {
    let mut events = vec![
        ("driver up", Event::DriverUp),
        (
            "driver stopping",
            Event::DriverStopping {
                cause: Some(StopCause::User),
                failure: None,
            },
        ),
        ("stop", Event::Stop(StopCause::User)),
    ];
    let gone = |(name, end)| (name, Event::DriverGone(end));
    events.extend(ends().into_iter().map(gone));
    events
}

fn show(state: &State) -> String {
    match state {
        State::Starting => "starting".to_owned(),
        State::Running => "running".to_owned(),
        State::Stopping { .. } => "stopping".to_owned(),
        State::Ended(end) => {
            let reason = end.failure.as_ref().map(|failure| &failure.message);
            format!("ended {:?} {reason:?}", end.outcome)
        }
    }
}

#[test]
fn the_word_of_a_resource_manager_is_the_reason_of_a_sessions_end() {
    let end = |cause, forced, verdict| {
        let driver = DriverEnd {
            phase: Phase::Running,
            cause,
            failure: None,
            forced,
            departure: Some(Departure {
                verdict: Some(verdict),
                ..Departure::of(Exit::Unknown)
            }),
        };
        let (state, _) = State::Running.on(Event::DriverGone(driver));
        let State::Ended(end) = state else {
            panic!("it has ended")
        };
        (end.outcome, end.failure.map(|failure| failure.message))
    };
    let told = |words: &str| Some(format!("the driver ended by itself{words}"));
    let failed = || Verdict::Failed("YARN says: no memory".to_owned());
    let user = Some(StopCause::User);
    for (cause, forced, verdict, expected) in [
        (
            None,
            false,
            failed(),
            (Outcome::Failed, told(": YARN says: no memory")),
        ),
        (
            None,
            false,
            Verdict::Killed,
            (
                Outcome::Failed,
                told(": it was killed at its resource manager"),
            ),
        ),
        (
            None,
            false,
            Verdict::Finished,
            (Outcome::Failed, told(" with an unknown exit status")),
        ),
        (user, true, Verdict::Killed, (Outcome::Killed, None)),
        (user, false, Verdict::Killed, (Outcome::Stopped, None)),
        (user, true, Verdict::Finished, (Outcome::Stopped, None)),
    ] {
        assert_eq!(end(cause, forced, verdict), expected);
    }
}

/// The reason of a session whose agent had a failure of its context before its driver ended.
fn told_after(code: FailureCode, phase: Phase, forced: bool, verdict: Option<Verdict>) -> String {
    let failure = Failure {
        code,
        message: "the context is gone".to_owned(),
        ..failure()
    };
    let driver = DriverEnd {
        phase,
        cause: None,
        failure: Some(failure),
        forced,
        departure: Some(Departure {
            verdict,
            ..Departure::of(Exit::Unknown)
        }),
    };
    let (state, _) = State::Running.on(Event::DriverGone(driver));
    let State::Ended(end) = state else {
        panic!("it has ended")
    };
    end.failure.expect("it has failed").message
}

/// An agent whose driver is ended from outside says that the SparkContext was stopped.
#[test]
fn a_driver_that_its_cluster_ends_is_told_before_the_context() {
    let taken = || Some(Verdict::EndedByCluster("YARN preempted it".to_owned()));
    let stopped = |forced, verdict| {
        let code = FailureCode::ContextStopped;
        told_after(code, Phase::Running, forced, verdict)
    };
    for forced in [false, true] {
        let told = stopped(forced, taken());
        assert_eq!(told, "the driver ended: YARN preempted it");
    }
    let killed = "the driver ended by itself: it was killed at its resource manager";
    assert_eq!(stopped(false, Some(Verdict::Killed)), killed);
    let unready = told_after(FailureCode::ContextFailed, Phase::Context, false, taken());
    assert_eq!(
        unready,
        "the driver ended while it created the SparkContext: YARN preempted it"
    );
    // The launcher has killed a driver that did not end.
    let forced = stopped(true, Some(Verdict::Killed));
    let failed = stopped(false, Some(Verdict::Failed("f".to_owned())));
    let restarted = told_after(FailureCode::DriverRestarted, Phase::Running, false, taken());
    for told in [forced, failed, restarted, stopped(false, None)] {
        assert_eq!(told, "the context is gone");
    }
}

#[test]
fn every_session_state_meets_every_event() {
    let mut table = String::new();
    for (state_name, state) in states() {
        for (event_name, event) in events() {
            let (next, effects) = state.clone().on(event);
            let outcome = format!("{} {effects:?}", show(&next));
            let outcome = outcome.trim_end_matches("[]").trim_end();
            writeln!(table, "{state_name:8} | {event_name:20} | {outcome}").unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn every_statement_state_meets_every_event() {
    let (t, u) = (
        Timestamp::from_second(1).unwrap(),
        Timestamp::from_second(2).unwrap(),
    );
    let states = [
        StatementState::Waiting,
        StatementState::Running { started: None },
        StatementState::Running { started: Some(t) },
        StatementState::Cancelling { started: Some(t) },
        StatementState::Available {
            started: Some(t),
            completed: t,
        },
        StatementState::Cancelled {
            started: None,
            completed: t,
        },
    ];
    let events = [
        StatementEvent::Dispatch,
        StatementEvent::Started(u),
        StatementEvent::Cancel(u),
        StatementEvent::Finished {
            at: u,
            cancelled: false,
        },
        StatementEvent::Finished {
            at: u,
            cancelled: true,
        },
        StatementEvent::DriverLost(u),
    ];
    let mut table = String::new();
    for state in states {
        for event in events {
            let outcome = match state.on(event) {
                Ok((next, effect)) => format!(
                    "{next:?} {}",
                    effect.map_or(String::new(), |effect| format!("{effect:?}"))
                ),
                Err(_) => "ILLEGAL".to_owned(),
            };
            table.push_str(format!("{state:?} | {event:?} | {outcome}").trim_end());
            table.push('\n');
        }
    }
    insta::assert_snapshot!(table.replace("1970-01-01T00:00:0", "T"));
}

fn any_event() -> impl Strategy<Value = Event> {
    let events: Vec<Event> = events().into_iter().map(|(_, event)| event).collect();
    prop::sample::select(events)
}

fn any_statement_event() -> impl Strategy<Value = StatementEvent> {
    let at = Timestamp::UNIX_EPOCH;
    prop::sample::select(vec![
        StatementEvent::Dispatch,
        StatementEvent::Started(at),
        StatementEvent::Cancel(at),
        StatementEvent::Finished {
            at,
            cancelled: false,
        },
        StatementEvent::Finished {
            at,
            cancelled: true,
        },
        StatementEvent::DriverLost(at),
    ])
}

proptest! {
    /// An ended session does not change. A session that is not wanted any more is never shown as
    /// usable. Statements get their end exactly when the session does.
    #[test]
    fn sessions_keep_their_promises(events in prop::collection::vec(any_event(), 0..40)) {
        let mut state = State::NEW;
        let (mut ends, mut unwanted) = (0, false);
        for event in events {
            let before = state.clone();
            let stops = matches!(event, Event::Stop(_) | Event::DriverStopping { .. });
            let (next, effects) = state.on(event);
            if before.is_ended() {
                prop_assert_eq!(&next, &before);
                prop_assert!(effects.is_empty());
            }
            unwanted |= stops && !before.is_ended();
            prop_assert!(!unwanted || !next.accepts_statements());
            ends += effects.iter().filter(|effect| **effect == SessionEffect::EndStatements).count();
            prop_assert_eq!(ends, usize::from(next.is_ended()));
            state = next;
        }
    }

    /// A final state does not change. A statement is `cancelled` only when its code has stopped or
    /// never ran.
    #[test]
    fn statements_keep_their_promises(events in prop::collection::vec(any_statement_event(), 0..20)) {
        let mut state = StatementState::Waiting;
        for event in events {
            let Ok((next, _)) = state.on(event) else { continue };
            if state.is_final() {
                prop_assert_eq!(next, state);
            }
            if matches!(next, StatementState::Cancelled { .. }) && !state.is_final() {
                let stopped = matches!(event, StatementEvent::Finished { cancelled: true, .. } | StatementEvent::DriverLost(_));
                prop_assert!(stopped || state == StatementState::Waiting);
            }
            state = next;
        }
    }
}
