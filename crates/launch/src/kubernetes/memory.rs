//! The server's own small files about Kubernetes: its id, and the namespaces that it has used.

use std::io;
use std::sync::{Mutex, PoisonError};

use camino::Utf8PathBuf;
use livius_kubernetes::Access;
use livius_spark_home::files;
use serde::{Deserialize, Serialize};

use super::OnKubernetes;
use crate::remote::Mode;

const SERVER_ID: &str = "server-id";
const NAMESPACES: &str = "kubernetes-namespaces.json";

/// The most namespaces that are remembered. The oldest are forgotten first.
const MOST: usize = 1000;

/// The files, which block.
pub(crate) struct Memory {
    data_dir: Utf8PathBuf,
    /// Held while a file is read and written.
    turn: Mutex<()>,
}

/// A namespace that has had a driver of this server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Used {
    access: Access,
    namespace: String,
}

impl Memory {
    pub(crate) fn new(data_dir: Utf8PathBuf) -> Self {
        Self {
            data_dir,
            turn: Mutex::default(),
        }
    }

    /// The id of this server: 16 hexadecimal characters, made once. Pods and secrets have it as a label,
    /// so that two servers in one namespace leave each other's alone.
    pub(crate) fn server_id(&self) -> io::Result<String> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.data_dir.join(SERVER_ID);
        match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let number = getrandom::u64().map_err(io::Error::other)?;
                let id = format!("{number:016x}");
                files::private_dir(&self.data_dir)?;
                files::write_durable(&path, id.as_bytes())?;
                Ok(id)
            }
            text => {
                let text = text?;
                let id = text.trim();
                if is_id(id) {
                    return Ok(id.to_owned());
                }
                // Another id would leave the pods of the old one behind.
                let why = format!("{path} does not have 16 hexadecimal characters");
                Err(io::Error::new(io::ErrorKind::InvalidData, why))
            }
        }
    }

    /// Remembers the namespace of a driver before the driver is there.
    pub(crate) fn remember(&self, place: &OnKubernetes) -> io::Result<()> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let used = Used {
            access: place.access.clone(),
            namespace: place.namespace.clone(),
        };
        let mut all = self.read()?;
        if all.contains(&used) {
            return Ok(());
        }
        all.push(used);
        let surplus = all.len().saturating_sub(MOST);
        all.drain(..surplus);
        files::write_durable(&self.data_dir.join(NAMESPACES), &serde_json::to_vec(&all)?)
    }

    /// Every namespace that was remembered, as the place of one of its drivers.
    pub(crate) fn places(&self) -> io::Result<Vec<OnKubernetes>> {
        let all = {
            let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            self.read()?
        };
        if all.is_empty() {
            return Ok(Vec::new());
        }
        let server = self.server_id()?;
        let place = |used: Used| OnKubernetes {
            access: used.access,
            namespace: used.namespace,
            driver: String::new(),
            server: server.clone(),
            mode: Mode::Cluster,
        };
        Ok(all.into_iter().map(place).collect())
    }

    fn read(&self) -> io::Result<Vec<Used>> {
        match std::fs::read(self.data_dir.join(NAMESPACES)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            text => Ok(serde_json::from_slice(&text?)?),
        }
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn memory() -> (tempfile::TempDir, Utf8PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().join("data")).unwrap();
        (dir, path)
    }

    #[test]
    fn the_id_is_made_once_and_never_replaced() {
        let (_dir, path) = memory();
        let id = Memory::new(path.clone()).server_id().unwrap();
        assert!(is_id(&id), "{id}");
        assert_eq!(Memory::new(path.clone()).server_id().unwrap(), id);
        let file = path.join(SERVER_ID);
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(&file, "not an id").unwrap();
        let error = Memory::new(path).server_id().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn used_namespaces_are_remembered_once() {
        let (_dir, path) = memory();
        let memory = Memory::new(path.clone());
        assert_eq!(memory.places().unwrap(), []);
        let server = memory.server_id().unwrap();
        let place = |namespace: &str, driver: &str| OnKubernetes {
            access: Access::to("https://h:6443"),
            namespace: namespace.to_owned(),
            driver: driver.to_owned(),
            server: server.clone(),
            mode: Mode::Cluster,
        };
        for (namespace, driver) in [("a", "s-0-a"), ("a", "s-1-b"), ("b", "s-2-c")] {
            memory.remember(&place(namespace, driver)).unwrap();
        }
        let expected = [place("a", ""), place("b", "")];
        assert_eq!(Memory::new(path).places().unwrap(), expected);
        for number in 0..MOST {
            memory.remember(&place(&format!("n{number}"), "")).unwrap();
        }
        let kept = memory.places().unwrap();
        assert_eq!((kept.len(), &*kept[0].namespace), (MOST, "n0"));
    }
}
