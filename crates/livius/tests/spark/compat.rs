//! The scenarios of `compat/` that need a Spark. `tests/compat.rs` runs the others.

use livius_compat::{Options, ServerKind, Suite, Target, run};
use serde_json::Value;

use crate::{Case, Shared};

/// The scenarios check the server's responses. Differences between versions of Spark have their own
/// cases.
pub const OLDER: &[Case] = &[("compat::all_is_as_livys_clients_expect", all)];

fn all(shared: &Shared) {
    let target = Target::new(&shared.server().url, Some(ServerKind::Livius), Vec::new()).unwrap();
    let app = Suite::directory().with_file_name("applications/app.py");
    let options = Options {
        tag: Some("spark".to_owned()),
        variables: [("app".to_owned(), Value::from(app.to_str().unwrap()))].into(),
        ..Options::default()
    };
    let report = run(&Suite::own().unwrap(), &target, &options);
    assert!(report.is_clean(), "{}\n{}", report.details(), report.sum());
}
