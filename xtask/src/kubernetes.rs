//! Builds a Kubernetes without nodes: the API server with its store, and the controllers, in one
//! binary. The Go modules of Kubernetes are public, and no registry has a binary.
//!
//! The build takes minutes the first time, so only `cargo xtask test --kubernetes` does it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::steps::{Steps, output, root};

/// The files that the binary is built from.
const SOURCES: [&str; 3] = ["main.go", "go.mod", "go.sum"];

/// The version that the binary says it has. The modules do not know it.
const VERSION: &str = "v1.36.3";

/// The binary, if the present sources were built. Says so if not.
pub fn built(steps: &Steps, directory: &Path) -> anyhow::Result<Option<PathBuf>> {
    let place = Place::new(directory);
    if place.is_current()? {
        return Ok(Some(place.binary));
    }
    steps.say(
        "kubernetes: SKIPPED, as the real API server is not built: `cargo xtask test --kubernetes` builds it",
    );
    Ok(None)
}

/// Builds the binary, if the present sources were not built yet.
pub fn build(steps: &Steps, directory: &Path) -> anyhow::Result<PathBuf> {
    let place = Place::new(directory);
    if place.is_current()? {
        steps.say("kubernetes: the API server is there");
        return Ok(place.binary);
    }
    check_go()?;
    fs::create_dir_all(&place.folder)
        .with_context(|| format!("cannot make {}", place.folder.display()))?;
    let (major, minor) = VERSION
        .trim_start_matches('v')
        .split_once('.')
        .and_then(|(major, rest)| Some((major, rest.split_once('.')?.0)))
        .context("the version of Kubernetes has three numbers")?;
    let says = "-X k8s.io/component-base/version.git";
    let flags = format!(
        "-s -w {says}Version={VERSION} {says}Major={major} {says}Minor={minor} \
         -X k8s.io/client-go/pkg/version.gitVersion={VERSION}"
    );
    let mut go = go();
    go.args(["build", "-trimpath", "-ldflags", &flags, "-o"])
        .arg(&place.binary)
        .arg(".");
    let name =
        "kubernetes: building the API server (10 to 20 minutes of two cores, the first time)";
    steps.run_twice(name, &mut go)?;
    fs::write(&place.stamp, sources()?).context("cannot note what was built")?;
    Ok(place.binary)
}

struct Place {
    folder: PathBuf,
    binary: PathBuf,
    /// A file with the sources of the binary.
    stamp: PathBuf,
}

impl Place {
    fn new(directory: &Path) -> Self {
        let folder = directory.join("kubernetes");
        Self {
            binary: folder.join("kubernetes-for-tests"),
            stamp: folder.join("built-from.txt"),
            folder,
        }
    }

    fn is_current(&self) -> anyhow::Result<bool> {
        let sources = sources()?;
        let was_built = fs::read_to_string(&self.stamp).is_ok_and(|built| built == sources);
        Ok(was_built && self.binary.is_file())
    }
}

fn module() -> PathBuf {
    root().join("xtask/kubernetes")
}

fn sources() -> anyhow::Result<String> {
    let mut all = VERSION.to_owned();
    for name in SOURCES {
        let path = module().join(name);
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        all.push_str(&text);
    }
    Ok(all)
}

/// Go with the caches of its user. The binary needs no C library.
fn go() -> Command {
    let mut command = Command::new("go");
    command
        .current_dir(module())
        .env("CGO_ENABLED", "0")
        // A flag of the user would change what is built.
        .env("GOFLAGS", "-mod=readonly")
        .env("GOWORK", "off");
    command
}

/// Fails if Go is missing, or older than the module wants.
fn check_go() -> anyhow::Result<()> {
    let file = fs::read_to_string(module().join("go.mod")).context("cannot read go.mod")?;
    let wanted = wanted(&file).context("go.mod names no version of Go")?;
    let mut command = go();
    command
        .args(["env", "GOVERSION"])
        // Without this, an old Go downloads a newer one.
        .env("GOTOOLCHAIN", "local");
    let Ok(found) = output(&mut command) else {
        bail!(
            "kubernetes: needs Go {wanted} or newer, and there is no `go` on the PATH: https://go.dev/dl"
        );
    };
    let found = found.trim().trim_start_matches("go");
    if numbers(found) < numbers(wanted) {
        bail!("kubernetes: needs Go {wanted} or newer, and `go` is {found}: https://go.dev/dl");
    }
    Ok(())
}

/// The version of Go in the text of a `go.mod`.
fn wanted(file: &str) -> Option<&str> {
    file.lines().find_map(|line| line.strip_prefix("go "))
}

/// The numbers of a version such as `1.26.8`. A release candidate counts as its release.
fn numbers(version: &str) -> Vec<u32> {
    let parts = version.split(|c: char| !c.is_ascii_digit());
    parts.map_while(|part| part.parse().ok()).take(3).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_go_are_compared_by_number() {
        assert!(numbers("1.26.8") > numbers("1.26.0"));
        assert!(numbers("1.9") < numbers("1.26.0"));
        assert_eq!(numbers("1.27rc1"), [1, 27]);
        assert!(numbers("1.27rc1") > numbers("1.26.0"));
        assert_eq!(numbers("devel"), Vec::<u32>::new());
    }

    #[test]
    fn the_module_names_its_go_and_its_kubernetes() {
        let file = fs::read_to_string(module().join("go.mod")).expect("the module is there");
        assert!(numbers(wanted(&file).expect("a version")).len() == 3);
        assert!(file.contains(&format!("\tk8s.io/kubernetes {VERSION}\n")));
    }
}
