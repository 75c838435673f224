"""AsyncOpenAI, a semaphore, gather and tenacity: QUESTIONS ANSWERS MODEL IN_FLIGHT MAX_TOKENS.

Runs in an environment of its own, never in ours.
"""

import asyncio
import json
import sys
from pathlib import Path

from openai import APIConnectionError, AsyncOpenAI, InternalServerError, RateLimitError
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential


async def ask_all(rows: list[dict[str, str]], model: str, in_flight: int, max_tokens: int) -> list[dict]:
    """Ask all at once, as many as the semaphore lets through."""
    client = AsyncOpenAI(max_retries=0)
    semaphore = asyncio.Semaphore(in_flight)

    @retry(
        retry=retry_if_exception_type((APIConnectionError, InternalServerError, RateLimitError)),
        wait=wait_random_exponential(max=60),
        stop=stop_after_attempt(6),
    )
    async def ask(text: str):
        return await client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": text}], max_tokens=max_tokens
        )

    async def one(row: dict[str, str]) -> dict[str, object]:
        async with semaphore:
            completion = await ask(row["input"])
        text = completion.choices[0].message.content or ""
        return {
            "id": row["id"],
            "answer": text,
            "model": completion.model,
            "usage": completion.usage.model_dump() if completion.usage else None,
            "right": row["target"] in text,
        }

    return await asyncio.gather(*(one(row) for row in rows))


def main(questions: str, answers: str, model: str, in_flight: str, max_tokens: str) -> None:
    """Read the questions, ask, write one file at the end."""
    rows = [json.loads(line) for line in Path(questions).read_text().splitlines()]
    done = asyncio.run(ask_all(rows, model, int(in_flight), int(max_tokens)))
    Path(answers).write_text(json.dumps(done, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
