//! A driver's log and its uploads, over its whole life.

use livius_domain::{DriverProgram, ResourceId};
use tokio::io::AsyncReadExt as _;

use super::life::launch;
use super::{Manners, Place, wait_for};
use crate::{DriverFiles, Found, RunningDriver};

const FIRST: ResourceId = ResourceId(1);

/// More lines than a log of the cases has. The driver and its submitter print lines of their own.
const ALL: usize = 10_000;

async fn lines(files: &dyn DriverFiles) -> Vec<String> {
    files.log().page(0, -1).await.unwrap().lines
}

/// A server waits for each driver's end all the time. The log of a driver elsewhere comes here only
/// while it does.
async fn while_followed(driver: &dyn RunningDriver, wait: impl Future<Output = ()>) {
    tokio::select! {
        biased;
        () = wait => {}
        departure = driver.ended() => panic!("it has ended: {departure:?}"),
    }
}

async fn upload(files: &dyn DriverFiles, resource: ResourceId, content: &[u8]) {
    let mut upload = files.begin_upload().await.unwrap();
    for piece in content.chunks(3) {
        upload.write(piece).await.unwrap();
    }
    upload.finish().await.unwrap();
    upload.place(resource).await.unwrap();
}

async fn uploaded(files: &dyn DriverFiles, resource: ResourceId) -> Option<Vec<u8>> {
    let mut uploaded = files.uploaded(resource).await.unwrap()?;
    let mut content = Vec::new();
    uploaded.content.read_to_end(&mut content).await.unwrap();
    assert_eq!(uploaded.length, content.len() as u64);
    Some(content)
}

/// A reader that was opened before the driver started sees all that it prints.
pub async fn a_log_is_readable_before_during_and_after(place: &impl Place) {
    let id = place.name(0);
    let files = place.launcher().files(&id);
    let log = files.log();
    assert_eq!(lines(&*files).await, ["stdout: ", "\nstderr: "]);
    let driver = launch(place, &id, Manners::Obedient).await;
    place.print(&id, "hello").await;
    let says_hello = || {
        let lines = log.tail(ALL).unwrap();
        lines.iter().any(|line| line == "hello")
    };
    while_followed(
        &*driver,
        wait_for(place, "the log to have the line", says_hello),
    )
    .await;
    place.end(&id, 0).await;
    driver.ended().await;
    assert!(says_hello());
    let after = place.launcher().files(&id);
    assert!(lines(&*after).await.contains(&"hello".to_owned()));
}

/// A server that dies and repeats itself explains an end once, at the end of the log.
pub async fn an_explanation_ends_the_log_once(place: &impl Place) {
    for program in [DriverProgram::Agent, DriverProgram::Application] {
        let id = place.name(match program {
            DriverProgram::Agent => 0,
            DriverProgram::Application => 1,
        });
        for _ in 0..2 {
            let files = place.launcher().files(&id);
            files
                .explain(program, "livius: it ended\nlivius: try again\n")
                .await
                .unwrap();
        }
        let lines = lines(&*place.launcher().files(&id)).await;
        let ours: Vec<&String> = lines
            .iter()
            .filter(|line| line.starts_with("livius"))
            .collect();
        assert_eq!(ours, ["livius: it ended", "livius: try again"]);
    }
}

/// An upload is there from when it is placed until it is discarded.
pub async fn an_upload_is_placed_read_and_discarded(place: &impl Place) {
    let files = place.launcher().files(&place.name(0));
    assert_eq!(uploaded(&*files, FIRST).await, None);
    upload(&*files, FIRST, b"some bytes").await;
    upload(&*files, ResourceId(2), b"").await;
    let others = place.launcher().files(&place.name(1));
    assert_eq!(uploaded(&*others, FIRST).await, None, "of another driver");
    let again = place.launcher().files(&place.name(0));
    assert_eq!(uploaded(&*again, FIRST).await.unwrap(), b"some bytes");
    for _ in 0..2 {
        files.discard_upload(FIRST).await.unwrap();
        assert_eq!(uploaded(&*files, FIRST).await, None);
    }
    assert_eq!(uploaded(&*files, ResourceId(2)).await.unwrap(), b"");
    files.sweep_uploads(&[ResourceId(3)]).await.unwrap();
    assert_eq!(uploaded(&*files, ResourceId(2)).await, None);
}

/// A client that disconnects in the middle leaves no file.
pub async fn an_upload_that_breaks_off_leaves_nothing(place: &impl Place) {
    let files = place.launcher().files(&place.name(0));
    let mut upload = files.begin_upload().await.unwrap();
    upload.write(b"half").await.unwrap();
    drop(upload);
    files.sweep_uploads(&[]).await.unwrap();
    assert_eq!(uploaded(&*files, FIRST).await, None);
    let found = place.launcher().find(&place.name(0), None).await;
    assert!(matches!(found, Found::NeverStarted));
}

/// Files may come before the driver does: they are there when it starts.
pub async fn uploads_wait_for_a_driver_that_was_not_started(place: &impl Place) {
    let id = place.name(0);
    let files = place.launcher().files(&id);
    upload(&*files, FIRST, b"early").await;
    let found = place.launcher().find(&id, None).await;
    assert!(matches!(found, Found::NeverStarted));
    let driver = launch(place, &id, Manners::Obedient).await;
    place.print(&id, "hello").await;
    let prints = wait_for(place, "the driver to print", || {
        files.log().tail(ALL).unwrap().contains(&"hello".to_owned())
    });
    while_followed(&*driver, prints).await;
    assert_eq!(uploaded(&*files, FIRST).await.unwrap(), b"early");
    place.end(&id, 0).await;
    driver.ended().await;
}

/// The files that a driver needs while it runs go with it, and its log stays.
pub async fn an_ended_driver_keeps_its_log_only(place: &impl Place) {
    let id = place.name(0);
    let files = place.launcher().files(&id);
    upload(&*files, FIRST, b"x").await;
    let driver = launch(place, &id, Manners::Obedient).await;
    place.print(&id, "hello").await;
    place.end(&id, 0).await;
    driver.ended().await;
    files.clear_temporary().await;
    assert_eq!(uploaded(&*files, FIRST).await, None);
    assert!(lines(&*files).await.contains(&"hello".to_owned()));
}

/// A removed driver has no log and no uploads. Removing it again changes nothing.
pub async fn a_removed_driver_leaves_nothing(place: &impl Place) {
    let id = place.name(0);
    let files = place.launcher().files(&id);
    files.remove().await;
    upload(&*files, FIRST, b"x").await;
    let driver = launch(place, &id, Manners::Obedient).await;
    place.end(&id, 0).await;
    driver.ended().await;
    for _ in 0..2 {
        files.remove().await;
        assert_eq!(uploaded(&*files, FIRST).await, None);
        assert_eq!(lines(&*files).await, ["stdout: ", "\nstderr: "]);
    }
}
