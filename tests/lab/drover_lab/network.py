"""The cables: one bridge per segment in the lab's own network namespace, one veth pair per NIC of a host.

Commands go to `ip -batch` in as few processes as possible, because a process costs 45 ms under software emulation.
"""

import os
import subprocess

from .errors import LabError

_IP = "/usr/sbin/ip"

# A new network namespace takes IPv4 settings over from the machine's first one; a host starts from the kernel's.
_KERNEL_DEFAULTS = {"arp_ignore": "0", "arp_announce": "0", "arp_notify": "0", "arp_accept": "0", "arp_filter": "0",
                    "rp_filter": "0", "send_redirects": "1", "accept_redirects": "1", "accept_local": "0",
                    "route_localnet": "0", "proxy_arp": "0"}


def lay_switches(segments):
    """Called once, inside the lab's network namespace."""
    for scope in ("all", "default"):
        _write(f"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6", "1")  # switches have no addresses of their own
    run_ip([line for number in range(segments) for line in (
        # Multicast snooping would hold VRRP's advertisements back until somebody joins.
        f"link add seg{number} type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
        f"link set seg{number} up")])


def port_name(host_number, nic_number):
    """The end of a NIC's cable at the switch."""
    return f"h{host_number}n{nic_number}"


def plug_in(host_number, host, pid):
    """The `ip` commands that give the host whose first process is PID its NICs."""
    lines = []
    for nic_number, nic in enumerate(host["nics"]):
        port = port_name(host_number, nic_number)
        lines.append(f"link add {port} type veth peer name {nic['name']} address {nic['mac']} netns {pid}")
        lines.append(f"link set {port} master seg{nic['segment']} up")
    return lines


def pull_out(host_number, host):
    """The `ip` commands that take the host off the network at once, as a power cut does."""
    return [f"link del {port_name(host_number, nic_number)}" for nic_number in range(len(host["nics"]))]


def configure_host(host):
    """Called inside the host: kernel defaults, then its configured addresses, and nothing else."""
    for scope in ("all", "default", "lo", *(nic["name"] for nic in host["nics"])):
        for name, value in _KERNEL_DEFAULTS.items():
            _write(f"/proc/sys/net/ipv4/conf/{scope}/{name}", value)
        # Duplicate address detection would keep IPv6 addresses unusable for a second after boot.
        _write(f"/proc/sys/net/ipv6/conf/{scope}/accept_dad", "0")
        _write(f"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6", "0")
    _write("/proc/sys/net/ipv4/ip_forward", "0")
    lines = ["link set lo up"]
    for nic in host["nics"]:
        for address in nic["addresses"]:
            lines.append(f"addr add {address} {_address_flags(address)} dev {nic['name']}")
        lines.append(f"link set {nic['name']} up")
    run_ip(lines)


def _address_flags(address):
    if ":" in address:
        return "nodad"
    return "brd +" if int(address.split("/")[1]) < 31 else ""


def run_ip(lines, may_fail=False):
    done = subprocess.run([_IP, "-batch", "-"], input="\n".join(lines) + "\n", text=True, capture_output=True, check=False)
    if done.returncode != 0 and not may_fail:
        raise LabError(f"ip: {done.stderr.strip() or 'exit status ' + str(done.returncode)}")


def _write(path, value):
    # Kernels without IPv6, or with fewer knobs, lack the file: nothing to set then.
    if os.path.exists(path):
        with open(path, "w", encoding="ascii") as file:
            file.write(value)
