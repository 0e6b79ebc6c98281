"""The report line between the inside of the lab and the person's terminal: typed, length-prefixed frames.

One stream (a socket natively, a virtio port in a guest) carries everything in order, so that nothing of
COMMAND's output can arrive after its exit status. Pure except for write_frame.
"""

import os
import struct

LOG = 1        # a progress line of the lab
STDOUT = 2     # bytes COMMAND wrote
STDERR = 3
EXIT = 4       # COMMAND's exit status in decimal: the last frame of a lab that worked
FAILED = 5     # the reason why the lab cannot work: the last frame of one that did not
ALIVE = 6      # sent every HEARTBEAT_SECONDS, so that a hanging guest is noticed
DETAIL = 7     # a progress line for -v

HEARTBEAT_SECONDS = 3.0
MAX_PAYLOAD = 1 << 20

_HEADER = struct.Struct(">BI")


def write_frame(fd, kind, payload=b""):
    if isinstance(payload, str):
        payload = payload.encode(errors="surrogateescape")
    data = memoryview(_HEADER.pack(kind, len(payload)) + payload)
    while data:
        data = data[os.write(fd, data):]


class FrameReader:
    """Cuts a stream of bytes, fed in pieces of any size, back into (kind, payload) frames."""

    def __init__(self):
        self._buffer = bytearray()

    def feed(self, data):
        self._buffer += data
        frames = []
        while len(self._buffer) >= _HEADER.size:
            kind, length = _HEADER.unpack_from(self._buffer)
            if not LOG <= kind <= DETAIL or length > MAX_PAYLOAD:
                raise ValueError(f"frame of kind {kind} and length {length}")
            end = _HEADER.size + length
            if len(self._buffer) < end:
                break
            frames.append((kind, bytes(self._buffer[_HEADER.size:end])))
            del self._buffer[:end]
        return frames
