"""A Ray cluster of two nodes on this machine, in a process of its own: so that its threads and warnings stay there.

Prints the address, then obeys lines on standard input: ``kill`` shoots the second node, ``add`` starts another.
Ends with its input.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from ray._private.ray_constants import PROCESS_TYPE_RAYLET
from ray.cluster_utils import Cluster


def below(parent: int) -> Iterator[int]:
    """Yield the processes that a process has started, and theirs."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == parent:
                yield from (int(path.parent.name), *below(int(path.parent.name)))


def shoot(node) -> None:
    """Kill a node as a power cut does: its raylet and all workers below it, at once."""
    raylet = node.all_processes[PROCESS_TYPE_RAYLET][0].process.pid
    for pid in (*below(raylet), raylet):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def main() -> None:
    small = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
    cluster = Cluster(initialize_head=True, head_node_args={**small, "include_dashboard": False})
    second = cluster.add_node(**small)
    print("address", cluster.address, flush=True)
    for line in sys.stdin:
        if line.strip() == "kill":
            shoot(second)
        elif line.strip() == "add":
            second = cluster.add_node(**small)
        print("done", line.strip(), flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()
