"""Langfuse's exports: observations from the page, the API or blob storage, as JSON, JSON Lines, CSV or Parquet.

Of observations only generations (calls of a model) are read; names are in camel or in snake case, ``input`` and
``output`` are values or JSON written as text. Exports of traces, and of data sets with an expected output, are read,
too.
"""

from __future__ import annotations

from typing import Any

from routemark.interop.logs.requests import Left, Request, loose, reference_in, request


def is_one(names: set[str]) -> bool:
    """Tell whether rows with these names are such."""
    marks = {"traceId", "trace_id", "projectId", "project_id", "sessionId", "bookmarked", "sourceTraceId"}
    return "input" in names and bool(names & marks)


def read(row: dict[str, Any]) -> Request | Left:
    """Give the request of a row."""
    kind = row.get("type")
    if isinstance(kind, str) and kind and kind.upper() != "GENERATION":
        return Left("no prompt")
    model = next(
        (row[key] for key in ("model", "provided_model_name", "providedModelName") if row.get(key)), None
    )
    name = next((row[key] for key in ("traceName", "trace_name", "name") if row.get(key)), None)
    return request(
        loose(row.get("input")), row.get("output"), model=model, name=name, reference=reference_in(row)
    )
