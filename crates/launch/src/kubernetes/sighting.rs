//! Describes a driver that has not ended, by its pod.

use livius_domain::AppInfo;
use livius_kubernetes::{ContainerState, ContainerStatus, DriverPod, Names, Notice, Phase};

use crate::Sighting;

/// The longest reason for a wait, in characters.
const MAX_CHARS: usize = 300;

/// Kubelet's words for an image that it does not get.
const OF_IMAGES: [&str; 6] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
];
/// Kubelet's words for a container that is on its way.
const OF_PROGRESS: [&str; 2] = ["ContainerCreating", "PodInitializing"];

/// The description that clients see. `spark_ui` is the template of the address of Spark's pages.
pub(super) fn of(pod: &DriverPod, spark_ui: Option<&str>, notices: &[Notice]) -> Sighting {
    let app_id = pod.app.clone().filter(|app| AppInfo::is_id(app));
    let app_id = app_id.unwrap_or_else(|| pod.name.clone());
    let address = spark_ui.map(|template| {
        let names = Names {
            app: Some(&app_id),
            ..Names::of(pod)
        };
        names.fill(template)
    });
    Sighting {
        app: AppInfo {
            spark_ui_url: address.filter(|url| AppInfo::is_address(url)),
            driver_log_url: None,
            app_id,
        },
        waits: waits(pod, notices),
    }
}

/// Whether only the pod's events may tell why it waits.
pub(super) fn is_waiting(pod: &DriverPod) -> bool {
    pod.phase == Phase::Pending
}

fn waits(pod: &DriverPod, notices: &[Notice]) -> Option<String> {
    if !is_waiting(pod) {
        return None;
    }
    let name = &pod.name;
    if let Some(why) = &pod.unscheduled {
        return Some(told(
            &format!("no node takes the pod {name}"),
            Some(why.as_str()),
        ));
    }
    if pod.node.is_none() {
        return Some(format!("the pod {name} waits for a node"));
    }
    let problem = pod.containers.iter().find_map(problem_of);
    let (container, reason, message) = problem.unwrap_or((None, "", None));
    let what = match container {
        None => format!("the node prepares the pod {name}"),
        Some(container) if OF_IMAGES.contains(&reason) => {
            let image = &container.image;
            format!("the node cannot get the image {image} of the pod {name}")
        }
        Some(container) => {
            let container = &container.name;
            format!("the node cannot start the container {container} of the pod {name} ({reason})")
        }
    };
    let detail = message.map(cause).filter(|cause| !cause.is_empty());
    // A node that went on afterwards no longer has the problem.
    let last = notices.iter().rev().find(|notice| is_about_start(notice));
    let warned = last.filter(|notice| notice.is_warning);
    let detail = detail.or(warned.map(|notice| cause(&notice.message)));
    Some(told(&what, detail))
}

/// A container that the node cannot start, with kubelet's reason and words.
fn problem_of(
    container: &ContainerStatus,
) -> Option<(Option<&ContainerStatus>, &str, Option<&str>)> {
    match &container.state {
        Some(ContainerState::Waiting {
            reason: Some(reason),
            message,
        }) if !OF_PROGRESS.contains(&&**reason) => {
            Some((Some(container), reason, message.as_deref()))
        }
        _ => None,
    }
}

/// Whether an event may tell why the node has not started the containers.
fn is_about_start(notice: &Notice) -> bool {
    // These were over when the node began, or say that it waits before it tries again.
    let is_other = ["FailedScheduling", "BackOff"].contains(&&*notice.reason);
    !is_other && !notice.message.starts_with("Error: ")
}

/// Kubelet's message about an image without the alternation of attempts and pauses.
fn cause(message: &str) -> &str {
    let line = message.lines().next().unwrap_or_default().trim();
    if let Some((_, cause)) = line.split_once("ErrImagePull: ") {
        return cause;
    }
    if line.starts_with("Back-off pulling image") {
        return "";
    }
    match line.strip_prefix("Failed to pull image ") {
        Some(rest) => rest.split_once("\": ").map_or(line, |(_, cause)| cause),
        None => line,
    }
}

fn told(what: &str, why: Option<&str>) -> String {
    let why = why.unwrap_or_default().trim().trim_end_matches(['.', ' ']);
    let why: String = why.chars().take(MAX_CHARS).collect();
    let why = why.replace(['\n', '\r'], " ");
    if why.is_empty() {
        what.to_owned()
    } else {
        format!("{what}: {why}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(reason: &str, message: Option<&str>) -> DriverPod {
        let state = ContainerState::Waiting {
            reason: Some(reason.to_owned()),
            message: message.map(str::to_owned),
        };
        let container = ContainerStatus {
            name: "c".to_owned(),
            is_init: false,
            image: "spark:4".to_owned(),
            memory_limit: None,
            state: Some(state),
            last_end: None,
            restarts: 0,
        };
        DriverPod {
            name: "p".to_owned(),
            namespace: "n".to_owned(),
            driver: "s-0-aa".to_owned(),
            node: Some("node-1".to_owned()),
            containers: vec![container],
            ..DriverPod::default()
        }
    }

    fn progress(reason: &str) -> Notice {
        Notice {
            is_warning: false,
            ..notice(reason, "")
        }
    }

    fn notice(reason: &str, message: &str) -> Notice {
        Notice {
            reason: reason.to_owned(),
            message: message.to_owned(),
            is_warning: true,
            at: None,
            count: 1,
        }
    }

    #[test]
    fn a_wait_has_its_reason() {
        let nowhere = DriverPod {
            node: None,
            ..waiting("x", None)
        };
        let refused = DriverPod {
            unscheduled: Some("0/3 nodes are available: 3 Insufficient cpu. ".to_owned()),
            ..nowhere.clone()
        };
        let pull = "Failed to pull image \"spark:4\": not found";
        let back_off = "Back-off pulling image \"spark:4\"";
        let with_cause = format!("{back_off}: ErrImagePull: not found");
        let creating = waiting("ContainerCreating", None);
        for (pod, notices, expected) in [
            (&nowhere, vec![], "the pod p waits for a node"),
            (
                &refused,
                vec![],
                "no node takes the pod p: 0/3 nodes are available: 3 Insufficient cpu",
            ),
            (&creating, vec![], "the node prepares the pod p"),
            (
                &creating,
                vec![
                    notice("FailedMount", "no\nstack"),
                    notice("FailedScheduling", "x"),
                ],
                "the node prepares the pod p: no",
            ),
            (
                &creating,
                vec![notice("FailedMount", "no"), progress("Pulling")],
                "the node prepares the pod p",
            ),
            (
                &waiting("ErrImagePull", Some("not found")),
                vec![],
                "the node cannot get the image spark:4 of the pod p: not found",
            ),
            (
                &waiting("ImagePullBackOff", Some(&with_cause)),
                vec![],
                "the node cannot get the image spark:4 of the pod p: not found",
            ),
            (
                &waiting("ImagePullBackOff", Some(back_off)),
                vec![
                    notice("Failed", pull),
                    notice("Failed", "Error: ImagePullBackOff"),
                    notice("BackOff", back_off),
                ],
                "the node cannot get the image spark:4 of the pod p: not found",
            ),
            (
                &waiting("CreateContainerConfigError", Some("secret x not found")),
                vec![],
                "the node cannot start the container c of the pod p (CreateContainerConfigError): secret x not found",
            ),
        ] {
            let told = of(pod, None, &notices).waits;
            assert_eq!(told.as_deref(), Some(expected), "{pod:?}");
        }
        let running = DriverPod {
            phase: Phase::Running,
            ..waiting("x", None)
        };
        assert_eq!(of(&running, None, &[]).waits, None);
        let long = waiting("ErrImagePull", Some(&"é".repeat(5000)));
        assert!(of(&long, None, &[]).waits.unwrap().chars().count() < 400);
    }

    #[test]
    fn only_addresses_of_the_web_are_told() {
        let pod = DriverPod {
            app: Some("spark-1".to_owned()),
            ..waiting("x", None)
        };
        let template = "https://ui/{namespace}/{pod}/{app}/{driver}";
        let sighting = of(&pod, Some(template), &[]);
        assert_eq!(sighting.app.app_id, "spark-1");
        let url = "https://ui/n/p/spark-1/s-0-aa".to_owned();
        assert_eq!(sighting.app.spark_ui_url, Some(url));
        let odd = DriverPod {
            app: Some("a\nb".to_owned()),
            ..pod
        };
        assert_eq!(of(&odd, None, &[]).app.app_id, "p");
        assert_eq!(
            of(&odd, Some("javascript:{app}"), &[]).app.spark_ui_url,
            None
        );
    }
}
