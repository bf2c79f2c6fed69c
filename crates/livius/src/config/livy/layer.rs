//! The layer of Livy's files, below our own file.

use super::files::{self, Entry};
use super::judge::{self, Judged, Verdict};
use super::keys;
use super::values::{self, Combined};
use crate::config::flags::Flags;
use crate::config::layers::Layers;
use crate::config::process_environment::ProcessEnvironment;
use crate::config::resolved::Origin;
use crate::config::value::Raw;

/// Reads the directory or file of `--livy-conf` or `LIVIUS_LIVY_CONF`, if there is one.
pub fn read(flags: &Flags, environment: &ProcessEnvironment, layers: &mut Layers) {
    let named = flags
        .livy_conf
        .as_deref()
        .or_else(|| environment.get("LIVIUS_LIVY_CONF"));
    let Some(named) = named else {
        return;
    };
    match files::read(&environment.base().resolve(named), keys::present_name) {
        Ok(files) => {
            let judged = judge::judge(&files);
            for combined in values::combine(&judged) {
                set(&combined, environment, layers);
            }
            for one in &judged {
                tell(one, layers);
            }
        }
        Err(error) => {
            for problem in error.problems {
                layers.general_problem(problem);
            }
        }
    }
}

fn set(combined: &Combined<'_>, environment: &ProcessEnvironment, layers: &mut Layers) {
    let first = combined.sources[0];
    let origin = Origin::Livy {
        file: first.file.clone(),
        line: first.line,
        names: combined.names(),
    };
    let setting = &combined.setting;
    match (&setting.entry, &setting.raw) {
        (Some(name), Raw::One(text)) => layers.set_entry(setting.key, name, text, origin),
        (_, raw) => layers.set(setting.key, raw, origin, environment.base()),
    }
}

/// An unknown key does not keep the server from starting, because Livy ignores it too. A lost
/// protection does.
fn tell(judged: &Judged<'_>, layers: &mut Layers) {
    let origin = origin(judged.entry);
    match &judged.verdict {
        Verdict::Taken(_, remark) => {
            if let Some(remark) = remark {
                layers.note(&origin, remark);
            }
        }
        Verdict::Idle(_) => {}
        Verdict::NotYet(reason) | Verdict::Unknown(reason) => {
            layers.note(&origin, &format!("not followed: {reason}"));
        }
        Verdict::Unprotected(reason) => layers.problem(
            &origin,
            &format!(
                "this protection cannot be taken over: {reason}; then take the key out of the file"
            ),
        ),
        Verdict::Refused(reason) => layers.problem(&origin, reason),
    }
}

fn origin(entry: &Entry) -> Origin {
    Origin::Livy {
        file: entry.file.clone(),
        line: entry.line,
        names: entry.name.clone(),
    }
}
