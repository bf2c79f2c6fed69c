//! Livy's configuration files, read as a layer of ours or imported into one.
//!
//! Every key that Livy knows is in the registry ([`keys`]) with what it means here: a key of ours and how to get there, nothing, or not yet.
//! [`judge`] holds a file's entries against it; the layer, `livius config import` and `docs/LIVY-CONFIGURATION.md` are made from that.

mod convert;
mod files;
mod import;
mod judge;
mod keys;
mod layer;
mod pattern;
mod reference;
mod values;

pub use import::{Import, import};
pub use layer::read;
pub use reference::markdown;

#[cfg(test)]
mod tests;
