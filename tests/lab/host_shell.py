"""Shell commands on the lab's hosts."""

import subprocess


def on(host, command, check=True):
    """Runs a shell command in a host without SSH; its output, stripped."""
    done = subprocess.run(["lab-ctl", "exec", host, "--", "/bin/sh", "-c", command], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"{host}: {command}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout.strip()
