//! The client commands, with real sessions and a real batch.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::client::get;
use crate::{Case, Shared};

/// The commands are clients of the server.
pub const ONCE: &[Case] = &[
    (
        "command_line::a_piped_shell_runs_statement_after_statement",
        shell,
    ),
    ("command_line::a_file_runs_in_a_session", run),
    ("command_line::ctrl_c_cancels_what_runs", interrupt),
    ("command_line::submit_ends_like_the_job", submit),
];

fn livius(shared: &Shared, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_livius"));
    command
        .args(arguments)
        .env("LIVIUS_URL", &shared.server().url)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn start(shared: &Shared, arguments: &[&str], input: &str) -> Child {
    let mut child = livius(shared, arguments).spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child
}

fn ended(shared: &Shared, arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = start(shared, arguments, input).wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

fn shell(shared: &Shared) {
    let before = shared.server().total();
    let input = "\
x = 20

def f(y):
    z = y

    return z
f(x) + 1
nope
print('two'); x + 2
%sql SELECT 40 + 2 AS answer
:kind scala
val a = 1
";
    let arguments = ["shell", "--conf", "spark.ui.enabled=false"];
    let (code, stdout, stderr) = ended(shared, &arguments, input);
    assert_eq!(code, Some(1), "{stdout}\n{stderr}");
    assert_eq!(stdout, "21\ntwo\n22\nanswer\n    42\n(1 row)\na: Int = 1\n");
    assert!(
        stderr.ends_with("NameError: name 'nope' is not defined\n"),
        "{stderr}"
    );
    assert_eq!(shared.server().total(), before, "its session is deleted");
}

fn run(shared: &Shared) {
    let session = shared.session().id.to_string();
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, code: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, code).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let cases = [
        (
            "good.py",
            "rows = spark.range(7)\nprint('é')\nrows.count()\n",
            Some(0),
            "é\n7\n",
        ),
        ("bad.py", "print('shown')\n1 / 0\n", Some(1), "shown\n"),
        (
            "query.SQL",
            "SELECT id\nFROM range(2); -- all\n",
            Some(0),
            "id\n 0\n 1\n(2 rows)\n",
        ),
        ("code.scala", "val b = 2\n", Some(0), "b: Int = 2\n"),
    ];
    for (name, code, expected, output) in cases {
        let path = file(name, code);
        let (code, stdout, stderr) = ended(shared, &["run", &path, "--session", &session], "");
        assert_eq!(
            (code, stdout.as_str()),
            (expected, output),
            "{name}: {stderr}"
        );
    }
    let (_, listed, _) = ended(shared, &["statements", &session], "");
    assert!(
        listed.contains("failed") && listed.contains("print('shown')\\n1 / 0"),
        "{listed}"
    );
}

fn interrupt(shared: &Shared) {
    let session = shared.session().id.to_string();
    let arguments = ["shell", "--session", &session, "--kind", "python"];
    let mut child = start(shared, &arguments, "print('begun')\nwhile True: pass\n");
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "begun\n");
    crate::client::eventually("the loop runs", crate::client::PATIENCE, || {
        (shared.session().state() == "busy").then_some(())
    });
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{rest}\n{stderr}");
    assert!(stderr.contains("cancelling statement"), "{stderr}");
    shared.session().await_idle();
}

fn submit(shared: &Shared) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("job.py");
    let code = "import sys\nprint('arguments:', sys.argv[1:], flush=True)\nsys.exit(3)\n";
    std::fs::write(&path, code).unwrap();
    let output = livius(
        shared,
        &["submit", "job.py", "--name", "λ/job", "--", "a b", "--c"],
    )
    .current_dir(directory.path())
    .output()
    .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{stdout}\n{stderr}");
    let line = "arguments: ['a b', '--c']";
    assert!(stdout.lines().any(|shown| shown == line), "{stdout}");
    assert!(stderr.contains("failed with exit code 3"), "{stderr}");

    let (code, log, _) = ended(shared, &["logs", "--batch", "λ/job"], "");
    assert_eq!(
        (code, log),
        (Some(0), stdout),
        "the log is what was followed"
    );
    let (code, ..) = ended(shared, &["kill", "--batch", "λ/job"], "");
    assert_eq!(code, Some(0));
    let url = format!("{}/batches/%CE%BB%2Fjob", shared.server().url);
    assert_eq!(get(&url).0, 404);
}
