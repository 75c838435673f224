"""What sets things up: the settings file of `init`, completions, schemas, the man page, and help."""

import importlib.resources
import json
import re
import shutil
import subprocess
import tomllib
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import msgspec
import pytest

import report_factory as factory
from routemark.commands import EXIT_CODES, app
from routemark.config import GatewaySettings, JudgeSettings, Settings, option_names, resolve
from routemark.errors import SettingsError, UsageError
from routemark.prepare import make_arms
from routemark.questions import shipped
from routemark.report import outputs
from routemark.report.results import results_head
from routemark.settings_file import commented, write_settings_file

ROOT = Path(__file__).parent.parent
COMMANDS = sorted(name for name in app.resolved_commands() if not name.startswith("-"))


def script(name: str) -> ModuleType:
    """Import a script, whose file has no ending."""
    loader = SourceFileLoader(name.replace("-", "_"), str(ROOT / "scripts" / name))
    module = module_from_spec(spec_from_loader(loader.name, loader))  # type: ignore[arg-type]  # there is one
    loader.exec_module(module)
    return module


def schema(name: str) -> Any:
    text = (importlib.resources.files("routemark") / f"data/schemas/{name}.json").read_text()
    found = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(found)
    return found


# --------------------------------------------------------------------------- init


def set_all(text: str) -> str:
    """Take the mark away before everything that can be set."""
    return re.sub(r"^# (?=\[|\w+ = )", "", text, flags=re.MULTILINE)


def test_nothing_is_set_in_the_file_as_it_is_written(tmp_path: Path) -> None:
    write_settings_file(tmp_path / "routemark.toml")
    assert tomllib.loads((tmp_path / "routemark.toml").read_text()) == {}
    assert resolve(Settings, {}, {}, cwd=tmp_path) == Settings()


def test_every_setting_stands_in_it_with_its_help_and_a_value_that_is_taken(tmp_path: Path) -> None:
    (tmp_path / "routemark.toml").write_text(set_all(commented()))
    values = tomllib.loads(set_all(commented()))
    assert set(values) == {field.name for field in msgspec.structs.fields(Settings)}
    assert set(values["judge"]) == {field.name for field in msgspec.structs.fields(JudgeSettings)}
    found = resolve(Settings, {}, {}, cwd=tmp_path)
    assert found.limit == 50
    assert found.judge is not None
    assert isinstance(found.gateway, GatewaySettings)
    assert found.gateway.prices["gpt-5-mini"].completion == 2
    assert set(values["gateway"]) == {field.name for field in msgspec.structs.fields(GatewaySettings)}
    openrouter = msgspec.structs.replace(found, gateway=None)
    assert next(arm.name for arm in make_arms(openrouter)) == "openrouter/auto?cost_tier=low"
    told = " ".join(re.sub(r"^## ", "", commented(), flags=re.MULTILINE).split())
    assert "Ceiling on requests in flight; the pace adapts below it. # concurrency = 100" in told


def test_what_it_shows_for_an_option_with_a_default_is_that_default() -> None:
    values = tomllib.loads(set_all(commented()))
    for field in msgspec.structs.fields(Settings):
        if field.default not in (msgspec.NODEFAULT, None):
            assert values[field.name] == field.default, field.name


def test_a_file_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "routemark.toml").write_text("limit = 3\n")
    with pytest.raises(UsageError, match="is there already"):
        write_settings_file(tmp_path / "routemark.toml")
    assert (tmp_path / "routemark.toml").read_text() == "limit = 3\n"
    with pytest.raises(UsageError, match="cannot be written"):
        write_settings_file(tmp_path / "gone" / "routemark.toml")


# --------------------------------------------------------------------------- schemas


def test_the_schemas_are_what_the_records_say() -> None:
    for name, text in script("build-schemas").texts().items():
        assert (ROOT / "src/routemark/data/schemas" / name).read_text() == text, "run scripts/build-schemas"


def test_the_settings_schema_takes_what_init_writes_and_refuses_what_the_program_refuses(
    tmp_path: Path,
) -> None:
    rules = schema("settings")
    assert set(rules["properties"]) == option_names()
    whole = tomllib.loads(set_all(commented()))
    jsonschema.validate(whole, rules)
    jsonschema.validate({"model": "openrouter/auto", "port": 3}, rules)
    for wrong in (
        {"concurency": 3},
        {"limit": 0},
        {"judge": {"mode": "rubric"}},
        {"judge": {"model": "m", "tempo": 1}},
        {"gate": 3},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, rules)
        (tmp_path / "routemark.toml").write_text(_toml(wrong))
        with pytest.raises(SettingsError):
            resolve(Settings, {}, {}, cwd=tmp_path)


def _toml(table: dict[str, Any]) -> str:
    lines = [
        f"[{key}]\n" + _toml(value) if isinstance(value, dict) else f"{key} = {json.dumps(value)}\n"
        for key, value in table.items()
    ]
    return "".join(lines)


def test_the_question_schema_takes_the_shipped_file_and_every_name_that_the_loader_takes() -> None:
    rules = schema("questions")
    jsonschema.validate(json.loads(shipped().read_bytes()), rules)
    one = {
        "question_id": 3,
        "difficulty": "easy",
        "prompt": "?",
        "expected": 4,
        "options": ["a", 4],
        "grader": {"name": "exact", "case": True},
    }
    jsonschema.validate([one, {"difficulty": "x", "messages": [{"role": "user", "content": "?"}]}], rules)
    for wrong in (
        {},
        {"question": "?"},
        {"difficulty": "easy"},
        {"difficulty": "e", "question": "?", "grader": "exakt"},
        {"difficulty": "e", "question": 3},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate([wrong], rules)


def test_the_results_schema_takes_results_json_and_what_json_prints(tmp_path: Path) -> None:
    rules = schema("results")
    rows = factory.make_rows(12)
    run, summary = factory.make_run(), factory.make_summary(rows)
    with outputs.opened([tmp_path / "results.json"], run) as files:
        for row in rows:
            files.row(row)
        files.close(summary)
    whole = json.loads((tmp_path / "results.json").read_bytes())
    jsonschema.validate(whole, rules)
    jsonschema.validate(results_head(run, summary), rules)
    assert set(whole["summary"]) <= set(rules["$defs"]["Summary"]["properties"])
    assert set(whole["results"][0]) == set(rules["$defs"]["ResultRow"]["properties"])
    assert rules["$defs"]["ArmSummary"]["properties"]["cost_unknown"]["description"].startswith(
        "Trials whose cost"
    )
    whole["results"][0]["latency_s"] = "fast"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(whole, rules)


# --------------------------------------------------------------------------- man page, completion, help


def test_the_man_page_is_what_the_command_line_says() -> None:
    page = script("build-man").text()
    assert (ROOT / "man/routemark.1").read_text() == page, "run scripts/build-man"
    for command in COMMANDS:
        assert re.search(rf"^\.SS routemark {command}\b", page, re.MULTILINE), command
    assert "\n.B \\-\\-max\\-tokens MAX_TOKENS\nLimit on" in page
    assert all(f"\n.B {code}\n" in page for code in EXIT_CODES)


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_the_man_page_is_sound() -> None:
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8", "-z", ROOT / "man/routemark.1"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_an_example_of_itself(command: str) -> None:
    assert re.search(
        rf"Examples?:[^\n]* `?(eval \"\$\()?routemark {command}\b",
        " ".join((app[command].help or "").split()),
    )


def completed(shell_script: str, words: list[str], folder: Path) -> list[str]:
    """Complete the last word in bash."""
    (folder / "completion.bash").write_text(shell_script)
    given = " ".join(f"'{word}'" for word in words)
    code = f'. ./completion.bash; COMP_WORDS=({given}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _routemark; echo "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_bash_completes_commands_options_choices_and_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app(["completion", "bash"], result_action="return_value")
    bash = capsys.readouterr().out
    assert completed(bash, ["routemark", "res"], tmp_path) == ["resume"]
    assert sorted(completed(bash, ["routemark", "run", "--max-"], tmp_path)) == [
        "--max-attempts",
        "--max-cost",
        "--max-tokens",
    ]
    assert completed(bash, ["routemark", "run", "--simulate", "--gat"], tmp_path) == ["--gateway", "--gate"]
    assert completed(bash, ["routemark", "run", "--transport", ""], tmp_path) == ["pyreqwest", "httpx"]
    assert set(completed(bash, ["routemark", "schema", ""], tmp_path)) == {"settings", "questions", "results"}
    assert "complete -o default -F _routemark routemark" in bash, "else no question file is completed"


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_a_script_with_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    app(["completion", shell], result_action="return_value")
    text = capsys.readouterr().out
    assert [command for command in COMMANDS if command not in text] == []
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=text, text=True, check=True)


def test_zsh_completes_files_where_it_knows_nothing_better(capsys: pytest.CaptureFixture[str]) -> None:
    app(["completion", "zsh"], result_action="return_value")
    text = capsys.readouterr().out
    assert "'1:Question file\\: JSON, JSONL or CSV. \\[default\\: the shipped questions\\]:_files' \\" in text
    assert re.search(r"'\*--output\[.*\]:output:_files' \\", text)
    assert "'1: :->cmds' \\" in text, "what is chosen by the script itself is left to it"


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_takes_its_script_from_eval_and_from_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app(["completion", "zsh"], result_action="return_value")
    (tmp_path / "_routemark").write_text(capsys.readouterr().out)
    evaluated = 'compdef() { print -r -- "$@" }; eval "$(<_routemark)"'
    called = "_arguments() { print called }; fpath=(. $fpath); autoload -U _routemark; _routemark"
    for script, said in ((evaluated, "_cyclopts_routemark routemark\n"), (called, "called\n")):
        done = subprocess.run(
            ["zsh", "-f", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=20, check=True
        )
        assert (done.stdout, done.stderr) == (said, "")


def test_schema_prints_the_shipped_file(capsys: pytest.CaptureFixture[str]) -> None:
    app(["schema", "questions"], result_action="return_value")
    assert json.loads(capsys.readouterr().out) == schema("questions")
