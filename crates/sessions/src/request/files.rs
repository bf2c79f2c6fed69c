//! The files that a request may name.

use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use livius_domain::SubmitOptions;
use livius_launch::FileContent;
use tokio::sync::Semaphore;

use super::conf::file_lists;
use crate::config::LocalFiles;
use crate::error::SessionError;

/// Configuration keys that hold lists of files, besides those of the request's fields.
const LIST_KEYS: [&str; 20] = [
    "spark.kerberos.keytab",
    "spark.kubernetes.kerberos.krb5.path",
    // Spark reads them on the server's machine, and gives what they have to the driver.
    "spark.kubernetes.authenticate.caCertFile",
    "spark.kubernetes.authenticate.clientCertFile",
    "spark.kubernetes.authenticate.clientKeyFile",
    "spark.kubernetes.authenticate.oauthTokenFile",
    "spark.kubernetes.authenticate.driver.caCertFile",
    "spark.kubernetes.authenticate.driver.clientCertFile",
    "spark.kubernetes.authenticate.driver.clientKeyFile",
    "spark.kubernetes.authenticate.driver.oauthTokenFile",
    "spark.kubernetes.authenticate.submission.caCertFile",
    "spark.kubernetes.authenticate.submission.clientCertFile",
    "spark.kubernetes.authenticate.submission.clientKeyFile",
    "spark.kubernetes.authenticate.submission.oauthTokenFile",
    "spark.yarn.dist.archives",
    "spark.yarn.archive",
    "spark.yarn.dist.files",
    "spark.yarn.dist.jars",
    "spark.yarn.jar",
    "spark.yarn.jars",
];

/// Looks at files at once. A look that a file system holds up keeps its thread, and the threads of
/// the process serve other work as well.
static LOOKS: Semaphore = Semaphore::const_new(16);

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

/// A file of this machine that a request names, judged by its text only.
#[derive(Debug)]
pub struct LocalFile {
    /// The field of the request.
    field: String,
    /// The text in the request.
    entry: String,
    path: Utf8PathBuf,
}

impl Rule<'_> {
    /// Judges the texts of a request's files, and returns those that have to be looked at. Refuses
    /// files that are not absolute, and every local file where none may be named.
    pub fn local(self, submit: &SubmitOptions) -> Result<Vec<LocalFile>, SessionError> {
        let mut found = Vec::new();
        for (key, field, entries) in file_lists(submit) {
            for entry in entries {
                self.read_list(field, entry, &mut found)?;
            }
            self.read_conf_list(submit, key, &mut found)?;
        }
        let further = self.further_lists.iter().map(String::as_str);
        for key in LIST_KEYS.into_iter().chain(further) {
            self.read_conf_list(submit, key, &mut found)?;
        }
        Ok(found)
    }

    fn read_conf_list(
        self,
        submit: &SubmitOptions,
        key: &str,
        found: &mut Vec<LocalFile>,
    ) -> Result<(), SessionError> {
        let list = submit.conf.get(key).map_or("", String::as_str);
        self.read_list(&format!("conf.{key}"), list, found)
    }

    /// Spark takes commas apart wherever it finds them, so an entry with a comma is several.
    fn read_list(
        self,
        field: &str,
        list: &str,
        found: &mut Vec<LocalFile>,
    ) -> Result<(), SessionError> {
        let entries = list.split(',').map(str::trim);
        for entry in entries.filter(|entry| !entry.is_empty()) {
            found.extend(self.local_one(field, entry)?);
        }
        Ok(())
    }

    /// The same for one file.
    pub fn local_one(self, field: &str, entry: &str) -> Result<Option<LocalFile>, SessionError> {
        let without_fragment = entry.split('#').next().unwrap_or_default();
        let scheme = scheme(without_fragment).map(str::to_ascii_lowercase);
        let path = match scheme.as_deref() {
            None => Utf8PathBuf::from(without_fragment),
            Some("file") => local_path(without_fragment).ok_or_else(|| not_a_uri(field, entry))?,
            // It is on every node, this one included.
            Some("local") if *self.allowed != LocalFiles::Any => {
                local_path(without_fragment).ok_or_else(|| not_a_uri(field, entry))?
            }
            Some(_) => return Ok(None),
        };
        if path.as_str().is_empty() {
            return Ok(None);
        }
        if !path.is_absolute() {
            return Err(SessionError::RelativePath(entry.to_owned()));
        }
        match (self.allowed, self.presence) {
            // No look at the file would change the answer.
            (LocalFiles::Any, Presence::Later) => Ok(None),
            (LocalFiles::Under(directories), _) if directories.is_empty() => {
                Err(SessionError::FileNotAllowed(entry.to_owned()))
            }
            _ => Ok(Some(LocalFile {
                field: field.to_owned(),
                entry: entry.to_owned(),
                path,
            })),
        }
    }

    /// Looks at a file: refuses one that is not allowed, or not there. This may wait for a file
    /// system that does not answer.
    pub fn look_at(self, file: &LocalFile) -> Result<(), SessionError> {
        let LocalFile { field, entry, path } = file;
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

impl LocalFile {
    /// Refuses what is there, but is no file.
    pub fn must_be_one_file(&self) -> Result<(), SessionError> {
        let Self { field, entry, path } = self;
        match path.metadata() {
            Ok(found) if !found.is_file() => Err(SessionError::Rejected(format!(
                "{field}: {entry} is not a file: a session that runs takes single files, so make an archive of a directory"
            ))),
            _ => Ok(()),
        }
    }

    /// Opens the file for reading. This may wait for a file system that does not answer.
    pub fn open(&self, allowed: &LocalFiles) -> io::Result<FileContent> {
        let (content, place) = FileContent::open(&self.path)?;
        if !is_allowed(allowed, &place) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(content)
    }
}

/// Whether a URI names a file of the server's machine, which other machines do not have.
pub fn is_on_this_machine(uri: &str) -> bool {
    scheme(uri).is_none_or(|scheme| scheme.eq_ignore_ascii_case("file"))
}

/// Runs a look at files in a thread of its own, because a file system that does not answer must not
/// stop the server. The client waits until the limit.
pub async fn look(
    files: Vec<LocalFile>,
    limit: Duration,
    look_at: impl Fn(&LocalFile) -> Result<(), SessionError> + Send + 'static,
) -> Result<(), SessionError> {
    let Some(first) = files.first() else {
        return Ok(());
    };
    let overdue = SessionError::Rejected(format!(
        "{}: local file {} cannot be looked at: its file system does not answer within {} s",
        first.field,
        first.entry,
        limit.as_secs()
    ));
    let looked = async {
        let place = LOOKS.acquire().await;
        let work = move || {
            let _place = place;
            files.iter().try_for_each(look_at)
        };
        tokio::task::spawn_blocking(work).await
    };
    match tokio::time::timeout(limit, looked).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => Err(SessionError::Rejected(format!("look at files: {error}"))),
        Err(_) => Err(overdue),
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

    impl Rule<'_> {
        fn check(self, submit: &SubmitOptions) -> Result<(), SessionError> {
            let files = self.local(submit)?;
            files.iter().try_for_each(|file| self.look_at(file))
        }
    }

    #[tokio::test]
    async fn a_file_system_that_does_not_answer_costs_a_client_some_seconds() {
        let files = rule(&LocalFiles::Any)
            .local(&jars("/net/dead/x.jar"))
            .unwrap();
        let (answers, answer) = std::sync::mpsc::channel::<()>();
        let answer = std::sync::Mutex::new(answer);
        let stuck = move |_: &LocalFile| {
            let _ = answer.lock().unwrap().recv();
            Ok(())
        };
        let error = look(files, Duration::from_millis(30), stuck)
            .await
            .unwrap_err();
        let told = "jars: local file /net/dead/x.jar cannot be looked at: its file system does not answer within 0 s";
        assert_eq!(error.to_string(), told);
        drop(answers);
    }

    #[test]
    fn files_whose_text_decides_are_not_looked_at() {
        let nowhere = LocalFiles::Under(Vec::new());
        let refused = rule(&nowhere).local(&jars("/net/dead/x.jar")).unwrap_err();
        assert!(matches!(refused, SessionError::FileNotAllowed(_)));
        let later = Rule {
            presence: Presence::Later,
            ..rule(&LocalFiles::Any)
        };
        assert!(later.local(&jars("/net/dead/x.jar")).unwrap().is_empty());
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
