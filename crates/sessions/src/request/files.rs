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
            check_one(config, field, entry)?;
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
    let Some(list) = request.conf.get(key) else {
        return Ok(());
    };
    let entries = list
        .split([',', ' ', '\t'])
        .filter(|entry| !entry.is_empty());
    for entry in entries {
        check_one(config, &format!("conf.{key}"), entry)?;
    }
    Ok(())
}

fn check_one(config: &Config, field: &str, entry: &str) -> Result<(), SessionError> {
    let without_fragment = entry.split('#').next().unwrap_or_default();
    let path = match scheme(without_fragment) {
        None => without_fragment,
        Some("file") => local_path(without_fragment),
        // A `local:` path is one on every node; what it is there is not ours to see.
        Some(_) => return Ok(()),
    };
    if path.is_empty() {
        return Ok(());
    }
    let path = Utf8Path::new(path);
    if !path.is_absolute() {
        return Err(SessionError::Rejected(format!(
            "requirement failed: Path '{entry}' is not absolute."
        )));
    }
    // Spark expands patterns itself; what can be checked of one is the directory before it.
    let checked: Utf8PathBuf = path
        .components()
        .take_while(|part| !part.as_str().contains(['*', '?', '[', '{']))
        .collect();
    let canonical = checked.canonicalize_utf8().map_err(|error| {
        SessionError::Rejected(format!(
            "{field}: local file {entry} cannot be found on the server: {error}"
        ))
    })?;
    let allowed = match &config.local_files {
        LocalFiles::Any => true,
        LocalFiles::Under(directories) => directories.iter().any(|dir| {
            dir.canonicalize_utf8()
                .is_ok_and(|dir| canonical.starts_with(dir))
        }),
    };
    if allowed {
        Ok(())
    } else {
        Err(SessionError::Rejected(format!(
            "requirement failed: Local path {entry} cannot be added to user sessions."
        )))
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

fn local_path(uri: &str) -> &str {
    let rest = uri.trim_start_matches("file:");
    rest.strip_prefix("//").unwrap_or(rest)
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
            "allowed/*.jar",
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
