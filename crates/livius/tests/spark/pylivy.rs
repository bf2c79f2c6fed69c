//! pylivy (PyPI `livy`), unchanged, drives a session.

use std::process::Command;

use crate::client::environment;
use crate::{Case, Shared};

/// pylivy is a client of the server and never sees Spark.
pub const OLDER: &[Case] = &[
    ("clients::pylivy", |shared| content(shared, SESSIONS)),
    ("clients::pylivy_with_scala_and_batches", |shared| {
        content(shared, SCALA_AND_BATCHES);
    }),
];

const SESSIONS: &str = r#"
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

const SCALA_AND_BATCHES: &str = r#"
import sys
import tempfile
from livy import LivyBatch, LivySession, SessionKind, SessionState
from livy.client import LivyClient

url = sys.argv[1]
client = LivyClient(url)
with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
    file.write("import sys\nprint('λ', sys.argv[1:])\n")
    file.flush()
    batch = LivyBatch.create(url, file.name, args=["one", "two words"], name="pylivy's batch")
    # They run side by side.
    with LivySession.create(url, kind=SessionKind.SPARK, spark_conf={"spark.ui.enabled": "false"}) as session:
        assert session.run("20 + 1").text.strip() == "res0: Int = 21"
        session.run('val df = Seq((1, "x"), (2, "λ \\"quoted\\"")).toDF("a", "b")')
        rows = session.download("df")
        assert rows.to_dict("records") == [{"a": 1, "b": "x"}, {"a": 2, "b": 'λ "quoted"'}], rows
        session.upload("uploaded", rows)
        assert session.download("uploaded").to_dict("records") == rows.to_dict("records")
        listed = [row for row in client.list_sessions() if row.session_id == session.session_id]
        assert [(row.kind, row.state) for row in listed] == [(SessionKind.SPARK, SessionState.IDLE)], listed
        statements = client.list_statements(session.session_id)
        assert [row.statement_id for row in statements] == list(range(5)), statements
    assert batch.wait() == SessionState.SUCCESS
lines = batch.log(size=1000)
assert "λ ['one', 'two words']" in lines, lines
assert batch.log(from_=1, size=2) == lines[1:3], lines
listed = [row for row in client.list_batches() if row.batch_id == batch.batch_id]
assert [row.state for row in listed] == [SessionState.SUCCESS], listed
batch.kill()
assert client.get_batch(batch.batch_id) is None
print("pylivy is content")
"#;

fn content(shared: &Shared, script: &str) {
    let Some(python) = environment("LIVIUS_TEST_PYTHON") else {
        panic!(
            "LIVIUS_TEST_PYTHON is not set: `cargo xtask test` makes the virtual environment that it names"
        );
    };
    let output = Command::new(python)
        .args(["-c", script, &shared.server().url])
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
