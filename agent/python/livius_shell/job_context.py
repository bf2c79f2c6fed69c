"""The argument of a job: the context, with the members that Livy documents."""

import collections
import os
import threading

# As in Livy. The least recently used value is dropped.
MOST_SHARED_OBJECTS = 100


class JobContext:
    """The session as a job sees it. All jobs of this process have the same one, which keeps the values that they share."""

    def __init__(self, spark, folder):
        self._spark = spark
        self._folder = folder
        self._lock = threading.RLock()
        self._hive = None
        self._streaming = None
        self._shared = collections.OrderedDict()

    @property
    def sc(self):
        """The session's SparkContext."""
        return self._spark.context

    @property
    def spark_session(self):
        """The session's SparkSession."""
        return self._spark.session

    @property
    def sql_ctx(self):
        """The session's SQLContext."""
        return self._spark.sql_context

    @property
    def hive_ctx(self):
        """A HiveContext, if the session has a Hive catalog."""
        with self._lock:
            if self._hive is None:
                self._hive = self._spark.hive_context()
            return self._hive

    @property
    def streaming_ctx(self):
        """The StreamingContext that `create_streaming_ctx` made."""
        with self._lock:
            if self._streaming is None:
                raise ValueError("there is no streaming context yet: call create_streaming_ctx first")
            return self._streaming

    def create_streaming_ctx(self, batch_duration):
        """Makes the StreamingContext, with batches of that many seconds."""
        with self._lock:
            if self._streaming is not None:
                raise ValueError("there is a streaming context already: stop_streaming_ctx ends it")
            self._streaming = self._spark.streaming_context(batch_duration)

    def stop_streaming_ctx(self):
        """Stops the StreamingContext. Unlike Livy, keeps the SparkContext, so that the session goes on."""
        with self._lock:
            streaming = self.streaming_ctx
            self._streaming = None
        streaming.stop(stopSparkContext=False)

    @property
    def local_tmp_dir_path(self):
        """A folder on the driver's machine that is deleted with this process."""
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        return self._folder

    def set_shared_object(self, name, object):
        """Keeps a value for other jobs."""
        with self._lock:
            self._shared[name] = object
            self._shared.move_to_end(name)
            while len(self._shared) > MOST_SHARED_OBJECTS:
                self._shared.popitem(last=False)

    def get_shared_object(self, name):
        """The value of that name, or None."""
        with self._lock:
            if name in self._shared:
                self._shared.move_to_end(name)
            return self._shared.get(name)

    def remove_shared_object(self, name):
        """Drops the value of that name, if there is one."""
        with self._lock:
            self._shared.pop(name, None)
