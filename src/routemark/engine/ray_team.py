"""Workers on a Ray cluster: an actor each, spread over the nodes. All that knows of Ray is here.

No key is handed to Ray: it would stand in the logs of each node, where Ray writes what an actor's environment is
made of. Workers have theirs from the environment that Ray was started in.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
from typing import TYPE_CHECKING, Any

from routemark.engine.cluster import LostError, Remote
from routemark.engine.cluster_worker import Worker
from routemark.errors import RunError, UsageError

if TYPE_CHECKING:  # a heavy import, for those who want it
    from ray.actor import ActorHandle

RAY_URL = "ray://"
KNOCK_S = 10.0
"""For a cluster to accept a connection."""
AGAIN_S = 0.5
"""Between two calls of an actor that cannot be reached for the moment; who waits for it bounds their number."""


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


class RayTeam:
    """Hires actors of a Ray cluster; one a node unless a number is given."""

    def __init__(self, address: str | None, workers: int | None) -> None:
        """``address``: of the cluster; None: RAY_ADDRESS, else a cluster on this machine, which is started if need be."""
        self._address = address
        self._workers = workers
        self._actor: Any = None

    async def open(self) -> None:
        """Reach the cluster. Raises: RunError."""
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
        self._actor = ray.remote(num_cpus=1)(Worker)

    def wanted(self) -> int:
        """Give the number of workers asked for, else of the nodes that are alive."""
        import ray  # noqa: PLC0415 - heavy

        if self._workers is not None:
            return self._workers
        nodes = ray.nodes()  # type: ignore[no-untyped-call]
        return max(1, sum(bool(node["Alive"]) for node in nodes))

    def hire(self, setup: bytes) -> Remote:
        """Have an actor started where there is room."""
        return _Actor(self._actor.options(scheduling_strategy="SPREAD", max_restarts=0).remote(setup))

    async def close(self) -> None:
        """Leave the cluster; one that was started here ends."""
        import ray  # noqa: PLC0415 - heavy

        await asyncio.to_thread(ray.shutdown)


async def _knock(address: str | None) -> None:
    """See whether anybody is there; Ray itself would end this process. Raises: OSError."""
    host, colon, port = (address or "").rpartition(":")
    if colon and port.isdecimal():
        async with asyncio.timeout(KNOCK_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        writer.close()


class _Actor:
    """A worker in an actor."""

    def __init__(self, handle: ActorHandle[Worker]) -> None:
        self._handle = handle

    async def hello(self) -> bytes:
        return bytes(await self._asked("hello"))

    async def order(self, data: bytes) -> None:
        await self._asked("order", data)

    async def report(self, acknowledged: int) -> bytes:
        return bytes(await self._asked("report", acknowledged))

    def dismiss(self) -> None:
        import ray  # noqa: PLC0415 - heavy

        ray.kill(self._handle)

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
