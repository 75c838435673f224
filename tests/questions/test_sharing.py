"""The shares of a question set are a division of it, and copies go where their originals go."""

import json
from pathlib import Path

from routemark.questions import load
from routemark.questions.copies import with_copies
from routemark.questions.sharing import copies_in, share
from routemark.records import PERTURBED_FROM


def test_shares_divide_the_set_and_keep_copies_with_their_originals(tmp_path: Path) -> None:
    rows = [
        {
            "id": f"q{i}",
            "difficulty": "easy",
            "question": f"Please tell me in a few words what the number {i} plus the number {i} makes.",
        }
        for i in range(60)
    ]
    path = tmp_path / "q.json"
    path.write_text(json.dumps(rows))
    whole, counts = with_copies(load(path), ["typos", "polite"], seed=4, most=30)
    parts = [share(whole, number, 3, 4) for number in (1, 2, 3)]
    assert sorted(question.id for part in parts for question in part) == sorted(whole.ids())
    assert all(len(part) > 10 for part in parts)
    for part in parts:
        own = set(part.ids())
        copies = [question for question in part if PERTURBED_FROM in question.metadata]
        assert {question.metadata[PERTURBED_FROM] for question in copies} <= own
        assert list(part)[len(part) - len(copies) :] == copies, "copies stand at the end"
        found = copies_in(part, counts)
        assert sum(kind.copies for kind in found.values()) == len(copies)
    assert sum(copies_in(part, counts)["typos"].copies for part in parts) == counts["typos"].copies == 30
    assert copies_in(parts[0], {}) == {}
