//! Containers: the processes of an application on one node.

/// The longest id, and the longest address of a node, in bytes.
const LONGEST_TEXT: usize = 500;

/// A container, and the NodeManager that runs or ran it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Its id, `container_…`.
    pub id: String,
    /// The host and port of the NodeManager's web server. `None` if it is not known any more.
    pub node: Option<String>,
}

impl Container {
    /// The number of the attempt that it belongs to. `None` if the id is of another form than
    /// `container_<…>_<application>_<attempt>_<number>`.
    pub fn attempt(&self) -> Option<u32> {
        let mut parts = self.id.strip_prefix("container_")?.rsplit('_');
        let (_number, attempt, _application) = (parts.next()?, parts.next()?, parts.next()?);
        attempt.parse().ok()
    }

    /// YARN writes an empty id when there is no container, or the user may not see it.
    pub(crate) fn read(id: String, node: Option<String>) -> Option<Self> {
        let fits = |text: &String| (1..=LONGEST_TEXT).contains(&text.len());
        Some(Self {
            id: Some(id).filter(fits)?,
            node: node.filter(fits),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_the_attempt() {
        for (id, attempt) in [
            ("container_1796047317987_0006_01_000003", Some(1)),
            ("container_e17_1410901177871_0001_12_000005", Some(12)),
            ("container_1_x_000001", None),
            ("container_000001", None),
            ("container_1_000001", None),
            ("attempt_1_0006_01_000003", None),
        ] {
            let container = Container::read(id.to_owned(), None).unwrap();
            assert_eq!(container.attempt(), attempt, "{id}");
        }
    }
}
