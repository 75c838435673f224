"""Small files in the shape of each foreign format, made by the tests that read them."""

import json
import zipfile
from pathlib import Path
from typing import Any

RESULTS = {("q1", "cheap"): (1.0, 0.001), ("q1", "dear"): (1.0, 0.01), ("q2", "cheap"): (0.0, 0.002), ("q2", "dear"): (1.0, 0.02)}  # fmt: skip
"""(question, model) -> (score, US dollars), the same in every sample that can hold it."""
PROMPTS = {"q1": "What is 17 + 4?", "q2": "Name a prime between 90 and 100."}


def lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def document(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value, indent=2))
    return path


def routerarena(folder: Path) -> Path:
    for model in ("cheap", "dear"):
        lines(folder / f"{model}.jsonl", *(_arena(question, model) for question in PROMPTS))
    return folder


def _arena(question: str, model: str) -> dict[str, Any]:
    score, cost = RESULTS[question, model]
    return {
        "global_index": question,
        "question": PROMPTS[question],
        "llm_selected": model,
        "generated_answer": "97",
        "token_usage": {"input_tokens": 10, "output_tokens": 3, "total_tokens": 13},
        "success": True,
        "provider": "p",
        "error": None,
        "evaluation_result": {
            "extracted_answer": "97",
            "ground_truth": "97",
            "score": score,
            "metric": "math_metric",
            "inference_cost": cost,
        },
    }


def predictions(folder: Path) -> Path:
    picked = {"q1": "cheap", "q2": "dear"}
    records = [
        {
            "global index": question,
            "prompt": PROMPTS[question],
            "prediction": model,
            "generated_result": {"generated_answer": "97", "success": True, "token_usage": {}, "provider": "p", "error": None},
            "cost": RESULTS[question, model][1],
            "accuracy": RESULTS[question, model][0],
        }
        for question, model in picked.items()
    ]  # fmt: skip
    return document(folder / "my-router.json", records)


def routerbench(folder: Path) -> Path:
    header = "sample_id,prompt,eval_name,cheap,dear,cheap|model_response,cheap|total_cost,dear|model_response,dear|total_cost,oracle_model_to_route_to"
    rows = [
        f"{question},\"['{prompt}']\",gsm,{RESULTS[question, 'cheap'][0]},{RESULTS[question, 'dear'][0]},"
        f"\"['a']\",{RESULTS[question, 'cheap'][1]},\"['b']\",{RESULTS[question, 'dear'][1]},cheap"
        for question, prompt in PROMPTS.items()
    ]
    path = folder / "routerbench_0shot.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def routellm(folder: Path) -> Path:
    path = folder / "gsm8k_responses.csv"
    rows = [
        f'"{PROMPTS[question]}",{RESULTS[question, "cheap"][0] > 0},{RESULTS[question, "dear"][0] > 0},x,y'
        for question in PROMPTS
    ]
    path.write_text("\n".join(["prompt,cheap,dear,cheap_response,dear_response", *rows]) + "\n")
    return path


def llmrouterbench(folder: Path) -> Path:
    for model in ("cheap", "dear"):
        here = folder / "aime" / "test" / model
        here.mkdir(parents=True)
        found = _llmrouterbench(model)
        stale = {**found, "records": [{**record, "score": 0.5} for record in found["records"]]}
        document(here / f"aime-test-{model}-20250101_000000.json", stale)
        document(here / f"aime-test-{model}-20260101_000000.json", found)
    return folder


def _llmrouterbench(model: str) -> dict[str, Any]:
    records = [
        {
            "index": question,
            "origin_query": PROMPTS[question],
            "prompt": PROMPTS[question],
            "prompt_tokens": 1,
            "completion_tokens": 1,
            "cost": RESULTS[question, model][1],
            "score": RESULTS[question, model][0],
            "prediction": "97",
            "ground_truth": "97",
            "raw_output": "97",
            "extra_fields": {},
        }
        for question in PROMPTS
    ]
    return {
        "performance": 1.0, "time_taken": 1.0, "prompt_tokens": 2, "completion_tokens": 2, "cost": 0.1, "counts": 2,
        "model_name": model, "dataset_name": "aime", "split": "test", "demo": False, "extra_metrics": {},
        "data_fingerprint": "", "records": records,
    }  # fmt: skip


def omnisbench(folder: Path) -> Path:
    policies = {"always_cheap": {"q1": "cheap", "q2": "cheap"}, "always_dear": {"q1": "dear", "q2": "dear"}, "mine": {"q1": "cheap", "q2": "dear"}}  # fmt: skip
    items = [
        {
            "policy": policy, "dataset": "gsm", "item_id": question, "grader": "exact", "reference": "97", "meta": {},
            "response_text": "97", "chosen_model": model, "passed": RESULTS[question, model][0] > 0,
            "cost_usd": RESULTS[question, model][1], "input_tokens": 1, "output_tokens": 1, "latency_ms": 500.0,
        }
        for policy, picks in policies.items()
        for question, model in picks.items()
    ]  # fmt: skip
    provenance = {"snapshot_date": "2026-01-01", "run_date": "", "max_tokens": 1, "unpriced_models": []}
    return document(folder / "results.json", {"provenance": provenance, "frontier_model": None, "contamination_counts": {}, "leaderboard": [], "splits": {}, "items": items})  # fmt: skip


def benchharness(folder: Path) -> Path:
    import polars as pl

    for model in ("cheap", "dear"):
        rows = [
            {
                "format_version": 1, "task": "gpqa", "model": model, "epochs": 2, "temperature": None,
                "accuracy": 0.5, "total_cost": 1.0, "generation_time_ms": 5, "sample_id": question, "epoch": epoch,
                "input": PROMPTS[question], "target": "B", "score_value": "C" if RESULTS[question, model][0] else "I",
            }
            for question in PROMPTS
            for epoch in (0, 1)
        ]  # fmt: skip
        pl.DataFrame(rows).write_parquet(folder / f"gpqa-{model}-s.parquet")
    return folder


def inspect_log(
    path: Path, model: str, *, served: str | None = None, compression: int = zipfile.ZIP_DEFLATED
) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr(
            "header.json",
            json.dumps({"version": 2, "status": "success", "eval": {"model": model, "task": "t"}}),
        )
        archive.writestr("summaries.json", "[]")
        for question, prompt in PROMPTS.items():
            for epoch in (1, 2):
                archive.writestr(
                    f"samples/{question}_epoch_{epoch}.json",
                    json.dumps(_sample(question, epoch, prompt, model, served)),
                )
    return path  # fmt: skip


def _sample(question: str, epoch: int, prompt: str, model: str, served: str | None) -> dict[str, Any]:
    score, cost = RESULTS[question, model.rpartition("/")[2]] if served is None else RESULTS[question, served]
    return {
        "id": question, "epoch": epoch, "input": prompt, "target": "97",
        "messages": [{"role": "user", "content": prompt}],
        "output": {"model": served or model, "choices": [{"message": {"content": "97"}}]},
        "scores": {"match": {"value": "C" if score else "I", "answer": "97"}},
        "model_usage": {model: {"input_tokens": 1, "output_tokens": 1, "total_cost": cost}},
        "total_time": 3.0, "working_time": 2.0,
    }  # fmt: skip


def lm_eval(folder: Path) -> Path:
    for model in ("cheap", "dear"):
        here = folder / f"org__{model}"
        here.mkdir()
        document(here / "results_2026-01-01T00-00-00.1.json", {"model_name": model, "results": {}})
        rows = [
            {
                "doc_id": question, "doc": {"q": 1}, "target": "97",
                "arguments": {"gen_args_0": {"arg_0": PROMPTS[question], "arg_1": {"until": []}}},
                "resps": [["97"]], "filtered_resps": ["97"], "filter": name, "metrics": ["exact_match"],
                "doc_hash": "a", "prompt_hash": "b", "target_hash": "c",
                "exact_match": RESULTS[question, model][0] if name == "strict-match" else 0.5,
            }
            for name in ("strict-match", "flexible-extract")
            for question in PROMPTS
        ]  # fmt: skip
        lines(here / "samples_gsm8k_2026-01-01T00-00-00.1.jsonl", *rows)
    return folder


def promptfoo(folder: Path) -> Path:
    results = [
        {
            "id": "x", "promptIdx": ("cheap", "dear").index(model), "testIdx": list(PROMPTS).index(question),
            "promptId": "h",
            "provider": {"id": model, "label": ""}, "prompt": {"raw": PROMPTS[question], "label": "p"}, "vars": {},
            "response": {"output": "97", "cost": cost}, "success": score > 0, "score": score, "failureReason": 0,
            "namedScores": {}, "latencyMs": 250, "cost": cost, "testCase": {"vars": {}},
        }
        for (question, model), (score, cost) in RESULTS.items()
    ]  # fmt: skip
    inner = {
        "version": 3,
        "timestamp": "2026-01-01T00:00:00Z",
        "prompts": [],
        "results": results,
        "stats": {},
    }
    return document(
        folder / "output.json", {"evalId": "eval-1", "results": inner, "config": {}, "shareableUrl": None}
    )
