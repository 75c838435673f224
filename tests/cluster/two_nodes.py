"""A Ray cluster of two nodes on this machine, in a process of its own: so that its threads and warnings stay there.

Prints the address, then obeys lines on standard input: ``kill`` shoots the second node, ``add`` starts another,
``kill grading`` shoots the second node while it grades. Ends with its input.
"""

import contextlib
import os
import signal
import sys
import time
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


def raylet_of(node) -> int:
    return node.all_processes[PROCESS_TYPE_RAYLET][0].process.pid


def wait_for_grading(node) -> None:
    """Wait until a child below the node grades."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for pid in below(raylet_of(node)):
            with contextlib.suppress(OSError):
                if b"grading_child" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return
        time.sleep(0.02)
    raise TimeoutError("the second node grades nothing")


def shoot(node) -> None:
    """Kill a node as a power cut does: its raylet and all workers below it, at once."""
    raylet = raylet_of(node)
    for pid in (*below(raylet), raylet):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def main() -> None:
    small = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
    cluster = Cluster(initialize_head=True, head_node_args={**small, "include_dashboard": False})
    second = cluster.add_node(**small)
    print("address", cluster.address, flush=True)
    for line in sys.stdin:
        if line.strip() == "kill grading":
            wait_for_grading(second)
        if line.startswith("kill"):
            shoot(second)
        elif line.strip() == "add":
            second = cluster.add_node(**small)
        print("done", line.strip(), flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()
