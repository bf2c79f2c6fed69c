//! Reads requests: paths, queries, bodies and forms, and checks where they come from.

pub mod body;
pub mod body_room;
pub mod browser;
pub mod caller;
pub mod crowded;
pub mod csrf;
pub mod described;
pub mod extract;
pub mod fingerprint;
pub mod follower;
pub mod key;
pub mod leftover;
pub mod multipart;
pub mod other_user;
pub mod pace;
pub mod packing;
pub mod page;
pub mod path;
pub mod peer;
pub mod query;
pub mod rejection;
pub mod upload_body;
pub mod upload_key;
pub mod wait;
pub mod waiting_room;
