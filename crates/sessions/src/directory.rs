//! Drivers' directories: made for their owner alone, and removed whole.

use std::io;

use camino::Utf8Path;

/// Makes a directory that only its owner may enter. One that exists is left as it is.
pub fn make_private(dir: &Utf8Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
}

/// Removes a directory with all that it holds. A failure is logged: the server goes on without it.
pub async fn remove(dir: &Utf8Path) {
    if let Err(error) = tokio::fs::remove_dir_all(dir).await
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(driver.dir = %dir, %error, "cannot remove a driver's directory");
    }
}
