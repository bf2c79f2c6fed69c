//! The OpenAPI document. It is built from the routes, so no route is missing.

use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Livius",
        description = "A session server for Apache Spark. The routes at the root are those of Apache Livy, which any Livy client may \
                       use; those under /api/v1 are Livius's own.",
        license(name = "Apache-2.0"),
    ),
    tags(
        (name = "sessions", description = "Interactive sessions"),
        (name = "statements", description = "Code that runs in a session"),
        (name = "jobs", description = "Programs of Livy's Java, Scala and Python clients, and files for them"),
        (name = "batches", description = "Applications that run to their end"),
        (name = "server", description = "About the server"),
        (name = "agent", description = "For the agents inside Spark drivers"),
    )
)]
struct Outline;

/// The document without its routes.
pub fn outline() -> OpenApi {
    Outline::openapi()
}

/// Returns the document as text, as it is served and checked in.
pub fn text(document: &OpenApi) -> String {
    let text = document.to_pretty_json();
    text.expect("a description has only string keys") + "\n"
}
