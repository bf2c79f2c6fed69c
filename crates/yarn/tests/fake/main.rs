//! The client against daemons that hang, fail, lie and come back, which real ones do not do on
//! demand. `real_yarn.rs` has the real ones.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set itself up has failed"
)]

mod daemon;
mod following;
mod logs;
mod recorded;
mod requests;
