"""Starts processes that outlive it if they can: a child, one in a session of its own, one that nobody is the parent of."""

import os
import subprocess
import time

from pyspark.sql import SparkSession

stubborn = ["sh", "-c", "trap '' TERM INT HUP; while :; do sleep 1000; done"]
child = subprocess.Popen(["sleep", "1000"])
apart = subprocess.Popen(stubborn, start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sleep", ["sleep", "1001"])
    os._exit(0)

spark = SparkSession.builder.getOrCreate()
print("ready")
while os.path.exists(__file__):
    time.sleep(0.05)
