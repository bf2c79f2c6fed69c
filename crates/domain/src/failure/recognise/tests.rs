use super::*;

/// The last lines of a Python program whose call into the JVM failed.
fn in_py4j(exception: &str) -> String {
    format!(
        "26/12/01 05:50:18 INFO SparkContext: Running Spark version 3.5.9\nTraceback (most recent call last):\n  File \"/app.py\", line 2, in \
         <module>\n    spark = SparkSession.builder.getOrCreate()\n            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n  File \
         \"/opt/spark/python/lib/py4j-0.10.9.7-src.zip/py4j/protocol.py\", line 326, in get_return_value\npy4j.protocol.Py4JJavaError: An \
         error occurred while calling None.org.apache.spark.api.java.JavaSparkContext.\n: {exception}\n\tat \
         java.base/java.lang.Thread.run(Thread.java:840)\n\n26/12/01 05:50:19 INFO ShutdownHookManager: Shutdown hook called"
    )
}

fn in_main(exception: &str) -> String {
    format!(
        "26/12/01 05:49:23 WARN Utils: Set SPARK_LOCAL_IP if you need to bind to another address\nException in thread \"main\" {exception}\n\tat \
         org.apache.spark.deploy.SparkSubmit$.main(SparkSubmit.scala)\n26/12/01 05:49:23 INFO ShutdownHookManager: Shutdown hook called"
    )
}

fn in_task(exception: &str) -> String {
    in_py4j(&format!(
        "org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 0.0 failed 1 times, most recent failure: Lost task \
         0.0 in stage 0.0 (TID 0) (192.0.2.2 executor driver): {exception}"
    ))
}

fn recognised(log: &str) -> Option<Clue> {
    let lines: Vec<&str> = log.lines().collect();
    recognise(&lines)
}

/// Checks the code, and that the evidence has the exception.
fn check(cases: &[(FailureCode, String)]) {
    for (code, log) in cases {
        let clue = recognised(log).unwrap_or_else(|| panic!("{code:?} is not recognised: {log}"));
        assert_eq!(clue.code, *code, "{log}");
        assert!(!clue.evidence.is_empty(), "{log}");
    }
}

/// Lines of the server's own Spark 3.5.9 and 4.3.0 on Java 17, where nothing else is said.
#[test]
fn starts_of_real_sparks_are_recognised() {
    check(&[
        (
            ClassNotFound,
            "Error: Failed to load class no.such.Main.\n26/12/01 05:49:18 INFO ShutdownHookManager: Shutdown hook called".to_owned(),
        ),
        (
            BadMaster,
            in_main("org.apache.spark.SparkException: Master must either be yarn or start with spark, mesos, k8s, or local"),
        ),
        // 4.3.0
        (
            BadMaster,
            in_main("org.apache.spark.SparkException: Master must either be yarn or start with spark, k8s, or local"),
        ),
        (
            BadMaster,
            in_py4j("org.apache.spark.SparkException: Could not parse Master URL: 'local[x]'"),
        ),
        (
            BadMaster,
            in_py4j("org.apache.spark.SparkException: Invalid master URL: spark://x"),
        ),
        (
            PackagesUnresolved,
            in_main("java.lang.RuntimeException: [unresolved dependency: org.livius.nosuch#thing;1.0: not found]"),
        ),
        (
            PortInUse,
            in_py4j(
                "java.net.BindException: Address already in use: Service 'sparkDriver' failed after 0 retries (starting from 48231)! Consider \
                 explicitly setting the appropriate port for the service 'sparkDriver' (for example spark.ui.port for SparkUI) to an available \
                 port or increasing spark.port.maxRetries.",
            ),
        ),
        // 4.3.0
        (
            PortInUse,
            in_py4j(
                "java.net.BindException: bind(..) failed with error(-98): Address already in use: Service 'sparkDriver' failed after 0 retries \
                 (starting from 48231)! Consider explicitly setting the appropriate port for the service 'sparkDriver' (for example \
                 spark.ui.port for SparkUI) to an available port or increasing spark.port.maxRetries.",
            ),
        ),
        // The JVM ends without another word.
        (
            PortInUse,
            "26/12/01 05:50:30 ERROR SparkUI: Failed to bind SparkUI\njava.net.BindException: Failed to bind to /0.0.0.0:48231: Service \
             'SparkUI' failed after 0 retries (starting from 48231)! Consider explicitly setting the appropriate port for the service \
             'SparkUI' (for example spark.ui.port for SparkUI) to an available port or increasing spark.port.maxRetries.\n\tat \
             java.base/sun.nio.ch.Net.bind(Net.java:555)"
                .to_owned(),
        ),
        // Spark 3.5.9 on Java 25
        (
            JavaUnsupported,
            in_py4j("java.lang.UnsupportedOperationException: getSubject is not supported"),
        ),
        // A class of Java 25 on Java 17
        (
            JavaUnsupported,
            in_main(
                "java.lang.UnsupportedClassVersionError: A has been compiled by a more recent version of the Java Runtime (class file version \
                 69.0), this version of the Java Runtime only recognizes class file versions up to 61.0",
            ),
        ),
    ]);
}

#[test]
fn failures_of_python_are_recognised() {
    let mismatch = "pyspark.errors.exceptions.base.PySparkRuntimeError: [PYTHON_VERSION_MISMATCH] Python in worker has different version";
    let other = "Please check environment variables PYSPARK_PYTHON and PYSPARK_DRIVER_PYTHON are correctly set.";
    check(&[
        (
            PythonMissing,
            in_main(
                "java.io.IOException: Cannot run program \"/no/such/python\": error=2, No such file or directory",
            ),
        ),
        // Java 25
        (
            PythonMissing,
            in_main(
                "java.io.IOException: Cannot run program \"/no/such/python\": Exec failed, error: 2 (No such file or directory) ",
            ),
        ),
        (
            PythonMissing,
            in_task(
                "java.io.IOException: Cannot run program \"/no/such/python\": error=2, No such file or directory",
            ),
        ),
        (
            PythonVersionMismatch,
            in_task(&format!(
                "org.apache.spark.api.python.PythonException: Traceback (most recent call last):\n  File \"worker.py\", line 1100, in \
                 main\n    raise PySparkRuntimeError(\n{mismatch} (3, 9) than that in driver 3.11, PySpark cannot run with different minor \
                 versions.\n{other}"
            )),
        ),
        // 4.3.0
        (
            PythonVersionMismatch,
            format!(
                "Traceback (most recent call last):\n  File \"/app.py\", line 3, in \
                 <module>\npyspark.errors.exceptions.captured.PythonException: An exception was thrown from the Python worker:\nTraceback (most \
                 recent call last):\n  File \"worker.py\", line 9\n    raise PySparkRuntimeError(\n{mismatch}: 3.9 than that in driver: 3.11, \
                 PySpark cannot run with different minor versions.\n{other}\n"
            ),
        ),
        (
            ImportError,
            "Traceback (most recent call last):\n  File \"/app.py\", line 1, in <module>\n    import \
             no_such_module\nModuleNotFoundError: No module named 'no_such_module'\n26/12/01 05:49:30 INFO ShutdownHookManager: \
             Shutdown hook called"
                .to_owned(),
        ),
        (
            PermissionDenied,
            "Traceback (most recent call last):\n  File \"/app.py\", line 1, in <module>\nPermissionError: [Errno 13] Permission denied: \
             '/root/denied'"
                .to_owned(),
        ),
        // The agent's own words.
        (
            PythonMissing,
            "the Python executable '/nowhere/python' cannot be started: error=2, No such file or directory. Check spark.pyspark.python"
                .to_owned(),
        ),
        (
            PythonTooOld,
            "the Python executable 'p' did not become an interpreter: it left with exit code 1. Check it. It said: Livius needs Python 3.8 or \
             newer and this is Python 3.6 (/usr/bin/python3)"
                .to_owned(),
        ),
        (
            ImportError,
            "it said: Python 3.12.1 cannot load PySpark: No module named 'distutils'".to_owned(),
        ),
    ]);
}

#[test]
fn lacks_of_memory_and_room_are_recognised() {
    let memory = "org.apache.spark.SparkIllegalArgumentException: [INVALID_DRIVER_MEMORY";
    check(&[
        (OutOfHeap, in_py4j("java.lang.OutOfMemoryError: Java heap space")),
        // The JVM ends with exit code 52.
        (
            OutOfHeap,
            "26/12/01 05:51:20 ERROR Executor: Exception in task 0.0 in stage 0.0 (TID 0)\njava.lang.OutOfMemoryError: Java heap space\n\tat \
             java.base/java.util.Arrays.copyOf(Arrays.java:3537)\n26/12/01 05:51:20 ERROR TaskSetManager: Task 0 in stage 0.0 failed 1 times; \
             aborting job"
                .to_owned(),
        ),
        // -XX:+ExitOnOutOfMemoryError
        (
            OutOfHeap,
            "Terminating due to java.lang.OutOfMemoryError: Java heap space".to_owned(),
        ),
        (
            OutOfHeap,
            in_py4j(&format!(
                "{memory}] System memory 209715200 must be at least 471859200. Please increase heap size using the --driver-memory option or \
                 \"spark.driver.memory\" in Spark configuration."
            )),
        ),
        // 4.3.0
        (
            OutOfHeap,
            in_py4j(&format!(
                "{memory}.SYSTEM_MEMORY] Insufficient driver memory: System memory 209715200 must be at least 471859200.\nPlease increase heap \
                 size using the --driver-memory option or \"spark.driver.memory\" in Spark configuration. SQLSTATE: F0000"
            )),
        ),
        (
            OutOfMachineMemory,
            "Error occurred during initialization of VM\nCould not reserve enough space for 8388608KB object heap".to_owned(),
        ),
        (
            ResultTooLarge,
            in_py4j(
                "org.apache.spark.SparkException: Job aborted due to stage failure: Total size of serialized results of 1 tasks (14.6 MiB) is \
                 bigger than spark.driver.maxResultSize (1024.0 KiB)",
            ),
        ),
        (
            DiskFull,
            in_task(
                "org.apache.spark.memory.SparkOutOfMemoryError: error while calling spill() on \
                 org.apache.spark.util.collection.unsafe.sort.UnsafeExternalSorter@1c874241 : No space left on device",
            ),
        ),
        // 4.3.0
        (
            DiskFull,
            in_task(
                "org.apache.spark.memory.SparkOutOfMemoryError: [SPILL_OUT_OF_MEMORY] Error while calling spill() on \
                 org.apache.spark.util.collection.unsafe.sort.UnsafeExternalSorter@14c6f960 : No space left on device SQLSTATE: 82003",
            ),
        ),
    ]);
}

/// Words of the ResourceManager 3.4.2 and of the API server, and ours about them.
#[test]
fn words_of_clusters_are_recognised() {
    check(&[
        (
            OutOfContainerMemory,
            "YARN says that application_1_0001 failed: Application application_1_0001 failed 1 times due to AM Container for \
             appattempt_1_0001_000001 exited with  exitCode: -104 Container [pid=1,containerID=container_1] is running 1B beyond the \
             'PHYSICAL' memory limit."
                .to_owned(),
        ),
        (
            OutOfContainerMemory,
            "the container spark-kubernetes-driver of the pod p took more memory than its limit of 1408Mi, and was killed (OOMKilled); ask for \
             more with driverMemory"
                .to_owned(),
        ),
        (
            ResourcesRefused,
            "YARN says that application_1_0001 failed: Application application_1_0001 submitted by user root to unknown queue: nosuch"
                .to_owned(),
        ),
        (
            ResourcesRefused,
            in_main(
                "io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: POST at: https://h/pods. Message: pods x is \
                 forbidden: exceeded quota: small.",
            ),
        ),
        (
            LinkLost,
            "livius: the driver ends: no contact with the server for 15 s".to_owned(),
        ),
    ]);
}

#[test]
fn earlier_failures_and_printed_words_do_not_count() {
    let import = "Traceback (most recent call last):\n  File \"/app.py\", line 1, in <module>\nModuleNotFoundError: No module named 'x'\n";
    let value = "Traceback (most recent call last):\n  File \"/app.py\", line 9, in <module>\nValueError: bad\n";
    assert_eq!(recognised(&format!("{import}going on\n{value}")), None);
    for line in [
        "the disk has No space left on device",
        "caught a java.lang.OutOfMemoryError: Java heap space",
        "\tat a.B(java.lang.ClassNotFoundException: x)",
        "26/12/01 05:49:30 INFO X: ModuleNotFoundError: x",
        "note: Permission denied",
        "",
    ] {
        assert_eq!(recognised(line), None, "{line}");
    }
    assert_eq!(recognise::<&str>(&[]), None);
}

#[test]
fn the_evidence_has_the_lines_once_and_without_secrets() {
    let line = "java.io.IOException: No space left on device: https://ann:hunter2@h/a";
    let log = in_py4j(line).replace("\tat", &format!("Caused by: {line}\n: {line}\n\tat"));
    let evidence = recognised(&log).unwrap().evidence;
    assert_eq!(evidence.lines().len(), 2, "{evidence:?}");
    assert!(evidence.lines()[0].contains("No space left on device"));
    assert!(!format!("{evidence:?}").contains("hunter2"));
}
