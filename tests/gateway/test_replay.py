"""Replay: what was recorded comes back exactly, what was not is a 404."""

import json
from pathlib import Path

import msgspec
import pytest

from routemark.config import GatewayOptions
from routemark.errors import UsageError
from routemark.gateway.app import create_app
from routemark.gateway.replay import fitted_pricing, load_recordings
from routemark.interop.routerarena import read_recordings
from routemark.records import Attempt, Completion, Outcome, Usage

ARENA = Path(__file__).parents[2].parent / "shared" / "data" / "routerarena"
MODELS = ("small-1", "big-2")


def arena_row(model, prompt, text, cost, tokens=(10, 20)):
    return {
        "global_index": f"Q_{prompt}",
        "question": prompt,
        "llm_selected": model,
        "generated_answer": text,
        "token_usage": {"input_tokens": tokens[0], "output_tokens": tokens[1]},
        "success": True,
        "provider": "acme",
        "evaluation_result": {
            "ground_truth": "x",
            "metric": "exact_match",
            "score": 1.0,
            "inference_cost": cost,
        },
    }


@pytest.fixture
def arena(tmp_path):
    """Give a folder in which two models answered twenty prompts, and the dear one a twenty-first."""
    folder = tmp_path / "cached_results"
    folder.mkdir()
    for model, price in zip(MODELS, (1e-6, 1e-4), strict=True):
        rows = [
            arena_row(model, f"P{n}", f"{model} says {n}", 0.1 * price * n, (n, n * n)) for n in range(1, 21)
        ]
        if model == "big-2":
            rows.append(arena_row(model, "only big", "yes", 0.3))
        (folder / f"{model}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return str(folder)


@pytest.mark.parametrize("stream", [False, True])
def test_text_tokens_and_cost_come_back_exactly(start, arena, stream):
    client = start(replay=arena)
    for n in (1, 7, 20):
        answer = client.ask(f"P{n}", "small-1", stream=stream)
        usage = answer.events[-2]["usage"] if stream else answer.json["usage"]
        assert usage["cost"] == 0.1 * 1e-6 * n
        assert (usage["prompt_tokens"], usage["completion_tokens"]) == (n, n * n)
        if not stream:
            assert answer.text == f"small-1 says {n}"
            assert answer.json["provider"] == "acme"
    assert answer.headers["x-routemark-simulated"] == "false"
    assert answer.headers["x-routemark-replay"] == "true"


@pytest.mark.parametrize("slug", ["big-2", "acme/big-2", "anybody/big-2"])
def test_a_model_is_found_by_the_last_part_of_its_name(start, arena, slug):
    assert start(replay=arena).ask("P3", slug).json["model"] == "big-2"


def test_what_was_not_recorded_is_refused_as_documented(start, arena):
    client = start(replay=arena)
    missing = client.ask("only big", "small-1")
    assert missing.status == missing.json["error"]["code"] == 404
    assert client.ask("P3 ", "small-1").status == 404
    assert client.ask("never", "openrouter/auto").json["error"]["message"].startswith("No models match")
    assert client.ask("P3", "nobody").status == 400
    assert client.ask("only big", "small-1", models=["big-2"]).json["model"] == "big-2"


def test_the_router_picks_by_seed_and_prompt_and_only_what_was_recorded(start, arena):
    def picks(client):
        return [client.ask(f"P{n}", "openrouter/auto", session=f"{n}").json["model"] for n in range(1, 21)]

    client, other = start(replay=arena, seed=1), start(replay=arena, seed=2)
    first = picks(client)
    assert set(first) == set(MODELS)
    assert picks(client) == first
    assert picks(other) != first
    assert client.ask("only big", "openrouter/auto").json["model"] == "big-2"


@pytest.mark.parametrize(
    ("settings", "model"),
    [
        ({"cost_tier": "low"}, "small-1"),
        ({"cost_tier": "max"}, "big-2"),
        ({"excluded_models": ["small-*"]}, "big-2"),
        ({"allowed_models": ["small-1"]}, "small-1"),
        ({"cost_quality_tradeoff": 10}, "small-1"),
    ],
)
def test_the_router_honours_restrictions(start, arena, settings, model):
    client = start(replay=arena)
    plugins = [{"id": "auto-router", **settings}]
    served = {client.ask(f"P{n}", "openrouter/auto", plugins=plugins).json["model"] for n in range(1, 21)}
    assert served == {model}
    nothing = [{"id": "auto-router", "excluded_models": ["*"]}]
    assert client.ask("P1", "openrouter/auto", plugins=nothing).status == 404


def test_the_catalogue_lists_recorded_models_with_fitted_prices(start, tmp_path):
    rows = [arena_row("m", f"P{n}", "x", n * 25e-8 + (n % 7) * 125e-8, (n, n % 7)) for n in range(1, 40)]
    path = tmp_path / "m.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    data = {row["id"]: row for row in start(replay=str(path)).get("/models").json["data"]}
    assert data["m"]["pricing"] == {"prompt": "0.00000025", "completion": "0.00000125", "request": "0"}
    assert data["openrouter/auto"]["pricing"]["prompt"] == "-1"


def test_prices_of_free_recordings_are_zero():
    assert fitted_pricing([(1, 2, 0.0), (3, 4, 0.0)])["prompt"] == "0"


def write_run(folder, *, simulated, repeats=2):
    folder.mkdir()
    questions = [{"id": "q", "difficulty": "easy", "question": "Why?", "reference": "so"}]
    (folder / "questions.json").write_text(json.dumps(questions))
    (folder / "run.json").write_text("{}")
    lines = []
    for repeat in range(repeats):
        completion = Completion(
            text=f"so {repeat}",
            model="sim/quill" if simulated else "real/model",
            usage=Usage(prompt_tokens=3, completion_tokens=4, reasoning_tokens=1, cached_tokens=0),
            cost_usd=0.1 + repeat,
            finish_reason="stop",
            simulated=simulated,
        )
        outcome = Outcome(
            trial=f"t{repeat}",
            question_id="q",
            arm="a",
            repeat=repeat,
            session_id="s",
            attempts=[Attempt(started_at="", duration_s=1.0)],
            completion=completion,
        )
        lines.append(json.dumps({"v": 1, "kind": "outcome", **msgspec.to_builtins(outcome)}))
    lines.insert(1, '{"v":1,"kind":"launch","pid":1}')
    (folder / "journal.jsonl").write_text("\n".join(lines) + '\n{"v":1,"kind":"outc')
    return str(folder)


@pytest.mark.parametrize("simulated", [False, True])
def test_a_run_directory_is_replayed_repeat_by_repeat(start, tmp_path, simulated):
    client = start(replay=write_run(tmp_path / "run", simulated=simulated))
    model = "sim/quill" if simulated else "real/model"
    answers = [client.ask("Why?", model, session=f"x.r{n}").json for n in range(3)]
    assert [body["usage"]["cost"] for body in answers] == [0.1, 1.1, 0.1]
    assert [body["choices"][0]["message"]["content"] for body in answers] == ["so 0", "so 1", "so 0"]
    headers = client.get("/models").headers
    assert headers["x-routemark-simulated"] == str(simulated).lower()


def test_a_folder_of_runs_is_replayed_as_one(start, tmp_path):
    folder = tmp_path / "runs"
    folder.mkdir()
    write_run(folder / "one", simulated=True)
    write_run(folder / "two", simulated=False)
    (folder / "latest").symlink_to("two")
    client = start(replay=str(folder))
    assert {client.ask("Why?", model).status for model in ("sim/quill", "real/model")} == {200}
    assert len(list(load_recordings(folder))) == 4


@pytest.mark.parametrize("made", [False, True])
def test_nothing_to_replay_is_told_by_path(tmp_path, made):
    path = tmp_path / "none.jsonl"
    if made:
        path.write_text("")
    with pytest.raises(UsageError):
        create_app(GatewayOptions(replay=str(path)))


@pytest.mark.skipif(not ARENA.is_dir(), reason="RouterArena's recordings are not beside the repository")
def test_recorded_answers_of_real_models_come_back_with_their_cost_to_the_last_bit(start):
    client = start(replay=str(ARENA))
    recordings = list(read_recordings(ARENA))
    for recording in recordings[:: len(recordings) // 60]:
        body = client.ask(recording.prompt, f"any/{recording.model}").json
        assert body["choices"][0]["message"]["content"] == recording.text
        assert body["usage"]["cost"] == recording.cost_usd
        assert body["usage"]["prompt_tokens"] == recording.usage.prompt_tokens
        assert body["usage"]["completion_tokens"] == recording.usage.completion_tokens
    prices = {row["id"]: row["pricing"] for row in client.get("/models").json["data"]}
    assert prices["claude-3-haiku-20240307"]["prompt"] == "0.00000025"
