"""What can be stopped: read from what operators write, and found in what a call touches."""

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.admission import matters
from doorward.admission.matters import EVERYTHING, Matter, MatterKind, StopError, parse, told, written
from doorward.domain.actors import ALL_SCOPES, Actor, AuthnMethod, Bound, Principal, Proof, Subject
from doorward.domain.catalog import Kind
from doorward.domain.ids import AgentId, SessionId, SubjectId
from tests.made import call, principal, target

THUMBPRINT = "q" * 43
PROOF = Proof(ALL_SCOPES, "self", "cli", "fam1", THUMBPRINT, Bound.DPOP)
TOKEN = replace(
    principal("helper", method=AuthnMethod.ACCESS_TOKEN, key="hash"),
    subject=Subject(SubjectId("corp:alice"), frozenset()),
    actors=(Actor("planner-client", "self", principal("planner").agent), Actor("boss-client", "corp", principal("boss").agent)),
    proof=PROOF,
)


def names(who: Principal) -> set[str]:
    return {written(Matter(*one)) for one in matters.of_principal(who)}


def test_a_token_is_caught_by_whatever_it_was_verified_by_and_by_everybody_in_its_chain() -> None:
    assert names(TOKEN) == {
        "all",
        "agent:helper",
        "user:corp:alice",
        "issuer:corp",
        "issuer:self",
        "client:self:cli",
        "family:fam1",
        f"certificate:{THUMBPRINT}",
        "agent:planner",
        "client:self:planner-client",
        "agent:boss",
        "client:corp:boss-client",
    }


def test_a_key_is_caught_by_agent_and_key_and_on_a_connection_with_a_certificate_by_that() -> None:
    assert names(principal()) == {"all", "agent:claude", "key:key1"}
    assert names(replace(principal(), proof=Proof(ALL_SCOPES, certificate=THUMBPRINT))) == {
        "all",
        "agent:claude",
        "key:key1",
        f"certificate:{THUMBPRINT}",
    }


def test_a_call_is_caught_by_its_target_and_session_too() -> None:
    made = replace(call(by=principal(), to=target("git", "commit")), session=SessionId("s1"))
    assert {written(matter) for matter in matters.matters(made)} == names(principal()) | {
        "upstream:git",
        "tool:git/commit",
        "session:s1",
    }
    prompt = call(by=principal(), to=target("git", "commit", Kind.PROMPT))
    assert {written(matter) for matter in matters.matters(prompt)} == names(principal()) | {"upstream:git"}


@pytest.mark.parametrize(
    ("text", "matter"),
    [
        ("user:corp:alice", Matter(MatterKind.USER, "corp:alice")),
        ("user:corp:https://idp/x:y", Matter(MatterKind.USER, "corp:https://idp/x:y")),
        ("client:self:https://client.example/id.json", Matter(MatterKind.CLIENT, "self:https://client.example/id.json")),
        ("issuer:corp", Matter(MatterKind.ISSUER, "corp")),
        ("family:f1", matters.family("f1")),
        ("session:s1", matters.session(SessionId("s1"))),
        (f"certificate:{THUMBPRINT}", Matter(MatterKind.CERTIFICATE, THUMBPRINT)),
    ],
)
def test_what_an_operator_writes_is_read_and_written_again(text: str, matter: Matter) -> None:
    assert (parse(text), written(matter)) == (matter, text)


@given(st.binary(min_size=32, max_size=32), st.booleans())
def test_a_certificate_is_known_by_its_fingerprint_as_openssl_prints_it(digest: bytes, upper: bool) -> None:
    thumbprint = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    plain = digest.hex().upper() if upper else digest.hex()
    for text in (thumbprint, plain, ":".join(plain[i : i + 2] for i in range(0, 64, 2))):
        assert parse(f"certificate:{text}") == Matter(MatterKind.CERTIFICATE, thumbprint)


@pytest.mark.parametrize(
    "text",
    [
        "user:alice",
        "user:corp:",
        "user::alice",
        "client:abc",
        "issuer:",
        "family",
        "certificate:abc",
        "certificate:" + "q" * 44,
        "session:",
    ],
)
def test_what_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(StopError):
        parse(text)


@given(st.sampled_from(list(MatterKind)), st.text(min_size=1).filter(lambda name: not name.startswith((":", "/")) and name[-1] not in ":/"))
def test_reading_what_was_written_gives_the_same(kind: MatterKind, name: str) -> None:
    wanted = {
        MatterKind.USER: f"i:{name}",
        MatterKind.CLIENT: f"i:{name}",
        MatterKind.TOOL: f"u/{name}",
        MatterKind.CERTIFICATE: THUMBPRINT,
    }
    matter = EVERYTHING if kind is MatterKind.ALL else Matter(kind, wanted.get(kind, name))
    assert parse(written(matter)) == matter


def test_a_person_is_not_named_in_clear() -> None:
    assert told(Matter(MatterKind.USER, "corp:ann@example.com")) == "the user"
    assert told(matters.agent(AgentId("claude"))) == "agent 'claude'"
    assert told(EVERYTHING) == "everything"
