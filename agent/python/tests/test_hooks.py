"""The shell's own calls are not seen by hooks and do not need functions that the user replaced."""

from tests.case import DATA, OfProcess


class Hooks(OfProcess):
    def test_the_machinery_is_not_seen(self):
        for hook in (
            "sys.settrace(show)",
            "sys.setprofile(show)",
            "sys.settrace(show); sys.setprofile(show)",
            "threading.settrace(show); threading.setprofile(show)",
        ):
            self.process.run(
                "import sys, threading\nshown = []\n"
                "def show(frame, event, arg):\n"
                "    shown.append((frame.f_code.co_filename, frame.f_code.co_name, event, arg))\n"
                "    return show\n" + hook
            )
            self.assertEqual(self.printed("x = 5"), "")
            self.process.run("seen = list(shown); sys.settrace(None); sys.setprofile(None); threading.settrace(None)")
            self.process.run("threading.setprofile(None)")
            self.assertEqual(self.printed("[each for each in seen if 'livius_shell' in each[0]]"), "[]\n", hook)
            if "threading" not in hook:
                self.assertEqual(self.printed("any(each[1] == '<module>' for each in seen)"), "True\n", hook)

    def test_hooks_that_raise(self):
        self.printed("import sys\nkept = 1\ndef fail(*given): raise TimeoutError('hook')")
        for hook in ("sys.settrace(fail)", "sys.setprofile(fail)"):
            self.process.run(hook)
            self.process.run("x = 5")
            self.process.run("sys.settrace(None); sys.setprofile(None)")
            self.assertEqual(self.printed("kept"), "1\n")

    def test_a_hook_lasts(self):
        self.printed("import sys\nseen = []\ndef f(): pass")
        self.printed("sys.setprofile(lambda frame, *given: seen.append(frame.f_code.co_name))")
        self.printed("f()")
        self.printed("sys.setprofile(None)")
        self.assertEqual(self.printed("'f' in seen"), "True\n")
        self.printed("import cProfile\nprofile = cProfile.Profile()\nprofile.enable()")
        self.printed("f()")
        self.printed("profile.disable()")

    def test_the_log_of_py4j(self):
        self.printed(
            "import logging, sys, warnings\nwarnings.simplefilter('always')\nlogging.basicConfig(level=logging.DEBUG)\n"
            "logging.getLogger().addHandler(logging.StreamHandler(sys.stdout))"
        )
        self.assertEqual(self.printed("x = 5"), "")
        reply, output, errors = self.process.run("logging.getLogger('py4j.clientserver').debug('mine')")
        self.assertEqual((reply, output), (DATA, "mine\n"))
        self.assertIn("mine", errors)

    def test_functions_that_the_user_replaces(self):
        def fail(name):
            return "{}.{} = fail\n".format(*name.rsplit(".", 1))

        names = "builtins.print builtins.open io.TextIOWrapper json.dumps json.loads"
        names += " json.JSONEncoder.encode json.JSONEncoder.iterencode json.JSONDecoder.decode"
        names += " os.write os.dup2 os.getpid os.set_blocking os.close os._exit queue.SimpleQueue signal.signal socket.socket"
        names += " sys.settrace sys.gettrace sys.setprofile sys.getprofile sys.setrecursionlimit sys.getrecursionlimit"
        names += " threading.get_ident threading.Thread warnings.warn"
        self.printed("import builtins, io, json, os, queue, signal, socket, sys, threading, warnings")
        self.printed("def fail(*given, **named): 1/0")
        for name in names.split():
            self.printed("kept = {}".format(name))
            self.printed(fail(name))
            self.assertEqual(self.printed("x = 5"), "", name)
            self.assertEqual(self.printed("x"), "5\n", name)
            self.assertEqual(self.error("nowhere")["ename"], "NameError", name)
            self.printed("{} = kept".format(name))

    def test_streams_that_add_something(self):
        self.printed(
            "import sys\nclass Loud:\n  def write(self, text): return sys.__stdout__.write('<' + text + '>')\n"
            "  def flush(self): pass\nsys.stdout = sys.stderr = Loud()"
        )
        for _ in range(2):
            self.assertEqual(self.printed("x = 5"), "")
            self.assertEqual(self.printed("print(x)"), "<5><\n>")

    def test_a_low_recursion_limit(self):
        for _ in range(2):
            self.process.run("import sys; sys.setrecursionlimit(60)")
            self.assertEqual(self.error("def r(n): return n and 1 + r(n - 1)\nr(100)")["ename"], "RecursionError")
            self.assertEqual(self.printed("sys.getrecursionlimit()"), "60\n")
        self.printed("sys.setrecursionlimit(1000)")
        self.assertEqual(self.printed("r(100)"), "100\n")

    def test_threads_of_the_session_are_not_listed(self):
        self.assertEqual(self.printed("import threading; [t.name for t in threading.enumerate()]"), "['MainThread']\n")
