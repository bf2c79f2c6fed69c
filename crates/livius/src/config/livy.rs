//! Reads Livy's configuration files as a layer, or imports them into our own file.
//!
//! [`keys`] lists every key of Livy with its meaning: a setting of Livius and the conversion, no
//! effect, or not supported yet. [`judge`] applies the list to a file's entries. The layer, `livius
//! config import` and `docs/LIVY-CONFIGURATION.md` use the result.

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
