"""The one order in which a final answer is looked for."""

import pytest

from routemark.graders.extract import final_answer, first_sentence, undress, visible


@pytest.mark.parametrize(
    ("answer", "text", "source"),
    [
        # the order itself
        ("The answer is 1.\n\\boxed{2}\nAnswer: 3\n4", "2", "box"),
        ("1\nAnswer: 3\n4", "3", "marker"),
        ("1\n\nExplanation: so it is 4", "1", "head"),
        ("1\n2\n4", "4", "line"),
        ("", "", "none"),
        # boxes
        (r"\boxed{\frac{1}{\sqrt{2}}}", r"\frac{1}{\sqrt{2}}", "box"),
        (r"\boxed{{42}}", "42", "box"),
        (r"\fbox{42}", "42", "box"),
        (r"\boxed{ {42} }", "42", "box"),
        (r"\boxed{1} \boxed{}", "1", "box"),
        (r"\boxed{1}, \boxed{2}", "1, 2", "box"),
        (r"$x = \boxed{1}$ or $x = \boxed{2}$", "1, 2", "box"),
        ("\\boxed{1}\n\\boxed{2}", "2", "box"),
        (r"{ \boxed{1} and { more", "1", "box"),
        (r"\boxed{1} } }", "1", "box"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}", "box"),
        # markers
        ("Final answer: x", "x", "marker"),
        ("FINAL ANSWER: x", "x", "marker"),
        ("**Final Answer:** x", "x", "marker"),
        ("**Final Answer**\n\nx", "x", "marker"),
        ("So the answer is: x", "x", "marker"),
        ("The answer is as follows:\n\nx\ny", "x", "marker"),
        ("The correct option is x", "x", "marker"),
        ("The answer is x.\nThe answer is not y.", "x.", "marker"),
        ("The answer is x.\nIf the answer is y, fine.", "x.", "marker"),
        ("The answer is x. The answer is y", "y", "marker"),
        ("The answer choices are many.\nx", "x", "line"),
        ("Answer:\n```\nx\n```", "x", "marker"),
        # lines
        ("a\nx\n```", "x", "line"),
        ("a\nx\n\n---\n", "x", "line"),
        ("a\nx\n\nI hope this helps!", "x", "line"),
        ("a\nx\n\nLet me know if you need more.", "x", "line"),
        ("a\n- **x**", "x", "line"),
    ],
)
def test_final_answer(answer, text, source):
    final = final_answer(answer)
    assert (final.text, final.source) == (text, source)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("<think>a</think>b", "b"),
        ("<thinking>\na\n</thinking>\n\nb", "b"),
        ("<THINK>a</THINK>b", "b"),
        ("b<think>a</think>", "b"),
        ("a</think>b", "b"),
        ("<think>a", ""),
        ("b\n<think>a", "b"),
        ("<think>a</think><think>c</think>b", "b"),
        ("<think>a<think>c</think>d</think>b", "b"),
        ("use the <think> tag", "use the <think> tag"),
        ("[THINK]a[/THINK]b", "b"),
        ("\u25c1think\u25b7a\u25c1/think\u25b7b", "b"),
        ("<think>" + "a " * 200_000 + "</think>b", "b"),
        ("<think>" + "a " * 200_000, ""),
        ("a < b and c > d", "a < b and c > d"),
    ],
)
def test_reasoning_is_set_aside(text, seen):
    assert visible(text) == seen


@pytest.mark.parametrize(
    ("dressed", "plain"),
    [
        ("**x**", "x"),
        ("***x***", "x"),
        ("__x__", "x"),
        ("`x`", "x"),
        ("# x", "x"),
        ("> - x", "x"),
        ("$x$", "x"),
        ("$$x$$", "x"),
        (r"\(x\)", "x"),
        (r"\[ x \]", "x"),
        (r"\text{x}", "x"),
        (r"\mathbf{\text{x}}", "x"),
        ('"x"', "x"),
        ("\u201cx\u201d", "x"),
        (r"50\%", "50%"),
        (r"\$5", "$5"),
        ("$5 or $6", "$5 or $6"),
        ("it's", "it's"),
        ("2**3", "2**3"),
        ("a_b", "a_b"),
        ("5 - 3", "5 - 3"),
        ("{a}{b}", "{a}{b}"),
        ("x = {1}", "x = {1}"),
    ],
)
def test_undress(dressed, plain):
    assert undress(dressed) == plain


def test_first_sentence_keeps_decimals():
    assert first_sentence("It is 3.5 m. Not more.") == "It is 3.5 m"
