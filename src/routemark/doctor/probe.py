"""The smallest requests that show whether answers come, are billed, and follow their settings.

Pages tell what an account has; only an answer tells whether its defaults bend a benchmark.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

from routemark import numbers
from routemark.doctor.account import SLUG
from routemark.doctor.findings import Finding, ok, problem, warning
from routemark.errors import FailureKind, rule
from routemark.records import Arm, Completion, Failure, Outcome, Question, Trial
from routemark.router import OpenRouterClient
from routemark.wire.arms import parse_arm
from routemark.wire.checks import flags, same_model
from routemark.wire.request import RequestOptions
from routemark.wire.response import UNNAMED_MODEL

OPTIONS = RequestOptions(max_tokens=16)
"""Some providers accept no smaller limit."""
ROUTER = "openrouter/auto"
_QUESTION = Question(id="doctor", difficulty="probe", question="Reply with one word: ok")
_ROUTING = (
    "Look at the account's routing defaults (allowed and excluded models, cost preference, and whether they "
    "prevent overrides); they would bend every run."
)
_NOTHING_LEFT = {FailureKind.NO_ENDPOINT.value, FailureKind.MODEL_GONE.value, FailureKind.UNKNOWN_MODEL.value}


class Probe:
    """Asks through a client, and adds up what that costs."""

    def __init__(self, client: OpenRouterClient) -> None:
        self.requests = 0
        self.cost_usd = 0.0
        self.cost_unknown = 0
        """Requests whose cost is not known."""
        self.simulated = False
        """A fictitious model answered."""
        self._client = client

    async def findings(self, models: list[str], *, routes: bool) -> AsyncIterator[Finding]:
        """Yield what the answers show; ``models``: asked one after the other until one answers."""
        served, first = None, None
        for model in models:
            trial = _trial(model)
            served, first = model, await self._ask(trial)
            if first.completion is not None or _ends_it(first):
                break
        if served is None or first is None:
            yield warning("probe", "No fixed model with a price is listed: nothing was asked.")
            return
        if first.completion is None:
            yield _refused("probe", f"{served} did not answer", first.failure)
            return
        for finding in _judge(trial, first.completion):
            yield finding
        yield _cached(first.completion, (await self._ask(trial)).completion)
        if routes:
            yield await self._settings(served)
        else:
            yield ok("settings", f"{ROUTER} is not listed here: there are no router settings to check.")

    async def ask_one(self, arm: Arm, *, has_prices: bool) -> AsyncIterator[Finding]:
        """Yield what an answer of a gateway other than OpenRouter shows: who served, and for how much."""
        answer = await self._ask(_trial_of(arm))
        said = answer.completion
        if said is None:
            yield _refused("probe", f"{arm.name} did not answer", answer.failure)
            return
        yield ok("probe", f"{arm.name} answered in {numbers.seconds(said.latency_s)}.")
        if said.model == UNNAMED_MODEL:
            yield warning(
                "model",
                f"{arm.name}: the answer does not tell which model served, so picks of a router stay unknown.",
                "Say where it is told: [gateway] model.",
            )
        else:
            yield ok("model", f"{arm.name}: {said.model} served.")
        yield _cost_of(arm, said, has_prices=has_prices)

    async def _settings(self, model: str) -> Finding:
        """Tell whether a router keeps to the models that a request allows, or leaves those it excludes."""
        restricted = await self._ask(_trial(f"{ROUTER}?allowed_models={model}"))
        if restricted.completion is not None:
            return _kept(
                restricted.completion,
                same_model(model, restricted.completion.model),
                f"only {model} was allowed",
            )
        if restricted.failure is None or restricted.failure.kind not in _NOTHING_LEFT:
            return _refused("settings", f"{ROUTER} did not answer", restricted.failure)
        free = await self._ask(_trial(ROUTER))  # the router may not know so cheap a model
        if free.completion is None:
            return _refused("settings", f"{ROUTER} did not answer", free.failure)
        picked = free.completion.model
        if not SLUG.fullmatch(picked):
            return warning("settings", f"{ROUTER} does not name the model that answers: nothing was checked.")
        other = await self._ask(_trial(f"{ROUTER}?excluded_models={picked}"))
        if other.completion is None:
            return _refused("settings", f"{ROUTER} without {picked} did not answer", other.failure)
        return _kept(
            other.completion, not same_model(picked, other.completion.model), f"{picked} was excluded"
        )

    async def _ask(self, trial: Trial) -> Outcome:
        outcome = await self._client.complete(trial)
        self.requests += len(outcome.attempts)
        self.cost_usd += outcome.cost_usd or 0.0
        if outcome.completion is not None:
            self.cost_unknown += outcome.cost_usd is None
            self.simulated |= outcome.completion.simulated
        return outcome


def _trial(spec: str) -> Trial:
    return _trial_of(parse_arm(spec))


def _trial_of(arm: Arm) -> Trial:
    """Give a trial of its own session, so that no earlier conversation decides who serves it."""
    name = f"doctor-{secrets.token_hex(6)}"
    return Trial(key=name, question=_QUESTION, arm=arm, repeat=0, session_id=name)


def _cost_of(arm: Arm, said: Completion, *, has_prices: bool) -> Finding:
    if said.cost_usd is not None:
        source = "by [gateway.prices]" if said.cost_source == "prices" else "as the gateway tells it"
        return ok("billing", f"{arm.name}: {numbers.usd(said.cost_usd)}, {source}.")
    lacking = f'[gateway.prices] does not have "{said.model}"' if has_prices else "the answer tells no cost"
    return warning(
        "billing",
        f"{arm.name}: {lacking}: costs of a run would be unknown.",
        f'Say where it is told ([gateway] cost), or what tokens cost: [gateway.prices."{said.model}"].',
    )


def _ends_it(outcome: Outcome) -> bool:
    return outcome.failure is not None and rule(outcome.failure.kind).stops_run


def _refused(name: str, what: str, failure: Failure | None) -> Finding:
    kind, said = (failure.kind, failure.message) if failure is not None else ("client_fault", "")
    return problem(name, f"{what} ({kind}): {said}", rule(kind).advice)


def _judge(trial: Trial, answer: Completion) -> list[Finding]:
    """Say what the first answer shows."""
    found = set(flags(trial.arm, answer))
    cost = numbers.usd(answer.cost_usd)
    findings = [
        ok("probe", f"{trial.arm.model} answered in {numbers.seconds(answer.latency_s)} for {cost}.")
        if "other_model" not in found
        else problem("probe", f"{trial.arm.model} was asked, {answer.model} answered.", _ROUTING)
    ]
    if answer.cost_usd is None:
        findings.append(
            warning("billing", "The answer told no cost (usage.cost): costs of a run would be unknown.")
        )
    if "byok" in found:
        findings.append(
            warning(
                "byok",
                "The answer was billed to a provider key of your own: costs leave out what the provider charges.",
                "Ask with a workspace that has no provider keys.",
            )
        )
    findings.append(
        warning("metadata", "The answer came without routing metadata: task types and attempts stay unknown.")
        if "no_metadata" in found
        else ok("metadata", "Routing metadata comes with answers.")
    )
    return findings


def _cached(first: Completion, second: Completion | None) -> Finding:
    """Say whether the same request, sent twice, was answered from the gateway's response cache."""
    hit = any("HIT" in (one.cache_status or "").upper() for one in (first, second) if one is not None)
    if hit:
        return problem(
            "cache",
            "An answer came from the gateway's response cache, though the request switched it off.",
            "Switch response caching off in the account's settings: latency and cost would not be real.",
        )
    if second is None:
        return warning("cache", "The same request, sent again, got no answer: the cache was not checked.")
    return ok("cache", "The same request twice was answered afresh.")


def _kept(answer: Completion, kept: bool, setting: str) -> Finding:
    if kept:
        return ok("settings", f"{ROUTER} keeps to the request's settings ({setting}).")
    return problem("settings", f"{ROUTER}: {setting}, yet {answer.model} answered.", _ROUTING)
