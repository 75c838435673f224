"""The language of a text, by its script and its commonest words: enough to tell what a model answered in."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

_COMMON: dict[str, str] = {
    "en": "the and of to in is that it for was with as on are be this have from not you they which but an were we his her their there been would what about when who can will more if out so up into than them its only your",
    "de": "der die das und ist nicht ein eine mit auf f\u00fcr von den dem des zu im sich auch es an werden wird aus sind bei wie oder aber nach als durch \u00fcber sie ich wir einen einer kann nur noch haben hat war wenn dass",
    "fr": "le la les et est une des du dans que qui pour pas sur avec ce il elle sont au par plus ne se nous vous je mais ou cette ces \u00eatre fait comme aux leur tout sans peut a \u00e9t\u00e9 ont",
    "es": "el la los las y es una que de en por con para no se su al lo como m\u00e1s pero sus le ya o este s\u00ed porque esta entre cuando muy sin sobre tambi\u00e9n me hasta hay donde son del un",
    "it": "il la e \u00e8 di che un una per non con sono si da come anche ma nel della delle dei pi\u00f9 alla gli le lo questo questa ha al del ci o se perch\u00e9 molto essere stato era sua suo i",
    "pt": "o a os as e \u00e9 de que um uma n\u00e3o com para por se na no em do da dos das mais como mas foi ao ele ela seu sua ou quando muito j\u00e1 tamb\u00e9m s\u00e3o isso est\u00e1 pelo pela",
    "nl": "de het een en is van dat niet op te zijn met voor die aan er maar om ook als naar bij door ze hij wordt nog wel dan uit deze of kan worden hebben heeft over meer geen ik je",
    "sv": "och att det i en som \u00e4r p\u00e5 av f\u00f6r med den till inte har de ett om men var sig s\u00e5 fr\u00e5n kan han hon vi jag ska eller n\u00e4r \u00e4ven vid detta efter blir mycket",
    "da": "og at det i en er p\u00e5 af for med den til ikke har de et om men var sig s\u00e5 fra kan han hun vi jeg skal eller n\u00e5r ogs\u00e5 ved dette efter bliver meget hvad blev",
    "no": "og at det i en er p\u00e5 av for med den til ikke har de et om men var seg s\u00e5 fra kan han hun vi jeg skal eller n\u00e5r ogs\u00e5 ved dette etter blir mye hva ble",
    "fi": "ja on ei se ett\u00e4 oli h\u00e4n mutta ovat kun my\u00f6s niin kuin tai ole t\u00e4m\u00e4 jos voi joka sen ne olla ovat jotka sek\u00e4 mink\u00e4 mit\u00e4 kanssa",
    "pl": "i w na nie si\u0119 jest z do to \u017ce o jak ale po co tak za od jego przez by\u0142 s\u0105 czy dla ju\u017c tylko przy oraz lub mo\u017ce tym jej ich kt\u00f3ry kt\u00f3re kt\u00f3ra",
    "cs": "a je v se na \u017ee to s z do i o ale jako za by jsou pro tak po jeho kter\u00fd kter\u00e9 kter\u00e1 byl nebo jen u\u017e p\u0159i od ve k m\u00e1 aby jej\u00ed tak\u00e9",
    "ro": "\u0219i este \u00een de la cu pe un o nu c\u0103 din care mai pentru sunt se ca fi sau dar prin au fost s\u0103 al ale lui ei acest aceast\u0103 foarte",
    "hu": "a az \u00e9s hogy nem is egy van volt de ez meg csak mint azt ha m\u00e1r vagy t\u00f6bb minden lehet ezt el ki k\u00f6z\u00f6tt \u00fagy amely sz\u00e1m\u00e1ra",
    "tr": "ve bir bu da de i\u00e7in ile \u00e7ok olarak daha gibi ne o olan en kadar var sonra ama her de\u011fil veya ise taraf\u0131ndan \u00fczerinde olan",
    "id": "dan yang di dengan untuk dari ini itu tidak pada dalam adalah akan ke juga atau oleh karena sebagai ada bisa telah mereka kita saya lebih sudah",
    "vi": "v\u00e0 c\u1ee7a l\u00e0 c\u00f3 kh\u00f4ng m\u1ed9t cho c\u00e1c \u0111\u01b0\u1ee3c trong v\u1edbi n\u00e0y nh\u1eefng \u0111\u00f3 \u0111\u1ec3 ng\u01b0\u1eddi khi t\u1eeb c\u0169ng nh\u01b0 \u0111\u00e3 s\u1ebd v\u1ec1 r\u1ea5t",
    "ru": "\u0438 \u0432 \u043d\u0435 \u043d\u0430 \u0447\u0442\u043e \u0441 \u043a\u0430\u043a \u043f\u043e \u044d\u0442\u043e \u043d\u043e \u043e\u043d\u0430 \u043e\u043d \u043e\u043d\u0438 \u0438\u0437 \u0431\u044b\u043b \u0434\u043b\u044f \u0442\u0430\u043a \u0436\u0435 \u043e\u0442 \u0438\u043b\u0438 \u043c\u044b \u0432\u044b \u0431\u044b\u043b\u0430 \u0435\u0433\u043e \u0435\u0451 \u0438\u0445 \u0442\u043e\u043b\u044c\u043a\u043e \u0447\u0442\u043e\u0431\u044b",
    "uk": "\u0456 \u0432 \u043d\u0435 \u043d\u0430 \u0449\u043e \u0437 \u044f\u043a \u043f\u043e \u0446\u0435 \u0430\u043b\u0435 \u0432\u043e\u043d\u0430 \u0432\u0456\u043d \u0432\u043e\u043d\u0438 \u0431\u0443\u0432 \u0434\u043b\u044f \u0442\u0430\u043a \u0436\u0435 \u0432\u0456\u0434 \u0430\u0431\u043e \u043c\u0438 \u0432\u0438 \u0439\u043e\u0433\u043e \u0457\u0457 \u0457\u0445 \u0442\u0456\u043b\u044c\u043a\u0438 \u0449\u043e\u0431 \u0442\u0430 \u0454 \u0434\u043e",
    "bg": "\u0438 \u0432 \u043d\u0435 \u043d\u0430 \u0447\u0435 \u0441 \u043a\u0430\u0442\u043e \u043f\u043e \u0442\u043e\u0432\u0430 \u043d\u043e \u0442\u044f \u0442\u043e\u0439 \u0442\u0435 \u043e\u0442 \u0431\u0435\u0448\u0435 \u0437\u0430 \u0442\u0430\u043a\u0430 \u0438\u043b\u0438 \u0435 \u0441\u0430 \u0434\u0430 \u0441\u0435 \u043d\u0435\u0433\u043e \u043d\u0435\u0439\u043d\u043e \u0441\u0430\u043c\u043e \u043c\u043d\u043e\u0433\u043e \u043c\u043e\u0436\u0435",
    "ar": "\u0641\u064a \u0645\u0646 \u0639\u0644\u0649 \u0625\u0644\u0649 \u0623\u0646 \u0647\u0630\u0627 \u0647\u0630\u0647 \u0627\u0644\u062a\u064a \u0627\u0644\u0630\u064a \u0639\u0646 \u0645\u0639 \u0643\u0627\u0646 \u0647\u0648 \u0647\u064a \u0644\u0627 \u0645\u0627 \u0623\u0648 \u0643\u0645\u0627 \u0628\u064a\u0646 \u0642\u062f",
    "fa": "\u0648 \u062f\u0631 \u0628\u0647 \u0627\u0632 \u06a9\u0647 \u0627\u06cc\u0646 \u0631\u0627 \u0628\u0627 \u0627\u0633\u062a \u0628\u0631\u0627\u06cc \u0622\u0646 \u06cc\u06a9 \u0645\u06cc \u0647\u0627\u06cc \u062e\u0648\u062f \u062a\u0627 \u0628\u0631 \u0634\u062f \u06cc\u0627 \u0634\u0648\u062f",
}
"""Language -> words that make up a good part of any text in it."""
_SCRIPTS: dict[str, tuple[str, ...]] = {
    "LATIN": (
        "en",
        "de",
        "fr",
        "es",
        "it",
        "pt",
        "nl",
        "sv",
        "da",
        "no",
        "fi",
        "pl",
        "cs",
        "ro",
        "hu",
        "tr",
        "id",
        "vi",
    ),
    "CYRILLIC": ("ru", "uk", "bg"),
    "ARABIC": ("ar", "fa"),
    "GREEK": ("el",),
    "HEBREW": ("he",),
    "THAI": ("th",),
    "DEVANAGARI": ("hi",),
    "HANGUL": ("ko",),
    "HIRAGANA": ("ja",),
    "KATAKANA": ("ja",),
    "CJK": ("zh",),
}
"""Script, as Unicode names it -> the languages told apart in it."""
_FOREIGN = {
    "ru": "\u0456\u0457\u0454\u0491",
    "uk": "\u044b\u044d\u0451\u044a",
    "bg": "\u044b\u044d\u0451\u0456\u0457\u0454\u0491",
    "ar": "\u067e\u0686\u0698\u06af",
    "sv": "\u00e6\u00f8",
    "da": "\u00e4\u00f6",
    "no": "\u00e4\u00f6",
}
"""Language -> letters that its neighbours have and it has not."""
LANGUAGES = frozenset(language for languages in _SCRIPTS.values() for language in languages)
"""ISO 639-1 codes of the languages that are known."""

_WORDS = {language: frozenset(words.split()) for language, words in _COMMON.items()}
_READ = 5_000
"""Characters that are looked at."""


def languages_of(text: str) -> frozenset[str]:
    """Give the languages that a text may be in; several when they cannot be told apart, none when no one fits."""
    text = unicodedata.normalize("NFC", text[:_READ]).casefold()
    scripts = Counter(
        unicodedata.name(char, "").split(" ")[0].split("-")[0] for char in text if char.isalpha()
    )
    if scripts["HIRAGANA"] + scripts["KATAKANA"] > 0.05 * scripts.total():
        return frozenset({"ja"})
    script = max(scripts, key=scripts.__getitem__, default="")
    candidates = _SCRIPTS.get(script, ())
    if len(candidates) <= 1:
        return frozenset(candidates)
    possible = tuple(one for one in candidates if not _has_more(text, _FOREIGN.get(one, "")))
    return _by_words(re.findall(r"[^\W\d_]+", text), possible or candidates)


def _has_more(text: str, letters: str) -> bool:
    """Tell whether letters are more than a name or two may bring into a text."""
    return sum(map(text.count, letters)) > 0.01 * len(text)


def _by_words(words: list[str], candidates: tuple[str, ...]) -> frozenset[str]:
    """Give the languages whose common words a text has most of; all candidates when it has none."""
    counted = Counter(words)
    scores = {
        language: sum(count for word, count in counted.items() if word in _WORDS[language])
        for language in candidates
    }
    best = max(scores.values())
    return frozenset(language for language, score in scores.items() if score >= 0.9 * best)
