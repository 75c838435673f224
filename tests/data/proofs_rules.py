"""Proofs of the `hard` questions that give rules to reason with: family -> answer computed from the prompt."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable

from data.prompts import Proof, find, ints
from routemark.records import Question

# --------------------------------------------------------------------------- rows of people


def restricted_rows(question: Question) -> object:
    listed, rules = find(r"(?s)^(.*?)\. These rules hold: (.*?)\. In how many", question.question)
    count, *names = re.findall(r"\b[A-Z][a-z]+\b", listed)
    assert len(names) == {"Six": 6, "Seven": 7}[count]
    orders = itertools.permutations(names)
    return sum(all(_row_rule(rule, order) for rule in rules.split(". ")) for order in orders)


def _row_rule(rule: str, order: tuple[str, ...]) -> bool:
    places = [order.index(name) for name in re.findall(r"\b[A-Z][a-z]+\b", rule.replace("Exactly", ""))]
    if "at either end" in rule or "neither the first nor the last" in rule:
        return places[0] not in (0, len(order) - 1)
    left, right = places
    if "are not neighbours" in rule:
        return abs(left - right) != 1
    if "are neighbours" in rule:
        return abs(left - right) == 1
    if "Exactly one other" in rule:
        return abs(left - right) == 2
    if "Exactly two others" in rule:
        return abs(left - right) == 3
    assert "somewhere to the left of" in rule or "somewhere in front of" in rule, rule
    return left < right


def knights_and_knaves(question: Question) -> object:
    said = re.findall(r'(?m)^(\w+) says: "(.*)\."$', question.question)
    names = sorted(name for name, _ in said)
    groups = itertools.chain.from_iterable(itertools.combinations(names, n) for n in range(len(names) + 1))
    (knights,) = [
        set(g) for g in groups if all((name in g) == _is_true(claim, set(g)) for name, claim in said)
    ]
    return ", ".join(sorted(knights))


def _is_true(claim: str, knights: set[str]) -> bool:
    if match := re.fullmatch(r"(Exactly|At most) (\d) of us are knights", claim):
        return len(knights) == int(match[2]) if match[1] == "Exactly" else len(knights) <= int(match[2])
    if match := re.fullmatch(r"(\w+) is a knave", claim):
        return match[1] not in knights
    if match := re.fullmatch(r"(\w+) and (\w+) are of (the same kind|different kinds)", claim):
        return ((match[1] in knights) == (match[2] in knights)) == (match[3] == "the same kind")
    one, two = find(r"^At least one of (\w+) and (\w+) is a knave$", claim)
    return not {one, two} <= knights


Places = dict[str, int]


def five_in_a_row(question: Question) -> object:
    """Place names, then the first trait, then the second, dropping what breaks a clue whose parts are all placed."""
    text = question.question
    clues = [line[2:].rstrip(".") for line in text.splitlines() if line.startswith("- ")]
    mentioned = {part for clue in clues for part in _parts(clue)}
    lists = [re.split(r", | and ", found) for found in re.findall(r"[Tt]he \w+ are ([^;.]+)[;.]", text)]
    assert [len(items) for items in lists] == [5, 5, 5]
    names, groups = (
        lists[0],
        [lists[0], *([_phrase_of(item, mentioned) for item in items] for items in lists[1:])],
    )
    assert mentioned <= {part for group in groups for part in group}
    worlds: list[Places] = [{}]
    for group in groups:
        worlds = _extended(worlds, group, clues)
    (order,) = {tuple(sorted(names, key=world.__getitem__)) for world in worlds}
    return ", ".join(order)


def _phrase_of(item: str, mentioned: set[str]) -> str:
    """Give how the clues speak of a trait ("the tea drinker"); a trait without a clue is free."""
    return next((part for part in mentioned if part.startswith(f"the {item} ")), f"free {item}")


def _extended(worlds: list[Places], group: list[str], clues: list[str]) -> list[Places]:
    found = []
    for order in itertools.permutations(group):
        own = {part: place for place, part in enumerate(order)}
        for world in worlds:
            both = world | own
            if all(_clue_holds(clue, both) for clue in clues if set(_parts(clue)) <= both.keys()):
                found.append(both)
    return found


_RELATIONS: dict[str, Callable[[int, int], bool]] = {
    " is directly to the left of ": lambda x, y: y - x == 1,
    " is somewhere to the left of ": lambda x, y: x < y,
    " is next to ": lambda x, y: abs(x - y) == 1,
    " is not ": lambda x, y: x != y,
    " is ": lambda x, y: x == y,
}


def _split(clue: str) -> tuple[str, str, str]:
    relation = next(words for words in _RELATIONS if words in clue)
    left, _, right = clue.partition(relation)
    return relation, left.replace("The ", "the "), right


def _parts(clue: str) -> list[str]:
    return list(_split(clue)[1:])


def _clue_holds(clue: str, places: Places) -> bool:
    relation, left, right = _split(clue)
    return _RELATIONS[relation](places[left], places[right])


# --------------------------------------------------------------------------- games and procedures


def take_away_game(question: Question) -> object:
    taken, last = (
        find(r"(?:takes|removing) ([\d, or]+) (?:counters|matches)", question.question)[0],
        question.question,
    )
    moves = ints(taken)
    (top,) = find(r"from 1 to (\d+)", last)
    last_loses = "takes the last match loses" in last
    assert last_loses or f"cannot move because fewer than {min(moves)} counters are left loses" in last

    @functools.cache
    def wins(heap: int) -> bool:
        options = [heap - move for move in moves if move <= heap]
        if not options:
            return last_loses  # an empty heap here means that the other one took the last
        return any(not wins(rest) for rest in options)

    return sum(not wins(heap) for heap in range(1, int(top) + 1))


def word_pipeline(question: Question) -> object:
    words = find(r"(?m)^Words: (.+)$", question.question)[0].split()
    for step in re.findall(r"(?m)^\d\. (.+)$", question.question):
        words = _STEPS[step](words)
    return " ".join(words)


def _each(change: Callable[[str], str]) -> Callable[[list[str]], list[str]]:
    return lambda words: [change(word) for word in words]


def _ends_swapped(items: list[str]) -> list[str]:
    first, *middle, last = items
    return [last, *middle, first]


def _letters_swapped(word: str) -> str:
    return "".join(_ends_swapped(list(word)))


_STEPS: dict[str, Callable[[list[str]], list[str]]] = {
    "Reverse the order of the words.": lambda words: list(reversed(words)),
    "In every word with an even number of letters, reverse the letters.": _each(
        lambda word: word if len(word) % 2 else "".join(reversed(word))
    ),
    "Move the first word to the end.": lambda words: [*words[1:], words[0]],
    "Sort the words alphabetically.": sorted,
    "Delete the first letter of every word that has more than five letters.": _each(
        lambda word: word[1:] if len(word) >= 6 else word
    ),
    "Delete every word that contains the letter o.": lambda words: [
        word for word in words if "o" not in set(word)
    ],
    "Swap the first and the last letter of every word.": _each(_letters_swapped),
    "Swap the first word with the last word.": _ends_swapped,
    "Replace every letter e by the letter u.": _each(
        lambda word: "".join("u" if c == "e" else c for c in word)
    ),
}


def invented_language(question: Question) -> object:
    text = question.question
    words = dict(re.findall(r"(?m)^- (\w+): (\w+)$", text))
    english = find(r': "The (.+)\."\n', text)[0]
    subject, verb, thing = find(r"^(\w+ \w+) (.+) the (\w+ \w+)$", english)
    negated, past = " not " in f" {verb} ", "did" in verb or verb.endswith("ed")
    stem = re.sub(r"^(?:did|do|does) not ", "", verb)
    verb_words = [
        _affixed(words[stem.removesuffix("ed")], "verb in the past tense", text) if past else words[stem]
    ]
    (extra,) = re.findall(r"extra word (\w+)", text)
    if negated and "stands directly before the verb" in text:
        verb_words.insert(0, extra)
    parts = {
        "subject": _phrase(subject, words, text),
        "object": _phrase(thing, words, text),
        "verb": verb_words,
    }
    order = find(r"The (\w+) comes first, then the (\w+), then the (\w+)\.", text)
    sentence = [word for part in order for word in parts[part]]
    if negated and "begins with the extra word" in text:
        sentence.insert(0, extra)
    if negated and "ends with the extra word" in text:
        sentence.append(extra)
    return " ".join(sentence)


def _phrase(english: str, words: dict[str, str], text: str) -> list[str]:
    adjective, noun = english.split()
    plural = noun not in words
    singular = words[noun.removesuffix("s")]
    translated = [words[adjective], _affixed(singular, "plural of a noun", text) if plural else singular]
    return translated[::-1] if "directly after its noun" in text else translated


def _affixed(word: str, what: str, text: str) -> str:
    """Apply the rule of a form; a hyphen in the rule shows where the word itself stands."""
    (rule,) = re.findall(rf"(?m)^- .*{what}.*$", text)
    affix = re.search(r"(?<!\w)-(\w+)|(\w+)-(?!\w)", rule)
    if affix is None:
        assert "its first two letters once more in front" in rule
        return word[:2] + word
    return word + affix[1] if affix[1] else affix[2] + word


def step_rules(question: Question) -> object:
    text = question.question
    levels = find(r"from lowest to highest: ([\w, ]+)\.", text)[0].split(", ")
    years, spent = (int(x) for x in find(r"club for (\d+) years and spent (\d+) dollars", text))
    late, friends, complaints = (
        int(x)
        for x in find(r"Late payments: (\d+)\. Friends brought in: (\d+)\. Open complaints: (\d+)\.", text)
    )
    assert re.findall(r"more than (\d+) dollars", text) == ["2000", "5000"]
    climb = (spent > 2000) + 2 * (spent > 5000) + (years >= 8)
    level = min(levels.index("Bronze") + climb, len(levels) - 1)
    for _ in range(late):
        level = max(level - 1, 0)
    for _ in range(friends):
        level = min(level + 1, len(levels) - 1)
    name = levels[level]
    if complaints and name in ("Gold", "Platinum", "Diamond"):
        name = "Silver"
    return "Platinum" if years < 5 and name == "Diamond" else name


PROOFS: dict[str, Proof] = {
    "restricted-rows": restricted_rows,
    "knights-and-knaves": knights_and_knaves,
    "five-in-a-row": five_in_a_row,
    "take-away-game": take_away_game,
    "word-pipeline": word_pipeline,
    "invented-language": invented_language,
    "step-rules": step_rules,
}
