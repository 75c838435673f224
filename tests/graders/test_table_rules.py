"""Hand-made answers and whether each keeps a rule of ``instructions``; nasty ones first."""

from __future__ import annotations

from typing import Any

import pytest

from routemark import graders
from routemark.graders.rules import RULES
from routemark.records import Completion, GraderSpec, Question


def ask(answer: str, *rules: dict[str, Any], **options: Any) -> float | None:
    spec = GraderSpec(name="instructions", options={"rules": list(rules), **options})
    question = Question(id="q", difficulty="easy", question="?", grader=spec)
    assert graders.check(question) == []
    grade = graders.grade("t", question, Completion(text=answer, model="m"))
    assert grade is not None
    return grade.score


DE = "Der Hund l\u00e4uft schnell durch den Garten, und die Katze schaut von dem Dach auf ihn."
EN = "The dog runs quickly through the garden, and the cat looks at it from the roof."
FR = "Le chien court vite dans le jardin, et le chat le regarde depuis le toit de la maison."
ES = "El perro corre por el jard\u00edn y el gato lo mira desde el tejado de la casa."
IT = "Il cane corre veloce nel giardino e il gatto lo guarda dal tetto della casa."
PT = "O cachorro corre pelo jardim e o gato olha para ele do telhado da casa, mas n\u00e3o desce."
NL = "De hond loopt snel door de tuin en de kat kijkt naar hem vanaf het dak van het huis."
RU = "\u0421\u043e\u0431\u0430\u043a\u0430 \u0431\u044b\u0441\u0442\u0440\u043e \u0431\u0435\u0436\u0438\u0442 \u043f\u043e \u0441\u0430\u0434\u0443, \u0438 \u043a\u043e\u0448\u043a\u0430 \u0441\u043c\u043e\u0442\u0440\u0438\u0442 \u043d\u0430 \u043d\u0435\u0451, \u043d\u043e \u043d\u0435 \u0441\u043f\u0443\u0441\u043a\u0430\u0435\u0442\u0441\u044f \u0441 \u043a\u0440\u044b\u0448\u0438."
JA = "\u72ac\u304c\u5ead\u3092\u901f\u304f\u8d70\u308a\u307e\u3059\u3002"
ZH = "\u72d7\u5728\u82b1\u56ed\u91cc\u8dd1\u5f97\u5f88\u5feb\u3002"
KO = "\uac1c\uac00 \uc815\uc6d0\uc744 \ube68\ub9ac \ub2ec\ub9bd\ub2c8\ub2e4."

# rule, parameters, answer, kept
TABLE: list[tuple[str, dict[str, Any], str, bool | None]] = [
    # counting
    ("words", {"exact": 3}, "one two three four", False),
    ("words", {"exact": 3}, "one two three", True),
    ("words", {"exact": 3}, "one - two - three", True),
    ("words", {"exact": 3}, "well-known don't 3.5", True),
    ("words", {"exact": 2}, "1. apples\n2. pears", True),
    ("words", {"exact": 2}, "- **apples**\n* pears", True),
    ("words", {"max": 3}, "<think>one two three four</think>one", True),
    ("words", {"min": 3, "max": 5}, "one two", False),
    ("words", {"min": 3, "max": 5}, "one two three", True),
    ("words", {"min": 3, "max": 5}, "a b c d e f", False),
    ("words", {"max": 10}, "", False),
    ("sentences", {"exact": 1}, "It costs 3.50 dollars.", True),
    ("sentences", {"exact": 1}, "Dr. Lee met Mr. Poe.", True),
    ("sentences", {"exact": 1}, "He likes fruit, e.g. apples.", True),
    ("sentences", {"exact": 1}, "J. R. Smith wrote it.", True),
    ("sentences", {"exact": 1}, "It opens at 9 a.m. on Mondays.", True),
    ("sentences", {"exact": 2}, "It opens at 9 a.m. On Mondays it is shut.", True),
    ("sentences", {"exact": 2}, "He bought pens, etc. Then he left.", True),
    ("sentences", {"exact": 1}, "Wait... what?!", False),
    ("sentences", {"exact": 2}, "Wait! What?", True),
    ("sentences", {"exact": 2}, 'She said "Stop." Then she left.', True),
    ("sentences", {"exact": 1}, "A sentence that goes\non in the next line.", True),
    ("sentences", {"exact": 2}, "# Title\nOne sentence.", True),
    ("sentences", {"exact": 2}, "- first item\n- second item", True),
    ("sentences", {"exact": 2}, "One. Two without an end", True),
    ("sentences", {"exact": 2}, "\u4e00\u3002\u4e8c\u3002", True),
    ("lines", {"exact": 2}, "a\n\n\nb\n", True),
    ("lines", {"exact": 3}, "a\nb", False),
    ("paragraphs", {"exact": 2}, "a\nb\n\nc", True),
    ("paragraphs", {"exact": 2}, "a\n\n---\n\nb", True),
    ("paragraphs", {"exact": 2}, "a\n \t\nb", True),
    ("paragraphs", {"exact": 2}, "a\nb", False),
    ("characters", {"max": 5}, "12345", True),
    ("characters", {"max": 5}, "123456", False),
    ("bullets", {"exact": 2}, "- a\n- b", True),
    ("bullets", {"exact": 2}, "* a\n+ b", True),
    ("bullets", {"exact": 2}, "**a** and\n*b*", False),
    ("bullets", {"exact": 2}, "- a\n- b\n---", True),
    ("bullets", {"exact": 2}, "-a\n-b", False),
    ("numbered_items", {"exact": 2}, "1. a\n2) b", True),
    ("numbered_items", {"exact": 1}, "3.5 is a number", False),
    ("headings", {"exact": 1}, "# a\n#b", True),
    ("code_blocks", {"exact": 1}, "```\na\n```", True),
    ("placeholders", {"min": 2}, "[name] lives in [city]", True),
    ("placeholders", {"min": 1}, "[a link](http://x.y)", False),
    ("highlights", {"min": 2}, "*a* and **b**", True),
    ("highlights", {"min": 1}, "2 * 3 * 4", False),
    ("capital_words", {"max": 1}, "NASA and I", True),
    ("capital_words", {"min": 2}, "NASA and ESA, too", True),
    ("question_marks", {"exact": 1}, "What? No.", True),
    ("exclamation_marks", {"exact": 0}, "No!", False),
    ("words_per_sentence", {"max": 3}, "One two three. One two.", True),
    ("words_per_sentence", {"max": 3}, "One two three. One two three four.", False),
    ("words_per_line", {"exact": 2}, "a b\nc d", True),
    ("words_per_line", {"exact": 2}, "a b\nc", False),
    ("words_per_paragraph", {"min": 2}, "a b\n\nc", False),
    ("sentences_per_paragraph", {"exact": 1}, "One.\n\nTwo. Three.", False),
    # words and phrases
    ("occurrences", {"text": "art", "exact": 1}, "the art of the party", True),
    ("occurrences", {"text": "art", "min": 2}, "the art of the party", False),
    ("occurrences", {"text": "New York", "exact": 2}, "new york, New\nYork", True),
    ("occurrences", {"text": "It", "exact": 1, "case": True}, "It is what it is", True),
    ("occurrences", {"text": "C++", "exact": 2}, "C++ and c++", True),
    ("occurrences", {"text": "the", "exact": 0}, "another theory", True),
    ("letter", {"letter": "a", "exact": 3}, "Banana", True),
    ("letter", {"letter": "e", "max": 0}, "no such thing", True),
    ("letter", {"letter": "e", "max": 0}, "Even so", False),
    ("required_words", {"words": ["red", "blue sky"]}, "A Red kite in the **blue** sky", True),
    ("required_words", {"words": ["red", "blue"]}, "A red kite", False),
    ("required_words", {"words": ["red"]}, "bored", False),
    ("forbidden_words", {"words": ["very", "really"]}, "Very good", False),
    ("forbidden_words", {"words": ["very"]}, "everyone", True),
    ("forbidden_words", {"words": ["very"]}, "**very**good", False),
    ("forbidden_characters", {"characters": ";!"}, "a; b", False),
    ("forbidden_characters", {"characters": ";!"}, "a, b", True),
    ("no_commas", {}, "a, b", False),
    ("no_commas", {}, "1,000", False),
    ("no_commas", {}, "a; b", True),
    # beginnings and ends
    ("starts_with", {"text": "Dear Sir"}, "**Dear Sir**, hello", True),
    ("starts_with", {"text": "Dear Sir"}, "Hello, Dear Sir", False),
    ("starts_with", {"text": "dear sir", "case": True}, "Dear Sir", False),
    ("ends_with", {"text": "The end."}, "Now\n\nThe  end.\n", True),
    ("ends_with", {"text": "The end."}, "The end. Any questions?", False),
    ("ends_with", {"text": "The end."}, "*The end.*", True),
    ("paragraph_starts_with", {"paragraph": 2, "text": "Next"}, "First.\n\nNext one.", True),
    ("paragraph_starts_with", {"paragraph": 3, "text": "Next"}, "First.\n\nNext one.", False),
    ("lowercase", {}, "all small, 42!", True),
    ("lowercase", {}, "not All small", False),
    ("uppercase", {}, "ALL BIG, 42!", True),
    ("uppercase", {}, "ALL BIg", False),
    ("quoted", {}, '"Hello."', True),
    ("quoted", {}, "\u201cHello.\u201d", True),
    ("quoted", {}, 'He said "Hello."', False),
    ("title", {}, "<<On Dogs>>\n\nDogs bark.", True),
    ("title", {}, "**<<On Dogs>>**\n\nDogs bark.", True),
    ("title", {}, "# On Dogs", False),
    ("postscript", {}, "Dear A,\n\nHello.\n\nP.S. Bye.", True),
    ("postscript", {}, "P.S. is short for postscript.\n\nIt ends letters.", False),
    ("postscript", {"marker": "P.P.S."}, "Hello.\n\nP.S. Bye.", False),
    ("acrostic", {"text": "CAT"}, "Can you\nAsk\n**T**om?", True),
    ("acrostic", {"text": "CAT"}, "Can you\nTell\nAnn?", False),
    ("parts", {"separator": "******", "exact": 2}, "one\n******\ntwo", True),
    ("parts", {"separator": "******", "exact": 2}, "one\n***\ntwo", False),
    # form and language
    ("json", {}, '{"a": 1}', True),
    ("json", {}, '```json\n{"a": 1}\n```', True),
    ("json", {}, 'Here: {"a": 1}', False),
    ("json", {}, "{'a': 1}", False),
    ("json", {}, '```json\n{"a": 1}\n```\nDone.', False),
    ("pattern", {"pattern": r"^\d{4}-\d{2}-\d{2}$"}, "2024-05-06", True),
    ("pattern", {"pattern": r"^\d{4}-\d{2}-\d{2}$"}, "May 6", False),
    ("pattern", {"pattern": r"^(a|aa)+$"}, "a" * 5000 + "b", None),
    ("language", {"language": "de"}, DE, True),
    ("language", {"language": "en"}, DE, False),
    ("language", {"language": "en"}, EN, True),
    ("language", {"language": "fr"}, FR, True),
    ("language", {"language": "es"}, ES, True),
    ("language", {"language": "it"}, IT, True),
    ("language", {"language": "pt"}, PT, True),
    ("language", {"language": "es"}, PT, False),
    ("language", {"language": "nl"}, NL, True),
    ("language", {"language": "de"}, NL, False),
    ("language", {"language": "ru"}, RU, True),
    ("language", {"language": "uk"}, RU, False),
    ("language", {"language": "ja"}, JA, True),
    ("language", {"language": "zh"}, ZH, True),
    ("language", {"language": "zh"}, JA, False),
    ("language", {"language": "ko"}, KO, True),
    ("language", {"language": "en"}, KO, False),
    ("language", {"language": "en"}, "Kaleidoscope", None),
]


@pytest.mark.parametrize(("rule", "parameters", "answer", "kept"), TABLE)
def test_rule(rule, parameters, answer, kept):
    score = ask(answer, {"rule": rule, **parameters})
    assert score is None if kept is None else score == float(kept)


def test_every_rule_is_in_the_table():
    assert {row[0] for row in TABLE} == set(RULES)


KEPT, BROKEN = {"rule": "words", "max": 3}, {"rule": "uppercase"}
UNTOLD = {"rule": "language", "language": "en"}


@pytest.mark.parametrize(
    ("rules", "options", "score"),
    [
        ([KEPT, KEPT], {}, 1),
        ([KEPT, BROKEN], {}, 0),
        ([KEPT, BROKEN], {"all": False}, 0.5),
        ([KEPT, KEPT, BROKEN, KEPT], {"all": False}, 0.75),
        ([BROKEN], {"all": False}, 0),
        ([KEPT, UNTOLD], {}, None),
        ([BROKEN, UNTOLD], {}, 0),
        ([BROKEN, UNTOLD], {"all": False}, None),
    ],
)
def test_rules_together(rules, options, score):
    assert ask("Kaleidoscope", *rules, **options) == score


def test_broken_rules_are_named():
    spec = GraderSpec(name="instructions", options={"rules": [KEPT, BROKEN]})
    question = Question(id="q", difficulty="easy", question="?", grader=spec)
    grade = graders.grade("t", question, Completion(text="one two three four", model="m"))
    assert grade.reason == "not kept: words max=3; uppercase"
