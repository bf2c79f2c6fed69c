"""The Python interpreter of a Livius session: a child process of the Spark driver.

It runs one statement after another in `__main__`, on the main thread, and answers the driver's agent over sockets of its
own. File descriptors 0, 1 and 2 belong to the user's code.
"""
