"""What people write first: AsyncOpenAI, a semaphore, gather, tenacity; one JSON file at the end."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.peers import environments
from benchmarks.peers.job import MAX_TOKENS, MODEL, Job, write_samples

PACKAGES = ["openai==3.57.0", "tenacity==9.2.1"]
SCRIPT = Path(__file__).parent.parent / "scripts" / "openai_gather.py"


class OpenAIScript:
    """`scripts/openai_gather.py` in an environment with the openai package."""

    name = "openai-script"
    packages = "AsyncOpenAI 3.57.0 + semaphore + gather + tenacity 9.2.1"

    def install(self) -> None:
        """Install openai and tenacity."""
        environments.python(self.name, PACKAGES)

    def prepare(self, job: Job) -> None:
        """Write the questions."""
        write_samples(job.folder / "questions.jsonl", job.cell.questions)

    def command(self, job: Job) -> list[str]:
        """Run the script."""
        program = environments.python(self.name, PACKAGES) / "python"
        return [
            str(program), str(SCRIPT), "questions.jsonl", "answers.json", MODEL, str(job.cell.in_flight),
            str(MAX_TOKENS),
        ]  # fmt: skip

    def environ(self, job: Job) -> dict[str, str]:
        """Point the client at the server."""
        return {"OPENAI_API_KEY": "none", "OPENAI_BASE_URL": job.url}

    def right(self, job: Job, said: str) -> int:
        """Read what the script wrote."""
        return sum(row["right"] for row in json.loads((job.folder / "answers.json").read_bytes()))
