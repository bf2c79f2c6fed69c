//! Builds a driver's command line and its files.
//!
//! We build Spark's command line ourselves. That saves the JVM that Spark would start for it, and
//! it keeps the order of the class path, which class-data archives need. Secrets are in files,
//! never on the command line or in the environment.

mod application;
mod client;
mod environment;
mod kubernetes;
mod launch_document;
mod local_ports;
mod preview;
mod standalone;
#[cfg(test)]
mod tests;
mod yarn;

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use livius_spark_home::{SparkConf, Toolchain, properties};

use crate::driver_dir::{DEFAULT_GRACE, DriverCommand, DriverDir};
use crate::fast_start::FastStart;
use crate::java_options::{self, OptionError};
use crate::kubernetes::{
    Installed, Known, KubernetesLimits, OnKubernetes, OwnPod, SparkPages, kubernetes_access,
};
use crate::place::{Mode, Place};
use crate::yarn::OnYarn;
use crate::{Backend, DriverOrder, LateStart, Program, Unsupported, backend};

pub use self::preview::LaunchPreview;

/// The heap in mebibytes of a JVM that submits or follows a driver. It needs little.
const SMALL_HEAP: u64 = 256;

/// The reason why there is no command line for an order.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// An option cannot be understood.
    #[error("use {key}")]
    Setting {
        /// The configuration key.
        key: &'static str,
        /// The problem.
        #[source]
        source: OptionError,
    },
    /// No backend takes the driver.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// Spark would misread the name of the file.
    #[error("start the application {0}: write its file as an absolute path or as a URI")]
    File(String),
}

/// All data that the start of a driver needs.
#[derive(Debug)]
pub(crate) struct LaunchPlan {
    pub(crate) command: DriverCommand,
    /// The files that the command names. Any may hold secrets.
    pub(crate) files: BTreeMap<Utf8PathBuf, String>,
    /// The launch document, if it goes into a Secret.
    pub(crate) in_secret: Option<String>,
    /// The application that the driver will have on a cluster.
    pub(crate) place: Option<Place>,
}

/// The facts that all plans of a server need.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site<'a> {
    pub(crate) toolchain: &'a Toolchain,
    /// The content of Spark's configuration directory.
    pub(crate) spark_conf: &'a SparkConf,
    /// The limits of drivers on Kubernetes.
    pub(crate) limits: &'a KubernetesLimits,
    /// The way to Spark's pages of drivers on Kubernetes.
    pub(crate) pages: &'a SparkPages,
    /// The server's id, which the labels of pods have.
    pub(crate) server: &'a str,
    /// The pod that this server runs in.
    pub(crate) own_pod: Option<&'a OwnPod>,
}

impl LaunchPlan {
    /// Works out how to start a driver whose files are in `dir`.
    pub(crate) fn of(
        site: Site<'_>,
        order: &DriverOrder,
        dir: DriverDir,
        fast_start: FastStart,
    ) -> Result<Self, CommandError> {
        let builder = CommandBuilder::new(site, order, dir, fast_start)?;
        match builder.backend {
            Backend::Local => client::plan(&builder),
            Backend::Standalone => standalone::plan(builder),
            Backend::Yarn => yarn::plan(builder),
            Backend::Kubernetes => kubernetes::plan(builder),
        }
    }
}

/// Works out what the launcher would start for an order.
pub(crate) fn preview(
    site: Site<'_>,
    order: &DriverOrder,
    dir: DriverDir,
    fast_start: FastStart,
) -> Result<LaunchPreview, CommandError> {
    let (conf, _) = whole_conf(site, order)?;
    let plan = LaunchPlan::of(site, order, dir, fast_start)?;
    Ok(LaunchPreview::new(&plan, conf))
}

/// What a primed driver on this machine is told for an order.
pub(crate) fn late_start(
    site: Site<'_>,
    order: &DriverOrder,
    dir: DriverDir,
) -> Result<LateStart, CommandError> {
    let builder = CommandBuilder::new(site, order, dir, FastStart::default())?;
    let document = launch_document::of_session(&builder);
    Ok(LateStart {
        document,
        conf: builder.conf,
    })
}

/// The configuration of an order with the installation's defaults, and the backend that it names.
fn whole_conf(
    site: Site<'_>,
    order: &DriverOrder,
) -> Result<(BTreeMap<String, String>, Backend), CommandError> {
    let installed = &site.spark_conf.defaults;
    let mut conf = installed.clone();
    conf.extend(order.conf.clone());
    backend::add_master(&mut conf, &site.spark_conf.environment);
    backend::spell_out(&mut conf)?;
    local_ports::protect(&mut conf);
    if matches!(order.program, Program::Application { .. }) {
        application::listen(&mut conf);
    }
    if backend::is_on_yarn(&conf) {
        yarn::add_tags(&mut conf, &order.id);
        if let Program::Agent { kind, .. } = order.program {
            yarn::add_languages(&mut conf, site.toolchain, site.spark_conf, kind);
        }
    }
    let backend = Backend::resolve(&conf, order.proxy_user.as_deref())?;
    if backend::is_on_kubernetes(&conf) {
        let variable = || site.spark_conf.environment.get("MASTER");
        let master = installed.get("spark.master").or_else(variable);
        let known = Known::Wholly(Installed {
            master: master.map(String::as_str),
            defaults: installed,
        });
        site.limits.judge(&conf, known).map_err(Unsupported::from)?;
        kubernetes::add_labels(&mut conf, backend, &order.id, site.server);
        if let (Backend::Local, Some(pod)) = (backend, site.own_pod) {
            kubernetes::add_own_pod(&mut conf, pod);
        }
    }
    Ok((conf, backend))
}

/// The input for a driver's command line.
struct CommandBuilder<'a> {
    toolchain: &'a Toolchain,
    spark_conf: &'a SparkConf,
    pages: &'a SparkPages,
    server: &'a str,
    order: &'a DriverOrder,
    dir: DriverDir,
    /// The whole configuration, including the installation's defaults.
    conf: BTreeMap<String, String>,
    backend: Backend,
    fast_start: FastStart,
}

impl<'a> CommandBuilder<'a> {
    fn new(
        site: Site<'a>,
        order: &'a DriverOrder,
        dir: DriverDir,
        fast_start: FastStart,
    ) -> Result<Self, CommandError> {
        let (conf, backend) = whole_conf(site, order)?;
        Ok(Self {
            toolchain: site.toolchain,
            spark_conf: site.spark_conf,
            pages: site.pages,
            server: site.server,
            order,
            dir,
            conf,
            backend,
            fast_start,
        })
    }

    fn setting(&self, key: &str) -> Option<&str> {
        self.conf.get(key).map(String::as_str)
    }

    /// Our own options for a JVM. They come first, so that the user's options override them.
    fn own_options(&self, heap_mebibytes: u64) -> Vec<String> {
        let mut options = self.toolchain.flags.jvm.clone();
        options.push(format!("-Xmx{heap_mebibytes}m"));
        // Performance counters stay in memory and temporary files in the driver's directory, so a
        // killed driver leaves nothing in /tmp.
        options.push("-XX:+PerfDisableSharedMem".to_owned());
        options.push(format!("-Djava.io.tmpdir={}", self.dir.temporary()));
        options
    }

    /// The administrator's options for everything that `spark-submit` starts.
    fn options_of_submit(&self) -> Result<Vec<String>, CommandError> {
        let mut options = split("java-opts", Some(&self.spark_conf.java_options))?;
        let key = "SPARK_SUBMIT_OPTS";
        options.extend(split(key, self.spark_conf.environment.get(key))?);
        Ok(options)
    }

    /// The user's options, with those of the variables that Java itself reads.
    fn with_javas_variables(&self, mut options: Vec<String>) -> Vec<String> {
        for name in ["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"] {
            let value = self.spark_conf.environment.get(name);
            let words = value.iter().flat_map(|value| value.split_whitespace());
            options.extend(words.map(str::to_owned));
        }
        options
    }

    /// Spark's configuration directory, which need not exist.
    fn conf_dir(&self) -> Utf8PathBuf {
        let usual = || self.toolchain.found.spark.home.join("conf");
        self.spark_conf.dir.clone().unwrap_or_else(usual)
    }

    /// Splits options into a file, which the command line names, and the rest of the line. Any
    /// option may hold a password, so the file gets every option that it can hold. It cannot hold
    /// the name of another file, and an old Java reads no such files.
    fn placed(&self, options: Vec<String>) -> (Vec<String>, Option<String>) {
        let fits = self.toolchain.found.java.reads_argument_files();
        let (in_file, on_line): (Vec<_>, Vec<_>) = options
            .into_iter()
            .partition(|option| fits && !option.starts_with('@'));
        if in_file.is_empty() {
            return (on_line, None);
        }
        let mut line = vec![format!("@{}", self.dir.java_options())];
        line.extend(on_line);
        (line, Some(java_options::argument_file(&in_file)))
    }

    /// Spark's jars in a fixed order, the agent and the configuration directories, after the
    /// entries that the user puts first.
    fn class_path(&self, before: Option<&str>) -> String {
        let conf = self.spark_conf;
        let mut entries: Vec<String> = before.map(str::to_owned).into_iter().collect();
        entries.push(self.toolchain.class_path());
        entries.push(self.toolchain.agent_jar.to_string());
        entries.extend(conf.directories().into_iter().map(Utf8PathBuf::into_string));
        entries.extend(conf.environment.get("SPARK_DIST_CLASSPATH").cloned());
        entries.retain(|entry| !entry.is_empty());
        entries.join(":")
    }

    /// The arguments of `spark-submit` before the class and the file.
    fn submit_words(&self) -> Vec<String> {
        let mut words = words([
            "org.apache.spark.deploy.SparkSubmit",
            "--properties-file",
            self.dir.properties().as_str(),
        ]);
        if let Some(user) = &self.order.proxy_user {
            words.extend(["--proxy-user".to_owned(), user.clone()]);
        }
        words
    }

    /// The arguments for a JVM that only submits or follows a driver, and the content of its file with
    /// options.
    fn small_jvm(&self) -> Result<(Vec<String>, Option<String>), CommandError> {
        let options = self.options_of_submit()?;
        let theirs = self.with_javas_variables(options.clone());
        let (options, in_file) = self.placed(options);
        let mut args = self.fast_start.classes(&theirs);
        args.extend(self.own_options(SMALL_HEAP));
        args.extend(words(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]));
        args.extend(options);
        args.extend(["-cp".to_owned(), self.class_path(None)]);
        Ok((args, in_file))
    }

    /// The last arguments of `spark-submit`: the class, the file, and the arguments of the program.
    /// The agent is in the file `agent`, and reads its launch document from `launch`.
    fn program_words(&self, agent: &str, launch: &str) -> Result<Vec<String>, CommandError> {
        match &self.order.program {
            Program::Agent { .. } => Ok(words(["--class", "livius.agent.Main", agent, launch])),
            Program::Application {
                file,
                class_name,
                args,
            } => application::words(file, class_name.as_deref(), args),
        }
    }

    /// The command and the files that every command has. `java_options` is the content of the file
    /// with options, if there is one.
    fn plan_with(
        &self,
        args: Vec<String>,
        env: BTreeMap<String, String>,
        java_options: Option<String>,
    ) -> LaunchPlan {
        let properties = (self.dir.properties(), properties::write(&self.conf));
        let java_options = java_options.map(|options| (self.dir.java_options(), options));
        LaunchPlan {
            command: DriverCommand {
                program: self.toolchain.found.java.program(),
                args,
                env,
                cwd: self.dir.work(),
                grace_ms: u64::try_from(DEFAULT_GRACE.as_millis()).unwrap_or(u64::MAX),
                merged: matches!(self.order.program, Program::Application { .. }),
                log_limit: None,
            },
            files: std::iter::once(properties).chain(java_options).collect(),
            in_secret: None,
            place: self.place(),
        }
    }

    /// The part of the driver that is on a cluster, and which the server follows itself.
    fn place(&self) -> Option<Place> {
        let mode = match self.backend {
            Backend::Local => Mode::Client,
            _ => Mode::Cluster,
        };
        if backend::is_on_yarn(&self.conf) {
            let tag = yarn::tag(&self.order.id);
            return Some(Place::Yarn(OnYarn::of(tag, mode, self.spark_conf)));
        }
        let address = backend::api_server(&self.conf)?;
        Some(Place::Kubernetes(OnKubernetes {
            access: kubernetes_access(
                address,
                mode == Mode::Cluster,
                &self.conf,
                &self.spark_conf.environment,
            ),
            namespace: kubernetes::namespace(&self.conf).to_owned(),
            driver: self.order.id.as_str().to_owned(),
            server: self.server.to_owned(),
            mode,
        }))
    }
}

/// Adds an entry to a list in the configuration.
fn append(conf: &mut BTreeMap<String, String>, key: &str, separator: &str, entry: &str) {
    let list = conf.entry(key.to_owned()).or_default();
    if !list.trim().is_empty() {
        list.push_str(separator);
    }
    list.push_str(entry);
}

/// Puts words before those of a setting.
fn prepend(conf: &mut BTreeMap<String, String>, key: &str, entry: &str) {
    let theirs = conf.remove(key).unwrap_or_default();
    let both = format!("{entry} {theirs}");
    conf.insert(key.to_owned(), both.trim_end().to_owned());
}

fn split(key: &'static str, options: Option<&String>) -> Result<Vec<String>, CommandError> {
    java_options::split(options.map_or("", String::as_str))
        .map_err(|source| CommandError::Setting { key, source })
}

fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}
