//! The environment as a value. Only the binary reads the real one.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

/// The environment variables that this crate reads and that drivers inherit.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// Takes the variables that the binary has read.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            variables: variables.into_iter().collect(),
        }
    }

    /// A variable's value. An empty value counts as absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// A variable's value as a path.
    pub fn path(&self, name: &str) -> Option<Utf8PathBuf> {
        self.get(name).map(Utf8PathBuf::from)
    }

    /// The variables that a driver inherits: all except the server's own.
    pub fn inherited(&self) -> BTreeMap<String, String> {
        let own = |name: &str| name.starts_with("LIVIUS_") || name.starts_with("LIVY_");
        self.variables
            .iter()
            .filter(|(name, _)| !own(name))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    }

    /// The variables for the JVMs of our tools, without the options that users set for all JVMs.
    pub fn for_tools(&self) -> BTreeMap<String, String> {
        let mut variables = self.inherited();
        for name in [
            "JAVA_TOOL_OPTIONS",
            "JDK_JAVA_OPTIONS",
            "_JAVA_OPTIONS",
            "SPARK_SUBMIT_OPTS",
        ] {
            variables.remove(name);
        }
        variables
    }

    /// Finds a program as a shell would: a name with a slash is a path, others are looked up in
    /// `PATH`.
    pub fn program(&self, name: &str) -> Option<Utf8PathBuf> {
        if name.contains('/') {
            return is_executable(Utf8Path::new(name)).then(|| name.into());
        }
        let path = self.get("PATH").unwrap_or("/usr/local/bin:/usr/bin:/bin");
        path.split(':')
            .map(|dir| Utf8Path::new(dir).join(name))
            .find(|candidate| is_executable(candidate))
    }
}

fn is_executable(path: &Utf8Path) -> bool {
    path.is_file() && rustix::fs::access(path.as_std_path(), rustix::fs::Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_as_a_shell_finds_it() {
        let environment =
            Environment::new([("PATH".to_owned(), "/nowhere:/usr/bin:/bin".to_owned())]);
        assert!(
            environment
                .program("sh")
                .is_some_and(|path| path.as_str().ends_with("/sh"))
        );
        assert_eq!(environment.program("/bin/sh"), Some("/bin/sh".into()));
        assert_eq!(environment.program("no-such-program"), None);
        assert_eq!(environment.program("/etc/passwd"), None);
    }

    #[test]
    fn drivers_do_not_inherit_the_servers_own_variables() {
        let pairs = [
            ("LIVIUS_TOKEN", "x"),
            ("LIVY_HOME", "x"),
            ("HADOOP_CONF_DIR", "/etc/hadoop"),
            ("EMPTY", ""),
        ];
        let environment = Environment::new(pairs.map(|(k, v)| (k.to_owned(), v.to_owned())));
        assert_eq!(
            environment.inherited().into_keys().collect::<Vec<_>>(),
            ["EMPTY", "HADOOP_CONF_DIR"]
        );
        assert_eq!(environment.get("EMPTY"), None);
    }
}
