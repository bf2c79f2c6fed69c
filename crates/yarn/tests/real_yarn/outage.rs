//! The ResourceManager is killed, and comes back.

use livius_yarn::State;

use crate::Case;
use crate::world::World;

pub const CASES: &[Case] = &[("an_outage_is_told_and_nothing_is_lost", outage)];

fn outage(world: &mut World) {
    let (submitted, before, mut follower) = world.sleeping();

    world.yarn.kill_resource_manager();
    let seen = world.until(&mut follower, |seen| seen.outage.is_some());
    assert_eq!(seen.application.unwrap().id, before.id);
    assert!(seen.is_listed, "an outage says nothing about applications");
    assert!(world.wait(world.cluster.find(&submitted.tag)).is_err());
    let report = world.wait(world.cluster.info()).pop().unwrap();
    assert!(report.info.is_err());

    world.yarn.restart_resource_manager();
    let seen = world.until(&mut follower, |seen| seen.outage.is_none());
    let after = seen.application.unwrap();
    assert_eq!(after.id, submitted.id);
    assert!(seen.is_listed && !after.state.is_final());
    let report = world.wait(world.cluster.info()).pop().unwrap();
    let info = report.info.unwrap();
    assert_eq!(
        (info.version.as_str(), info.state.as_str()),
        ("3.4.2", "STARTED")
    );
    assert_eq!(format!("{}/", world.yarn.url()), report.address);

    world.wait(world.cluster.kill(submitted.id)).unwrap();
    assert_eq!(world.ended(&submitted).state, State::Killed);
}
