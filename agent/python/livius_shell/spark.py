"""PySpark on the driver's own JVM: the session that all kinds share."""

import importlib
import logging
import os
import signal
import sys
import threading
import warnings

from . import interrupts


class Spark:
    """The names bound for the user's code, and the calls that prepare the JVM for a statement or a job.

    The driver may still be making its SparkContext while PySpark is loaded.
    """

    def __init__(self, port, secret):
        _import_all()
        self._gateway = _connect(port, secret)
        interrupts.protect_gateway()
        unlogged.prepare()
        _silence_query_loggers()
        self._driver = self._gateway.entry_point
        self._namespace = {}
        self._bound = {}
        self._lock = threading.Lock()
        self._application = None

    def attach(self, namespace):
        """Waits for the driver's SparkContext, and binds the names for the user's code."""
        os.chdir(self._driver.directory())
        self._attach()
        self._add_submitted_files()
        self._namespace = namespace
        self._bound = self._names()
        namespace.update(self._bound)

    def begin(self, statement):
        """Puts the jobs of this thread into the statement's group, by which they are counted and cancelled."""
        with unlogged:
            self._follow(self._driver.begin(statement))

    def begin_rehearsal(self):
        """As `begin`, for code that belongs to no statement."""
        with unlogged:
            self._follow(self._driver.beginRehearsal())

    def begin_job(self, job, group):
        """As `begin`, for a job, in the job's thread."""
        with unlogged:
            self._follow(self._driver.beginJob(job, group))

    def _follow(self, application):
        with self._lock:
            if application != self._application:
                self._attach()
                self._rebind()

    def _attach(self):
        """Wraps the driver's SparkSession and its context, which the user's code may have replaced."""
        from pyspark.sql import SparkSession

        context = self._driver.javaSparkContext()
        application = context.sc().applicationId()
        self.context = _active_context(application) or _wrapped(context, self._gateway)
        self.session = SparkSession(self.context, self._driver.session())
        self.sql_context = self._sql_context()
        self._application = application

    def _rebind(self):
        """Leaves names alone that the user's code has bound to something that is still of use."""
        names = self._names()
        for name, value in names.items():
            current = self._namespace.get(name)
            if current is self._bound.get(name) or _is_stopped(current):
                self._namespace[name] = value
        self._bound = names

    def _names(self):
        from pyspark import cloudpickle
        from pyspark.sql import HiveContext
        from pyspark.streaming import StreamingContext

        names = {"sc": self.context, "spark": self.session, "sqlContext": self.sql_context}
        names.update(cloudpickle=cloudpickle, HiveContext=HiveContext, StreamingContext=StreamingContext)
        return names

    def hive_context(self):
        from pyspark.sql import HiveContext

        if self.session.conf.get("spark.sql.catalogImplementation") != "hive":
            raise RuntimeError(
                "this session has no Hive catalog: create the session with the conf spark.sql.catalogImplementation=hive, "
                "or use spark_session"
            )
        return HiveContext(self.context, self.session, self.session._jsparkSession.sqlContext())

    def streaming_context(self, batch_seconds):
        from pyspark.streaming import StreamingContext

        return StreamingContext(self.context, batch_seconds)

    def add_library(self, path):
        """Makes a module's file or an archive importable here. The executors have it already; `addPyFile` would do both."""
        folder, name = os.path.split(path)
        if name.endswith(".py"):
            entry = folder
        else:
            entry = path
            if name not in self.context._python_includes:
                self.context._python_includes.append(name)
        if entry not in sys.path:
            sys.path.insert(1, entry)
        importlib.invalidate_caches()

    def _sql_context(self):
        from pyspark.sql import SQLContext

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecated, but Livy's users expect it
            return SQLContext(self.context, self.session)

    def _add_submitted_files(self):
        """Sends `spark.submit.pyFiles` to the executors: Spark itself does so for Python programs only."""
        for path in filter(None, self.context.getConf().get("spark.submit.pyFiles", "").split(",")):
            self.context.addPyFile(path)


def _active_context(application):
    """PySpark's own context, if it is of that application."""
    from pyspark import SparkContext

    active = SparkContext._active_spark_context
    return active if active is not None and active._jsc is not None and active.applicationId == application else None


def _is_stopped(value):
    """Tells whether a SparkContext, or the context of a session, has stopped."""
    from pyspark import SparkContext

    context = value if isinstance(value, SparkContext) else getattr(value, "_sc", None)
    return isinstance(context, SparkContext) and (context._jsc is None or context._jsc.sc().isStopped())


def _wrapped(context, gateway):
    """A context that code of another kind has made, in place of the one that PySpark knew."""
    from pyspark import SparkConf, SparkContext
    from pyspark.sql import SparkSession

    SparkContext._active_spark_context = None
    SparkSession._instantiatedSession = None
    handler = signal.getsignal(signal.SIGINT)
    try:
        return SparkContext(gateway=gateway, jsc=context, conf=SparkConf(_jvm=gateway.jvm, _jconf=context.getConf()))
    finally:
        # PySpark installs a handler that cancels the jobs of all threads.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)


def _import_all():
    """Loads what `attach` needs of PySpark, which takes longer than all the rest of the start."""
    import pyspark.cloudpickle
    import pyspark.sql
    import pyspark.streaming  # noqa: F401


def _connect(port, secret):
    from pyspark.java_gateway import launch_gateway

    os.environ["PYSPARK_GATEWAY_PORT"] = str(port)
    os.environ["PYSPARK_GATEWAY_SECRET"] = secret
    try:
        return launch_gateway()
    finally:
        # Programs that the user's code starts must not connect to this JVM.
        del os.environ["PYSPARK_GATEWAY_PORT"], os.environ["PYSPARK_GATEWAY_SECRET"]


class _Unlogged(threading.local):
    """While a thread is in it, py4j's loggers tell nothing of the thread's calls: they are ours, not the user's."""

    active = False

    def prepare(self):
        for name in ("py4j.clientserver", "py4j.java_gateway"):
            logging.getLogger(name).addFilter(self._is_shown)

    def _is_shown(self, record):
        return not self.active

    def __enter__(self):
        self.active = True

    def __exit__(self, *reason):
        self.active = False


unlogged = _Unlogged()


def _silence_query_loggers():
    """Spark 4 prints each failed query to stderr as a line of JSON, which only repeats what its exception says."""
    try:
        from pyspark.logger import PySparkLogger
    except ImportError:  # Spark 3
        return
    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        PySparkLogger.getLogger(name).disabled = True
