//! Two ResourceManagers, of which the active one dies.

use livius_testkit::YarnCluster;
use livius_yarn::State;

use crate::Case;
use crate::world::World;

/// A cluster of its own takes long to start, so these run if `LIVIUS_TEST_WHOLE` is set.
pub const WHOLE: &[Case] = &[(
    "the_standby_manager_takes_over_and_nothing_is_lost",
    takes_over,
)];

fn takes_over(_: &mut World) {
    let mut world = World::of(YarnCluster::start_pair(&YarnCluster::jars().unwrap()));
    assert_eq!(states(&world), ["ACTIVE", "STANDBY"]);
    let (submitted, before, mut follower) = world.sleeping();

    world.yarn.kill_resource_manager();
    // The other one is on standby, and refers to the one that is dead.
    let seen = world.until(&mut follower, |seen| seen.outage.is_some());
    assert_eq!(seen.application.unwrap().id, before.id);
    world.yarn.fail_over();
    let seen = world.until(&mut follower, |seen| seen.outage.is_none());
    let after = seen.application.unwrap();
    assert_eq!(after.id, submitted.id);
    assert!(seen.is_listed && !after.state.is_final());
    assert_eq!(states(&world), ["", "ACTIVE"]);

    world.wait(world.cluster.kill(submitted.id)).unwrap();
    assert_eq!(world.ended(&submitted).state, State::Killed);
    world.stop();
}

/// What each ResourceManager says of its part, in the order of the configuration. A dead one says
/// nothing.
fn states(world: &World) -> Vec<String> {
    let reports = world.wait(world.cluster.info());
    let state = |info: livius_yarn::ManagerInfo| info.ha_state;
    let states = reports.into_iter().map(|report| report.info.map(state));
    states.map(Result::unwrap_or_default).collect()
}
