"""JSON messages with open files attached, over SOCK_SEQPACKET sockets: lab-ctl, the supervisor and the hosts'
first processes talk this way. lab-ctl has its own copy of the sending half, since it stands alone on its host.
"""

import array
import json
import os
import socket

MAX_MESSAGE = 128 * 1024
_MAX_FDS = 8


def send(channel, message, fds=()):
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    channel.sendmsg([json.dumps(message).encode()], ancillary)


def receive(channel):
    """(message, fds); message is None when the other side is gone or does not speak this language."""
    try:
        data, ancillary, flags, _ = channel.recvmsg(MAX_MESSAGE, socket.CMSG_SPACE(_MAX_FDS * 4))
    except ConnectionError:
        return None, []
    fds = array.array("i")
    for level, kind, payload in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(payload[:len(payload) - len(payload) % fds.itemsize])
    try:
        message = json.loads(data) if data and not flags & socket.MSG_TRUNC else None
    except ValueError:
        message = None
    if not isinstance(message, dict):
        close_all(fds)
        return None, []
    return message, list(fds)


def close_all(fds):
    for fd in fds:
        os.close(fd)
