"""Settings: precedence, and refusals that name the place and the nearest name."""

import re
from pathlib import Path

import msgspec
import pytest

from routemark.config import GatewayOptions, Settings, api_key, resolve, without_userinfo
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
