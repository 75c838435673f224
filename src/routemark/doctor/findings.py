"""One line of the examination: what was looked at, how it is, and what to do about it."""

from __future__ import annotations

from typing import Literal

from routemark.records import Record

Status = Literal["ok", "warning", "problem"]


class Finding(Record, frozen=True, kw_only=True):
    """What was found out about one thing."""

    name: str
    status: Status
    """``warning``: a run works, but read on; ``problem``: it fails, or measures something else."""
    message: str
    advice: str = ""
    """What to do; empty where nothing is to be done."""


def ok(name: str, message: str) -> Finding:
    """Give a finding with which all is well."""
    return Finding(name=name, status="ok", message=message)


def warning(name: str, message: str, advice: str = "") -> Finding:
    """Give a finding to know about."""
    return Finding(name=name, status="warning", message=message, advice=advice)


def problem(name: str, message: str, advice: str) -> Finding:
    """Give a finding to mend first."""
    return Finding(name=name, status="problem", message=message, advice=advice)
