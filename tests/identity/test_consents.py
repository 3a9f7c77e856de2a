"""A remembered consent spares the question for exactly what was approved, and nowhere else."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.actors import Subject
from doorward.domain.ids import SubjectId
from doorward.identity.authority.port import Asked, Origin
from doorward.identity.consents import MOST_PER_PERSON, Consent, Consents
from doorward.stores.memory_consents import MemoryConsents
from tests.made import Clock

pytestmark = pytest.mark.anyio

SECONDS = 1000.0
ALICE = Subject(SubjectId("corp:alice"), frozenset({"corp:sales"}))
ASKED = Asked(
    "https://c.example/id", "C", Origin.DOCUMENT, "https://c.example/back", "s", ("mcp:a", "mcp:b"), "https://g/mcp", "c" * 43, ""
)
LOOPBACK = ("http://127.0.0.1/back", "http://127.0.0.1:1/back", "http://localhost:2/", "http://[::1]:3/back", "https://localhost/back")


def consents(clock: Clock | None = None) -> Consents:
    return Consents(MemoryConsents(), clock or Clock(), SECONDS)


async def test_approval_is_remembered_for_its_time() -> None:
    clock = Clock()
    known = consents(clock)
    assert not await known.covers(ALICE, ASKED)
    await known.remember(ALICE, ASKED)
    clock.at += SECONDS - 1
    assert await known.covers(ALICE, ASKED)
    clock.at += 1
    assert not await known.covers(ALICE, ASKED)


async def test_approvals_of_one_client_add_up_while_they_last() -> None:
    clock = Clock()
    known = consents(clock)
    for scopes in (("mcp:a",), ("mcp:b",)):
        await known.remember(ALICE, msgspec.structs.replace(ASKED, scopes=scopes))
    assert await known.covers(ALICE, ASKED)
    clock.at += SECONDS
    await known.remember(ALICE, msgspec.structs.replace(ASKED, scopes=("mcp:b",)))
    assert not await known.covers(ALICE, ASKED)


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "client_id": st.just("https://d.example/id"),
        "client_name": st.just("D"),
        "origin": st.sampled_from([Origin.REGISTERED, Origin.DECLARED]),
        "redirect_uri": st.sampled_from(["https://c.example/other", "https://c.example:444/back", "https://c.example/back?x=1", *LOOPBACK]),
        "scopes": st.sampled_from([("mcp",), ("mcp:a", "mcp:b", "mcp:c"), ("mcp:a",)]),
        "resource": st.just("https://g/mcp/git"),
        "state": st.just("other"),
        "code_challenge": st.just("d" * 43),
        "dpop_jkt": st.just("k"),
    },
)
SPARED = {"state", "code_challenge", "dpop_jkt"}


@given(CHANGES)
async def test_only_what_belongs_to_one_request_alone_may_differ(change: dict[str, object]) -> None:
    known = consents()
    await known.remember(ALICE, ASKED)
    asked = msgspec.structs.replace(ASKED, **change)
    changed = {name for name in change if name not in SPARED and not (name == "scopes" and asked.scopes == ("mcp:a",))}
    assert await known.covers(ALICE, asked) is (not changed)
    assert not await known.covers(replace(ALICE, id=SubjectId("corp:bob")), asked)


def test_every_field_of_a_request_is_thought_of() -> None:
    named = {"client_id", "client_name", "origin", "redirect_uri", "scopes", "resource"}
    assert {*Asked.__annotations__} == named | SPARED


@pytest.mark.parametrize("uri", LOOPBACK)
async def test_approval_of_a_program_on_the_own_machine_is_kept_and_never_spares_the_question(uri: str) -> None:
    known = consents()
    await known.remember(ALICE, msgspec.structs.replace(ASKED, redirect_uri=uri))
    assert not await known.covers(ALICE, msgspec.structs.replace(ASKED, redirect_uri=uri))
    assert len(await known.of("corp:alice")) == 1


async def test_ports_of_the_own_machine_make_no_rows() -> None:
    known = consents()
    for port in range(1, 300):
        await known.remember(ALICE, msgspec.structs.replace(ASKED, redirect_uri=f"http://127.0.0.1:{port}/back?x=127.0.0.1:1"))
    (consent,) = await known.of("corp:alice")
    assert consent == Consent(
        "corp:alice", ASKED.client_id, "http://127.0.0.1/back?x=127.0.0.1:1", ASKED.resource, ASKED.scopes, "C", "document", 1_000_000.0
    )


async def test_what_one_person_makes_us_remember_is_bounded() -> None:
    known = consents()
    for number in range(MOST_PER_PERSON + 10):
        await known.remember(ALICE, msgspec.structs.replace(ASKED, client_id=f"https://c.example/{number}"))
    assert len(await known.of("corp:alice")) == MOST_PER_PERSON


async def test_withdrawn_consents_are_gone() -> None:
    known, bob = consents(), replace(ALICE, id=SubjectId("corp:bob"))
    for subject in (ALICE, bob):
        await known.remember(subject, ASKED)
    assert len(await known.withdraw("corp:alice", ASKED.client_id)) == 1
    assert (await known.covers(ALICE, ASKED), await known.covers(bob, ASKED)) == (False, True)
    assert len(await known.withdraw_client(ASKED.client_id)) == 1
    assert await known.withdraw_subject("corp:bob") == ()
