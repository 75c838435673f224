"""The real LiteLLM proxy before the simulated gateway: what it is sent, and where it tells who served.

Runs where ``ROUTEMARK_TEST_LITELLM`` names a ``litellm`` command: ``pip install 'litellm[proxy]'`` in an environment of its own.
"""

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import runs

LITELLM = os.environ.get("ROUTEMARK_TEST_LITELLM")
pytestmark = pytest.mark.skipif(not LITELLM, reason="ROUTEMARK_TEST_LITELLM names no litellm command")

KEY = "sk-litellm-0123456789"
START_S = 90.0
SMALL, LARGE = "sim/abacus-mini", "sim/osprey-max"
USD = {SMALL: (2e-7, 8e-7), LARGE: (1e-5, 5e-5)}
"""A token of prompt and of answer, as the proxy is told."""


def deployment(alias: str, model: str, base_url: str) -> dict[str, Any]:
    prompt, answer = USD[model]
    params = {"model": f"openai/{model}", "api_base": base_url, "api_key": "k"}
    return {
        "model_name": alias,
        "litellm_params": {**params, "input_cost_per_token": prompt, "output_cost_per_token": answer},
    }


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the base URL of a proxy with two fixed models, and one name that stands for either."""
    folder = tmp_path_factory.mktemp("litellm")
    with (
        runs.gateway(runs.write_sums(folder, 8), "--latency", "fixed:0.01") as base_url,
        socket.socket() as free,
    ):
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        aliases = [("small", SMALL), ("large", LARGE), ("mixed", SMALL), ("mixed", LARGE)]
        config = {
            "model_list": [deployment(alias, model, base_url) for alias, model in aliases],
            "general_settings": {"master_key": KEY},
        }
        (folder / "config.yaml").write_text(json.dumps(config))  # JSON is YAML
        environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        command = [str(LITELLM), "--config", "config.yaml", "--host", "127.0.0.1", "--port", str(port)]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command, cwd=folder, env=environ, **quiet) as process:  # type: ignore[call-overload]
            try:
                _wait(f"http://127.0.0.1:{port}/health/liveliness", process)
                yield f"http://127.0.0.1:{port}/v1"
            finally:
                process.kill()


def _wait(url: str, process: Any) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        assert process.poll() is None, "the proxy ended"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    pytest.fail(f"the proxy did not start within {START_S:g} s")


def command(*arguments: str, cwd: Path) -> tuple[int, Any]:
    done = runs.ended(runs.begin(*arguments, "--json", cwd=cwd, LITELLM_API_KEY=KEY), timeout=100)
    return done.code, json.loads(done[1])


def test_doctor_tells_who_serves_a_name(proxy: str, tmp_path: Path) -> None:
    _, found = command("doctor", "--base-url", proxy, "--gateway", "litellm", "-m", "small", cwd=tmp_path)
    told = {one["name"]: one for one in found["findings"]}
    assert "lists 3 models" in told["gateway"]["message"]
    assert f"openai/{SMALL} served" in told["model"]["message"]
    assert told["billing"]["status"] == "ok"
    assert found["simulated"]


@pytest.mark.parametrize("stream", ["--stream", "--no-stream"])
def test_a_run_reads_model_and_cost(proxy: str, tmp_path: Path, stream: str) -> None:
    runs.write_sums(tmp_path, 8)
    arms = ("-m", "small", "-m", "large", "-m", "mixed", "--repeats", "2")
    at = ("--base-url", proxy, "--gateway", "litellm", "--run-id", "r", "--quiet", stream)
    code, _ = command("run", "my.jsonl", *arms, *at, cwd=tmp_path)
    assert code == 0
    rows = runs.results(tmp_path / "runs/r")["results"]
    assert {row["model"] for row in rows if row["arm"] == "small"} == {f"openai/{SMALL}"}
    assert {row["model"] for row in rows if row["arm"] == "mixed"} == {f"openai/{SMALL}", f"openai/{LARGE}"}
    assert all(row["cost_source"] == "billed" for row in rows)
    assert not {flag for row in rows for flag in row["flags"]} & {"no_metadata", "cache_hit"}
    if stream == "--no-stream":  # a stream tells what the provider behind the proxy charged, with the usage
        for row in rows:
            prompt, answer = USD[row["model"].removeprefix("openai/")]
            tokens = row["usage"]["prompt_tokens"] * prompt + row["usage"]["completion_tokens"] * answer
            assert row["cost_usd"] == pytest.approx(tokens, rel=1e-3)


def test_a_budget_rests_on_the_prices_of_the_settings(proxy: str, tmp_path: Path) -> None:
    runs.write_sums(tmp_path, 8)
    table = "".join(
        f'[gateway.prices."{name}"]\nprompt = {USD[model][0] * 1e6}\ncompletion = {USD[model][1] * 1e6}\n'
        for name, model in (("small", SMALL), ("large", LARGE))
    )
    (tmp_path / "routemark.toml").write_text(f'base_url = "{proxy}"\n[gateway]\npreset = "litellm"\n{table}')
    asked = ("my.jsonl", "-m", "small", "--max-tokens", "100")
    _, plan = command("plan", *asked, cwd=tmp_path)
    assert 0 < plan["cost_worst_usd"] < 1
    code, _ = command("run", *asked, "--max-cost", "1", "--quiet", "--run-id", "b", cwd=tmp_path)
    assert code == 0
    code, _ = command("run", *asked, "--max-cost", "0.00001", "--quiet", "--run-id", "c", cwd=tmp_path)
    assert code == 4
