"""inspect_ai with its provider for OpenAI-compatible servers."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from benchmarks.peers import environments
from benchmarks.peers.job import MAX_TOKENS, MODEL, Job, write_samples

if sys.version_info >= (3, 14):
    import zipfile
else:  # logs are packed with Zstandard
    from backports.zstd import zipfile

PACKAGES = ["inspect_ai==0.3.285", "openai==3.57.0"]
TASK = Path(__file__).parent.parent / "scripts" / "inspect_task.py"


class InspectAI:
    """`inspect eval` of a task that generates once and looks for the target in the answer."""

    name = "inspect_ai"
    packages = "inspect_ai 0.3.285, openai-api"

    def install(self) -> None:
        """Install inspect_ai and the openai package that its provider needs."""
        environments.python(self.name, PACKAGES)

    def prepare(self, job: Job) -> None:
        """Write the questions, and the task beside them."""
        write_samples(job.folder / "questions.jsonl", job.cell.questions)
        shutil.copy(TASK, job.folder / "task.py")

    def command(self, job: Job) -> list[str]:
        """Evaluate with a fixed number of connections and samples, without a display."""
        program = environments.python(self.name, PACKAGES) / "inspect"
        return [
            str(program), "eval", "task.py", "--model", f"openai-api/bench/{MODEL}",
            "--max-connections", str(job.cell.in_flight), "--max-samples", str(job.cell.in_flight),
            "--max-tokens", str(MAX_TOKENS), "--display", "none", "--log-dir", "logs",
        ]  # fmt: skip

    def environ(self, job: Job) -> dict[str, str]:
        """Point the provider at the server, and keep its own files in the job's folder."""
        return {
            "BENCH_API_KEY": "none",
            "BENCH_BASE_URL": job.url,
            "INSPECT_CACHE_DIR": str(job.folder / "cache"),
            "XDG_DATA_HOME": str(job.folder / "data"),
        }

    def right(self, job: Job, said: str) -> int:
        """Read the log's header."""
        (file,) = (job.folder / "logs").glob("*.eval")
        return right_of(file)


def right_of(file: Path) -> int:
    """Give the number of right answers in a log: accuracy over its completed samples."""
    with zipfile.ZipFile(file) as log:
        results = json.loads(log.read("header.json"))["results"]
    accuracy: float = results["scores"][0]["metrics"]["accuracy"]["value"]
    completed: int = results["completed_samples"]
    return round(accuracy * completed)
