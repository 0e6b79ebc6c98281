"""The plan of one lab: everything its inside needs to know, as plain dicts and lists.

The native engine passes it by fork, the qemu engine as JSON in the guest's initramfs.

  plan = {"topology": topology.plan_topology's, "keys": keys.key_pairs', "checkout": directory,
          "command": [...], "environment": {...}, "out": directory or None,
          "guards_machine": bool, "loads_ip_vs": bool, "cgroup": name of the lab's control group}

guards_machine: the kernel under the hosts is the machine's own, so hosts must not reach its global settings.
"""

import os
import uuid

STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# What would lead programs in the lab to the machine's (or the person's) own set-up, or to its agents.
_NOT_PASSED_ON = ("XDG_", "SSH_", "PYTHON", "PYENV_", "LD_", "DBUS_", "BASH_", "SUDO_", "TMUX")
_NOT_PASSED_ON_NAMES = ("ENV", "HOME", "PATH", "PWD", "OLDPWD", "SHELL", "TMPDIR", "MAIL", "LOGNAME", "USER",
                        "HOSTNAME", "DISPLAY", "PROMPT_COMMAND")


def make_plan(topology, keys, checkout, command, out, engine, ip_vs):
    names = [host["name"] for host in topology["hosts"]]
    environment = command_environment(os.environ)
    environment.update(LAB="1", LAB_ENGINE=engine, LAB_HOSTS=" ".join(names), LAB_IPVS="1" if ip_vs else "0")
    if out:
        environment["LAB_OUT"] = out
    return {"topology": topology, "keys": keys, "checkout": checkout, "command": command,
            "environment": environment, "out": out, "guards_machine": engine == "native",
            "loads_ip_vs": engine == "qemu", "cgroup": f"drover-lab-{uuid.uuid4().hex}"}


def host_environment():
    """What a program started by a host itself finds in its environment."""
    return {"PATH": STANDARD_PATH, "HOME": "/root", "USER": "root", "LOGNAME": "root", "SHELL": "/bin/sh",
            "LANG": "C.UTF-8"}


def command_environment(outside):
    """The person's environment (NO_COLOR, DROVER, CI...) on top of which a host's own values count."""
    kept = {name: value for name, value in outside.items()
            if not name.startswith(_NOT_PASSED_ON) and name not in _NOT_PASSED_ON_NAMES}
    own = host_environment()
    own["LANG"] = kept.get("LANG", own["LANG"])
    return {**kept, **own}
