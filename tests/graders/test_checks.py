"""Faults of questions are told with their place, for every grader that takes more than a text."""

import pytest

from routemark import graders
from routemark.graders import json_fields
from routemark.records import GraderSpec, Question


def faults(name, reference=None, **options):
    spec = GraderSpec(name=name, options=options)
    return graders.check(Question(id="q", difficulty="easy", question="?", reference=reference, grader=spec))


RULE = {"rule": "words", "max": 3}


@pytest.mark.parametrize(
    ("told", "begins"),
    [
        (faults("math"), "reference: missing; the grader 'math' needs one"),
        (faults("math", "Paris is nice"), "reference: must be an expression, as LaTeX or plain text, or a number"),
        (faults("math", ["1"]), "reference: must be an expression"),
        (faults("math", " "), "reference: must be an expression"),
        (faults("json"), "reference: missing; the grader 'json' needs one, or a schema"),
        (faults("json", "x"), "reference: must be an object or a list, not 'x'"),
        (faults("json", {}, schma={}), "grader.schma: unknown option of 'json'; did you mean 'schema'?"),
        (faults("json", {}, schema=[]), "grader.schema: must be a JSON Schema (an object), not []"),
        (faults("json", {}, schema={"type": "objekt"}), "grader.schema: is no JSON Schema: 'objekt' is not valid"),
        (faults("json", {}, schema={"pattern": "("}), "grader.schema: is no JSON Schema: '(' is not a 'regex'"),
        (faults("json", {}, schema={"$ref": "https://example.org/x"}), "grader.schema: cannot be used: Unresolvable"),
        (faults("json", {}, schema={"$ref": "#"}), "grader.schema: refers to itself without end"),
        (faults("json", {"a": 1}, schema={"required": ["b"]}), "reference: does not fit the schema: the whole: 'b'"),
        (faults("json", {}, partial="yes"), "grader.partial: must be true or false, not 'yes'"),
        (faults("set", "a, b"), "reference: must be a list of items, not 'a, b'"),
        (faults("set", []), "reference: the list is empty"),
        (faults("set", ["a", "A"]), "reference: the set holds 'A' twice"),
        (faults("set", [1, "1.0"]), "reference: the set holds '1.0' twice"),
        (faults("set", ["a", " "]), "reference: is blank"),
        (faults("sequence", [["a"]]), "reference: must be a string or a list of strings"),
        (faults("sequence", ["a"], separator=""), "grader.separator: must be a text, not ''"),
        (faults("f1", "the ..."), "reference: has no word but articles and punctuation"),
        (faults("f1", {"a": 1}), "reference: must be a string or a list of strings"),
        (faults("tool_call", {"name": "f"}), 'reference: must be {"name": a text, "arguments": an object}'),
        (faults("tool_call", {"name": "f", "arguments": {}, "x": 1}), "reference: must be"),
        (faults("tool_call", {"name": "f", "arguments": "{}"}), "reference: must be"),
        (faults("refusal", "yes"), "reference: must be true (the answer must refuse) or false (it must not)"),
        (faults("refusal", 1), "reference: must be true"),
        (faults("instructions"), "grader.rules: missing"),
        (faults("instructions", rules={}), "grader.rules: must be a list of rules, not {}"),
        (faults("instructions", rules=[]), "grader.rules: missing"),
        (faults("instructions", rules=["words"]), 'grader.rules[0]: must be a rule such as {"rule": "words"'),
        (faults("instructions", rules=[RULE, {"rule": "word"}]), "grader.rules[1]: unknown rule 'word'; did you mean 'words'?"),
        (faults("instructions", rules=[{"rule": "words", "maxi": 3}]), "grader.rules[0].maxi: unknown parameter of 'words'; did you mean 'max'?"),
        (faults("instructions", rules=[{"rule": "words", "max": -1}]), "grader.rules[0].max: must be a whole number, 0 or above"),
        (faults("instructions", rules=[{"rule": "words"}]), "grader.rules[0]: 'words' needs 'min', 'max' or 'exact'"),
        (faults("instructions", rules=[{"rule": "words", "min": 3, "max": 2}]), "grader.rules[0]: 'words' needs"),
        (faults("instructions", rules=[{"rule": "starts_with"}]), "grader.rules[0].text: missing"),
        (faults("instructions", rules=[{"rule": "language", "language": "xx"}]), "grader.rules[0].language: must be one of ar, bg,"),
        (faults("instructions", rules=[{"rule": "pattern", "pattern": "("}]), "grader.rules[0].pattern: must be a regular expression"),
        (faults("composite"), "grader.parts: missing"),
        (faults("composite", parts=[]), "grader.parts: missing"),
        (faults("composite", parts=["exact"]), 'grader.parts[0]: must be a grader such as {"name": "exact"'),
        (faults("composite", "x", parts=[{"name": "exact"}, {"name": "exat"}]), "grader.parts[1]: grader: unknown grader 'exat'; did you mean 'exact'?"),
        (faults("composite", "x", parts=[{"name": "exact", "weight": 0}]), "grader.parts[0].weight: must be a number above 0, not 0"),
        (faults("composite", "x", parts=[{"name": "exact", "case": 1}]), "grader.parts[0]: grader.case: must be true or false, not 1"),
        (faults("composite", parts=[{"name": "exact"}]), "grader.parts[0]: reference: missing; the grader 'exact' needs one"),
        (faults("composite", parts=[{"name": "composite", "parts": []}]), "grader.parts[0]: a composite cannot be part of a composite"),
    ],
)  # fmt: skip
def test_faults_are_told(told, begins):
    (fault,) = told
    assert fault.startswith(begins)


def test_a_schema_without_the_library_is_told_with_the_way_to_get_it(monkeypatch):
    monkeypatch.setattr(json_fields.importlib.util, "find_spec", lambda name: None)
    (fault,) = faults("json", {}, schema={})
    assert fault == "grader.schema: needs an extra of Routemark: `pip install 'routemark[schema]'`"
    assert faults("json", {}) == []
