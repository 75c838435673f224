"""`import`, `export --format`, `offline --format` and `questions --from`, as they are called."""

import json
import random
import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import foreign_files
from routemark.cli import _guarded
from routemark.errors import UsageError
from routemark.interop.importing import import_file


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Run a command line in a fresh directory; give its exit code, output and notices."""
    monkeypatch.chdir(tmp_path)

    def run(line):
        code = _guarded(shlex.split(line))
        return code, *capsys.readouterr()

    return run


def test_import_tells_what_it_made_and_what_the_file_does_not_say(command, tmp_path):
    foreign_files.routellm(tmp_path)
    code, out, err = command("import gsm8k_responses.csv -o outcomes.csv")
    assert (code, out) == (0, "outcomes.csv: 4 rows of outcomes, from RouteLLM's tables of answers\n")
    assert err == "note: The file does not tell: costs; latency; references: the questions are not graded.\n"
    assert command("import gsm8k_responses.csv -o q.jsonl")[1].startswith(
        "q.jsonl: 2 questions, from RouteLLM"
    )
    assert command("validate q.jsonl")[0] == 0


def test_offline_reads_foreign_formats_as_they_are(command, tmp_path):
    (tmp_path / "cached").mkdir()
    foreign_files.routerarena(tmp_path / "cached")
    foreign_files.predictions(tmp_path)
    code, out, _ = command("offline cached --picks my-router.json --json")
    found = json.loads(out)
    assert code == 0
    assert found["arms"]["my-router"]["accuracy"] == 1.0
    assert found["models"]["cheap"]["cost_per_1k_usd"] == pytest.approx(1.5)
    assert command("offline cached --format routerarena --json")[0] == 0


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("import none -o o.csv", "none: there is no such file"),
        ("import my-router.json -o o.xlsx --as picks", "the ending says which"),
        ("import my-router.json -o o.csv --format arena", "no such format. Did you mean routerarena?"),
        ("import my-router.json -o o.csv --format omnisbench", "not a result of OmnisBench"),
        ("offline my-router.json --format promptfo", "Did you mean promptfoo?"),
        ("questions --from my-router.json -o q.jsonl --format litelm", "Did you mean litellm?"),
        ("questions -o q.jsonl", "say --fresh SEED or --from FILE"),
        ("questions --fresh 1 --from x -o q.jsonl", "say --fresh SEED or --from FILE"),
        ("questions --fresh 1 --judge -o q.jsonl", "go with --from"),
        ("questions --from x -n 0 -o q.jsonl", "-n must be at least 1"),
    ],
)
def test_wrong_use_is_a_sentence_and_exit_2(command, tmp_path, line, says):
    foreign_files.predictions(tmp_path)
    code, _, err = command(line)
    assert code == 2
    assert says in err


def test_questions_of_a_log(command, tmp_path):
    rows = [{"prompt": f"Question {i}: write to me at u{i}@x.org, please", "model": "m"} for i in range(9)]
    rows[0]["prompt"] = "Another one, which nobody else asked"
    foreign_files.lines(tmp_path / "log.jsonl", *rows, {"messages": []})
    code, out, err = command("questions --from log.jsonl -n 4 --seed 1 -o q.jsonl")
    assert code == 0
    assert out == "q.jsonl: 4 questions of 9 different requests\n"
    assert "Read as chat: 10 rows, 9 different requests." in err
    assert "Left out: 1 without a prompt." in err
    assert "e-mail address" in err
    assert "x.org" not in out + err + (tmp_path / "q.jsonl").read_text()
    assert command("validate q.jsonl")[0] == 0


def test_a_run_goes_out_and_comes_back(command, tmp_path):
    (tmp_path / "q.jsonl").write_text(
        "".join(json.dumps({"id": f"q{i}", "difficulty": "easy", "question": f"{i}+1?", "reference": i + 1}) + "\n" for i in range(3))
    )  # fmt: skip
    assert (
        command(
            "run q.jsonl --simulate --quiet --run-id r -m openrouter/auto -m sim/heron --baselines picked"
        )[0]
        == 0
    )
    for name in ("long", "picks"):
        code, _, err = command(f"export r --format {name} -o {name}.csv")
        assert code == 0
        assert "not carried by this format" in err
        assert "SIMULATED" in err
    assert command("import picks.csv -o again.csv")[1].startswith(
        "again.csv: 3 rows of picks, from a long table"
    )
    judged = json.loads(command("offline long.csv --picks picks.csv --json")[1])
    assert (judged["questions"], judged["arms"]["openrouter/auto"]["n"]) == (3, 3)
    assert command("export r --format routerarena-predictions -o auto.json")[1] == "auto.json: 3 records\n"
    assert command("import auto.json -o back.csv")[1].startswith("back.csv: 3 rows of picks")
    assert command("export r --format wide -o wide.csv --arm x")[0] == 2


MAKERS = [
    foreign_files.predictions,
    foreign_files.routerbench,
    foreign_files.routellm,
    foreign_files.omnisbench,
    foreign_files.promptfoo,
]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.sampled_from(MAKERS), st.integers(0, 2**32), st.binary(max_size=12), st.sampled_from(["questions", "outcomes", "picks"]))  # fmt: skip
def test_whatever_a_file_holds_it_is_read_or_refused_in_a_sentence(
    tmp_path_factory, maker, seed, noise, what
):
    folder = tmp_path_factory.mktemp("fuzz")
    path = maker(folder)
    content = path.read_bytes()
    draw = random.Random(seed)
    at, upto = sorted(draw.randrange(len(content) + 1) for _ in range(2))
    path.write_bytes(content[:at] + noise + content[at if seed % 2 else upto :])
    try:
        import_file(str(path), folder / "out.jsonl", what)
    except UsageError as error:
        str(error).encode()
        assert not (folder / "out.jsonl").exists()
