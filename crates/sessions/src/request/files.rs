//! The files that a request may name.

use camino::{Utf8Path, Utf8PathBuf};
use livius_domain::SubmitOptions;

use super::conf::file_lists;
use crate::config::LocalFiles;
use crate::error::SessionError;

/// Configuration keys that hold lists of files, besides those of the request's fields.
const LIST_KEYS: [&str; 6] = [
    "spark.yarn.dist.archives",
    "spark.yarn.archive",
    "spark.yarn.dist.files",
    "spark.yarn.dist.jars",
    "spark.yarn.jar",
    "spark.yarn.jars",
];

/// The time at which a local file must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Already, when the request comes.
    Required,
    /// Later, because the batch waits in a queue first.
    Later,
}

/// The rules for a request's files.
#[derive(Debug, Clone, Copy)]
pub struct Rule<'a> {
    /// The local files that requests may name.
    pub allowed: &'a LocalFiles,
    /// The time at which they must be there.
    pub presence: Presence,
    /// Configuration keys of the operator's that hold lists of files, too.
    pub further_lists: &'a [String],
}

impl Rule<'_> {
    /// Refuses files that are not absolute, that are local and not allowed, or that are local and
    /// not there.
    pub fn check(self, submit: &SubmitOptions) -> Result<(), SessionError> {
        for (key, field, entries) in file_lists(submit) {
            for entry in entries {
                self.check_list(field, entry)?;
            }
            self.check_conf_list(submit, key)?;
        }
        let further = self.further_lists.iter().map(String::as_str);
        LIST_KEYS
            .into_iter()
            .chain(further)
            .try_for_each(|key| self.check_conf_list(submit, key))
    }

    fn check_conf_list(self, submit: &SubmitOptions, key: &str) -> Result<(), SessionError> {
        let list = submit.conf.get(key).map_or("", String::as_str);
        self.check_list(&format!("conf.{key}"), list)
    }

    /// Spark takes commas apart wherever it finds them, so an entry with a comma is several.
    fn check_list(self, field: &str, list: &str) -> Result<(), SessionError> {
        list.split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .try_for_each(|entry| self.check_one(field, entry))
    }

    /// The same for one file.
    pub fn check_one(self, field: &str, entry: &str) -> Result<(), SessionError> {
        let without_fragment = entry.split('#').next().unwrap_or_default();
        let scheme = scheme(without_fragment).map(str::to_ascii_lowercase);
        let path = match scheme.as_deref() {
            None => Utf8PathBuf::from(without_fragment),
            Some("file") => local_path(without_fragment).ok_or_else(|| not_a_uri(field, entry))?,
            // It is on every node, this one included.
            Some("local") if *self.allowed != LocalFiles::Any => {
                local_path(without_fragment).ok_or_else(|| not_a_uri(field, entry))?
            }
            Some(_) => return Ok(()),
        };
        if path.as_str().is_empty() {
            return Ok(());
        }
        if !path.is_absolute() {
            return Err(SessionError::RelativePath(entry.to_owned()));
        }
        self.check_path(field, entry, &path)
    }

    fn check_path(self, field: &str, entry: &str, path: &Utf8Path) -> Result<(), SessionError> {
        let fixed: Utf8PathBuf = path
            .components()
            .take_while(|part| !is_pattern(part.as_str()))
            .collect();
        // Spark resolves a pattern later, and a match may be a link to any place.
        let beyond = fixed != *path && *self.allowed != LocalFiles::Any;
        let found = fixed.canonicalize_utf8();
        // A missing file and a forbidden one get the same answer. Else the answer would tell which
        // files exist.
        let place = found.as_ref().ok().cloned().or_else(|| deepest(&fixed));
        if beyond || !place.is_some_and(|place| is_allowed(self.allowed, &place)) {
            return Err(SessionError::FileNotAllowed(entry.to_owned()));
        }
        match found {
            Err(error) if self.presence == Presence::Required => Err(SessionError::Rejected(
                format!("{field}: local file {entry} cannot be found on the server: {error}"),
            )),
            _ => Ok(()),
        }
    }
}

fn not_a_uri(field: &str, entry: &str) -> SessionError {
    SessionError::Rejected(format!("{field}: {entry} is not a URI: write % as %25"))
}

/// The canonical form of the deepest directory on the way that is there; none for a way that leads
/// back up.
fn deepest(path: &Utf8Path) -> Option<Utf8PathBuf> {
    let climbs = path.components().any(|part| part.as_str() == "..");
    path.ancestors()
        .filter(|_| !climbs)
        .find_map(|ancestor| ancestor.canonicalize_utf8().ok())
}

fn is_pattern(part: &str) -> bool {
    part.contains(['*', '?', '[', '{'])
}

fn is_allowed(files: &LocalFiles, canonical: &Utf8Path) -> bool {
    match files {
        LocalFiles::Any => true,
        LocalFiles::Under(directories) => directories.iter().any(|dir| {
            dir.canonicalize_utf8()
                .is_ok_and(|dir| canonical.starts_with(dir))
        }),
    }
}

fn scheme(entry: &str) -> Option<&str> {
    let (scheme, _) = entry.split_once(':')?;
    let valid = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    valid.then_some(scheme)
}

/// The path of a `file:` or `local:` URI; `None` when it is no text.
fn local_path(uri: &str) -> Option<Utf8PathBuf> {
    let (_, rest) = uri.split_once(':')?;
    let path = rest.strip_prefix("//").unwrap_or(rest);
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8();
    decoded
        .ok()
        .map(|path| Utf8PathBuf::from(path.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(allowed: &LocalFiles) -> Rule<'_> {
        Rule {
            allowed,
            presence: Presence::Required,
            further_lists: &[],
        }
    }

    fn check(allowed: &LocalFiles, submit: &SubmitOptions) -> Result<(), SessionError> {
        rule(allowed).check(submit)
    }

    fn jars(entry: &str) -> SubmitOptions {
        SubmitOptions {
            jars: vec![entry.to_owned()],
            ..SubmitOptions::default()
        }
    }

    #[test]
    fn local_files_are_checked_by_canonical_path() {
        let root = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(root.path()).unwrap();
        std::fs::create_dir_all(root.join("allowed")).unwrap();
        std::fs::create_dir_all(root.join("secret")).unwrap();
        std::fs::write(root.join("allowed/a.jar"), "").unwrap();
        std::fs::write(root.join("secret/b.jar"), "").unwrap();
        std::os::unix::fs::symlink(root.join("secret/b.jar"), root.join("allowed/link.jar"))
            .unwrap();
        let strict = LocalFiles::Under(vec![root.join("allowed")]);
        let open = LocalFiles::Any;

        for good in [
            "allowed/a.jar",
            "allowed/a.jar#renamed",
            "allowed/../allowed/a.jar",
        ] {
            assert!(
                check(&strict, &jars(root.join(good).as_str())).is_ok(),
                "{good}"
            );
            assert!(
                check(&strict, &jars(&format!("file://{}", root.join(good)))).is_ok(),
                "file: {good}"
            );
        }
        for bad in [
            "secret/b.jar",
            "allowed/link.jar",
            "allowed/../secret/b.jar",
            "secret/*.jar",
        ] {
            let error = check(&strict, &jars(root.join(bad).as_str()))
                .unwrap_err()
                .to_string();
            assert!(
                error.contains("cannot be added to user sessions."),
                "{bad}: {error}"
            );
            assert!(
                check(&open, &jars(root.join(bad).as_str())).is_ok(),
                "{bad}"
            );
        }
    }

    #[test]
    fn nothing_is_smuggled_past_the_check() {
        let root = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(root.path()).unwrap();
        std::fs::create_dir_all(root.join("my files")).unwrap();
        std::fs::write(root.join("my files/a.jar"), "").unwrap();
        std::fs::write(root.join("b.jar"), "").unwrap();
        let allowed = root.join("my files");
        let strict = LocalFiles::Under(vec![allowed.clone()]);
        for good in [
            format!("{allowed}/a.jar"),
            format!("file://{root}/my%20files/a.jar"),
            format!("hdfs:///x.jar,{allowed}/a.jar"),
        ] {
            assert!(check(&strict, &jars(&good)).is_ok(), "{good}");
        }
        for bad in [
            format!("hdfs:///x.jar,{root}/b.jar"),
            format!("{allowed}/*,{root}/b.jar"),
            format!("{allowed}/*/../../b.jar"),
            format!("{allowed}/*.jar"),
            format!("file://{root}/my%20files/../b.jar"),
            format!("file://{root}/my%20files%2F..%2Fb.jar"),
        ] {
            let error = check(&strict, &jars(&bad)).unwrap_err().to_string();
            assert!(
                error.contains("cannot be added to user sessions."),
                "{bad}: {error}"
            );
        }
    }

    #[test]
    fn relative_and_missing_files_are_refused_and_remote_ones_are_not_looked_at() {
        let open = LocalFiles::Any;
        let error = check(&open, &jars("a.jar")).unwrap_err().to_string();
        assert_eq!(error, "the path a.jar is not absolute");
        let error = check(&open, &jars("/no/such/file.jar"))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("jars: local file /no/such/file.jar cannot be found"),
            "{error}"
        );
        for bad in [
            "hdfs:///x.jar,/no/such.jar",
            "file:///%ff.jar",
            "file://host/x.jar",
        ] {
            assert!(check(&open, &jars(bad)).is_err(), "{bad}");
        }
        for remote in [
            "hdfs:///x.jar",
            "s3a://b/x.jar",
            "https://h/x.jar?raw=true",
            "local:/opt/x.jar",
            "",
        ] {
            assert!(check(&open, &jars(remote)).is_ok(), "{remote}");
        }
        let conf = [("spark.files".to_owned(), "hdfs:/a, /no/such".to_owned())].into();
        assert!(
            check(
                &open,
                &SubmitOptions {
                    conf,
                    ..SubmitOptions::default()
                }
            )
            .is_err()
        );
    }

    #[test]
    fn the_operator_names_further_keys_that_hold_files() {
        let strict = LocalFiles::Under(vec!["/allowed".into()]);
        let key = "spark.vendor.files".to_owned();
        let submit = SubmitOptions {
            conf: [(key.clone(), "hdfs:/a, /etc/passwd".to_owned())].into(),
            ..SubmitOptions::default()
        };
        assert!(rule(&strict).check(&submit).is_ok());
        let stricter = Rule {
            further_lists: &[key],
            ..rule(&strict)
        };
        let error = stricter.check(&submit).unwrap_err().to_string();
        assert!(error.contains("/etc/passwd"), "{error}");
    }

    #[test]
    fn a_missing_file_is_told_only_where_files_may_be_named_and_may_come_later() {
        let root = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(root.path()).unwrap();
        std::fs::create_dir_all(root.join("allowed")).unwrap();
        let strict = LocalFiles::Under(vec![root.join("allowed")]);
        let answer = |presence, entry: &str| {
            let entry = root.join(entry);
            let rule = Rule {
                presence,
                ..rule(&strict)
            };
            rule.check(&jars(entry.as_str()))
                .map_err(|error| error.to_string())
        };
        for (entry, words) in [
            ("allowed/new/a.jar", "cannot be found on the server"),
            ("secret/a.jar", "cannot be added to user sessions."),
            (
                "allowed/new/../../a.jar",
                "cannot be added to user sessions.",
            ),
        ] {
            let error = answer(Presence::Required, entry).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        assert_eq!(answer(Presence::Later, "allowed/new/a.jar"), Ok(()));
        assert!(answer(Presence::Later, "secret/a.jar").is_err());
        for uri in [
            "local:/etc/passwd",
            "FILE:/etc/passwd",
            "local:///etc/passwd",
        ] {
            assert!(check(&strict, &jars(uri)).is_err(), "{uri}");
        }
    }
}
