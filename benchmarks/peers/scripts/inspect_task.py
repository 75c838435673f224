"""The task of inspect_ai; runs in its environment, never in ours."""

from inspect_ai import Task, task
from inspect_ai.dataset import json_dataset
from inspect_ai.scorer import includes
from inspect_ai.solver import generate


@task
def bench() -> Task:
    """Ask each question once; right if the answer has the target in it."""
    return Task(dataset=json_dataset("questions.jsonl"), solver=generate(), scorer=includes())
