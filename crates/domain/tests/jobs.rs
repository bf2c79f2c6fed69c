//! The machine of jobs as a table (every state, every event) and under random sequences of events.

use jiff::Timestamp;
use livius_domain::job::{JobEvent as Event, JobState as State};
use livius_domain::{JobEffect, JobOutcome};
use proptest::prelude::*;

const OUTCOMES: [JobOutcome; 3] = [
    JobOutcome::Succeeded,
    JobOutcome::Failed,
    JobOutcome::Cancelled,
];
/// When the states were come to.
const BEFORE: Timestamp = Timestamp::constant(1, 0);
/// When the events happen.
const NOW: Timestamp = Timestamp::constant(2, 0);

fn states() -> Vec<State> {
    let started = BEFORE;
    let mut states = vec![
        State::Waiting,
        State::Sent,
        State::Started { started },
        State::Cancelling { started: None },
        State::Cancelling {
            started: Some(started),
        },
    ];
    for outcome in OUTCOMES {
        states.extend([None, Some(started)].map(|started| State::Ended {
            outcome,
            started,
            ended: BEFORE,
        }));
    }
    states
}

fn events() -> Vec<Event> {
    let at = NOW;
    let mut events = vec![
        Event::Dispatch,
        Event::Missed,
        Event::Started(at),
        Event::Cancel(at),
    ];
    events.extend(OUTCOMES.map(|outcome| Event::Finished { at, outcome }));
    events.push(Event::DriverLost(at));
    events
}

fn show(state: State) -> String {
    let since = |started: Option<Timestamp>| {
        started.map_or_else(|| "unbegun".to_owned(), |at| at.as_second().to_string())
    };
    match state {
        State::Waiting => "waiting".to_owned(),
        State::Sent => "sent".to_owned(),
        State::Started { started } => format!("started({})", since(Some(started))),
        State::Cancelling { started } => format!("cancelling({})", since(started)),
        State::Ended {
            outcome,
            started,
            ended,
        } => format!(
            "{}({}, {})",
            format!("{outcome:?}").to_lowercase(),
            since(started),
            ended.as_second()
        ),
    }
}

fn show_event(event: Event) -> String {
    match event {
        Event::Dispatch => "dispatch".to_owned(),
        Event::Missed => "missed".to_owned(),
        Event::Started(_) => "started".to_owned(),
        Event::Cancel(_) => "cancel".to_owned(),
        Event::Finished { outcome, .. } => format!("{outcome:?}").to_lowercase(),
        Event::DriverLost(_) => "driver lost".to_owned(),
    }
}

#[test]
fn every_job_state_meets_every_event() {
    let mut table = String::new();
    for state in states() {
        for event in events() {
            let outcome = match state.on(event) {
                Ok((next, effect)) => format!(
                    "{} {}",
                    show(next),
                    effect.map_or(String::new(), |effect| format!("{effect:?}"))
                ),
                Err(illegal) => {
                    assert_eq!((illegal.state, illegal.event), (state, event));
                    "ILLEGAL".to_owned()
                }
            };
            let line = format!("{:21} | {:11} | {outcome}", show(state), show_event(event));
            table.push_str(line.trim_end());
            table.push('\n');
        }
    }
    insta::assert_snapshot!(table);
}

fn any_event() -> impl Strategy<Value = Event> {
    prop::sample::select(events())
}

proptest! {
    /// After any sequence of events:
    ///
    /// * A job that is over does not change, and causes no effects.
    /// * A cancelled job is `cancelling` until it is over. After a lost link the driver gets the
    ///   cancel again.
    /// * A job that has begun is handed over again only if the agent does not have it in hand.
    /// * A job succeeds only if the agent says so. It is `cancelled` only if it has stopped or never
    ///   ran.
    #[test]
    fn jobs_keep_their_promises(events in prop::collection::vec(any_event(), 0..30)) {
        let mut state = State::Waiting;
        let (mut dispatched, mut unwanted) = (false, false);
        for event in events {
            let Ok((next, effect)) = state.on(event) else { continue };
            if state.is_final() {
                prop_assert_eq!((next, effect), (state, None));
                continue;
            }
            dispatched |= matches!(event, Event::Dispatch | Event::Missed);
            unwanted |= matches!(event, Event::Cancel(_));
            prop_assert!(next.started().is_none() || dispatched);
            prop_assert!(state.started().is_none() || next.started().is_some());
            let stopping = matches!(next, State::Cancelling { .. });
            let handed_over = matches!(effect, Some(JobEffect::SendJob | JobEffect::SendJobAndCancel));
            let may_lack = event == Event::Dispatch && state.started().is_none();
            prop_assert_eq!(handed_over, may_lack || event == Event::Missed);
            let stopped = matches!(effect, Some(JobEffect::SendCancel | JobEffect::SendKill | JobEffect::SendJobAndCancel));
            prop_assert_eq!(stopped, stopping && matches!(event, Event::Dispatch | Event::Missed | Event::Cancel(_)));
            if unwanted {
                prop_assert!(next.is_final() || stopping);
            }
            if let State::Ended { outcome, started, .. } = next {
                let said = matches!(event, Event::Finished { outcome: said, .. } if said == outcome);
                let (lost, cancel) = (matches!(event, Event::DriverLost(_)), matches!(event, Event::Cancel(_)));
                let allowed = match outcome {
                    JobOutcome::Succeeded => said,
                    JobOutcome::Failed => said || lost,
                    JobOutcome::Cancelled => said || lost && unwanted || cancel && !dispatched,
                };
                prop_assert!(allowed, "{:?} by {:?}", next, event);
                prop_assert_eq!(started, state.started());
                prop_assert_eq!(effect.is_some(), outcome == JobOutcome::Failed && lost);
            }
            state = next;
        }
    }

    /// The agent repeats unacknowledged events. A repeated event changes nothing.
    #[test]
    fn what_an_agent_repeats_changes_nothing(events in prop::collection::vec(any_event(), 0..30)) {
        let mut state = State::Waiting;
        for event in events {
            let Ok((next, _)) = state.on(event) else { continue };
            let Ok((again, _)) = next.on(event) else { continue };
            prop_assert_eq!(again, next, "{:?} twice in {:?}", event, state);
            state = next;
        }
    }
}
