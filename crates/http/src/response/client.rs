//! A service with the client that a response is made for: streams read page after page as this client.

use livius_sessions::{ActingOnBatches, ActingOnSessions, Batches, Caller, Sessions};

/// Sessions or batches, and who asks for them.
pub struct ClientOf<S> {
    pub service: S,
    caller: Caller,
}

impl<S> ClientOf<S> {
    pub fn new(service: S, caller: Caller) -> Self {
        Self { service, caller }
    }
}

impl ClientOf<Sessions> {
    pub fn acting(&self) -> ActingOnSessions<'_> {
        self.service.acting(&self.caller)
    }
}

impl ClientOf<Batches> {
    pub fn acting(&self) -> ActingOnBatches<'_> {
        self.service.acting(&self.caller)
    }
}
