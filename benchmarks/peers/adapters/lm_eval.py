"""lm-evaluation-harness with its model for local chat completions."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.peers import environments
from benchmarks.peers.job import MAX_TOKENS, MODEL, Job, write_samples

PACKAGES = ["lm_eval[api]==0.4.13"]
TASK = {
    "task": "bench",
    "dataset_path": "json",
    "test_split": "test",
    "output_type": "generate_until",
    "doc_to_text": "{{input}}",
    "doc_to_target": "{{target}}",
    "generation_kwargs": {"max_gen_toks": MAX_TOKENS, "until": []},
    "filter_list": [
        {
            "name": "number",
            "filter": [
                {"function": "regex", "regex_pattern": r"is (\d+)"},
                {"function": "take_first"},
            ],
        }
    ],
    "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
}


class LMEval:
    """A generation task of our questions; its samples are written out, as others keep theirs."""

    name = "lm_eval"
    packages = "lm-evaluation-harness 0.4.13, local-chat-completions"

    def install(self) -> None:
        """Install lm_eval with what its API models need."""
        environments.python(self.name, PACKAGES)

    def prepare(self, job: Job) -> None:
        """Write the questions and the task; JSON is YAML, too."""
        file = write_samples(job.folder / "questions.jsonl", job.cell.questions)
        task = {**TASK, "dataset_kwargs": {"data_files": {"test": str(file)}}}
        (job.folder / "bench.yaml").write_text(json.dumps(task))

    def command(self, job: Job) -> list[str]:
        """Run the task. Its one setting for the pace is `num_concurrent`; responses are cached only on demand."""
        program = environments.python(self.name, PACKAGES) / "lm_eval"
        return [
            str(program), "run", "--model", "local-chat-completions", "--model_args", f"model={MODEL}",
            f"base_url={job.url}/chat/completions", f"num_concurrent={job.cell.in_flight}",
            "tokenizer_backend=None", "--tasks", "bench", "--include_path", ".", "--apply_chat_template",
            "--output_path", "out", "--log_samples",
        ]  # fmt: skip

    def environ(self, job: Job) -> dict[str, str]:
        """Keep it off the hub, and its data set cache in the job's folder."""
        return {
            "OPENAI_API_KEY": "none",
            "HF_HUB_OFFLINE": "1",
            "HF_DATASETS_OFFLINE": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HOME": str(job.folder / "hub"),
        }

    def right(self, job: Job, said: str) -> int:
        """Read the results that it wrote."""
        (file,) = (job.folder / "out").rglob("results_*.json")
        return right_of(file, job.cell.questions)


def right_of(file: Path, n: int) -> int:
    """Give the number of right answers in a results file over ``n`` questions."""
    accuracy: float = json.loads(file.read_bytes())["results"]["bench"]["exact_match,number"]
    return round(accuracy * n)
