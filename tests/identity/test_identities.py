"""Names that credentials prove: one text for each, and nothing that could be read in two ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from doorward.identity.identities import Identity, IdentityError, IdentityKind, client, misnamed, parse, shown

LABEL = some.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
HOST = some.lists(LABEL, min_size=1, max_size=4).map(".".join)
VISIBLE = some.text(some.characters(min_codepoint=33, max_codepoint=0x2FF).filter(str.isprintable), min_size=1, max_size=40)
SEGMENT = some.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)
IDENTITIES = some.one_of(
    some.builds(client, LABEL, VISIBLE),
    some.builds(Identity, some.just(IdentityKind.DNS), some.just(""), HOST),
    some.builds(
        lambda host, path: Identity(IdentityKind.SPIFFE, "", f"spiffe://{host}/{'/'.join(path)}"),
        HOST,
        some.lists(SEGMENT, min_size=1, max_size=4),
    ),
    some.builds(lambda name: Identity(IdentityKind.SUBJECT, "", f"CN={name}"), VISIBLE),
)


@given(IDENTITIES)
def test_what_is_written_is_read_again_as_the_same(identity: Identity) -> None:
    assert misnamed(identity) is None
    assert parse(str(identity)) == identity


@given(IDENTITIES, IDENTITIES)
def test_different_identities_have_different_texts(one: Identity, other: Identity) -> None:
    assert (str(one) == str(other)) == (one == other)


def test_a_spiffe_id_may_stand_alone() -> None:
    assert parse("spiffe://example.org/a") == parse("spiffe:spiffe://example.org/a")
    assert parse("client:corp:https://example.org/a:b") == client("corp", "https://example.org/a:b")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "client:abc",
        "client::abc",
        "client:corp:",
        "client:corp: abc",
        "client:corp:a\nb",
        "client:corp:" + "a" * 2049,
        "key:abc",
        "CLIENT:corp:abc",
        "spiffe:example.org/a",
        "spiffe://example.org",
        "spiffe://example.org/",
        "spiffe://example.org/a/",
        "spiffe://example.org//a",
        "spiffe://example.org/a/../b",
        "spiffe://example.org/a/.",
        "spiffe://Example.org/a",
        "spiffe://example.org:8443/a",
        "spiffe://user@example.org/a",
        "spiffe://example.org/a?b",
        "spiffe://example.org/a#b",
        "spiffe://example.org/%61",
        "spiffe:///a",
        "dns:",
        "dns:*.example.org",
        "dns:Example.org",
        "dns:example..org",
        "dns:example.org.",
        "dns:-a.example.org",
        "dns:exa mple.org",
        "subject:one",
    ],
)
def test_what_names_no_identity_is_not_read(text: str) -> None:
    with pytest.raises(IdentityError) as caught:
        parse(text)
    assert "\n" not in str(caught.value)


def test_a_name_from_outside_is_shown_on_one_line_and_cut() -> None:
    assert shown(client("corp", "a\nb")) == "'client:corp:a\\nb'"
    assert len(shown(client("corp", "a" * 5000))) < 220
