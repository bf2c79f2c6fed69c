//! The directories with the logs of executors that are kept. Everything here blocks.

use std::fs;
use std::io;
use std::sync::{Mutex, PoisonError};

use camino::Utf8Path;
use livius_spark_home::files;

use super::{ExecutorLogLimits, ExecutorState, Roster};

/// Keeps the logs of so many executors of each driver.
#[derive(Debug)]
pub(crate) struct Shelf {
    limits: ExecutorLogLimits,
    /// One claim at a time.
    turn: Mutex<()>,
}

/// The reason of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// The log is to be kept. Only that of an executor that has ended makes room.
    Keep,
    /// A client reads it. Any other one makes room.
    Read,
}

impl Shelf {
    pub(crate) fn new(limits: ExecutorLogLimits) -> Self {
        Self {
            limits,
            turn: Mutex::default(),
        }
    }

    pub(crate) fn limits(&self) -> ExecutorLogLimits {
        self.limits
    }

    /// Makes the directory of an executor's log, if there is room. `leave` gives up the log in a
    /// directory that is about to be removed, or tells that this is not possible now.
    pub(crate) fn claim(
        &self,
        dir: &Utf8Path,
        roster: &Roster,
        name: &str,
        wish: Wish,
        leave: impl Fn(&Utf8Path) -> bool,
    ) -> io::Result<bool> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept = kept(dir)?;
        if kept.iter().any(|one| one == name) {
            return Ok(true);
        }
        if self.limits.most == 0 {
            return Ok(false);
        }
        while kept.len() >= self.limits.most {
            let Some(last) = last_wanted(&kept, roster, wish) else {
                return Ok(false);
            };
            let path = dir.join(&kept[last]);
            if !leave(&path) {
                return Ok(false);
            }
            fs::remove_dir_all(path)?;
            kept.swap_remove(last);
        }
        // The directory of a driver that was removed stays removed.
        if !dir.parent().is_some_and(Utf8Path::exists) {
            return Err(io::ErrorKind::NotFound.into());
        }
        files::private_dir(&dir.join(name))?;
        Ok(true)
    }
}

/// The executors with a log in the directory.
pub(crate) fn kept(dir: &Utf8Path) -> io::Result<Vec<String>> {
    let entries = match dir.read_dir_utf8() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let name = |entry: io::Result<camino::Utf8DirEntry>| Ok(entry?.file_name().to_owned());
    entries.map(name).collect()
}

/// The log that makes room for another one.
fn last_wanted(kept: &[String], roster: &Roster, wish: Wish) -> Option<usize> {
    let place = |name: &str| kept.iter().position(|one| one == name);
    let forgotten = kept.iter().position(|one| roster.find(one).is_none());
    let ended = || {
        let ended = roster.all().iter();
        let mut ended = ended.filter(|known| known.state == ExecutorState::Ended);
        ended.find_map(|known| place(&known.name))
    };
    let any = || {
        let mut others = roster.all().iter().rev();
        others.find_map(|known| place(&known.name))
    };
    let ended = forgotten.or_else(ended);
    ended.or_else(|| any().filter(|_| wish == Wish::Read))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::executors::Known;

    fn roster(executors: &[(&str, ExecutorState)]) -> Roster {
        let one = |(name, state): &(&str, ExecutorState)| Known {
            name: (*name).to_owned(),
            node: None,
            state: *state,
        };
        let mut roster = Roster::default();
        roster.take(executors.iter().map(one).collect());
        roster
    }

    fn shelf(most: usize) -> Shelf {
        Shelf::new(ExecutorLogLimits { most, bytes: 1 })
    }

    fn sorted(dir: &Utf8Path) -> Vec<String> {
        let mut names = kept(dir).unwrap();
        names.sort();
        names
    }

    #[test]
    fn the_logs_of_the_last_executors_are_kept() {
        use ExecutorState::{Ended, Running};
        let temp = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(temp.path()).unwrap().join("executors");
        let shelf = shelf(2);
        let claim = |roster: &Roster, name: &str, wish| {
            shelf.claim(&dir, roster, name, wish, |_| true).unwrap()
        };
        let all_run = roster(&[("a", Running), ("b", Running), ("c", Running)]);
        for name in ["a", "b", "a"] {
            assert!(claim(&all_run, name, Wish::Keep));
        }
        assert!(!claim(&all_run, "c", Wish::Keep));
        assert_eq!(sorted(&dir), ["a", "b"]);
        // The first that ended makes room.
        let some_ended = roster(&[("a", Ended), ("b", Ended), ("c", Running), ("d", Running)]);
        assert!(claim(&some_ended, "c", Wish::Keep));
        assert_eq!(sorted(&dir), ["b", "c"]);
        // A reader gets room in any case, and one that is forgotten goes first.
        assert!(claim(&all_run, "a", Wish::Read));
        assert_eq!(sorted(&dir), ["a", "b"]);
        assert!(claim(
            &roster(&[("b", Running), ("x", Running)]),
            "x",
            Wish::Keep
        ));
        assert_eq!(sorted(&dir), ["b", "x"]);
    }

    #[test]
    fn a_log_in_use_stays_and_a_limit_of_none_keeps_none() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(temp.path()).unwrap();
        let ended = roster(&[("a", ExecutorState::Ended), ("b", ExecutorState::Running)]);
        let one = shelf(1);
        let claim = |shelf: &Shelf, name: &str, is_left: bool| {
            let claimed = shelf.claim(dir, &ended, name, Wish::Read, |_| is_left);
            claimed.unwrap()
        };
        assert!(claim(&one, "a", true));
        assert!(!claim(&one, "b", false));
        assert!(claim(&one, "b", true));
        assert_eq!(kept(dir).unwrap(), ["b"]);
        assert!(!claim(&shelf(0), "a", true));
    }

    #[test]
    fn a_removed_driver_gets_no_directory() {
        let temp = tempfile::tempdir().unwrap();
        let driver = Utf8Path::from_path(temp.path()).unwrap().join("b-0-aa");
        let one = roster(&[("a", ExecutorState::Ended)]);
        let claimed = shelf(1).claim(&driver.join("executors"), &one, "a", Wish::Keep, |_| true);
        assert_eq!(claimed.unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(!driver.exists());
    }
}
