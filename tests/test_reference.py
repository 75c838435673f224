"""docs/reference is what `scripts/build-reference` makes of the code, and names everything that there is."""

import re
import runpy
from pathlib import Path

import msgspec

import routemark
from routemark.commands import app
from routemark.config import Settings

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs/reference"


def test_the_pages_are_what_the_code_says() -> None:
    for path, text in runpy.run_path(str(ROOT / "scripts/build-reference"))["texts"]().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run scripts/build-reference"


def test_commands_settings_and_public_names_are_all_there() -> None:
    titles = {
        path.stem: set(re.findall(r"^## (.*)$", path.read_text(), re.MULTILINE))
        for path in REFERENCE.iterdir()
    }
    assert {name for name in app.resolved_commands() if not name.startswith("-")} <= titles["command-line"]
    assert {f"routemark.{name}" for name in routemark.__all__ if not name.startswith("_")} == titles["python"]
    settings = (REFERENCE / "settings.md").read_text()
    assert all(f"| `{field.name}` |" in settings for field in msgspec.structs.fields(Settings))


def test_every_setting_and_command_says_what_it_does() -> None:
    for name in ("settings", "command-line"):
        for line in (REFERENCE / f"{name}.md").read_text().splitlines():
            if line.startswith(("| `", "| [`")):
                assert not line.endswith("|  |"), line
