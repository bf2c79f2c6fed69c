//! All codes of failures, each with its explanation.

use serde::{Deserialize, Serialize};

use crate::Phase;
use crate::Phase::{Connect, Context, Launch, Running, Stopping, Submit};

/// The explanation of a code.
#[derive(Debug)]
pub struct FailureEntry {
    /// The name, for people.
    pub title: &'static str,
    /// The phases in which it occurs.
    pub phases: &'static [Phase],
    /// What has happened: one paragraph.
    pub meaning: &'static str,
    /// The usual causes: fragments without a full stop.
    pub causes: &'static [&'static str],
    /// The remedies, the likeliest first: fragments without a full stop.
    pub remedies: &'static [&'static str],
}

/// Makes the codes and their explanations from one list, so that no code lacks one.
macro_rules! catalogue {
    ($($variant:ident $name:literal $title:literal [$($phase:ident),+] $meaning:literal
        causes: [$($cause:literal),+ $(,)?] remedies: [$($remedy:literal),+ $(,)?])+) => {
        /// A failure's name, for programs. Names are stored, and never change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum FailureCode {
            $(#[doc = $title] #[serde(rename = $name)] $variant,)+
        }

        const NAMES: &[&str] = &[$($name),+];

        const ENTRIES: &[FailureEntry] = &[$(FailureEntry {
            title: $title,
            phases: &[$($phase),+],
            meaning: $meaning,
            causes: &[$($cause),+],
            remedies: &[$($remedy),+],
        }),+];

        impl FailureCode {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The section of the documentation about this code, from the root of the repository.
            pub fn docs(self) -> &'static str {
                const ANCHORS: &[&str] = &[$(concat!("docs/ERRORS.md#", $name)),+];
                ANCHORS[self as usize]
            }
        }
    };
}

impl FailureCode {
    /// The stable name, in snake case.
    pub fn as_str(self) -> &'static str {
        NAMES[self as usize]
    }

    /// The explanation.
    pub fn entry(self) -> &'static FailureEntry {
        &ENTRIES[self as usize]
    }

    /// The first remedy.
    pub fn hint(self) -> &'static str {
        self.entry().remedies[0]
    }

    /// Tells whether the code names only the step that failed. Evidence can say more.
    pub fn is_general(self) -> bool {
        matches!(
            self,
            Self::LaunchFailed | Self::ContextFailed | Self::DriverExited | Self::ApplicationFailed
        )
    }
}

catalogue! {
    LaunchFailed "launch_failed" "The driver could not be started" [Launch]
    "The server could not start the driver's process, and no more exact code fits. The message has the step that failed and the \
     system's error."
    causes: [
        "a file that the request names is not there, or may not be used",
        "a file of Spark's configuration is wrong",
        "the machine is out of processes or file descriptors",
    ]
    remedies: ["read the message; the server's log has more", "run `livius doctor` on the server"]

    Unsupported "unsupported" "The configuration asks for a driver that cannot be" [Launch]
    "The combination of master, deploy mode and other settings is one that Livius or Spark does not support, such as a primed driver in \
     a pod."
    causes: ["a setting of the request, of the pool or of spark-defaults.conf"]
    remedies: ["change the setting that the message names"]

    JavaMissing "java_missing" "No Java was found" [Launch, Connect, Submit]
    "There is no Java where the server looks for one, or the program at that place does not run."
    causes: [
        "no Java is installed, and `java.home` and `JAVA_HOME` are not set",
        "`java.home` or `JAVA_HOME` names a directory without a Java",
    ]
    remedies: [
        "run `livius setup`, or set java.home to an installed Java",
        "run `livius doctor` on the server: it shows which Java it finds",
    ]

    JavaUnsupported "java_unsupported" "This Java does not fit this Spark" [Launch, Connect, Context, Submit]
    "A Java was found, but its version is too old for this Spark, or so new that this Spark does not run on it."
    causes: [
        "Spark 4 needs Java 17 or newer",
        "Spark 3 does not run on Java 24 and newer, which have no security manager",
        "a library was compiled for a newer Java",
    ]
    remedies: [
        "run `livius setup`, or set java.home to a Java that this Spark supports",
        "run `livius doctor` on the server: it shows whether Spark and Java fit together",
    ]

    SparkMissing "spark_missing" "No Spark was found" [Launch]
    "There is no Spark installation where the server looks for one."
    causes: [
        "no Spark is installed, and `spark.home` and `SPARK_HOME` are not set",
        "`spark.home` or `SPARK_HOME` names a directory without a Spark",
    ]
    remedies: [
        "run `livius setup`, or set spark.home to an installed Spark",
        "run `livius doctor` on the server: it shows which Spark it finds",
    ]

    SparkUnsupported "spark_unsupported" "This Spark cannot be used" [Launch]
    "A Spark was found, but its version, its Scala or its files are not what the agent needs."
    causes: [
        "it is older than Spark 3.0",
        "its Scala is neither 2.12 nor 2.13",
        "its `jars` lack the Scala compiler",
    ]
    remedies: ["use another Spark: run `livius setup`, or set spark.home"]

    AgentNotCompiled "agent_not_compiled" "The agent did not compile" [Launch]
    "When the server first meets a Spark, that Spark's Scala compiler makes the agent's jar. The compiler failed, took too long, or \
     its output could not be kept."
    causes: [
        "the Spark is a changed one, without the classes that the agent uses",
        "the machine is too slow or has too little memory for the compiler",
        "the server cannot write to `runtimes` in its data directory",
    ]
    remedies: [
        "run `livius doctor` on the server: it shows whether Spark and Java fit together",
        "run `livius setup`, which compiles the agent and shows the compiler's output",
    ]

    SetupTimeout "setup_timeout" "The launch before takes too long" [Launch]
    "Another launch has been setting up Spark for minutes, and this one did not wait any longer."
    causes: ["a program that the server asks for its version hangs", "a disk or a network file system hangs"]
    remedies: ["see the server's log: it names the process that holds up the set-up"]

    DiskFull "disk_full" "A disk is full" [Launch, Connect, Context, Submit, Running]
    "The server, the driver or an executor could not write because a disk has no room or a quota is used up."
    causes: [
        "shuffle and spill files fill spark.local.dir",
        "results fill the file system that the application writes to",
        "the disk of the server's data directory is full, or `server.disk_reserve` is reached",
    ]
    remedies: [
        "make room on the disk that the evidence names; for shuffle files, set spark.local.dir to a larger one",
        "lower `server.disk_reserve` if the server refuses although there is room",
    ]

    PermissionDenied "permission_denied" "Permission denied" [Launch, Connect, Context, Submit, Running]
    "The operating system, the file system or the resource manager refused access to the user that the driver runs as."
    causes: [
        "the path belongs to another user",
        "the user that the session runs as (`proxyUser`) lacks the right",
        "the account of the driver in Kubernetes lacks a role",
    ]
    remedies: ["give the driver's user the right that the evidence names, or use another path"]

    PortInUse "port_in_use" "A port is in use" [Connect, Context, Submit, Running]
    "Spark could not listen on a port, after as many attempts as spark.port.maxRetries allows."
    causes: [
        "spark.driver.port, spark.ui.port or spark.blockManager.port names a port that another driver has",
        "more drivers run on the machine than spark.port.maxRetries allows",
    ]
    remedies: [
        "leave the port of the configuration unset, or raise spark.port.maxRetries",
        "set spark.ui.enabled to false if nobody looks at the pages",
    ]

    BadMaster "bad_master" "The master cannot be used" [Connect, Context, Submit]
    "Spark does not understand spark.master, or does not reach the master that it names."
    causes: [
        "a typing error: the master is none of local, yarn, spark://… and k8s://…",
        "the standalone master is down, or its address is wrong",
    ]
    remedies: ["correct spark.master, in the request or in spark-defaults.conf, and look whether that master runs"]

    ClassNotFound "class_not_found" "A class was not found" [Connect, Context, Submit, Running]
    "The main class or a class that the application uses is in none of its jars."
    causes: [
        "className has a typing error, or lacks the package",
        "the jar of the class is in neither `file`, `jars` nor spark.jars.packages",
        "the jar was made for another version of Spark or Scala",
    ]
    remedies: ["check className, and add the jar that has the class to jars or spark.jars.packages"]

    PackagesUnresolved "packages_unresolved" "Packages could not be resolved" [Connect, Context, Submit]
    "Spark did not find coordinates of spark.jars.packages in any repository."
    causes: [
        "the coordinates have a typing error, or no such version exists",
        "the machine of the driver does not reach the repository",
    ]
    remedies: [
        "check the coordinates in spark.jars.packages, and that the driver's machine reaches the repositories",
        "name an own repository in spark.jars.repositories or spark.jars.ivySettings, or give files in `jars`",
    ]

    PythonMissing "python_missing" "The Python executable was not found" [Connect, Context, Submit, Running]
    "The driver or an executor could not start the program that is to be its Python."
    causes: [
        "spark.pyspark.python or `PYSPARK_PYTHON` names a path that is not there",
        "no Python is installed on the driver's machine, in its image or on the workers",
    ]
    remedies: ["set spark.pyspark.python to a Python that is on the driver and on all executors"]

    PythonTooOld "python_too_old" "The Python is too old" [Context, Submit, Running]
    "The Python of the driver is older than Livius or this Spark supports."
    causes: ["spark.pyspark.python or `PYSPARK_PYTHON` names an old Python, or the machine's default is one"]
    remedies: ["set spark.pyspark.python to a Python that this Spark supports, on the driver and on all executors"]

    PythonVersionMismatch "python_version_mismatch" "Driver and workers have different Pythons" [Running, Submit]
    "PySpark needs the same minor version of Python on the driver and on all executors."
    causes: [
        "`PYSPARK_PYTHON` and `PYSPARK_DRIVER_PYTHON` name different Pythons",
        "the machines or images of the cluster have different Pythons",
    ]
    remedies: ["set spark.pyspark.python to a Python of the same minor version on the driver and on all executors"]

    ImportError "import_error" "A Python module could not be imported" [Context, Submit, Running]
    "Python does not find a module, or the module failed while it was loaded."
    causes: [
        "the module is not installed for the Python that spark.pyspark.python names",
        "the module is on the driver and not on the executors",
        "a file of `pyFiles` is missing",
    ]
    remedies: ["install the module for the Python of the driver and of the executors, or bring it in pyFiles or archives"]

    ContextFailed "context_failed" "The SparkContext or the interpreter could not be created" [Context]
    "The agent ran, but could not make the SparkContext or the interpreter of the session's kind, and no more exact code fits."
    causes: ["a setting of the session is one that Spark refuses", "the interpreter ended while it started"]
    remedies: ["read the message and the session's log: it has the stack trace"]

    OutOfHeap "out_of_heap" "The heap of a JVM is full" [Connect, Context, Submit, Running]
    "The driver or an executor needed more memory than its heap has, or its heap is smaller than Spark accepts."
    causes: [
        "the application collects a large result to the driver, or broadcasts a large table",
        "many partitions, large rows or skewed keys make single tasks large",
        "driverMemory or executorMemory is small",
    ]
    remedies: [
        "raise driverMemory or executorMemory, or collect less data to the driver",
        "make tasks smaller with more partitions",
    ]

    OutOfMachineMemory "out_of_machine_memory" "The machine has too little memory for the JVM" [Connect, Context, Submit, Running]
    "The operating system refused memory to the JVM: when it started, or for a thread or a buffer later."
    causes: [
        "driverMemory is more than the machine or its limits (`ulimit`) allow",
        "other processes use the memory",
    ]
    remedies: ["lower driverMemory, or make memory free on the driver's machine"]

    OutOfContainerMemory "out_of_container_memory" "The container took more memory than its limit" [Connect, Context, Submit, Running]
    "YARN or Kubernetes killed the driver's container because heap, Python and other memory together were more than its limit."
    causes: [
        "Python workers, off-heap memory or native libraries need more than the overhead allows",
        "the heap leaves too little room for everything else",
    ]
    remedies: ["raise spark.driver.memoryOverhead, or driverMemory, or use less memory in Python"]

    KilledByKernel "killed_by_kernel" "The kernel killed the driver for lack of memory" [Connect, Context, Submit, Running, Stopping]
    "Signal 9 ended the driver, the server did not send it, and the kernel has killed processes for lack of memory while the driver ran."
    causes: [
        "the drivers, executors and other processes of the machine need more memory than it has",
        "the limit of the server's own container or service is too low for its drivers",
    ]
    remedies: ["compare driverMemory of all drivers with the memory of the machine; its kernel log names the process"]

    ResultTooLarge "result_too_large" "The result is larger than spark.driver.maxResultSize" [Submit, Running]
    "Spark ended a job whose results together were larger than the driver accepts."
    causes: ["the application collects a large result to the driver"]
    remedies: ["write the result to a table or files, or raise spark.driver.maxResultSize and driverMemory"]

    ResourcesRefused "resources_refused" "The cluster refused the resources" [Connect, Context, Submit]
    "The resource manager refused the queue, the size of the containers or the quota that the driver asked for."
    causes: [
        "the queue does not exist, or the user may not submit to it",
        "a container is larger than the cluster allows",
        "a quota of the namespace is used up",
    ]
    remedies: ["ask for another queue or for less memory and fewer cores; the evidence has the manager's limit"]

    EndedByCluster "ended_by_cluster" "The cluster ended the driver" [Connect, Context, Submit, Running, Stopping]
    "The resource manager ended the driver for a reason of its own: preemption, eviction, a deadline, or a node that is lost."
    causes: ["another application had priority", "the node was drained, or is lost"]
    remedies: ["start it again; the administrator of the cluster knows more"]

    KilledAtManager "killed_at_manager" "Somebody killed the driver at its resource manager" [Connect, Context, Submit, Running, Stopping]
    "The application was killed, or its pod deleted, with the tools of the cluster and not by Livius."
    causes: ["a user or an administrator ended it there"]
    remedies: ["start it again if that was a mistake; ask the administrator of the cluster"]

    DriverRestarted "driver_restarted" "The resource manager restarted the driver" [Running]
    "The driver was started again somewhere else, and the variables of its session are lost."
    causes: ["the driver failed or its node was lost, and spark.driver.supervise or YARN's attempts allow another one"]
    remedies: ["create a new session; set spark.driver.supervise to false to have a lost driver end"]

    EndedBySignal "ended_by_signal" "A signal ended the driver" [Connect, Context, Submit, Running, Stopping]
    "A signal that the server did not send ended the driver's process."
    causes: [
        "a user, a script or a service manager of the machine sent it",
        "a native library crashed (signal 6, 7 or 11); the JVM then leaves hs_err_pid*.log",
    ]
    remedies: ["see the log of the driver's machine, and look who or what sends signals there"]

    LinkLost "link_lost" "The driver lost its connection to the server" [Connect, Context, Running, Stopping]
    "The agent had no connection to the server for as long as sessions.link_grace says, and ended the driver so that no orphan is left."
    causes: [
        "the server was stopped or unreachable for longer",
        "a network, proxy or firewall between the driver and `server.agent_url` is down",
    ]
    remedies: ["create a new session; check that drivers reach server.agent_url, or raise sessions.link_grace"]

    DriverUnreachable "driver_unreachable" "The driver does not answer" [Running]
    "The driver's process lives, but its agent did not connect to the server for longer than sessions.link_grace."
    causes: ["the driver is out of memory or threads", "the network between driver and server is down"]
    remedies: ["read the session's log: an exhausted driver (memory, threads) cannot answer"]

    StartTimeout "start_timeout" "The driver was not ready in time" [Context]
    "The start took longer than sessions.start_timeout allows, and the server ended the driver."
    causes: [
        "the cluster has no free resources",
        "the driver does not reach `server.agent_url`",
        "packages take long to download",
    ]
    remedies: ["read the session's log; if the start is only slow, raise sessions.start_timeout"]

    ContextStopped "context_stopped" "The SparkContext stopped" [Running]
    "The SparkContext of the session stopped, and no other one was made in time."
    causes: ["the session's code called `spark.stop()`", "the resource manager ended the application"]
    remedies: ["create a new session; code that calls spark.stop() must make the next context itself"]

    DriverExited "driver_exited" "The driver ended by itself" [Connect, Context, Running, Stopping]
    "The driver's process ended although the server had not asked it to, and no more exact code fits."
    causes: ["the session's code called `System.exit`", "the driver failed with an error that is in its log"]
    remedies: ["read the end of the session's log"]

    ApplicationFailed "application_failed" "The application failed" [Submit, Running]
    "The application of a batch ended with an error of its own, and no more exact code fits. The message has the last exception."
    causes: ["the application raised an exception", "the application ended with an exit code other than 0"]
    remedies: ["read the batch's log: it holds all that the application printed"]

    ServerFault "server_fault" "A fault of the server" [Running]
    "The server's own code failed. Other sessions and batches go on."
    causes: ["a defect of Livius"]
    remedies: ["report the fault to Livius' developers, with the server's log"]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_are_what_is_stored() {
        let names: BTreeSet<&str> = FailureCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), FailureCode::ALL.len());
        for &code in FailureCode::ALL {
            let stored = serde_json::to_string(&code).unwrap();
            assert_eq!(stored, format!("\"{}\"", code.as_str()));
            let read: FailureCode = serde_json::from_str(&stored).unwrap();
            assert_eq!(read, code);
        }
    }

    /// Records of earlier versions have these names.
    #[test]
    fn old_names_are_read() {
        for name in [
            "launch_failed",
            "unsupported",
            "context_failed",
            "driver_exited",
            "start_timeout",
            "driver_unreachable",
            "application_failed",
            "context_stopped",
            "driver_restarted",
            "server_fault",
        ] {
            assert!(FailureCode::ALL.iter().any(|code| code.as_str() == name));
        }
    }
}
