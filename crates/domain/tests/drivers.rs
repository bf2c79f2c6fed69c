//! The driver's state machine as a table (every state, every event, both programs) and under random
//! sequences of events.

use std::fmt::Write as _;

use livius_domain::driver::{
    Departure, DriverEffect, DriverEnd, DriverEvent as Event, DriverProgram as Program,
    DriverState as State, Link, Stopping,
};
use livius_domain::{
    End, Exit, Failure, FailureCode, Outcome, Phase, SessionEvent, SessionState, StopCause,
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

fn states() -> Vec<(&'static str, State)> {
    let stopping = |forced| {
        State::Stopping(Stopping {
            cause: Some(StopCause::User),
            failure: None,
            forced,
            was_up: false,
        })
    };
    let end = DriverEnd {
        phase: Phase::Running,
        cause: None,
        failure: None,
        forced: false,
        departure: Some(Departure::of(Exit::Code(0))),
    };
    vec![
        ("queued", State::Queued),
        ("launching", State::Launching),
        ("connecting", State::Connecting),
        ("context", State::Context),
        ("primed", State::Primed),
        ("up", State::Up { link: Link::Up }),
        ("lost", State::Up { link: Link::Lost }),
        (
            "recovering",
            State::Up {
                link: Link::Recovering,
            },
        ),
        ("stopping", stopping(false)),
        ("forced", stopping(true)),
        ("gone", State::Gone(end)),
    ]
}

fn events() -> Vec<(&'static str, Event)> {
    vec![
        ("launch allowed", Event::LaunchAllowed),
        ("launched", Event::Launched),
        ("launch failed", Event::LaunchFailed(failure())),
        ("agent connected", Event::AgentConnected),
        ("agent lost", Event::AgentLost),
        ("agent missing", Event::AgentMissing),
        ("ready", Event::Ready),
        ("primed", Event::Primed),
        ("begin", Event::Begin),
        ("agent failed", Event::AgentFailed(failure())),
        ("context gone", Event::ContextGone(failure())),
        ("agent restarted", Event::AgentRestarted),
        ("exited 0", Event::Exited(Departure::of(Exit::Code(0)))),
        ("exited by 9", Event::Exited(Departure::of(Exit::Signal(9)))),
        ("stop", Event::Stop(StopCause::User)),
        ("stop overdue", Event::StopOverdue),
        ("found alive", Event::FoundAlive),
        ("found unstarted", Event::FoundUnstarted),
    ]
}

fn show(state: &State) -> String {
    match state {
        State::Stopping(stopping) => {
            let mut text = if stopping.forced {
                "forced"
            } else {
                "stopping"
            }
            .to_owned();
            if stopping.was_up {
                text.push_str(" was up");
            }
            if let Some(failure) = &stopping.failure {
                text = format!("{text} after {:?}", failure.code);
            }
            text
        }
        State::Gone(end) => {
            let exit = end.departure.as_ref().map(|departure| departure.exit);
            let failure = end.failure.as_ref().map(|failure| failure.code);
            format!(
                "gone in {:?}, cause {:?}, failure {failure:?}, forced {}, exit {exit:?}",
                end.phase, end.cause, end.forced
            )
        }
        other => other.name().to_owned(),
    }
}

#[test]
fn every_driver_state_meets_every_event() {
    let mut table = String::new();
    for program in [Program::Agent, Program::Application] {
        writeln!(table, "== {program:?}").unwrap();
        for (state_name, state) in states() {
            for (event_name, event) in events() {
                let outcome = match state.clone().on(program, event) {
                    Ok((next, effects)) => format!("{} {effects:?}", show(&next)),
                    Err(_) => "ILLEGAL".to_owned(),
                };
                let outcome = outcome.trim_end_matches("[]").trim_end();
                table.push_str(format!("{state_name:10} | {event_name:15} | {outcome}").trim_end());
                table.push('\n');
            }
        }
    }
    insta::assert_snapshot!(table);
}

fn any_event() -> impl Strategy<Value = Event> {
    let events: Vec<Event> = events().into_iter().map(|(_, event)| event).collect();
    prop::sample::select(events)
}

proptest! {
    /// A gone driver stays gone, as it was. A driver that is not wanted any more is never up or
    /// launched again. A process is started again only after it was found that it never started.
    #[test]
    fn drivers_keep_their_promises(
        agent in any::<bool>(),
        events in prop::collection::vec(any_event(), 0..40),
    ) {
        let program = if agent { Program::Agent } else { Program::Application };
        let mut state = State::Queued;
        let (mut launches, mut unstarted, mut unwanted) = (0, 0, false);
        for event in events {
            let before = state.clone();
            let stops = matches!(event, Event::Stop(_));
            unstarted += usize::from(event == Event::FoundUnstarted);
            let Ok((next, effects)) = state.on(program, event) else { state = before; continue };
            if before.is_gone() {
                prop_assert_eq!(&next, &before);
                prop_assert!(effects.is_empty());
            }
            unwanted |= stops && !before.is_gone();
            prop_assert!(!unwanted || matches!(next, State::Stopping(_) | State::Gone(_)));
            launches += effects.iter().filter(|effect| **effect == DriverEffect::Launch).count();
            state = next;
        }
        prop_assert!(launches <= unstarted + 1);
    }

    /// A driver that was told to end by force, and whose process is alive, was told so exactly once
    /// for each time that it was found or started.
    #[test]
    fn a_forced_end_is_not_repeated(events in prop::collection::vec(any_event(), 0..40)) {
        let mut state = State::Queued;
        for event in events {
            let before = state.clone();
            let may_repeat = matches!(event, Event::Launched | Event::FoundAlive);
            let Ok((next, effects)) = state.on(Program::Agent, event) else { state = before; continue };
            let was_forced = matches!(&before, State::Stopping(stopping) if stopping.forced);
            if was_forced && effects.contains(&DriverEffect::Terminate) {
                prop_assert!(may_repeat);
            }
            state = next;
        }
    }
}

/// The end of a session whose start was stopped for this cause, and whose launch failed then.
fn end_of_a_launch_that_was_stopped(cause: StopCause) -> End {
    let step = |state: State, event| {
        let stepped = state.on(Program::Agent, event);
        stepped.expect("the event can happen").0
    };
    let stopping = step(State::Launching, Event::Stop(cause));
    let gone = step(stopping, Event::LaunchFailed(failure()));
    let event = SessionEvent::of(&gone).expect("its session ends");
    match SessionState::NEW.on(event).0 {
        SessionState::Ended(end) => end,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_launch_that_failed_explains_why_its_session_was_not_ready_in_time() {
    let late = end_of_a_launch_that_was_stopped(StopCause::StartTimeout);
    assert_eq!(late.failure, Some(failure()));
    let wanted = end_of_a_launch_that_was_stopped(StopCause::User);
    assert_eq!((wanted.outcome, wanted.failure), (Outcome::Stopped, None));
}
