"""A Ray cluster: workers, an actor each, spread over the nodes; and graders, a task each. All that knows of Ray is here.

No key is handed to Ray: it would stand in the logs of each node, where Ray writes what an actor's environment is
made of. Workers have theirs from the environment that Ray was started in.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from routemark.engine.cluster import LostError, Remote
from routemark.engine.cluster_grading import Graded, grade_here, is_heavy
from routemark.engine.cluster_worker import Worker
from routemark.engine.grading import Job
from routemark.errors import RunError, UsageError
from routemark.records import Grade, Question

if TYPE_CHECKING:  # a heavy import, for those who want it
    from ray.actor import ActorHandle

RAY_URL = "ray://"
KNOCK_S = 10.0
"""For a cluster to accept a connection."""
AGAIN_S = 0.5
"""Between two calls of an actor that cannot be reached for the moment; who waits for it bounds their number."""
MOST_GRADING = 1_000
"""Answers that Ray is handed to grade at once: with so many cores, or fewer, none lies idle."""
GRADED_AGAIN = 3
"""Times that an answer is graded whose machine was lost before it said anything."""


def require_ray(address: str | None) -> None:
    """Raise UsageError where Ray is not installed, or is to be reached through a client that hides its nodes."""
    if importlib.util.find_spec("ray") is None:
        raise UsageError(
            "--executor ray: Ray is not installed. Install it with: pip install 'routemark[ray]'."
        )
    if address is not None and address.startswith(RAY_URL):
        raise UsageError(
            f"--ray-address {address}: run on a machine of the cluster, with the address auto, or as a Ray job."
        )


class RayCluster:
    """A cluster that this process is connected to while somebody uses it."""

    def __init__(self, address: str | None) -> None:
        """``address``: of the cluster; None: RAY_ADDRESS, else a cluster on this machine, which is started if need be."""
        self._address = address
        self._users = 0
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """Reach the cluster, unless it is reached already. Raises: RunError."""
        async with self._turn:
            if not self._users:
                await self._reach()
            self._users += 1

    async def close(self) -> None:
        """Leave the cluster when nobody uses it any more; one that was started here ends."""
        import ray  # noqa: PLC0415 - heavy

        async with self._turn:
            self._users -= 1
            if not self._users:
                await asyncio.to_thread(ray.shutdown)

    async def _reach(self) -> None:
        os.environ.setdefault(
            "RAY_USAGE_STATS_ENABLED", "0"
        )  # nothing leaves the machine but what was asked for
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else Ray warns of a change to come
        address = self._address or os.environ.get("RAY_ADDRESS")
        try:
            await _knock(address)
            # in a thread: it takes seconds, and in the main one it would take SIGTERM from us
            await asyncio.to_thread(self._connect)
        except (RuntimeError, ValueError, OSError) as error:
            raise RunError(
                f"No Ray cluster can be reached ({address or 'on this machine'}): {error}"
            ) from None

    def _connect(self) -> None:
        import ray  # noqa: PLC0415 - heavy

        if not ray.is_initialized():
            ray.init(
                address=self._address,
                logging_level=logging.ERROR,
                log_to_driver=False,
                include_dashboard=None if self._address else False,
            )


class RayTeam:
    """Hires actors of a Ray cluster; one a node unless a number is given."""

    def __init__(self, cluster: RayCluster, workers: int | None) -> None:
        self._cluster = cluster
        self._workers = workers
        self._actor: Any = None

        self._hired: Counter[str] = Counter()
        """By node: workers that were hired on it, those that were lost twice, so that it is chosen less."""

    async def open(self) -> None:
        """Reach the cluster. Raises: RunError."""
        await self._cluster.open()
        import ray  # noqa: PLC0415 - heavy

        self._actor = ray.remote(num_cpus=0)(Worker)  # it waits most of the time: CPUs are for graders

    async def close(self) -> None:
        """Leave the cluster."""
        await self._cluster.close()

    def wanted(self) -> int:
        """Give the number of workers asked for, else of the nodes that are alive."""
        return self._workers if self._workers is not None else max(1, len(_nodes()))

    def hire(self, setup: bytes) -> Remote:
        """Have an actor started on the node that had fewest."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415 - heavy

        node = min(_nodes(), key=lambda one: self._hired[one], default=None)
        where = "SPREAD" if node is None else NodeAffinitySchedulingStrategy(node, soft=False)
        handle = self._actor.options(scheduling_strategy=where, max_restarts=0).remote(setup)
        self._hired[str(node)] += 1
        return _Actor(handle, lambda: self._hired.update([str(node)]))


def _nodes() -> list[str]:
    """Give the nodes that are alive and are there for work: a head may be started without a CPU to be spared."""
    import ray  # noqa: PLC0415 - heavy

    nodes = ray.nodes()  # type: ignore[no-untyped-call]
    return [node["NodeID"] for node in nodes if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]


async def _knock(address: str | None) -> None:
    """See whether anybody is there; Ray itself would end this process. Raises: OSError."""
    host, colon, port = (address or "").rpartition(":")
    if colon and port.isdecimal():
        async with asyncio.timeout(KNOCK_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        writer.close()


class _Actor:
    """A worker in an actor."""

    def __init__(self, handle: ActorHandle[Worker], on_dismissed: Callable[[], None]) -> None:
        self._handle = handle
        self._on_dismissed = on_dismissed

    async def hello(self) -> bytes:
        return bytes(await self._asked("hello"))

    async def order(self, data: bytes) -> None:
        await self._asked("order", data)

    async def report(self, acknowledged: int) -> bytes:
        return bytes(await self._asked("report", acknowledged))

    def dismiss(self) -> None:
        import ray  # noqa: PLC0415 - heavy

        ray.kill(self._handle)
        self._on_dismissed()

    async def _asked(self, method: str, *arguments: bytes | int) -> Any:
        """Call a method, again where the connection broke: both sides number what they say."""
        from ray.exceptions import ActorUnavailableError, RayError  # noqa: PLC0415 - heavy

        while True:
            try:
                return await getattr(self._handle, method).remote(*arguments)
            except ActorUnavailableError:
                await asyncio.sleep(AGAIN_S)
            except RayError as error:
                said = str(error).strip().splitlines() or [type(error).__name__]
                raise LostError(f"{type(error).__name__}: {said[0].strip()}") from None


class RayGraders:
    """Grades heavy answers on whatever CPUs of a cluster are free, each in a task; see `grading.Elsewhere`."""

    lanes = MOST_GRADING

    def __init__(self, cluster: RayCluster, *, allow_code: bool) -> None:
        """``allow_code``: code in answers may be run."""
        self._cluster = cluster
        self._allow_code = allow_code
        self._turn = asyncio.Lock()
        self._task: Any = None

    def takes(self, question: Question) -> bool:
        """Tell whether a question's answers are to be graded on the cluster."""
        return is_heavy(question)

    async def grade(self, job: Job) -> Grade:
        """Give a grade, from another machine if one is lost. Raises: RunError when a machine cannot grade."""
        from ray.exceptions import RayError, RayTaskError  # noqa: PLC0415 - heavy

        await self._reached()
        ungraded = msgspec.json.encode(job.ungraded)
        for _ in range(GRADED_AGAIN):
            try:
                said = await self._task.remote(ungraded, job.task, allow_code=self._allow_code)
            except RayTaskError as error:
                raise RunError(f"A machine of the cluster cannot grade: {error.cause!r}") from None
            except RayError:
                continue
            found = msgspec.json.decode(said, type=Graded)
            if found.grade is None:
                raise RunError(f"A machine of the cluster cannot run code in a sandbox. {found.trouble}")
            return found.grade
        return job.ungraded

    async def close(self) -> None:
        """Leave the cluster."""
        if self._task is not None:
            await self._cluster.close()

    async def _reached(self) -> None:
        async with self._turn:
            if self._task is None:
                await self._cluster.open()
                import ray  # noqa: PLC0415 - heavy

                remote: Any = ray.remote(num_cpus=1, max_retries=0, scheduling_strategy="SPREAD")
                self._task = remote(grade_here)
