"""Routers that are plugins: a Python function picks a model for each prompt, and the gateway is asked for that one.

What such an arm is called is ``plugin/NAME``. Its own time is measured apart from the answer's: it begins when the
function does, and ends with it. The function may be called from several threads at once, or be ``async``.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import Any, NamedTuple

import msgspec

from routemark import plugins
from routemark.errors import FailureKind, PluginError
from routemark.records import Arm, Trial
from routemark.wire.arms import PLUGIN, plugin_name
from routemark.wire.checks import matches
from routemark.wire.failures import Refusal, refused
from routemark.wire.request import prompt_text

_ALLOWED = "allowed_models"


class Picked(NamedTuple):
    """What a router made of a prompt."""

    model: str | Refusal
    """The slug, or why there is none."""
    took_s: float
    """Seconds in the router alone."""


def with_reach(arm: Arm) -> Arm:
    """Give a plugin's arm with the models that it may pick, where it says so; any other arm as it is.

    Raises: PluginError when no plugin has this name, or it is no router.
    """
    name = plugin_name(arm.model)
    if name is None:
        return arm
    router = _router(name)
    models = getattr(router.value, "models", None)
    if models is None:
        return arm
    if not isinstance(models, list | tuple) or not models or not all(isinstance(one, str) for one in models):
        raise router.wrong("its 'models' must be a list of the slugs that it may pick.")
    return msgspec.structs.replace(arm, plugin={"id": PLUGIN + name, _ALLOWED: list(models)})


def _router(name: str) -> plugins.Plugin:
    found = plugins.find_callable("arm", name, "prompt")
    if found is None:
        known = ", ".join(PLUGIN + one for one in plugins.names("arm"))
        there = f"There is {known}." if known else "None is installed."
        raise PluginError(f"{PLUGIN}{name}: no installed package brings such a router. {there}")
    return found


async def pick(trial: Trial, timeout_s: float) -> Picked:
    """Have the router of a trial's arm pick a model for its question.

    Raises nothing for what the router does: that it fails, takes too long or picks nothing is its own failure.
    """
    router = _router(plugin_name(trial.arm.model) or "")
    prompt = prompt_text(trial.question)
    begun = time.monotonic()
    try:
        async with asyncio.timeout(timeout_s):
            model, took_s = await _picked(router.value, prompt)
    except TimeoutError:
        return Picked(_fault(f"{router} gave no pick within {timeout_s:g} s"), time.monotonic() - begun)
    except Exception as error:  # noqa: BLE001 - border: a stranger's router
        return Picked(_fault(f"{router} failed: {plugins.told(error)}"), time.monotonic() - begun)
    return Picked(_checked(router, model, trial.arm), took_s)


async def _picked(router: Any, prompt: str) -> tuple[Any, float]:
    """Give what the router says, and how long it took by itself, the wait for a thread left out."""
    if inspect.iscoroutinefunction(router) or inspect.iscoroutinefunction(getattr(router, "__call__", None)):  # noqa: B004
        begun = time.monotonic()
        return await router(prompt), time.monotonic() - begun

    def timed() -> tuple[Any, float]:
        begun = time.monotonic()
        return router(prompt), time.monotonic() - begun

    return await asyncio.to_thread(timed)


def _checked(router: plugins.Plugin, model: Any, arm: Arm) -> str | Refusal:
    if not isinstance(model, str) or not model or not model.isprintable() or len(model.split()) != 1:
        return _fault(f"{router} picked {model!r}, which is no model's name"[:300])
    allowed = (arm.plugin or {}).get(_ALLOWED)
    if allowed and not matches(model, allowed):
        return _fault(f"{router} picked {model}, which is not among the models that it may pick")
    return model


def _fault(message: str) -> Refusal:
    return refused(FailureKind.ROUTER_FAULT, message)


def asked_as(trial: Trial, model: str) -> Trial:
    """Give the trial as it is sent: to the model that was picked."""
    arm = msgspec.structs.replace(trial.arm, model=model, plugin=None, is_router=False)
    return msgspec.structs.replace(trial, arm=arm)
