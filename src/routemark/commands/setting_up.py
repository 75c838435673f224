"""The commands that set things up, and read no run: `init`, `completion`, `schema`."""

from __future__ import annotations

import json
import re
import sys
from typing import Literal

from cyclopts import App

Shell = Literal["bash", "zsh", "fish"]
SchemaName = Literal["settings", "questions", "results"]


def register(app: App) -> None:
    """Make them commands of the app."""
    app.command(init)
    app.command(schema)

    @app.command
    def completion(shell: Shell, /) -> int:
        """Print what lets your shell complete commands, options and their values.

        Examples: `eval "$(routemark completion bash)"` in ~/.bashrc; with zsh in ~/.zshrc, after compinit;
        `routemark completion fish > ~/.config/fish/completions/routemark.fish`

        Parameters
        ----------
        shell
            Your shell.
        """
        sys.stdout.write(_completed(app.generate_completion(prog_name="routemark", shell=shell), shell))
        return 0


def init() -> int:
    """Write a commented routemark.toml into this directory: every setting, what it does, its default.

    Example: `routemark init`

    A file that is there already is left as it is.
    """
    from routemark.config import CONFIG_FILE
    from routemark.settings_file import write_settings_file

    write_settings_file()
    sys.stdout.write(f"{CONFIG_FILE}: written; nothing in it is set yet.\n")
    return 0


def schema(name: SchemaName, /) -> int:
    """Print the JSON Schema of the settings file, a question file or results.json.

    That of a question file knows the graders of installed plugins, too.

    Example: `routemark schema questions > questions.schema.json`

    Parameters
    ----------
    name
        Which.
    """
    from importlib.resources import files

    text = (files("routemark") / f"data/schemas/{name}.json").read_text(encoding="utf-8")
    sys.stdout.write(_with_plugins(text) if name == "questions" else text)
    return 0


def _with_plugins(text: str) -> str:
    """Let the schema of a question file know the graders that plugins bring."""
    from routemark import plugins

    brought = plugins.names("grader")
    if not brought:
        return text
    whole = json.loads(text)
    for rule in whole["$defs"]["question"]["properties"]["grader"]["anyOf"]:
        for known in (rule, rule.get("properties", {}).get("name", {})):
            if "enum" in known:
                known["enum"] += brought
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


_ZSH_WITHOUT_ACTION = re.compile(
    r"^( +'(?:\*--?[\w-]+\[.*\]:[\w-]+|(?:\d+|\*):(?!.*:->).*))(' \\?)$", re.MULTILINE
)
_ZSH_END = """
if [[ ${funcstack[1]} == (_routemark|_cyclopts_routemark) ]]; then
  _cyclopts_routemark "$@"
elif (( ${+functions[compdef]} )); then
  compdef _cyclopts_routemark routemark
fi
"""
"""Serves a file on zsh's fpath, which is called, and `eval`, which registers."""


def _completed(script: str, shell: Shell) -> str:
    """Let bash and zsh complete file names where they know nothing better (fish does), and zsh take it from `eval`."""
    if shell == "zsh":
        return _ZSH_WITHOUT_ACTION.sub(r"\1:_files\2", script) + _ZSH_END
    return script.replace("complete -F _routemark", "complete -o default -F _routemark")
