"""From an inventory to a topology: which hosts, NICs and addresses there are, and which cables meet in one switch.

Pure: no I/O. The result is made of plain dicts and lists, because it travels into the guest as JSON.

  topology = {"hosts": [host...], "control": name, "segments": N}
  host     = {"name", "port", "init", "nics": [nic...], "users": [user...]}
  nic      = {"name", "mac", "segment": index, "addresses": ["10.0.0.1/24", ...]}
"""

import ipaddress
import re

from .errors import LabError

_MAX_NIC_NAME = 15  # IFNAMSIZ
_INITS = ("lab", "systemd")
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")


def plan_topology(inventory):
    hosts = [_host(name, variables) for name, variables in inventory.hosts.items()]
    control = _control_name(inventory)
    if control is None:
        control = _free_name("control", inventory.hosts)
        hosts.append(_host(control, {"ansible_host": str(_free_address(hosts)),
                                     "lab_prefix": _first_interface(hosts).network.prefixlen}))
    _reject_shared_addresses(hosts)
    _number_macs(hosts)
    _reject_overlaps(hosts)
    segments = _join_segments(hosts)
    return {"hosts": hosts, "control": control, "segments": segments}


def host_addresses(host):
    """Every address of a host without its prefix, the one from ansible_host first."""
    return [address.split("/")[0] for nic in host["nics"] for address in nic["addresses"]]


def _host(name, variables):
    if not _HOST_NAME.fullmatch(name):
        raise LabError(f"host {name!r}: not a usable host name for the lab (letters, digits, dot, dash, underscore; at most 64)")
    address = str(variables.get("ansible_host", name))
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        raise LabError(f"host {name}: ansible_host {address!r} is no IPv4 or IPv6 address; "
                       "the lab needs one for every host") from None
    prefix = variables.get("lab_prefix", 24 if parsed.version == 4 else 64)
    first = _interface(name, "lab_prefix", f"{parsed}/{prefix}")
    extra = [_interface(name, "lab_addresses", text) for text in _list(name, "lab_addresses", variables)]
    nics = [_nic(name, variables.get("lab_interface", "eth0"), [first, *extra])]
    for nic_name, addresses in _links(name, variables).items():
        if nic_name == nics[0]["name"]:
            raise LabError(f"host {name}: lab_links: {nic_name} is its first interface already; "
                           "give it more addresses with lab_addresses")
        addresses = addresses if isinstance(addresses, list) else [addresses]
        nics.append(_nic(name, nic_name, [_interface(name, f"lab_links: {nic_name}", text) for text in addresses]))
    return {"name": name, "port": _port(name, variables), "init": _init(name, variables), "nics": nics,
            "users": _users(name, variables)}


def _nic(host, name, interfaces):
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", str(name)) or len(name) > _MAX_NIC_NAME or name == "lo":
        raise LabError(f"host {host}: {name!r} is not a usable interface name")
    if not interfaces:
        raise LabError(f"host {host}: interface {name} has no address")
    return {"name": name, "addresses": [str(interface) for interface in interfaces]}


def _interface(host, where, text):
    try:
        interface = ipaddress.ip_interface(str(text))
    except ValueError as error:
        raise LabError(f"host {host}: {where}: {error}") from None
    if interface.ip.is_multicast or interface.ip.is_unspecified or interface.ip.is_loopback:
        raise LabError(f"host {host}: {where}: {interface.ip} cannot be the address of an interface")
    return interface


def _port(host, variables):
    text = str(variables.get("ansible_port", 22))
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise LabError(f"host {host}: ansible_port {text!r} is no TCP port")
    return int(text)


def _init(host, variables):
    """What is the host's first process: the lab's own small init, or systemd."""
    init = variables.get("lab_init", "lab")
    if init not in _INITS:
        raise LabError(f"host {host}: lab_init {init!r}: one of {', '.join(_INITS)}")
    return init


def boots_systemd(topology):
    return any(host["init"] == "systemd" for host in topology["hosts"])


def _list(host, name, variables):
    value = variables.get(name, [])
    if not isinstance(value, list):
        raise LabError(f"host {host}: {name} must be a list")
    return value


def _links(host, variables):
    value = variables.get("lab_links", {})
    if not isinstance(value, dict):
        raise LabError(f"host {host}: lab_links must be a mapping of interface names to addresses")
    return value


def _users(host, variables):
    """The account the inventory logs in with, when it is not root: it gets sudo, with its password if one is set."""
    name = variables.get("ansible_user", variables.get("ansible_ssh_user", "root"))
    if name == "root":
        return []
    if not re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", str(name)):
        raise LabError(f"host {host}: ansible_user {name!r} is not a usable user name")
    password = variables.get("ansible_become_password", variables.get("ansible_become_pass"))
    return [{"name": name, "password": None if password is None else str(password)}]


def _control_name(inventory):
    for group in ("control", "probes"):
        if inventory.groups.get(group):
            return inventory.groups[group][0]
    return None


def _free_name(wanted, taken):
    while wanted in taken:
        wanted += "-lab"
    return wanted


def _first_interface(hosts):
    return ipaddress.ip_interface(hosts[0]["nics"][0]["addresses"][0])


def _free_address(hosts):
    """The highest free address of the first subnet: people number from the bottom."""
    network = _first_interface(hosts).network
    taken = {ipaddress.ip_address(address) for host in hosts for address in host_addresses(host)}
    for back in range(2, min(network.num_addresses, 1 << 16)):
        candidate = network[-back]
        if candidate not in taken and candidate != network.network_address:
            return candidate
    raise LabError(f"subnet {network} has no free address for the control host; "
                   "put one host in a group named control")


def _reject_shared_addresses(hosts):
    owners = {}
    for host in hosts:
        for address in host_addresses(host):
            if address in owners:
                raise LabError(f"host {host['name']}: address {address} is host {owners[address]}'s already")
            owners[address] = host["name"]


def _reject_overlaps(hosts):
    """Two hosts that disagree about a subnet's size would be on different switches, to everybody's surprise."""
    owners = {}
    for host in hosts:
        for nic in host["nics"]:
            for address in nic["addresses"]:
                owners.setdefault(ipaddress.ip_interface(address).network, host["name"])
    networks = sorted(owners, key=lambda network: (network.version, network))
    for one, other in zip(networks, networks[1:]):
        if one.version == other.version and one.overlaps(other):
            raise LabError(f"subnet {one} (host {owners[one]}) and subnet {other} (host {owners[other]}) overlap; "
                           "set lab_prefix alike")


def _number_macs(hosts):
    for host_number, host in enumerate(hosts):
        for nic_number, nic in enumerate(host["nics"]):
            # Locally administered, and the same after a reboot, as a real card's.
            nic["mac"] = f"02:4c:42:{host_number >> 8:02x}:{host_number & 255:02x}:{nic_number & 255:02x}"


def _join_segments(hosts):
    """Numbers the switches. NICs in one subnet share a switch; so do all subnets that one NIC is in."""
    segment_of = {}
    for host in hosts:
        for nic in host["nics"]:
            networks = [str(ipaddress.ip_interface(address).network) for address in nic["addresses"]]
            known = {segment_of[network] for network in networks if network in segment_of}
            target = min(known) if known else len(segment_of)
            for network, segment in list(segment_of.items()):
                if segment in known:
                    segment_of[network] = target
            segment_of.update((network, target) for network in networks)
    numbers = {segment: number for number, segment in enumerate(dict.fromkeys(segment_of.values()))}
    for host in hosts:
        for nic in host["nics"]:
            network = str(ipaddress.ip_interface(nic["addresses"][0]).network)
            nic["segment"] = numbers[segment_of[network]]
    return len(numbers)
