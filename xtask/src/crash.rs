//! Runs the crash test for as long as one likes: `cargo xtask crash --rounds 10000`.

use anyhow::{Context as _, bail};

use crate::steps::Steps;
use crate::suite;

/// Kills the server as often as the words say. The seed repeats the choices of an earlier run.
pub fn run(words: &[&str]) -> anyhow::Result<()> {
    let mut command = suite::compiling("test");
    command.args(["--workspace", "--test", "crash"]);
    for pair in words.chunks(2) {
        let [name, value] = pair else {
            bail!("{} needs a number", pair[0]);
        };
        let variable = match *name {
            "--rounds" => "LIVIUS_CRASH_ROUNDS",
            "--seed" => "LIVIUS_CRASH_SEED",
            _ => bail!("there is no {name}: write --rounds or --seed"),
        };
        let number: u64 = value
            .parse()
            .with_context(|| format!("{name} {value} is not a number"))?;
        command.env(variable, number.to_string());
    }
    Steps::begin().run("the server is killed again and again", &mut command)
}
