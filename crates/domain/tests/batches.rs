//! The state machine of batches as a table (every state, every event) and under random sequences of events.

use livius_domain::batch::{BatchStart, BatchState as State};
use livius_domain::{
    AppInfo, BatchEffect, BatchEnd, BatchEvent as Event, BatchOutcome, Departure, Exit, Failure,
    FailureCode, Phase, StopCause, Verdict,
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

fn gone(exit: Exit, verdict: Option<Verdict>) -> Event {
    Event::Gone(Departure {
        exit,
        verdict,
        evidence: None,
    })
}

fn states() -> Vec<(&'static str, State)> {
    let starting = |step| State::Starting { step };
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
        ("queued", starting(BatchStart::Queued)),
        ("launching", starting(BatchStart::Launching)),
        ("submitted", starting(BatchStart::Submitted)),
        ("running", State::Running),
        ("stopping", stopping(false)),
        ("stopping run", stopping(true)),
        ("ended", State::Ended(end)),
    ]
}

fn events() -> Vec<(&'static str, Event)> {
    let failed = Verdict::Failed("f".to_owned());
    vec![
        ("launch allowed", Event::LaunchAllowed),
        ("launched", Event::Launched),
        ("launch failed", Event::LaunchFailed(failure())),
        ("app started", Event::AppStarted(app())),
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
            "manager: killed",
            gone(Exit::Code(1), Some(Verdict::Killed)),
        ),
        ("stop", Event::Stop(StopCause::User)),
        ("found alive", Event::FoundAlive),
        ("found unstarted", Event::FoundUnstarted),
    ]
}

fn show(state: &State) -> String {
    match state {
        State::Starting { step } => format!("{step:?}").to_lowercase(),
        State::Running => "running".to_owned(),
        State::Stopping { was_running, .. } => {
            format!("stopping{}", if *was_running { " run" } else { "" })
        }
        State::Ended(end) => {
            let reason = end.failure.as_ref().map(|failure| &failure.message);
            format!("{} {reason:?}", state.name())
        }
    }
}

fn show_effect(effect: &BatchEffect) -> String {
    match effect {
        BatchEffect::RecordApp(_) => "RecordApp".to_owned(),
        other => format!("{other:?}"),
    }
}

#[test]
fn every_batch_state_meets_every_event() {
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
            table.push_str(format!("{state_name:12} | {event_name:15} | {outcome}").trim_end());
            table.push('\n');
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_failure_names_the_evidence_and_what_to_do() {
    let explained = |exit, evidence: Option<&str>| {
        let departure = Departure {
            exit,
            verdict: None,
            evidence: evidence.map(str::to_owned),
        };
        let (state, _) = State::Running.on(Event::Gone(departure)).unwrap();
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
    the application's process is gone, and nobody saw how it ended
    the machine may have been restarted meanwhile; read the end of the batch's log, and submit it again
    ");
}

fn any_event() -> impl Strategy<Value = Event> {
    let events: Vec<Event> = events().into_iter().map(|(_, event)| event).collect();
    prop::sample::select(events)
}

proptest! {
    /// Whatever happens: what has ended stays ended, as it was; what is not wanted any more is ended, and not begun anew; success is only
    /// said on the word of the application, or of its manager, and `running` only on the word of the application.
    #[test]
    fn batches_keep_their_promises(events in prop::collection::vec(any_event(), 0..40)) {
        let mut state = State::NEW;
        let (mut unwanted, mut heard) = (false, false);
        for event in events {
            let before = state.clone();
            let good = matches!(&event, Event::Gone(Departure { exit: Exit::Code(0), .. } | Departure { verdict: Some(Verdict::Finished), .. }));
            heard |= matches!(event, Event::AppStarted(_));
            let stop = matches!(event, Event::Stop(_));
            let Ok((next, effects)) = state.on(event) else { state = before; continue };
            if before.is_ended() {
                prop_assert_eq!(&next, &before);
                prop_assert!(effects.is_empty());
            }
            unwanted |= stop && !before.is_ended();
            prop_assert!(!(unwanted && effects.contains(&BatchEffect::Launch)));
            if next == State::Running {
                prop_assert!(heard);
            }
            if next.name() == "succeeded" && !before.is_ended() {
                prop_assert!(good);
            }
            state = next;
        }
    }
}
