"""Interrupts: SIGINT stops a statement's code, `raise_in` that of another thread, and neither stops anything else."""

import signal

# User code may replace it in its module.
_set_handler = signal.signal


class Interrupts:
    """While a statement runs, SIGINT raises KeyboardInterrupt in it. At other times SIGINT does nothing."""

    def __init__(self):
        self._armed = False

    def guard(self, action, otherwise):
        """Does the action. Passes an exception that the action does not handle to `otherwise`."""
        # Set again for each statement: PySpark installs a handler of its own, which cancels the jobs of all threads.
        _set_handler(signal.SIGINT, self._on_signal)
        try:
            self._armed = True
            try:
                return action()
            finally:
                self._armed = False
        except BaseException as error:
            self._armed = False
            return otherwise(error)

    def _on_signal(self, number, frame):
        if self._armed:
            raise KeyboardInterrupt()


def raise_in(thread):
    """Raises KeyboardInterrupt in a thread that is alive, as soon as it runs Python code.

    The exception does not end a call such as `time.sleep` or a `wait`: signals reach the main thread only. It is raised when
    that call has ended.
    """
    if _set_exception is not None:
        _set_exception(thread.ident, KeyboardInterrupt)


def _load_set_exception():
    try:
        import ctypes
    except ImportError:  # a Python without ctypes: the code has to end by itself
        return None
    return lambda ident, kind: ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(kind))


_set_exception = _load_set_exception()


class _Interrupted(BaseException):
    """A KeyboardInterrupt of another class: for the original one py4j writes many log lines and drops the connection."""

    def __init__(self, connection):
        super().__init__()
        self.connection = connection  # None if the connection had to be closed


def protect_gateway():
    """Keeps the connection to the JVM usable after an interrupt in a call that waits for its answer.

    The next call would read an answer that was left unread.
    """
    from py4j.clientserver import ClientServerConnection, JavaClient

    ClientServerConnection.send_command = _settled(ClientServerConnection.send_command)
    JavaClient.send_command = _reported(JavaClient.send_command)


def _settled(send_command):
    def send(connection, *arguments, **options):
        try:
            return send_command(connection, *arguments, **options)
        except KeyboardInterrupt:
            if _answer_is_taken(connection):
                raise _Interrupted(connection) from None
            connection.close()  # the next call opens another one
            raise _Interrupted(None) from None

    return send


def _reported(send_command):
    def send(client, *arguments, **options):
        try:
            return send_command(client, *arguments, **options)
        except _Interrupted as interrupted:
            if interrupted.connection is not None:
                client._give_back_connection(interrupted.connection)
            raise KeyboardInterrupt() from None

    return send


def _answer_is_taken(connection, patience_seconds=0.5):
    """Reads the answer of the interrupted call. A Spark job answers soon, because the agent cancels it.

    This keeps the connection, and with it the JVM's thread that holds the user's local properties.
    """
    try:
        connection.socket.settimeout(patience_seconds)
        answer = connection.stream.readline()
        connection.socket.settimeout(None)
        return answer.startswith(b"!")
    except BaseException:  # no answer in time, no connection any more, or another interrupt
        return False
