//! The phases of a session's start, as its driver's times tell them.

use jiff::Timestamp;

use super::DriverTimes;

/// A phase of a session's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartPhase {
    /// The driver waits for its place among the starting ones.
    Queued,
    /// The launcher is starting its process.
    Launching,
    /// The process runs, and its agent has not connected.
    Connecting,
    /// The agent is creating the SparkContext.
    Context,
    /// The SparkContext is up, and the first interpreter is not.
    Interpreter,
    /// The session can run code.
    Ready,
}

impl StartPhase {
    /// The name, in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Launching => "launching",
            Self::Connecting => "connecting",
            Self::Context => "context",
            Self::Interpreter => "interpreter",
            Self::Ready => "ready",
        }
    }
}

/// A phase with its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartStep {
    /// The phase.
    pub phase: StartPhase,
    /// When it began.
    pub began: Timestamp,
    /// When it ended, with the next phase or with the driver's end. `None` while it lasts, and for
    /// [`StartPhase::Ready`].
    pub ended: Option<Timestamp>,
}

impl DriverTimes {
    /// The phases of the start of a session that was asked for at `since`, in their order. A driver of a
    /// pool has had some of them before: these are left out, and one that lasted until then begins at
    /// `since`.
    pub fn start_of_session(&self, since: Timestamp) -> Vec<StartStep> {
        use StartPhase as P;
        let mut begun: Vec<(Option<P>, Timestamp)> = [
            (Some(P::Queued), Some(self.created_at)),
            (Some(P::Launching), self.launched_at),
            (Some(P::Connecting), self.connecting_at),
            (Some(P::Context), self.context_at),
            (Some(P::Interpreter), self.interpreter_at),
            // A driver waits in a pool, which is no phase of a session.
            (None, self.primed_at),
            (Some(P::Ready), self.up_at),
        ]
        .into_iter()
        .filter_map(|(phase, began)| Some((phase, began?)))
        .collect();
        // The sort is stable: phases of the same moment keep their order.
        begun.sort_by_key(|(_, began)| *began);
        let over = self.stopping_at.or(self.ended_at);
        let ends = begun.iter().skip(1).map(|(_, began)| Some(*began));
        let ends: Vec<_> = ends.chain([over]).collect();
        begun
            .into_iter()
            .zip(ends)
            .filter_map(|((phase, began), ended)| {
                let phase = phase?;
                let is_ready = phase == P::Ready;
                let was_before =
                    !is_ready && began < since && ended.is_some_and(|ended| ended <= since);
                (!was_before).then(|| StartStep {
                    phase,
                    began: began.max(since),
                    ended: ended.filter(|_| !is_ready),
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::DriverState;
    use crate::{DriverEnd, Link, Phase};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn after(states: &[(i64, DriverState)]) -> DriverTimes {
        let mut times = DriverTimes::new(at(0));
        let mut before = DriverState::Queued;
        for (second, state) in states {
            times.note(&before, state, at(*second));
            before = state.clone();
        }
        times
    }

    fn shown(times: &DriverTimes, since: i64) -> String {
        let steps = times.start_of_session(at(since));
        let second = |time: Timestamp| time.as_second().to_string();
        let texts = steps.iter().map(|step| {
            let ended = step.ended.map(second).unwrap_or_default();
            format!("{} {}-{ended}", step.phase.as_str(), second(step.began))
        });
        texts.collect::<Vec<_>>().join(", ")
    }

    const UP: DriverState = DriverState::Up { link: Link::Up };

    #[test]
    fn each_phase_ends_with_the_next() {
        let launching = [(2, DriverState::Launching)];
        assert_eq!(shown(&after(&launching), 0), "queued 0-2, launching 2-");
        let mut times = after(&[
            (2, DriverState::Launching),
            (3, DriverState::Connecting),
            (5, DriverState::Context),
        ]);
        times.interpreter_at = Some(at(8));
        let before = "queued 0-2, launching 2-3, connecting 3-5, context 5-8";
        assert_eq!(shown(&times, 0), format!("{before}, interpreter 8-"));
        times.note(&DriverState::Context, &UP, at(9));
        assert_eq!(
            shown(&times, 0),
            format!("{before}, interpreter 8-9, ready 9-")
        );
    }

    #[test]
    fn the_end_of_the_driver_ends_the_last_phase() {
        let gone = DriverState::Gone(DriverEnd {
            phase: Phase::Context,
            cause: None,
            failure: None,
            forced: false,
            departure: None,
        });
        let times = after(&[
            (1, DriverState::Launching),
            (1, DriverState::Connecting),
            (4, gone),
        ]);
        assert_eq!(
            shown(&times, 0),
            "queued 0-1, launching 1-1, connecting 1-4"
        );
    }

    #[test]
    fn a_server_that_restarts_begins_no_phase_again() {
        let times = after(&[
            (1, DriverState::Launching),
            (2, DriverState::Connecting),
            (3, DriverState::Context),
            (6, DriverState::Connecting),
            (7, DriverState::Context),
        ]);
        assert_eq!(
            shown(&times, 0),
            "queued 0-1, launching 1-2, connecting 2-3, context 3-"
        );
        let again = after(&[(1, DriverState::Launching), (2, DriverState::Queued)]);
        assert_eq!(shown(&again, 0), "queued 0-");
    }

    #[test]
    fn a_driver_of_a_pool_shows_what_the_session_waited_for() {
        let mut states = vec![
            (1, DriverState::Launching),
            (2, DriverState::Connecting),
            (3, DriverState::Context),
        ];
        let ready: Vec<_> = states.iter().cloned().chain([(9, UP)]).collect();
        assert_eq!(shown(&after(&ready), 20), "ready 20-");
        states.extend([
            (9, DriverState::Primed),
            (20, DriverState::Context),
            (22, UP),
        ]);
        assert_eq!(shown(&after(&states), 20), "context 20-22, ready 22-");
    }
}
