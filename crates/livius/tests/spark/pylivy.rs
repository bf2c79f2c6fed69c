//! pylivy (PyPI `livy`), unchanged, drives a session.

use std::process::Command;

use crate::client::environment;
use crate::{Case, Shared};

pub const CASES: &[Case] = &[("clients::pylivy", pylivy)];

const SCRIPT: &str = r#"
import sys
import pandas
from livy import LivySession, SessionKind
from livy.client import LivyClient
from livy.models import OutputStatus

url = sys.argv[1]
frame = pandas.DataFrame({"a": [1, 2], "b": ["x", "λ 🤔 \r\n \"quoted\""]})

with LivySession.create(url, kind=SessionKind.PYSPARK, spark_conf={"spark.ui.enabled": "false"}) as session:
    out = session.run("print('foo')")
    assert (out.text, out.status) == ("foo", OutputStatus.OK), out
    session.run("df = spark.createDataFrame([(1, 'x'), (2, 'y')], ['a', 'b'])")
    read = session.read("df")
    assert read.to_dict("records") == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}], read
    session.upload("uploaded", frame)
    back = session.download("uploaded")
    assert back.sort_values("a").to_dict("records") == frame.to_dict("records"), back
    failed = session.client.create_statement(session.session_id, "1 / 0")
    while True:
        failed = session.client.get_statement(session.session_id, failed.statement_id)
        if failed.output is not None:
            break
    assert failed.output.status == OutputStatus.ERROR and failed.output.ename == "ZeroDivisionError", failed
    session_id = session.session_id

client = LivyClient(url)
assert client.get_session(session_id) is None
with LivySession.create(url, kind=SessionKind.SQL, spark_conf={"spark.ui.enabled": "false"}) as session:
    session.run("create temporary view v as select 1 as one, 'x' as text")
    read = session.download_sql("select * from v")
    assert read.to_dict("records") == [{"one": 1, "text": "x"}], read
print("pylivy is content")
"#;

fn pylivy(shared: &Shared) {
    let Some(python) = environment("LIVIUS_TEST_PYTHON") else {
        panic!(
            "LIVIUS_TEST_PYTHON is not set: `cargo xtask test` makes the virtual environment that it names"
        );
    };
    let output = Command::new(python)
        .args(["-c", SCRIPT, &shared.server().url])
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success() && out.contains("pylivy is content"),
        "{out}\n{err}"
    );
}
