"""The rules that the grader ``instructions`` knows: one table, each with its parameters and what it asks.

Counting rules take ``min``, ``max`` and ``exact``, at least one of them; `measures` says what counts as what.
Texts are compared without regard to case unless ``case`` is true, and with or without Markdown emphasis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import regex

from routemark.graders.base import is_flag
from routemark.graders.extract import without_emphasis
from routemark.graders.json_text import fences, loads
from routemark.graders.languages import LANGUAGES, languages_of
from routemark.graders.measures import (
    count_bullets,
    count_capital_words,
    count_fences,
    count_headings,
    count_highlights,
    count_numbered,
    count_placeholders,
    count_text,
    lines,
    paragraphs,
    sentences,
    words,
)

Parameters = Mapping[str, Any]

PATTERN_S = 0.05
"""Seconds that a pattern of the author's may take on one answer."""


class Parameter(NamedTuple):
    """One parameter of a rule."""

    accepts: Callable[[Any], bool]
    wants: str
    """What ``accepts`` accepts, in words."""
    required: bool = True


class Rule(NamedTuple):
    """One rule."""

    asks: str
    """What it asks of an answer."""
    parameters: Mapping[str, Parameter]
    kept: Callable[[str, Parameters], bool | None]
    """Tell whether a text keeps the rule; None: cannot be told."""


# --------------------------------------------------------------------------- parameters


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.strip() != ""


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and value != [] and all(map(_is_text, value))


def _is_pattern(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(_compiled(value))
    except regex.error:
        return False


_TEXT = Parameter(_is_text, "a text")
_TEXTS = Parameter(_is_texts, "a list of texts")
_CASE = Parameter(is_flag, "true or false", required=False)
_COUNT = Parameter(_is_count, "a whole number, 0 or above", required=False)
_BOUNDS = {"min": _COUNT, "max": _COUNT, "exact": _COUNT}
_PLACE = Parameter(lambda value: _is_count(value) and value > 0, "a whole number, 1 or above")
_LANGUAGE = Parameter(lambda value: value in LANGUAGES, f"one of {', '.join(sorted(LANGUAGES))}")
_PATTERN = Parameter(_is_pattern, "a regular expression")


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> regex.Pattern[str]:
    return regex.compile(pattern)


def is_bounded(parameters: Parameters) -> bool:
    """Tell whether a counting rule's parameters ask for anything that can be kept."""
    return any(name in parameters for name in _BOUNDS) and parameters.get("min", 0) <= parameters.get(
        "max", parameters.get("min", 0)
    )


def _within(count: int, bounds: Parameters) -> bool:
    exact = bounds.get("exact", count)
    return bool(bounds.get("min", 0) <= count <= bounds.get("max", count) and count == exact)


# --------------------------------------------------------------------------- kinds of rules


def _counting(what: str, count: Callable[[str], int]) -> Rule:
    return Rule(f"so many {what}", _BOUNDS, lambda text, bounds: _within(count(text), bounds))


def _each(what: str, parts: Callable[[str], list[str]], count: Callable[[str], int]) -> Rule:
    return Rule(
        f"so many {what}",
        _BOUNDS,
        lambda text, bounds: all(_within(count(part), bounds) for part in parts(text)),
    )


def _plain(asks: str, kept: Callable[[str], bool]) -> Rule:
    return Rule(asks, {}, lambda text, _: kept(text))


def _number(items: Callable[[str], list[str]]) -> Callable[[str], int]:
    return lambda text: len(items(text))


def _dressed(text: str, given: Parameters) -> list[str]:
    """Give a text as it stands and without emphasis, white space as single spaces, folded unless ``case``."""
    forms = [" ".join(form.split()) for form in (text, without_emphasis(text))]
    return forms if given.get("case") else [form.casefold() for form in forms]


def _wanted(given: Parameters) -> str:
    text = " ".join(given["text"].split())
    return text if given.get("case") else text.casefold()


def _starts(text: str, given: Parameters) -> bool:
    return any(form.startswith(_wanted(given)) for form in _dressed(text, given))


def _ends(text: str, given: Parameters) -> bool:
    return any(form.endswith(_wanted(given)) for form in _dressed(text, given))


def _paragraph_starts(text: str, given: Parameters) -> bool:
    found = paragraphs(text)
    place = given["paragraph"]
    return place <= len(found) and _starts(found[place - 1], given)


def _occurs(text: str, given: Parameters) -> bool:
    case = given.get("case", False)
    return _within(count_text(text, given["text"], case=case), given)


def _letter(text: str, given: Parameters) -> bool:
    return _within(text.casefold().count(given["letter"].casefold()), given)


def _has_all(text: str, given: Parameters) -> bool:
    return all(_has(text, word, given) for word in given["words"])


def _has_none(text: str, given: Parameters) -> bool:
    return not any(_has(text, word, given) for word in given["words"])


def _has(text: str, word: str, given: Parameters) -> bool:
    case = given.get("case", False)
    return any(count_text(form, word, case=case) for form in (text, without_emphasis(text)))


def _in_language(text: str, given: Parameters) -> bool | None:
    found = languages_of(text)
    if given["language"] not in found:
        return False
    return True if len(found) == 1 else None


def _is_json(text: str) -> bool:
    fenced = fences(text)
    inner = (
        fenced[0]
        if len(fenced) == 1 and text.startswith(("```", "~~~")) and text.endswith(text[:3])
        else text
    )
    try:
        loads(inner)
    except ValueError:
        return False
    return True


def _matches(text: str, given: Parameters) -> bool | None:
    try:
        return _compiled(given["pattern"]).search(text, timeout=PATTERN_S) is not None
    except TimeoutError:
        return None


def _has_title(text: str) -> bool:
    return any(
        line.startswith("<<") and line.endswith(">>") and len(line) > 4
        for line in lines(without_emphasis(text))
    )


def _has_postscript(text: str, given: Parameters) -> bool:
    found = paragraphs(text)
    marker = {"text": given.get("marker", "P.S.")}
    return (
        len(lines(text)) > 1 and any(_starts(line, marker) for line in lines(found[-1])) if found else False
    )


def _spells(text: str, given: Parameters) -> bool:
    initials = [next((char for char in line if char.isalnum()), "") for line in lines(text)]
    return "".join(initials).casefold() == "".join(given["text"].split()).casefold()


def _parts(text: str, given: Parameters) -> bool:
    return _within(sum(1 for part in text.split(given["separator"]) if part.strip()), given)


# --------------------------------------------------------------------------- the table

_TEXT_CASE = {"text": _TEXT, "case": _CASE}
_WORDS_CASE = {"words": _TEXTS, "case": _CASE}

RULES: dict[str, Rule] = {
    "words": _counting("words", _number(words)),
    "sentences": _counting("sentences", _number(sentences)),
    "lines": _counting("lines that are not blank", _number(lines)),
    "paragraphs": _counting("paragraphs", _number(paragraphs)),
    "characters": _counting("characters, white space within included", len),
    "bullets": _counting("lines with a bullet (`-`, `*`, `+`)", count_bullets),
    "numbered_items": _counting("numbered lines (`1.`, `2)`)", count_numbered),
    "headings": _counting("Markdown headings", count_headings),
    "code_blocks": _counting("code fences", count_fences),
    "placeholders": _counting("placeholders in square brackets", count_placeholders),
    "highlights": _counting("parts in `*emphasis*` or `**bold**`", count_highlights),
    "capital_words": _counting("words all in capitals (two letters or more)", count_capital_words),
    "question_marks": _counting("question marks", lambda text: text.count("?")),
    "exclamation_marks": _counting("exclamation marks", lambda text: text.count("!")),
    "words_per_sentence": _each("words in every sentence", sentences, _number(words)),
    "words_per_line": _each("words in every line", lines, _number(words)),
    "words_per_paragraph": _each("words in every paragraph", paragraphs, _number(words)),
    "sentences_per_paragraph": _each("sentences in every paragraph", paragraphs, _number(sentences)),
    "occurrences": Rule("a word or phrase so many times", _TEXT_CASE | _BOUNDS, _occurs),
    "letter": Rule(
        "a letter so many times",
        {"letter": Parameter(lambda value: _is_text(value) and len(value) == 1, "one character")} | _BOUNDS,
        _letter,
    ),
    "required_words": Rule("every one of these words or phrases", _WORDS_CASE, _has_all),
    "forbidden_words": Rule("none of these words or phrases", _WORDS_CASE, _has_none),
    "forbidden_characters": Rule(
        "none of these characters",
        {"characters": _TEXT},
        lambda text, given: not set(given["characters"]) & set(text),
    ),
    "no_commas": _plain("no comma", lambda text: not set(",\uff0c\u3001\u060c") & set(text)),
    "starts_with": Rule("this text at the beginning", _TEXT_CASE, _starts),
    "ends_with": Rule("this text at the end", _TEXT_CASE, _ends),
    "paragraph_starts_with": Rule(
        "this text at the beginning of that paragraph, counted from 1",
        _TEXT_CASE | {"paragraph": _PLACE},
        _paragraph_starts,
    ),
    "lowercase": _plain("no capital letter", lambda text: text == text.lower()),
    "uppercase": _plain("no small letter", lambda text: text == text.upper()),
    "quoted": _plain(
        "double quotes around the whole answer",
        lambda text: len(text) > 1 and text[0] in '"\u201c' and text[-1] in '"\u201d',
    ),
    "title": _plain("a title in double angular brackets: `<<title>>`", _has_title),
    "postscript": Rule(
        "a postscript at the end, after `marker` (P.S.)",
        {"marker": Parameter(_is_text, "a text", required=False)},
        _has_postscript,
    ),
    "acrostic": Rule("lines whose first letters spell this text", {"text": _TEXT}, _spells),
    "parts": Rule("so many parts between these separators", {"separator": _TEXT} | _BOUNDS, _parts),
    "json": _plain("JSON and nothing else, in a code fence or not", _is_json),
    "language": Rule("this language (ISO 639-1 code)", {"language": _LANGUAGE}, _in_language),
    "pattern": Rule("a match of this regular expression", {"pattern": _PATTERN}, _matches),
}
"""Every rule, by name."""
