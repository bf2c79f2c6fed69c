//! The API server is killed, and comes back.

use crate::Case;
use crate::world::World;

pub const CASES: &[Case] = &[("an_outage_is_told_and_nothing_is_lost", outage)];

fn outage(world: &mut World) {
    world.create("b-13", "sleep 8765");
    let before = world.started("b-13");
    let mut follower = world.namespace.follow("b-13");
    world.until(&mut follower, |seen| seen.pod.is_some());

    world.cluster.kill_api_server();
    let seen = world.until(&mut follower, |seen| seen.outage.is_some());
    assert_eq!(seen.pod.unwrap().uid, before.uid);
    assert!(world.wait(world.namespace.find("b-13")).is_err());
    assert!(world.wait(follower.refreshed()).is_err());

    world.cluster.restart_api_server();
    let seen = world.until(&mut follower, |seen| seen.outage.is_none());
    let after = seen.pod.unwrap();
    assert_eq!(after.uid, before.uid);
    assert!(!after.phase.is_final());
    world.delete("b-13");
    world.until(&mut follower, livius_kubernetes::Seen::is_absent);
}
