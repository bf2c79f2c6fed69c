//! Writes the parts of a request that may have secrets without them.

use std::collections::BTreeMap;

use livius_domain::redact::{address, value};
use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};

/// A configuration that is serialised without its secrets.
#[derive(Debug, Clone, Copy)]
pub struct RedactedConf<'a>(pub &'a BTreeMap<String, String>);

impl Serialize for RedactedConf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, text) in self.0 {
            map.serialize_entry(key, value(key, text))?;
        }
        map.end()
    }
}

/// Addresses that are serialised without their passwords.
#[derive(Debug, Clone, Copy)]
pub struct RedactedAddresses<'a>(pub &'a [String]);

impl Serialize for RedactedAddresses<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(Some(self.0.len()))?;
        for text in self.0 {
            sequence.serialize_element(&address(text))?;
        }
        sequence.end()
    }
}
