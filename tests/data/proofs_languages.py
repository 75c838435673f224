"""Proofs of translations: number words are read letter by letter, invented sentences put together from the prompt."""

from __future__ import annotations

import re

from data.prompts import Proof, find
from routemark.records import Question

_ONES = {
    "German": "ein zwei drei vier fünf sechs sieben acht neun",
    "Spanish": "uno dos tres cuatro cinco seis siete ocho nueve",
    "French": "un deux trois quatre cinq six sept huit neuf",
    "Italian": "uno due tre quattro cinque sei sette otto nove",
}
_TEENS = {
    "German": "zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn",
    "Spanish": "diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve",
    "French": "dix onze douze treize quatorze quinze seize dix-sept dix-huit dix-neuf",
    "Italian": "dieci undici dodici tredici quattordici quindici sedici diciassette diciotto diciannove",
}
_TENS = {
    "German": "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "Spanish": "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
    "French": "vingt trente quarante cinquante soixante - - -",
    "Italian": "venti trenta quaranta cinquanta sessanta settanta ottanta novanta",
}


def _values(language: str) -> dict[str, int]:
    values = {word: n for n, word in enumerate(_ONES[language].split(), 1)}
    values |= {word: n for n, word in enumerate(_TEENS[language].split(), 10)}
    values |= {word: 10 * n for n, word in enumerate(_TENS[language].split(), 2) if word != "-"}
    if language == "Spanish":
        values |= {"veinti" + word.replace("dos", "dós").replace("tres", "trés").replace("seis", "séis"): 20 + n
                   for n, word in enumerate(_ONES[language].split(), 1)}  # fmt: skip
        values |= {
            "ciento": 100,
            "doscientos": 200,
            "trescientos": 300,
            "cuatrocientos": 400,
            "quinientos": 500,
        }
        values |= {"seiscientos": 600, "setecientos": 700, "ochocientos": 800, "novecientos": 900, "y": 0}
    if language == "French":
        values |= {"et": 0}
    return values


def read(words: str, language: str) -> int:
    """Give the number that number words mean; raises KeyError on words that are none."""
    values = _values(language)
    if language == "Spanish":
        return sum(values[word] for word in words.split())
    if language == "French":
        before, hundred, after = words.replace("-", " ").partition("cent")
        if hundred:
            after = re.sub(r"^s\b", "", after)
            return 100 * (values[before.strip()] if before.strip() else 1) + _french(after, values)
        return _french(words.replace("-", " "), values)
    hundred = "hundert" if language == "German" else "cento"
    before, found, after = words.partition(hundred)
    if found:
        return 100 * (values[before] if before else 1) + _below(after, values, language)
    return _below(words, values, language)


def _french(words: str, values: dict[str, int]) -> int:
    """Add up; only "quatre vingt" multiplies."""
    parts = words.split()
    eighty = 80 if parts[:2] in (["quatre", "vingt"], ["quatre", "vingts"]) else 0
    rest = parts[2:] if eighty else parts
    return eighty + sum(values[part] for part in rest)


def _below(word: str, values: dict[str, int], language: str) -> int:
    """Give a German or Italian number below 100 that is written as one word."""
    if word == "" or word in values:
        return values.get(word, 0)
    if language == "German":
        ones, _, tens = word.rpartition("und")
        return values[ones] + values[tens]
    (fits,) = {
        values[tens] + values[ones]
        for tens in _TENS["Italian"].split()
        for ones in _ONES["Italian"].split()
        if word in (tens + ones, tens[:-1] + ones)
    }
    return fits


_AROUND = {
    "German": r"(?:stehen|hat|kamen) (\w+) .*(?:und|Sonntag) (\w+)",
    "French": r"(?:vendu|compte|acheté) (.+?) (?:kilos|membres|livres).*?(?:et|dont) (.+?)"
    r" (?:kilos|enfants|cartes)",
    "Spanish": r"(?:recibió|lleva|hay) (.+?) (?:visitantes|pasajeros|barcos).*? y (.+?)(?: el domingo| bajan|"
    r" botes)",
    "Italian": r"(?:comprato|sono|ha) (\w+) (?:libri|adulti|banchi).* (?:venduti|e|ma) (\w+)",
}


def foreign_numbers(question: Question) -> object:
    language, sentence = find(r'in (German|French|Spanish|Italian) says: "([^"]+)"', question.question)
    found = re.search(_AROUND[language], sentence)
    assert found, sentence
    a, b = (read(words, language) for words in found.groups())
    is_rest = re.search(r"are not|stay on|still unsold", question.question)
    return a - b if is_rest else a + b


def sum_in_words(question: Question) -> object:
    text = question.question
    given, wanted = find(r"These number words are (\w+)\. .*result in (\w+) words", text)
    a, b, sign, c = find(r"Begin with ([^,]+), add (.+) and (add|subtract) ([^.]+)\. Write", text)
    total = read(a, given) + read(b, given) + (1 if sign == "add" else -1) * read(c, given)
    accepted = question.reference if isinstance(question.reference, list) else [question.reference]
    assert all(read(words, wanted) == total for words in accepted), (accepted, total)
    return accepted[0]  # that nothing else is spelt so is what `read` tells


def word_for_word(question: Question) -> object:
    text = question.question
    words = dict(re.findall(r"(?m)^- (\w+): (\w+)$", text))
    (english,) = find(r'Translate into \w+: "The (.+)\."', text)
    (ending,) = find(r"in the plural gets the ending -(\w+);", text)
    one, subject, verb, _, two, thing = english.split()
    after = "stands directly after its noun" in text
    assert after or "stands directly before its noun" in text
    sentence = []
    for adjective, noun in ((one, subject), (two, thing)):
        translated = words[noun] if noun in words else words[noun[:-1]] + ending
        sentence += [translated, words[adjective]] if after else [words[adjective], translated]
    sentence.insert(2, words[verb])
    return " ".join(sentence)


PROOFS: dict[str, Proof] = {
    "foreign-numbers": foreign_numbers,
    "sum-in-words": sum_in_words,
    "word-for-word": word_for_word,
}
