"""For all inputs: without a credential that was verified there is no principal (CVE-2026-59822)."""

import json
from functools import cache
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.reasons import Reason, Refused
from doorward.identity.agent_keys import AgentKeys
from doorward.identity.chain import Chain, Presented
from doorward.identity.registry import Registry
from tests.identity.stores import Draws, Memory
from tests.identity.tokens.mint import EC, NOW, OTHER, House, b64, claims, header, proof, signed, token
from tests.made import Clock

TEXTS = st.text(max_size=40) | st.sampled_from(
    ["", "Bearer", "Bearer ", "DPoP x", "Bearer a.b.c", "Bearer ..", "Bearer dw_x", "Basic YTpi"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
NAMES = ["iss", "aud", "sub", "client_id", "exp", "nbf", "iat", "scope", "groups", "cnf", "act", "fam", "_claim_names", "hasgroups", "typ"]
HEADS = ["alg", "kid", "typ", "crit", "jwk", "b64"]


@cache
def house() -> House:
    made = House()
    anyio.run(made.ready)
    return made


def nobody(presented: Presented) -> None:
    sources = (AgentKeys(Registry(Memory(), Draws(), Clock(NOW)), Clock(NOW)), house().source)
    with pytest.raises(Refused) as caught:
        Chain(sources).identify(presented)
    assert caught.value.reason is Reason.UNAUTHENTICATED


def shown(authorization: str | None, dpop: str | None = None) -> Presented:
    return Presented(authorization, "127.0.0.1", loopback=True, dpop=dpop, request=1)


@given(TEXTS, st.none() | TEXTS)
def test_no_text_is_a_credential(authorization: str, dpop: str | None) -> None:
    nobody(shown(authorization, dpop))


@given(
    st.dictionaries(st.sampled_from(HEADS), JSON, max_size=3),
    st.dictionaries(st.sampled_from(NAMES), JSON, max_size=4),
    st.binary(max_size=80),
)
def test_no_token_that_nobody_signed_is_one(head: dict[str, Any], said: dict[str, Any], signature: bytes) -> None:
    parts = (json.dumps({**header(), **head}).encode(), json.dumps({**claims(), **said}).encode(), signature)
    nobody(shown("Bearer " + ".".join(map(b64, parts))))


@given(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=4))
def test_no_token_that_somebody_else_signed_is_one(said: dict[str, Any]) -> None:
    nobody(shown("Bearer " + signed({**claims(), **said}, key=OTHER)))


@given(st.sampled_from([*NAMES[:4], "exp"]), JSON)
def test_a_token_of_the_issuer_is_as_good_as_its_claims(name: str, value: object) -> None:
    """Signed as it should be, with one claim that says anything: whoever it lets in is the one of whom it speaks."""
    text = signed(claims(**{name: value}))
    try:
        found = house().source.identify(shown(f"Bearer {text}"))
    except Refused:
        return
    assert found is not None
    assert found.agent.id == "claude"
    assert found.subject is None or found.subject.id == f"corp:{value if name == 'sub' else 'alice'}"


@given(st.dictionaries(st.sampled_from(["jti", "htm", "htu", "iat", "ath"]), JSON, max_size=3))
def test_no_proof_of_another_key_is_one(said: dict[str, Any]) -> None:
    bound = token(cnf={"jkt": EC.thumbprint()})
    nobody(shown(f"DPoP {bound}", proof(bound, OTHER, **said)))


@given(st.sampled_from(["htm", "htu", "iat", "ath"]), JSON)
def test_no_proof_that_says_anything_else_is_one(name: str, value: object) -> None:
    bound = token(cnf={"jkt": EC.thumbprint()})
    said: dict[str, Any] = {name: "" if value is None else value}
    nobody(shown(f"DPoP {bound}", proof(bound, EC, **said)))
