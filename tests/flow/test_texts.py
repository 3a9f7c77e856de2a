"""What of a text could lead somewhere, and that rewriting it does not lose that."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.flow.index import leaves
from doorward.flow.texts import asked, seen

REWRITTEN = [
    ("mallory@evil.example", "MALLORY@EVIL.EXAMPLE"),
    ("Mallory <mallory@evil.example>,", "mailto:mallory@evil.example"),
    ("mallory@evil.example", "mallory+news@evil.example."),
    ("mallory@evil.example", "mallory%40evil.example"),
    ("mallory@evil.example", "mallory%2540evil.example"),
    ("mallory@evil.example", "mal\u200blory@evil\u00ad.example"),
    ("mallory@evil.example", "ｍａｌｌｏｒｙ＠ｅｖｉｌ．ｅｘａｍｐｌｅ"),
    ("mallory@bücher.example", "mallory@xn--bcher-kva.example"),
    ("to/mallory@evil.example", "mallory@evil.example"),
    ("mallory@evil.example/about", "https://evil.example"),
    ("https://docs.example/d/1AbC9dEfGh/edit", "1AbC9dEfGh"),
    ("https://evil.example/a", "HTTP://EVIL.example./a/"),
    ("see evil.example for more", "https://user:key@www.evil.example:8443/other?x=1#y"),
    ("https://evil.example/a", "https://c2VjcmV0.data.evil.example/"),
    ("https://host.example/mallory/repo", "git clone https://host.example/mallory/repo/tree/main"),
    ("https://b\u00fccher.example", "http://xn--bcher-kva.example/x"),
    ("https://evil.example/a b", "https://evil.example/a%20b"),
    ("DE89 3704 0044 0532 0130 00", "de89370400440532013000"),
    ("IBAN: DE89370400440532013000.", "DE89-3704-0044-0532-0130-00"),
    ("pay GB29 NWBK 6016 1331 9268 19 now", "GB29NWBK60161331926819"),
    ("to US13 3000 0001 2121 2121 2121 2 50 times", "US1330000001212121212121 2".replace(" ", "")),
    ("call +49 (30) 123-4567 today", "030 1234567"),
    ("call 0049 30 1234567", "+49301234567"),
    ("account 12-345-678", "12345678"),
    ("/home/ada/.ssh/id_rsa", "/home/ada//./.ssh/id_rsa"),
    ("C:\\Users\\ada\\keys.txt", "C:/Users/ada/keys.txt"),
    ("id 550e8400-e29b-41d4-a716-446655440000", "{550E8400E29B41D4A716446655440000}"),
    ("the file is landlord-notices.txt", "Landlord-Notices.txt"),
    ("post it in #general", "general"),
    ("ask @mallory there", "Mallory"),
    ('{"to": "mallory@evil.example\\nHello", "x": 1}', "mallory@evil.example"),
    ("请发送到mallory@evil.example。谢谢", "mallory@evil.example"),
    ("\U0001f449evil.example/collect", "https://evil.example/collect?q=secret"),
    ("\U0001f449mallory@evil.example", "mallory@evil.example"),
    ("口座番号はDE89370400440532013000です", "DE89370400440532013000"),
    ("post it to→evil.example/x—now", "https://evil.example/x"),
    ("post it to:evil.example/collect", "https://evil.example/collect?d=1"),
    ("IBAN:DE89370400440532013000", "DE89 3704 0044 0532 0130 00"),
    ("mallory\\_x@evil\\.example", "mallory_x@evil.example"),
    ("evil\uff61example", "evil.example"),
    ("mal\u034flory@evil.example", "mallory@evil.example"),
    ("mal\u3164lory@evil.example", "mallory@evil.example"),
    ("https://evil.example/x", "https://evil.example/c/https://handbook.corp.example/"),
    ("https://evil.example/x", "evil.example/@handbook.corp.example"),
    ("https://203.0.113.7/x", "http://3405803783/y"),
    ("https://203.0.113.7/x", "http://0xcb007107/y"),
    ('say "https:\\/\\/evil.example\\/a" twice', "https://evil.example/a"),
]


@pytest.mark.parametrize(("shown", "written"), REWRITTEN)
def test_what_leads_to_the_same_place_is_found_again(shown: str, written: str) -> None:
    assert seen(shown) & asked(written)


APART = [
    ("mallory@evil.example", "mallory@good.example"),
    ("bob@corp.example wrote", "ada@corp.example"),
    ("https://host.example/mallory/repo", "https://host.example.org/ada/repo"),
    ("on 2026-11-21 at 10:30", "2026-11-21"),
    ("it costs 12 in 2024", "12"),
    ("DE89 3704 0044 0532 0130 00", "DE02120300000000202051"),
    ("please send the report to everybody", "everybody"),
    ("an ordinary sentence about files and people", "another sentence about files, and people"),
]


@pytest.mark.parametrize(("shown", "written"), APART)
def test_what_leads_elsewhere_is_not_taken_for_it(shown: str, written: str) -> None:
    assert not seen(shown) & asked(written)


def test_plain_words_lead_nowhere() -> None:
    assert seen("Good morning! Shall we meet at noon, or rather at two?") == set()
    assert asked("Good morning all of you") == set()


def test_a_table_of_numbers_is_not_read_as_one_number() -> None:
    assert seen(" ".join(str(number) for number in range(10, 60))) == set()


def test_names_are_cut_alike_however_long_they_go_on() -> None:
    long = f"https://evil.example/{'a' * 5_000}"
    assert seen(long) & asked(f"{long}b")
    assert all(len(name) <= 512 for name in seen(long))


_WORDS = st.text(st.characters(codec="utf-8"), max_size=40)


@given(before=_WORDS, after=_WORDS, mailbox=st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,8})?", fullmatch=True))
def test_an_address_is_found_wherever_it_stands_alone(before: str, after: str, mailbox: str) -> None:
    address = f"{mailbox}@evil.example"
    assert seen(f"{before} <{address}> {after}".replace("%", "")) & asked(address)


@given(st.lists(st.integers(0, 9999), min_size=3, max_size=8), st.sampled_from([" ", "-", ".", " - "]))
def test_groups_of_digits_are_one_number_however_they_are_set(groups: list[int], apart: str) -> None:
    written = [f"{group:04}" for group in groups]
    assert seen(f"pay {apart.join(written)} now") & asked("".join(written))


@given(st.binary(min_size=12, max_size=40))
def test_an_opaque_token_is_found_again_in_another_sentence(raw: bytes) -> None:
    token = base64.urlsafe_b64encode(raw).decode().rstrip("=").strip("-_")
    if any(map(str.isdigit, token)) or sum(map(str.isalnum, token)) >= 20:
        assert seen(f"your code is {token}.") & asked(f"code={token}")


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert seen(text) <= asked(text)


def test_every_text_and_id_has_its_pointer() -> None:
    value = {"a": ["x", {"b/c": "y", "d~": 1}], "7": 1_234_567, "n": True, "m": None, "e": 12.5}
    assert list(leaves(value)) == [
        ("/7", "7"),
        ("/a/0", "x"),
        ("/a/1/b~1c", "b/c"),
        ("/a/1/d~0", "d~"),
        ("/a/1/b~1c", "y"),
        ("/7", "1234567"),
    ]
