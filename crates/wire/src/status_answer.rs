//! `GET /api/v1/status`, our own route: the states of many sessions and batches at once.

use livius_domain::{
    AppInfo, BatchEnd, BatchState, End, Failure, FailureCode, SessionState, StopCause,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::livy;

/// The states of the sessions and batches that a request names, in its order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Status)]
pub struct StatusAnswer<'a> {
    /// The sessions that there are.
    pub sessions: Vec<StatusEntryAnswer<'a>>,
    /// The batches that there are.
    pub batches: Vec<StatusEntryAnswer<'a>>,
    /// The numbers of those that are not there: they never were, were deleted, or are too old.
    pub absent: AbsentAnswer,
}

/// The numbers of sessions and batches that are not there.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Absent)]
pub struct AbsentAnswer {
    /// Of sessions.
    pub sessions: Vec<i32>,
    /// Of batches.
    pub batches: Vec<i32>,
}

/// The state of a session or a batch.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StatusEntry)]
pub struct StatusEntryAnswer<'a> {
    /// Its number.
    id: i32,
    /// Livy's name of the state.
    state: &'static str,
    /// Whether it has ended. A state of an end is final.
    terminal: bool,
    /// Spark's id of the application, once it is known.
    app_id: Option<&'a str>,
    /// The end in one word: `stopped`, `killed` or `failed` of a session; `succeeded`, `failed` or
    /// `killed` of a batch.
    outcome: Option<&'static str>,
    /// Why it ended, for programs: the code of its failure, such as `driver_exited`, else the cause
    /// of its stop, such as `user`; `null` when it ended well by itself.
    #[schema(value_type = Option<String>)]
    reason: Option<Reason>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Reason {
    Failure(FailureCode),
    Cause(StopCause),
}

impl<'a> StatusEntryAnswer<'a> {
    /// The state of a session.
    pub fn of_session(
        id: i32,
        state: &SessionState,
        shown: livy::SessionState,
        app: Option<&'a AppInfo>,
    ) -> Self {
        let reason = match state {
            SessionState::Ended(End { failure, cause, .. }) => reason(failure.as_ref(), *cause),
            _ => None,
        };
        Self {
            id,
            state: shown.as_str(),
            terminal: state.is_ended(),
            app_id: app.map(|app| app.app_id.as_str()),
            outcome: state.is_ended().then(|| state.name()),
            reason,
        }
    }

    /// The state of a batch.
    pub fn of_batch(id: i32, state: &BatchState, app: Option<&'a AppInfo>) -> Self {
        let reason = match state {
            BatchState::Ended(BatchEnd { failure, cause, .. }) => reason(failure.as_ref(), *cause),
            _ => None,
        };
        Self {
            id,
            state: livy::BatchState::of(state).as_str(),
            terminal: state.is_ended(),
            app_id: app.map(|app| app.app_id.as_str()),
            outcome: state.is_ended().then(|| state.name()),
            reason,
        }
    }
}

fn reason(failure: Option<&Failure>, cause: Option<StopCause>) -> Option<Reason> {
    let failure = failure.map(|failure| Reason::Failure(failure.code));
    failure.or(cause.map(Reason::Cause))
}

#[cfg(test)]
mod tests {
    use livius_domain::{BatchOutcome, Outcome, Phase};

    use super::*;

    fn failure(code: FailureCode) -> Failure {
        Failure {
            code,
            phase: Phase::Running,
            evidence: livius_domain::Evidence::default(),
            message: "m".to_owned(),
            hint: "h".to_owned(),
        }
    }

    #[test]
    fn a_session_tells_its_state_and_why_it_ended() {
        let app = AppInfo {
            app_id: "local-1".to_owned(),
            spark_ui_url: None,
            driver_log_url: None,
        };
        let running = StatusEntryAnswer::of_session(
            3,
            &SessionState::Running,
            livy::SessionState::Busy,
            Some(&app),
        );
        assert_eq!(
            serde_json::to_string(&running).unwrap(),
            r#"{"id":3,"state":"busy","terminal":false,"appId":"local-1","outcome":null,"reason":null}"#
        );
        for (outcome, cause, failed, shown) in [
            (
                Outcome::Stopped,
                Some(StopCause::IdleTimeout),
                None,
                r#""dead","terminal":true,"appId":null,"outcome":"stopped","reason":"idle_timeout""#,
            ),
            (
                Outcome::Killed,
                Some(StopCause::User),
                None,
                r#""killed","terminal":true,"appId":null,"outcome":"killed","reason":"user""#,
            ),
            (
                Outcome::Failed,
                None,
                Some(FailureCode::DriverExited),
                r#""dead","terminal":true,"appId":null,"outcome":"failed","reason":"driver_exited""#,
            ),
        ] {
            let ended = SessionState::Ended(End {
                outcome,
                cause,
                failure: failed.map(failure),
                exit: None,
            });
            let state = livy::SessionState::of(&ended, false, false);
            let entry = StatusEntryAnswer::of_session(3, &ended, state, None);
            assert_eq!(
                serde_json::to_string(&entry).unwrap(),
                format!(r#"{{"id":3,"state":{shown}}}"#)
            );
        }
    }

    #[test]
    fn a_batch_tells_its_state_and_why_it_ended() {
        let end = |outcome, cause, failure| BatchEnd {
            outcome,
            cause,
            failure,
            exit: None,
        };
        let failed = Some(failure(FailureCode::ApplicationFailed));
        for (state, shown) in [
            (
                BatchState::Starting,
                r#""starting","terminal":false,"appId":null,"outcome":null,"reason":null"#,
            ),
            (
                BatchState::Ended(end(BatchOutcome::Succeeded, None, None)),
                r#""success","terminal":true,"appId":null,"outcome":"succeeded","reason":null"#,
            ),
            (
                BatchState::Ended(end(BatchOutcome::Failed, None, failed)),
                r#""dead","terminal":true,"appId":null,"outcome":"failed","reason":"application_failed""#,
            ),
            (
                BatchState::Ended(end(BatchOutcome::Killed, Some(StopCause::Shutdown), None)),
                r#""killed","terminal":true,"appId":null,"outcome":"killed","reason":"shutdown""#,
            ),
        ] {
            let entry = StatusEntryAnswer::of_batch(0, &state, None);
            assert_eq!(
                serde_json::to_string(&entry).unwrap(),
                format!(r#"{{"id":0,"state":{shown}}}"#)
            );
        }
    }
}
