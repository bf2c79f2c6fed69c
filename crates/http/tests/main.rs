//! The HTTP edge with the whole application behind it, in one process. All of it is one program,
//! because each program links the application again.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set itself up has failed"
)]

mod agent_events;
mod agent_socket;
mod answers;
mod audit;
mod batches;
mod callers;
mod deadlines;
mod details;
mod docs;
mod drivers;
mod dry_run;
mod edge;
mod events;
mod following;
mod full_disk;
mod jobs;
mod keys;
mod large;
mod lifecycle;
mod lists;
mod metrics;
mod names;
mod own_face;
mod pages;
mod pools;
mod recovery;
mod request_ids;
mod results;
mod sessions;
mod statements;
mod status;
mod waiting;
mod webhooks;
