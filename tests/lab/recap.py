"""What a run of drover says at its end."""

import re


def recap(output):
    """{host: {counter: number}} of a PLAY RECAP."""
    counters = {}
    for line in output[output.index("PLAY RECAP"):].splitlines()[1:]:
        match = re.match(r"(\S+)\s+:\s(.*)", line)
        if match:
            counters[match.group(1)] = {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", match.group(2))}
    return counters
