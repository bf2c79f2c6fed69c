"""The Python interpreter of a Livius session: a child process of the Spark driver.

It runs one statement after another in `__main__`, on the main thread, and talks to the driver's agent over its
own sockets. File descriptors 0, 1 and 2 belong to the user's code.
"""
