"""OpenTelemetry: spans and metrics of outcomes under the conventions' names, only when asked for, never content."""

import asyncio
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import routemark
import runs
from routemark import telemetry
from routemark.engine.gate import Gate
from routemark.policy.pacing import Pace
from routemark.records import (
    Attempt,
    Completion,
    Failure,
    Outcome,
    Question,
    Run,
    Trial,
    Usage,
)
from routemark.telemetry import Teller, opened, wanted
from routemark.wire.arms import parse_arm
from routemark.wire.dialect import dialect_of
from routemark.wire.request import RequestOptions

SECRET = "the words of prompt and answer"
RUN = Run(
    id="r1",
    status="running",
    simulated=False,
    started_at="2026-01-31T12:00:00.000Z",
    questions_sha256="",
    questions=1,
    arms=[],
    base_url="",
    routemark_version="0",
)
TRIAL = Trial(
    key="0" * 24,
    question=Question(id="q1", difficulty="hard", question=SECRET, category="c"),
    arm=parse_arm("openrouter/auto"),
    repeat=0,
    session_id="rm-1",
)
REFUSED = Attempt(
    started_at="2026-01-31T12:00:00.250Z",
    duration_s=0.5,
    status=429,
    kind="rate_limit_provider",
    message=SECRET,
)
ANSWERED = Attempt(started_at="2026-01-31T12:00:02.000Z", duration_s=1.5, status=200, generation_id="gen-1")
ANSWER = Completion(
    text=SECRET,
    model="a/b",
    provider="P",
    task_type="math",
    finish_reason="stop",
    usage=Usage(prompt_tokens=11, completion_tokens=7, cached_tokens=2),
    cost_usd=0.25,
    cost_source="billed",
    ttft_s=0.125,
    reasoning=SECRET,
)


def outcome(**end: Any) -> Outcome:
    about = {
        "trial": TRIAL.key,
        "question_id": "q1",
        "arm": "openrouter/auto",
        "repeat": 0,
        "session_id": "rm-1",
    }
    return Outcome(**about, **end)  # type: ignore[arg-type]


class Kept:
    """Providers that keep what they get in memory, and a teller that tells them."""

    def __init__(self, options: RequestOptions = RequestOptions(temperature=0.5)) -> None:  # noqa: B008 - frozen
        self._spans, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        tracing = TracerProvider(shutdown_on_exit=False)
        tracing.add_span_processor(SimpleSpanProcessor(self._spans))
        metering = MeterProvider([self._reader], shutdown_on_exit=False)
        self.gate = Gate(Pace(20))
        tracer, meter = tracing.get_tracer("t"), metering.get_meter("t")
        url = "https://gateway.example/api/v1"
        self.teller = Teller(tracer, meter, run=RUN, options=options, gate=self.gate, base_url=url)

    def spans(self) -> dict[str, list[ReadableSpan]]:
        found: dict[str, list[ReadableSpan]] = {}
        for span in self._spans.get_finished_spans():
            found.setdefault(span.name, []).append(span)
        return found

    def metrics(self) -> dict[str, list[Any]]:
        data = self._reader.get_metrics_data()
        assert data is not None
        (scope,) = data.resource_metrics[0].scope_metrics
        return {metric.name: list(metric.data.data_points) for metric in scope.metrics}


def attributes(span: Any) -> dict[str, Any]:
    return dict(span.attributes)


def test_a_trial_is_a_span_and_each_attempt_a_client_span_in_it() -> None:
    kept = Kept()
    kept.teller.saw(TRIAL, outcome(attempts=[REFUSED, ANSWERED], completion=ANSWER, queue_s=0.01), None)
    (trial,), (refused, answered) = (
        kept.spans()["trial openrouter/auto"],
        kept.spans()["chat openrouter/auto"],
    )
    assert (trial.kind, trial.status.status_code) == (SpanKind.INTERNAL, StatusCode.UNSET)
    assert ((trial.end_time or 0) - (trial.start_time or 0)) / 1e9 == pytest.approx(3.25)
    assert attributes(trial) == {
        "routemark.run.id": "r1",
        "routemark.trial": TRIAL.key,
        "routemark.arm": "openrouter/auto",
        "routemark.question.id": "q1",
        "routemark.difficulty": "hard",
        "routemark.category": "c",
        "routemark.repeat": 0,
        "routemark.attempts": 2,
        "routemark.queue_s": 0.01,
        "routemark.cost_usd": 0.25,
        "routemark.task_type": "math",
        "routemark.simulated": False,
        "gen_ai.response.model": "a/b",
    }
    for span, begun, took in ((refused, 0.25, 0.5), (answered, 2.0, 1.5)):
        assert span.kind is SpanKind.CLIENT
        assert span.parent is not None
        assert span.parent.span_id == trial.get_span_context().span_id  # type: ignore[union-attr]
        assert (span.start_time or 0) / 1e9 % 60 == pytest.approx(begun)
        assert ((span.end_time or 0) - (span.start_time or 0)) / 1e9 == pytest.approx(took)
    asked = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openrouter",
        "gen_ai.request.model": "openrouter/auto",
        "gen_ai.request.stream": True,
        "gen_ai.request.max_tokens": 16384,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.conversation.id": "rm-1",
        "server.address": "gateway.example",
        "server.port": 443,
    }
    failed = {"routemark.attempt": 1, "http.response.status_code": 429, "error.type": "rate_limit_provider"}
    assert attributes(refused) == {**asked, **failed}
    assert refused.status.status_code is StatusCode.ERROR
    assert attributes(answered) == {
        **asked,
        "routemark.attempt": 2,
        "http.response.status_code": 200,
        "gen_ai.response.id": "gen-1",
        "gen_ai.response.model": "a/b",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 11,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 2,
        "routemark.upstream_provider": "P",
        "routemark.ttft_s": 0.125,
        "routemark.cost_usd": 0.25,
        "routemark.cost_source": "billed",
    }
    assert SECRET not in "".join(span.to_json() for spans in kept.spans().values() for span in spans)


def test_metrics_tell_duration_tokens_spending_and_pace() -> None:
    kept = Kept()
    kept.teller.saw(TRIAL, outcome(attempts=[REFUSED, ANSWERED], completion=ANSWER), None)
    failure = Failure(kind="server_error", message=SECRET)
    kept.teller.saw(TRIAL, outcome(attempts=[REFUSED], failure=failure), None)
    found = kept.metrics()
    durations = {
        dict(one.attributes).get("error.type"): one for one in found["gen_ai.client.operation.duration"]
    }
    assert (durations["rate_limit_provider"].count, durations[None].sum) == (2, 1.5)
    assert list(durations[None].explicit_bounds)[:3] == [0.01, 0.02, 0.04]
    tokens = {one.attributes["gen_ai.token.type"]: one.sum for one in found["gen_ai.client.token.usage"]}
    assert tokens == {"input": 11, "output": 7}
    assert [one.value for one in found["routemark.cost"]] == [0.25]
    trials = {dict(one.attributes).get("error.type"): one.value for one in found["routemark.trials"]}
    assert trials == {None: 1, "server_error": 1}
    assert [one.value for one in found["routemark.pace.limit"]] == [kept.gate.pace.limit]
    assert [one.value for one in found["routemark.requests.in_flight"]] == [0]


def test_a_router_that_is_a_plugin_shows_its_pick_and_its_own_time() -> None:
    kept = Kept()
    kept.teller.saw(TRIAL, outcome(attempts=[ANSWERED], completion=ANSWER, picked="a/b", pick_s=0.5), None)
    (trial,) = kept.spans()["trial openrouter/auto"]
    assert ((trial.end_time or 0) - (trial.start_time or 0)) / 1e9 == pytest.approx(2.0)
    assert (attributes(trial)["routemark.picked"], attributes(trial)["routemark.pick_s"]) == ("a/b", 0.5)
    assert attributes(kept.spans()["chat a/b"][0])["gen_ai.request.model"] == "a/b"
    failure = Failure(kind="router_fault", message=SECRET)
    kept.teller.saw(TRIAL, outcome(attempts=[], failure=failure, pick_s=0.5), None)
    assert kept.spans()["trial openrouter/auto"][1].status.status_code is StatusCode.ERROR


def test_another_gateway_has_its_own_name_and_no_conversation() -> None:
    kept = Kept(RequestOptions(dialect=dialect_of("azure", "http://x")))
    kept.teller.saw(TRIAL, outcome(attempts=[ANSWERED], completion=ANSWER), None)
    told = attributes(kept.spans()["chat openrouter/auto"][0])
    assert told["gen_ai.provider.name"] == "azure.ai.openai"
    assert "gen_ai.conversation.id" not in told


# --------------------------------------------------------------------------- on and off


@pytest.mark.parametrize(
    ("environ", "traces", "metrics"),
    [
        ({}, False, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, True, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c"}, True, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "True"}, False, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_METRICS_EXPORTER": "none"}, True, False),
        ({"OTEL_SERVICE_NAME": "x"}, False, False),
    ],
)
def test_only_the_standard_variables_switch_it_on(
    environ: dict[str, str], traces: bool, metrics: bool
) -> None:
    assert (wanted("TRACES", environ), wanted("METRICS", environ)) == (traces, metrics)


def test_nothing_is_imported_when_it_is_off() -> None:
    code = (
        "import sys; from routemark import main; from routemark.telemetry import opened\n"
        "with opened(None, None, {}) as telling: assert telling(None, '') == []\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_missing_library_is_named_and_nothing_else_happens(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(telemetry, "_is_complete", lambda: False)
    with opened(RUN, RequestOptions(), {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}) as telling:
        assert telling(Gate(Pace(1)), "http://x") == []
    assert "pip install 'routemark[otel]'" in caplog.text


# --------------------------------------------------------------------------- a collector


class Collector(ThreadingHTTPServer):
    """Takes OTLP over HTTP, and keeps it."""

    daemon_threads = True

    def __init__(self) -> None:
        self.got: list[tuple[str, bytes]] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, body))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@contextmanager
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(10)


def test_a_run_is_exported_to_a_collector_without_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = runs.write_sums(tmp_path, 3)
    with collector() as server:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
        run = asyncio.run(routemark.run(path, ["sim/heron"], simulate=True, runs_dir=str(tmp_path / "runs")))
    traces = [
        ExportTraceServiceRequest.FromString(body) for where, body in server.got if where == "/v1/traces"
    ]
    metrics = [
        ExportMetricsServiceRequest.FromString(body) for where, body in server.got if where == "/v1/metrics"
    ]
    resource = {one.key: one.value.string_value for one in traces[0].resource_spans[0].resource.attributes}
    assert resource["service.name"] == "routemark"
    assert resource["deployment.environment.name"] == "test"
    spans = [
        span for one in traces for all_ in one.resource_spans for s in all_.scope_spans for span in s.spans
    ]
    assert sorted(span.name for span in spans) == ["chat sim/heron"] * 3 + ["trial sim/heron"] * 3
    costs = [
        one.value.double_value
        for span in spans
        if span.name.startswith("trial")
        for one in span.attributes
        if one.key == "routemark.cost_usd"
    ]
    assert sum(costs) == pytest.approx(run.summary.cost_usd)
    names = {
        m.name for one in metrics for r in one.resource_metrics for s in r.scope_metrics for m in s.metrics
    }
    assert names >= {"gen_ai.client.operation.duration", "gen_ai.client.token.usage", "routemark.cost"}
    sent = b"".join(body for _, body in server.got)
    assert b"What is" not in sent
    assert all(
        (row["answer"] or "-").encode() not in sent for row in run.table() if len(row["answer"] or "") > 12
    )


def test_a_collector_that_is_away_costs_a_sentence_and_not_the_run(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    with opened(RUN, RequestOptions()) as telling:
        (teller,) = telling(Gate(Pace(1)), "http://x")
        teller.saw(TRIAL, outcome(attempts=[ANSWERED], completion=ANSWER), None)
    told = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.name for record in told] == ["routemark.telemetry"]
    assert "The run is not affected" in told[0].getMessage()
    assert SECRET not in caplog.text
