"""Proofs of questions that ask for words or texts under rules.

Where the answer is a text of one's own, the proof counts everything that the prompt asks of it in the
example of the question (which the grader must accept), in a way of its own.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable

from data.prompts import Proof, find
from routemark.records import Question

_EDITS: dict[str, Callable[[list[str], str], list[str]]] = {
    "by length, shortest first": lambda words, _: [
        w for n in range(20) for w in sorted(words) if len(w) == n
    ],
    "alphabetically by their last letter": lambda words, _: [
        w for letter in string.ascii_lowercase for w in words if w.endswith(letter)
    ],
    "write the others in reverse order": lambda words, text: [
        w for w in words[::-1] if w.count(find(r"contains the letter ([a-z])", text)[0]) == 0
    ],
    "each spelled backwards": lambda words, text: [
        "".join(reversed(w))
        for place, w in enumerate(words, 1)
        if place % {"second": 2, "third": 3}[find(r"Write every (\w+) word", text)[0]] == 0
    ],
    "leave out the first and the last word of that order": lambda words, _: [
        w for w in sorted(words) if w not in (min(words), max(words))
    ],
    "drop the first letter of each": lambda words, text: [
        w.replace(w[0], "", 1) for w in words if len(w) > int(find(r"more than (\d) letters", text)[0])
    ],
}


def list_edit(question: Question) -> object:
    text = question.question
    words = find(r"Words: (.+)\n", text)[0].split(", ")
    (edit,) = [edit for said, edit in _EDITS.items() if said in text]
    return ", ".join(edit(words, text.partition("\n")[0]))


def exact_form(question: Question) -> object:
    text = question.question
    words = find(r"brackets: ([a-z, ]+)\. Answer", text)[0].split(", ")
    if "in reverse order" in text:
        words.reverse()
    elif "in alphabetical order" in text:
        words.sort()
    else:
        assert "in the given order" in text
    if "in capital letters" in text:
        words = [word.upper() for word in words]
    elif "only the last letter" in text:
        words = [word[::-1].title()[::-1] for word in words]
    else:
        assert "with the first letter of each word in capitals" in text
        words = [word.title() for word in words]
    joint = {"hyphens": "-", "plus signs": "+", "slashes": "/", "full stops": "."}[
        find(r"joined by ([a-z ]+) without", text)[0]
    ]
    first, last = {"square brackets": "[]", "angle brackets": "<>", "round brackets": "()"}[
        find(r"put the whole into ([a-z ]+):", text)[0]
    ]
    return first + joint.join(words) + last


def _example(question: Question) -> str:
    example = question.metadata["example"]
    assert isinstance(example, str)
    return example


def acrostic(question: Question) -> object:
    text, lines = question.question, _example(question).split("\n")
    (target,) = find(r"spell the word ([A-Z]+) from", text)
    (count,) = find(r"exactly (\d) words", text)
    (required,) = find(r'the word "([a-z]+)" occurs', text)
    assert "".join(line[0] for line in lines).upper() == target
    assert find(r"Write (\d) lines", text) == (str(len(lines)),)
    assert all(line.count(" ") == int(count) - 1 for line in lines)
    assert "," not in _example(question)
    return any(required in line.split(" ") for line in lines)


def lipogram(question: Question) -> object:
    text, example = question.question, _example(question)
    count, low, high = (int(n) for n in find(r"exactly (\d) sentences and of (\d+) to (\d+) words", text))
    (letter,) = find(r"The letter ([a-z]) must not occur", text)
    first, last = find(
        r'The first word is "(\w+)", the last word before the final full stop is "(\w+)"', text
    )
    (phrase,) = find(r'and the words\s"([a-z ]+)" occur side by side exactly once', text)
    assert example.count(".") == count
    assert low <= example.count(" ") + 1 <= high
    assert letter not in example.lower()
    assert example.split()[0] == first
    assert example.endswith(f" {last}.")
    assert len(re.findall(rf"\b{phrase}\b", example.lower())) == 1
    return not set(",\n") & set(example)


def formatted_notice(question: Question) -> object:
    text, example = question.question, _example(question)
    count, width = (int(n) for n in find(r"exactly (\d) bullet points.* exactly (\d) words", text))
    needed = find(r'The words "(\w+)" and "(\w+)" occur', text)
    (banned,) = find(r'the word "(\w+)" does not', text)
    (closing,) = find(r'The last line is "([^"]+)", without', text)
    title, *points, last = [line for line in example.split("\n") if line]
    assert title.startswith("<<")
    assert title.endswith(">>")
    assert len(points) == count
    assert all(point.startswith("- ") and point.count(" ") == width for point in points)
    words = re.findall(r"\w+", example.lower())
    assert all(word in words for word in needed)
    assert banned not in words
    assert not set("?!") & set(example)
    return last == closing


PROOFS: dict[str, Proof] = {
    "list-edit": list_edit,
    "exact-form": exact_form,
    "acrostic": acrostic,
    "lipogram": lipogram,
    "formatted-notice": formatted_notice,
}
