//! The table of Livy's keys, made from the registry.

use std::fmt::Write as _;

use super::keys::{GROUPS, LivyKey, Meaning, since};

const HEAD: &str = "\
# Livy's configuration, key by key

Made by `cargo xtask codegen` from `crates/livius/src/config/livy/keys/`; edit those.

A server that has run Livy has `livy.conf`, perhaps `livy-client.conf` and `spark-blacklist.conf`, in `LIVY_CONF_DIR` or `$LIVY_HOME/conf`. There are
two ways to go on with them:

* `livius config import --write livius.toml` translates them once. Every setting tells the key it comes from, and a list at the end tells of every
  key that is not taken over, and why. `--from DIR` (or one file) says where they are. The exit code is 1 when a key is unknown or needs a decision.
* `livius serve --livy-conf DIR`, or `LIVIUS_LIVY_CONF`, reads them at every start, as a layer below `livius.toml` and above the defaults.
  `livius config show --livy-conf DIR` tells the key and line that a value comes from.

Both read them as Livy does: Java properties, the last of several wins, an old spelling counts where the present one is absent, anything but `true` is
false, a bare number is a time in milliseconds (`livy.server.session.state-retain.sec = 600` is 0.6 s). A key that is not set is not taken
over either: then the defaults of [CONFIGURATION.md](CONFIGURATION.md) hold, not Livy's. What this server would not start with is told with its remedy and never
changed in silence. That goes for keys that protect something (marked **protects**) while their protection is not there yet: the server does not start with them,
and the import asks for a decision. Keys that nobody knows are logged when the server starts, with the nearest known one.

| mark | meaning |
|---|---|
| works | the settings named do what the key does with Livy |
| differs on purpose | the same, with the difference that is told |
| not there yet | what it is about is not there yet, or cannot be set |
| not applicable | there is nothing to set, for the reason told |

The marks are those of [COMPATIBILITY.md](COMPATIBILITY.md), which has the same keys without their defaults. Of the two spellings of a key, the version
is that of the older one; `none` means that no release up to 0.9 has it.
";

const TAIL: &str = "
## Other files

| file | here |
|---|---|
| `spark-blacklist.conf` | Its keys go to `spark.blocked_conf`. No other spelling of them gets past either (case, `_` for `-`, the prefix `spark.__livy__.`). |
| `livy-client.conf` | Of what is in it, `livy.rsc.…` counts where `livy.conf` does not say otherwise, and `spark.…` goes to `spark.conf`, for batches too. The rest are settings of clients. |
| `livy-env.sh`, `log4j.properties` | Not read: they are about Livy's own process. What drivers need of the environment (`HADOOP_CONF_DIR`, `SPARK_CONF_DIR`, `PYSPARK_PYTHON`) must be in this server's. |
";

/// The whole of `docs/LIVY-CONFIGURATION.md`.
pub fn markdown() -> String {
    let mut text = HEAD.to_owned();
    for group in GROUPS {
        let _ = write!(
            text,
            "\n## {}\n\n| Livy's key | Since Livy | Livy's default | mark | here |\n|---|---|---|---|---|\n",
            group.heading
        );
        for key in group.keys {
            text.push_str(&row(key));
        }
    }
    text.push_str(TAIL);
    text
}

fn row(key: &LivyKey) -> String {
    let old = key
        .old
        .map(|old| format!("<br>formerly `{old}`"))
        .unwrap_or_default();
    let default = match key.default {
        "" => "none".to_owned(),
        text => format!("`{text}`"),
    };
    let (mark, here) = here(key);
    let since = since(key.name).unwrap_or("none");
    format!(
        "| `{}`{old} | {since} | {default} | {mark} | {here} |\n",
        key.name
    )
}

/// The marks are those of `docs/COMPATIBILITY.md`, which copies these rows.
fn here(key: &LivyKey) -> (&'static str, String) {
    match key.meaning {
        Meaning::Maps(mapping) => {
            let to: Vec<String> = mapping
                .to
                .iter()
                .map(|key| format!("`{}`", key.path))
                .collect();
            let to = to.join(", ");
            match mapping.differs {
                None => ("works", to),
                Some(differs) => ("differs on purpose", format!("{to}. {differs}")),
            }
        }
        Meaning::Nothing(reason) => ("not applicable", sentence(reason)),
        Meaning::NotYet(missing) => match missing.guard {
            None => ("not there yet", sentence(missing.reason)),
            Some(guard) => (
                "not there yet, **protects**",
                format!("{} {}", sentence(missing.reason), sentence(guard.remedy)),
            ),
        },
    }
}

fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    format!("{}{}.", first.collect::<String>(), characters.as_str())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checked_in_table_is_what_the_registry_says() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../docs/LIVY-CONFIGURATION.md"
        );
        let written = std::fs::read_to_string(path).unwrap();
        assert!(
            written == super::markdown(),
            "docs/LIVY-CONFIGURATION.md is stale: run `cargo xtask codegen`"
        );
    }
}
