//! The client against an API server that hangs, refuses, forgets and comes back, which a real one
//! does not do on demand. `real_kubernetes` has a real one. Its responses are in `recorded`.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set itself up has failed"
)]

mod deleting;
mod following;
mod logs;
mod objects;
mod recorded;
mod requests;
mod secrets;
mod server;
mod store;
mod world;
