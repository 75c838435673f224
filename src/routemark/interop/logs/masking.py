"""Takes secrets and personal data out of texts: what has a shape that can be known.

Each is replaced by its kind and a number, the same for the same value in one conversation: ``[EMAIL_1]``. Numbers that
carry a check (cards, IBANs) are masked only when it holds. Names, addresses and what people tell of themselves have no
such shape: read a sample before you share it.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

_NOT_BEFORE = r"(?<![A-Za-z0-9_])"
_KEY_SHAPES = (
    r"sk-(?:or-|ant-|proj-|lf-|svcacct-)?[A-Za-z0-9_-]{16,}",
    r"(?:pk-lf|xai|pplx|nvapi|glpat|r8|tgp_v1|hf|gsk|fw|npm|dop_v1|shpat|glsa|lsv2_pt)[-_][A-Za-z0-9_-]{16,}",
    r"(?:whsec|rk_live|sk_live|pk_live|sk_test)_[A-Za-z0-9_-]{16,}",
    r"(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{16}",
    r"gh[pousr]_[A-Za-z0-9]{30,}",
    r"github_pat_[A-Za-z0-9_]{30,}",
    r"xox[abeoprs]-[A-Za-z0-9-]{10,}",
    r"xapp-[A-Za-z0-9-]{20,}",
    r"AIza[A-Za-z0-9_-]{35}",
    r"ya29\.[A-Za-z0-9_-]{20,}",
    r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    r"pypi-[A-Za-z0-9_-]{30,}",
    r"(?:AC|SK)[0-9a-f]{32}",
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)
_JWT = re.compile(_NOT_BEFORE + r"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*")
_URL = re.compile(r"(?<=://)[^\s/@:\[\]]{1,256}:[^\s/@\[\]]{1,256}(?=@)")
_API_KEY = re.compile(_NOT_BEFORE + f"(?:{'|'.join(_KEY_SHAPES)})")
_BEARER = re.compile(r"(?i:(?<=\bbearer )|(?<=\bbasic ))[A-Za-z0-9\-._~+/]{12,}=*")
_SECRET = re.compile(
    r"(?i:(?:api[_-]?key|secret(?:[_-]?(?:access[_-]?)?key)?|access[_-]?token|auth[_-]?token|token|passw(?:or)?d|passwort|pwd))"
    r"[\"']?\s{0,3}[:=]\s{0,3}[\"']?([A-Za-z0-9_\-+/=.~!@#$%^&*]{8,})"
)
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9.!#$%&'*+/=?^_`{|}~-])[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}"
)
_EMAIL_ABROAD = re.compile(r"(?<![\w.+-])[^\W_][\w.+-]{0,63}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}")
_IBAN = re.compile(_NOT_BEFORE + r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])")
_CARD = re.compile(r"(?<![A-Za-z0-9_.,])[2-6]\d{3}(?:[ -]?\d{3,6}){2,4}(?![A-Za-z0-9_]|[.,]\d)")
_PHONE = re.compile(
    r"(?<![A-Za-z0-9_.+])(?<!\d[ -])(?:"
    r"(?:\+|00)[1-9]\d{0,2}[ ./-]?(?:\(\d{1,4}\)[ ./-]?)?\d{1,5}(?:[ ./-]?\d{2,5}){1,5}"
    r"|\(\d{2,5}\) ?\d{2,4}(?:[ .-]?\d{2,4}){1,3}"
    r"|\d{3}[-.]\d{3}[-.]\d{4}"
    r"|0\d{2,4}[ /-]\d{3,4}[ -]?\d{3,5}"
    r")(?![A-Za-z0-9_]|[.,]\d|[ -]\d)"
)
_LABELLED_PHONE = re.compile(
    r"(?i:phone|tel\b|mobile|cell|handy|whatsapp|telefon|tél|móvil|celular|電話|电话|手机|携帯|телефон|हाथ|फ़ोन|هاتف)"
    r"[^\d\n]{0,12}?(\+?\d(?:[ ./()-]{0,2}\d){5,14})(?!\d)"
)
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)", re.ASCII)
_IPV6 = re.compile(
    r"(?<![\w:.])(?=[0-9A-Fa-f:.]*\d)[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]{1,40}(?:\d{1,3}(?:\.\d{1,3}){3})?(?![\w:])",
    re.ASCII,
)
_PLACEHOLDER = re.compile(r"\[[A-Z0-9_]+_\d+\]")


def _digits(text: str) -> str:
    return "".join(str(int(c)) for c in text if c.isdecimal())


def _luhn(text: str) -> bool:
    """Tell whether a number has the length and the check digit of a payment card (Luhn, ISO/IEC 7812)."""
    digits = [int(c) for c in _digits(text)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _mod97(text: str) -> bool:
    """Tell whether a text has the check digits of an IBAN (ISO 13616: modulo 97)."""
    packed = text.replace(" ", "")
    return (
        15 <= len(packed) <= 34 and int("".join(str(int(c, 36)) for c in packed[4:] + packed[:4])) % 97 == 1
    )


def _is_phone(text: str) -> bool:
    return 7 <= len(_digits(text)) <= 15


def _is_address(text: str) -> bool:
    """Tell whether a text is an address of a machine that is not one's own."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)


def _is_secret(text: str) -> bool:
    """Tell whether what is assigned looks like a secret, not like a word or a call."""
    return any(c.isdigit() for c in text) and any(c.isalpha() for c in text)


def _is_token(text: str) -> bool:
    """Tell whether what follows "bearer" or "basic" is more than a word."""
    return any(c.isdigit() for c in text) or text.endswith("=")


class _Kind(NamedTuple):
    name: str
    pattern: re.Pattern[str]
    holds: Callable[[str], bool] = bool
    needs: str = ""
    """A text without it holds none."""


_KINDS = (
    _Kind("PRIVATE_KEY", _PRIVATE_KEY, needs="PRIVATE KEY"),
    _Kind("JWT", _JWT, needs="eyJ"),
    _Kind("URL_CREDENTIALS", _URL, needs="://"),
    _Kind("API_KEY", _API_KEY),
    _Kind("BEARER_TOKEN", _BEARER, _is_token),
    _Kind("SECRET", _SECRET, _is_secret),
    _Kind("EMAIL", _EMAIL, needs="@"),
    _Kind("EMAIL", _EMAIL_ABROAD, needs="@"),
    _Kind("IBAN", _IBAN, _mod97),
    _Kind("CARD", _CARD, _luhn),
    _Kind("IP_ADDRESS", _IPV6, _is_address, needs=":"),
    _Kind("IP_ADDRESS", _IPV4, _is_address, needs="."),
    _Kind("PHONE", _LABELLED_PHONE, _is_phone),
    _Kind("PHONE", _PHONE, _is_phone),
)
KINDS = {
    "PRIVATE_KEY": "private key",
    "JWT": "JSON web token",
    "URL_CREDENTIALS": "user and password in a URL",
    "API_KEY": "API key",
    "BEARER_TOKEN": "bearer token",
    "SECRET": "password or secret",
    "EMAIL": "e-mail address",
    "IBAN": "IBAN",
    "CARD": "card number",
    "IP_ADDRESS": "IP address",
    "PHONE": "phone number",
}
"""In words, in the order of the report."""


class Mask:
    """Masks the texts of one conversation: the same value is the same placeholder in all of them."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        """Places masked, by kind. Values are kept nowhere but here, while the conversation is masked."""
        self._known: dict[tuple[str, str], str] = {}

    def text(self, text: str) -> str:
        """Give a text without what is masked."""
        for kind in _KINDS:
            if not kind.needs or kind.needs in text:
                text = kind.pattern.sub(lambda match, kind=kind: self._replaced(kind, match), text)  # type: ignore[misc]  # a lambda's default
        return text

    def value(self, value: Any) -> Any:
        """Give a JSON value with all its texts masked; numbers and names stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(each) for each in value]
        if isinstance(value, dict):
            return {name: self.value(each) for name, each in value.items()}
        return value

    def _replaced(self, kind: _Kind, match: re.Match[str]) -> str:
        group = match.re.groups and 1
        found = match[group]
        if _PLACEHOLDER.search(found) or not kind.holds(found):
            return match[0]
        self.counts[kind.name] += 1
        number = sum(name == kind.name for name, _ in self._known) + 1
        placeholder = self._known.setdefault((kind.name, found), f"[{kind.name}_{number}]")
        whole, start = match[0], match.start()
        return whole[: match.start(group) - start] + placeholder + whole[match.end(group) - start :]
