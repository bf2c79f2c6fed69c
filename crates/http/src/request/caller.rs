//! The caller of a request.

use axum::extract::Request;
use livius_sessions::Caller;

use crate::request::query::Query;

/// The user that made a request, in the request's extensions. A layer outside the router
/// authenticates, and puts it there. Without it the caller is anonymous.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticatedUser(pub String);

/// Finds out who makes a request.
pub fn caller(request: &Request) -> Caller {
    let user = request.extensions().get::<AuthenticatedUser>();
    let do_as = Query::new(request.uri().query())
        .text("doAs")
        .filter(|user| !user.is_empty());
    Caller {
        user: user.map(|user| user.0.clone()),
        do_as: do_as.map(std::borrow::Cow::into_owned),
    }
}
