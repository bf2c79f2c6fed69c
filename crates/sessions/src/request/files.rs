//! Which files a request may name.

use camino::{Utf8Path, Utf8PathBuf};
use domain::SessionRequest;

use super::conf::file_lists;
use crate::config::{Config, LocalFiles};
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

/// Refuses files that are not absolute, that are local and not allowed, or that are local and not there.
pub fn check(config: &Config, request: &SessionRequest) -> Result<(), SessionError> {
    for (key, field, entries) in file_lists(request) {
        for entry in entries {
            check_list(config, field, entry)?;
        }
        check_conf_list(config, request, key)?;
    }
    LIST_KEYS
        .iter()
        .try_for_each(|key| check_conf_list(config, request, key))
}

fn check_conf_list(
    config: &Config,
    request: &SessionRequest,
    key: &str,
) -> Result<(), SessionError> {
    let list = request.conf.get(key).map_or("", String::as_str);
    check_list(config, &format!("conf.{key}"), list)
}

/// Spark takes commas apart wherever it finds them, so an entry with a comma is several.
fn check_list(config: &Config, field: &str, list: &str) -> Result<(), SessionError> {
    list.split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .try_for_each(|entry| check_one(config, field, entry))
}

fn check_one(config: &Config, field: &str, entry: &str) -> Result<(), SessionError> {
    let without_fragment = entry.split('#').next().unwrap_or_default();
    let path = match scheme(without_fragment) {
        None => Utf8PathBuf::from(without_fragment),
        Some("file") => local_path(without_fragment).ok_or_else(|| {
            SessionError::Rejected(format!("{field}: {entry} is not a URI: write % as %25"))
        })?,
        // A `local:` path is one on every node; what it is there is not ours to see.
        Some(_) => return Ok(()),
    };
    if path.as_str().is_empty() {
        return Ok(());
    }
    if !path.is_absolute() {
        return Err(SessionError::Rejected(format!(
            "requirement failed: Path '{entry}' is not absolute."
        )));
    }
    let refused = || {
        SessionError::Rejected(format!(
            "requirement failed: Local path {entry} cannot be added to user sessions."
        ))
    };
    let fixed: Utf8PathBuf = path
        .components()
        .take_while(|part| !is_pattern(part.as_str()))
        .collect();
    // What a pattern stands for is decided by Spark, later: it may be a link to anywhere.
    if fixed != path && config.local_files != LocalFiles::Any {
        return Err(refused());
    }
    let canonical = fixed.canonicalize_utf8().map_err(|error| {
        SessionError::Rejected(format!(
            "{field}: local file {entry} cannot be found on the server: {error}"
        ))
    })?;
    if is_allowed(&config.local_files, &canonical) {
        Ok(())
    } else {
        Err(refused())
    }
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

/// The path of a `file:` URI; `None` when it is no text.
fn local_path(uri: &str) -> Option<Utf8PathBuf> {
    let rest = uri.trim_start_matches("file:");
    let path = rest.strip_prefix("//").unwrap_or(rest);
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8();
    decoded
        .ok()
        .map(|path| Utf8PathBuf::from(path.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(local_files: LocalFiles) -> Config {
        Config {
            drivers_dir: "/data/drivers".into(),
            agent_urls: vec![],
            limits: domain::Limits::default(),
            spark_defaults: std::collections::BTreeMap::new(),
            spark_overrides: std::collections::BTreeMap::new(),
            blocked_conf: vec![],
            sql_max_rows: 1000,
            local_files,
            impersonation: crate::config::Impersonation::default(),
        }
    }

    fn jars(entry: &str) -> SessionRequest {
        SessionRequest {
            jars: vec![entry.to_owned()],
            ..SessionRequest::default()
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
        let strict = config(LocalFiles::Under(vec![root.join("allowed")]));
        let open = config(LocalFiles::Any);

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
        let strict = config(LocalFiles::Under(vec![allowed.clone()]));
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
        let open = config(LocalFiles::Any);
        let error = check(&open, &jars("a.jar")).unwrap_err().to_string();
        assert_eq!(
            error,
            "Rejected, Reason: requirement failed: Path 'a.jar' is not absolute."
        );
        let error = check(&open, &jars("/no/such/file.jar"))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with(
                "Rejected, Reason: jars: local file /no/such/file.jar cannot be found"
            ),
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
                &SessionRequest {
                    conf,
                    ..SessionRequest::default()
                }
            )
            .is_err()
        );
    }
}
