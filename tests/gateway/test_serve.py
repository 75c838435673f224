"""The gateway as a process: one line, graceful stops, refusals told to a person."""

import asyncio
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest

import runs
from routemark.config import GatewayOptions
from routemark.errors import RunError, UsageError
from routemark.gateway import process as starting
from routemark.gateway.process import simulated_gateway
from routemark.gateway.serve import GatewayServer

COMMAND = [sys.executable, "-m", "routemark", "gateway", "--latency", "0"]


@pytest.fixture(autouse=True)
def own_processes(monkeypatch):
    """Start gateways as they are started outside of tests."""
    monkeypatch.setattr(starting, "_command", runs.START_OF_A_GATEWAY)


def get(base_url, path):
    address = urlsplit(base_url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    try:
        connection.request("GET", address.path + path)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def launch(*options):
    return subprocess.Popen([*COMMAND, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_listens_and_stops_on_a_signal(number):
    with launch() as process:
        line = process.stdout.readline()
        assert re.fullmatch(r"listening on http://127\.0\.0\.1:\d+/api/v1\n", line)
        assert get(line.split()[-1], "/models")["data"]
        process.send_signal(number)
        assert process.wait(10) == 0
        assert process.stdout.read() == ""


def test_it_stops_at_the_end_of_its_input_when_asked_to():
    with launch("--exit-on-eof") as process:
        process.stdout.readline()
        process.stdin.close()
        assert process.wait(10) == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "example.com"])
def test_hosts_that_others_can_reach_are_refused(host):
    with pytest.raises(UsageError, match="--unsafe-host"):
        GatewayServer(GatewayOptions(host=host))


def test_an_unsafe_host_is_taken_when_told():
    server = GatewayServer(GatewayOptions(host="0.0.0.0", unsafe_host=True))
    server.socket.close()


def test_a_port_in_use_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=str(port)):
            GatewayServer(GatewayOptions(port=port))


def test_a_gateway_of_our_own_lives_as_long_as_its_context():
    async def use():
        async with simulated_gateway(seed=3, latency="0") as base_url:
            page = await asyncio.to_thread(get, base_url, "/models")
            assert page["data"][0]["simulated"] is True
        with pytest.raises(ConnectionRefusedError):
            await asyncio.to_thread(get, base_url, "/models")

    asyncio.run(use())


def test_a_gateway_that_cannot_start_tells_why():
    async def use():
        async with simulated_gateway(faults="midstrem:0.1"):
            pass

    with pytest.raises(RunError, match="Did you mean midstream"):
        asyncio.run(use())


PARENT = (
    "import asyncio, signal\n"
    "from routemark.gateway.process import simulated_gateway\n"
    "signal.signal(signal.SIGINT, lambda *_: print('interrupted', flush=True))\n"
    "async def main():\n"
    "    async with simulated_gateway() as url:\n"
    "        print(url, flush=True)\n"
    "        await asyncio.sleep(60)\n"
    "asyncio.run(main())\n"
)


def test_ctrl_c_is_the_parents_alone_and_no_gateway_outlives_a_killed_parent():
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    with parent:
        base_url = parent.stdout.readline().strip()
        os.killpg(parent.pid, signal.SIGINT)
        assert parent.stdout.readline() == "interrupted\n"
        for _ in range(10):  # a gateway that was hit would be gone after the first few
            assert get(base_url, "/models")
            time.sleep(0.05)
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait(10)
    assert _is_gone(base_url)


def _is_gone(base_url):
    """Wait for the connection to be refused; the gateway needs a moment to notice."""

    async def wait():
        address = urlsplit(base_url)
        async with asyncio.timeout(10):
            while True:
                try:
                    _, writer = await asyncio.open_connection(address.hostname, address.port)
                except ConnectionRefusedError:
                    return True
                writer.close()
                await asyncio.sleep(0.02)

    return asyncio.run(wait())
