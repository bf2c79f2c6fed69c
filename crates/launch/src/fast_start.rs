//! JVM flags that make drivers start faster. They come before the user's flags, which override
//! them.

use camino::Utf8PathBuf;

/// The choice of the JVM's compilers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Jit {
    /// The optimising compiler starts later than usual, and long jobs reach their full speed.
    #[default]
    Late,
    /// Only the quick compiler. Fits drivers that only schedule work, because code never reaches
    /// its full speed.
    Light,
    /// As Java decides.
    Java,
}

/// The settings of one driver's start.
#[derive(Debug, Clone, Default)]
pub(crate) struct FastStart {
    pub(crate) jit: Jit,
    /// The archive of Spark's classes, if there is one.
    pub(crate) archive: Option<Utf8PathBuf>,
}

impl FastStart {
    pub(crate) fn compilers(&self) -> Vec<String> {
        // Measured: the optimising compiler takes a third of a driver's start, and its code is
        // thrown away with the driver. The thresholds are ten times Java's own.
        let flags: &[&str] = match self.jit {
            Jit::Late => &[
                "-XX:Tier4InvocationThreshold=50000",
                "-XX:Tier4MinInvocationThreshold=6000",
                "-XX:Tier4CompileThreshold=150000",
                "-XX:Tier4BackEdgeThreshold=400000",
            ],
            Jit::Light => &["-XX:TieredStopAtLevel=1"],
            Jit::Java => &[],
        };
        flags.iter().map(|&flag| flag.to_owned()).collect()
    }

    /// Only a class path that begins with Spark's jars fits the archive.
    pub(crate) fn classes(&self) -> Vec<String> {
        let Some(archive) = &self.archive else {
            return Vec::new();
        };
        vec![
            format!("-XX:SharedArchiveFile={archive}"),
            // A damaged archive would crash the JVM. The check costs a tenth of a second.
            "-XX:+VerifySharedSpaces".to_owned(),
            // The user's own flags may keep the JVM from using the archive. The driver's log is not
            // the place to say so.
            "-Xlog:cds*=off".to_owned(),
        ]
    }
}
