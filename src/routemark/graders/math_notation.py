r"""One notation for expressions that come as LaTeX, as Unicode or as typed on a keyboard."""

from __future__ import annotations

import re
import unicodedata

_DROPPED = re.compile(
    r"\\(?:left|right|displaystyle|textstyle|bigl?|bigr?|Bigl?|Bigr?|limits)(?![A-Za-z])|\\[,;:!]|\\q?quad\b|\$|\\[()]|\\ "
)
_WRAPPER = re.compile(r"\\(?:mathrm|mathbf|mathit|mathbb|operatorname|text|textbf|boxed|mbox)\s?\{([^{}]*)\}")
_WRITTEN = (
    (re.compile(r"\\[dtc]frac(?![A-Za-z])"), r"\\frac"),
    (re.compile(r"\\(?:cdot|times|ast)(?![A-Za-z])|[\u00d7\u00b7\u22c5\u2217]"), "*"),
    (re.compile(r"\\div(?![A-Za-z])|\u00f7"), "/"),
    (re.compile(r"\*\*"), "^"),
    (re.compile(r"[\u2212\u2013\ufe63]"), "-"),
    (re.compile(r"\\pi(?![A-Za-z])|\u03c0|\bpi\b"), r"\\pi "),
    (re.compile(r"\\infty(?![A-Za-z])|\u221e|\b(?:inf|infinity|oo)\b"), r"\\infty "),
    (re.compile(r"\\(?:cup|bigcup)(?![A-Za-z])|\u222a"), r"\\cup "),
    (re.compile(r"\u00b1|\+/-|\+-"), r"\\pm "),
    (re.compile(r"\\(?:approx|simeq)(?![A-Za-z])|[\u2248\u2243]"), "\u2248"),
    (re.compile(r"\\le(?:q|qslant)?(?![A-Za-z])|\u2264|<="), r"\\leq "),
    (re.compile(r"\\ge(?:q|qslant)?(?![A-Za-z])|\u2265|>="), r"\\geq "),
    (re.compile(r"\\l[br]ace(?![A-Za-z])"), r"\\{"),
    (re.compile(r"\\rbrace(?![A-Za-z])"), r"\\}"),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\%"), "%"),
    (re.compile(r"\s+"), " "),
)
_ROOT_SIGN = re.compile(r"\u221a\s?(\d+|\([^()]*\)|\{[^{}]*\})")
_ROOT_WORD = re.compile(r"(?<!\\)\bsqrt\s?\(([^()]*)\)")
_FUNCTION = re.compile(
    r"(?<![\\A-Za-z])(sin|cos|tan|cot|sec|csc|arcsin|arccos|arctan|ln|log|exp|min|max|gcd|lcm)(?![A-Za-z])"
)
_SUPER = str.maketrans(
    "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207a\u207b", "0123456789+-"
)
_SUPERSCRIPT = re.compile("[\u2070\u00b9\u00b2\u00b3\u2074-\u2079\u207a\u207b]+")


def plain(text: str) -> str:
    """Give an expression in the one notation that `math_reader` reads and a LaTeX grammar understands."""
    text = _SUPERSCRIPT.sub(lambda match: f"^{{{match[0].translate(_SUPER)}}}", text)
    text = unicodedata.normalize("NFKC", text).replace("\u2044", "/")
    text = _DROPPED.sub(" ", text)
    for _ in range(3):
        text = _WRAPPER.sub(r" \1 ", text)
    for pattern, written in _WRITTEN:
        text = pattern.sub(written, text)
    text = _ROOT_SIGN.sub(lambda match: rf"\sqrt{{{match[1].strip('(){}')}}}", text)
    text = _ROOT_WORD.sub(r"\\sqrt{\1}", text)
    return _FUNCTION.sub(r"\\\1 ", text).strip()
