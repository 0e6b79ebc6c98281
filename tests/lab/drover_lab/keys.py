"""A pool of ed25519 key pairs under build/lab/keys, made once and shared by all labs of a checkout.

They are made outside, natively: ssh-keygen under software emulation would cost seconds. They open
nothing but the lab's own hosts. Several labs may ask at the same time.
"""

import fcntl
import os
import subprocess

from .errors import LabError

CLIENT = "client"


def key_pairs(directory, host_count):
    """{"client": pair, "hosts": [pair...]} where pair = {"private", "public"}."""
    os.makedirs(directory, mode=0o700, exist_ok=True)
    with open(os.path.join(directory, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return {"client": _pair(directory, CLIENT),
                "hosts": [_pair(directory, f"host{number}") for number in range(host_count)]}


def _pair(directory, name):
    path = os.path.join(directory, name)
    if not (os.path.exists(path) and os.path.exists(path + ".pub")):
        _make(path, name)
    return {"private": _text(path), "public": " ".join(_text(path + ".pub").split()[:2])}


def _make(path, name):
    for half in (path, path + ".pub"):  # half a pair, or an unfinished one, of a run that was cut
        for leftover in (half, half.replace(path, path + ".new")):
            if os.path.exists(leftover):
                os.unlink(leftover)
    done = subprocess.run(["/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"drover-lab {name}",
                           "-f", path + ".new"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"ssh-keygen cannot make a key: {done.stderr.strip()}")
    os.rename(path + ".new.pub", path + ".pub")
    os.rename(path + ".new", path)


def _text(path):
    with open(path, encoding="ascii") as file:
        return file.read()
