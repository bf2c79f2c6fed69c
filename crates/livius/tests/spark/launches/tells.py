"""Tells all that a driver and its Python see, as JSON in the file that the argument names. Makes no SparkContext."""

import json
import os
import sys

from pyspark.java_gateway import launch_gateway

gateway = launch_gateway()
jvm = gateway.jvm
management = jvm.java.lang.management.ManagementFactory


def flags():
    """The JVM's flags that are not at their defaults."""
    arguments = gateway.new_array(jvm.Object, 1)
    arguments[0] = gateway.new_array(jvm.String, 0)
    types = gateway.new_array(jvm.String, 1)
    types[0] = "[Ljava.lang.String;"
    name = jvm.javax.management.ObjectName("com.sun.management:type=DiagnosticCommand")
    # py4j may not call the server itself, as its class is in a closed module.
    server = management.getPlatformMBeanServer()
    methods = jvm.java.lang.Class.forName("javax.management.MBeanServer").getMethods()
    invoke = next(method for method in methods if method.getName() == "invoke")
    values = gateway.new_array(jvm.Object, 4)
    values[0], values[1], values[2], values[3] = name, "vmFlags", arguments, types
    told = invoke.invoke(server, values)
    return dict((flag[4:] + "=").split("=")[:2] if "=" in flag else (flag[5:], flag[4]) for flag in told.split())


def hadoop():
    """The whole configuration, each value with its source."""
    conf = jvm.org.apache.spark.deploy.SparkHadoopUtil.get().newConfiguration(jvm.org.apache.spark.SparkConf())
    writer = jvm.java.io.StringWriter()
    jvm.org.apache.hadoop.conf.Configuration.dumpConfiguration(conf, writer)
    properties = json.loads(writer.toString())["properties"]
    return {one["key"]: "%s (%s)" % (one["value"], one["resource"]) for one in properties}


def texts(items):
    return {str(key): str(value) for key, value in items}


def resources(*names):
    """The places of files on the class path."""
    loader = jvm.Thread.currentThread().getContextClassLoader()
    return {name: str(loader.getResource(name)) for name in names}


runtime = management.getRuntimeMXBean()
seen = {
    "heap": {"MiB": str(jvm.Runtime.getRuntime().maxMemory() >> 20)},
    "arguments": list(runtime.getInputArguments()),
    "class path": [entry.rstrip("/") for entry in runtime.getClassPath().split(":")],
    "flags": flags(),
    "properties": texts(jvm.System.getProperties().items()),
    "jvm environment": texts(jvm.System.getenv().items()),
    "python environment": texts(os.environ.items()),
    "python": {"executable": sys.executable, "version": sys.version, "path": ":".join(sys.path), "arguments": " ".join(sys.argv)},
    "hadoop": hadoop(),
    "resources": resources("core-site.xml", "hdfs-site.xml", "yarn-site.xml"),
}
with open(sys.argv[1], "w") as out:
    json.dump(seen, out)
