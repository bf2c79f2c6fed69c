//! Livy's routes: one file per group of endpoints.

mod batches;
mod completion;
mod jobs;
mod logs;
mod resources;
mod server;
mod sessions;
mod statements;
mod uploads;

use axum::middleware::from_fn_with_state;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;
use utoipa_axum::router::OpenApiRouter;

use crate::deadline::respond_within;
use crate::options::Options;
use crate::state::AppState;

/// A shorter response fits into one packet, so compressing it gains nothing.
const COMPRESSED_FROM_BYTES: u64 = 1_400;

pub fn routes(options: &Options) -> OpenApiRouter<AppState> {
    let compression = CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(COMPRESSED_FROM_BYTES));
    let prompt = OpenApiRouter::new()
        .merge(sessions::routes())
        .merge(statements::routes())
        .merge(completion::routes())
        .merge(jobs::routes())
        .merge(resources::routes())
        .merge(batches::routes())
        .merge(logs::routes())
        .merge(server::routes())
        .layer(from_fn_with_state(options.deadline, respond_within));
    // A file takes long to arrive; the usual time begins when all of it is there.
    let upload_deadline = options.upload_deadline + options.deadline;
    let uploads = uploads::routes().layer(from_fn_with_state(upload_deadline, respond_within));
    prompt.merge(uploads).layer(compression)
}
