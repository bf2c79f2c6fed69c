//! What the metrics tell of statements.

use std::time::Duration;

use livius_domain::notice::FAILED_OUTPUT;
use livius_domain::{StatementRecord, StatementState};
use livius_metrics::Metrics;

/// The end of a statement.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ended<'a> {
    /// By itself. An output that came in pieces is not that of an error.
    WithOutput(Option<&'a str>),
    /// With its driver.
    WithDriver,
}

/// Counts a statement that has ended, and how long its code ran.
pub(super) fn count(metrics: &Metrics, record: &StatementRecord, ended: Ended) {
    let outcome = match (record.state, ended) {
        (StatementState::Cancelled { .. }, _) => "cancelled",
        (_, Ended::WithDriver) => "lost",
        (_, Ended::WithOutput(Some(text))) if text.starts_with(FAILED_OUTPUT) => "error",
        (_, Ended::WithOutput(_)) => "ok",
    };
    let kind = record.kind.as_str();
    metrics.statements.with([kind, outcome]).inc();
    if let (Some(started), Some(completed)) = (record.state.started(), record.state.completed()) {
        // Both times are the agent's, who may tell any.
        let duration = Duration::try_from(completed.duration_since(started)).unwrap_or_default();
        metrics.statement_durations.with([kind]).observe(duration);
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use livius_domain::{Kind, SessionId, StatementId};
    use livius_metrics::Format;

    use super::*;

    fn record(state: StatementState) -> StatementRecord {
        StatementRecord {
            session: SessionId(0),
            id: StatementId(0),
            version: 0,
            kind: Kind::Sql,
            code: "".into(),
            state,
        }
    }

    #[test]
    fn each_end_has_an_outcome_and_times_may_be_any() {
        let metrics = Metrics::default();
        let (late, early) = (Timestamp::MAX, Timestamp::UNIX_EPOCH);
        let available = StatementState::Available {
            started: Some(late),
            completed: early,
        };
        let cancelled = StatementState::Cancelled {
            started: None,
            completed: early,
        };
        for (state, ended) in [
            (available, Ended::WithOutput(Some(r#"{"status":"ok"}"#))),
            (available, Ended::WithOutput(None)),
            (available, Ended::WithOutput(Some(r#"{"status":"error"}"#))),
            (available, Ended::WithDriver),
            (cancelled, Ended::WithDriver),
        ] {
            count(&metrics, &record(state), ended);
        }
        let text = metrics.text(Format::Prometheus);
        for line in [
            r#"livius_statements_total{kind="sql",outcome="ok"} 2"#,
            r#"livius_statements_total{kind="sql",outcome="error"} 1"#,
            r#"livius_statements_total{kind="sql",outcome="lost"} 1"#,
            r#"livius_statements_total{kind="sql",outcome="cancelled"} 1"#,
            r#"livius_statement_duration_seconds_count{kind="sql"} 4"#,
            r#"livius_statement_duration_seconds_sum{kind="sql"} 0"#,
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
