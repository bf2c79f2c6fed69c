//! JVM flags that make drivers start faster. A user's own flags about the same subject replace them.

use livius_spark_home::ArchiveFiles;

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

/// The beginnings of options about the JVM's compilers.
const OF_COMPILERS: [&str; 9] = [
    "-XX:Tier",
    "-XX:+Tier",
    "-XX:-Tier",
    "-XX:Compil",
    "-XX:BackEdgeThreshold",
    "-XX:+UseJVMCI",
    "-Xint",
    "-Xcomp",
    "-Xmixed",
];

/// The beginnings of options about archives of classes. Java refuses some of them together with
/// ours.
const OF_ARCHIVES: [&str; 6] = [
    "-Xshare",
    "-XX:SharedArchiveFile",
    "-XX:ArchiveClassesAtExit",
    "-XX:+AutoCreateSharedArchive",
    "-XX:+RecordDynamicDumpInfo",
    "-XX:AOT",
];

fn has_any(options: &[String], beginnings: &[&str]) -> bool {
    let mut options = options.iter();
    options.any(|option| beginnings.iter().any(|start| option.starts_with(start)))
}

/// The settings of one driver's start.
#[derive(Debug, Clone, Default)]
pub(crate) struct FastStart {
    pub(crate) jit: Jit,
    /// The archive of Spark's classes, if there is one.
    pub(crate) archive: Option<ArchiveFiles>,
}

impl FastStart {
    /// The flags for the compilers, unless the user's options are about them.
    pub(crate) fn compilers(&self, theirs: &[String]) -> Vec<String> {
        if has_any(theirs, &OF_COMPILERS) {
            return Vec::new();
        }
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

    /// The flags for the archive, unless the user's options are about archives. The archive fits a
    /// class path only if Spark's jars come first.
    pub(crate) fn classes(&self, theirs: &[String]) -> Vec<String> {
        let archive = self.archive.as_ref();
        let Some(archive) = archive.filter(|_| !has_any(theirs, &OF_ARCHIVES)) else {
            return Vec::new();
        };
        vec![
            archive.jvm_option(),
            // A damaged archive would crash the JVM. The check costs a tenth of a second.
            "-XX:+VerifySharedSpaces".to_owned(),
            // The user's own flags may keep the JVM from using the archive. The driver's log is not
            // the place to say so.
            "-Xlog:cds*=off".to_owned(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_the_user_replace_ours_on_the_same_subject() {
        let ours = FastStart {
            jit: Jit::Late,
            archive: Some(ArchiveFiles {
                classes: "/classes.jsa".into(),
                base: None,
            }),
        };
        for (theirs, compilers, classes) in [
            ("", true, true),
            ("-Da=-Xint -XX:+UseZGC -ea", true, true),
            ("-XX:Tier4InvocationThreshold=9", false, true),
            ("-XX:TieredStopAtLevel=1", false, true),
            ("-XX:-TieredCompilation", false, true),
            ("-XX:CompileThresholdScaling=2", false, true),
            ("-Xint", false, true),
            ("-Xshare:off", true, false),
            ("-ea -XX:ArchiveClassesAtExit=/mine.jsa", true, false),
            ("-XX:SharedArchiveFile=/mine.jsa -Xcomp", false, false),
        ] {
            let words: Vec<String> = theirs.split_whitespace().map(str::to_owned).collect();
            assert_eq!(
                (
                    !ours.compilers(&words).is_empty(),
                    !ours.classes(&words).is_empty()
                ),
                (compilers, classes),
                "{theirs:?}"
            );
        }
    }
}
