"""The few Linux system calls Python 3.11 does not offer, each raising OSError as the os module would.

Namespaces, mounts and prctl only; what they are used for is up to the callers. Single-threaded processes only.
"""

import ctypes
import os
import signal

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

CAP_SYS_TIME = 25

_PR_SET_PDEATHSIG = 1
_PR_CAPBSET_DROP = 24
# clone and pivot_root have no usable wrapper in glibc: their numbers differ between machines.
_SYSCALLS = {"x86_64": {"clone": 56, "pivot_root": 155}, "aarch64": {"clone": 220, "pivot_root": 41}}

_libc = ctypes.CDLL(None, use_errno=True)
_libc_holding_gil = ctypes.PyDLL(None, use_errno=True)


def _check(result, what):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def drop_capability(number):
    """Programs that are run from now on do not have it, whoever runs them."""
    nothing = ctypes.c_ulong(0)
    _check(_libc.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(number), nothing, nothing, nothing), "prctl")


def unshare(flags):
    _check(_libc.unshare(ctypes.c_int(flags)), "unshare")


def fork_into(namespaces):
    """fork(2) whose child is the first process of new namespaces; 0 in the child, its pid in the parent.

    Unlike unshare(CLONE_NEWPID), which works once per process, this can be repeated for every host,
    and the caller is the direct parent, so that it learns how the host's first process ended.
    """
    python = ctypes.pythonapi
    python.PyOS_BeforeFork()
    flags = ctypes.c_ulong(namespaces | signal.SIGCHLD)
    # The GIL stays held over the call: a child must not have to win it from a thread that is not there.
    pid = _libc_holding_gil.syscall(ctypes.c_long(_SYSCALLS[os.uname().machine]["clone"]), flags,
                                    None, None, None, ctypes.c_ulong(0))
    number = ctypes.get_errno()
    if pid == 0:
        python.PyOS_AfterFork_Child()
        return 0
    python.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(number, f"clone: {os.strerror(number)}")
    return pid


def mount(source, target, kind, flags=0, options=""):
    encode = lambda text: os.fsencode(text) if text is not None else None
    _check(_libc.mount(encode(source), encode(target), encode(kind), ctypes.c_ulong(flags), encode(options) or None),
           f"mount {kind or source} on {target}")


def bind(source, target, read_only=False):
    mount(source, target, None, MS_BIND)
    if read_only:
        mount(None, target, None, MS_BIND | MS_REMOUNT | MS_RDONLY)


def make_mounts_private():
    mount(None, "/", None, MS_REC | MS_PRIVATE)


def enter_root(directory):
    """Makes the mount point DIRECTORY the root of this mount namespace and drops the old one."""
    os.chdir(directory)
    # pivot_root(".", ".") stacks the old root on the new one, so no directory for it is needed.
    _check(_libc.syscall(ctypes.c_long(_SYSCALLS[os.uname().machine]["pivot_root"]), b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", MNT_DETACH), "umount of the old root")
    os.chdir("/")


def die_with_parent():
    """This process gets SIGKILL when its parent ends, however the parent ends."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), 0, 0, 0), "prctl")
