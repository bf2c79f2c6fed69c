//! The names of a driver, and the words in braces that stand for them.

use crate::names::secret_name;
use crate::pod::DriverPod;

/// The names of a driver in a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Names<'a> {
    /// The namespace of its pod.
    pub namespace: &'a str,
    /// The name of its pod.
    pub pod: &'a str,
    /// Spark's id of its application. `None` before Spark has given it one.
    pub app: Option<&'a str>,
    /// Its own id.
    pub driver: &'a str,
}

impl<'a> Names<'a> {
    /// The words that stand for the names. The last one stands for the name of an object of a
    /// [`Template`](crate::Template) that has no name of its own.
    pub const PLACEHOLDERS: [&'static str; 5] =
        ["{namespace}", "{pod}", "{app}", "{driver}", "{service}"];

    /// The names of the driver in a pod. A pod without Spark's label has its own name for the
    /// application's.
    pub fn of(pod: &'a DriverPod) -> Self {
        Self {
            namespace: &pod.namespace,
            pod: &pod.name,
            app: Some(pod.app.as_deref().unwrap_or(&pod.name)),
            driver: &pod.driver,
        }
    }

    /// Puts the names into a text. A name that is not known yet leaves its word.
    pub fn fill(&self, text: &str) -> String {
        // No name has a brace.
        let [namespace, pod, app, driver, service] = Self::PLACEHOLDERS;
        let text = text
            .replace(namespace, self.namespace)
            .replace(pod, self.pod)
            .replace(driver, self.driver)
            .replace(service, &secret_name(self.driver));
        match self.app {
            Some(name) => text.replace(app, name),
            None => text,
        }
    }
}
