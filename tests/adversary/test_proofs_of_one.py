"""One agent with many keys fills no more of the room for DPoP proofs than one with a single key: others are still let in."""

from __future__ import annotations

import pytest
from joserfc.jwk import ECKey

from doorward.domain.reasons import Refused
from doorward.identity.tokens.dpop import Proofs
from doorward.identity.tokens.source import AccessTokens, Demand, Registered
from tests.identity.tokens.mint import House, proof, thumbprint, token

pytestmark = pytest.mark.anyio

ROOM = 64


async def test_many_keys_of_one_holder_lock_nobody_else_out() -> None:
    house = await House().ready()
    house.known.add("client:corp:robot", "robot")
    proofs = Proofs(house.clock, ROOM)
    registered = Registered(house.known, lambda: house.known.version)
    house.source = AccessTokens(house.trust, registered, house.audience, proofs, Demand.ANY, house.clock)
    taken = 0
    for number in range(16):
        key = ECKey.generate_key("P-256")
        bound = token(cnf={"jkt": thumbprint(key)}, client_id="robot", sub="robot", jti=f"t{number}")
        for attempt in range(8):
            try:
                house.identified(bound, "DPoP", dpop=proof(bound, key, jti=f"{number}-{attempt}"))
            except Refused:
                continue
            taken += 1
    mine = ECKey.generate_key("P-256")
    text = token(cnf={"jkt": thumbprint(mine)})
    assert house.identified(text, "DPoP", dpop=proof(text, mine)).id == "claude/corp:alice"
    assert taken == ROOM // 8
