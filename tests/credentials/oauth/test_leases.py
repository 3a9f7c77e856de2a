"""Tokens through the broker: whose they are whatever happens at once, how often a server is asked, and what an outage changes."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from doorward.credentials.broker import PAUSE_SECONDS, Broker, Sources
from doorward.credentials.fingerprints import Fingerprints
from doorward.credentials.minting import NoMint
from doorward.credentials.oauth.mints import OAuthMint, Parted
from doorward.credentials.oauth.plans import OAuth
from doorward.credentials.plan import ForPeople, Nothing
from doorward.credentials.port import Use
from doorward.domain.ids import UpstreamId
from doorward.domain.reasons import Reason, Refused
from doorward.identity.own import own
from tests.credentials.oauth.authority import CRM, PLAN, SECRET, URL, Authority, Form, person, use
from tests.credentials.oauth.test_mints import BEARER, BEHALF, EXCHANGE, VOUCHED
from tests.made import Clock, principal

pytestmark = pytest.mark.anyio

UPSTREAM = UpstreamId("crm")
SIGNED = replace(EXCHANGE, subject=VOUCHED)


@dataclass(slots=True)
class House:
    """A broker in front of one server, and the time."""

    provider: Authority
    plan: OAuth = PLAN
    clock: Clock = field(default_factory=lambda: Clock(0.0))
    wall: Clock = field(default_factory=Clock)
    fingerprints: Fingerprints = field(default_factory=lambda: Fingerprints(b"k" * 32))
    broker: Broker = field(init=False)

    def __post_init__(self) -> None:
        mint = OAuthMint(self.plan, replace(self.provider.means(self.wall), monotonic=self.clock))
        made = mint if self.plan is PLAN else Parted(mint, NoMint())
        of = PLAN if self.plan is PLAN else ForPeople(CRM, self.plan, Nothing(CRM))  # type: ignore[arg-type]
        sources = Sources(lambda upstream, plan: made, self.fingerprints, self.clock, self.wall, lambda: "lease")
        self.broker = Broker({UPSTREAM: of}, sources)

    async def shown(self, of: Use) -> str:
        """What the upstream is shown for a use; empty for nothing."""
        headers = (await self.broker.lease(of)).headers
        return headers[0][1].reveal() if headers else ""

    async def refusal(self, of: Use) -> Refused:
        with pytest.raises(Refused) as caught:
            await self.broker.lease(of)
        return caught.value

    def passes(self, seconds: float) -> None:
        self.clock.at += seconds
        self.wall.at += seconds


def whose(form: Form) -> tuple[int, Any]:
    """A token that says whose it is: by what was presented, or signed."""
    told = form.get("subject_token") or form["assertion"]
    name = told if not told.startswith("{") else f"{json.loads(told)['act']['sub']}/{json.loads(told)['sub']}"
    return 200, {"access_token": f"for:{name}", "token_type": "Bearer", "expires_in": 60}


@dataclass(frozen=True, slots=True)
class Step:
    """One call of somebody, after some time; a server that is slow lets others in between."""

    person: str
    agent: str
    token: int
    seconds: float
    yields: int


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(["alice", "bob"]),
        st.sampled_from(["claude", "robot"]),
        st.integers(0, 1),
        st.sampled_from([0.0, 0.5, 30.0, 61.0]),
        st.integers(0, 4),
    ),
    min_size=2,
    max_size=24,
)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.sampled_from([EXCHANGE, BEHALF, BEARER, SIGNED]), st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_nobody_is_ever_given_a_token_of_somebody_else(steps: Sequence[Step], plan: OAuth, waits: Sequence[int]) -> None:
    is_presented = plan in (EXCHANGE, BEHALF)

    async def slow(form: Form) -> tuple[int, Any]:
        for _ in range(waits[len(provider.forms) % len(waits)]):
            await asyncio.sleep(0)
        return whose(form)

    provider = Authority(answer=slow)

    async def one(house: House, step: Step) -> tuple[str, str]:
        for _ in range(step.yields):
            await asyncio.sleep(0)
        token = f"{step.person}-{step.agent}-{step.token}"
        by = person(step.person, step.agent, token=token)
        wanted = token if is_presented else f"{step.agent}/corp:{step.person}"
        try:
            return f"Bearer for:{wanted}", await house.shown(use(by, token))
        except Refused:
            # Time went on so far while it was asked for that it had ended.
            return "", ""

    async def all_of_them() -> list[tuple[str, str]]:
        house = House(provider, plan)
        running = []
        for step in steps:
            house.passes(step.seconds)
            running.append(asyncio.ensure_future(one(house, step)))
            await asyncio.sleep(0)
        return await asyncio.gather(*running)

    for wanted, got in asyncio.run(all_of_them()):
        assert got == wanted


@pytest.mark.parametrize("plan", [PLAN, SIGNED])
async def test_a_slow_server_is_asked_once_for_a_hundred_who_wait(plan: OAuth) -> None:
    house = House(Authority(gate=asyncio.Event()), plan)
    by = principal() if plan is PLAN else person()
    waiting = [asyncio.ensure_future(house.shown(use(by))) for _ in range(100)]
    for _ in range(20):
        await asyncio.sleep(0)
    assert house.provider.gate is not None
    house.provider.gate.set()
    assert len(set(await asyncio.gather(*waiting))) == 1
    assert house.provider.asked == ["/.well-known/openid-configuration", "/token"]


async def test_one_who_gives_up_does_not_take_the_token_from_those_who_wait() -> None:
    house = House(Authority(gate=asyncio.Event()))
    first, second = (asyncio.ensure_future(house.shown(use())) for _ in range(2))
    for _ in range(20):
        await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    assert house.provider.gate is not None
    house.provider.gate.set()
    assert await second == "Bearer token-own"
    assert house.provider.asked.count("/token") == 1


async def test_a_token_is_renewed_before_its_end_and_the_old_one_goes_on_through_an_outage() -> None:
    house = House(Authority())
    house.provider.answer = lambda form: (200, {"access_token": f"t{len(house.provider.forms)}", "token_type": "Bearer", "expires_in": 300})
    assert await house.shown(use()) == "Bearer t1"
    house.passes(250)
    house.provider.is_down = True
    assert await house.shown(use()) == "Bearer t1"
    await _settled()
    house.passes(40)
    assert await house.shown(use()) == "Bearer t1"
    await _settled()
    house.passes(20)
    refused = await house.refusal(use())
    assert (refused.reason, refused.detail) == (Reason.NO_CREDENTIAL, "upstream crm: nobody answers")
    house.provider.is_down = False
    assert (await house.refusal(use())).reason is Reason.NO_CREDENTIAL
    house.passes(PAUSE_SECONDS)
    assert await house.shown(use()) == "Bearer t2"


async def test_a_hundred_calls_at_the_moment_of_renewal_ask_for_one_token_and_wait_for_none() -> None:
    house = House(Authority())
    house.provider.answer = lambda form: (200, {"access_token": f"t{len(house.provider.forms)}", "token_type": "Bearer", "expires_in": 300})
    await house.shown(use())
    house.passes(250)
    house.provider.gate = asyncio.Event()
    assert set(await asyncio.gather(*(house.shown(use()) for _ in range(100)))) == {"Bearer t1"}
    house.passes(2)
    assert set(await asyncio.gather(*(house.shown(use()) for _ in range(100)))) == {"Bearer t1"}
    await _settled()
    house.provider.gate.set()
    await _settled()
    assert set(await asyncio.gather(*(house.shown(use()) for _ in range(100)))) == {"Bearer t2"}
    assert len(house.provider.forms) == 2


async def test_an_outage_is_not_made_worse_by_those_who_wait() -> None:
    house = House(Authority(is_down=True))
    for _ in range(50):
        await house.refusal(use())
    assert len(house.provider.asked) == 1


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
async def test_a_clock_that_jumps_makes_no_token_live_longer_than_it_was_given_for(jump: float) -> None:
    house = House(Authority())
    await house.shown(use())
    house.wall.at += jump
    house.clock.at += 301
    await house.shown(use())
    assert house.provider.asked.count("/token") == 2


async def test_a_presented_token_that_has_ended_is_no_more_than_an_error_of_its_own() -> None:
    house = House(
        Authority(answer=lambda form: whose(form) if form["subject_token"] == "good" else (400, {"error": "invalid_grant"})), EXCHANGE
    )
    refused = await house.refusal(use(person(token="old"), "old-canary"))
    assert (refused.reason, refused.detail) == (Reason.NO_CREDENTIAL, "upstream crm: the token endpoint answered 400, invalid_grant")
    assert await house.shown(use(person(token="new"), "good")) == "Bearer for:good"


async def test_the_gateways_own_calls_are_shown_nobodys_token() -> None:
    house = House(Authority(answer=whose), EXCHANGE)
    await house.shown(use(person(), "alices"))
    assert await house.shown(use(own())) == ""
    assert [house.broker.kind(of.call) for of in (use(person(), "alices"), use(own()))] == ["token_exchange", "none"]
    assert (await house.broker.lease(use(own()))).kind == "none"


async def test_what_was_leased_to_somebody_is_taken_back_with_them() -> None:
    house = House(Authority(answer=whose), SIGNED)
    for name in ("alice", "bob"):
        await house.shown(use(person(name)))
    house.broker.withdraw(lambda principal: principal.subject is not None and principal.subject.id == "corp:alice")
    for name in ("alice", "bob"):
        await house.shown(use(person(name)))
    assert [json.loads(form["subject_token"])["sub"] for form in house.provider.forms] == ["corp:alice", "corp:bob", "corp:alice"]


async def test_tokens_and_client_secrets_are_known_wherever_they_turn_up() -> None:
    house = House(Authority(answer=lambda form: (200, {"access_token": "upstream-token-canary", "token_type": "Bearer"})))
    await house.shown(use())
    assert house.fingerprints.mask("x upstream-token-canary y") == "x [withheld: own_credential] y"
    assert SECRET not in house.fingerprints.mask(SECRET)


async def test_a_token_is_given_back_when_the_house_closes() -> None:
    house = House(Authority({"revocation_endpoint": f"{URL}/revoke"}))
    await house.shown(use())
    await house.broker.close()
    assert house.provider.forms[-1] == {"token": "token-own", "token_type_hint": "access_token"}


async def _settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)
