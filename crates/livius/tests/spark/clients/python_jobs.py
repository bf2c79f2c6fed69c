"""Livy's Python API as its client speaks it: functions, pickled by cloudpickle, as jobs of a session.

The client itself is in no package index; this sends what it sends. Arguments: the server, and a folder for files.
"""

import base64
import os
import pickle
import sys
import time
import zipfile

import cloudpickle
import requests

ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")
PATIENCE = 180


class Client:
    """One session. Every request has what Livy's client puts into it."""

    def __init__(self, url):
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["X-Requested-By"] = "livy"
        if "/sessions/" in url:
            self.server, _, number = url.partition("/sessions/")
            self.session = int(number)
            answer = self.send("POST", "/connect")
            assert answer.json()["id"] == self.session, answer.text
        else:
            self.server = url
            request = {"kind": "pyspark", "conf": {"spark.ui.enabled": "false", "livy.uri": url}}
            answer = self.http.post(url + "/sessions/", json=request, timeout=10)
            assert answer.status_code == 201, answer.text
            self.session = answer.json()["id"]

    def send(self, method, path, status=200, **more):
        answer = self.http.request(method, "%s/sessions/%d%s" % (self.server, self.session, path), timeout=10, **more)
        assert answer.status_code == status, (method, path, answer.status_code, answer.text)
        return answer

    def await_idle(self):
        wait(lambda: self.send("GET", "").json()["state"], ("idle",), ("dead", "killed", "error"))

    def submit(self, function, command="submit-job"):
        job = base64.b64encode(cloudpickle.dumps(function)).decode()
        status = self.send("POST", "/" + command, 201, json={"job": job, "jobType": "pyspark"}).json()
        assert list(status) == ["id", "state", "result", "error"], status
        assert (status["state"], status["result"], status["error"]) == ("SENT", None, None), status
        return status["id"]

    def status(self, job):
        status = self.send("GET", "/jobs/%d" % job).json()
        assert status["id"] == job, status
        assert status["state"] in ENDED or status["result"] is status["error"] is None, status
        return status

    def ended(self, job):
        wait(lambda: self.status(job)["state"], ENDED)
        return self.status(job)

    def run(self, function, command="submit-job"):
        status = self.ended(self.submit(function, command))
        assert status["state"] == "SUCCEEDED" and status["error"] is None, status
        # It is encoded twice.
        return pickle.loads(base64.b64decode(base64.b64decode(status["result"])))

    def failed(self, function):
        status = self.ended(self.submit(function))
        assert status["state"] == "FAILED" and status["result"] is None, status
        return status["error"]

    def statement(self, code):
        return self.send("POST", "/statements", 201, json={"code": code}).json()["id"]

    def output(self, statement):
        path = "/statements/%d" % statement
        wait(lambda: self.send("GET", path).json()["state"], ("available",), ("cancelled",))
        return self.send("GET", path).json()["output"]["data"]["text/plain"]

    def upload(self, command, path):
        with open(path, "rb") as content:
            answer = self.send("POST", "/" + command, files={"file": content})
        assert answer.content == b"", answer.text

    def add(self, command, path):
        answer = self.send("POST", "/" + command, json={"uri": "file://" + path})
        assert answer.content == b"", answer.text


def wait(ask, wanted, never=()):
    """Asks as Livy's client does: after a tenth of a second, and less and less often. That one waits up to five seconds."""
    pause, end = 0.1, time.monotonic() + PATIENCE
    while True:
        state = ask()
        if state in wanted:
            return state
        assert state not in never and time.monotonic() < end, (state, wanted)
        time.sleep(pause)
        pause = min(pause * 2, 1)


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def results(client):
    assert client.run(lambda context: "λ 🤔") == "λ 🤔"
    assert client.run(lambda context: None) is None
    assert client.run(lambda context: {"a": [1, 2.5, b"\x00\xff"]}, "run-job") == {"a": [1, 2.5, b"\x00\xff"]}
    large = os.urandom(1000000)
    assert client.run(lambda context: large + large) == large + large
    offset = 5
    assert client.run(lambda context: context.sc.parallelize(range(10), 2).map(lambda n: n + offset).sum()) == 95
    query = "select id, 'λ' as l from range(2)"
    rows = client.run(lambda context: [tuple(row) for row in context.spark_session.sql(query).collect()])
    assert rows == [(0, "λ"), (1, "λ")], rows
    assert client.run(lambda context: context.sql_ctx.sql("select 7 as n").first().n) == 7
    assert client.run(lambda context: __import__("os").path.isdir(context.local_tmp_dir_path))


def contexts(client):
    error = client.failed(lambda context: context.hive_ctx)
    assert "no Hive catalog" in error and "spark.sql.catalogImplementation=hive" in error, error
    error = client.failed(lambda context: context.streaming_ctx)
    assert "call create_streaming_ctx first" in error, error

    def counts_of_a_stream(context):
        import queue

        counts = queue.Queue()
        context.create_streaming_ctx(0.1)
        rows = context.sc.parallelize(range(70), 2)
        context.streaming_ctx.queueStream([rows]).foreachRDD(lambda batch: counts.put(batch.count()))
        context.streaming_ctx.start()
        try:
            return counts.get(timeout=60)
        finally:
            context.stop_streaming_ctx()

    # The session goes on without the streaming context, and a job may make another one.
    assert [client.run(counts_of_a_stream) for _ in range(2)] == [70, 70]
    assert client.run(lambda context: context.sc.parallelize(range(5)).sum()) == 10
    # A later job finds the file that a job wrote into the folder.
    client.run(lambda context: open(context.local_tmp_dir_path + "/note", "w").write("kept"))
    assert client.run(lambda context: open(context.local_tmp_dir_path + "/note").read()) == "kept"


def failures(client):
    error = client.failed(lambda context: {}["as asked λ"])
    assert "Client job error:" in error and "KeyError: 'as asked λ'" in error, error
    error = client.failed(lambda context: context.sc.parallelize([0]).map(lambda n: 1 // n).collect())
    assert "ZeroDivisionError" in error, error

    def cannot_be_pickled(context):
        return context.sc

    client.failed(cannot_be_pickled)
    # A call that ends a program ends only the job.
    client.failed(lambda context: sys.exit(3))
    assert client.run(lambda context: 1 + 1) == 2
    for body, words in [({"job": "", "jobType": "pyspark"}, "no job provided"), ({"job": "%%", "jobType": "pyspark"}, "")]:
        refused = client.send("POST", "/submit-job", 400, json=body)
        assert words in refused.text, refused.text


def sharing(client):
    client.run(lambda context: context.set_shared_object("word", "kept"))
    assert client.run(lambda context: context.get_shared_object("word")) == "kept"
    client.run(lambda context: context.set_shared_object("gone", 1))
    for _ in range(2):
        client.run(lambda context: context.remove_shared_object("gone"))
        assert client.run(lambda context: context.get_shared_object("gone")) is None
    # A job runs at the same time as a statement and as other jobs, and waits for none.
    statement = client.statement("import os, time\nwhile not os.environ.get('BATON'): time.sleep(0.05)\n'went on'")

    def awaits(context):
        import os
        import time

        while not os.environ.get("BATON"):
            time.sleep(0.05)
        return "passed"

    waiting = client.submit(awaits)
    assert client.run(lambda context: __import__("os").environ.setdefault("BATON", "here")) == "here"
    assert client.ended(waiting)["state"] == "SUCCEEDED"
    assert client.output(statement) == "'went on'"
    # Jobs and statements share the Spark session.
    client.run(lambda context: context.spark_session.range(3).createOrReplaceTempView("of_a_job"))
    assert client.output(client.statement("spark.table('of_a_job').count()")) == "3"


def cancelling(client):
    def endless(context):
        import time

        context.set_shared_object("endless", "runs")
        try:
            while True:
                time.sleep(0.05)
        finally:
            context.set_shared_object("endless", "stopped")

    def endless_on_executors(context):
        context.set_shared_object("endless", "runs")
        try:
            context.sc.parallelize([1, 2], 2).foreach(lambda _: __import__("time").sleep(600))
        finally:
            context.set_shared_object("endless", "stopped")

    for function in endless, endless_on_executors:
        client.run(lambda context: context.set_shared_object("endless", ""))
        job = client.submit(function)
        said = lambda: client.run(lambda context: context.get_shared_object("endless"))  # noqa: E731
        wait(said, ("runs",))
        assert client.send("POST", "/jobs/%d/cancel" % job).content == b""
        status = client.ended(job)
        assert status["state"] == "CANCELLED" and status["result"] is None, status
        wait(said, ("stopped",))
    assert client.send("POST", "/jobs/99999/cancel").content == b""


def files(client, folder):
    client.upload("upload-file", write(folder + "/uploaded λ.txt", "uploaded"))
    client.upload("upload-pyfile", write(folder + "/uploaded_module.py", "def word(): return 'of a module'\n"))
    client.add("add-file", write(folder + "/added.txt", "added"))
    with zipfile.ZipFile(folder + "/added_package.zip", "w") as package:
        package.writestr("added_package/__init__.py", "def word(): return 'of a package'\n")
    client.add("add-pyfile", folder + "/added_package.zip")

    def read(context):
        from pyspark import SparkFiles

        names = ["uploaded λ.txt", "added.txt"]
        return [open(SparkFiles.get(name), encoding="utf-8").read() for name in names]

    def words(_):
        import added_package
        import uploaded_module

        return [uploaded_module.word(), added_package.word()]

    assert client.run(read) == ["uploaded", "added"]
    assert client.run(words) == ["of a module", "of a package"]
    on_executors = client.run(lambda context: context.sc.parallelize([0], 1).map(words).collect())
    assert on_executors == [["of a module", "of a package"]], on_executors
    assert client.output(client.statement("import uploaded_module\nuploaded_module.word()")) == "'of a module'"
    refused = client.http.post("%s/sessions/%d/upload-file" % (client.server, client.session), files={"other": b""}, timeout=10)
    assert refused.status_code == 400 and "No file sent!" in refused.text, refused.text


def main():
    server, folder = sys.argv[1:]
    client = Client(server)
    client.await_idle()
    results(client)
    contexts(client)
    failures(client)
    sharing(client)
    cancelling(client)
    files(client, folder)
    again = Client("%s/sessions/%d" % (server, client.session))
    assert again.run(lambda context: context.get_shared_object("word")) == "kept"
    # A status may be read again and again.
    assert again.status(1) == again.status(1) and again.status(1)["state"] == "SUCCEEDED"
    again.await_idle()
    again.send("DELETE", "")
    print("the protocol of Livy's Python client is content")


main()
