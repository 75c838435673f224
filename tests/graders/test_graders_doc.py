"""docs/graders.md tells the truth: its examples load, and are graded as it says; its table of rules is complete."""

import json
import re
from pathlib import Path

import pytest

from routemark import graders, questions
from routemark.graders.rules import RULES
from routemark.records import Completion

PAGE = (Path(__file__).parents[2] / "docs" / "graders.md").read_text()
EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)\n```", PAGE, re.DOTALL)]


def test_every_grader_has_a_section_and_an_example():
    assert set(re.findall(r"^## `(\w+)`$", PAGE, re.MULTILINE)) == set(graders.GRADERS)
    assert {example["grader"]["name"] for example in EXAMPLES} == set(graders.GRADERS)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["id"])
def test_examples_load_and_are_graded_as_they_say(example, tmp_path):
    (tmp_path / "q.jsonl").write_text(json.dumps(example))
    (question,) = questions.load(tmp_path / "q.jsonl")
    for answer in example.get("metadata", {}).get("right", []):
        grade = graders.grade("t", question, Completion(text=answer, model="m"))
        assert grade.score == 1, (answer, grade)
    for answer in example.get("metadata", {}).get("wrong", []):
        grade = graders.grade("t", question, Completion(text=answer, model="m"))
        assert grade.score is not None, (answer, grade)
        assert grade.score < 1, (answer, grade)


def test_every_option_is_named_in_its_section():
    sections = dict(re.findall(r"^## `(\w+)`\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
    for name, grader in graders.GRADERS.items():
        for option in grader.options:
            assert f"`{option}`" in sections[name], (name, option)


def test_the_table_of_rules_is_complete():
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \|$", PAGE, re.MULTILINE)
    assert [row[0] for row in rows] == list(RULES)
    for name, parameters, asks in rows:
        assert set(re.findall(r"`(\w+)`", parameters)) == set(RULES[name].parameters)
        assert asks == RULES[name].asks
