"""Who an ID token speaks of: names and groups by the habits of providers, and groups that are never taken for none."""

from typing import Any

import pytest

from doorward.config.identity import Claims
from doorward.identity.sign_in import OVERAGE
from tests.identity.fake_provider import FakeProvider
from tests.identity.signing_in import ALICE, NOW, claims, client, refusal, signed_in, subject
from tests.made import Clock

pytestmark = pytest.mark.anyio


@pytest.fixture
def company() -> FakeProvider:
    return FakeProvider(Clock(NOW))


async def test_groups_that_the_id_token_leaves_out_are_asked_for(company: FakeProvider) -> None:
    company.in_token = frozenset()
    assert await signed_in(client(company), company, **ALICE) == subject("alice", "sales", "ops")
    assert company.asked[-1] == "/userinfo"
    assert await signed_in(client(company), company, sub="bob") == subject("bob")


async def test_the_groups_of_somebody_else_are_not_mixed_in(company: FakeProvider) -> None:
    company.in_token = frozenset()
    company.userinfo = lambda said: {**said, "sub": "admin"}
    assert "somebody else" in str(await refusal(client(company), company))


async def test_presets_say_where_people_and_groups_are(company: FakeProvider) -> None:
    entra = client(company, preset="entra")
    assert await signed_in(entra, company, sub="pairwise", oid="o-1", groups=["g-1"]) == subject("o-1", "g-1")
    assert await signed_in(entra, company, sub="pairwise", oid="o-1") == subject("o-1")
    company.in_token |= {"team", "mail"}
    named = client(company, claims=Claims(subject=("mail", "sub"), groups=("team", "groups")))
    assert await signed_in(named, company, sub="x", mail="a@b.c", team="one", groups=["two", ""]) == subject("a@b.c", "one", "two")
    assert await signed_in(named, company, sub="x", team=["one"]) == subject("x", "one")
    assert "/userinfo" not in company.asked


@pytest.mark.parametrize(
    "sign",
    [{"_claim_names": {"groups": "src1"}, "_claim_sources": {}}, {"hasgroups": True}, {"hasgroups": "true"}, {"_claim_names": "src1"}],
)
async def test_groups_that_entra_left_out_for_their_number_are_never_taken_for_none(company: FakeProvider, sign: dict[str, Any]) -> None:
    company.forge = claims(**sign)
    company.in_token = frozenset()
    refused = await refusal(client(company, preset="entra", claims=Claims(subject=("sub",))), company)
    assert refused.public == OVERAGE


@pytest.mark.parametrize("groups", [["sales", 3], {"sales": True}, 7, ["x" * 257]])
async def test_groups_in_a_form_that_is_not_known_are_not_left_out_in_silence(company: FakeProvider, groups: object) -> None:
    company.forge = claims(groups=groups)
    assert "in a form that is not known" in (await refusal(client(company), company)).public


async def test_hundreds_of_groups_are_still_told(company: FakeProvider) -> None:
    groups = [f"{number:08x}-0000-0000-0000-000000000000" for number in range(500)]
    assert await signed_in(client(company), company, **{**ALICE, "groups": groups}) == subject("alice", *groups)


async def test_groups_that_userinfo_leaves_out_are_never_taken_for_none_either(company: FakeProvider) -> None:
    company.in_token = frozenset()
    company.userinfo = lambda said: {"sub": said["sub"], "_claim_names": {"groups": "src1"}}
    assert (await refusal(client(company), company)).public == OVERAGE


async def test_more_groups_than_can_be_meant_are_refused_whole(company: FakeProvider) -> None:
    company.forge = claims(groups=[f"g{number}" for number in range(1001)])
    assert "more groups" in (await refusal(client(company), company)).public
