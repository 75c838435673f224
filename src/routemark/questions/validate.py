"""From a row to a Question, or to everything that is wrong with the row."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import msgspec

from routemark import graders
from routemark.questions.conversation import conversation_fault, last_user_text
from routemark.questions.fields import (
    KNOWN,
    as_text,
    label_fault,
    must_be,
    near_miss,
    text_fault,
    value_fault,
)
from routemark.questions.rows import Fault, RepeatedKeys, kind, shown
from routemark.records import GraderSpec, Question

_MOST_CHOICES = 26
"""One letter each."""


class Verdict(NamedTuple):
    """What became of a row."""

    question: Question | None
    """None: the row has faults."""
    id: str | None
    """Known even of most faulty rows, so that a second use of it is still found."""
    faults: list[Fault]


def check_row(row: Any) -> Verdict:
    """Give the question that a row holds, or all its faults."""
    if isinstance(row, Fault):
        return Verdict(None, None, [row])
    if not isinstance(row, dict):
        fault = Fault(None, f"a question is an object, not {kind(row)}: {shown(row)}")
        return Verdict(None, None, [fault])
    return _Row(row).verdict()


class _Row:
    """One row under check: gathers faults while it gives the fields."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.faults: list[Fault] = []
        self._values: dict[str, Any] = {}
        self._spelt: dict[str, str] = {}
        """Field -> its name in this row."""
        self._extra: dict[str, Any] = {}
        for name, value in row.items():
            self._sort_in(name, value, row)
        if isinstance(row, RepeatedKeys):
            self.faults.append(Fault(row.repeated, "stands more than once in this question"))

    def _sort_in(self, name: str, value: Any, row: dict[str, Any]) -> None:
        field = KNOWN.get(name)
        if field is None:
            meant = near_miss(name, row)
            if meant:
                self.faults.append(Fault(name, f"unknown field; did you mean {shown(meant)}?"))
                self._spelt[KNOWN[meant]] = name
            elif value is not None:
                self._extra[name] = value
            return
        if value is None:
            return
        if field not in self._values:
            self._values[field] = value
            self._spelt[field] = name
        elif self._values[field] != value:
            other = shown(self._spelt[field])
            self.faults.append(Fault(name, f"means the same as {other}, but has another value"))

    def _fault(self, field: str, text: str | None) -> bool:
        """Note a fault, if there is one, under the name that the row gives the field."""
        if text:
            self.faults.append(Fault(self._spelt.get(field, field), text))
        return bool(text)

    def verdict(self) -> Verdict:
        """Check every field, whatever came out of the others."""
        question_id = self._label("id")
        difficulty = self._label("difficulty")
        if difficulty is None and not self._known_faulty("difficulty"):
            self._fault("difficulty", "is missing; any label will do")
        prompt, messages = self._prompt()
        choices = self._choices()
        grader = self._grader()
        reference = self._reference(grader, choices)
        question = Question(
            id=question_id or "?",
            difficulty=difficulty or "?",
            question=prompt,
            messages=messages,
            reference=reference,
            choices=choices,
            grader=grader,
            category=self._label("category", may_be_empty=True),
            metadata=self._metadata(),
        )
        self._check_grading(question)
        if self.faults:
            return Verdict(None, question_id, self.faults)
        if question_id is None:
            question_id = derived_id(question)
            question = msgspec.structs.replace(question, id=question_id)
        return Verdict(question, question_id, self.faults)

    def _known_faulty(self, field: str) -> bool:
        if not self.faults:
            return False
        name = self._spelt.get(field)
        return name is not None and any(fault.field == name for fault in self.faults)

    def _label(self, field: str, *, may_be_empty: bool = False) -> str | None:
        value = self._values.get(field)
        if value is None:
            return None
        text = as_text(value)
        if text is None:
            self._fault(field, must_be("text or a number", value))
            return None
        text = text.strip()
        if not text and may_be_empty:
            return None
        return None if self._fault(field, label_fault(text)) else text

    def _prompt(self) -> tuple[str, list[dict[str, Any]] | None]:
        """Give ``question`` and ``messages``; a ``question`` that is a list is a conversation, too."""
        value = self._values.get("question")
        messages = self._values.get("messages")
        if isinstance(value, list):
            if messages is not None and messages != value:
                self._fault("question", 'holds another conversation than "messages"; give one of them')
            elif self._conversation("question", value):
                return last_user_text(value), value
            return "?", None
        if messages is None:
            return self._text_prompt(value), None
        if not self._conversation("messages", messages):
            return "?", None
        text = last_user_text(messages)
        if value is not None and value != text:
            self._fault("question", 'differs from the last user message in "messages"; give one of them')
        return text, messages

    def _conversation(self, field: str, messages: Any) -> bool:
        return not self._fault(field, conversation_fault(messages))

    def _text_prompt(self, value: Any) -> str:
        if value is None:
            if not self._known_faulty("question") and not self._known_faulty("messages"):
                self._fault("question", "is missing")
        elif not isinstance(value, str):
            self._fault("question", must_be("text", value))
        elif not self._fault("question", text_fault(value) if value.strip() else "is empty"):
            return value
        return "?"

    def _choices(self) -> list[str] | None:
        value = self._values.get("choices")
        if value is None:
            return None
        texts = [as_text(part) for part in value] if isinstance(value, list) else None
        fault = must_be("a list of texts", value) if texts is None else _choices_fault(value, texts)
        return None if self._fault("choices", fault) else [text for text in texts or [] if text is not None]

    def _grader(self) -> GraderSpec | None:
        value = self._values.get("grader")
        if value is None:
            return None
        spec = value if isinstance(value, dict) else {"name": value}
        name = spec.get("name")
        options = {key: option for key, option in spec.items() if key not in ("name", "options")}
        nested = spec.get("options") or {}
        if not isinstance(name, str) or not name.strip():
            self._fault("grader", must_be('a name, or an object with "name" and options', value))
        elif not isinstance(nested, dict) or options.keys() & nested.keys():
            self._fault("grader", 'options stand beside "name", or all in an object "options", each once')
        elif not self._fault("grader", value_fault(value)):
            return GraderSpec(name=name.strip(), options={**options, **nested})
        return None

    def _reference(self, grader: GraderSpec | None, choices: list[str] | None) -> Any:
        value = self._values.get("reference")
        if isinstance(value, str) and not value.strip():
            self._fault("reference", "is empty; leave it out when there is none")
        elif self._fault("reference", value_fault(value)):
            return None
        elif choices is not None and (grader is None or grader.name == "choice"):
            return as_text(value) or value  # numbers among the choices have become texts, too
        return value

    def _metadata(self) -> dict[str, Any]:
        for name, value in self._extra.items():
            self._fault(name, text_fault(name) or value_fault(value))
        value = self._values.get("metadata")
        if value is None:
            return self._extra
        if not isinstance(value, dict):
            self._fault("metadata", must_be("an object", value))
            return {}
        self._fault("metadata", value_fault(value))
        for name in value.keys() & self._extra.keys():
            if value[name] != self._extra[name]:
                self._fault(name, 'stands in "metadata", too, with another value')
        return {**self._extra, **value}

    def _check_grading(self, question: Question) -> None:
        """Ask the graders about a question whose grading fields are sound."""
        if self.faults and any(map(self._known_faulty, ("reference", "choices", "grader"))):
            return
        for told in graders.check(question):
            field, _, text = told.partition(": ")
            self._fault(field, text)


def _choices_fault(given: list[Any], texts: list[str | None]) -> str | None:
    if len(given) < 2:
        return f"needs at least two texts, has {len(given)}"
    if len(given) > _MOST_CHOICES:
        return f"has {len(given)} texts; at most {_MOST_CHOICES} are allowed, one a letter"
    seen: dict[str, int] = {}
    for index, text in enumerate(texts):
        if text is None or not text.strip():
            return f"choice {index} (from 0) must be text, not {shown(given[index])}"
        fault = text_fault(text)
        if fault:
            return f"choice {index} (from 0) {fault}"
        first = seen.setdefault(text.strip().casefold(), index)
        if first != index:
            return f"choices {first} and {index} (from 0) are the same: {shown(text)}"
    return None


def derived_id(question: Question) -> str:
    """Give the id of a question that has none: a hash of what is asked (prompt or messages, and choices).

    Reference, labels and metadata stay out, so correcting them does not make it another question.
    """
    asked = [question.question, question.messages, question.choices]
    return "q-" + hashlib.sha256(msgspec.json.encode(asked, order="deterministic")).hexdigest()[:16]
