//! Generates the table of all keys.

use std::fmt::Write as _;

use super::sections;
use super::setting::{Key, Preset};

const HEAD: &str = "\
# Configuration

This table has every setting of the server. `cargo xtask codegen` generates it from
`crates/livius/src/config/sections/`: edit the texts there.

The server reads settings from these places. A later place overrides an earlier one:

1. the defaults
2. `SPARK_HOME` and `JAVA_HOME`
3. Livy's files, if `--livy-conf DIR` or `LIVIUS_LIVY_CONF` names them
   ([LIVY-CONFIGURATION.md](LIVY-CONFIGURATION.md))
4. the configuration file
5. `LIVIUS_…` environment variables
6. flags

`livius config show` prints every value and the place that it comes from. The server never ignores
an unknown key or a malformed value: it prints all such errors and does not start.

`--config FILE` or `LIVIUS_CONFIG` names the configuration file. Without them it is
`$XDG_CONFIG_HOME/livius/livius.toml` or `~/.config/livius/livius.toml`, if that exists. The file is
TOML, with a section for each heading below:

```toml
[server]
listen = \"127.0.0.1:8998\"

[spark.conf]
\"spark.sql.shuffle.partitions\" = 8
```

The flag `--set KEY=VALUE` sets any key, for example `--set sessions.max_live=20`. Common keys have
flags of their own (`livius serve --help`).

* A duration needs a unit: `500ms`, `30s`, `10m`, `2h`, `1d`.
* A relative path in the file is relative to the file's directory.
* In variables and flags, commas separate the entries of a list.
* In variables and flags, a table is `name=text;name=text`.
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
