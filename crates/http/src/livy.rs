//! Livy's interface: its routes, one file per group of endpoints, and its refusals.

mod batches;
mod completion;
mod described;
mod jobs;
mod logs;
mod refusal;
mod remade;
mod resources;
mod server;
mod sessions;
mod statements;
mod uploads;

use axum::Router;
use axum::extract::FromRef;
use axum::http::request::Parts;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use livius_domain::Made;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;
use utoipa_axum::router::OpenApiRouter;

pub use self::refusal::Refusal;
use crate::deadline::respond_within;
use crate::face::Face;
use crate::options::Options;
use crate::state::AppState;

/// The state of Livy's routes.
#[derive(Clone)]
pub struct Livy(pub AppState);

impl FromRef<Livy> for AppState {
    fn from_ref(livy: &Livy) -> Self {
        livy.0.clone()
    }
}

impl Face for Livy {
    type Error = Refusal;

    fn app(&self) -> &AppState {
        &self.0
    }

    async fn remade(&self, parts: &mut Parts, made: Made) -> Result<Response, Refusal> {
        remade::remade(self, parts, made).await
    }
}

/// A shorter response fits into one packet, so compressing it gains nothing.
const COMPRESSED_FROM_BYTES: u64 = 1_400;

pub fn routes(options: &Options) -> OpenApiRouter<Livy> {
    let prompt = OpenApiRouter::new()
        .merge(sessions::routes())
        .merge(statements::routes())
        .merge(completion::routes())
        .merge(jobs::routes())
        .merge(resources::routes())
        .merge(batches::routes())
        .merge(logs::routes())
        .merge(server::routes())
        .layer(from_fn_with_state(
            options.deadline,
            respond_within::<Refusal>,
        ));
    // An upload takes long to arrive. The usual deadline starts when the file is complete.
    let upload_deadline = options.upload_deadline + options.deadline;
    let uploads = uploads::routes().layer(from_fn_with_state(
        upload_deadline,
        respond_within::<Refusal>,
    ));
    prompt.merge(uploads)
}

/// Compresses the responses of the routes.
pub fn compressed(routes: Router) -> Router {
    let compression = CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(COMPRESSED_FROM_BYTES));
    routes.layer(compression)
}
