"""Leases: to whom they are given, how long, and what is said when there is none."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import msgspec
import pytest

from doorward.credentials.broker import AGAIN_SECONDS, GRACE_SECONDS, LOOKED_AFTER_SECONDS, PAUSE_SECONDS, Broker, Sources
from doorward.credentials.fingerprints import MASK, Fingerprints
from doorward.credentials.plan import Nothing, Plan, StaticHeader
from doorward.credentials.port import EVERYBODY, CredentialError, Mint, Minted, Use
from doorward.domain.ids import LeaseId, UpstreamId
from doorward.domain.leases import Lease
from doorward.domain.reasons import Reason, Refused
from doorward.domain.secret import Secret
from tests.made import Clock, call, principal, target

pytestmark = pytest.mark.anyio

GIT = UpstreamId("git")
PLAN = StaticHeader("https://git.example", "Authorization", "Bearer ${env:T}")


@dataclass
class Press(Mint):
    """Makes numbered secrets for whoever asks, as it is told to."""

    personal: bool = False
    shared: bool = True
    seconds: float | None = None
    renewed_after: float | None = None
    trouble: Exception | None = None
    is_current: bool = True
    scope: str = "read"
    gate: asyncio.Event | None = None
    made: list[str] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    challenges: list[str] = field(default_factory=list)

    def holder(self, use: Use) -> str | None:
        if not self.shared:
            return None
        return f"agent:{use.call.principal.agent.id}" if self.personal else EVERYBODY

    async def mint(self, use: Use) -> Minted:
        number = len(self.made) + 1
        whose = use.call.principal.agent.id
        self.made.append(whose)
        if self.gate is not None:
            await self.gate.wait()
        if self.trouble is not None:
            raise self.trouble
        text = f"secret-{number}-of-{whose}"
        return Minted(
            headers=(("X-Key", Secret(text)),),
            secrets=(Secret(text),),
            account=whose if self.personal else "everybody",
            scope=self.scope,
            seconds=self.seconds,
            renewed_after=self.renewed_after,
            is_current=lambda: self.is_current,
            release=self._release(text),
        )

    def _release(self, text: str) -> Callable[[], Awaitable[None]]:
        async def release() -> None:
            self.released.append(text)

        return release

    def turned_down(self, use: Use, lease: Lease, challenge: str) -> None:
        self.challenges.append(challenge)


class House:
    """A broker over a press."""

    def __init__(self, press: Press, plan: Plan = PLAN) -> None:
        self.press = press
        self.clock, self.wall = Clock(0.0), Clock(1_000_000.0)
        self.fingerprints = Fingerprints(b"k" * 32)
        self.leases = 0
        sources = Sources(lambda upstream, plan: self.press, self.fingerprints, self.clock, self.wall, self._new_id)
        self.broker = Broker({GIT: plan}, sources)

    def _new_id(self) -> str:
        self.leases += 1
        return f"lease{self.leases}"

    async def lease(self, agent: str = "claude") -> Lease:
        """As a call gets it: what is at hand, else what is leased."""
        return await self._had(use(agent))

    async def _had(self, of: Use) -> Lease:
        return self.broker.at_hand(of) or await self.broker.lease(of)

    async def value(self, agent: str = "claude") -> str:
        ((_, secret),) = (await self.lease(agent)).headers
        return secret.reveal()

    async def refusal(self, of: Use | None = None) -> Refused:
        with pytest.raises(Refused) as caught:
            await self._had(of or use())
        return caught.value

    def passes(self, seconds: float) -> None:
        self.clock.at += seconds
        self.wall.at += seconds


def use(agent: str = "claude", upstream: UpstreamId = GIT) -> Use:
    return Use(call(by=principal(agent), to=replace(target(), upstream=upstream)))


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_lease_names_its_plan_audience_scope_and_end_and_says_nothing_of_its_value() -> None:
    house = House(Press(seconds=300.0))
    lease = await house.lease()
    assert lease == Lease(
        id=LeaseId("lease1"),
        kind="static",
        audience="https://git.example",
        scope="read",
        headers=(("X-Key", Secret("secret-1-of-claude")),),
        account="everybody",
        expires_at=1_000_300.0,
    )
    assert "secret-1" not in repr(lease)


async def test_a_lease_is_given_out_again_until_its_end() -> None:
    house = House(Press(seconds=10.0))
    first = await house.lease()
    house.passes(7.9)
    assert await house.lease("other") is first
    house.passes(2.1)
    assert await house.value() == "secret-2-of-claude"


async def test_nothing_is_at_hand_before_it_is_leased_nor_where_it_must_be_looked_after() -> None:
    house = House(Press(seconds=100.0))
    assert house.broker.at_hand(use()) is None
    leased = await house.lease()
    assert house.broker.at_hand(use()) is leased
    house.passes(LOOKED_AFTER_SECONDS)
    assert house.broker.at_hand(use()) is None


async def test_another_is_made_before_the_end_and_nobody_waits_for_it() -> None:
    house = House(Press(seconds=100.0))
    await house.lease()
    house.press.gate = asyncio.Event()
    house.passes(81.0)
    assert await house.value() == "secret-1-of-claude"
    house.press.gate.set()
    await settled()
    assert await house.value() == "secret-2-of-claude"


async def test_while_its_issuer_is_down_the_old_one_goes_on_to_its_end_and_no_longer() -> None:
    house = House(Press(seconds=100.0))
    await house.lease()
    house.press.trouble = CredentialError("the issuer cannot be reached")
    for _ in range(18):
        house.passes(5.5)
        assert await house.value() == "secret-1-of-claude"
        await settled()
    house.passes(1.0)
    assert (await house.refusal()).reason is Reason.NO_CREDENTIAL


async def test_a_wall_clock_that_jumps_over_the_end_ends_a_lease_too() -> None:
    """The machine slept: the steady clock stood still, the issuer's did not."""
    house = House(Press(seconds=100.0))
    await house.lease()
    house.clock.at += LOOKED_AFTER_SECONDS
    house.wall.at += 3600.0
    assert await house.value() == "secret-2-of-claude"


async def test_a_wall_clock_that_jumps_back_prolongs_nothing() -> None:
    house = House(Press(seconds=100.0))
    await house.lease()
    house.wall.at -= 3600.0
    house.clock.at += 100.0
    assert await house.value() == "secret-2-of-claude"


async def test_what_it_was_made_of_has_changed_so_another_is_made_within_a_second() -> None:
    house = House(Press())
    await house.lease()
    house.press.is_current = False
    assert await house.value() == "secret-1-of-claude"
    house.passes(LOOKED_AFTER_SECONDS)
    assert await house.value() == "secret-2-of-claude"


async def test_a_hundred_that_wait_ask_once() -> None:
    house = House(Press(gate=asyncio.Event()))
    asked = [asyncio.create_task(house.value()) for _ in range(100)]
    await settled()
    assert house.press.gate is not None
    house.press.gate.set()
    assert set(await asyncio.gather(*asked)) == {"secret-1-of-claude"}
    assert house.press.made == ["claude"]


async def test_a_failure_is_everybodys_who_waits_and_is_not_repeated_at_once() -> None:
    house = House(Press(trouble=CredentialError("the issuer is down")))
    assert (await house.refusal()).detail == "upstream git: the issuer is down"
    house.press.trouble = None
    found = await house.refusal()
    assert (found.reason, found.public) == (
        Reason.NO_CREDENTIAL,
        "No credential for the upstream `git` is available; the call was not made.",
    )
    house.passes(PAUSE_SECONDS)
    assert await house.value() == "secret-2-of-claude"


async def test_who_has_to_connect_first_is_asked_to_at_once_and_again() -> None:
    house = House(Press(trouble=Refused(Reason.CONSENT_NEEDED, extra={"connect": "c1"})))
    first, again = await house.refusal(), await house.refusal()
    assert (first.reason, again.reason) == (Reason.CONSENT_NEEDED, Reason.CONSENT_NEEDED)
    assert first is not again


async def test_who_gives_up_waiting_takes_nothing_from_the_others() -> None:
    house = House(Press(gate=asyncio.Event()))
    impatient, patient = asyncio.create_task(house.value()), asyncio.create_task(house.value())
    await settled()
    impatient.cancel()
    await settled()
    assert house.press.gate is not None
    house.press.gate.set()
    assert await patient == "secret-1-of-claude"


async def test_each_holder_has_a_credential_of_its_own() -> None:
    house = House(Press(personal=True))
    found = [await house.value(agent) for agent in ("ada", "bob", "ada", "bob")]
    assert found == ["secret-1-of-ada", "secret-2-of-bob", "secret-1-of-ada", "secret-2-of-bob"]


async def test_what_is_no_holders_is_made_for_each_call() -> None:
    house = House(Press(shared=False))
    assert [await house.value(), await house.value()] == ["secret-1-of-claude", "secret-2-of-claude"]


async def test_what_was_leased_for_somebody_revoked_is_given_back_and_only_that() -> None:
    house = House(Press(personal=True))
    await house.lease("ada")
    await house.lease("bob")
    house.broker.withdraw(lambda principal: principal.agent.id == "ada")
    await asyncio.sleep(0.01)
    assert house.press.released == ["secret-1-of-ada"]
    assert await house.value("bob") == "secret-2-of-bob"
    assert await house.value("ada") == "secret-3-of-ada"


async def test_what_is_being_made_for_somebody_who_is_revoked_meanwhile_is_given_back_and_not_given_out_again() -> None:
    gate = asyncio.Event()
    house = House(Press(personal=True, gate=gate))
    waiting = asyncio.ensure_future(house.value("ada"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    house.broker.withdraw(lambda principal: principal.agent.id == "ada")
    gate.set()
    assert await waiting == "secret-1-of-ada"  # the spine refuses it: it looks once more before anything is sent
    await asyncio.sleep(0.01)
    assert house.press.released == ["secret-1-of-ada"]
    assert await house.value("ada") == "secret-2-of-ada"


async def test_a_lease_that_nobody_waited_for_is_renewed_before_its_end_like_any_other() -> None:
    gate = asyncio.Event()
    house = House(Press(seconds=100.0, gate=gate))
    waiting = asyncio.ensure_future(house.lease())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0)
    gate.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await house.value() == "secret-1-of-claude"
    house.passes(90.0)
    assert await house.value() == "secret-1-of-claude"
    await asyncio.sleep(0.01)
    house.passes(LOOKED_AFTER_SECONDS)
    assert await house.value() == "secret-2-of-claude"


async def test_secrets_of_a_crowd_are_all_known_while_they_are_held_and_not_for_ever() -> None:
    house = House(Press(personal=True))
    house.fingerprints = Fingerprints(b"k" * 32, most=0)
    house.broker = Broker({GIT: PLAN}, msgspec.structs.replace(house.broker._sources, fingerprints=house.fingerprints))
    values = [await house.value(f"agent-{number}") for number in range(50)]
    assert all(house.fingerprints.spans(value) for value in values)
    house.broker.withdraw(lambda principal: True)
    assert not any(house.fingerprints.spans(value) for value in values)


async def test_what_an_issuer_calls_the_scope_holds_no_secret_when_receipts_repeat_it() -> None:
    house = House(Press(scope="read secret-1-of-claude"))
    assert (await house.lease()).scope == f"read {MASK}"


async def test_what_is_everybodys_stays_when_somebody_is_revoked() -> None:
    house = House(Press())
    first = await house.lease("ada")
    house.broker.withdraw(lambda principal: True)
    assert await house.lease("bob") is first


async def test_what_an_upstream_turned_down_is_not_given_out_again_and_its_maker_hears_why() -> None:
    house = House(Press())
    lease = await house.lease()
    house.passes(PAUSE_SECONDS)
    house.broker.turned_down(use(), lease, 'Bearer error="invalid_token"')
    assert await house.value() == "secret-2-of-claude"
    assert house.press.challenges == ['Bearer error="invalid_token"']


async def test_what_was_made_just_now_is_not_made_again_for_each_call_that_is_turned_down() -> None:
    house = House(Press())
    lease = await house.lease()
    house.broker.turned_down(use(), lease, "")
    assert await house.lease() is lease


async def test_an_upstream_that_accepts_nothing_has_one_more_made_in_a_minute_however_often_it_is_called() -> None:
    house = House(Press())
    for _ in range(100):
        house.passes(PAUSE_SECONDS)
        house.broker.turned_down(use(), await house.lease(), "")
    assert len(house.press.made) <= 1 + 200 / AGAIN_SECONDS + 1
    assert len(house.press.made) >= 3


async def test_at_the_end_everything_is_given_back() -> None:
    house = House(Press(personal=True))
    await house.lease("ada")
    await house.lease("bob")
    house.press.is_current = False
    house.passes(LOOKED_AFTER_SECONDS)
    await house.lease("ada")  # the first one is to be given back when its calls have ended: not within this test
    assert GRACE_SECONDS > 1
    await house.broker.close()
    assert sorted(house.press.released) == ["secret-1-of-ada", "secret-2-of-bob", "secret-3-of-ada"]


async def test_an_upstream_without_a_plan_is_refused() -> None:
    house = House(Press())
    assert (await house.refusal(use(upstream=UpstreamId("other")))).reason is Reason.NO_CREDENTIAL
    assert (house.broker.kind(use(upstream=UpstreamId("other")).call), house.broker.kind(use().call)) == ("none", "static")


async def test_every_leased_secret_is_fingerprinted_also_after_it_was_rotated() -> None:
    house = House(Press(seconds=10.0))
    await house.lease()
    house.passes(10.0)
    await house.lease()
    for secret in ("secret-1-of-claude", "secret-2-of-claude"):
        assert house.fingerprints.spans(f"<{secret}>") == ((1, 1 + len(secret)),)


async def test_another_plan_takes_over_at_once_and_an_unchanged_one_keeps_its_lease() -> None:
    house = House(Press())
    first = await house.lease()
    house.broker.adopt({GIT: PLAN, UpstreamId("new"): Nothing("x")})
    assert await house.lease() is first
    house.broker.adopt({GIT: msgspec.structs.replace(PLAN, header="X-Key")})
    assert await house.value() == "secret-2-of-claude"
    house.broker.adopt({})
    assert (await house.refusal()).reason is Reason.NO_CREDENTIAL


async def test_what_was_under_way_when_the_plan_changed_serves_who_waited_and_nobody_else() -> None:
    house = House(Press(gate=asyncio.Event()))
    waiting = asyncio.create_task(house.value())
    await settled()
    assert house.press.gate is not None
    old, house.press = house.press, Press(made=["x"])
    house.broker.adopt({GIT: msgspec.structs.replace(PLAN, header="X-Key")})
    assert old.gate is not None
    old.gate.set()
    assert await waiting == "secret-1-of-claude"
    assert await house.value() == "secret-2-of-claude"
