"""Against a certified provider as a process: its metadata, its keys, their rotation and an outage, over real sockets."""

import time

import pytest
from joserfc.jwk import RSAKey

from doorward.config.identity import Issuer
from doorward.domain.ids import UpstreamId
from doorward.domain.reasons import Refused
from doorward.identity.chain import Chain, Presented
from doorward.identity.tokens.dpop import Proofs
from doorward.identity.tokens.source import AccessTokens, Demand, Registered
from doorward.identity.tokens.trusted import Means, Trust
from doorward.net.addresses import Reach, Rule
from doorward.net.fetch import Fetch
from tests.identity.tokens.mint import Known
from tests.oidc import provider

pytestmark = [pytest.mark.anyio, pytest.mark.peer]

AT = "https://mcp.example.com/mcp"
LOCAL = Rule(Reach.PRIVATE, frozenset({"http", "https"}))


def key(kid: str) -> dict[str, object]:
    return {**RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"}).as_dict(private=True)}


class Door:
    """What knows tokens of one real provider."""

    def __init__(self, url: str, rule: Rule = LOCAL) -> None:
        self.known = Known()
        self.known.add("client:corp:robot", "robot")
        self.later = 0.0
        trust = Trust(Means(lambda _declared: Fetch(rule), lambda _name: None, self.now))
        trust.adopt({"corp": Issuer(url=url, plain_http=True, private=True)}, None)
        tokens = AccessTokens(
            trust, Registered(self.known, lambda: self.known.version), self.resource, Proofs(self.now), Demand.ANY, self.now
        )
        self.chain = Chain([tokens])

    def now(self) -> float:
        return time.time() + self.later

    def resource(self, endpoint: UpstreamId | None) -> str:
        return AT if endpoint is None else f"{AT}/{endpoint}"

    async def agent(self, token: str, endpoint: str | None = None) -> str:
        at = None if endpoint is None else UpstreamId(endpoint)
        return (await self.chain.identified(Presented(f"Bearer {token}", "10.0.0.1", loopback=False, endpoint=at))).agent.id


async def test_tokens_of_a_real_provider_are_known_through_rotation_and_outage() -> None:
    first, second = key("first"), key("second")
    with provider(keys=[first]) as company:
        port = int(company.issuer.rpartition(":")[2])
        door = Door(company.issuer)
        old = company.token_for_robot(AT)
        assert await door.agent(old) == "robot"
        with pytest.raises(Refused):
            await door.agent(old, "git")
        assert await door.agent(company.token_for_robot(f"{AT}/git"), "git") == "robot"
        late = company.token_for_robot(AT)
    assert await door.agent(late) == "robot"
    with provider(keys=[second], port=port) as company:
        new = company.token_for_robot(AT)
        with pytest.raises(Refused) as caught:
            await door.agent(new)
        assert "has no key 'second'" in caught.value.detail
        door.later += 15
        assert await door.agent(new) == "robot"
        with pytest.raises(Refused):
            await door.agent(old)


async def test_an_issuer_at_a_special_address_is_not_asked_unless_that_is_meant() -> None:
    with provider() as company:
        door = Door(company.issuer, Rule())
        with pytest.raises(Refused) as caught:
            await door.agent(company.token_for_robot(AT))
        assert "has no key" in caught.value.detail
