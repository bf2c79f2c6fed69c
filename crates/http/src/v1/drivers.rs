//! `/api/v1/drivers` and `/api/v1/drivers/{driver}`: the drivers that are not gone.

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use livius_domain::{DriverId, DriverState, Link};
use livius_sessions::DriverStatus;
use livius_wire::{DriverAnswer, DriverKnowledge, DriverPageAnswer, ProblemAnswer};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::described::BadParameter;
use super::filter;
use super::parameters::{Parameters, bad};
use super::{Problem, V1};
use crate::request::described::DriverSearchQuery;
use crate::request::extract::CallerOf;
use crate::response;
use crate::state::AppState;

/// A cursor is this text and a name.
const CURSOR: &str = "after-";

/// The names of the states of drivers that are not gone, without that of the end.
const STATES: [&str; 9] = [
    DriverState::Queued.name(),
    DriverState::Launching.name(),
    DriverState::Connecting.name(),
    DriverState::Context.name(),
    DriverState::Primed.name(),
    DriverState::Up { link: Link::Up }.name(),
    DriverState::Up { link: Link::Lost }.name(),
    DriverState::Up {
        link: Link::Recovering,
    }
    .name(),
    "stopping",
];

pub fn routes() -> OpenApiRouter<V1> {
    OpenApiRouter::new()
        .routes(routes!(driver_page))
        .routes(routes!(driver_show))
}

/// Lists the drivers of sessions, batches and pools that are not gone, by name, with the interpreters
/// that are up in them.
#[utoipa::path(
    get,
    path = "/api/v1/drivers",
    tag = "drivers",
    params(DriverSearchQuery),
    responses(
        (status = 200, description = "A page of the drivers", body = DriverPageAnswer),
        BadParameter,
    )
)]
pub async fn driver_page(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let parameters = Parameters::new(query.as_deref());
    let states = states(parameters)?;
    let after = after(parameters)?;
    let limit = usize::try_from(filter::limit(parameters)?).unwrap_or(usize::MAX);
    let mut all = app.batches.acting(&caller).drivers();
    all.extend(app.sessions.acting(&caller).drivers());
    all.retain(|driver| {
        let wanted = states.as_ref();
        wanted.is_none_or(|names| names.contains(&driver.state.name()))
    });
    all.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    let total = all.len();
    let from = after.map_or(0, |last| all.partition_point(|driver| driver.id <= last));
    let shown: Vec<_> = all[from..].iter().take(limit).collect();
    let has_more = from + shown.len() < total;
    let last = shown.last().filter(|_| has_more);
    Ok(response::ok(&DriverPageAnswer {
        next_cursor: last.map(|driver| format!("{CURSOR}{}", driver.id)),
        drivers: shown.into_iter().map(answer).collect(),
        total,
    }))
}

/// Shows a driver that is not gone. Of one that is gone, its session or batch tells the end.
#[utoipa::path(
    get,
    path = "/api/v1/drivers/{driver}",
    tag = "drivers",
    params(("driver" = String, Path, description = "The driver's name")),
    responses(
        (status = 200, description = "The driver", body = DriverAnswer),
        (status = 404, description = "There is no such driver, or it is gone", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn driver_show(
    State(app): State<AppState>,
    CallerOf(caller): CallerOf,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let found = DriverId::parse(&name).and_then(|id| {
        let of_session = app.sessions.acting(&caller).driver(&id);
        of_session.or_else(|| app.batches.acting(&caller).driver(&id))
    });
    match found {
        Some(driver) => Ok(response::ok(&answer(&driver))),
        None => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "there is no such driver, or it is gone",
        )),
    }
}

fn answer(driver: &DriverStatus) -> DriverAnswer<'_> {
    DriverAnswer::new(DriverKnowledge {
        id: driver.id.as_str(),
        made_for: driver.made_for,
        pool: driver.pool.as_deref(),
        state: &driver.state,
        app: driver.app.as_ref(),
        interpreters: &driver.interpreters,
        times: &driver.times,
        away_since: driver.away_since,
    })
}

fn states(parameters: Parameters) -> Result<Option<Vec<&'static str>>, Problem> {
    let Some(text) = parameters.text("state") else {
        return Ok(None);
    };
    let known = |part| STATES.into_iter().find(|name| *name == part);
    let wanted: Option<Vec<_>> = text.split(',').map(known).collect();
    let refused = || {
        let unknown = bad("state", "there is no such state");
        unknown.hint(format!("states are {}", STATES.join(", ")))
    };
    wanted.map(Some).ok_or_else(refused)
}

fn after(parameters: Parameters) -> Result<Option<DriverId>, Problem> {
    let Some(text) = parameters.text("cursor") else {
        return Ok(None);
    };
    match text.strip_prefix(CURSOR).and_then(DriverId::parse) {
        Some(after) => Ok(Some(after)),
        None => Err(filter::no_cursor()),
    }
}
