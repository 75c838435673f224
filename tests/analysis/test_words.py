import pytest

from routemark.analysis.words import listing


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b", "c"], "a, b and c"),
        (list("abcdefg"), "a, b, c, d, e and 2 more"),
    ],
)
def test_names_as_a_sentence_lists_them(names, said):
    assert listing(names) == said
