//! Logs, as the API server passes them on from the node.

use serde_json::Value;

use crate::Case;
use crate::world::World;

pub const CASES: &[Case] = &[
    ("a_log_has_both_outputs_in_order", order),
    ("a_log_has_the_time_of_each_line", timestamps),
    ("a_part_of_a_log", parts),
    ("a_log_that_is_followed", followed),
    ("a_log_of_many_bytes", large),
];

fn order(world: &mut World) {
    let script = "for n in 1 2 3; do echo out $n; echo err $n >&2; done; printf end";
    world.run("order", script, &Value::Null);
    world.until_phase("order", "Succeeded");
    let expected = "out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\nend";
    assert_eq!(world.log("order", ""), expected);
    world.delete("order", 0);
}

fn timestamps(world: &mut World) {
    world.run("stamped", "echo one; sleep 2; echo two", &Value::Null);
    world.until_phase("stamped", "Succeeded");
    let log = world.log("stamped", "timestamps=true");
    let lines: Vec<(&str, &str)> = log
        .lines()
        .filter_map(|line| line.split_once(' '))
        .collect();
    let [(first, "one"), (second, "two")] = lines[..] else {
        panic!("{log}");
    };
    let pattern = |time: &str| time.len() == 30 && time.ends_with('Z') && &time[19..20] == ".";
    assert!(pattern(first) && pattern(second) && first < second, "{log}");
    let since = world.log("stamped", &format!("sinceTime={}Z", &second[..19]));
    assert_eq!(since, "two\n");
    world.delete("stamped", 0);
}

fn parts(world: &mut World) {
    world.run("parts", "seq -f 'line %g' 5", &Value::Null);
    world.until_phase("parts", "Succeeded");
    assert_eq!(world.log("parts", "tailLines=2"), "line 4\nline 5\n");
    assert_eq!(world.log("parts", "limitBytes=9"), "line 1\nli");
    assert_eq!(
        world.log("parts", "sinceSeconds=3600&tailLines=1"),
        "line 5\n"
    );
    let (status, answer) =
        world
            .cluster
            .request("GET", &(World::path("parts") + "/log?container=no"), None);
    assert_eq!(status, 400, "{answer}");
    world.delete("parts", 0);
}

fn followed(world: &mut World) {
    world.run(
        "followed",
        "echo one; sleep 1; echo two; sleep 1; exit 1",
        &Value::Null,
    );
    world.until("followed", "started", |pod| {
        pod["status"]["phase"] != "Pending"
    });
    // The response ends with the container.
    assert_eq!(world.log("followed", "follow=true"), "one\ntwo\n");
    world.until_phase("followed", "Failed");
    world.delete("followed", 0);
}

fn large(world: &mut World) {
    world.run(
        "large",
        "seq 300000; head -c 100000 /dev/zero | tr '\\0' x; echo",
        &Value::Null,
    );
    world.until_phase("large", "Succeeded");
    let log = world.log("large", "follow=true");
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 300_001);
    assert_eq!(lines[299_999], "300000");
    assert_eq!(lines[300_000], "x".repeat(100_000));
    world.delete("large", 0);
}
