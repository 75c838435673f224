"""What is shipped: the wheel and what is in it, that it works without this folder, its size, and the release files."""

import importlib.metadata
import os
import re
import shlex
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

import runs

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
MOST_WHEEL_MB = 2.5
MOST_INSTALLED_MB = 250
"""Of the core with all that it needs; most of it is vl-convert-python (88) and numpy (55)."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the wheel and the source distribution, built without a network."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", folder, "-t", "wheel", "-t", "sdist"],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=True,
    )
    return folder


def wheel(built: Path) -> Path:
    (path,) = built.glob("*.whl")
    return path


def test_the_wheel_holds_the_package_whole_and_nothing_else(built: Path) -> None:
    names = set(zipfile.ZipFile(wheel(built)).namelist())
    source = ROOT / "src"
    package = {
        str(path.relative_to(source))
        for path in (source / "routemark").rglob("*")
        if path.is_file() and not re.search(r"/(__pycache__|\.[^/]+)/", str(path.relative_to(ROOT)))
    }
    rest = {re.sub(r"^routemark-[^/]+\.(data|dist-info)/", "", name) for name in names - package}
    assert package <= names
    assert rest == {
        "METADATA",
        "WHEEL",
        "RECORD",
        "entry_points.txt",
        "licenses/LICENSE",
        "data/share/man/man1/routemark.1",
    }
    for needed in ("py.typed", "data/schemas/results.json", "data/questions-benchmark-easy-hard-opt.json"):
        assert f"routemark/{needed}" in names
    assert not [
        name for name in names if re.search(r"(^|/)(tests?|conftest|test_\w+)(/|\.py$)|\.pyc$|\.env$", name)
    ]
    assert wheel(built).stat().st_size < MOST_WHEEL_MB * 1e6


def test_the_source_distribution_holds_what_the_tests_and_the_site_need(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "LICENSE", "mkdocs.yml", "docs/index.md", "tests/conftest.py"} <= names
    assert {"src/routemark/py.typed", "man/routemark.1", "scripts/demo", "examples/kuberay.yaml"} <= names
    assert not [name for name in names if name.startswith((".ci", "site/", "runs/", "benchmarks/"))]


def test_the_wheel_works_without_this_folder(built: Path, tmp_path: Path) -> None:
    """Installed apart, with the dependencies that are here; `scripts/smoke` does it in a new environment."""
    target = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    subprocess.run(
        [*pip, "--no-deps", "--no-index", "--target", target, wheel(built)],
        env={**runs.clean_environ(), "PIP_CONFIG_FILE": os.devnull},
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert (target / "share/man/man1/routemark.1").exists()
    environ = runs.clean_environ(PYTHONPATH=str(target), COLUMNS="80")
    del environ["OPENROUTER_API_KEY"]

    def command(*arguments: str) -> str:
        done = subprocess.run(
            [target / "bin/routemark", *arguments],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout

    said = command("run", "--simulate", "--limit", "3", "-m", "openrouter/auto", "-m", "sim/heron", "--quiet")
    assert "3 questions, 2 arms" in said
    assert (tmp_path / "runs/latest/report.html").stat().st_size > 100_000
    where = subprocess.run(
        [sys.executable, "-c", "import routemark; print(routemark.__file__)"],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert where.stdout.startswith(str(target)), "this folder's package was run"


def installed(name: str, extras: tuple[str, ...] = ()) -> Iterator[importlib.metadata.Distribution]:
    """Yield a distribution and what it needs here; more than once where several need it."""
    distribution = importlib.metadata.distribution(name)
    yield distribution
    for text in distribution.requires or []:
        need = Requirement(text)
        if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield from installed(need.name, tuple(need.extras))


def test_the_core_is_no_heavier_than_was_said() -> None:
    """See docs/dependencies.md."""
    everything: dict[str, importlib.metadata.Distribution] = {}
    for text in PROJECT["dependencies"]:
        need = Requirement(text)
        if need.marker is None or need.marker.evaluate():
            everything |= {one.name.lower(): one for one in installed(need.name, tuple(need.extras))}
    sizes = {
        name: sum(file.size or 0 for file in one.files or [] if "__pycache__" not in file.parts)
        for name, one in everything.items()
    }
    heaviest = sorted(sizes.items(), key=lambda item: -item[1])[:4]
    assert len(sizes) <= 50, sorted(sizes)
    assert sum(sizes.values()) < MOST_INSTALLED_MB * 1e6, heaviest


def test_help_and_version_import_no_heavy_library() -> None:
    """`routemark --version` takes less than 0.15 s of CPU (test_cli.py); this tells what would spoil it first."""
    script = (
        "import sys; sys.argv[1:] = ['--version']; from routemark import cli; cli.main(); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {
        "numpy",
        "altair",
        "polars",
        "rich",
        "cyclopts",
        "msgspec",
        "pyreqwest",
        "uvloop",
        "asyncio",
    }


# --------------------------------------------------------------------------- oldest and newest versions


def test_the_oldest_versions_are_those_of_the_bounds() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import runpy; print(runpy.run_path({str(ROOT / 'scripts/build-constraints')!r})['text'](), end='')",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert (ROOT / "constraints-minimum.txt").read_text() == done.stdout, "run scripts/build-constraints"


def test_every_dependency_has_a_lower_bound() -> None:
    listed = [
        *PROJECT["dependencies"],
        *(one for extra in PROJECT["optional-dependencies"].values() for one in extra),
    ]
    others = [Requirement(text) for text in listed if not text.startswith("routemark")]
    assert [str(one) for one in others if ">=" not in str(one.specifier)] == []


# --------------------------------------------------------------------------- workflows and container


def workflow(name: str) -> dict[Any, Any]:
    found = yaml.safe_load((ROOT / f".github/workflows/{name}.yml").read_text())
    assert isinstance(found, dict)
    return found


def steps(found: dict[Any, Any]) -> Iterator[dict[str, Any]]:
    for job in found["jobs"].values():
        yield from job["steps"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_whole_and_asks_for_no_more_than_it_needs(path: Path) -> None:
    found = workflow(path.stem)
    assert found["permissions"] == {"contents": "read"}, "a job asks for more where it needs it"
    assert found[True], "`on` is a truth value to YAML"
    for job in found["jobs"].values():
        assert job["timeout-minutes"] <= 90
        known = set(found["jobs"])
        needs = job.get("needs", [])
        assert {needs} <= known if isinstance(needs, str) else set(needs) <= known
    for step in steps(found):
        assert ("run" in step) != ("uses" in step), step
        assert not re.search(r"\$\{\{ *github\.(event|head_ref)", step.get("run", "")), "a way in for code"
        if "uses" in step:
            assert re.fullmatch(
                r"[\w-]+/[\w.-]+@v\d+(\.\d+)*|pypa/gh-action-pypi-publish@release/v1", step["uses"]
            )
        for script in re.findall(r"scripts/[\w-]+", step.get("run", "")):
            assert os.access(ROOT / script, os.X_OK), script


def test_the_shell_of_workflows_and_scripts_is_well_formed() -> None:
    texts = [step["run"] for path in WORKFLOWS for step in steps(workflow(path.stem)) if "run" in step]
    scripts = [path.read_text() for path in (ROOT / "scripts").iterdir() if path.is_file()]
    for text in [*texts, *(text for text in scripts if text.startswith("#!/usr/bin/env bash"))]:
        subprocess.run(
            ["bash", "-n"], input=re.sub(r"\$\{\{.*?\}\}", "x", text), text=True, timeout=20, check=True
        )


def test_continuous_integration_covers_each_python_and_both_ends_of_the_versions() -> None:
    jobs = workflow("ci")["jobs"]
    named = {
        text.rpartition(" :: ")[2] for text in PROJECT["classifiers"] if re.search(r"Python :: 3\.\d+$", text)
    }
    assert set(jobs["test"]["strategy"]["matrix"]["python"]) == named
    assert PROJECT["requires-python"] == f">={min(named, key=lambda one: int(one[2:]))}"
    said = {name: " ".join(step.get("run", "") for step in job["steps"]) for name, job in jobs.items()}
    assert "constraints-minimum.txt" in said["minimum"]
    assert "--upgrade" in said["newest"]
    assert "scripts/smoke" in said["smoke"]


def test_a_release_is_built_once_signed_and_published_without_a_password() -> None:
    found = workflow("release")
    publish = found["jobs"]["publish"]
    assert publish["permissions"] == {"id-token": "write"}
    uses = [step.get("uses", "") for step in steps(found)]
    assert any(one.startswith("actions/attest-build-provenance@") for one in uses)
    assert any(one.startswith("actions/attest-sbom@") for one in uses)
    assert any(one.startswith("pypa/gh-action-pypi-publish@") for one in uses)
    assert "cyclonedx-py" in " ".join(step.get("run", "") for step in steps(found))
    assert "secrets." not in (ROOT / ".github/workflows/release.yml").read_text()


def test_the_container_runs_as_nobody_in_particular() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    words = {line.split()[0] for line in lines if line and not line.startswith(("#", " "))}
    assert words <= {"FROM", "COPY", "RUN", "WORKDIR", "USER", "ENTRYPOINT", "CMD", "ENV", "LABEL", "VOLUME"}
    (user,) = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert user not in ("root", "0")
    assert 'ENTRYPOINT ["routemark"]' in lines
    copied = [shlex.split(line)[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    assert all((ROOT / name).exists() for names in copied for name in names)
    assert "*" in (ROOT / ".dockerignore").read_text().splitlines(), "only what is named is sent"
