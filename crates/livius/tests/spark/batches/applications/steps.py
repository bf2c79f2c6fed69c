"""Goes on from step to step as the test says, by files that it makes: `steps.py <folder> <exit code> [spark]`."""

import os
import sys
import time

folder, code, *rest = sys.argv[1:]


def wait_for(step):
    while not os.path.exists(os.path.join(folder, step)):
        if not os.path.exists(folder):
            sys.exit("nobody will come")
        time.sleep(0.05)


if rest == ["spark"]:
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.getOrCreate()
print("begun")
wait_for("speak")
print("spoken")
wait_for("end")
print("over")
sys.exit(int(code))
