//! Third-party clients, in virtual environments that `cargo xtask test` makes.

use std::path::Path;
use std::process::Command;

use crate::client::environment;

/// The Python of a virtual environment, with another home directory.
pub fn python(variable: &str, home: &Path) -> Command {
    let Some(python) = environment(variable) else {
        panic!(
            "{variable} is not set: `cargo xtask test` makes the virtual environment that it names"
        );
    };
    let programs = Path::new(&python).parent().unwrap().display();
    let path = format!("{programs}:{}", environment("PATH").unwrap());
    let mut command = Command::new(&python);
    command
        .env_clear()
        .env("HOME", home)
        .env("PATH", path)
        .env("LC_ALL", "C.UTF-8");
    command
}
