"""OpenTelemetry: a span for each trial and each of its attempts, and metrics of pace and spending, when asked for.

It is asked for in OpenTelemetry's own way: ``OTEL_EXPORTER_OTLP_ENDPOINT`` names a collector (or an application that
calls us has set up its own tracing). Otherwise nothing is imported, made or sent. Spans are made of outcomes, once
these have been journaled: the asking itself knows nothing of them. Names are those of the semantic conventions for
generative AI; what these lack is under ``routemark.``. No prompt, no answer and no message of a gateway is in them.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from routemark._version import __version__
from routemark.engine.gate import Gate
from routemark.engine.run import Observer
from routemark.records import Attempt, Completion, Grade, Outcome, Run, Trial
from routemark.wire.dialect import Dialect
from routemark.wire.request import RequestOptions

if TYPE_CHECKING:  # an extra
    from opentelemetry.metrics import CallbackOptions, Meter, Observation
    from opentelemetry.trace import Tracer

log = logging.getLogger(__name__)

SCOPE = "routemark"
FLUSH_S = 5.0
"""How long the end of a run may wait for the collector."""
QUEUE = "65536"
"""Spans that may wait for the collector, unless ``OTEL_BSP_MAX_QUEUE_SIZE`` says otherwise."""
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_{}_ENDPOINT")
_SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
_TOKENS = [4.0**power for power in range(14)]
"""Bounds of the buckets that the conventions ask for."""
_PROVIDERS = {"azure": "azure.ai.openai"}
"""Preset -> the conventions' name, where they have one that differs."""

Attributes = dict[str, Any]
Telling = Callable[[Gate, str], list[Observer]]
"""From the gate and the base URL of a run to whoever is to be told of its outcomes."""


def wanted(signal: str, environ: Mapping[str, str]) -> bool:
    """Tell whether the environment asks for ``TRACES`` or ``METRICS`` to be exported."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if environ.get(f"OTEL_{signal}_EXPORTER", "otlp").strip() not in {"", "otlp"}:
        return False
    return any(environ.get(name.format(signal), "").strip() for name in _ENDPOINTS)


@contextlib.contextmanager
def opened(run: Run, options: RequestOptions, environ: Mapping[str, str] = os.environ) -> Iterator[Telling]:
    """Give what tells OpenTelemetry of a run, which may be nothing; at the end what is left is sent."""
    with contextlib.ExitStack() as stack:
        source = _of_application() or _of_environment(environ, stack)
        if source is None:
            yield lambda _gate, _base_url: []
        else:
            yield lambda gate, base_url: [
                Teller(*source, run=run, options=options, gate=gate, base_url=base_url)
            ]


class _Source(NamedTuple):
    tracer: Tracer
    meter: Meter


def _of_application() -> _Source | None:
    """Give what an application that calls us has set up; None when it has set up nothing."""
    if "opentelemetry.sdk.trace" not in sys.modules:
        return None
    from opentelemetry import metrics, trace  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415

    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        return None
    return _Source(provider.get_tracer(SCOPE, __version__), metrics.get_meter(SCOPE, __version__))


def _of_environment(environ: Mapping[str, str], stack: contextlib.ExitStack) -> _Source | None:
    """Give what the environment asks for, ended with the stack; None when it asks for nothing."""
    signals = [signal for signal in ("TRACES", "METRICS") if wanted(signal, environ)]
    if not signals:
        return None
    if importlib.util.find_spec("opentelemetry") is None or not _is_complete():
        log.warning(
            "routemark: OTEL_EXPORTER_OTLP_ENDPOINT is set, but what exports is not installed: "
            "pip install 'routemark[otel]'. Nothing is exported."
        )
        return None
    stack.enter_context(_complaints_counted())
    return _exporting(signals, environ, stack)


def _is_complete() -> bool:
    try:
        return importlib.util.find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False


def _exporting(signals: list[str], environ: Mapping[str, str], stack: contextlib.ExitStack) -> _Source:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    named = "OTEL_SERVICE_NAME" in environ or "service.name" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    resource = Resource.create({"service.version": __version__, **({} if named else {"service.name": SCOPE})})
    tracing = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporters: list[OTLPSpanExporter | OTLPMetricExporter] = []
    if "TRACES" in signals:
        size = int(environ.get("OTEL_BSP_MAX_QUEUE_SIZE") or QUEUE)
        exporters.append(spans := OTLPSpanExporter())
        tracing.add_span_processor(BatchSpanProcessor(spans, max_queue_size=size))
    readers = []
    if "METRICS" in signals:
        exporters.append(metrics := OTLPMetricExporter())
        readers.append(PeriodicExportingMetricReader(metrics))
    metering = MeterProvider(readers, resource=resource, shutdown_on_exit=False)
    stack.callback(_end, [tracing.shutdown, metering.shutdown], [one.shutdown for one in exporters])
    return _Source(tracing.get_tracer(SCOPE, __version__), metering.get_meter(SCOPE, __version__))


def _end(ways: list[Callable[[], object]], give_up: list[Callable[[], object]]) -> None:
    """Send what is left, all at once, and give up what takes longer than a run's end may wait."""
    threads = [threading.Thread(target=way, daemon=True) for way in ways]
    for thread in threads:
        thread.start()
    until = time.monotonic() + FLUSH_S
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    if any(thread.is_alive() for thread in threads):
        for stop in give_up:
            stop()
        for thread in threads:
            thread.join(FLUSH_S)


@contextlib.contextmanager
def _complaints_counted() -> Iterator[None]:
    """Make one sentence of what OpenTelemetry logs about its exports: a collector that is away ends no run."""
    logger, heard = logging.getLogger("opentelemetry"), _Heard()
    propagated = logger.propagate
    logger.addHandler(heard)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(heard)
        logger.propagate = propagated
        if heard.first is not None:
            log.warning(
                "routemark: not everything was exported by OpenTelemetry (%s). The run is not affected.",
                heard.first,
            )


class _Heard(logging.Handler):
    """Keeps the first complaint."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.first: str | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Take a complaint."""
        if self.first is None:
            self.first = " ".join(record.getMessage().split())[:200]


# --------------------------------------------------------------------------- outcomes as spans and metrics


class Teller:
    """An observer that makes spans and metrics of outcomes."""

    def __init__(  # noqa: PLR0913 - what a span tells, by name
        self,
        tracer: Tracer,
        meter: Meter,
        *,
        run: Run,
        options: RequestOptions,
        gate: Gate,
        base_url: str,
    ) -> None:
        self._tracer = tracer
        self._run = run
        self._shared = _shared(options, base_url)
        self._requested = _requested(options)
        self._has_sessions = options.dialect.openrouter_fields
        self._duration = meter.create_histogram(
            "gen_ai.client.operation.duration",
            "s",
            "GenAI operation duration.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self._tokens = meter.create_histogram(
            "gen_ai.client.token.usage",
            "{token}",
            "Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=_TOKENS,
        )
        self._cost = meter.create_counter("routemark.cost", "{USD}", "Known cost, failed attempts included.")
        self._trials = meter.create_counter("routemark.trials", "{trial}", "Trials that ended.")
        meter.create_observable_gauge(
            "routemark.requests.in_flight", [_gauge(lambda: gate.in_flight, run.id)], "{request}"
        )
        meter.create_observable_gauge(
            "routemark.pace.limit", [_gauge(lambda: gate.pace.limit, run.id)], "{request}"
        )

    def saw(self, trial: Trial, outcome: Outcome, grade: Grade | None) -> None:  # noqa: ARG002 - an Observer
        """Make spans and metrics of one outcome."""
        asked = outcome.picked or trial.arm.model
        self._span(trial, outcome, asked)
        for attempt in outcome.attempts:
            self._measure(attempt, _answer_of(attempt, outcome), asked)
        kind = outcome.failure.kind if outcome.failure is not None else None
        by_arm = {"routemark.arm": outcome.arm}
        self._trials.add(1, by_arm | ({"error.type": kind} if kind else {}))
        if outcome.cost_usd is not None:
            self._cost.add(outcome.cost_usd, by_arm)

    def _span(self, trial: Trial, outcome: Outcome, asked: str) -> None:
        from opentelemetry.trace import SpanKind, set_span_in_context  # noqa: PLC0415 - an extra

        begun, ended = _lifetime(outcome)
        span = self._tracer.start_span(
            f"trial {outcome.arm}",
            kind=SpanKind.INTERNAL,
            attributes=_of_trial(self._run, trial, outcome),
            start_time=begun,
        )
        _fail(span, outcome.failure.kind if outcome.failure is not None else None)
        inside = set_span_in_context(span)
        for number, attempt in enumerate(outcome.attempts, start=1):
            start = _nanoseconds(attempt.started_at)
            one = self._tracer.start_span(
                f"chat {asked}",
                context=inside,
                kind=SpanKind.CLIENT,
                attributes={
                    **self._shared,
                    **self._requested,
                    "gen_ai.request.model": asked,
                    **({"gen_ai.conversation.id": outcome.session_id} if self._has_sessions else {}),
                    **_of_attempt(number, attempt, _answer_of(attempt, outcome)),
                },
                start_time=start,
            )
            _fail(one, attempt.kind)
            one.end(start + int(attempt.duration_s * 1e9))
        span.end(ended)

    def _measure(self, attempt: Attempt, answer: Completion | None, asked: str) -> None:
        about: Attributes = {**self._shared, "gen_ai.request.model": asked}
        if answer is not None:
            about["gen_ai.response.model"] = answer.model
        failed = {"error.type": attempt.kind} if attempt.kind is not None else {}
        self._duration.record(attempt.duration_s, {**about, **failed})
        if answer is None:
            return
        for kind, count in (
            ("input", answer.usage.prompt_tokens),
            ("output", answer.usage.completion_tokens),
        ):
            if count is not None:
                self._tokens.record(count, {**about, "gen_ai.token.type": kind})


def _gauge(value: Callable[[], float], run_id: str) -> Callable[[CallbackOptions], list[Observation]]:
    def observe(_: CallbackOptions) -> list[Observation]:
        from opentelemetry.metrics import Observation  # noqa: PLC0415 - an extra

        return [Observation(value(), {"routemark.run.id": run_id})]

    return observe


def _shared(options: RequestOptions, base_url: str) -> Attributes:
    """Give what is the same for all attempts, spans and metrics alike."""
    parts = urlsplit(base_url)
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _provider(options.dialect),
        "server.address": parts.hostname or "",
        "server.port": parts.port or (443 if parts.scheme == "https" else 80),
    }


def _provider(dialect: Dialect) -> str:
    return _PROVIDERS.get(dialect.name, dialect.name)


def _requested(options: RequestOptions) -> Attributes:
    asked = {
        "gen_ai.request.stream": options.stream,
        "gen_ai.request.max_tokens": options.max_tokens,
        "gen_ai.request.temperature": options.temperature,
    }
    return _known(asked)


def _of_trial(run: Run, trial: Trial, outcome: Outcome) -> Attributes:
    answer = outcome.completion
    return _known(
        {
            "routemark.run.id": run.id,
            "routemark.trial": outcome.trial,
            "routemark.arm": outcome.arm,
            "routemark.question.id": outcome.question_id,
            "routemark.difficulty": trial.question.difficulty,
            "routemark.category": trial.question.category,
            "routemark.repeat": outcome.repeat,
            "routemark.attempts": len(outcome.attempts),
            "routemark.picked": outcome.picked,
            "routemark.pick_s": outcome.pick_s,
            "routemark.queue_s": outcome.queue_s,
            "routemark.cost_usd": outcome.cost_usd,
            "routemark.task_type": answer.task_type if answer else None,
            "routemark.simulated": run.simulated or (answer is not None and answer.simulated),
            "gen_ai.response.model": answer.model if answer else None,
        }
    )


def _of_attempt(number: int, attempt: Attempt, answer: Completion | None) -> Attributes:
    told: Attributes = {
        "routemark.attempt": number,
        "http.response.status_code": attempt.status,
        "routemark.retry_after_s": attempt.retry_after_s,
        "routemark.cost_usd": attempt.cost_usd,
        "gen_ai.response.id": attempt.generation_id,
    }
    if answer is not None:
        usage = answer.usage
        told |= {
            "gen_ai.response.model": answer.model,
            "gen_ai.response.finish_reasons": [answer.finish_reason] if answer.finish_reason else None,
            "gen_ai.usage.input_tokens": usage.prompt_tokens,
            "gen_ai.usage.output_tokens": usage.completion_tokens,
            "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
            "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens,
            "routemark.upstream_provider": answer.provider,
            "routemark.ttft_s": answer.ttft_s,
            "routemark.cost_usd": answer.cost_usd,
            "routemark.cost_source": answer.cost_source,
        }
    return _known(told)


def _known(attributes: Attributes) -> Attributes:
    """Give the attributes that have a value: unknown is left out, never 0."""
    return {name: value for name, value in attributes.items() if value is not None}


def _answer_of(attempt: Attempt, outcome: Outcome) -> Completion | None:
    """Give the answer if this attempt gave it."""
    return outcome.completion if attempt.kind is None and attempt is outcome.attempts[-1] else None


def _fail(span: Any, kind: str | None) -> None:
    """Mark a span as failed, by the kind alone: a gateway's message may quote the prompt."""
    if kind is not None:
        from opentelemetry.trace import StatusCode  # noqa: PLC0415 - an extra

        span.set_attribute("error.type", kind)
        span.set_status(StatusCode.ERROR)


def _lifetime(outcome: Outcome) -> tuple[int, int]:
    """Give begin and end of a trial, nanoseconds since 1970; one without an attempt has just ended."""
    pick = int((outcome.pick_s or 0.0) * 1e9)
    if not outcome.attempts:
        now = time.time_ns()
        return now - pick, now
    last = outcome.attempts[-1]
    end = _nanoseconds(last.started_at) + int(last.duration_s * 1e9)
    return _nanoseconds(outcome.attempts[0].started_at) - pick, end


def _nanoseconds(moment: str) -> int:
    """Give a time of day as it stands in a record in nanoseconds since 1970."""
    return round(datetime.fromisoformat(moment).timestamp() * 1_000) * 1_000_000
