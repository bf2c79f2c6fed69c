//! The table of Livy's keys, made from the registry.

use std::fmt::Write as _;

use super::keys::{GROUPS, LivyKey, Meaning, since};

const HEAD: &str = "\
# Livy's configuration, key by key

This table has every configuration key of Livy and its meaning here. `cargo xtask codegen` generates
it from `crates/livius/src/config/livy/keys/`: edit the texts there.

Livy's configuration is in `livy.conf`, `livy-client.conf` and `spark-blacklist.conf`, in
`LIVY_CONF_DIR` or `$LIVY_HOME/conf`. You can use these files in two ways:

* `livius config import --write livius.toml` translates them once. A comment at every setting names
  the key that it comes from. A list at the end has every key that was not translated, and the
  reason. `--from DIR` (or one file) names the place of Livy's files. The exit code is 1 if a key is
  unknown or needs a decision.
* `livius serve --livy-conf DIR`, or `LIVIUS_LIVY_CONF`, reads them at every start. Their values
  override the defaults, and `livius.toml` overrides them. `livius config show --livy-conf DIR`
  prints the key and line that a value comes from.

Both ways read the files as Livy does:

* The files are Java properties. If a file sets a key twice, the last value counts.
* The old spelling of a key counts if the present one is absent.
* Every text except `true` is false.
* A bare number is a time in milliseconds: `livy.server.session.state-retain.sec = 600` is 0.6 s.

If a key is not set, the default of [CONFIGURATION.md](CONFIGURATION.md) holds, and not Livy's.

The server never changes a value silently. If it cannot use the value of a key that works, it does
not start, and the error message says how to fix it. Some keys protect something, but the server
does not have that protection yet (marked **protects**). The server does not start with such a key
either, and the import asks for a decision. The server starts with other keys that are not there yet
and with unknown keys. It logs them, unknown keys with the most similar known key.

| mark | meaning |
|---|---|
| works | the named settings do the same as the key in Livy |
| differs on purpose | the named settings do the same, except for the difference in the text |
| not there yet | the server does not have the feature yet, or has no setting for it |
| not applicable | there is nothing to set, for the reason in the text |

[COMPATIBILITY.md](COMPATIBILITY.md) uses the same marks, and has the same keys without their
defaults. If a key has two spellings, `Since Livy` is the version of the older one; `none` means
that no release up to 0.9 has the key.
";

const TAIL: &str = "
## Other files

| file | here |
|---|---|
| `spark-blacklist.conf` | Its keys go to `spark.blocked_conf`. The server also blocks other spellings of them (case, `_` for `-`, the prefix `spark.__livy__.`). |
| `livy-client.conf` | Its `livy.rsc.…` keys count unless `livy.conf` has them too. Its `spark.…` keys go to `spark.conf`, for batches too. The other keys are settings of clients. |
| `livy-env.sh`, `log4j.properties` | The server does not read them, because they are about Livy's own process. Set the variables that drivers need (`HADOOP_CONF_DIR`, `SPARK_CONF_DIR`, `PYSPARK_PYTHON`) in this server's environment. |
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
