"""The commands that serve a gateway, or examine one and the way there: `gateway`, `doctor`."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

from cyclopts import Parameter

from routemark import flags
from routemark.commands.loop import in_loop
from routemark.commands.options import Config, all_but, options_of, settings_of
from routemark.commands.printing import print_result, width
from routemark.config import GatewayOptions, Settings, api_key


@flags.taken_from(GatewayOptions)
def gateway(
    *,
    list_faults: Annotated[bool, Parameter(negative=(), help="Name all faults and stop.")] = False,
    config: Config = None,
    **given: Any,
) -> int:
    """Serve the simulated OpenRouter, or one that replays recorded answers, on this machine.

    Example: `routemark gateway --port 8080 --faults 429:0.05`
    """
    from routemark.gateway.serve import fault_names, serve

    if list_faults:
        sys.stdout.writelines(f"{name:18} {what}\n" for name, what in fault_names())
        return 0
    serve(options_of(GatewayOptions, given, config))
    return 0


@flags.taken_from(
    Settings, leave_out=all_but("base_url", "gateway", "model", "transport", "runs_dir", "json")
)
def doctor(
    *,
    speed: Annotated[
        bool, Parameter(help="Measure this machine only: nothing leaves it.", negative=())
    ] = False,
    config: Config = None,
    **given: Any,
) -> int:
    """Check machine, gateway, key and account; ask a few tiny requests and say what they cost.

    With --speed, measure instead for some seconds how fast this machine asks, and with how many requests in
    flight its latencies are still true. Exit 1 when there is a problem.

    Example: `routemark doctor`
    """
    from routemark.doctor import examine
    from routemark.doctor.speed import measure
    from routemark.report.doctor import render

    settings = settings_of(given, config)
    result = in_loop(measure(settings.transport) if speed else examine(settings, api_key(os.environ)))
    print_result(settings, result, render(result, width()))
    return 1 if result.status == "problem" else 0
