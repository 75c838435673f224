# Sourced by the other scripts: puts a Python >= 3.11 with the wanted extras of this project first on the PATH.
# The active virtual environment is used if there is one, else .venv beside this folder, made when missing.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."

environment() { # extras, e.g. "" or "[dev]"
    if [ -z "${VIRTUAL_ENV:-}" ]; then
        if [ ! -x .venv/bin/python ]; then
            for candidate in python3.13 python3.12 python3.11 python3; do
                if command -v "$candidate" >/dev/null && "$candidate" -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; then
                    "$candidate" -m venv .venv
                    break
                fi
            done
            [ -x .venv/bin/python ] || { echo "Python 3.11 or newer is needed and was not found." >&2; exit 1; }
        fi
        export VIRTUAL_ENV="$PWD/.venv" PATH="$PWD/.venv/bin:$PATH"
    fi
    local wanted
    wanted="$1 $(cksum pyproject.toml) $PWD"
    if [ "$(cat "$VIRTUAL_ENV/.routemark-installed" 2>/dev/null || true)" != "$wanted" ]; then
        python -m pip install --quiet --disable-pip-version-check --editable ".$1"
        echo "$wanted" >"$VIRTUAL_ENV/.routemark-installed"
    fi
}
