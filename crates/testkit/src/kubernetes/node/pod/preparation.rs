//! All that a pod needs before its containers start. A kubelet waits for what is missing, and says
//! what it is.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8PathBuf;
use k8s_openapi::api::core::v1::Container;
use livius_spark_home::testing::write_program;

use super::{Kind, Life};
use crate::kubernetes::image::Image;
use crate::kubernetes::node::container::{Mount, Plan};
use crate::kubernetes::node::quantity::memory_limit;
use crate::kubernetes::node::status::State;
use crate::kubernetes::node::variables::{expand, variables};
use crate::kubernetes::node::volumes::{Volumes, mounts};

/// The folder of each volume.
pub type Folders = BTreeMap<String, Utf8PathBuf>;

/// The first and the longest pause before another attempt. A kubelet waits for up to two minutes.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));

/// The place of an image's entry point in a container.
const ENTRY: &str = "/opt/entrypoint.sh";

/// The reason why a container waits: that of its status, and the message.
type Obstacle = (&'static str, String);

/// The pause before the next attempt.
fn longer(pause: Duration) -> Duration {
    (pause * 2).min(PAUSES.1)
}

impl Life {
    /// Makes all volumes, as soon as their objects exist.
    pub(super) async fn volumes(&mut self) -> Folders {
        let spec = self.pod.spec.clone().unwrap_or_default();
        let folder = self.folder.join("volumes");
        let mut ready = Folders::new();
        for volume in spec.volumes.iter().flatten() {
            let mut pause = PAUSES.0;
            loop {
                let volumes = Volumes {
                    kubelet: &self.kubelet,
                    pod: &self.pod,
                    subject: &self.subject,
                    address: &self.report.address,
                    folder: &folder,
                };
                match volumes.fill(volume).await {
                    Ok(folder) => {
                        ready.insert(volume.name.clone(), folder);
                        break;
                    }
                    Err(problem) => {
                        let name = &volume.name;
                        let text =
                            format!("MountVolume.SetUp failed for volume {name:?} : {problem}");
                        self.kubelet
                            .events
                            .warning(&self.subject, "FailedMount", &text)
                            .await;
                    }
                }
                tokio::time::sleep(pause).await;
                pause = longer(pause);
            }
        }
        ready
    }

    /// Finds image, variables and command of some containers. While something is missing, their
    /// status says so.
    pub(super) async fn plans(
        &mut self,
        kind: Kind,
        indexes: &[usize],
        volumes: &Folders,
    ) -> Vec<(usize, Plan)> {
        let mut plans = Vec::new();
        for index in indexes {
            let container = self.parts(kind)[*index].container.clone();
            let mut pause = PAUSES.0;
            let plan = loop {
                let image = self.image(kind, *index, &container).await;
                match self.plan(&container, image, volumes).await {
                    Ok(plan) => break plan,
                    Err((reason, message)) => {
                        let text = format!("Error: {message}");
                        self.kubelet
                            .events
                            .warning(&self.subject, "Failed", &text)
                            .await;
                        self.wait_for(kind, *index, reason, message).await;
                    }
                }
                tokio::time::sleep(pause).await;
                pause = longer(pause);
            };
            plans.push((*index, plan));
        }
        plans
    }

    async fn wait_for(&mut self, kind: Kind, index: usize, reason: &'static str, message: String) {
        self.parts(kind)[index].state = State::Waiting {
            reason,
            message: Some(message),
        };
        self.tell().await;
    }

    /// The image of a container, as soon as the node has it.
    async fn image(&mut self, kind: Kind, index: usize, container: &Container) -> Image {
        let name = container.image.clone().unwrap_or_default();
        let mut pause = PAUSES.0;
        loop {
            if let Some(image) = self.kubelet.images.find(&name) {
                let text = format!(
                    "Container image {name:?} already present on machine and can be accessed by the pod"
                );
                self.kubelet
                    .events
                    .normal(&self.subject, "Pulled", &text)
                    .await;
                return image;
            }
            let never = container.image_pull_policy.as_deref() == Some("Never");
            let (reason, message) = if never {
                let text =
                    format!("Container image {name:?} is not present with pull policy of Never");
                ("ErrImageNeverPull", text)
            } else {
                self.kubelet
                    .events
                    .normal(&self.subject, "Pulling", &format!("Pulling image {name:?}"))
                    .await;
                let text = format!(
                    "failed to pull and unpack image {name:?}: failed to resolve reference {name:?}: {name}: not found"
                );
                ("ErrImagePull", text)
            };
            let text = format!("Failed to pull image {name:?}: {message}");
            self.kubelet
                .events
                .warning(&self.subject, "Failed", &text)
                .await;
            self.kubelet
                .events
                .warning(&self.subject, "Failed", &format!("Error: {reason}"))
                .await;
            self.wait_for(kind, index, reason, message.clone()).await;
            tokio::time::sleep(pause).await;
            if !never {
                let text = format!("Back-off pulling image {name:?}");
                self.kubelet
                    .events
                    .normal(&self.subject, "BackOff", &text)
                    .await;
                self.kubelet
                    .events
                    .warning(&self.subject, "Failed", "Error: ImagePullBackOff")
                    .await;
                let text = format!("{text}: {reason}: {message}");
                self.wait_for(kind, index, "ImagePullBackOff", text).await;
            }
            pause = longer(pause);
            tokio::time::sleep(pause).await;
        }
    }

    async fn plan(
        &self,
        container: &Container,
        image: Image,
        volumes: &Folders,
    ) -> Result<Plan, Obstacle> {
        let invalid = |message| ("CreateContainerConfigError", message);
        let address = &self.report.address;
        let variables = variables(&self.kubelet, &self.pod, address, container, &image)
            .await
            .map_err(invalid)?;
        let mut mounts = mounts(container, &self.pod, volumes).map_err(invalid)?;
        let folder = self.folder.join(format!("container-{}", container.name));
        std::fs::create_dir_all(&folder).unwrap();
        mounts.push(Mount {
            target: "/etc/hosts".to_owned(),
            source: self.folder.join("hosts"),
            read_only: false,
        });
        let mut command = container.command.clone().unwrap_or_default();
        if command.is_empty()
            && let Some(text) = image.entry
        {
            let source = folder.join("entry-point");
            write_program(&source, text);
            mounts.push(Mount {
                target: ENTRY.to_owned(),
                source,
                read_only: true,
            });
            command.push(ENTRY.to_owned());
        }
        command.extend(container.args.clone().unwrap_or_default());
        if command.is_empty() {
            return Err(("CreateContainerError", "no command specified".to_owned()));
        }
        let expanded = command
            .iter()
            .map(|word| expand(word, &variables))
            .collect();
        let security = container.security_context.as_ref();
        Ok(Plan {
            folder,
            host_name: self.subject.name.chars().take(63).collect(),
            directory: container
                .working_dir
                .clone()
                .unwrap_or(image.directory.to_owned()),
            image,
            command: expanded,
            variables,
            mounts,
            read_only: security.and_then(|s| s.read_only_root_filesystem) == Some(true),
            memory_limit: memory_limit(container),
        })
    }
}
