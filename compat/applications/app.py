"""The application of the batch scenarios: says what it was given, computes something, and ends as it is told."""

import sys
import time

from pyspark.sql import SparkSession

command = sys.argv[1] if len(sys.argv) > 1 else "count"
spark = SparkSession.builder.getOrCreate()
print("arguments: %r" % (sys.argv[1:],))
print("conf: %s" % spark.conf.get("spark.compat.word", "none"))
print("to stderr", file=sys.stderr)
print("count: %d" % spark.range(10).count())
sys.stdout.flush()
if command == "fail":
    raise ValueError("as asked")
if command == "wait":
    while True:
        time.sleep(1)
for line in range(300 if command == "lines" else 0):
    print("line %d" % line)
spark.stop()
