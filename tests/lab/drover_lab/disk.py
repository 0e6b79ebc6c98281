"""The disk of a host: an overlay of the machine's own file tree (read-only) under a layer in memory.

What a host must not share with the machine is put into that layer before it is mounted: its name, its SSH
set-up, its home; and what the machine may have from an installed Drover is hidden. The layer outlives reboots of
the host and vanishes with the lab.
"""

import glob
import os
import stat

from . import linux, systemd
from .plan import STANDARD_PATH
from .topology import host_addresses

# Where the lab keeps its own files while it runs: mounted over, in the lab's own mount namespace only.
WORKSPACE = "/mnt"

_OWN_HOME = "/root"
_HIDDEN = ("etc/drover", "var/lib/drover", "etc/init.d/drover*", "etc/systemd/system/drover*", "etc/rc?.d/*drover*",
           "etc/cron.d/drover*", "var/log/nginx/*", "var/log/drover*", "var/log/journal")

_SSHD_CONFIG = """\
Port {port}
HostKey /etc/ssh/ssh_host_ed25519_key
PidFile /run/sshd.pid
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PrintMotd no
PrintLastLog no
MaxStartups 500
MaxSessions 100
SetEnv PATH={path}
# The post-quantum exchange, which libssh does not speak anyway, costs a second per login under software emulation.
KexAlgorithms -sntrup*
Subsystem sftp /usr/lib/openssh/sftp-server
"""


class Layer:
    """The writable layer of one host before it is mounted: paths are the host's, without the leading slash."""

    def __init__(self, upper, machine):
        self._upper = upper
        self._machine = machine

    def directory(self, path, mode=0o755, empty=False):
        """Makes PATH and what leads to it, with the machine's modes; EMPTY hides what the machine has in it."""
        target = os.path.join(self._upper, path)
        if os.path.isdir(target):
            return target
        parent = os.path.dirname(path)
        if parent:
            self.directory(parent)
        os.mkdir(target)
        below = os.path.join(self._machine, path)
        if not empty and os.path.isdir(below) and not os.path.islink(below):
            found = os.stat(below)
            mode = stat.S_IMODE(found.st_mode)
            os.chown(target, found.st_uid, found.st_gid)
        os.chmod(target, mode)
        if empty:
            os.setxattr(target, "trusted.overlay.opaque", b"y")
        return target

    def file(self, path, text, mode=0o644):
        self.directory(os.path.dirname(path))
        target = os.path.join(self._upper, path)
        with open(target, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
        os.chmod(target, mode)

    def link(self, path, target):
        self.directory(os.path.dirname(path))
        os.symlink(target, os.path.join(self._upper, path))

    def hide(self, pattern):
        for found in glob.glob(os.path.join(glob.escape(self._machine), pattern)):
            path = os.path.relpath(found, self._machine)
            self.directory(os.path.dirname(path))
            os.mknod(os.path.join(self._upper, path), stat.S_IFCHR | 0o000, os.makedev(0, 0))  # overlayfs: a whiteout

    def own(self, path, uid, gid):
        os.chown(os.path.join(self._upper, path), uid, gid)


def mount_disk(plan, number, lowers, checkout_lower, out_source):
    """Makes and mounts the disk of host NUMBER; returns where.

    LOWERS are file descriptors of directories, the upmost layer first, the machine's root last. CHECKOUT_LOWER is
    one of the checkout where the root does not show it, else None; OUT_SOURCE one of --out's directory, else None.
    """
    topology = plan["topology"]
    host = topology["hosts"][number]
    is_control = host["name"] == topology["control"]
    place = os.path.join(WORKSPACE, f"host{number}")
    upper, work, root = (os.path.join(place, part) for part in ("upper", "work", "root"))
    for directory in (upper, work, root):
        os.makedirs(directory)
    layer = Layer(upper, _path_of(lowers[-1]))
    if host["init"] == "systemd":
        systemd.write_disk(layer, _path_of(lowers[-1]), host["name"])
    for pattern in _HIDDEN:
        layer.hide(pattern)
    _write_identity(layer, host, topology["hosts"])
    _write_accounts(layer, host)
    _write_ssh(layer, plan, host, number)
    if is_control:
        _write_control(layer, plan)
    _mount_overlay(root, lowers, upper, work)
    if checkout_lower is not None:
        _mount_checkout(plan["checkout"], root, place, checkout_lower)
    if is_control and out_source is not None:
        target = root + plan["out"]
        os.makedirs(target, exist_ok=True)
        linux.bind(_path_of(out_source), target)
    return root


def checkout_needs_mount(checkout):
    """Whether the overlay of / lacks the checkout: it is on another file system, or in the home that is replaced."""
    inside_home = os.path.commonpath([checkout, _OWN_HOME]) == _OWN_HOME
    return inside_home or os.stat(checkout).st_dev != os.stat("/").st_dev


def _path_of(fd):
    # Through /proc a descriptor names a directory whatever has been mounted over it, and whatever its name is.
    return f"/proc/self/fd/{fd}"


def _mount_overlay(target, lowers, upper, work):
    lower = ":".join(_path_of(fd) for fd in lowers)
    linux.mount("overlay", target, "overlay", 0, f"lowerdir={lower},upperdir={upper},workdir={work}")


def _mount_checkout(checkout, root, place, lower):
    upper, work = (os.path.join(place, "checkout-" + part) for part in ("upper", "work"))
    os.mkdir(upper)
    os.mkdir(work)
    os.makedirs(root + checkout, exist_ok=True)
    _mount_overlay(root + checkout, [lower], upper, work)


def _write_identity(layer, host, hosts):
    layer.file("etc/hostname", host["name"] + "\n")
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost"]
    lines += [f"{address} {other['name']}" for other in hosts for address in host_addresses(other)]
    layer.file("etc/hosts", "\n".join(lines) + "\n")
    layer.file("etc/resolv.conf", "")  # no name server answers here; a query must fail at once
    layer.directory("root", mode=0o700, empty=True)
    for name in (".bashrc", ".profile"):
        layer.file("root/" + name, "")


def _write_accounts(layer, host):
    with open("/etc/passwd", encoding="utf-8", errors="surrogateescape") as file:
        entries = [line.rstrip("\n").split(":") for line in file if line.count(":") == 6]
    with open("/etc/group", encoding="utf-8", errors="surrogateescape") as file:
        groups = file.read()
    entries = [[*entry[:5], _OWN_HOME, "/bin/sh"] if entry[0] == "root" else entry for entry in entries]
    passwords = {}
    for user in host["users"]:
        passwords[user["name"]] = user["password"]
        entries = [entry for entry in entries if entry[0] != user["name"]]
        uid = max([1999, *(int(entry[2]) for entry in entries if int(entry[2]) < 60000)]) + 1
        entries.append([user["name"], "x", str(uid), str(uid), "", f"/home/{user['name']}", "/bin/sh"])
        groups += f"{user['name']}:x:{uid}:\n"
        _write_user(layer, user, uid)
    layer.file("etc/passwd", "".join(":".join(entry) + "\n" for entry in entries))
    layer.file("etc/group", groups)
    # The machine's own password hashes stay outside; "*" is no password, but not a locked account either.
    layer.file("etc/shadow", "".join(f"{entry[0]}:{_hash(passwords.get(entry[0]))}:19000:0:99999:7:::\n"
                                     for entry in entries), mode=0o640)


def _write_user(layer, user, uid):
    home = f"home/{user['name']}"
    layer.directory(home, empty=True)
    layer.own(home, uid, uid)
    rule = "ALL" if user["password"] is not None else "NOPASSWD: ALL"
    layer.file(f"etc/sudoers.d/lab-{user['name']}", f"{user['name']} ALL=(ALL:ALL) {rule}\n", mode=0o440)


def _hash(password):
    if password is None:
        return "*"
    import subprocess
    return subprocess.run(["/usr/bin/openssl", "passwd", "-6", "-stdin"], input=password, text=True,
                          capture_output=True, check=True).stdout.strip()


def _write_ssh(layer, plan, host, number):
    keys = plan["keys"]
    layer.directory("etc/ssh", empty=True)
    layer.file("etc/ssh/sshd_config", _SSHD_CONFIG.format(port=host["port"], path=STANDARD_PATH))
    layer.file("etc/ssh/ssh_config", "")
    layer.file("etc/ssh/ssh_host_ed25519_key", keys["hosts"][number]["private"], mode=0o600)
    layer.file("etc/ssh/ssh_host_ed25519_key.pub", keys["hosts"][number]["public"] + "\n")
    for home in ["root", *(f"home/{user['name']}" for user in host["users"])]:
        owner = os.stat(layer.directory(home))
        layer.directory(home + "/.ssh", mode=0o700)
        layer.file(home + "/.ssh/authorized_keys", keys["client"]["public"] + " lab\n", mode=0o600)
        for path in (home + "/.ssh", home + "/.ssh/authorized_keys"):
            layer.own(path, owner.st_uid, owner.st_gid)


def _write_control(layer, plan):
    client = plan["keys"]["client"]
    layer.file("root/.ssh/id_ed25519", client["private"], mode=0o600)
    layer.file("root/.ssh/id_ed25519.pub", client["public"] + "\n")
    lines = []
    for number, host in enumerate(plan["topology"]["hosts"]):
        names = [host["name"], *host_addresses(host)]
        if host["port"] != 22:
            names = [f"[{name}]:{host['port']}" for name in names]
        lines.append(f"{','.join(names)} {plan['keys']['hosts'][number]['public']}\n")
    layer.file("root/.ssh/known_hosts", "".join(lines), mode=0o600)
    layer.directory("usr/local/bin")
    source = os.path.join(plan["checkout"], "tests", "lab", "lab-ctl")
    with open(source, encoding="utf-8") as file:
        layer.file("usr/local/bin/lab-ctl", file.read(), mode=0o755)
