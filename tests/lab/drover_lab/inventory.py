"""Reads an inventory by asking drover itself or ansible-inventory, whose `--list` answers are the same JSON.

Leaves to topology.py what the variables mean.
"""

import json
import os
import shutil
import subprocess

from .errors import LabError

_ANSIBLE = "/usr/bin/ansible-inventory"
# Ansible does not take /dev/null: it wants to see the extension of a configuration file.
_ANSIBLE_CONFIG = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ansible.cfg")
_EXIT_BAD_INPUT = 4  # drover's exit code for an error in the user's files
_TIME_LIMIT_SECONDS = 120


class Inventory:
    """Hosts in the inventory's order with their variables, and the hosts of each group."""

    def __init__(self, hosts, groups):
        self.hosts = hosts
        self.groups = groups


def read_inventory(path, checkout):
    if not os.path.exists(path):
        raise LabError(f"inventory {path} does not exist")
    listing = _ask_drover(path, checkout) or _ask_ansible(path)
    return from_listing(listing, path)


def from_listing(listing, path):
    """The `--list` JSON as an Inventory; groups hold the hosts of their children too."""
    variables = listing.get("_meta", {}).get("hostvars", {})
    bodies = {name: body for name, body in listing.items() if name != "_meta" and isinstance(body, dict)}
    groups = {name: _hosts_of(name, bodies, set()) for name in bodies}
    names = list(dict.fromkeys([*groups.get("all", []), *(host for hosts in groups.values() for host in hosts),
                                *variables]))
    if not names:
        raise LabError(f"inventory {path} has no hosts")
    return Inventory({name: variables.get(name, {}) for name in names}, groups)


def _hosts_of(group, bodies, seen):
    if group in seen or group not in bodies:
        return []
    seen.add(group)
    hosts = list(bodies[group].get("hosts", []))
    for child in bodies[group].get("children", []):
        hosts += _hosts_of(child, bodies, seen)
    return list(dict.fromkeys(hosts))


def _ask_drover(path, checkout):
    """The listing, or None where drover is not there (not built yet) or cannot answer."""
    drover = os.environ.get("DROVER") or os.path.join(checkout, "build", "drover")
    if not shutil.which(drover):
        return None
    try:
        done = _run([drover, "inventory", "-i", path, "--list"])
    except OSError:
        return None
    if done.returncode == _EXIT_BAD_INPUT:
        raise LabError(f"inventory {path} is not usable:\n{done.stderr.strip()}")
    return _parse(done.stdout) if done.returncode == 0 else None


def _ask_ansible(path):
    if not os.access(_ANSIBLE, os.X_OK):
        raise LabError(f"cannot read inventory {path}: neither a working drover (build it, or set DROVER) "
                       f"nor {_ANSIBLE} (Debian package ansible-core) is there")
    # A file Ansible cannot parse is a warning and an empty inventory by default.
    done = _run([_ANSIBLE, "-i", path, "--list"], {"ANSIBLE_CONFIG": _ANSIBLE_CONFIG, "ANSIBLE_NOCOLOR": "1",
                                                   "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
                                                   "ANSIBLE_INVENTORY_UNPARSED_FAILED": "1"})
    listing = _parse(done.stdout) if done.returncode == 0 else None
    if listing is None:
        raise LabError(f"inventory {path} is not usable:\n{done.stderr.strip() or 'no answer of ansible-inventory'}")
    return listing


def _run(command, extra_environment=None):
    # pyenv's shim in PATH would break Debian's Ansible.
    environment = dict(os.environ, PATH="/usr/sbin:/usr/bin:/sbin:/bin", **(extra_environment or {}))
    try:
        return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=_TIME_LIMIT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise LabError(f"{command[0]} did not answer within {_TIME_LIMIT_SECONDS} s") from None


def _parse(text):
    try:
        listing = json.loads(text)
    except ValueError:
        return None
    return listing if isinstance(listing, dict) else None
