//! The lines of requests in the audit log.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use livius_sessions::{Audit, AuditedRequest, Caller, shortened_for_audit as shortened};
use tokio::time::Instant;
use utoipa::openapi::path::Paths;

use crate::request::csrf::is_agents;
use crate::request::peer::PeerAddress;
use crate::request::request_id::RequestId;
use crate::request::route::RouteOf;
use crate::response::{Code, REPLAYED};

/// The code of the answer that an agent gets first: it has to prove itself.
const ASKED_FOR_PROOF: &str = "proof_needed";

/// The names of the operations: their `operationId` in the OpenAPI document.
#[derive(Debug, Default)]
pub struct Operations(HashMap<String, Vec<(Method, String)>>);

impl Operations {
    /// The operations of these paths.
    pub fn of(paths: &Paths) -> Self {
        let all = paths.paths.iter().map(|(path, item)| {
            let operations = [
                (Method::GET, &item.get),
                (Method::POST, &item.post),
                (Method::PUT, &item.put),
                (Method::PATCH, &item.patch),
                (Method::DELETE, &item.delete),
            ];
            let named = operations.into_iter().filter_map(|(method, operation)| {
                Some((method, operation.as_ref()?.operation_id.clone()?))
            });
            (path.clone(), named.collect())
        });
        Self(all.collect())
    }

    fn name(&self, route: &str, method: &Method) -> Option<&str> {
        let method = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let mut operations = self.0.get(route)?.iter();
        let found = operations.find(|(of, _)| of == method);
        found.map(|(_, name)| name.as_str())
    }
}

/// The line of a request, while the request is handled. If its client hangs up, the request is
/// dropped, and this with it: the line is written all the same, because the server may do what was
/// asked for.
pub struct Witness {
    audit: Audit,
    operations: Arc<Operations>,
    id: RequestId,
    caller: Caller,
    peer: Option<PeerAddress>,
    method: Method,
    path: String,
    route: RouteOf,
    began: Instant,
    is_answered: bool,
}

impl Witness {
    /// The line of a request as it came; `None` without an audit log.
    pub fn of(
        audit: &Audit,
        operations: &Arc<Operations>,
        id: &RequestId,
        caller: &Caller,
        route: &RouteOf,
        request: &Request,
    ) -> Option<Self> {
        audit.is_on().then(|| Self {
            audit: audit.clone(),
            operations: Arc::clone(operations),
            id: id.clone(),
            caller: caller.clone(),
            peer: request.extensions().get().copied(),
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            route: route.clone(),
            began: Instant::now(),
            is_answered: false,
        })
    }

    /// Notes the request in its plain form, which routes are matched with.
    pub fn understood(&mut self, request: &Request) {
        self.method = request.method().clone();
        request.uri().path().clone_into(&mut self.path);
    }

    /// Writes the line of a request that was answered.
    pub fn answered(mut self, response: &Response) {
        self.is_answered = true;
        let code = response.extensions().get().map(|Code(code)| *code);
        let is_refused = match response.status() {
            StatusCode::FORBIDDEN => true,
            StatusCode::UNAUTHORIZED => code != Some(ASKED_FOR_PROOF),
            _ => false,
        };
        if !is_refused && !self.is_kept() {
            return;
        }
        let made = response.headers().get(LOCATION).map(HeaderValue::to_str);
        self.write(&AuditedRequest {
            status: Some(response.status().as_u16()),
            code,
            made: made.and_then(Result::ok).map(shortened),
            replayed: response.headers().contains_key(REPLAYED),
            ..AuditedRequest::default()
        });
    }

    /// Tells whether the log has such a request, also if it succeeds. Agents' requests are left out.
    fn is_kept(&self) -> bool {
        let changes = !self.method.is_safe();
        (changes || self.audit.has_reads()) && !is_agents(&self.path)
    }

    /// Writes the line with this outcome.
    fn write(&self, outcome: &AuditedRequest<'_>) {
        let route = self.route.template();
        let named = |name| parameter(route.unwrap_or_default(), &self.path, name);
        let id = named("{id}");
        let is_of_batch = route.is_some_and(|route| route.split('/').any(|part| part == "batches"));
        let duration = self.began.elapsed().as_millis();
        self.audit.request(&AuditedRequest {
            request_id: self.id.as_str(),
            user: self.caller.user.as_deref().map(shortened),
            do_as: self.caller.do_as.as_deref().map(shortened),
            peer: self.peer.map(|PeerAddress(ip)| ip.to_canonical()),
            method: shortened(self.method.as_str()),
            route,
            action: route.and_then(|route| self.operations.name(route, &self.method)),
            session: id.filter(|_| !is_of_batch),
            batch: id.filter(|_| is_of_batch),
            statement: named("{statement}"),
            job: named("{job}"),
            duration_ms: u64::try_from(duration).unwrap_or(u64::MAX),
            ..*outcome
        });
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        if !self.is_answered && self.is_kept() {
            self.write(&AuditedRequest::default());
        }
    }
}

/// The part of a path that stands for a parameter of its route.
fn parameter<'a>(route: &str, path: &'a str, name: &str) -> Option<&'a str> {
    let mut parts = route.split('/').zip(path.split('/'));
    let found = parts.find(|(part, _)| *part == name);
    found.map(|(_, text)| shortened(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_by_their_place() {
        let route = "/sessions/{id}/statements/{statement}/cancel";
        let path = "/sessions/a%20b/statements/7/cancel";
        assert_eq!(parameter(route, path, "{id}"), Some("a%20b"));
        assert_eq!(parameter(route, path, "{statement}"), Some("7"));
        assert_eq!(parameter(route, path, "{job}"), None);
        assert_eq!(parameter("", path, "{id}"), None);
        let long = "é".repeat(200);
        let path = format!("/sessions/{long}");
        let short = parameter("/sessions/{id}", &path, "{id}").unwrap();
        assert_eq!(short, "é".repeat(127));
    }
}
