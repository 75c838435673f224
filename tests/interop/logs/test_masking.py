"""Secrets and personal data are found by their shapes, and ordinary text is left alone."""
# ruff: noqa: RUF001 - punctuation of other scripts

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routemark.interop.logs.masking import KINDS, Mask

KEY = "abcdEFGH1234ijklMNOP5678"
FOUND = [
    ("API_KEY", f"sk-or-v1-{KEY}{KEY}"),
    ("API_KEY", f"sk-ant-api03-{KEY}"),
    ("API_KEY", f"sk-proj-{KEY}"),
    ("API_KEY", f"sk-lf-{KEY}"),
    ("API_KEY", "AKIA" + "Q1W2E3R4T5Y6U7I8"),
    ("API_KEY", "ghp_" + KEY + KEY[:12]),
    ("API_KEY", "github_pat_" + KEY + "_" + KEY),
    ("API_KEY", "glpat-" + KEY),
    ("API_KEY", "xoxb-" + "1234567890-" + KEY),
    ("API_KEY", "AIza" + KEY + KEY[:11]),
    ("API_KEY", "hf_" + KEY),
    ("API_KEY", "sk_live_" + KEY),
    ("API_KEY", "gsk_" + KEY),
    ("API_KEY", f"SG.{KEY}.{KEY}"),
    ("JWT", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"),
    ("EMAIL", "jane.doe+shop@mail.example.co.uk"),
    ("EMAIL", "用户@例子.中国"),
    ("CARD", "4111 1111 1111 1111"),
    ("CARD", "5500-0055-5555-5559"),
    ("CARD", "378282246310005"),
    ("IBAN", "DE89 3704 0044 0532 0130 00"),
    ("IBAN", "GB82WEST12345698765432"),
    ("IBAN", "NO9386011117947"),
    ("IP_ADDRESS", "203.0.113.77"),
    ("IP_ADDRESS", "2001:db8:85a3::8a2e:370:7334"),
    ("IP_ADDRESS", "fe80::1"),
    ("PHONE", "+49 30 901820"),
    ("PHONE", "+1 (415) 555-0132"),
    ("PHONE", "0049 171 1234567"),
    ("PHONE", "(415) 555-0132"),
    ("PHONE", "415-555-0132"),
    ("PHONE", "030/1234567"),
    ("PHONE", "+86 138 0013 8000"),
]


AROUND = ["{}", "It is {}.", "<{}>", "联系{}，谢谢", "a\n{}\nb", '{{"k": "{}"}}']


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [(*found, text) for found in FOUND for text in AROUND if not ("用户" in found[1] and "联系" in text)],
)  # where scripts without spaces meet, nothing tells where an address begins
def test_a_secret_is_masked_wherever_it_stands(kind, value, text):
    mask = Mask()
    assert mask.text(text.format(value)) == text.format(f"[{kind}_1]")
    assert mask.counts == {kind: 1}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"Authorization: Bearer {KEY}==", "Authorization: Bearer [BEARER_TOKEN_1]"),
        ("authorization: basic dXNlcjpwYXNzd29yZA==", "authorization: basic [BEARER_TOKEN_1]"),
        ("postgres://joe:s3cr3t@db.local:5432/x", "postgres://[URL_CREDENTIALS_1]@db.local:5432/x"),
        ("password = 'hunter2hunter2'", "password = '[SECRET_1]'"),
        ('{"api_key": "0a1b2c3d4e5f"}', '{"api_key": "[SECRET_1]"}'),
        ("Passwort: geheim123", "Passwort: [SECRET_1]"),
        ("tel 0301234567", "tel [PHONE_1]"),
        ("电话：13800138000", "电话：[PHONE_1]"),
        ("WhatsApp me: 5491123456789", "WhatsApp me: [PHONE_1]"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----\nafter",
            "[PRIVATE_KEY_1]\nafter",
        ),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\ncut off", "[PRIVATE_KEY_1]"),
        ("from 10.1.2.3/24 to 10.1.2.3", "from [IP_ADDRESS_1]/24 to [IP_ADDRESS_1]"),
    ],
)
def test_only_the_secret_goes_and_its_place_stays(text, masked):
    assert Mask().text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "What is 17 * 23? Compute 4111 + 1111, 3.14159265358979 and 1234567890123456.",
        "4111 1111 1111 1112",  # no check digit
        "DE89 3704 0044 0532 0130 01",
        "Solve 555-12 and 2026-11-24, 12:30:45, 1/2/3, 10-20-30.",
        "version 1.2.3 or 1.2.3.4.5 and 300.1.1.1",
        "std::vector<int> a::b; dead::beef",
        "127.0.0.1 and ::1 and 0.0.0.0",
        "@decorator def f(x): return x @ y",
        "token = tokenizer.encode(text); password: string; secret: something",
        "sk-learn is a library; ask-me-anything-you-want-to-know",
        "Population 1 400 000 000; ISBN 978-3-16-148410-0; $1,234,567.89",
        "https://example.org:8080/path?x=1#y",
        "The series 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
        "0.1 0.22 0.333 0.4444 0000 0000 0000 0000",
        "素数は 2 3 5 7 です。Сколько будет 12345678?",
        "bearer of good news and basic understanding",
    ],
)
def test_ordinary_text_stays_as_it_is(text):
    mask = Mask()
    assert mask.text(text) == text
    assert not mask.counts


def test_the_same_value_is_the_same_placeholder_in_a_whole_conversation():
    mask = Mask()
    said = mask.value(
        [
            {"role": "user", "content": "a@x.org wrote to b@x.org"},
            {"role": "user", "content": "b@x.org and c@x.org answered"},
        ]
    )
    assert said[0]["content"] == "[EMAIL_1] wrote to [EMAIL_2]"
    assert said[1]["content"] == "[EMAIL_2] and [EMAIL_3] answered"
    assert mask.counts == {"EMAIL": 4}


def test_masking_what_is_masked_changes_nothing():
    text = "\n".join(value for _, value in FOUND)
    once = Mask().text(text)
    assert Mask().text(once) == once
    assert {f"[{kind}_1]" for kind, _ in FOUND} <= set(once.split())


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(FOUND), min_size=1, max_size=6),
    st.text(st.sampled_from("abc ,\n漢é"), max_size=20),
)
def test_no_value_is_left_in_any_text(found, around):
    mask = Mask()
    text = f"{around} " + f" {around} ".join(value for _, value in found) + f" {around}"
    masked = mask.text(text)
    assert not [value for _, value in found if value in masked]
    assert sum(mask.counts.values()) == len(found)
    assert mask.counts.keys() <= KINDS.keys()


@pytest.mark.parametrize("part", ["a", "1", "1 ", "a@", "a.", "-----BEGIN PRIVATE KEY-----", ":", "1:", "(1", "sk-", "eyJ.", "://a:", "'", "tel 1 "])  # fmt: skip
def test_no_text_takes_long(part):
    text = part * (200_000 // len(part))
    begun = time.perf_counter()
    Mask().text(text)
    assert time.perf_counter() - begun < 5
