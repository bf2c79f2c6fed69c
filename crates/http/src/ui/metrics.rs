//! `/metrics`: metrics of the server, for Prometheus, and in the format of the Dropwizard servlet that
//! Livy has there.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::header::{CACHE_CONTROL, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use livius_domain::chain;
use livius_sessions::SessionError;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::livy::Livy;
use crate::request::accept::wanted_text;
use crate::request::query::Query;
use crate::response;
use crate::state::AppState;
use crate::ui::exposition::exposition;
use crate::ui::figures::{batches_by_state, sessions_by_state};
use crate::ui::page::{Depth, document, page};

const MENU: &str = include_str!("assets/metrics.html");

/// The version of Dropwizard's format.
const FORM: &str = "4.0.0";

#[derive(Serialize)]
struct Metrics {
    version: &'static str,
    gauges: BTreeMap<String, Gauge>,
    counters: Nothing,
    histograms: Nothing,
    meters: Nothing,
    timers: Nothing,
}

#[derive(Serialize)]
struct Gauge {
    value: u64,
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct Health {
    store: Check,
}

#[derive(Serialize)]
struct Check {
    healthy: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
}

pub fn routes() -> OpenApiRouter<Livy> {
    OpenApiRouter::new()
        .routes(routes!(menu_get))
        .routes(routes!(metrics_get))
        .routes(routes!(healthcheck_get))
        .routes(routes!(ping_get))
}

/// Shows links to the other pages, or all metrics to a scraper: to a client whose `Accept` names
/// `text/plain` or `application/openmetrics-text`, and does not prefer `text/html`.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "server",
    responses((status = 200, description = "Links, or the metrics as text", content(
        (String = "text/html"),
        (String = "text/plain"),
        (String = "application/openmetrics-text"),
    )))
)]
pub async fn menu_get(
    State(app): State<AppState>,
    Extension(depth): Extension<Depth>,
    headers: HeaderMap,
) -> Response {
    let mut response = match wanted_text(&headers) {
        Some(format) => fresh(exposition(&app, format)),
        None => page(depth, MENU, &[]),
    };
    response
        .headers_mut()
        .insert(VARY, HeaderValue::from_static("accept"));
    response
}

/// Shows how many sessions and batches are live, by state, and how long the server has run. This is
/// cheap: it does not ask the store.
#[utoipa::path(
    get,
    path = "/metrics/metrics",
    tag = "server",
    params(("pretty" = Option<bool>, Query, description = "`true` for one value a line")),
    responses((status = 200, description = "The figures, in the form of Dropwizard Metrics: `{\"gauges\":{\"livius.sessions.live\":{\"value\":1},…},…}`", body = Object))
)]
pub async fn metrics_get(State(app): State<AppState>, RawQuery(query): RawQuery) -> Response {
    let metrics = metrics(&app);
    let is_pretty = Query::new(query.as_deref())
        .text("pretty")
        .is_some_and(|text| text.trim().eq_ignore_ascii_case("true"));
    let text = if is_pretty {
        serde_json::to_vec_pretty(&metrics)
    } else {
        serde_json::to_vec(&metrics)
    };
    fresh(response::json(
        StatusCode::OK,
        text.expect("numbers with names are JSON"),
    ))
}

/// Shows whether the server can work: whether its store responds.
#[utoipa::path(
    get,
    path = "/metrics/healthcheck",
    tag = "server",
    responses(
        (status = 200, description = "It can: `{\"store\":{\"healthy\":true}}`", body = Object),
        (status = 500, description = "The store does not answer; the log says why", body = Object),
    )
)]
pub async fn healthcheck_get(State(app): State<AppState>) -> Response {
    health(app.sessions.check_store().await)
}

/// Shows that the server responds.
#[utoipa::path(
    get,
    path = "/metrics/ping",
    tag = "server",
    responses((status = 200, description = "`pong`", body = String, content_type = "text/plain"))
)]
pub async fn ping_get() -> Response {
    document(StatusCode::OK, "text/plain", "pong")
}

fn metrics(app: &AppState) -> Metrics {
    let mut gauges = BTreeMap::new();
    let uptime = u64::try_from(app.began.elapsed().as_millis()).unwrap_or(u64::MAX);
    gauges.insert("livius.uptime_ms".to_owned(), Gauge { value: uptime });
    count(&mut gauges, "sessions", &sessions_by_state(app));
    count(&mut gauges, "batches", &batches_by_state(app));
    Metrics {
        version: FORM,
        gauges,
        counters: Nothing {},
        histograms: Nothing {},
        meters: Nothing {},
        timers: Nothing {},
    }
}

/// Tells how many sessions or batches there are, in all and in each state.
fn count(gauges: &mut BTreeMap<String, Gauge>, what: &str, states: &[(&str, usize)]) {
    let mut tell = |name: &str, count: usize| {
        let value = u64::try_from(count).unwrap_or(u64::MAX);
        gauges.insert(format!("livius.{what}.{name}"), Gauge { value });
    };
    tell("live", states.iter().map(|(_, count)| count).sum());
    for (state, count) in states {
        tell(&format!("state.{state}"), *count);
    }
}

fn health(asked: Result<(), SessionError>) -> Response {
    let (status, message) = match asked {
        Ok(()) => (StatusCode::OK, None),
        Err(error) => {
            tracing::error!(error = %chain(&error), "the store does not answer a health check");
            let words = "the store does not answer; the server's log says why";
            (StatusCode::INTERNAL_SERVER_ERROR, Some(words))
        }
    };
    let healthy = message.is_none();
    let mut response = response::ok(&Health {
        store: Check { healthy, message },
    });
    *response.status_mut() = status;
    fresh(response)
}

/// Keeps caches from storing a response that is true only now.
fn fresh(mut response: Response) -> Response {
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn a_store_that_does_not_answer_is_told_without_its_words() {
        let refused = SessionError::NotFound("a secret".to_owned());
        for (asked, status, text) in [
            (Ok(()), 200, r#"{"store":{"healthy":true}}"#),
            (
                Err(refused),
                500,
                r#"{"store":{"healthy":false,"message":"the store does not answer; the server's log says why"}}"#,
            ),
        ] {
            let response = health(asked);
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(response.headers()["cache-control"], "no-store");
            let body = to_bytes(response.into_body(), 1_000).await.unwrap();
            assert_eq!(body, text);
        }
    }
}
