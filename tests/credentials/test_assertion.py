"""What an assertion says of a call, and that it says it of no other."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pytest
import rfc8785

from doorward.credentials.assertion import ACCOUNT, TYPE, Assertion, AssertionMint
from doorward.credentials.port import Use
from doorward.domain.actors import Actor, Agent, Subject
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind
from doorward.domain.ids import AgentId, SubjectId, TeamId
from doorward.domain.secret import Secret
from doorward.wire.canonical import sha256
from tests.made import call, principal, target

pytestmark = pytest.mark.anyio

PLAN = Assertion("https://files.example", "Authorization", "https://files.example/mcp", 30)


class Voice:
    """Remembers what it signed."""

    def __init__(self) -> None:
        self.signed: list[tuple[Mapping[str, object], str]] = []
        self.drawn = 0

    def sign(self, claims: Mapping[str, object], typ: str) -> Secret:
        self.signed.append((claims, typ))
        return Secret(f"head.claims{len(self.signed)}.signature")

    def draw(self, count: int) -> bytes:
        self.drawn += 1
        return self.drawn.to_bytes(count, "big")


def mint(voice: Voice, plan: Assertion = PLAN) -> AssertionMint:
    return AssertionMint(plan, voice.sign, lambda: 1_000.9, voice.draw)


async def said(of: Call) -> Mapping[str, object]:
    voice = Voice()
    await mint(voice).mint(Use(of))
    ((claims, typ),) = voice.signed
    assert typ == TYPE
    return claims


async def test_an_assertion_says_who_calls_what_with_which_arguments_for_how_long_and_under_which_receipt() -> None:
    arguments: dict[str, Any] = {"path": "/a", "depth": 1.5}
    of = call(arguments)
    assert await said(of) == {
        "aud": "https://files.example/mcp",
        "iat": 1000,
        "exp": 1030,
        "jti": "AAAAAAAAAAAAAAAB",
        "sub": "claude",
        "agent": "claude",
        "team": "support",
        "receipt": of.id,
        "method": "tools/call",
        "tool": of.target.name,
        "arguments_sha256": sha256(rfc8785.dumps(arguments)),
    }


async def test_it_names_the_person_and_the_chain_that_acts_for_them() -> None:
    helper = Agent(AgentId("helper"), "ada", TeamId("support"), "client")
    by = replace(principal(), subject=Subject(SubjectId("corp:alice"), frozenset()), actors=(Actor("helper", "corp", helper),))
    claims = await said(call(by=by))
    assert (claims["sub"], claims["agent"], claims["act"]) == ("corp:alice", "claude", {"sub": "claude", "act": {"sub": "helper"}})


async def test_a_resource_is_named_by_its_uri_and_a_look_of_the_gateway_names_nothing() -> None:
    read = await said(call({"uri": "file:///a"}, to=replace(target(), kind=Kind.RESOURCE), method="resources/read"))
    look = await said(call(to=replace(target(), kind=Kind.UPSTREAM), method="server/discover"))
    assert (read["resource"], "arguments_sha256" in read) == ("file:///a", False)
    assert not {"tool", "prompt", "resource", "arguments_sha256"} & look.keys()


async def test_each_call_has_an_assertion_of_its_own_that_nobody_keeps() -> None:
    voice = Voice()
    made = mint(voice)
    one, other = await made.mint(Use(call())), await made.mint(Use(call()))
    assert (made.holder(Use(call())), one.seconds, one.account) == (None, 30.0, ACCOUNT)
    assert one.headers == (("Authorization", Secret("Bearer head.claims1.signature")),)
    assert other.headers == (("Authorization", Secret("Bearer head.claims2.signature")),)
    assert one.secrets == other.secrets == (Secret("head."),)
    assert voice.signed[0][0]["jti"] != voice.signed[1][0]["jti"]


async def test_in_a_header_of_its_own_it_stands_alone() -> None:
    made = await mint(Voice(), msgspec.structs.replace(PLAN, header="X-Doorward-Call")).mint(Use(call()))
    assert made.headers == (("X-Doorward-Call", Secret("head.claims1.signature")),)
