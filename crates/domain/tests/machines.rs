//! The state machines as tables (every state, every event) and under random sequences of events.

use jiff::Timestamp;
use livius_domain::session::{Link, SessionEvent as Event, SessionState as State, Start};
use livius_domain::statement::{StatementEvent, StatementState};
use livius_domain::{
    AppInfo, End, Exit, Failure, FailureCode, Outcome, Phase, SessionEffect, StopCause,
};
use proptest::prelude::*;

fn failure() -> Failure {
    Failure {
        code: FailureCode::LaunchFailed,
        phase: Phase::Launch,
        message: "m".to_owned(),
        hint: "h".to_owned(),
    }
}

fn app() -> AppInfo {
    AppInfo {
        app_id: "local-1".to_owned(),
        spark_ui_url: None,
        driver_log_url: None,
    }
}

fn states() -> Vec<(&'static str, State)> {
    let stopping = |forced| State::Stopping {
        cause: Some(StopCause::User),
        failure: None,
        forced,
    };
    let end = End {
        outcome: Outcome::Stopped,
        cause: Some(StopCause::User),
        failure: None,
        exit: None,
    };
    vec![
        (
            "queued",
            State::Starting {
                step: Start::Queued,
            },
        ),
        (
            "launching",
            State::Starting {
                step: Start::Launching,
            },
        ),
        (
            "connecting",
            State::Starting {
                step: Start::Connecting,
            },
        ),
        (
            "context",
            State::Starting {
                step: Start::Context,
            },
        ),
        ("up", State::Running { link: Link::Up }),
        ("lost", State::Running { link: Link::Lost }),
        (
            "recovering",
            State::Running {
                link: Link::Recovering,
            },
        ),
        ("stopping", stopping(false)),
        ("forced", stopping(true)),
        ("ended", State::Ended(end)),
    ]
}

fn events() -> Vec<(&'static str, Event)> {
    vec![
        ("launch allowed", Event::LaunchAllowed),
        ("launched", Event::Launched),
        ("launch failed", Event::LaunchFailed(failure())),
        ("agent connected", Event::AgentConnected),
        ("agent lost", Event::AgentLost),
        ("agent ready", Event::AgentReady(app())),
        ("agent failed", Event::AgentFailed(failure())),
        ("exited 0", Event::DriverExited(Exit::Code(0))),
        ("exited by 9", Event::DriverExited(Exit::Signal(9))),
        ("stop", Event::Stop(StopCause::User)),
        ("stop overdue", Event::StopOverdue),
        ("recovered alive", Event::Recovered { alive: true }),
        ("recovered dead", Event::Recovered { alive: false }),
    ]
}

fn show(state: &State) -> String {
    match state {
        State::Starting { step } => format!("{step:?}").to_lowercase(),
        State::Running { link } => format!("{link:?}").to_lowercase(),
        State::Stopping {
            forced, failure, ..
        } => {
            let name = if *forced { "forced" } else { "stopping" };
            format!(
                "{name}{}",
                if failure.is_some() {
                    " after a failure"
                } else {
                    ""
                }
            )
        }
        State::Ended(end) => format!("ended: {:?}", end.outcome).to_lowercase(),
    }
}

fn show_effect(effect: &SessionEffect) -> String {
    match effect {
        SessionEffect::RecordApp(_) => "RecordApp".to_owned(),
        other => format!("{other:?}"),
    }
}

#[test]
fn every_session_state_meets_every_event() {
    let mut table = String::new();
    for (state_name, state) in states() {
        for (event_name, event) in events() {
            let outcome = match state.clone().on(event) {
                Ok((next, effects)) => {
                    let effects: Vec<String> = effects.iter().map(show_effect).collect();
                    format!("{} {}", show(&next), effects.join(", "))
                }
                Err(_) => "ILLEGAL".to_owned(),
            };
            table.push_str(format!("{state_name:10} | {event_name:15} | {outcome}").trim_end());
            table.push('\n');
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
    /// Whatever happens: what has ended stays ended, as it was; a session that is not wanted any more is never shown as usable;
    /// a driver is launched once; statements get their end exactly when the session does.
    #[test]
    fn sessions_keep_their_promises(events in prop::collection::vec(any_event(), 0..40)) {
        let mut state = State::NEW;
        let (mut launches, mut ends, mut unwanted) = (0, 0, false);
        for event in events {
            let before = state.clone();
            let wants_stop = matches!(event, Event::Stop(_));
            let Ok((next, effects)) = state.on(event) else { state = before; continue };
            if before.is_ended() {
                prop_assert_eq!(&next, &before);
                prop_assert!(effects.is_empty());
            }
            unwanted |= wants_stop && !before.is_ended();
            prop_assert!(!unwanted || !next.accepts_statements());
            launches += effects.iter().filter(|effect| **effect == SessionEffect::Launch).count();
            ends += effects.iter().filter(|effect| **effect == SessionEffect::EndStatements).count();
            prop_assert_eq!(ends, usize::from(next.is_ended()));
            state = next;
        }
        prop_assert!(launches <= 1);
    }

    /// Whatever happens: a final state stays, and `cancelled` is only said when the code has stopped or never ran.
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
