"""promptfoo with its provider for OpenAI's chat completions, pointed at the server."""

from __future__ import annotations

import json
import re

from benchmarks.peers import environments
from benchmarks.peers.job import MAX_TOKENS, MODEL, REFERENCE, Job, samples

PACKAGES = ["promptfoo@0.123.1"]


class Promptfoo:
    """`promptfoo eval` into its own database, which is where it keeps results."""

    name = "promptfoo"
    packages = "promptfoo 0.123.1, openai:chat"

    def install(self) -> None:
        """Install promptfoo, and a node that is new enough for it."""
        environments.node(self.name, PACKAGES)

    def prepare(self, job: Job) -> None:
        """Write the configuration with all questions."""
        (job.folder / "promptfooconfig.json").write_text(json.dumps(configuration(job)))

    def command(self, job: Job) -> list[str]:
        """Evaluate without cache, table, progress bar and sharing."""
        program, modules = environments.node(self.name, PACKAGES)
        return [
            program, str(modules / "promptfoo/dist/src/entrypoint.js"), "eval", "-c", "promptfooconfig.json",
            "-j", str(job.cell.in_flight), "--no-cache", "--no-table", "--no-progress-bar", "--no-share",
        ]  # fmt: skip

    def environ(self, job: Job) -> dict[str, str]:
        """Keep its files in the job's folder, and telemetry, updates and remote generation off."""
        return {
            "PROMPTFOO_CONFIG_DIR": str(job.folder / "promptfoo"),
            "PROMPTFOO_DISABLE_TELEMETRY": "1",
            "PROMPTFOO_DISABLE_UPDATE": "1",
            "PROMPTFOO_DISABLE_REMOTE_GENERATION": "1",
            "PROMPTFOO_DISABLE_SHARING": "1",
            "PROMPTFOO_CACHE_ENABLED": "false",
        }

    def right(self, job: Job, said: str) -> int:
        """Read the count of passes in its summary."""
        return passed(said)


def configuration(job: Job) -> dict[str, object]:
    """Give prompt, provider and a test a question."""
    provider = {
        "id": f"openai:chat:{MODEL}",
        "config": {"apiBaseUrl": job.url, "apiKey": "none", "max_tokens": MAX_TOKENS},
    }
    tests = [
        {"vars": {"input": row["input"]}, "assert": [{"type": "contains", "value": REFERENCE}]}
        for row in samples(job.cell.questions)
    ]
    return {"prompts": ["{{input}}"], "providers": [provider], "tests": tests}


def passed(said: str) -> int:
    """Give the count of `N passed` in the summary; 0 where there is none."""
    found = re.search(r"([\d,]+) passed", said)
    return int(found[1].replace(",", "")) if found else 0
