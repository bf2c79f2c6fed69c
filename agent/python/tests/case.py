"""Tests that run statements in a whole process."""

import unittest

from tests.process import Process

DATA = {"data": {}, "notes": []}


class OfProcess(unittest.TestCase):
    def setUp(self):
        self.process = Process()
        self.addCleanup(self.process.close)

    def printed(self, code):
        reply, output, errors = self.process.run(code)
        self.assertEqual((reply, errors), (DATA, ""), code)
        return output

    def error(self, code):
        return self.process.run(code)[0]["error"]

    def logged(self, words):
        """Waits until the process has written these words to stderr, while no statement runs."""
        return self.process.errors.until(words)
