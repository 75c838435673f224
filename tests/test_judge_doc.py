"""docs/judge.md tells the truth: its settings are all there are, and its examples can be used."""

import re
from pathlib import Path

import msgspec

from routemark.config import JudgeSettings, Settings, resolve
from routemark.questions.labelled import read_labels

PAGE = (Path(__file__).parents[1] / "docs" / "judge.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_table_names_every_setting_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", PAGE, re.MULTILINE))
    fields = {field.name: field for field in msgspec.structs.fields(JudgeSettings)}
    assert list(rows) == [name for name in rows if name in fields]
    assert set(rows) == set(fields)
    for name, shown in rows.items():
        default = fields[name].default
        if default is msgspec.NODEFAULT:
            assert shown == "needed"
        elif default is None:
            assert shown in ("none", "the run's")
        else:
            assert shown.strip('`"') == (default if isinstance(default, str) else f"{default:g}")


def test_the_example_of_the_settings_is_valid(tmp_path: Path) -> None:
    (example,) = blocks("toml")
    (tmp_path / "routemark.toml").write_text(example)
    judge = resolve(Settings, {}, {}, cwd=tmp_path).judge
    assert judge == JudgeSettings(model="openai/gpt-5-mini", max_cost=2.0)


def test_the_examples_of_labels_are_valid(tmp_path: Path) -> None:
    for example in blocks("json"):
        (tmp_path / "labels.jsonl").write_text(example)
        assert len(read_labels(tmp_path / "labels.jsonl")) == len(example.splitlines())
