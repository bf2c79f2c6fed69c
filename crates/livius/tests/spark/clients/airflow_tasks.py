"""Airflow's Livy provider, unchanged, as a worker and a triggerer would call it: `airflow_tasks.py <names> <JSON>`.

The environment names the server: it has the connection `livy_default`.
"""

import asyncio
import faulthandler
import json
import os
import re
import sys
import threading
import time
from contextlib import contextmanager

import structlog
from airflow.providers.apache.livy.hooks.livy import BatchState, LivyHook
from airflow.providers.apache.livy.operators.livy import LivyOperator
from airflow.providers.apache.livy.sensors.livy import LivySensor
from airflow.providers.apache.livy.triggers.livy import LivyTrigger
from airflow.sdk.exceptions import AirflowException, TaskDeferred

said = []


def remember(_logger, _method, event):
    said.append(event["event"])
    print(said[-1], flush=True)
    raise structlog.DropEvent


# Whatever Airflow would write to the log of a task, in order; it is printed, too.
structlog.configure(processors=[remember], cache_logger_on_first_use=False)


class TaskInstance:
    """What the operator asks of its task instance."""

    stats_tags: dict = {}

    def __init__(self):
        self.pushed = {}

    def xcom_push(self, key, value):
        self.pushed[key] = value


class Store:
    """What survives the tries of a task: here, in a file."""

    def __init__(self, path):
        self.path = path

    def get(self, key):
        if not os.path.exists(self.path):
            return None
        with open(self.path) as file:
            return json.load(file).get(key)

    def set(self, key, value):
        with open(self.path + ".new", "w") as file:
            json.dump({key: value}, file)
        os.replace(self.path + ".new", self.path)


def context(store=None):
    return {"ti": TaskInstance(), "task_state_store": store, "ds": "2026-11-21"}


def operator(task, **arguments):
    arguments = {"polling_interval": 1, "name": task, **arguments}
    arguments["conf"] = {"spark.ui.enabled": "false", **arguments.get("conf", {})}
    return LivyOperator(task_id=task, **arguments)


def job(asked, task, lines, code, **arguments):
    """Counts of cores are texts, as they are once Jinja has rendered them; settings may be numbers."""
    arguments = {"executor_cores": "1", "driver_cores": "1", "executor_memory": "512m", **arguments}
    return operator(
        task, file=asked["job"], args=[task, lines, code], conf={"spark.sql.shuffle.partitions": 3}, **arguments
    )


def steps(asked, task):
    return operator(task, file=asked["steps"], args=asked["args"])


def failure(act):
    try:
        act()
    except AirflowException as error:
        return str(error)
    raise AssertionError("it did not fail")


@contextmanager
def watched(operator):
    """Asks for the state of the operator's batch all the time: a state that Airflow has no name for raises."""
    seen, over = [], threading.Event()

    def watch():
        hook = LivyHook()
        try:
            while not over.is_set() and (not seen or seen[-1] not in LivyHook.TERMINAL_STATES):
                if operator._batch_id is not None:
                    state = hook.get_batch_state(operator._batch_id)
                    if state not in seen[-1:]:
                        seen.append(state)
                time.sleep(0.02)
        except Exception as error:
            seen.append(error)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def lines_said():
    return [line for line in said if re.fullmatch(r"line \d+ of the job", line)]


def succeeds(asked):
    task, now = job(asked, "succeeds", 250, 0), context()
    with watched(task) as seen:
        batch = task.execute(now)
    assert seen in (
        [BatchState.STARTING, BatchState.RUNNING, BatchState.SUCCESS],
        [BatchState.STARTING, BatchState.SUCCESS],
    ), seen
    app = now["ti"].pushed["app_id"]
    assert app.startswith("local-") and LivyHook().get_batch(batch)["appId"] == app, app
    assert lines_said() == [f"line {i} of the job" for i in range(250)]
    assert f"Batch with id {batch} terminated with state: success" in said
    assert LivySensor(task_id="sensor", batch_id=batch).poke(now)
    deleted = LivyHook().delete_batch(batch)
    assert deleted == {"msg": "deleted"}, deleted
    gone = failure(lambda: LivyHook().get_batch_state(batch))
    assert gone.startswith(f"Unable to fetch batch with id: {batch}. Message: "), gone


def fails(asked):
    task = job(asked, "fails", 1, 3)
    with watched(task) as seen:
        why = failure(lambda: task.execute(context()))
    assert why == f"Batch {task._batch_id} did not succeed", why
    assert seen[0] == BatchState.STARTING and seen[-1] == BatchState.DEAD, seen
    assert f"Batch with id {task._batch_id} terminated with state: dead" in said
    assert any("exit code 3" in line for line in said)
    refused = failure(lambda: job(asked, "refused", 1, 0, num_executors="many").execute(context()))
    assert refused.startswith("Could not submit batch. Status code: 400. Message: "), refused
    assert "numExecutors" in refused, refused


def is_not_polled(asked):
    """Without a polling interval the task ends once the batch is accepted."""
    now = context()
    batch = job(asked, "accepted", 1, 0, polling_interval=0).execute(now)
    assert now["ti"].pushed == {"app_id": None}, now["ti"].pushed
    LivyHook().delete_batch(batch)


def is_killed(asked):
    """As when the user marks a running task as failed: the batch is deleted while the task still polls."""
    task, failed = steps(asked, "killed"), []
    worker = threading.Thread(target=lambda: failed.append(failure(lambda: task.execute(context()))))
    with watched(task) as seen:
        worker.start()
        while BatchState.RUNNING not in seen:
            assert not isinstance((seen or [None])[-1], Exception), seen
            time.sleep(0.02)
        task.on_kill()
    worker.join()
    assert failed[0].startswith(f"Unable to fetch batch with id: {task._batch_id}."), failed
    print(f"killed {task._batch_id}")


async def triggered(deferred):
    """The triggerer has only what was written down of the trigger."""
    path, arguments = deferred.trigger.serialize()
    assert path == f"{LivyTrigger.__module__}.LivyTrigger", path
    async for event in LivyTrigger(**arguments).run():
        return event.payload


async def both(deferrals):
    return await asyncio.gather(*map(triggered, deferrals))


def deferred(task):
    try:
        task.execute(context())
    except TaskDeferred as deferral:
        return deferral
    raise AssertionError("it was not deferred")


def are_deferred(asked):
    good = job(asked, "good", 20, 0, deferrable=True)
    bad = job(asked, "bad", 20, 4, deferrable=True)
    events = asyncio.run(both([deferred(good), deferred(bad)]))
    assert [event["status"] for event in events] == ["success", "error"], events
    for event in events:
        # Airflow's triggerer takes no more than the first page.
        assert event["log_lines"] == LivyHook().get_batch_logs(event["batch_id"], 0, 100)["log"], event
        assert event["log_lines"][0] == "stdout: ", event
    now = context()
    assert good.execute_complete(now, events[0]) == events[0]["batch_id"]
    assert now["ti"].pushed["app_id"].startswith("local-"), now["ti"].pushed
    why = failure(lambda: bad.execute_complete(context(), events[1]))
    assert why == f"Batch {events[1]['batch_id']} did not succeed", why


def is_tried(asked):
    """A try of a task whose earlier tries may have been cut short."""
    steps(asked, "durable").execute(context(Store(asked["store"])))


TASKS = [succeeds, fails, is_not_polled, is_killed, are_deferred, is_tried]

if __name__ == "__main__":
    # A wait in vain says where it waited.
    faulthandler.dump_traceback_later(400, exit=True)
    names, asked = sys.argv[1], json.loads(sys.argv[2])
    tasks = {task.__name__: task for task in TASKS}
    for name in names.split():
        said.clear()
        tasks[name](asked)
    print("Airflow is content")
