//! Says how a driver ended, by the last state of its pod.

use livius_domain::{Departure, Exit, Verdict};
use livius_kubernetes::{ContainerState, ContainerStatus, DriverPod, Phase};

use super::OnKubernetes;

/// The name that Spark gives the driver's container, unless a pod template has another one.
const CONTAINER: &str = "spark-kubernetes-driver";
/// The same of an executor.
const EXECUTOR: &str = "spark-kubernetes-executor";

/// The container of the driver: the one with Spark's name, or the last that does not only prepare the
/// pod. If a pod template gives the driver's container another name, Spark puts it behind the others.
pub(super) fn container(pod: &DriverPod) -> Option<&ContainerStatus> {
    let mut others = pod.containers.iter().rev();
    let last = || others.find(|one| !one.is_init);
    let named = pod.container(CONTAINER).or_else(|| pod.container(EXECUTOR));
    named.or_else(last)
}

/// Whether the driver has ended. Other containers of its pod may still run.
pub(super) fn is_final(pod: &DriverPod) -> bool {
    pod.phase.is_final() || container(pod).is_some_and(|one| end(one).is_some())
}

/// The end of a driver whose pod or container has ended.
pub(super) fn departure(pod: &DriverPod) -> Departure {
    let end = container(pod).and_then(end);
    let exit = match end {
        Some(End {
            signal: Some(signal),
            ..
        }) => Exit::Signal(signal),
        Some(end) => Exit::Code(end.code),
        None if pod.phase == Phase::Succeeded => Exit::Code(0),
        None => Exit::Unknown,
    };
    Departure {
        verdict: Some(verdict(pod, end.as_ref(), exit)),
        ..Departure::of(exit)
    }
}

/// The end of a driver whose pod was deleted while it ran.
pub(super) fn deleted(pod: &DriverPod) -> Departure {
    let verdict = match &pod.disruption {
        Some(cause) => Verdict::EndedByCluster(disrupted(pod, cause)),
        None => Verdict::Killed,
    };
    Departure {
        verdict: Some(verdict),
        ..Departure::of(Exit::Unknown)
    }
}

/// The end of a driver that was submitted, and has no pod any more.
pub(super) fn forgotten(place: &OnKubernetes) -> Departure {
    let message = format!(
        "the namespace {} has no pod of the driver any more: the pod was deleted while the server did not look. It is not known \
         how the driver ended",
        place.namespace
    );
    Departure {
        verdict: Some(Verdict::Failed(message)),
        ..Departure::of(Exit::Unknown)
    }
}

/// The end of a container.
#[derive(Clone, Copy)]
struct End<'a> {
    code: i32,
    signal: Option<i32>,
    reason: Option<&'a str>,
    message: Option<&'a str>,
}

fn end(container: &ContainerStatus) -> Option<End<'_>> {
    match &container.state {
        Some(ContainerState::Terminated {
            exit_code,
            signal,
            reason,
            message,
            ..
        }) => Some(End {
            code: *exit_code,
            signal: *signal,
            reason: reason.as_deref(),
            message: message.as_deref(),
        }),
        _ => None,
    }
}

fn verdict(pod: &DriverPod, end: Option<&End<'_>>, exit: Exit) -> Verdict {
    if exit == Exit::Code(0) {
        return Verdict::Finished;
    }
    if let Some("OOMKilled") = end.and_then(|end| end.reason) {
        return Verdict::Failed(out_of_memory(pod));
    }
    // A node that evicts a pod gives it both, and the reason is plainer.
    if let Some(reason) = &pod.reason {
        return Verdict::EndedByCluster(by_the_cluster(pod, reason));
    }
    if let Some(cause) = &pod.disruption {
        return Verdict::EndedByCluster(disrupted(pod, cause));
    }
    if pod.deleting {
        return Verdict::Killed;
    }
    Verdict::Failed(match end {
        Some(end) => {
            let container = container(pod).map_or("", |one| &*one.name);
            of_container(pod, container, end)
        }
        None => before_the_start(pod),
    })
}

fn out_of_memory(pod: &DriverPod) -> String {
    let container = container(pod);
    let name = container.map_or("", |one| &*one.name);
    let limit = container.and_then(|one| one.memory_limit.as_deref());
    let limit = limit.map_or_else(
        || "the node had".to_owned(),
        |limit| format!("its limit of {limit}"),
    );
    format!(
        "the container {name} of the pod {} took more memory than {limit}, and was killed (OOMKilled); ask for more with \
         driverMemory, or with spark.driver.memoryOverhead for memory outside of the JVM",
        pod.name
    )
}

/// The words for a pod that the cluster ends. The cause begins with a reason of the condition
/// `DisruptionTarget`.
fn disrupted(pod: &DriverPod, cause: &str) -> String {
    let name = &pod.name;
    let reason = cause.split(':').next().unwrap_or_default();
    let what = match reason {
        // The controllers remove a pod whose node has no object any more.
        "DeletionByPodGC" => format!("the node of the pod {name} is lost"),
        // The controllers give the taint to a node that does not report. An administrator may, too.
        "DeletionByTaintManager" => format!(
            "the node of the pod {name} is lost, or has a taint that the pod does not tolerate"
        ),
        _ => format!("Kubernetes ended the pod {name}"),
    };
    format!("{what}: {cause}")
}

fn by_the_cluster(pod: &DriverPod, reason: &str) -> String {
    let name = &pod.name;
    let what = match reason {
        "Evicted" => format!("Kubernetes evicted the pod {name} from its node"),
        "DeadlineExceeded" => format!("the pod {name} ran for longer than its deadline allows"),
        "NodeLost" => format!("the node of the pod {name} is lost"),
        _ => format!("the pod {name} failed ({reason})"),
    };
    with(what, pod.message.as_deref())
}

fn of_container(pod: &DriverPod, container: &str, end: &End<'_>) -> String {
    let how = match end.signal {
        Some(signal) => format!("was ended by signal {signal}"),
        None => format!("ended with exit code {}", end.code),
    };
    let what = format!("the container {container} of the pod {} {how}", pod.name);
    // `Error` says no more than the exit code.
    let what = match end.reason.filter(|reason| *reason != "Error") {
        Some(reason) => format!("{what} ({reason})"),
        None => what,
    };
    with(what, end.message)
}

/// A pod that failed before its driver's container ran.
fn before_the_start(pod: &DriverPod) -> String {
    let mut preparing = pod.containers.iter().filter(|one| one.is_init);
    let failed = preparing.find_map(|one| Some((one, end(one).filter(|end| end.code != 0)?)));
    match failed {
        Some((container, end)) => of_container(pod, &container.name, &end),
        None => with(
            format!("the pod {} failed", pod.name),
            pod.message.as_deref(),
        ),
    }
}

fn with(what: String, message: Option<&str>) -> String {
    match message.map(str::trim).filter(|message| !message.is_empty()) {
        Some(message) => format!("{what}: {}", message.replace(['\n', '\r'], " ")),
        None => what,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container_in(state: Option<ContainerState>) -> ContainerStatus {
        ContainerStatus {
            name: CONTAINER.to_owned(),
            is_init: false,
            image: "spark".to_owned(),
            memory_limit: Some("1408Mi".to_owned()),
            state,
            last_end: None,
            restarts: 0,
        }
    }

    fn ended(exit_code: i32, reason: &str) -> ContainerState {
        ContainerState::Terminated {
            exit_code,
            signal: None,
            reason: Some(reason.to_owned()),
            message: None,
            started: None,
            finished: None,
        }
    }

    fn pod(phase: Phase, state: Option<ContainerState>) -> DriverPod {
        DriverPod {
            name: "p".to_owned(),
            phase,
            containers: vec![container_in(state)],
            ..DriverPod::default()
        }
    }

    fn told(pod: &DriverPod) -> (Exit, String) {
        let departure = departure(pod);
        assert_eq!((departure.unseen, &departure.evidence), (None, &None));
        let words = match departure.verdict.unwrap() {
            Verdict::Finished => "finished".to_owned(),
            Verdict::Killed => "killed".to_owned(),
            Verdict::Failed(message) | Verdict::EndedByCluster(message) => message,
        };
        (departure.exit, words)
    }

    fn failed(state: Option<ContainerState>) -> DriverPod {
        pod(Phase::Failed, state)
    }

    fn check(cases: Vec<(DriverPod, Exit, &str)>) {
        for (pod, exit, words) in cases {
            assert!(is_final(&pod), "{pod:?}");
            assert_eq!(told(&pod), (exit, words.to_owned()), "{pod:?}");
        }
    }

    #[test]
    fn the_end_of_the_container_is_told_with_its_reason() {
        check(vec![
            (
                pod(Phase::Succeeded, Some(ended(0, "Completed"))),
                Exit::Code(0),
                "finished",
            ),
            (pod(Phase::Succeeded, None), Exit::Code(0), "finished"),
            (
                failed(Some(ended(3, "Error"))),
                Exit::Code(3),
                "the container spark-kubernetes-driver of the pod p ended with exit code 3",
            ),
            (
                failed(Some(ended(137, "OOMKilled"))),
                Exit::Code(137),
                "the container spark-kubernetes-driver of the pod p took more memory than its limit of 1408Mi, and was killed \
                 (OOMKilled); ask for more with driverMemory, or with spark.driver.memoryOverhead for memory outside of the JVM",
            ),
            (
                failed(Some(ended(127, "ContainerCannotRun"))),
                Exit::Code(127),
                "the container spark-kubernetes-driver of the pod p ended with exit code 127 (ContainerCannotRun)",
            ),
            (
                DriverPod {
                    deleting: true,
                    ..failed(Some(ended(143, "Error")))
                },
                Exit::Code(143),
                "killed",
            ),
            (
                DriverPod {
                    deleting: true,
                    ..pod(Phase::Succeeded, Some(ended(0, "Completed")))
                },
                Exit::Code(0),
                "finished",
            ),
        ]);
        for phase in [Phase::Pending, Phase::Running, Phase::Unknown] {
            let running = ContainerState::Running { started: None };
            assert!(!is_final(&pod(phase, Some(running))));
        }
    }

    #[test]
    fn the_end_of_the_pod_is_told_with_its_reason() {
        let with_reason = |reason: &str, message: &str| DriverPod {
            reason: Some(reason.to_owned()),
            message: Some(message.to_owned()),
            ..failed(None)
        };
        let cause = "PreemptionByScheduler: preempting for a critical pod";
        check(vec![
            (
                with_reason("Evicted", "The node was low on resource: memory."),
                Exit::Unknown,
                "Kubernetes evicted the pod p from its node: The node was low on resource: memory.",
            ),
            (
                DriverPod {
                    disruption: Some("TerminationByKubelet: memory".to_owned()),
                    ..with_reason("Evicted", "memory")
                },
                Exit::Unknown,
                "Kubernetes evicted the pod p from its node: memory",
            ),
            (
                with_reason("DeadlineExceeded", ""),
                Exit::Unknown,
                "the pod p ran for longer than its deadline allows",
            ),
            (
                with_reason("Odd", "x\ny"),
                Exit::Unknown,
                "the pod p failed (Odd): x y",
            ),
            (
                DriverPod {
                    disruption: Some(cause.to_owned()),
                    deleting: true,
                    ..failed(Some(ended(143, "Error")))
                },
                Exit::Code(143),
                "Kubernetes ended the pod p: PreemptionByScheduler: preempting for a critical pod",
            ),
            (
                DriverPod {
                    containers: vec![],
                    ..failed(None)
                },
                Exit::Unknown,
                "the pod p failed",
            ),
        ]);
    }

    /// Conditions that real controllers have written.
    #[test]
    fn a_lost_node_is_told() {
        let running = ContainerState::Running { started: None };
        let ended_by = |cause: &str| DriverPod {
            disruption: Some(cause.to_owned()),
            deleting: true,
            ..failed(Some(running.clone()))
        };
        check(vec![
            (
                ended_by("DeletionByPodGC: PodGC: node no longer exists"),
                Exit::Unknown,
                "the node of the pod p is lost: DeletionByPodGC: PodGC: node no longer exists",
            ),
            (
                ended_by("DeletionByTaintManager: Taint manager: deleting due to NoExecute taint"),
                Exit::Unknown,
                "the node of the pod p is lost, or has a taint that the pod does not tolerate: DeletionByTaintManager: Taint manager: \
                 deleting due to NoExecute taint",
            ),
        ]);
    }

    #[test]
    fn the_drivers_container_is_found_among_others() {
        let named = |name: &str, state| ContainerStatus {
            name: name.to_owned(),
            ..container_in(Some(state))
        };
        let init = ContainerStatus {
            is_init: true,
            ..named("fetch", ended(2, "Error"))
        };
        let other = || named("proxy", ContainerState::Running { started: None });
        let with = |phase, containers| DriverPod {
            containers,
            ..pod(phase, None)
        };
        let own = container_in(Some(ended(1, "Error")));
        check(vec![
            (
                with(Phase::Failed, vec![init, container_in(None)]),
                Exit::Unknown,
                "the container fetch of the pod p ended with exit code 2",
            ),
            // The others run on.
            (
                with(Phase::Running, vec![own, other()]),
                Exit::Code(1),
                "the container spark-kubernetes-driver of the pod p ended with exit code 1",
            ),
            (
                with(
                    Phase::Running,
                    vec![other(), named("mine", ended(4, "Error"))],
                ),
                Exit::Code(4),
                "the container mine of the pod p ended with exit code 4",
            ),
        ]);
    }

    #[test]
    fn a_pod_that_was_deleted_was_killed_or_disrupted() {
        let running = pod(Phase::Running, None);
        assert_eq!(deleted(&running).verdict, Some(Verdict::Killed));
        let drained = DriverPod {
            disruption: Some("EvictionByEvictionAPI: drained".to_owned()),
            ..running
        };
        let message = "Kubernetes ended the pod p: EvictionByEvictionAPI: drained".to_owned();
        let verdict = Verdict::EndedByCluster(message);
        assert_eq!(deleted(&drained).verdict, Some(verdict));
    }
}
