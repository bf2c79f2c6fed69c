"""PySpark on the driver's own JVM: the session that all kinds share."""

import os
import warnings

from . import interrupts


class Spark:
    """What the user's code finds bound, and the one call that prepares the JVM for a statement."""

    def __init__(self, port, secret):
        gateway = _connect(port, secret)
        from pyspark import SparkConf, SparkContext
        from pyspark.sql import SparkSession

        interrupts.protect_gateway()
        _silence_query_loggers()
        self._driver = gateway.entry_point
        context = self._driver.javaSparkContext()
        conf = SparkConf(_jvm=gateway.jvm, _jconf=context.getConf())
        self.context = SparkContext(gateway=gateway, jsc=context, conf=conf)
        self.session = SparkSession(self.context, self._driver.session())
        self._add_submitted_files()

    def begin(self, statement):
        """Puts the jobs of this thread into the statement's group, by which they are counted and cancelled."""
        self._driver.begin(statement)

    def names(self):
        names = {"sc": self.context, "spark": self.session}
        from pyspark import cloudpickle
        from pyspark.streaming import StreamingContext

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # both are deprecated, and Livy's users expect them
            from pyspark.sql import HiveContext, SQLContext

            names["sqlContext"] = SQLContext(self.context, self.session)
        names.update(cloudpickle=cloudpickle, HiveContext=HiveContext, StreamingContext=StreamingContext)
        return names

    def _add_submitted_files(self):
        """Sends `spark.submit.pyFiles` to the executors: Spark itself does so for Python programs only."""
        for path in filter(None, self.context.getConf().get("spark.submit.pyFiles", "").split(",")):
            self.context.addPyFile(path)


def _connect(port, secret):
    from pyspark.java_gateway import launch_gateway

    os.environ["PYSPARK_GATEWAY_PORT"] = str(port)
    os.environ["PYSPARK_GATEWAY_SECRET"] = secret
    try:
        return launch_gateway()
    finally:
        # Programs that the user's code starts have no business with this JVM.
        del os.environ["PYSPARK_GATEWAY_PORT"], os.environ["PYSPARK_GATEWAY_SECRET"]


def _silence_query_loggers():
    """Spark 4 prints each failed query to stderr as a line of JSON, which only repeats what its exception says."""
    try:
        from pyspark.logger import PySparkLogger
    except ImportError:  # Spark 3
        return
    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        PySparkLogger.getLogger(name).disabled = True
