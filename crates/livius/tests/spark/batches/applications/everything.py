"""Tells all that reaches an application, then waits until its user has looked at it."""

import json
import os
import sys
import time

from pyspark import SparkFiles
from pyspark.sql import SparkSession

import alone
import zipped


def tell(key, value):
    print("SEEN " + json.dumps({key: value}))


def read(path):
    with open(path) as file:
        return file.read()


def in_task(_):
    import alone
    import zipped

    return [alone.answer, zipped.answer, read(SparkFiles.get("data.txt"))]


tell("args", sys.argv[1:])
tell("imported", [alone.answer, zipped.answer])

spark = SparkSession.builder.getOrCreate()
sc = spark.sparkContext
tell("application", sc.applicationId)
tell("name", [sc.appName, sc.getConf().get("spark.app.name")])
tell("conf", dict(sc.getConf().getAll()))
tell("jars", sc._jsc.sc().listJars().mkString(","))
tell("heap", sc._jvm.Runtime.getRuntime().maxMemory() >> 20)
tell("files", read(SparkFiles.get("data.txt")))
tell("archives", read(os.path.join(SparkFiles.get("unpacked"), "data.txt")))
tell("tasks", sc.parallelize([1, 2], 2).map(in_task).collect())

with open("made here.txt", "w") as file:
    file.write("still here")

# One after the other, from two descriptors.
print("order: one λ 🤔")
print("order: two", file=sys.stderr)
print("order: three")
print("order: four", file=sys.stderr)

while not os.path.exists(os.path.join(os.path.dirname(__file__), "go on")):
    if not os.path.exists(__file__):
        sys.exit("nobody will come")
    time.sleep(0.05)
spark.stop()
