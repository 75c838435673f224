"""Instruction following: words to edit, forms to keep, and short texts under rules that can be counted."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from routemark.families.base import Draft, exact, family, graded, listed, sequence
from routemark.families.names import WORDS

# --------------------------------------------------------------------------- easy

Edit = tuple[str, Callable[[list[str]], list[str]]]


def _list_edits(rng: Random) -> list[Edit]:
    letter, n = rng.choice("aeior"), rng.choice([2, 3])
    return [
        (
            (
                "Sort the following words by length, shortest first; words of equal length go in alphabetical"
                " order."
            ),
            lambda words: sorted(words, key=lambda w: (len(w), w)),
        ),
        (
            (
                "Sort the following words alphabetically by their last letter; words with the same last"
                " letter keep the order in which they stand here."
            ),
            lambda words: sorted(words, key=lambda w: w[-1]),
        ),
        (
            (
                f"From the following words delete each one that contains the letter {letter}, and write the"
                " others in reverse order."
            ),
            lambda words: [w for w in reversed(words) if letter not in w],
        ),
        (
            (
                f"Write every {'second' if n == 2 else 'third'} word of the following list, beginning with"
                f" the {'second' if n == 2 else 'third'} word, each spelled backwards."
            ),
            lambda words: [w[::-1] for w in words[n - 1 :: n]],
        ),
        (
            (
                "Write the following words in alphabetical order, but leave out the first and the last word"
                " of that order."
            ),
            lambda words: sorted(words)[1:-1],
        ),
        (
            (
                f"Keep only those of the following words that have more than {n + 3} letters, in the order"
                " given, and drop the first letter of each."
            ),
            lambda words: [w[1:] for w in words if len(w) > n + 3],
        ),
    ]


@family("easy", "instruction-following")
def list_edit(rng: Random) -> Draft | None:
    """Sort, filter or turn a list of words."""
    words = rng.sample(WORDS, rng.randint(8, 11))
    asked, edit = rng.choice(_list_edits(rng))
    answer = edit(words)
    if not 3 <= len(answer) <= 9 or answer == words:
        return None
    text = f"{asked}\n\nWords: {', '.join(words)}\n\nAnswer with the words on one line in lower case, separated by commas, and nothing else."
    return sequence(text, answer)


_JOINTS = {"hyphens": "-", "plus signs": "+", "slashes": "/", "full stops": "."}


@family("easy", "instruction-following")
def exact_form(rng: Random) -> Draft | None:
    """Words to be written in a given form."""
    words = rng.sample([word for word in WORDS if len(word) < 7], rng.randint(4, 6))
    joint = rng.choice(list(_JOINTS))
    case, write = rng.choice(
        [
            ("in capital letters", str.upper),
            ("with only the last letter of each word in capitals", lambda w: w[:-1] + w[-1].upper()),
            ("with the first letter of each word in capitals and the others small", str.capitalize),
        ]
    )
    turn = rng.choice(["in reverse order", "in alphabetical order", "in the given order"])
    ordered = {"in reverse order": words[::-1], "in alphabetical order": sorted(words)}.get(turn, words)
    close = rng.choice(
        [("square brackets", "[", "]"), ("angle brackets", "<", ">"), ("round brackets", "(", ")")]
    )
    answer = close[1] + _JOINTS[joint].join(map(write, ordered)) + close[2]
    text = (
        f"Write these words {turn}, {case}, joined by {joint} without spaces, and put the whole into"
        f" {close[0]}: {', '.join(words)}. Answer with the result only, on one line."
    )
    return exact(text, answer, case=True)


_THEMES = (
    "a walk in autumn",
    "a market in the morning",
    "an old workshop",
    "a journey by train",
    "a night by the sea",
)


@family("easy", "instruction-following")
def acrostic(rng: Random) -> Draft | None:
    """Lines whose first letters spell a word, each with so many words."""
    target = rng.choice([word for word in WORDS if len(word) == 5 and all(_starting(c) for c in word)])
    count = rng.randint(3, 5)
    required = rng.choice([word for word in WORDS if word[0] in target and word != target])
    lines: list[str] = []
    for char in target:
        first = (
            required
            if char == required[0] and not any(required in line for line in lines)
            else rng.choice(_starting(char))
        )
        rest = rng.sample([word for word in WORDS if word not in (first, required)], count - 1)
        lines.append(" ".join([first, *rest]))
    text = (
        f"Write {len(target)} lines about {rng.choice(_THEMES)}. The first letters of the lines must spell"
        f" the word {target.upper()} from top"
        f' to bottom. Every line has exactly {count} words, there is no comma, and the word "{required}"'
        " occurs in the text. Write nothing but these lines."
    )
    rules = [
        {"rule": "acrostic", "text": target},
        {"rule": "lines", "exact": len(target)},
        {"rule": "words_per_line", "exact": count},
        {"rule": "no_commas"},
        {"rule": "required_words", "words": [required]},
    ]
    return graded("instructions", text, example="\n".join(lines), rules=rules)


def _starting(char: str) -> list[str]:
    return [word for word in WORDS if word[0] == char]


# --------------------------------------------------------------------------- hard

_OPERATIONS: dict[str, Callable[[list[str]], list[str]]] = {
    "Reverse the order of the words.": lambda w: w[::-1],
    "In every word with an even number of letters, reverse the letters.": lambda w: [
        x if len(x) % 2 else x[::-1] for x in w
    ],
    "Move the first word to the end.": lambda w: w[1:] + w[:1],
    "Sort the words alphabetically.": sorted,
    "Delete the first letter of every word that has more than five letters.": lambda w: [
        x[len(x) > 5 :] for x in w
    ],
    "Delete every word that contains the letter o.": lambda w: [x for x in w if "o" not in x],
    "Swap the first and the last letter of every word.": lambda w: [x[-1] + x[1:-1] + x[0] for x in w],
    "Swap the first word with the last word.": lambda w: [w[-1], *w[1:-1], w[0]],
    "Replace every letter e by the letter u.": lambda w: [x.replace("e", "u") for x in w],
}
_RECIPES = (
    (
        "Start with the list of words and carry out the steps in the given order, each on the result of the"
        " step before."
    ),
    (
        "Apply the numbered steps one after another to the words below. Every step works on what the previous"
        " step left."
    ),
    (
        "Below are some words and a recipe. Follow the recipe line by line; each line acts on the outcome of"
        " the line before it."
    ),
)


@family("hard", "instruction-following")
def word_pipeline(rng: Random) -> Draft | None:
    """Seven edits one after another."""
    start = rng.sample(WORDS, 8)
    steps = rng.sample(list(_OPERATIONS), 7)
    words = start
    for step in steps:
        words = _OPERATIONS[step](words) if len(words) > 1 else words
    if not 4 <= len(words) <= 7 or len(set(words)) < len(words) or min(map(len, words)) < 3:
        return None
    lines = "\n".join(f"{k}. {step}" for k, step in enumerate(steps, 1))
    text = (
        f"{rng.choice(_RECIPES)}\n\nWords: {' '.join(start)}\n\n{lines}\n\nWhich words are left, and in which"
        " order? End with a last line that holds only these words, in lower case and separated by single"
        " spaces."
    )
    return exact(text, " ".join(words))


_LEXICON = {
    "e": "a boy|a sailor|my aunt|your dog|a farm hand||walks|sings|naps|looks up|rows on||at dawn|in warm"
    " rain|by a dim harbor|on soft sand|without a map",
    "a": "the girl|one fisher|the child|our neighbour|the old king||sleeps|whistles|drives"
    " on|smiles|swims||in the evening|under the bridge|with the others|before midnight|by the tower",
    "o": "the painter|my sister|a blind knight|the waiter|a small girl||laughs|sings|waits|sleeps|writes||in"
    " the garden|at midnight|near the river|under the trees|in a deep valley",
}


def _clauses(rng: Random, letter: str, count: int) -> list[str]:
    """Give sentences of five to eight words without a letter."""
    groups = [group.split("|") for group in _LEXICON[letter].split("||")]
    parts = [rng.sample(group, count) for group in groups]
    return [" ".join(pieces) for pieces in zip(*parts, strict=True)]


@family("hard", "instruction-following")
def lipogram(rng: Random) -> Draft | None:
    """A short text without a letter, with counted sentences and words."""
    letter, count = rng.choice("eao"), rng.choice([3, 4, 5])
    clauses = _clauses(rng, letter, count)
    words = sum(len(clause.split()) for clause in clauses)
    low, high = words - rng.randint(1, 3), words + rng.randint(1, 3)
    first, last = clauses[0].split()[0].capitalize(), clauses[-1].split()[-1]
    phrase = rng.choice([" ".join(clause.split()[-2:]) for clause in clauses[:-1]])
    example = " ".join(clause[0].upper() + clause[1:] + "." for clause in clauses)
    if example.lower().count(phrase) != 1:
        return None
    text = (
        f"Write a text of exactly {count} sentences and of {low} to {high} words in all, on one line. The"
        f" letter {letter} must not occur in it,"
        f' neither small nor capital. The first word is "{first}", the last word before the final full stop'
        f' is "{last}", and the words "{phrase}" occur side by side exactly once. Use no commas, and write'
        " nothing but the text."
    )
    rules: list[dict[str, object]] = [
        {"rule": "sentences", "exact": count},
        {"rule": "words", "min": low, "max": high},
        {"rule": "lines", "exact": 1},
        {"rule": "forbidden_characters", "characters": letter + letter.upper()},
        {"rule": "starts_with", "text": first + " "},
        {"rule": "ends_with", "text": f"{last}."},
        {"rule": "occurrences", "text": phrase, "exact": 1},
        {"rule": "no_commas"},
    ]
    return graded("instructions", text, example=example, rules=rules)


_TOPICS = (
    ("tea", "leaf cup water garden harvest"),
    ("bridges", "stone river arch rope traffic"),
    ("clocks", "hour spring tower repair time"),
    ("bread", "flour oven crust morning salt"),
    ("maps", "scale border survey coast paper"),
)


@family("hard", "instruction-following")
def formatted_notice(rng: Random) -> Draft | None:
    """A short notice with title, counted bullets and fixed words."""
    topic, words = rng.choice(_TOPICS)
    vocabulary = words.split()
    bullets, width = rng.randint(3, 5), rng.randint(4, 6)
    needed, banned = rng.sample(vocabulary, 2), rng.choice(["good", "very", "important", "always", "nice"])
    closing = rng.choice(
        ["Thank you for reading", "Please keep this notice", "Questions are welcome", "See you next week"]
    )
    fillers = rng.sample([word for word in WORDS if word not in vocabulary], bullets * width)
    lines = []
    for k in range(bullets):
        own = fillers[k * width : (k + 1) * width]
        if k < 2:
            own[0] = needed[k]
        lines.append("- " + " ".join(own))
    quoted = listed([f'"{word}"' for word in needed])
    example = f"<<A notice about {topic}>>\n\n" + "\n".join(lines) + f"\n\n{closing}"
    text = (
        f"Write a notice about {topic}. First comes a title in double angular brackets, such as <<title>>."
        f" Then exactly {bullets} bullet points"
        f' follow, one a line, each beginning with "- " and having exactly {width} words. The words {quoted}'
        " occur in"
        f' the notice; the word "{banned}" does not. There is no question mark and no exclamation mark. The'
        f' last line is "{closing}", without'
        " a full stop, and it is no bullet point. Write nothing else."
    )
    rules: list[dict[str, object]] = [
        {"rule": "title"},
        {"rule": "bullets", "exact": bullets},
        {"rule": "lines", "exact": bullets + 2},
        {
            "rule": "pattern",
            "pattern": rf"(?m)\A<<[^<>\n]+>>\s*(?:^- (?:\S+ ){{{width - 1}}}\S+\s+)+^{closing}\s*\Z",
        },
        {"rule": "required_words", "words": needed},
        {"rule": "forbidden_words", "words": [banned]},
        {"rule": "question_marks", "exact": 0},
        {"rule": "exclamation_marks", "exact": 0},
        {"rule": "ends_with", "text": closing, "case": True},
    ]
    return graded("instructions", text, example=example, rules=rules)


FAMILIES = (list_edit, exact_form, acrostic, word_pipeline, lipogram, formatted_notice)
