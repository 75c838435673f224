"""The grader ``json``: an object or list against the expected one, its schema, or both."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice, zip_longest
from typing import Any, NamedTuple

import regex

from routemark.graders.base import Grader, Option, Options, Tools, Verdict, flag, show
from routemark.graders.extract import visible
from routemark.graders.json_text import canonical, find
from routemark.records import Completion, Question

Path = tuple[str | int, ...]

_MOST_PAIRED = 40
"""Elements of a list without order that are paired with each other when they are not equal."""
_SAMPLED = 40
"""Leaves of an element by which its likeness to another is told."""
_PATTERN_S = 0.05
"""Seconds that a pattern of a schema may take on one text."""


def grade(completion: Completion, question: Question, options: Options, _tools: Tools) -> Verdict:
    """Score 1 when the JSON of the answer is the reference and fits the schema, whichever are given.

    With ``partial`` the score is the share of right leaves among all leaves of both; what violates
    the schema scores 0 all the same.
    """
    reference = question.reference
    found = find(visible(completion.text), None if reference is None else type(reference))
    if found is None:
        return Verdict(0.0, None, "there is no JSON in the answer")
    shown = found.text if len(found.text) <= 500 else found.text[:497] + "..."
    if options["schema"] is not None:
        try:
            violation = _violation(json.dumps(options["schema"]), found.value)
        except TimeoutError:
            return Verdict(None, shown, f"a pattern of the schema took longer than {_PATTERN_S} s")
        if violation:
            return Verdict(0.0, shown, f"does not fit the schema: {violation}")
    if reference is None:
        return Verdict(1.0, shown)
    ordered = options["ordered"]
    if canonical(found.value, ordered=ordered) == canonical(reference, ordered=ordered):
        return Verdict(1.0, shown)
    tally = compare(reference, found.value, ordered=ordered)
    named = ", ".join(map(_dotted, tally.wrong[:5]))
    score = tally.right / tally.leaves if options["partial"] else 0.0
    return Verdict(score, shown, f"{tally.right} of {tally.leaves} leaves are right; wrong: {named}")


def check(question: Question, options: Options) -> list[str]:
    """Give the faults of reference and schema."""
    reference, schema = question.reference, options["schema"]
    if reference is None and schema is None:
        return ["reference: missing; the grader 'json' needs one, or a schema"]
    if reference is not None and not isinstance(reference, dict | list):
        return [f"reference: must be an object or a list, not {show(reference)}"]
    if schema is None:
        return []
    if importlib.util.find_spec("jsonschema") is None:
        return ["grader.schema: needs an extra of Routemark: `pip install 'routemark[schema]'`"]
    fault = _schema_fault(schema)
    if fault:
        return [f"grader.schema: {fault}"]
    violation = None if reference is None else _violation(json.dumps(schema), reference)
    return [f"reference: does not fit the schema: {violation}"] if violation else []


# --------------------------------------------------------------------------- leaves


class Tally(NamedTuple):
    """How far a value agrees with the expected one."""

    right: int
    leaves: int
    """Leaves of both together: texts, numbers, true, false, null, and empty objects and lists."""
    wrong: list[Path]
    """Where they differ."""


def compare(reference: Any, given: Any, *, ordered: bool, at: Path = ()) -> Tally:
    """Compare leaf by leaf; a leaf that only one of the two has is wrong.

    Without ``ordered``, the elements of lists are paired first: equal ones, then those that share most.
    """
    if isinstance(reference, dict) and isinstance(given, dict) and (reference or given):
        pairs = [(key, reference.get(key, _NOTHING), given.get(key, _NOTHING)) for key in reference | given]
    elif isinstance(reference, list) and isinstance(given, list) and (reference or given):
        pairs = _by_place(reference, given) if ordered else _by_likeness(reference, given)
    else:
        return _leaf(reference, given, at)
    inner = [compare(wanted, offered, ordered=ordered, at=(*at, name)) for name, wanted, offered in pairs]
    return Tally(
        sum(tally.right for tally in inner),
        sum(tally.leaves for tally in inner),
        [path for tally in inner for path in tally.wrong],
    )


_NOTHING = object()
"""Stands where one of the two has no value."""

Pairs = list[tuple[str | int, Any, Any]]


def _leaf(reference: Any, given: Any, at: Path) -> Tally:
    values = [value for value in (reference, given) if value is not _NOTHING]
    if any(isinstance(value, dict | list) and value for value in values):
        return Tally(0, sum(sum(1 for _ in _leaves(value)) for value in values), [at])
    same = len(values) == 2 and canonical(reference) == canonical(given)
    return Tally(int(same), 1, [] if same else [at])


def _leaves(value: Any) -> Iterator[tuple[Path, Any]]:
    pending: list[tuple[Path, Any]] = [((), value)]
    while pending:
        path, inner = pending.pop()
        if isinstance(inner, dict) and inner:
            pending += [((*path, key), item) for key, item in inner.items()]
        elif isinstance(inner, list) and inner:
            pending += [((*path, index), item) for index, item in enumerate(inner)]
        else:
            yield path, canonical(inner)


def _by_place(reference: list[Any], given: list[Any]) -> Pairs:
    pairs = zip_longest(reference, given, fillvalue=_NOTHING)
    return [(index, wanted, offered) for index, (wanted, offered) in enumerate(pairs)]


def _by_likeness(reference: list[Any], given: list[Any]) -> Pairs:
    pairs, missing, rest = _equal_ones(reference, given)
    samples = [dict(islice(_leaves(item), _SAMPLED)) for item in rest[:_MOST_PAIRED]]
    for index, wanted in missing[:_MOST_PAIRED]:
        if not samples:
            break
        leaves = list(islice(_leaves(wanted), _SAMPLED))
        shared = [sum(sample.get(path) == leaf for path, leaf in leaves) for sample in samples]
        best = shared.index(max(shared))
        pairs.append((index, wanted, rest.pop(best)))
        samples.pop(best)
    paired = {index for index, _, _ in pairs}
    pairs += [(index, wanted, _NOTHING) for index, wanted in missing if index not in paired]
    return pairs + [(len(reference) + index, _NOTHING, item) for index, item in enumerate(rest)]


def _equal_ones(reference: list[Any], given: list[Any]) -> tuple[Pairs, list[tuple[int, Any]], list[Any]]:
    """Give the pairs of equal elements, what is left of the reference with its places, and of the answer."""
    places: dict[Any, list[int]] = {}
    for index, item in enumerate(reference):
        places.setdefault(canonical(item, ordered=False), []).append(index)
    pairs: Pairs = []
    rest = []
    for item in given:
        indices = places.get(canonical(item, ordered=False))
        if indices:
            index = indices.pop(0)
            pairs.append((index, reference[index], item))
        else:
            rest.append(item)
    taken = {index for index, _, _ in pairs}
    return pairs, [(index, item) for index, item in enumerate(reference) if index not in taken], rest


def _dotted(path: Path) -> str:
    return ".".join(map(str, path)) or "the whole"


# --------------------------------------------------------------------------- schema


def _schema_fault(schema: Any) -> str | None:
    from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415  an extra

    try:
        Draft202012Validator.check_schema(schema)
        patterns = [found for found in _patterns(schema) if isinstance(found, str)]
        for pattern in patterns:
            regex.compile(pattern)
        _validator(json.dumps(schema)).is_valid({})
    except SchemaError as error:
        return f"is no JSON Schema: {error.message}"
    except regex.error as error:
        return f"has a pattern that is no regular expression: {error}"
    except RecursionError:
        return "refers to itself without end"
    except Exception as error:  # noqa: BLE001  border: references that lead nowhere have no common type
        return f"cannot be used: {error}"
    return None


def _violation(schema: str, value: Any) -> str | None:
    """Give what of a schema a value violates first, with its place; None when it fits.

    Raises: TimeoutError when a pattern of the schema takes too long.
    """
    error = next(_validator(schema).iter_errors(value), None)
    if error is None:
        return None
    message = error.message if len(error.message) <= 120 else f"{error.validator} is not kept"
    return f"{_dotted(tuple(error.absolute_path))}: {message}"


@lru_cache(maxsize=256)
def _validator(schema: str) -> Any:
    """Give the validator of a schema, in which neither patterns nor uniqueness can run away.

    References lead within the schema only: nothing is ever fetched.
    """
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415  an extra
    from referencing import Registry  # noqa: PLC0415

    bounded = {"pattern": _pattern, "patternProperties": _pattern_properties, "uniqueItems": _unique}
    bounded_class: Any = validators.extend(Draft202012Validator, bounded)  # type: ignore[no-untyped-call]
    return bounded_class(json.loads(schema), registry=Registry())


def _pattern(_validator: Any, pattern: str, value: Any, _schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError  # noqa: PLC0415

    if isinstance(value, str) and not regex.search(pattern, value, timeout=_PATTERN_S):
        yield ValidationError(f"does not match {pattern!r}")


def _pattern_properties(validator: Any, wanted: dict[str, Any], value: Any, _schema: Any) -> Iterator[Any]:
    for name, item in value.items() if isinstance(value, dict) else ():
        for pattern, schema in wanted.items():
            if regex.search(pattern, name, timeout=_PATTERN_S):
                yield from validator.descend(item, schema, path=name, schema_path=pattern)


def _unique(_validator: Any, wanted: bool, value: Any, _schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError  # noqa: PLC0415

    if wanted and isinstance(value, list) and len(set(map(canonical, value))) < len(value):
        yield ValidationError("has an element twice")


def _patterns(schema: Any) -> Iterator[Any]:
    """Yield all regular expressions of a schema."""
    pending = [schema]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            yield value.get("pattern")
            properties = value.get("patternProperties")
            yield from properties if isinstance(properties, dict) else ()
            pending += value.values()
        elif isinstance(value, list):
            pending += value


def _is_schema(value: object) -> bool:
    return isinstance(value, dict)


JSON = Grader(
    "json",
    1,
    grade,
    check,
    {
        "schema": Option(None, _is_schema, "a JSON Schema (an object)"),
        "partial": flag(),
        "ordered": flag(default=True),
    },
    needs_reference=False,
)
