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
        self.send_bytes("{} {} {}".format(secret, role, os.getpid()).encode())

    def receive(self):
        body = self.receive_bytes()
        return None if body is None else _decode(body.decode("utf-8"))

    def receive_bytes(self):
        head = self._exactly(4)
        return None if head is None else self._exactly(_LENGTH.unpack(head)[0])

    def _exactly(self, count):
        """The next bytes; None when the connection ends before them."""
        data = bytearray(count)
        room = memoryview(data)
        receive = self._socket.recv_into
        while room:
            received = receive(room)
            if not received:
                return None
            room = room[received:]
        return bytes(data)

    def send(self, frame):
        self.send_bytes(encode(frame))

    def send_bytes(self, body):
        self._socket.sendall(_LENGTH.pack(len(body)) + body)


def encode(frame):
    """JSON in UTF-8. The texts in the frame are `clean`, so this cannot fail."""
    return _encode(frame).encode("utf-8")


class _Encoder(json.JSONEncoder):
    """Keeps working when the user's code replaces methods of the original."""

    default = json.JSONEncoder.default
    encode = json.JSONEncoder.encode
    iterencode = json.JSONEncoder.iterencode


_encode = _Encoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_decode = json.JSONDecoder().decode
_LENGTH = struct.Struct(">I")
