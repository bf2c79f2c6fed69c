//! The names of a driver's executors, as far as the cluster has told them.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::ExecutorState;

/// The most executors that are remembered. With more of them, those that ended first are forgotten.
const MOST: usize = 1_000;

/// The longest name, in bytes. Kubernetes allows 253 in the name of a pod.
const LONGEST_NAME: usize = 253;

/// An executor that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    pub(crate) name: String,
    pub(crate) node: Option<String>,
    pub(crate) state: ExecutorState,
}

/// All executors of a driver, in the order in which they were seen first: `executors.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Roster {
    executors: Vec<Known>,
}

impl Roster {
    pub(crate) fn all(&self) -> &[Known] {
        &self.executors
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Known> {
        self.executors.iter().find(|known| known.name == name)
    }

    /// Takes the list of those that there are now. All others have ended. Tells whether anything has
    /// changed.
    pub(crate) fn take(&mut self, now: Vec<Known>) -> bool {
        let mut seen: HashMap<String, Known> = HashMap::new();
        let mut order = Vec::new();
        for known in now.into_iter().filter(|known| fits(&known.name)) {
            order.push(known.name.clone());
            seen.insert(known.name.clone(), known);
        }
        let mut has_changed = false;
        for known in &mut self.executors {
            let next = seen.remove(&known.name).unwrap_or_else(|| Known {
                state: ExecutorState::Ended,
                ..known.clone()
            });
            has_changed |= *known != next;
            *known = next;
        }
        for name in order {
            let Some(new) = seen.remove(&name) else {
                continue;
            };
            if self.executors.len() >= MOST && !self.forget_one() {
                break;
            }
            self.executors.push(new);
            has_changed = true;
        }
        has_changed
    }

    /// Forgets the first that has ended. Tells whether there was one.
    fn forget_one(&mut self) -> bool {
        let has_ended = |known: &Known| known.state == ExecutorState::Ended;
        let first = self.executors.iter().position(has_ended);
        first.map(|at| self.executors.remove(at)).is_some()
    }
}

/// Whether a name can also be that of a directory. Those of clusters can.
fn fits(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    name.len() <= LONGEST_NAME
        && name.bytes().all(is_allowed)
        && name
            .bytes()
            .next()
            .is_some_and(|c| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str, state: ExecutorState) -> Known {
        Known {
            name: name.to_owned(),
            node: None,
            state,
        }
    }

    fn running(names: &[&str]) -> Vec<Known> {
        let one = |name: &&str| known(name, ExecutorState::Running);
        names.iter().map(one).collect()
    }

    fn shown(roster: &Roster) -> Vec<(&str, &str)> {
        let one = |known: &'_ Known| known.state.as_str();
        let all = roster.all().iter();
        all.map(|known| (known.name.as_str(), one(known))).collect()
    }

    #[test]
    fn the_order_is_that_of_the_first_sights_and_absence_is_an_end() {
        let mut roster = Roster::default();
        assert!(!roster.take(Vec::new()));
        assert!(roster.take(running(&["b", "a"])));
        assert!(!roster.take(running(&["a", "b"])));
        assert!(roster.take(running(&["c", "a"])));
        let expected = [("b", "ended"), ("a", "running"), ("c", "running")];
        assert_eq!(shown(&roster), expected);
        assert!(roster.take(vec![known("a", ExecutorState::Ended)]));
        let expected = [("b", "ended"), ("a", "ended"), ("c", "ended")];
        assert_eq!(shown(&roster), expected);
        assert_eq!(roster.find("a"), Some(&roster.all()[1]));
        assert_eq!(roster.find("x"), None);
    }

    #[test]
    fn a_name_that_would_be_a_path_is_not_taken() {
        let mut roster = Roster::default();
        let long = "x".repeat(LONGEST_NAME + 1);
        for name in ["", ".", "..", "../x", "a/b", "-a", "a b", "ä", "a\0", &long] {
            assert!(!roster.take(running(&[name])), "{name:?}");
        }
        assert!(roster.take(running(&["container_e17_1_0001_01_000002", "x-exec-1.a"])));
        assert_eq!(roster.all().len(), 2);
    }

    #[test]
    fn those_that_ended_first_are_forgotten() {
        let names: Vec<String> = (0..=MOST).map(|n| format!("e{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut roster = Roster::default();
        roster.take(running(&names));
        // The last one finds no room while all run.
        assert_eq!(roster.all().len(), MOST);
        assert!(roster.find(names[MOST]).is_none());
        roster.take(running(&names[1..]));
        assert_eq!(roster.all().len(), MOST);
        assert!(roster.find(names[0]).is_none());
        assert!(roster.find(names[MOST]).is_some());
    }
}
