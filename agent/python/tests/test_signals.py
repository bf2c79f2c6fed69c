"""User code that runs while no statement does: handlers of signals, finalizers, exceptions thrown by other threads."""

import signal
import sys
import time

from tests.case import DATA, OfProcess

HANDLER = """
import _thread, os, signal, sys, threading, time
def handler(number, frame):
    raise TimeoutError("too late")
for number in (signal.SIGALRM, signal.SIGUSR1, signal.SIGHUP, signal.SIGINT):
    signal.signal(number, handler)
kept = 1
"""


class Signals(OfProcess):
    def test_a_handler_may_raise_while_no_statement_runs(self):
        self.printed(HANDLER)
        for number in (signal.SIGALRM, signal.SIGUSR1, signal.SIGHUP):
            self.process.child.send_signal(number)
            log = self.logged(b"TimeoutError: too late\n")
            self.assertIn('File "<stdin>", line 4, in handler\n    raise TimeoutError("too late")\n', log)
            self.assertNotIn("livius_shell", log)
            self.assertEqual(self.printed("kept"), "1\n")

    def test_interrupts_of_the_main_thread(self):
        self.printed(HANDLER)
        for number in ("", "signal.SIGALRM")[: 1 + (sys.version_info >= (3, 10))]:
            self.printed("timer = threading.Timer(0.05, _thread.interrupt_main, [{}])\ntimer.start()".format(number))
            time.sleep(0.2)
            reply, output, errors = self.process.run("kept")
            self.assertEqual((reply, output), (DATA, "1\n"))
            self.assertEqual("TimeoutError: too late\n" in errors, number != "", errors)

    def test_around_the_end_of_a_statement(self):
        self.printed(HANDLER)
        for step in range(120):
            code = "_ = signal.setitimer(signal.ITIMER_REAL, {})\n".format(1e-6 + 0.005 * (step % 40) / 40)
            code += ("", "sum(range(30000)) and None", "1/0")[step % 3]
            reply, _, _ = self.process.run(code)
            error = reply.get("error", {"ename": ""})
            self.assertIn(error["ename"], ("", "TimeoutError", "ZeroDivisionError"), error)
            self.assertNotIn("livius_shell", "".join(error.get("traceback", [])))
        time.sleep(0.01)
        self.assertEqual(self.process.run("kept")[:2], (DATA, "1\n"))

    def test_one_that_does_not_end(self):
        self.printed(HANDLER)
        self.printed("_ = signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)")
        for _ in range(300):
            self.process.run("pass")
        while self.process.run("_ = signal.setitimer(signal.ITIMER_REAL, 0)")[0] != DATA:
            pass
        self.assertEqual(self.process.run("kept")[:2], (DATA, "1\n"))

    def test_an_exception_that_another_thread_throws(self):
        throw = "ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(main), ctypes.py_object(TimeoutError))"
        self.printed("import ctypes, threading\nkept = 1\nmain = threading.get_ident()\ndef throw(): {}".format(throw))
        for seconds in (0, 0.0002, 0.002, 0.1):
            self.process.run("threading.Timer({}, throw).start()".format(seconds))
            self.process.run("import time; time.sleep(0.2)")
            self.assertEqual(self.process.run("kept")[:2], (DATA, "1\n"))

    def test_finalizers_and_callbacks_that_raise(self):
        code = "import gc, weakref\nkept = 1\nclass A:\n  def __del__(self): raise SystemExit('x')\n"
        code += "def callback(*given): raise SystemExit('y')\n"
        code += "gc.callbacks.append(callback); a = A(); r = weakref.ref(a, callback); a.self = a; del a"
        self.process.run(code)
        self.process.run("gc.collect() and None")
        self.process.run("gc.callbacks.clear()")
        self.assertEqual(self.printed("kept"), "1\n")

    def test_audit_hooks_that_raise(self):
        self.printed("import sys\nkept = 1\nchosen = ''\ndef hook(event, given):\n  if event == chosen: raise TimeoutError(event)")
        self.printed("sys.addaudithook(hook)")
        for event in ("open", "socket.connect", "sys.settrace", "sys._getframe", "import", "object.__getattr__"):
            self.process.run("chosen = {!r}".format(event))
            self.process.run("chosen = ''")
            self.assertEqual(self.printed("kept"), "1\n")
