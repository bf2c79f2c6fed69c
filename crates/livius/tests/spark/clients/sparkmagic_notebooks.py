"""Notebooks in the kernels and with the magics of sparkmagic, unchanged: `sparkmagic_notebooks.py <name> <URL>`.

The home directory is the test's own. Cells are run one by one, as a person does who looks at what each of them shows.
"""

import asyncio
import faulthandler
import json
import os
import sys
from pathlib import Path

import nbformat
import requests
import sparkmagic
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_core.utils import ensure_async
from nbclient import NotebookClient

SETTINGS = {"conf": {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": 3}}


def install(url):
    """As sparkmagic's own manual says."""
    for kernel in ("pysparkkernel", "sparkkernel", "sparkrkernel"):
        folder = os.path.join(os.path.dirname(sparkmagic.__file__), "kernels", kernel)
        KernelSpecManager().install_kernel_spec(folder, kernel, user=True)
    at = {"username": "", "password": "", "url": url, "auth": "None"}
    config = Path.home() / ".sparkmagic" / "config.json"
    config.parent.mkdir()
    config.write_text(
        json.dumps(
            {
                "kernel_python_credentials": at,
                "kernel_scala_credentials": at,
                "kernel_r_credentials": at,
                "session_configs_defaults": SETTINGS,
                "livy_session_startup_timeout_seconds": 180,
                "wait_for_idle_timeout_seconds": 60,
                # It waits for the next of its own heartbeats before it lets go of a session.
                "heartbeat_refresh_seconds": 1,
                "heartbeat_retry_seconds": 1,
                # Charts would need packages that have nothing to do with the server.
                "use_auto_viz": False,
            }
        )
    )


class Server:
    def __init__(self, url):
        self.url = url

    def get(self, path):
        return requests.get(f"{self.url}{path}", timeout=60).json()

    def sessions(self):
        return self.get("/sessions")["sessions"]

    def the_session(self):
        (session,) = self.sessions()
        return session


class Shown:
    """What a cell shows: on its two streams, and besides them."""

    def __init__(self, cell):
        self.source, self.outputs = cell.source, cell.outputs
        self.out, self.err = self._stream("stdout"), self._stream("stderr")
        self.data = [output.data for output in cell.outputs if "data" in output]
        self.errors = [output.evalue for output in cell.outputs if output.output_type == "error"]

    def _stream(self, name):
        streams = [output for output in self.outputs if output.output_type == "stream"]
        return "".join(stream.text for stream in streams if stream.name == name)

    def html(self):
        return "".join(str(data.get("text/html", "")) for data in self.data)

    def __repr__(self):
        return f"{self.source}\n-> {self.outputs}"


class Notebook:
    def __init__(self, kernel):
        # Errors are what a person would see, not the end.
        self.client = NotebookClient(
            nbformat.v4.new_notebook(), kernel_name=kernel, timeout=300, allow_errors=True
        )

    async def start(self, source):
        cells = self.client.nb.cells
        cells.append(nbformat.v4.new_code_cell(source))
        return await self.client.async_execute_cell(cells[-1], len(cells) - 1)

    async def sees(self, source):
        """What a cell shows, errors included."""
        return Shown(await self.start(source))

    async def shows(self, source):
        """What a cell shows that must do well."""
        shown = await self.sees(source)
        assert not shown.err and not shown.errors, shown
        return shown

    async def prints(self, source):
        return (await self.shows(source)).out.strip()

    async def interrupt(self):
        await ensure_async(self.client.km.interrupt_kernel())


async def pyspark(notebook, server):
    first = {**SETTINGS, "driverMemory": "700m", "name": "a notebook"}
    await notebook.shows(f"%%configure -f\n{json.dumps(first)}")
    assert server.sessions() == []
    started = await notebook.shows("print(spark.conf.get('spark.driver.memory'))")
    session = server.the_session()
    assert "SparkSession available as 'spark'." in started.out, started
    assert started.out.endswith("700m"), started
    assert session["appId"] in started.html(), started
    assert (session["kind"], session["name"]) == ("pyspark", "a notebook"), session

    await notebook.shows("words = spark.createDataFrame([(1, 'λ 🤔'), (2, 'say \"b\"')], ['n', 't'])")
    assert await notebook.prints("words.count()") == "2"
    await notebook.shows("words.createOrReplaceTempView('words')\nkept = 42")
    await fails(notebook, "1 / 0", "ZeroDivisionError")
    assert await notebook.prints("kept") == "42"

    await sql(notebook)
    await frames(notebook)
    assert await notebook.prints("%%local\nprint([int(n) for n in table.n])") == "[1, 2]"
    await notebook.shows("%%local\nheard = 'from here: λ'")
    await notebook.shows("%%send_to_spark -i heard -t str -n heard")
    assert await notebook.prints("print(heard)") == "from here: λ"
    # sparkmagic writes the table as a literal of Python's, and forgets to escape quotes.
    await notebook.shows("%%local\nplain = table[table.n == 1]")
    await notebook.shows("%%send_to_spark -i plain -t df -n sent")
    assert await notebook.prints("[(row.n, row.t) for row in sent.collect()]") == "[(1, 'λ 🤔')]"

    await notebook.shows("import matplotlib.pyplot as plt\nlines = plt.plot([1, 2])")
    picture = await notebook.shows("%matplot plt")
    assert any("image/png" in data for data in picture.data), picture
    info = await notebook.shows("%%info")
    assert session["appId"] in info.html() and "700m" in info.html(), info
    assert "stdout: " in await notebook.prints("%%logs")

    await is_interrupted(notebook, server)
    assert await notebook.prints("kept + 1") == "43"

    second = {**SETTINGS, "driverMemory": "600m"}
    again = await notebook.shows(f"%%configure -f\n{json.dumps(second)}")
    assert server.the_session()["id"] != session["id"], again
    assert await notebook.prints("print(spark.conf.get('spark.driver.memory'))") == "600m"
    await fails(notebook, "kept", "NameError")


async def is_interrupted(notebook, server):
    """A loop that has nothing of Spark in it, too."""
    statements = f"/sessions/{server.the_session()['id']}/statements"
    running = asyncio.create_task(notebook.sees("while True: pass"))
    while server.get(statements)["statements"][-1]["state"] != "running":
        assert not running.done(), running.result()
        await asyncio.sleep(0.1)
    await notebook.interrupt()
    shown = await running
    assert "Interrupted by user" in shown.err or shown.errors, shown


async def spark(notebook, server):
    started = await notebook.shows("val kept = 41 + 1")
    session = server.the_session()
    assert session["kind"] == "spark", session
    assert "SparkSession available as 'spark'." in started.out, started
    assert started.out.endswith("kept: Int = 42\n"), started
    rows = "Seq((1, \"λ 🤔\"), (2, \"say \\\"b\\\"\"))"
    await notebook.shows(f'{rows}.toDF("n", "t").createOrReplaceTempView("words")')
    await fails(notebook, "1 / 0", "java.lang.ArithmeticException: / by zero")
    await fails(notebook, "val wrong: Int = nosuch", "not found: value nosuch")
    assert await notebook.prints("println(kept)") == "42"
    await sql(notebook)
    await frames(notebook)
    # Everything at the server, of any client.
    assert "-f" in (await notebook.sees("%%cleanup")).err
    assert server.the_session()["id"] == session["id"]
    await notebook.shows("%%cleanup -f")
    assert server.sessions() == []


async def sql(notebook):
    everything = "SELECT n, t FROM words ORDER BY n"
    assert "λ 🤔" in str((await notebook.shows(f"%%sql\n{everything}")).data)
    await notebook.shows(f"%%sql -q -o table\n{everything}")
    records = await notebook.prints("%%local\nprint(table.to_dict('records'))")
    assert records == str([{"n": 1, "t": "λ 🤔"}, {"n": 2, "t": 'say "b"'}]), records
    await notebook.shows("%%sql -q -o nothing\nSELECT n FROM words WHERE n > 5")
    assert await notebook.prints("%%local\nprint(len(nothing))") == "0"
    await fails(notebook, "%%sql\nSELECT nosuch FROM words", "nosuch")


async def frames(notebook):
    await notebook.shows(
        '%%spark -o twice\n{}twice = spark.range(3).selectExpr("id", "id * 2 AS twice")'.format(
            "val " if notebook.client.kernel_name == "sparkkernel" else ""
        )
    )
    records = await notebook.prints("%%local\nprint(twice.to_dict('records'))")
    assert records == str([{"id": i, "twice": 2 * i} for i in range(3)]), records


async def fails(notebook, source, why):
    shown = await notebook.sees(source)
    assert why in shown.err, shown


async def sparkr(notebook, server):
    """Where there is no SparkR, sparkmagic cannot go on, and leaves nothing behind."""
    shown = await notebook.sees("cat(1 + 2)")
    if "Neither SparkSession nor HiveContext/SqlContext is available." in shown.err:
        print("SKIPPED: no SparkR here, so only its absence is tested")
        assert server.sessions() == []
        return
    assert not shown.err and shown.out.endswith("3"), shown
    # `%%sql` would want jsonlite, which is no part of R.
    await notebook.shows("numbers <- sql('SELECT id + 1 AS n FROM range(2)')")
    assert await notebook.prints("cat(collect(numbers)$n)") == "1 2"
    await fails(notebook, "stop('on purpose')", "on purpose")


async def magics(notebook, server):
    """In a notebook of IPython's own kernel."""
    await notebook.shows("%load_ext sparkmagic.magics")
    added = await notebook.shows(f"%spark add -s one -l python -u {server.url}")
    session = server.the_session()
    assert session["kind"] == "pyspark" and session["appId"] in added.html(), added
    assert await notebook.prints("%%spark\nprint(6 * 7)") == "42"
    rows = "[(1, 'λ 🤔'), (2, 'b')]"
    await notebook.shows(f"%%spark -s one\nspark.createDataFrame({rows}, ['n', 't']).createTempView('words')")
    await notebook.shows("%%spark -s one -c sql -q -o table\nSELECT * FROM words ORDER BY n")
    assert await notebook.prints("print(list(table.t))") == "['λ 🤔', 'b']"
    await fails(notebook, "%%spark\nraise KeyError('on purpose')", "on purpose")
    assert f"Session id: {session['id']}" in await notebook.prints("%spark info")
    assert "stdout: " in await notebook.prints("%spark logs -s one")
    await notebook.shows("%spark delete -s one")
    assert server.sessions() == []


KERNELS = {pyspark: "pysparkkernel", spark: "sparkkernel", sparkr: "sparkrkernel", magics: "python3"}


async def run(act, server):
    notebook = Notebook(KERNELS[act])
    async with notebook.client.async_setup_kernel():
        await act(notebook, server)
    # A kernel that is shut down takes its session with it.
    for _ in range(300):
        if server.sessions() == []:
            break
        await asyncio.sleep(0.1)
    assert server.sessions() == []


if __name__ == "__main__":
    # A wait in vain says where it waited.
    faulthandler.dump_traceback_later(400, exit=True)
    name, url = sys.argv[1:]
    install(url)
    asyncio.run(run({act.__name__: act for act in KERNELS}[name], Server(url)))
    print("sparkmagic is content")
