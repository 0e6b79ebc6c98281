"""The guest's first file system, an uncompressed cpio archive in memory (no file is left behind).

It holds busybox, the modules for the way to the machine's files, the plan, and the script that mounts those files
read-only under a layer in memory and hands over to guest.py.
"""

import json
import os
import shlex
import stat
import struct

from .errors import LabError

SIGN_OF_LIFE = b"drover-lab: kernel is up"

# In the guest: where the plan and the sources of the hosts' disks are.
GUEST_PLACE = "/run/drover-lab"

_BUSYBOX = "/bin/busybox"
_PT_INTERP = 3
_MODULES = ("virtio_pci", "virtio_console", "9p", "9pnet_virtio", "overlay")
_NINE_P = "trans=virtio,version=9p2000.L,msize=512000"

_INIT = """\
#!/bin/busybox sh
b() {{ /bin/busybox "$@"; }}
fail() {{ echo "drover-lab: $1 failed"; b poweroff -f; }}
b mount -t proc proc /proc
b mount -t sysfs sysfs /sys
b mount -t devtmpfs devtmpfs /dev
exec >/dev/console 2>&1
echo {sign_of_life}
b modprobe -a {modules} || fail modprobe
b mount -t 9p -o ro,cache=loose,{nine_p} machine /machine || fail "mount of the machine's files"
b mount -t 9p -o ro,cache=loose,{nine_p} kernel /kernel || fail "mount of the kernel's modules"
b mount -t tmpfs tmpfs /memory
b mkdir /memory/upper /memory/work
b mount -t overlay -o lowerdir=/kernel:/machine,upperdir=/memory/upper,workdir=/memory/work overlay /root \
    || fail "mount of the root"
b mount -t tmpfs -o mode=755 tmpfs /root/run
b mkdir -p /root{place}/machine /root{place}/kernel /root{place}/out
b mount --move /machine /root{place}/machine
b mount --move /kernel /root{place}/kernel
{mount_out}
b cp /plan.json /root{place}/plan.json
for directory in proc sys dev; do b mount --move /$directory /root/$directory; done
exec /bin/busybox switch_root /root /usr/bin/python3 -IS {python_options} -c {start} {lab} || fail "the lab"
"""

_MOUNT_OUT = 'b mount -t 9p -o {nine_p} out /root{place}/out || fail "mount of --out"'
_START = "import sys; sys.path.insert(0, sys.argv[1]); from drover_lab.guest import main; main()"


def build_initramfs(kernel, plan, lab_directory, pycache):
    """The archive's bytes. PYCACHE is where Python's compiled modules of the lab are, to save the guest the work."""
    archive = Archive()
    for directory in ("bin", "proc", "sys", "dev", "machine", "kernel", "memory", "root", "lib", "lib/modules",
                      f"lib/modules/{kernel.version}"):
        archive.directory(directory)
    archive.node("dev/console", 5, 1)
    archive.file("bin/busybox", _static_busybox(), 0o755)
    _add_modules(archive, kernel)
    archive.file("plan.json", json.dumps(plan).encode(), 0o600)
    mount_out = _MOUNT_OUT.format(nine_p=_NINE_P, place=GUEST_PLACE) if plan["out"] else ""
    script = _INIT.format(sign_of_life=SIGN_OF_LIFE.decode(), modules=" ".join(_MODULES), nine_p=_NINE_P,
                          place=GUEST_PLACE, mount_out=mount_out, start=shlex.quote(_START),
                          lab=shlex.quote(lab_directory), python_options=shlex.quote(f"-Xpycache_prefix={pycache}"))
    archive.file("init", script.encode(), 0o755)
    return archive.finish()


def _static_busybox():
    try:
        with open(_BUSYBOX, "rb") as file:
            data = file.read()
    except OSError as error:
        raise LabError(f"{_BUSYBOX}: {error.strerror} (Debian package busybox-static)") from None
    if _names_interpreter(data):
        raise LabError(f"{_BUSYBOX} is not static; install Debian's package busybox-static")
    return data


def _names_interpreter(elf):
    """Whether a 64-bit ELF program needs a dynamic linker: it has a program header of type PT_INTERP."""
    table, = struct.unpack_from("<Q", elf, 32)
    entry_size, count = struct.unpack_from("<HH", elf, 54)
    return any(struct.unpack_from("<I", elf, table + number * entry_size)[0] == _PT_INTERP for number in range(count))


def _add_modules(archive, kernel):
    directory = kernel.module_directory()
    with open(os.path.join(directory, "modules.dep"), encoding="ascii") as file:
        dependencies = {path: needed.split() for path, needed in (line.split(":", 1) for line in file)}
    by_name = {os.path.basename(path).split(".")[0].replace("-", "_"): path for path in dependencies}
    index = {}
    for name in _MODULES:
        if name not in by_name:
            raise LabError(f"kernel {kernel.version} has no module {name}")
        for path in (by_name[name], *dependencies[by_name[name]]):
            index[path] = dependencies[path]
    for path in index:
        with open(os.path.join(directory, path), "rb") as file:
            archive.file(f"lib/modules/{kernel.version}/{os.path.basename(path)}", file.read(), 0o644)
    lines = [f"{os.path.basename(path)}: {' '.join(os.path.basename(other) for other in needed)}\n"
             for path, needed in index.items()]
    archive.file(f"lib/modules/{kernel.version}/modules.dep", "".join(lines).encode(), 0o644)


class Archive:
    """Writes the cpio format "newc" the kernel unpacks (Documentation/driver-api/early-userspace/buffer-format)."""

    def __init__(self):
        self._data = bytearray()
        self._inode = 0

    def directory(self, name):
        self._entry(name, stat.S_IFDIR | 0o755, b"")

    def file(self, name, content, mode):
        self._entry(name, stat.S_IFREG | mode, content)

    def node(self, name, major, minor):
        self._entry(name, stat.S_IFCHR | 0o600, b"", major, minor)

    def finish(self):
        self._entry("TRAILER!!!", 0, b"")
        return bytes(self._data)

    def _entry(self, name, mode, content, major=0, minor=0):
        self._inode += 1
        encoded = name.encode() + b"\0"
        # inode mode uid gid nlink mtime size devmajor devminor rdevmajor rdevminor namesize check
        fields = (self._inode, mode, 0, 0, 1, 0, len(content), 0, 0, major, minor, len(encoded), 0)
        self._data += b"070701" + b"".join(b"%08x" % field for field in fields)
        for part in (encoded, content):
            self._data += part
            self._data += b"\0" * (-len(self._data) % 4)
