"""Runs tasks that tell when they begin, and wait until they may go on: `tasks.py <folder>`."""

import os
import sys
import time

from pyspark.sql import SparkSession

folder = sys.argv[1]


def task(number):
    open(os.path.join(folder, "task-%d" % number), "w").close()
    limit = time.monotonic() + 600
    while not os.path.exists(os.path.join(folder, "go")):
        if time.monotonic() > limit:
            raise RuntimeError("nobody came")
        time.sleep(0.05)
    return os.getcwd()


spark = SparkSession.builder.getOrCreate()
sc = spark.sparkContext
print("APPLICATION", sc.applicationId)
places = sc.parallelize(range(2), 2).map(task).collect()
print("PLACES", " ".join(places))
spark.stop()
