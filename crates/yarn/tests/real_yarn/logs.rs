//! Logs of a container: while it runs, and after its application's end.

use livius_yarn::{Cluster, Container, LogPart, YarnError};

use crate::Case;
use crate::world::{Request, World};

pub const CASES: &[Case] = &[("of_a_running_and_of_an_ended_container", both)];

/// The output of `seq 5`.
const CONTENT: &[u8] = b"1\n2\n3\n4\n5\n";

fn part(world: &World, cluster: &Cluster, container: &Container, from: u64) -> LogPart {
    let read = cluster.read_log(container, "stdout", from, 4);
    world.wait(read).unwrap()
}

fn both(world: &mut World) {
    let submitted = world.submit(&Request::of("seq 5; sleep 7654"));
    let cluster = &world.cluster;
    let container = world.started(&submitted).am_container().unwrap();
    let whole = async |text: &str| {
        let read = cluster.read_log(&container, "stdout", 0, 1000).await?;
        let text = text.to_owned();
        (read.content == CONTENT)
            .then_some(())
            .ok_or(YarnError::NotFound { text })
    };
    world.eventually(|| whole("nothing is written yet"));
    let parts = || {
        let parts = [0, 3, 8, 10, 99].map(|from| part(world, cluster, &container, from));
        assert!(parts.iter().all(|part| part.total == 10));
        parts.map(|part| String::from_utf8(part.content).unwrap())
    };
    assert_eq!(parts(), ["1\n2\n", "\n3\n4", "5\n", "", ""]);
    let sizes = || {
        let files = world.wait(cluster.log_files(&container)).unwrap();
        let size = |name| Some(files.iter().find(|file| file.name == name)?.bytes);
        (size("stdout"), size("stderr"))
    };
    assert_eq!(sizes(), (Some(10), Some(0)));
    let running = world.wait(cluster.containers(submitted.id, 1)).unwrap();
    assert_eq!(running, std::slice::from_ref(&container));
    let stranger = world.client("stranger");
    // The NodeManager sends a stranger to the server of aggregated logs, which has none yet.
    let error = world.wait(stranger.log_files(&container)).unwrap_err();
    assert!(matches!(error, YarnError::NotFound { .. }), "{error}");
    let error = world.wait(cluster.read_log(&container, "nothing", 0, 9));
    assert!(
        !matches!(error, Ok(_) | Err(YarnError::Away(_))),
        "{error:?}"
    );

    world.wait(cluster.kill(submitted.id)).unwrap();
    let ended = world.ended(&submitted);
    assert_eq!(ended.am_container().as_ref(), Some(&container));
    // The NodeManager forgets the container, and sends its logs to the shared directory.
    world.eventually(|| whole("nothing is aggregated yet"));
    let at_the_server = Container {
        node: None,
        ..container.clone()
    };
    world.eventually(|| cluster.log_files(&at_the_server));
    assert_eq!(parts(), ["1\n2\n", "\n3\n4", "5\n", "", ""]);
    assert_eq!(sizes(), (Some(10), Some(0)));
    let error = world.wait(cluster.read_log(&at_the_server, "nothing", 0, 9));
    assert!(
        matches!(error, Err(YarnError::NotFound { .. })),
        "{error:?}"
    );
}
