//! Batches that wait for others, and servers that end their batches.

use serde_json::json;

use super::{Batch, Folder, time};
use crate::Shared;
use crate::server::Server;

pub fn one_at_a_time(shared: &Shared) {
    let settings = [
        "--set",
        "batches.max_running=1",
        "--set",
        "batches.on_shutdown=stop",
    ];
    let server = Server::start(&shared.spark.home, &settings);
    let folder = Folder::make();
    let [one, two, three] = ["one", "two", "three"].map(|name| folder.steps(name, 0, false));
    let [first, second, third] =
        [&one, &two, &three].map(|steps| Batch::create(&server, &steps.request));
    first.await_line("begun");
    for waits in [&second, &third] {
        assert_eq!(waits.state(), "starting");
        assert_eq!(waits.detail()["step"], "queued");
    }
    // The second batch would end at once if it did not have to wait.
    two.allow("speak");
    two.allow("end");
    one.allow("speak");
    one.allow("end");
    first.await_end("success");
    second.await_end("success");
    third.await_line("begun");
    let (ended, launched) = (first.detail(), second.detail());
    assert!(
        time(&ended["endedAt"]) <= time(&launched["launchedAt"]),
        "{ended:#}\n{launched:#}"
    );

    // This server ends its batches when it stops.
    let left = server.stop();
    assert!(left.is_empty(), "{left:#?}");
    let server = server.restart();
    let end = third.await_end("killed")["end"].clone();
    assert_eq!(
        (&end["outcome"], &end["cause"]),
        (&json!("killed"), &json!("shutdown"))
    );
    third.delete();
    let left = server.stop();
    assert!(left.is_empty(), "{left:#?}");
}
