"""Translation whose result can be checked: numbers in words, and invented languages with given rules."""

from __future__ import annotations

from random import Random

from routemark.families.base import Draft, bullets, exact, family, numeric, split
from routemark.families.numerals import LANGUAGES, is_plain, spell

# --------------------------------------------------------------------------- numbers in words

_SENTENCES: dict[str, list[tuple[str, str, int]]] = {
    "German": [
        ("Im Lager stehen {a} Stühle und {b} Tische.", "How many pieces of furniture stand there in all?", 1),
        (
            "Der Verein hat {a} Mitglieder, und {b} davon sind Kinder.",
            "How many members are not children?",
            -1,
        ),
        ("Am Samstag kamen {a} Gäste, am Sonntag {b}.", "How many guests came on the two days together?", 1),
    ],
    "French": [
        (
            "La ferme a vendu {a} kilos de pommes et {b} kilos de poires.",
            "How many kilograms of fruit were sold?",
            1,
        ),
        ("Le club compte {a} membres, dont {b} enfants.", "How many members are not children?", -1),
        (
            "La bibliothèque a acheté {a} livres et {b} cartes.",
            "How many books and maps were bought together?",
            1,
        ),
    ],
    "Spanish": [
        (
            "El museo recibió {a} visitantes el sábado y {b} el domingo.",
            "How many visitors came on the two days together?",
            1,
        ),
        (
            "El tren lleva {a} pasajeros, y {b} bajan en la próxima estación.",
            "How many of them stay on the train?",
            -1,
        ),
        (
            "En el puerto hay {a} barcos y {b} botes.",
            "How many ships and boats are in the harbour together?",
            1,
        ),
    ],
    "Italian": [
        (
            "Il negozio ha comprato {a} libri e ne ha venduti {b}.",
            ("How many of the books bought are still unsold?"),
            -1,
        ),
        ("Nel teatro ci sono {a} adulti e {b} bambini.", "How many people are in the theatre?", 1),
        ("La scuola ha {a} banchi, ma {b} sono rotti.", "How many desks are not broken?", -1),
    ],
}
_WRITERS = split("A note|A newspaper|A letter|A radio report")


@family("easy", "translation")
def foreign_numbers(rng: Random) -> Draft | None:
    """Two numbers in the words of another language."""
    language = rng.choice(LANGUAGES)
    sentence, asked, sign = rng.choice(_SENTENCES[language])
    a, b = rng.randint(120, 980), rng.randint(22, 700)
    if not (is_plain(a) and is_plain(b)) or b >= a - 10:
        return None
    quoted = sentence.format(a=spell(a, language), b=spell(b, language))
    return numeric(rng, f'{rng.choice(_WRITERS)} in {language} says: "{quoted}" {asked}', a + sign * b)


@family("hard", "translation")
def sum_in_words(rng: Random) -> Draft | None:
    """A sum of numbers in the words of one language, written in the words of another."""
    given, wanted = rng.sample(LANGUAGES, 2)
    a, b, c = (rng.randint(22, 400) for _ in range(3))
    total = a + b + c if rng.random() < 0.5 else a + b - c
    accented = wanted == "Spanish" and total % 100 in (16, 22, 26)  # not everybody writes the accent
    if not all(map(is_plain, (a, b, c, total))) or total < 120 or accented:
        return None
    words = [spell(n, given) for n in (a, b, c)]
    last = f"add {words[2]}" if total == a + b + c else f"subtract {words[2]}"
    answer = spell(total, wanted)
    variants = {
        "French": answer.replace(" ", "-"),
        "German": answer.removeprefix("ein"),
    }  # both spellings are in use
    accepted = (
        list(dict.fromkeys([answer, variants.get(wanted, answer)]))
        if total < 200 or wanted == "French"
        else [answer]
    )
    form = {"French": " as they are used in France,"}.get(
        wanted, " as one word without spaces," if wanted != "Spanish" else ""
    )
    text = (
        f"These number words are {given}. Begin with {words[0]}, add {words[1]} and {last}. Write the result"
        f" in {wanted} words{form or ','} in lower case and without any digits. You may reason first; end"
        " with a line of the"
        ' form "Final answer: <words>".'
    )
    return exact(text, accepted)


# --------------------------------------------------------------------------- invented languages

_NOUNS = split(
    "sailor farmer rider singer guest baker miner painter boat house horse letter tower garden table lamp"
)
_VERBS = split("paint follow visit wash clean enter help greet watch push")
_ADJECTIVES = split("old red small tall black young green rich long white")
_NAMES = split("Tolun Mirrish Ostal Vendi Karolic Sumbrian Quellish Hadoric")
_ONSETS, _VOWELS = split("b d f g h k l m n p r s t v z"), split("a e i o u")


def _word(rng: Random, syllables: int) -> str:
    return "".join(rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(syllables))


def _vocabulary(rng: Random, english: list[str]) -> dict[str, str] | None:
    """Give each word an invented one, all different; None when two are alike."""
    found = {word: _word(rng, rng.choice([2, 2, 3])) for word in english}
    return found if len(set(found.values())) == len(found) else None


@family("easy", "translation")
def word_for_word(rng: Random) -> Draft | None:
    """A sentence in an invented language with two rules."""
    name = rng.choice(_NAMES)
    nouns, verbs, adjectives = rng.sample(_NOUNS, 4), rng.sample(_VERBS, 3), rng.sample(_ADJECTIVES, 3)
    words = _vocabulary(rng, [*nouns, *verbs, *adjectives])
    ending = rng.choice(split("ki ra mo shu len ot"))
    after = rng.random() < 0.5
    if words is None:
        return None
    (subject, thing), (one, two), verb = rng.sample(nouns, 2), rng.sample(adjectives, 2), rng.choice(verbs)
    many = [True, rng.random() < 0.5]
    english = f"The {one} {subject}s {verb} the {two} {thing}{'s' if many[1] else ''}."
    phrases = []
    for noun, adjective, plural in ((subject, one, many[0]), (thing, two, many[1])):
        pair = [words[adjective], words[noun] + (ending if plural else "")]
        phrases.append(pair[::-1] if after else pair)
    answer = " ".join([*phrases[0], words[verb], *phrases[1]])
    rules = [
        "The order of subject, verb and object is as in English.",
        f"An adjective stands directly {'after' if after else 'before'} its noun.",
        f"A noun in the plural gets the ending -{ending}; nothing else changes its form.",
        "There are no articles.",
    ]
    text = (
        f"{name} is an invented language. Its"
        f" rules:\n{bullets(rules)}\n\nWords:\n{bullets(f'{a}: {b}' for a, b in words.items())}\n\nTranslate"
        f' into {name}: "{english}"\n\nAnswer with the translated sentence only, in lower case and without a'
        " full stop."
    )
    return exact(text, answer)


_ORDERS = ("SOV", "VSO", "OVS", "VOS", "OSV")
_PARTS = {"S": "subject", "V": "verb", "O": "object"}
_NEGATIONS = {
    "end": "A negated sentence ends with the extra word {}.",
    "begin": "A negated sentence begins with the extra word {}.",
    "verb": "In a negated sentence the extra word {} stands directly before the verb.",
}


@family("hard", "translation")
def invented_language(rng: Random) -> Draft | None:
    """Translate by given grammar and words."""
    name, order = rng.choice(_NAMES), rng.choice(_ORDERS)
    nouns, verbs, adjectives = rng.sample(_NOUNS, 4), rng.sample(_VERBS, 2), rng.sample(_ADJECTIVES, 3)
    words = _vocabulary(rng, [*nouns, *verbs, *adjectives])
    plural, past, extra = _word(rng, 1), _word(rng, 1), _word(rng, 1)
    after, negation = rng.random() < 0.5, rng.choice(list(_NEGATIONS))
    kind, past_in_front = rng.choice(["end", "front", "double"]), rng.random() < 0.5
    if words is None or plural == past:
        return None

    def noun_phrase(noun: str, adjective: str, *, many: bool) -> list[str]:
        word = words[noun]
        if many:
            word = {"end": word + plural, "front": plural + word, "double": word[:2] + word}[kind]
        return [word, words[adjective]] if after else [words[adjective], word]

    (subject, thing), (one, two), verb = rng.sample(nouns, 2), rng.sample(adjectives, 2), rng.choice(verbs)
    many, others, is_past, negated = (
        rng.random() < 0.6,
        rng.random() < 0.6,
        rng.random() < 0.7,
        rng.random() < 0.75,
    )
    if not (is_past or negated) or not (many or others):
        return None
    helper = f"did not {verb}" if is_past else f"{'do' if many else 'does'} not {verb}"
    english = f"The {one} {subject}{'s' if many else ''} {helper if negated else verb + 'ed'} the {two} {thing}{'s' if others else ''}."
    form = (past + words[verb] if past_in_front else words[verb] + past) if is_past else words[verb]
    if negated and negation == "verb":
        form = f"{extra} {form}"
    parts = {
        "S": noun_phrase(subject, one, many=many),
        "O": noun_phrase(thing, two, many=others),
        "V": [form],
    }
    sentence = [word for part in order for word in parts[part]]
    if negated and negation != "verb":
        sentence = [extra, *sentence] if negation == "begin" else [*sentence, extra]
    first, second, third = (_PARTS[part] for part in order)
    rules = [
        f"The {first} comes first, then the {second}, then the {third}.",
        f"An adjective stands directly {'after' if after else 'before'} its noun and never changes.",
        {
            "end": f"The plural of a noun is made by adding -{plural} at its end.",
            "front": f"The plural of a noun is made by putting {plural}- in front of it.",
            "double": "The plural of a noun is made by putting its first two letters once more in front of"
            " it.",
        }[kind],
        f"A verb in the past tense takes {past}- in front; in the present it stays as listed."
        if past_in_front
        else f"A verb in the past tense takes -{past} at its end; in the present it stays as listed.",
        _NEGATIONS[negation].format(extra),
        "There are no articles and no words for do, does or did.",
    ]
    text = (
        f"{name} is an invented language. These are all of its rules:\n{bullets(rules)}\n\nWords:\n"
        + bullets(f"{a}: {b}" for a, b in words.items())
        + f'\n\nTranslate into {name}: "{english}"\n\nAnswer with the translated sentence only, in lower case'
        " and without a full stop."
    )
    return exact(text, " ".join(sentence))


FAMILIES = (foreign_numbers, sum_in_words, word_for_word, invented_language)
