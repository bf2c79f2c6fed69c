//! Every process that an application starts ends with it.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::folder::processes_in;
use super::{Batch, Folder};
use crate::Shared;
use crate::client::{PATIENCE, eventually};

pub fn all(shared: &Shared) {
    let server = shared.server();
    let folder = Folder::make();
    let file = folder.write("family.py", include_str!("applications/family.py"));
    let request = json!({"file": file, "conf": {"spark.ui.enabled": "false"}});
    let [deleted, killed] = [(); 2].map(|()| Batch::create(server, &request));
    for batch in [&deleted, &killed] {
        batch.await_running();
        batch.await_line("ready");
    }
    let whole = |batch: &Batch| {
        let processes = processes_in(&batch.dir(server));
        let count = |words: &str| {
            let with_words = |(_, line): &&(i32, String)| line.contains(words);
            processes.iter().filter(with_words).count()
        };
        // The shell has a built-in `sleep`.
        let all = [
            count("SparkSubmit"),
            count("family.py"),
            count("trap"),
            count("sleep 100"),
        ];
        assert!(
            all[0] == 1 && all[1] >= 1 && all[2] == 1 && all[3] >= 3,
            "{processes:#?}"
        );
        processes
    };

    whole(&deleted);
    let dir = deleted.dir(server);
    deleted.delete();
    nothing_left(shared, &deleted, &dir);

    let java = whole(&killed)
        .into_iter()
        .find(|(_, line)| line.contains("SparkSubmit"))
        .unwrap()
        .0;
    kill_process(Pid::from_raw(java).unwrap(), Signal::KILL).unwrap();
    let detail = killed.await_end("dead");
    let end = &detail["end"];
    assert_eq!(
        (&end["signal"], &end["exitCode"]),
        (&json!(9), &Value::Null)
    );
    let message = end["failure"]["message"].as_str().unwrap();
    assert!(message.contains("signal 9 (SIGKILL)"), "{message}");
    // The kernel counts what it kills on the whole machine, where other tests run.
    let code = end["failure"]["code"].as_str().unwrap();
    assert!(
        ["ended_by_signal", "killed_by_kernel"].contains(&code),
        "{end:#}"
    );
    nothing_left(shared, &killed, &killed.dir(server));
    killed.delete();
}

fn nothing_left(shared: &Shared, batch: &Batch, dir: &std::path::Path) {
    let own = format!("/b-{}-", batch.asked.id);
    eventually("nothing is left of the batch", PATIENCE, || {
        let named = shared.server().processes();
        let gone = !named.iter().any(|line| line.contains(&own)) && processes_in(dir).is_empty();
        gone.then_some(())
    });
}
