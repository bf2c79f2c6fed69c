//! The OpenAPI document. It is built from the routes, so no route is missing.

use utoipa::OpenApi as _;
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{OpenApi, Required, ResponseBuilder};

use crate::request::csrf::is_agents;

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
        (name = "drivers", description = "The Spark processes of sessions and batches"),
        (name = "pools", description = "Drivers that wait for sessions"),
        (name = "server", description = "About the server"),
        (name = "agent", description = "For the agents inside Spark drivers"),
    )
)]
struct Outline;

/// The document without its routes.
pub fn outline() -> OpenApi {
    Outline::openapi()
}

/// Describes the key that every request of a client may have that uses POST.
pub fn describe_keys(document: &mut OpenApi) {
    let paths = document.paths.paths.iter_mut();
    let of_clients = paths.filter(|(path, _)| !is_agents(path));
    for operation in of_clients.filter_map(|(_, item)| item.post.as_mut()) {
        let key = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(KEY))
            .schema(Some(
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .min_length(Some(1))
                    .max_length(Some(255)),
            ));
        operation
            .parameters
            .get_or_insert_default()
            .push(key.build().into());
        for (status, description) in KEY_REFUSALS {
            let refusal = ResponseBuilder::new().description(description).build();
            let responses = &mut operation.responses.responses;
            responses
                .entry(status.to_owned())
                .or_insert_with(|| refusal.into());
        }
    }
}

/// The refusals of a key, which every request with one may get.
const KEY_REFUSALS: [(&str, &str); 3] = [
    (
        "409",
        "The first request with the Idempotency-Key is being worked on",
    ),
    (
        "410",
        "What the request with the Idempotency-Key made is gone, and so is its answer",
    ),
    ("422", "The Idempotency-Key was used for another request"),
];

const KEY: &str = "The client's own name for this request. A request with the same key, path, query and body is not done again: it gets the first answer, with the header `Idempotent-Replayed: true`. With another request the key is refused with 422, and with 409 while the first request is being worked on";

/// Returns the document as text, as it is served and checked in.
pub fn text(document: &OpenApi) -> String {
    let text = document.to_pretty_json();
    text.expect("a description has only string keys") + "\n"
}
