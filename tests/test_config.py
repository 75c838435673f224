"""Settings: precedence, and refusals that name the place and the nearest name."""

import re
from pathlib import Path

import msgspec
import pytest

from routemark import flags
from routemark.config import GatewayOptions, JudgeSettings, Settings, api_key, resolve, without_userinfo
from routemark.errors import SettingsError


def write(folder: Path, text: str, name: str = "routemark.toml") -> None:
    (folder / name).write_text(text)


def test_flag_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    write(tmp_path, "concurrency = 1\nseed = 1\nrepeats = 1\n")
    environ = {"ROUTEMARK_CONCURRENCY": "2", "ROUTEMARK_SEED": "2"}
    settings = resolve(Settings, {"concurrency": 3}, environ, cwd=tmp_path)
    assert (settings.concurrency, settings.seed, settings.repeats, settings.limit) == (3, 2, 1, None)


def test_a_named_file_replaces_the_default_one(tmp_path: Path) -> None:
    write(tmp_path, "seed = 1")
    write(tmp_path, "seed = 2", "other.toml")
    assert resolve(Settings, {"config": "other.toml"}, {}, cwd=tmp_path).seed == 2
    assert resolve(Settings, {}, {"ROUTEMARK_CONFIG": "other.toml"}, cwd=tmp_path).seed == 2


def test_values_in_the_environment_are_converted(tmp_path: Path) -> None:
    environ = {
        "ROUTEMARK_STREAM": "false",
        "ROUTEMARK_TIMEOUT": "30",
        "ROUTEMARK_MODEL": "openrouter/auto?excluded_models=a/*,b/* sim/a",
        "OPENROUTER_BASE_URL": "http://127.0.0.1:1/v1",
    }
    settings = resolve(Settings, {}, environ, cwd=tmp_path)
    assert settings.stream is False
    assert settings.timeout == 30.0
    assert settings.model == ["openrouter/auto?excluded_models=a/*,b/*", "sim/a"]
    assert settings.base_url == "http://127.0.0.1:1/v1"


def test_our_own_base_url_variable_beats_openrouters(tmp_path: Path) -> None:
    environ = {"ROUTEMARK_BASE_URL": "http://a", "OPENROUTER_BASE_URL": "http://b"}
    assert resolve(Settings, {}, environ, cwd=tmp_path).base_url == "http://a"


def test_dashes_and_single_values_in_the_file(tmp_path: Path) -> None:
    write(tmp_path, 'base-url = "http://a"\nmodel = "sim/a"\n[[arm]]\nmodel = "sim/b"\n')
    settings = resolve(Settings, {}, {}, cwd=tmp_path)
    assert (settings.base_url, settings.model, settings.arm) == ("http://a", ["sim/a"], [{"model": "sim/b"}])


def test_models_named_on_the_command_line_replace_all_arms_of_the_file(tmp_path: Path) -> None:
    write(tmp_path, 'model = "sim/a"\n[[arm]]\nmodel = "sim/b"\n')
    settings = resolve(Settings, {"model": ["sim/c"]}, {}, cwd=tmp_path)
    assert (settings.model, settings.arm) == (["sim/c"], [])


@pytest.mark.parametrize(
    ("flags", "environ", "file", "says"),
    [
        ({"concurrency": 0}, {}, "", r"--concurrency: expected a whole number >= 1 \(got 0\)"),
        ({"max_tokens": -5}, {}, "", r"--max-tokens: "),
        ({"margin": 2.0}, {}, "", r"--margin: .*< 1"),
        ({}, {"ROUTEMARK_SEED": "x"}, "", r"ROUTEMARK_SEED: expected a whole number.*'x'"),
        (
            {},
            {"ROUTEMARK_CONCURENCY": "5"},
            "",
            r'ROUTEMARK_CONCURENCY: no such setting. Did you mean "concurrency"',
        ),
        (
            {},
            {},
            "concurency = 5",
            r'routemark.toml: concurency: no such setting. Did you mean "concurrency"',
        ),
        ({}, {}, 'seed = "x"', r"routemark.toml: seed: "),
        ({}, {}, 'stream = "maybe"', r"routemark.toml: stream: "),
        ({}, {}, "seed = = 1", r"routemark.toml: not valid TOML"),
        ({"config": "gone.toml"}, {}, "", r"gone.toml: cannot be read"),
    ],
)
def test_refusals_name_the_place(
    tmp_path: Path, flags: dict[str, object], environ: dict[str, str], file: str, says: str
) -> None:
    write(tmp_path, file)
    with pytest.raises(SettingsError, match=says):
        resolve(Settings, flags, environ, cwd=tmp_path)


def test_other_commands_options_are_passed_over_in_file_and_environment(tmp_path: Path) -> None:
    write(tmp_path, "port = 8000")
    others = {field.name for field in msgspec.structs.fields(GatewayOptions)}
    assert resolve(Settings, {}, {"ROUTEMARK_FAULTS": "429:1"}, cwd=tmp_path, others=others) == Settings()
    assert resolve(GatewayOptions, {}, {}, cwd=tmp_path).port == 8000


def test_the_key_is_no_setting_and_user_information_is_not_stored() -> None:
    assert api_key({"OPENROUTER_API_KEY": " sk-or-x \n"}) == "sk-or-x"
    assert api_key({"OPENROUTER_API_KEY": "  "}) is None
    assert not [f.name for f in msgspec.structs.fields(Settings) if "key" in f.name]
    stored = Settings(base_url="https://me:secret@host:8/v1").public()
    assert "secret" not in repr(stored)
    assert without_userinfo("http://127.0.0.1:8/v1") == "http://127.0.0.1:8/v1"


def test_every_option_has_a_help_text() -> None:
    for kind in (Settings, GatewayOptions):
        for field in msgspec.structs.fields(kind):
            assert re.search(r'description=["\'].+\.', repr(field.type)), field.name


def test_the_table_of_the_judge(tmp_path: Path) -> None:
    write(tmp_path, '[judge]\nmodel = "a/b"\nmax-cost = 2\nmode = "pairwise"\n')
    settings = resolve(Settings, {}, {}, cwd=tmp_path)
    assert settings.judge == JudgeSettings(model="a/b", max_cost=2.0, mode="pairwise")
    assert settings.model == []
    assert msgspec.convert(settings.public(), Settings) == settings
    assert resolve(Settings, {}, {}, cwd=tmp_path / "elsewhere").judge is None


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('modle = "a/b"', 'judge.modle: no such setting. Did you mean "mode"?'),
        ('model = "a/b"\nmax_costs = 1', 'judge.max_costs: no such setting. Did you mean "max_cost"?'),
        ("max_cost = 1", "judge.model: missing; it must be given."),
        ('model = "a/b"\nmax_cost = "much"', "judge.max_cost: expected a number"),
        ('model = "a/b"\nmax_cost = -1', "judge.max_cost: expected a number"),
        ('model = ["a/b"]', "judge.model: expected str, got a list"),
        ('model = "a/b"\nmode = "duel"', "judge.mode: invalid enum value 'duel'"),
        ('model = "a/b"\nconcurrency = 0', "judge.concurrency: expected a whole number >= 1"),
    ],
)
def test_what_the_table_of_the_judge_cannot_hold_is_refused_by_its_name(
    tmp_path: Path, table: str, told: str
) -> None:
    write(tmp_path, f"[judge]\n{table}\n")
    with pytest.raises(SettingsError, match=re.escape(told)):
        resolve(Settings, {}, {}, cwd=tmp_path)


def test_a_judge_that_is_no_table_is_refused(tmp_path: Path) -> None:
    write(tmp_path, 'judge = "a/b"\n')
    with pytest.raises(SettingsError, match="judge: expected a table"):
        resolve(Settings, {}, {}, cwd=tmp_path)


def test_an_option_that_may_stand_alone_gets_its_value() -> None:
    given = ["run", "--until-decided", "my.jsonl", "--until-decided=open", "--", "--until-decided"]
    assert flags.completed(given, Settings) == [
        "run", "--until-decided=closed", "my.jsonl", "--until-decided=open", "--", "--until-decided",
    ]  # fmt: skip
    assert flags.completed(["run"], Settings) == ["run"]


@pytest.mark.parametrize("source", ["environ", "file"])
def test_until_decided_can_be_set_elsewhere(tmp_path: Path, source: str) -> None:
    (tmp_path / "routemark.toml").write_text('until_decided = "open"\n' if source == "file" else "")
    environ = {"ROUTEMARK_UNTIL_DECIDED": "open"} if source == "environ" else {}
    assert resolve(Settings, {}, environ, cwd=tmp_path).until_decided == "open"
