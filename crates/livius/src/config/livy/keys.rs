//! Every key of Livy's: its default, its old spelling, and what it means here.

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
    /// Its name; `<…>` stands for what an operator chooses.
    pub name: &'static str,
    /// The spelling that Livy still takes where the name itself is absent.
    pub old: Option<&'static str>,
    /// Livy's default, as it would be written; empty where there is none.
    pub default: &'static str,
    /// What it means here.
    pub meaning: Meaning,
}

/// What a key of Livy's means here.
#[derive(Debug, Clone, Copy)]
pub enum Meaning {
    /// There is a setting for it.
    Maps(Mapping),
    /// There is nothing to be set, and this is why.
    Nothing(&'static str),
    /// It would mean something, but what it is about is not there yet, or cannot be set.
    NotYet(NotYet),
}

/// How a key becomes settings of ours.
#[derive(Debug, Clone, Copy)]
pub struct Mapping {
    /// The settings.
    pub to: &'static [&'static Key],
    /// How the text is understood.
    pub convert: Convert,
    /// In what they differ from Livy's.
    pub differs: Option<&'static str>,
    /// Whether an empty text says something, where it is as good as none elsewhere.
    pub blank: bool,
}

/// Why a key cannot be followed, and what that means for the one who set it.
#[derive(Debug, Clone, Copy)]
pub struct NotYet {
    /// What is missing.
    pub reason: &'static str,
    /// Set where the key protects the server or its users: leaving it out in silence would take a protection away.
    pub guard: Option<Guard>,
}

/// A key that protects something.
#[derive(Debug, Clone, Copy)]
pub struct Guard {
    /// The texts by which it protects nothing.
    pub off: &'static [&'static str],
    /// What to do instead.
    pub remedy: &'static str,
}

/// Keys that belong together.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// A heading for them.
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

/// The key that a name in a file stands for, in its present or its old spelling. Names without a chosen part go first.
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
    /// With its old spelling.
    const fn formerly(mut self, old: &'static str) -> Self {
        self.old = Some(old);
        self
    }

    /// With what is different from Livy.
    const fn but(mut self, differs: &'static str) -> Self {
        if let Meaning::Maps(mut mapping) = self.meaning {
            mapping.differs = Some(differs);
            self.meaning = Meaning::Maps(mapping);
        }
        self
    }

    /// As one whose empty text says something.
    const fn or_blank(mut self) -> Self {
        if let Meaning::Maps(mut mapping) = self.meaning {
            mapping.blank = true;
            self.meaning = Meaning::Maps(mapping);
        }
        self
    }

    /// As one that protects something, unless its text is one of those.
    const fn protecting(mut self, off: &'static [&'static str], remedy: &'static str) -> Self {
        if let Meaning::NotYet(mut missing) = self.meaning {
            missing.guard = Some(Guard { off, remedy });
            self.meaning = Meaning::NotYet(missing);
        }
        self
    }
}
