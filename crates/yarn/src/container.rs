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
    /// YARN writes an empty id when there is no container, or the user may not see it.
    pub(crate) fn read(id: String, node: Option<String>) -> Option<Self> {
        let fits = |text: &String| (1..=LONGEST_TEXT).contains(&text.len());
        Some(Self {
            id: Some(id).filter(fits)?,
            node: node.filter(fits),
        })
    }
}
