//! The state machine of batches as a table (every state, every event) and under random sequences of
//! events.

use std::fmt::Write as _;

use livius_domain::batch::BatchState as State;
use livius_domain::{
    BatchEnd, BatchEvent as Event, BatchOutcome, Departure, DriverEnd, Exit, Failure, FailureCode,
    Phase, StopCause, Unseen, Verdict,
};
use proptest::prelude::*;

fn failure() -> Failure {
    Failure {
        code: FailureCode::LaunchFailed,
        phase: Phase::Launch,
        evidence: livius_domain::Evidence::default(),
        message: "m".to_owned(),
        hint: "h".to_owned(),
    }
}

fn gone(exit: Exit, verdict: Option<Verdict>) -> Event {
    Event::DriverGone(DriverEnd {
        phase: Phase::Running,
        cause: None,
        failure: None,
        forced: false,
        departure: Some(Departure {
            exit,
            unseen: None,
            verdict,
            evidence: None,
            clue: None,
        }),
    })
}

/// The end of a driver that was asked to end.
fn stopped(departure: Option<Departure>) -> Event {
    Event::DriverGone(DriverEnd {
        phase: Phase::Running,
        cause: Some(StopCause::User),
        failure: None,
        forced: true,
        departure,
    })
}

fn states() -> Vec<(&'static str, State)> {
    let stopping = |was_running| State::Stopping {
        cause: StopCause::User,
        was_running,
    };
    let end = BatchEnd {
        outcome: BatchOutcome::Succeeded,
        cause: None,
        failure: None,
        exit: Some(Exit::Code(0)),
    };
    vec![
        ("starting", State::Starting),
        ("running", State::Running),
        ("stopping", stopping(false)),
        ("stopping run", stopping(true)),
        ("ended", State::Ended(end)),
    ]
}

fn events() -> Vec<(&'static str, Event)> {
    let failed = Verdict::Failed("f".to_owned());
    let launch_failed = Event::DriverGone(DriverEnd {
        phase: Phase::Launch,
        cause: None,
        failure: Some(failure()),
        forced: false,
        departure: None,
    });
    let stopping = |was_up| Event::DriverStopping {
        cause: Some(StopCause::User),
        was_up,
    };
    vec![
        ("driver up", Event::DriverUp),
        ("driver stopping", stopping(false)),
        ("stopping, was up", stopping(true)),
        ("launch failed", launch_failed),
        ("exited 0", gone(Exit::Code(0), None)),
        ("exited 3", gone(Exit::Code(3), None)),
        ("killed by 9", gone(Exit::Signal(9), None)),
        ("gone unseen", gone(Exit::Unknown, None)),
        (
            "manager: fine",
            gone(Exit::Code(0), Some(Verdict::Finished)),
        ),
        ("manager: failed", gone(Exit::Code(1), Some(failed))),
        (
            "manager: cluster",
            gone(Exit::Code(1), Some(Verdict::EndedByCluster("c".to_owned()))),
        ),
        (
            "manager: killed",
            gone(Exit::Code(1), Some(Verdict::Killed)),
        ),
        ("stop", Event::Stop(StopCause::User)),
        ("stopped in queue", stopped(None)),
        (
            "stopped by 15",
            stopped(Some(Departure::of(Exit::Signal(15)))),
        ),
        (
            "stopped, was done",
            stopped(Some(Departure::of(Exit::Code(0)))),
        ),
    ]
}

fn show(state: &State) -> String {
    match state {
        State::Starting => "starting".to_owned(),
        State::Running => "running".to_owned(),
        State::Stopping { was_running, .. } => {
            format!("stopping{}", if *was_running { " run" } else { "" })
        }
        State::Ended(end) => {
            let reason = end.failure.as_ref().map(|failure| &failure.message);
            format!("{:?} {reason:?}", end.outcome)
        }
    }
}

#[test]
fn every_batch_state_meets_every_event() {
    let mut table = String::new();
    for (state_name, state) in states() {
        for (event_name, event) in events() {
            let (next, effect) = state.clone().on(event);
            let effect = effect.map_or(String::new(), |effect| format!("{effect:?}"));
            let outcome = format!("{} {effect}", show(&next));
            let outcome = outcome.trim_end();
            writeln!(table, "{state_name:12} | {event_name:17} | {outcome}").unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_failure_names_the_evidence_and_what_to_do() {
    let explained = |exit, evidence: Option<&str>| {
        let departure = Departure {
            exit,
            unseen: None,
            verdict: None,
            evidence: evidence.map(str::to_owned),
            clue: None,
        };
        let end = DriverEnd {
            phase: Phase::Running,
            cause: None,
            failure: None,
            forced: false,
            departure: Some(departure),
        };
        let (state, _) = State::Running.on(Event::DriverGone(end));
        let State::Ended(BatchEnd {
            failure: Some(failure),
            ..
        }) = state
        else {
            panic!("{state:?}");
        };
        format!("{}\n{}", failure.message, failure.hint)
    };
    insta::assert_snapshot!(explained(Exit::Code(1), Some("ValueError: x")), @r"
    the application ended with exit code 1: ValueError: x
    read the batch's log: it holds all that the application printed
    ");
    insta::assert_snapshot!(explained(Exit::Signal(9), None), @r"
    the application was ended by signal 9 (SIGKILL)
    the system does that when memory runs out: see its log, and compare driverMemory with what the machine has
    ");
    insta::assert_snapshot!(explained(Exit::Unknown, None), @r"
    the application's process is gone, and the server did not see how it ended
    read the end of the batch's log, and submit it again
    ");
}

#[test]
fn an_end_that_was_not_seen_says_why() {
    let explained = |why| {
        let end = DriverEnd {
            phase: Phase::Running,
            cause: None,
            failure: None,
            forced: false,
            departure: Some(Departure::unseen(why)),
        };
        let (state, _) = State::Running.on(Event::DriverGone(end));
        match state {
            State::Ended(end) => end.failure.unwrap().message,
            other => panic!("{other:?}"),
        }
    };
    let told: Vec<String> = [
        Unseen::SupervisorKilled,
        Unseen::BothVanished,
        Unseen::MachineRestarted,
        Unseen::FilesMissing,
        Unseen::RecordMissing,
    ]
    .map(explained)
    .into();
    insta::assert_snapshot!(told.join("\n"), @r"
    the application's process is gone, and the server did not see how it ended: the process that supervises it was killed, so the server ended it
    the application's process is gone, and the server did not see how it ended: the process that supervised it is gone, too
    the application's process is gone, and the server did not see how it ended: the machine was restarted
    the application's process is gone, and the server did not see how it ended: its files are gone
    the application's process is gone, and the server did not see how it ended: the server's store has no record of it
    ");
}

fn any_event() -> impl Strategy<Value = Event> {
    let events: Vec<Event> = events().into_iter().map(|(_, event)| event).collect();
    prop::sample::select(events)
}

proptest! {
    /// An ended batch does not change. A batch succeeds only if the application or its manager says
    /// so. It is `running` only while the driver is up, or after it was.
    #[test]
    fn batches_keep_their_promises(events in prop::collection::vec(any_event(), 0..40)) {
        let mut state = State::NEW;
        let mut heard = false;
        for event in events {
            let before = state.clone();
            let good = match &event {
                Event::DriverGone(DriverEnd { departure: Some(departure), .. }) => {
                    departure.exit == Exit::Code(0)
                        || departure.verdict == Some(Verdict::Finished)
                }
                _ => false,
            };
            heard |= matches!(
                event,
                Event::DriverUp | Event::DriverStopping { was_up: true, .. }
            );
            let (next, effect) = state.on(event);
            if before.is_ended() {
                prop_assert_eq!(&next, &before);
                prop_assert!(effect.is_none());
            }
            let runs = matches!(next, State::Running | State::Stopping { was_running: true, .. });
            prop_assert!(!runs || heard);
            let succeeded =
                matches!(&next, State::Ended(end) if end.outcome == BatchOutcome::Succeeded);
            prop_assert!(!succeeded || before.is_ended() || good);
            state = next;
        }
    }
}
