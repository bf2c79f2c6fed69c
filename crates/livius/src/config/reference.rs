//! Generates the table of all keys.

use std::fmt::Write as _;

use super::sections;
use super::setting::{Key, Preset};

const HEAD: &str = "\
# Configuration

Made by `cargo xtask codegen` from `crates/livius/src/config/sections/`; edit those.

Values come in layers, each over the one before: defaults, `SPARK_HOME` and `JAVA_HOME`, Livy's files if `--livy-conf DIR` or `LIVIUS_LIVY_CONF` names
them ([LIVY-CONFIGURATION.md](LIVY-CONFIGURATION.md)), the file, `LIVIUS_…` environment variables, flags.
`livius config show` prints every value with the place it came from. What is unknown or malformed is an error, never ignored, and all
errors are told at once.

The file is the one that `--config FILE` or `LIVIUS_CONFIG` names, else `$XDG_CONFIG_HOME/livius/livius.toml` or
`~/.config/livius/livius.toml` when it is there. It is TOML, a section for each heading below:

```toml
[server]
listen = \"127.0.0.1:8998\"

[spark.conf]
\"spark.sql.shuffle.partitions\" = 8
```

Every key can be given on the command line as `--set KEY=VALUE`, such as `--set sessions.max_live=20`; the common ones have flags of their
own (`livius serve --help`). Durations need a unit (`500ms`, `30s`, `10m`, `2h`, `1d`). Relative paths in the file count from the file's directory. In
variables and flags, lists are separated by commas, and tables are written `name=text;name=text`.
";

/// The whole of `docs/CONFIGURATION.md`.
pub fn markdown() -> String {
    let mut text = HEAD.to_owned();
    let mut section = "";
    for key in sections::all() {
        let (of, _) = key.path.split_once('.').unwrap_or((key.path, ""));
        if of != section {
            section = of;
            let _ = write!(
                text,
                "\n## `[{section}]`\n\n| key | environment | value | default | meaning |\n|---|---|---|---|---|\n"
            );
        }
        text.push_str(&row(key));
    }
    text
}

fn row(key: &Key) -> String {
    let default = match (key.default, key.fallback) {
        (Preset::Empty, _) => "none".to_owned(),
        (Preset::Unset, Some(variable)) => format!("`${variable}`"),
        (Preset::Unset | Preset::UserDataDir, _) => "unset".to_owned(),
        (default, _) => format!("`{}`", default.constant()),
    };
    format!(
        "| `{}` | `{}` | {} | {default} | {} |\n",
        key.path,
        key.variable(),
        key.shape.name(),
        key.about
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checked_in_table_is_what_the_registry_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CONFIGURATION.md");
        let written = std::fs::read_to_string(path).unwrap();
        assert!(
            written == super::markdown(),
            "docs/CONFIGURATION.md is stale: run `cargo xtask codegen`"
        );
    }
}
