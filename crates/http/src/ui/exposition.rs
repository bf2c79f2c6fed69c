//! The metrics as text, for Prometheus and everything that reads its formats.

use axum::http::StatusCode;
use axum::response::Response;
use livius_metrics::{Format, Gauges};

use super::figures::{batches_by_state, sessions_by_state};
use super::page::document;
use crate::state::AppState;

/// Writes all metrics. This is cheap: it does not ask the store.
pub fn exposition(app: &AppState, format: Format) -> Response {
    let metrics = app.sessions.metrics();
    tell(&metrics.sessions, sessions_by_state(app));
    tell(&metrics.batches, batches_by_state(app));
    let waiting = [
        ("session", app.sessions.drivers_waiting()),
        ("batch", app.batches.drivers_waiting()),
    ];
    tell(&metrics.drivers_waiting, waiting);
    document(StatusCode::OK, format.content_type(), metrics.text(format))
}

fn tell(gauges: &Gauges<1>, counts: impl IntoIterator<Item = (&'static str, usize)>) {
    for (value, count) in counts {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        gauges.with([value]).set(count);
    }
}
