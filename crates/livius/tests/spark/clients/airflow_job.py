"""What the tasks of Airflow submit: `airflow_job.py <name> <lines> <exit code>` asks Spark for some lines, prints them, and ends so."""

import sys

from pyspark.sql import SparkSession

name, lines, code = sys.argv[1], *map(int, sys.argv[2:])
spark = SparkSession.builder.getOrCreate()
assert spark.sparkContext.appName == name, spark.sparkContext.appName
assert spark.conf.get("spark.executor.cores") == "1", spark.conf.get("spark.executor.cores")
assert spark.conf.get("spark.sql.shuffle.partitions") == "3"
for row in spark.range(lines).collect():
    print(f"line {row.id} of the job")
sys.exit(code)
