//! Every configuration key of Livy: its default, its old spelling, and its meaning for Livius.

mod cluster;
mod drivers;
mod protection;
mod server;
mod sessions;
mod since;
mod thrift;

use super::convert::Convert;
use super::pattern;
use crate::config::setting::Key;

pub use since::since;

/// One of Livy's keys.
#[derive(Debug, Clone, Copy)]
pub struct LivyKey {
    /// Its name. `<…>` stands for a part that the administrator chooses.
    pub name: &'static str,
    /// An older spelling, which Livy still reads if the name itself is absent.
    pub old: Option<&'static str>,
    /// Livy's default as text; empty if there is none.
    pub default: &'static str,
    /// Its meaning for Livius.
    pub meaning: Meaning,
}

/// The meaning of a Livy key for Livius.
#[derive(Debug, Clone, Copy)]
pub enum Meaning {
    /// Livius has a setting for it.
    Maps(Mapping),
    /// There is nothing to set, for this reason.
    Nothing(&'static str),
    /// Livius does not have the feature yet, or the feature cannot be configured.
    NotYet(NotYet),
}

/// The translation of a key to settings of Livius.
#[derive(Debug, Clone, Copy)]
pub struct Mapping {
    /// The settings.
    pub to: &'static [&'static Key],
    /// The conversion of the text.
    pub convert: Convert,
    /// The differences between the settings and Livy's key.
    pub differs: Option<&'static str>,
    /// True if an empty text has a meaning. For other keys it counts as absent.
    pub blank: bool,
}

/// The reason why Livius cannot follow a key.
#[derive(Debug, Clone, Copy)]
pub struct NotYet {
    /// The missing feature.
    pub reason: &'static str,
    /// Set if the key protects the server or its users. Ignoring such a key silently would remove a
    /// protection.
    pub guard: Option<Guard>,
}

/// A key that protects something.
#[derive(Debug, Clone, Copy)]
pub struct Guard {
    /// The texts that turn the protection off.
    pub off: &'static [&'static str],
    /// The remedy.
    pub remedy: &'static str,
}

/// Keys that belong together.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// The heading.
    pub heading: &'static str,
    /// The keys.
    pub keys: &'static [LivyKey],
}

/// Every key, by group.
pub static GROUPS: &[Group] = &[
    Group {
        heading: "Server",
        keys: server::KEYS,
    },
    Group {
        heading: "Spark and files",
        keys: server::SPARK,
    },
    Group {
        heading: "Security",
        keys: protection::KEYS,
    },
    Group {
        heading: "Sessions and batches",
        keys: sessions::KEYS,
    },
    Group {
        heading: "Recovery",
        keys: cluster::RECOVERY,
    },
    Group {
        heading: "YARN",
        keys: cluster::YARN,
    },
    Group {
        heading: "Kubernetes",
        keys: cluster::KUBERNETES,
    },
    Group {
        heading: "Drivers (`livy.rsc.…`)",
        keys: drivers::KEYS,
    },
    Group {
        heading: "Livy's Java client",
        keys: drivers::CLIENT,
    },
    Group {
        heading: "Thrift (JDBC)",
        keys: thrift::KEYS,
    },
];

/// Every key.
pub fn all() -> impl Iterator<Item = &'static LivyKey> {
    GROUPS.iter().flat_map(|group| group.keys)
}

/// The key with this name, in its present or old spelling. Exact names win over patterns.
pub fn find(name: &str) -> Option<&'static LivyKey> {
    all()
        .find(|key| key.name == name || key.old == Some(name))
        .or_else(|| all().find(|key| pattern::matches(key.name, name)))
}

/// The present name of the key with this old spelling.
pub fn present_name(old: &str) -> Option<&'static str> {
    all().find(|key| key.old == Some(old)).map(|key| key.name)
}

const fn maps(
    name: &'static str,
    default: &'static str,
    to: &'static [&'static Key],
    convert: Convert,
) -> LivyKey {
    let meaning = Meaning::Maps(Mapping {
        to,
        convert,
        differs: None,
        blank: false,
    });
    LivyKey {
        name,
        old: None,
        default,
        meaning,
    }
}

const fn nothing(name: &'static str, default: &'static str, reason: &'static str) -> LivyKey {
    LivyKey {
        name,
        old: None,
        default,
        meaning: Meaning::Nothing(reason),
    }
}

const fn not_yet(name: &'static str, default: &'static str, reason: &'static str) -> LivyKey {
    let meaning = Meaning::NotYet(NotYet {
        reason,
        guard: None,
    });
    LivyKey {
        name,
        old: None,
        default,
        meaning,
    }
}

impl LivyKey {
    /// Adds the old spelling.
    const fn formerly(mut self, old: &'static str) -> Self {
        self.old = Some(old);
        self
    }

    /// Adds the difference from Livy.
    const fn but(mut self, differs: &'static str) -> Self {
        if let Meaning::Maps(mut mapping) = self.meaning {
            mapping.differs = Some(differs);
            self.meaning = Meaning::Maps(mapping);
        }
        self
    }

    /// Marks a key whose empty text has a meaning.
    const fn or_blank(mut self) -> Self {
        if let Meaning::Maps(mut mapping) = self.meaning {
            mapping.blank = true;
            self.meaning = Meaning::Maps(mapping);
        }
        self
    }

    /// Marks a key that protects something, unless its text is one of these.
    const fn protecting(mut self, off: &'static [&'static str], remedy: &'static str) -> Self {
        if let Meaning::NotYet(mut missing) = self.meaning {
            missing.guard = Some(Guard { off, remedy });
            self.meaning = Meaning::NotYet(missing);
        }
        self
    }
}
