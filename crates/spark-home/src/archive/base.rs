//! The archive of Java's own classes, which an archive of Spark's classes builds on.
//!
//! Most Java installations contain one. Reduced ones, as `jlink` makes them, do not. It has a
//! directory of its own, because from Java 21 on the archive of Spark's classes names its path.

use camino::{Utf8Path, Utf8PathBuf};
use livius_domain::hex::hex;
use sha2::{Digest as _, Sha256};

use super::{ArchiveError, LIMIT, Trainee, prune};
use crate::bounded::Run;
use crate::files::{Patience, Workshop};

/// The directory of these archives, below the runtimes directory.
const ARCHIVES: &str = "java-archives";
const ARCHIVE: &str = "java.jsa";

/// Finds the archive or makes it, unless this Java has its own.
pub(super) fn ensure(
    runtimes: &Utf8Path,
    trainee: Trainee<'_>,
    waiting: &dyn Fn(),
) -> Result<Option<Utf8PathBuf>, ArchiveError> {
    let Trainee {
        java,
        environment,
        stop,
        ..
    } = trainee;
    if java.home.join("lib/server/classes.jsa").exists() {
        return Ok(None);
    }
    let archives = runtimes.join(ARCHIVES);
    let mut hash = Sha256::new();
    hash.update(java.home.as_str());
    hash.update([0]);
    hash.update(&java.version);
    let name = hex(&hash.finalize()[..16]);
    let dir = archives.join(&name);
    let keep = |source| ArchiveError::Keep {
        dir: dir.clone(),
        source,
    };
    let patience = Patience {
        limit: LIMIT,
        begins: waiting,
    };
    let workshop = Workshop::enter(&archives, &name, &patience).map_err(keep)?;
    if let Some(workshop) = workshop {
        let file = workshop.dir().join(ARCHIVE);
        let done = Run::new(java.program(), &environment.for_tools(), LIMIT)
            .args(["-Xshare:dump", "-Xlog:disable"])
            .args([format!("-XX:SharedArchiveFile={file}")])
            .dir(workshop.dir())
            .with_lifeline()
            .until(stop)
            .finish()
            .map_err(ArchiveError::Run)?;
        if !file.is_file() {
            return Err(ArchiveError::Failed(done.tail(30)));
        }
        workshop.finish().map_err(keep)?;
        prune(&archives, &name).map_err(keep)?;
    }
    Ok(Some(dir.join(ARCHIVE)))
}
