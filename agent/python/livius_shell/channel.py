"""Frames between this process and the agent: four bytes of length, then JSON in UTF-8 or, where one is announced, bytes."""

import fcntl
import json
import os
import socket
import struct

# Above the descriptors that code like `os.closerange(3, 100)` closes, below the usual limit of 256 or 1024 open files.
PRIVATE_FD = 200


def private_copy(fd):
    """Duplicates a descriptor to a high number that programs started by the user's code do not inherit."""
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, PRIVATE_FD)


class Channel:
    """One connection to the agent. `receive` returns None when the agent is gone."""

    def __init__(self, port, secret, role):
        connected = socket.create_connection(("127.0.0.1", port))
        self._socket = socket.socket(fileno=private_copy(connected.fileno()))
        connected.close()
        self._socket.settimeout(None)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = self._socket.makefile("rb")
        self.send_bytes("{} {} {}".format(secret, role, os.getpid()).encode())

    def receive(self):
        body = self.receive_bytes()
        return None if body is None else json.loads(body.decode("utf-8"))

    def receive_bytes(self):
        head = self._reader.read(4)
        if len(head) < 4:
            return None
        (length,) = struct.unpack(">I", head)
        body = self._reader.read(length)
        return body if len(body) == length else None

    def send(self, frame):
        self.send_bytes(encode(frame))

    def send_bytes(self, body):
        self._socket.sendall(struct.pack(">I", len(body)) + body)


def encode(frame):
    """JSON in UTF-8. The texts in the frame are `clean`, so this cannot fail."""
    return json.dumps(frame, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")
