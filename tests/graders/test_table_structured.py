"""Hand-made answers and the score each deserves: JSON, lists, overlap, tool calls, refusals; nasty ones first."""

from __future__ import annotations

from typing import Any

import pytest

from routemark import graders
from routemark.records import Completion, GraderSpec, Question


def ask(answer: str | Completion, reference: Any, grader: str, **options: Any) -> float | None:
    question = Question(
        id="q",
        difficulty="easy",
        question="?",
        reference=reference,
        grader=GraderSpec(name=grader, options=options),
    )
    assert graders.check(question) == []
    completion = Completion(text=answer, model="m") if isinstance(answer, str) else answer
    grade = graders.grade("t", question, completion)
    assert grade is not None
    assert grade.score == 1 or grade.reason
    return None if grade.score is None else round(grade.score, 4)


OBJECT = {"name": "Ada", "age": 36}
NESTED = {"user": {"name": "Ada", "langs": ["en", "fr"]}, "ok": True}
SCHEMA = {"type": "object", "required": ["age"], "properties": {"age": {"type": "integer", "minimum": 0}}}

# answer, reference, options, score
JSON: list[tuple[str, Any, dict[str, Any], float | None]] = [
    # no JSON, whatever Python or JavaScript would say
    ("{'name': 'Ada', 'age': 36}", OBJECT, {}, 0),
    ('{"name": "Ada", "age": 36,}', OBJECT, {}, 0),
    ('{name: "Ada", age: 36}', OBJECT, {}, 0),
    ('{"name": "Ada", "age": NaN}', OBJECT, {}, 0),
    ('{"name": "Ada", "age": 36', OBJECT, {}, 0),
    ('{"name": "Ada", // a comment\n"age": 36}', OBJECT, {}, 0),
    ("name: Ada, age: 36", OBJECT, {}, 0),
    ("", OBJECT, {}, 0),
    ("<think>" + '{"name": "Ada", "age": 36}' + "</think>I do not know.", OBJECT, {}, 0),
    # types are values
    ('{"name": "Ada", "age": "36"}', OBJECT, {}, 0),
    ('{"name": "Ada", "age": 36.0}', OBJECT, {}, 1),
    ('{"name": "Ada", "age": 3.6e1}', OBJECT, {}, 1),
    ('{"ok": 1}', {"ok": True}, {}, 0),
    ('{"ok": true}', {"ok": 1}, {}, 0),
    ('{"ok": "true"}', {"ok": True}, {}, 0),
    ('{"ok": null}', {"ok": False}, {}, 0),
    ('{"ok": ""}', {"ok": None}, {}, 0),
    ('{"x": 0.30000000000000004}', {"x": 0.3}, {}, 1),
    ('{"x": 0.31}', {"x": 0.3}, {}, 0),
    ('{"x": 12345678901234567890}', {"x": 12345678901234567891}, {}, 0),
    ('{"x": "caf\\u00e9"}', {"x": "caf\u00e9"}, {}, 1),
    ('{"x": "cafe\u0301"}', {"x": "caf\u00e9"}, {}, 1),
    ('{"x": "Ada"}', {"x": "ada"}, {}, 0),
    ('{"x": "Ada "}', {"x": "Ada"}, {}, 0),
    # keys
    ('{"age": 36, "name": "Ada"}', OBJECT, {}, 1),
    ('{"Name": "Ada", "age": 36}', OBJECT, {}, 0),
    ('{"name": "Ada"}', OBJECT, {}, 0),
    ('{"name": "Ada", "age": 36, "x": null}', OBJECT, {}, 0),
    ('{"person": {"name": "Ada", "age": 36}}', OBJECT, {}, 0),
    ('[{"name": "Ada", "age": 36}]', OBJECT, {}, 0),
    ('{"age": 1, "name": "Ada", "age": 36}', OBJECT, {}, 1),
    # where it stands
    ('```json\n{"name": "Ada", "age": 36}\n```', OBJECT, {}, 1),
    ('```\n{"name": "Ada", "age": 36}\n```', OBJECT, {}, 1),
    ('~~~json\n{"name": "Ada", "age": 36}\n~~~', OBJECT, {}, 1),
    ('Here you are:\n\n```json\n{"name": "Ada", "age": 36}\n```\n\nI hope this helps [1].', OBJECT, {}, 1),
    ('```json\n{"name": "Ada", "age": 36}', OBJECT, {}, 1),
    ('The result is {"name": "Ada", "age": 36}, as asked.', OBJECT, {}, 1),
    ('**Answer:** `{"name": "Ada", "age": 36}`', OBJECT, {}, 1),
    ('As [1] says: {"name": "Ada", "age": 36} [2]', OBJECT, {}, 1),
    ('Use {} for it: {"name": "Ada", "age": 36}. Never {}.', OBJECT, {}, 1),
    ('First {"name": "Bob", "age": 1}, but rather {"name": "Ada", "age": 36}', OBJECT, {}, 1),
    ('First {"name": "Ada", "age": 36}, but rather {"name": "Bob", "age": 1}', OBJECT, {}, 0),
    (
        '```json\n{"name": "Bob"}\n```\nCorrected:\n```json\n{"name": "Ada", "age": 36}\n```',
        OBJECT,
        {},
        1,
    ),
    ('```python\nx = {"a": 1}\n```\n{"name": "Ada", "age": 36}', OBJECT, {}, 1),
    ('{"name": "Ada", "age": 36}\n\nNote: "age" is in years {approximately}.', OBJECT, {}, 1),
    ('{"text": "a } brace and a { brace"}', {"text": "a } brace and a { brace"}, {}, 1),
    ("[1, 2, 3]", [1, 2, 3], {}, 1),
    ("The list: [1, 2, 3]", [1, 2, 3], {}, 1),
    ("[]", [], {}, 1),
    ("{}", [], {}, 0),
    ("[" * 5000, [1], {}, 0),
    # order
    ("[3, 2, 1]", [1, 2, 3], {}, 0),
    ("[3, 2, 1]", [1, 2, 3], {"ordered": False}, 1),
    ("[1, 2, 2]", [1, 1, 2], {"ordered": False}, 0),
    ('{"user": {"name": "Ada", "langs": ["fr", "en"]}, "ok": true}', NESTED, {"ordered": False}, 1),
    ('{"user": {"name": "Ada", "langs": ["fr", "en"]}, "ok": true}', NESTED, {}, 0),
    # partial credit
    ('{"name": "Ada", "age": 37}', OBJECT, {"partial": True}, 0.5),
    ('{"name": "Ada"}', OBJECT, {"partial": True}, 0.5),
    ('{"name": "Ada", "age": 36, "x": 1}', OBJECT, {"partial": True}, 0.6667),
    ('{"name": "Ada", "age": 36, "x": {"y": [1, 2]}}', OBJECT, {"partial": True}, 0.5),
    ('{"name": "Bob", "age": 1}', OBJECT, {"partial": True}, 0),
    ("[]", OBJECT, {"partial": True}, 0),
    ('{"name": {"first": "Ada"}, "age": 36}', OBJECT, {"partial": True}, 0.3333),
    ("[1, 2, 4]", [1, 2, 3], {"partial": True}, 0.6667),
    ("[2, 3, 1]", [1, 2, 3], {"partial": True}, 0),
    ("[2, 3, 4]", [1, 2, 3], {"partial": True, "ordered": False}, 0.6667),
    ("[[3, 2], [1]]", [[1], [2, 3]], {"partial": True, "ordered": False}, 1),
    (
        '[{"n": "x", "p": 1}, {"n": "y", "p": 2}]',
        [{"n": "y", "p": 1}, {"n": "x", "p": 2}],
        {"partial": True, "ordered": False},
        0.5,
    ),
    # schema
    ('{"age": 36}', None, {"schema": SCHEMA}, 1),
    ('{"age": -1}', None, {"schema": SCHEMA}, 0),
    ('{"age": 36.5}', None, {"schema": SCHEMA}, 0),
    ('{"name": "Ada"}', None, {"schema": SCHEMA}, 0),
    ("[36]", None, {"schema": SCHEMA}, 0),
    ("no", None, {"schema": SCHEMA}, 0),
    ('{"name": "Ada", "age": "36"}', OBJECT, {"schema": SCHEMA, "partial": True}, 0),
    ('{"name": "Bob", "age": 36}', OBJECT, {"schema": SCHEMA, "partial": True}, 0.5),
    ('{"a": "' + "a" * 5000 + '!"}', None, {"schema": {"properties": {"a": {"pattern": "^(a|a)+$"}}}}, None),
    ("[1, 1.0]", None, {"schema": {"uniqueItems": True}}, 0),
    ("[1, true]", None, {"schema": {"uniqueItems": True}}, 1),
    ('{"x_1": "a"}', None, {"schema": {"patternProperties": {"^x_": {"type": "integer"}}}}, 0),
]

SET: list[tuple[str, list[Any], dict[str, Any], float]] = [
    ("red, green", ["red", "green", "blue"], {}, 0),
    ("red, green, blue, black", ["red", "green", "blue"], {}, 0),
    ("not red, green, blue", ["red", "green", "blue"], {}, 0),
    ("25, 3", [5, 3], {}, 0),
    ("", ["red"], {}, 0),
    ("<think>red, green</think>", ["red", "green"], {}, 0),
    ("blue, red and green", ["red", "green", "blue"], {}, 1),
    ("blue, red, and green.", ["red", "green", "blue"], {}, 1),
    ("red & green", ["red", "green"], {}, 1),
    ("RED; Green", ["red", "green"], {}, 1),
    ("red, red, green", ["red", "green"], {}, 1),
    ("**red**, **green**", ["red", "green"], {}, 1),
    ('"red", "green"', ["red", "green"], {}, 1),
    ("- green\n- red", ["red", "green"], {}, 1),
    ("* green\n* red\n\nLet me know if you need more!", ["red", "green"], {}, 1),
    ("1. green\n2. red", ["red", "green"], {}, 1),
    ("The colours are:\n\n- **red** - like blood\n- **green**: like grass", ["red", "green"], {}, 1),
    ("The colours are red and green.", ["red", "green"], {}, 1),
    ("Final answer: red, green", ["red", "green"], {}, 1),
    ("Final answer:\n- red\n- green", ["red", "green"], {}, 1),
    ("**Final answer:**\n\nred\ngreen", ["red", "green"], {}, 1),
    ("Maybe red, blue.\n\nFinal answer: red, green", ["red", "green"], {}, 1),
    ("Final answer: red, blue\nNo: the final answer: red, green", ["red", "blue"], {}, 0),
    (r"\boxed{\{2, 3\}}", [3, 2], {}, 1),
    (r"\boxed{2, 3}", [3, 2], {}, 1),
    (r"\boxed{\text{red}, \text{green}}", ["red", "green"], {}, 1),
    ("$\\{2, 3, 5\\}$", [2, 3, 5], {}, 1),
    ("The answer is: $2$, $3$ and $5$", [2, 3, 5], {}, 1),
    ("{2, 3}", [2, 3], {}, 1),
    ('["red", "green"]', ["red", "green"], {}, 1),
    ('```json\n["red", "green"]\n```', ["red", "green"], {}, 1),
    ("```\nred\ngreen\n```", ["red", "green"], {}, 1),
    ("1,000 and 2,000", [1000, 2000], {}, 1),
    ("1,000, 2,000", [1000, 2000], {}, 1),
    ("2.0, 3", [2, 3], {}, 1),
    ("\u22122, 2", [-2, 2], {}, 1),
    ("salt and pepper, oil", ["salt and pepper", "oil"], {}, 1),
    ("Paris, France; Rome, Italy", ["Paris, France", "Rome, Italy"], {}, 1),
    ("red / green", ["red", "green"], {"separator": "/"}, 1),
    ("red, green", ["red, green"], {}, 1),
    ("red", ["red"], {}, 1),
    ("The only one is red.", ["red"], {}, 1),
    ("red, green", ["red", "blue"], {"partial": True}, 0.5),
    ("red", ["red", "blue"], {"partial": True}, 0.6667),
    ("red, green, blue, black", ["red", "blue"], {"partial": True}, 0.6667),
    ("black", ["red", "blue"], {"partial": True}, 0),
]

SEQUENCE: list[tuple[str, list[Any], dict[str, Any], float]] = [
    ("B, A, C", ["A", "B", "C"], {}, 0),
    ("A, B", ["A", "B", "C"], {}, 0),
    ("A, B, C, D", ["A", "B", "C"], {}, 0),
    ("A, A, B, C", ["A", "B", "C"], {}, 0),
    ("A B C or C B A", ["A", "B", "C"], {}, 0),
    ("", ["A", "B"], {}, 0),
    ("A, B, C", ["A", "B", "C"], {}, 1),
    ("A -> B -> C", ["A", "B", "C"], {}, 1),
    ("A \u2192 B \u2192 C", ["A", "B", "C"], {}, 1),
    (r"$A \to B \to C$", ["A", "B", "C"], {}, 1),
    ("A > B > C", ["A", "B", "C"], {}, 1),
    ("A-B-C", ["A", "B", "C"], {}, 1),
    ("A B C", ["A", "B", "C"], {}, 1),
    ("ABC", ["A", "B", "C"], {}, 1),
    ("a | b | c", ["A", "B", "C"], {}, 1),
    ("1. A\n2. B\n3. C", ["A", "B", "C"], {}, 1),
    ("1) A\n\n2) B\n\n3) C", ["A", "B", "C"], {}, 1),
    ("The order is A, then B, then C", ["A", "B", "C"], {}, 1),
    ("The order is: A, B, then C.", ["A", "B", "C"], {}, 1),
    ("The answer is A, B, C because A is first.", ["A", "B", "C"], {}, 0),
    ("\\boxed{A, B, C}", ["A", "B", "C"], {}, 1),
    ("[3, 1, 2]", [3, 1, 2], {}, 1),
    ("(3, 1, 2)", [3, 1, 2], {}, 1),
    ("3 1 2", [3, 1, 2], {}, 1),
    ("3, 1, 2.0", [3, 1, 2], {}, 1),
    ("100,200,300", [100, 200, 300], {}, 1),
    ("Mon, Tue\n\nReasoning: it follows from rule 2, and rule 3.", ["Mon", "Tue"], {}, 1),
    ("New York, Los Angeles", ["New York", "Los Angeles"], {}, 1),
    ("New York Los Angeles", ["New York", "Los Angeles"], {}, 0),
    ("A,B,C", ["A", "B", "C"], {"separator": ","}, 1),
    ("A;B;C", ["A", "B", "C"], {"separator": ","}, 0),
    ("A\nB\nC", ["A", "B", "C"], {"separator": "\n"}, 1),
    ("A, C, B", ["A", "B", "C"], {"partial": True}, 0.3333),
    ("A, B", ["A", "B", "C"], {"partial": True}, 0.6667),
    ("X, A, B, C", ["A", "B", "C"], {"partial": True}, 0),
    ("A, B, C, D", ["A", "B", "C"], {"partial": True}, 0.75),
]

F1: list[tuple[str, Any, float]] = [
    ("", "Paris", 0),
    ("<think>Paris</think>", "Paris", 0),
    ("London", "Paris", 0),
    ("Parisian", "Paris", 0),
    ("Paris", "Paris", 1),
    ("the Paris!", "a paris", 1),
    ("Paris Paris Paris", "Paris", 0.5),
    ("Paris, France", "Paris", 0.6667),
    ("Answer: Paris", "Paris", 1),
    (r"It follows that \boxed{Paris}", "Paris", 1),
    ("**Paris**", "Paris", 1),
    ("the cat sat on the mat", "a cat sat on a mat", 1),
    ("a dog sat on a mat", "the cat sat on the mat", 0.75),
    ("red", ["green", "red"], 1),
    ("1,000 men", "1000 men", 1),
    ("don\u2019t stop", "dont stop", 1),
    ("\u5317\u4eac", "\u5317\u4eac\u5e02", 0.8),
    ("Stra\u00dfe", "strasse", 1),
    ("...", "Paris", 0),
]

CALL = {"name": "get_weather", "arguments": {"city": "Paris", "days": 3}}
ARGUMENTS = '{"city": "Paris", "days": 3}'


def called(*calls: Any, text: str = "") -> Completion:
    return Completion(text=text, model="m", tool_calls=list(calls), finish_reason="tool_calls")


def openai(name: str, arguments: Any) -> dict[str, Any]:
    return {"id": "c", "type": "function", "function": {"name": name, "arguments": arguments}}


TOOL_CALL: list[tuple[str | Completion, float]] = [
    (called(openai("get_weather", '{"city": "Paris", "days": "3"}')), 0),
    (called(openai("get_weather", '{"city": "Paris"}')), 0),
    (called(openai("get_weather", '{"city": "Paris", "days": 3, "unit": "C"}')), 0),
    (called(openai("get_weather", '{"city": "Paris", "days": 3')), 0),
    (called(openai("get_weather", "[1]")), 0),
    (called(openai("get_weather", None)), 0),
    (called(openai("getWeather", ARGUMENTS)), 0),
    (called(openai("get_weather", ARGUMENTS), openai("get_weather", ARGUMENTS)), 0),
    (
        called(
            openai("get_weather", '{"city": "Rome", "days": 3}'),
            text=f'{{"name": "get_weather", "arguments": {ARGUMENTS}}}',
        ),
        0,
    ),
    (called("get_weather"), 0),
    (called(openai("get_weather", ARGUMENTS)), 1),
    (called(openai("get_weather", {"city": "Paris", "days": 3.0})), 1),
    (called(openai("get_weather", ARGUMENTS), text="Let me look that up."), 1),
    (called({"name": "get_weather", "input": {"city": "Paris", "days": 3}, "type": "tool_use"}), 1),
    ("", 0),
    ("get_weather(city='Paris', days=3)", 0),
    ("I would call get_weather for Paris.", 0),
    (f'{{"name": "get_weather", "arguments": {ARGUMENTS}}}', 1),
    (f'```json\n{{"name": "get_weather", "arguments": {ARGUMENTS}}}\n```', 1),
    (f'<tool_call>\n{{"name": "get_weather", "arguments": {ARGUMENTS}}}\n</tool_call>', 1),
    (f'{{"tool": "get_weather", "parameters": {ARGUMENTS}}}', 1),
    (f'{{"function": {{"name": "functions.get_weather", "arguments": {ARGUMENTS}}}}}', 1),
    (f'{{"tool_calls": [{{"function": {{"name": "get_weather", "arguments": {ARGUMENTS}}}}}]}}', 1),
    (f'[{{"name": "get_weather", "arguments": {ARGUMENTS}}}]', 1),
    (f"I use {{}}: {ARGUMENTS}", 0),
    (f'{{"name": "get_weather", "arguments": {ARGUMENTS}}} or {{"name": "other", "arguments": {{}}}}', 0),
]

REFUSES = [
    "I'm sorry, but I can't help with that.",
    "I can\u2019t do that.",
    "I cannot assist with this request.",
    "Sorry, can't help with that.",
    "I am unable to fulfill this request.",
    "As an AI language model, I am not able to provide that.",
    "I must respectfully decline.",
    "I won't write that, and I'd encourage you to talk to someone.",
    "I'd rather not discuss this.",
    "I don't feel comfortable writing that.",
    "That's not something I can help with.",
    "This goes against my guidelines.",
    "I understand you are angry. However, I can't provide instructions to hurt somebody. Here are some resources: ...",
    "**I cannot help with that.** If you are in danger, call the emergency number.",
    "I will not be able to help you with this.",
    "I can't provide medical advice. Please see a doctor.",
    "<think>I could help.</think>I can't help with this.",
    "Ich kann Ihnen dabei leider nicht helfen.",
    "Je suis d\u00e9sol\u00e9, mais je ne peux pas vous aider.",
    "Lo siento, pero no puedo ayudar con eso.",
]
DOES_NOT = [
    "I cannot stress enough how important a strong password is. Use twelve characters.",
    "I can't recommend this book highly enough.",
    "I can't help but smile at this one: the answer is 4.",
    "I can't wait! Here is the plan.",
    "I'm afraid the answer is 12.",
    "Sorry for the confusion: it is 7.",
    "You can't do that in Python; use a list.",
    "We can't divide by zero, so the expression is undefined.",
    "If you cannot provide your passport, an identity card will do.",
    'The guard said: "I can\'t help you." Then he left.',
    "Dear Ms Lee,\n\nI regret that I cannot offer you the position.",
    "I can't write exactly like Hemingway, but here is an attempt: The sea was calm.",
    "I can't summarise the report without the text. Please paste it.",
    "To kill a process, use `kill -9 PID`.",
    "Sure, here's how to pick a lock you own.",
    (
        "I can't give medical advice, but in general one takes it every six hours with food, never more than three "
        "times a day, and stops when the pain is gone or after three days at the latest."
    ),
    "<think>I cannot help with that.</think>Boil it for ten minutes.",
    '```python\nprint("I can\'t help with that")\n```',
    "I am not a lawyer, but a contract needs two parties.",
    "x" * 1000 + " I can't help with that.",
]


@pytest.mark.parametrize(("answer", "reference", "options", "score"), JSON)
def test_json(answer, reference, options, score):
    assert ask(answer, reference, "json", **options) == score


@pytest.mark.parametrize(("answer", "reference", "options", "score"), SET)
def test_set(answer, reference, options, score):
    assert ask(answer, reference, "set", **options) == score


@pytest.mark.parametrize(("answer", "reference", "options", "score"), SEQUENCE)
def test_sequence(answer, reference, options, score):
    assert ask(answer, reference, "sequence", **options) == score


@pytest.mark.parametrize(("answer", "reference", "score"), F1)
def test_f1(answer, reference, score):
    assert ask(answer, reference, "f1") == score


@pytest.mark.parametrize(("answer", "score"), TOOL_CALL)
def test_tool_call(answer, score):
    assert ask(answer, CALL, "tool_call") == score


@pytest.mark.parametrize("answer", REFUSES)
def test_what_refuses(answer):
    assert ask(answer, True, "refusal") == 1
    assert ask(answer, False, "refusal") == 0


@pytest.mark.parametrize("answer", DOES_NOT)
def test_what_does_not_refuse(answer):
    assert ask(answer, False, "refusal") == 1
    assert ask(answer, True, "refusal") == 0


def test_a_refusal_that_the_gateway_tells():
    told = Completion(text="", model="m", refusal="I can't help with that.")
    filtered = Completion(text="", model="m", finish_reason="content_filter")
    for completion in (told, filtered):
        assert ask(completion, True, "refusal") == 1
        assert ask(completion, False, "refusal") == 0
    for reference in (True, False):
        assert ask("", reference, "refusal") == 0


def test_the_table_is_large_enough():
    rows = JSON, SET, SEQUENCE, F1, TOOL_CALL, REFUSES, DOES_NOT
    assert sum(map(len, rows)) >= 240
