"""Recipients: as every mailer reads them, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.policy.facts.email import Email
from tests.policy.facts.deriving import derived


@pytest.mark.parametrize(
    ("written", "addresses"),
    [
        ("ann@example.com", ["ann@example.com"]),
        ("Ann.Lee+x@Example.COM", ["ann.lee+x@example.com"]),
        ("Ann Lee <ann@example.com>", ["ann@example.com"]),
        ('"Lee" <ann@example.com>', ["ann@example.com"]),
        ("<ann@example.com>", ["ann@example.com"]),
        ("ann@a.example, Bob <bob@b.example>,cy@c.example", ["ann@a.example", "bob@b.example", "cy@c.example"]),
        ('"ann"@example.com', ["ann@example.com"]),
        ("ann@bücher.example", ["ann@xn--bcher-kva.example"]),
        ("Zoë Müller <z@example.com>", ["z@example.com"]),
    ],
)
def test_recipients_are_read_one_by_one(written: str, addresses: list[str]) -> None:
    domains = sorted({address.partition("@")[2] for address in addresses})
    assert derived(Email(), written) == {"addresses": addresses, "domains": domains, "count": len(addresses)}


@pytest.mark.parametrize(
    "written",
    [
        "",
        "ann",
        "@example.com",
        "ann@",
        "ann@@example.com",
        "ann@good.example@evil.example",
        "a@good.example,,b@evil.example",
        "a@good.example,",
        "a@good.example;b@evil.example",
        "a@good.example b@evil.example",
        '"a@good.example" <b@evil.example>',
        "a@good.example <b@evil.example>",
        "ann@good.example(@evil.example)",
        "(comment)ann@example.com",
        "friends: ann@example.com;",
        "<@relay.example:ann@example.com>",
        '"ann@evil.example,"@good.example',
        '"ann lee"@example.com',
        "ann%evil.example@good.example",
        "evil.example!ann@good.example",
        "=?utf-8?q?ann=40evil.example=3e?=@good.example",
        "ann@[10.0.0.1]",
        "ann@10.0.0.1",
        "ann@example.com.",
        "ann@example.com\nBcc: b@evil.example",
        "ann..lee@example.com",
        ".ann@example.com",
        "ann@exa mple.com",
        "ann@example.com\u202e",
        "a" * 65 + "@example.com",
        "<ann@example.com",
        "ann@example.com>",
        7,
    ],
)
def test_recipients_that_are_not_clear_are_not_read(written: object) -> None:
    assert derived(Email(), written) is None


def test_a_list_is_read_like_its_elements_together() -> None:
    assert Email().many(["a@x.example,b@y.example", "A@x.example"]) == {
        "addresses": ["a@x.example", "b@y.example"],
        "domains": ["x.example", "y.example"],
        "count": 2,
    }
    assert Email().many([]) == {"addresses": [], "domains": [], "count": 0}


PIECES = [
    "ann",
    "@",
    "good.example",
    "evil.example",
    ",",
    ";",
    "<",
    ">",
    '"',
    " ",
    "(",
    ")",
    "\\",
    "%",
    "!",
    ":",
    "=?",
    "?=",
    "[",
    "]",
    ".",
    "é",
]


@given(st.one_of(st.text(max_size=30), st.lists(st.sampled_from(PIECES), max_size=12).map("".join)))
def test_no_domain_that_a_text_names_is_passed_over(written: str) -> None:
    found = derived(Email(), written)
    if isinstance(found, dict):
        assert written.count("@") == sum(1 for part in written.split(",") if "@" in part)
        assert {domain for domain in ("good.example", "evil.example") if f"@{domain}" in written} <= set(found["domains"])


def test_many_recipients_take_time_that_grows_with_them_alone() -> None:
    assert derived(Email(), "ann@example.com," * 2_000) is None
    assert derived(Email(), "a " * 30_000) is None
    assert derived(Email(), '"' + "a" * 60_000) is None
