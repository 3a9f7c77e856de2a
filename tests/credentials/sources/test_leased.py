"""Leases of static plans whose secrets are in a source: one reading for all who wait, kept while it is renewed, given back at the end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from doorward.credentials.broker import GRACE_SECONDS, PAUSE_SECONDS, Broker, Sources
from doorward.credentials.fingerprints import Fingerprints
from doorward.credentials.plan import Environment, Plan, StaticHeader
from doorward.credentials.port import Use
from doorward.credentials.sources.port import SourceError
from doorward.credentials.static import KEPT_SECONDS, StaticMint
from doorward.domain.ids import UpstreamId
from doorward.domain.leases import Lease
from doorward.domain.reasons import Reason, Refused
from tests.credentials.sources.shelf import Shelf, Time, custody, reading
from tests.made import call, principal, target

pytestmark = pytest.mark.anyio

DB = UpstreamId("db")
PLAN = Environment("stdio:db", (("DB_USER", "${shelf:creds/reader#username}"), ("DB_PASSWORD", "${shelf:creds/reader#password}")))


class House:
    """A broker that mints from one source."""

    def __init__(self, root: Path, shelf: Shelf, plan: Plan = PLAN) -> None:
        self.shelf, self.time = shelf, Time()
        self.custody = custody(shelf, self.time)
        self.fingerprints = Fingerprints(b"k" * 32)
        read = reading(root, {}, self.custody)

        def mint_of(upstream: UpstreamId, plan: Plan) -> StaticMint:
            assert isinstance(plan, Environment | StaticHeader)
            return StaticMint(upstream, plan, read, root, self.fingerprints.mark)

        clocks = self.time.clocks
        self.broker = Broker({DB: plan}, Sources(mint_of, self.fingerprints, clocks.monotonic, clocks.now, lambda: "lease"))

    async def lease(self, agent: str = "claude") -> Lease:
        return await self.broker.lease(Use(call(by=principal(agent), to=target("db"))))

    async def refused(self) -> Refused:
        with pytest.raises(Refused) as raised:
            await self.lease()
        return raised.value

    async def pass_by(self, seconds: int) -> None:
        for _ in range(seconds):
            self.time.pass_by(1.0)
            await self.custody.tick()


def shown(lease: Lease) -> dict[str, str]:
    return {name: secret.reveal() for name, secret in lease.environment}


async def test_a_hundred_who_wait_for_a_slow_source_make_one_reading(tmp_path: Path) -> None:
    house = House(tmp_path, Shelf(lends_for=60, gate=asyncio.Event()))
    waiting = [asyncio.ensure_future(house.lease(f"agent-{number}")) for number in range(100)]
    await asyncio.sleep(0)
    assert house.shelf.gate is not None
    house.shelf.gate.set()
    leases = await asyncio.gather(*waiting)
    assert house.shelf.reads == ["creds/reader"]
    assert {frozenset(shown(lease).items()) for lease in leases} == {
        frozenset({("DB_USER", "u"), ("DB_PASSWORD", "password of creds/reader/1")})
    }
    assert house.fingerprints.mask("it is password of creds/reader/1") == "it is [withheld: own_credential]"


async def test_a_lease_stays_the_same_while_its_loan_is_renewed(tmp_path: Path) -> None:
    house = House(tmp_path, Shelf(lends_for=60, renewals=[60.0] * 20))
    before = shown(await house.lease())
    for _ in range(4):
        await house.pass_by(int(KEPT_SECONDS) + 1)
        assert shown(await house.lease()) == before
    assert (house.shelf.reads, house.shelf.revoked) == (["creds/reader"], [])


async def test_a_credential_near_its_end_is_followed_by_another_within_a_second(tmp_path: Path) -> None:
    house = House(tmp_path, Shelf(lends_for=60))
    first = shown(await house.lease())
    await house.pass_by(42)
    assert shown(await house.lease())["DB_PASSWORD"] == "password of creds/reader/2" != first["DB_PASSWORD"]
    assert len(house.shelf.reads) == 2


async def test_an_outage_is_no_credential_and_is_not_made_worse_by_those_who_wait(tmp_path: Path) -> None:
    house = House(tmp_path, Shelf(trouble=SourceError("OpenBao is sealed, or not ready (503)")))
    refused = await asyncio.gather(*[house.refused() for _ in range(50)])
    assert {one.reason for one in refused} == {Reason.NO_CREDENTIAL}
    assert refused[0].detail == "upstream db: OpenBao is sealed, or not ready (503)"
    assert len(house.shelf.reads) == 1
    house.shelf.trouble = None
    await house.pass_by(int(PAUSE_SECONDS) + 1)
    assert shown(await house.lease())["DB_USER"] == "u"


async def test_a_secret_that_was_changed_is_read_again_soon_after_an_upstream_has_not_accepted_it(tmp_path: Path) -> None:
    house = House(tmp_path, Shelf())
    use = Use(call(to=target("db")))
    refused = await house.lease()
    house.shelf.fields, house.shelf.version = {"username": "u", "password": "another"}, "2"
    await house.pass_by(6)
    assert shown(await house.lease())["DB_PASSWORD"] == "p"
    # Every call is turned down meanwhile, and it is not read more often for that.
    for _ in range(9):
        house.broker.turned_down(use, refused, "")
        await house.pass_by(1)
    assert shown(await house.lease())["DB_PASSWORD"] == "another"
    assert len(house.shelf.reads) <= 4


async def test_a_secret_that_cannot_be_sent_is_given_back_and_not_told(tmp_path: Path) -> None:
    shelf = Shelf(fields={"username": "canary\nof username", "password": "p"}, lends_for=60)
    house = House(tmp_path, shelf, StaticHeader("x", "X-User", "${shelf:creds/reader#username}"))
    refused = await house.refused()
    assert (refused.reason, shelf.revoked) == (Reason.NO_CREDENTIAL, ["creds/reader/1"])
    assert "canary" not in f"{refused.detail}{refused.sentence}"


async def test_what_an_upstream_borrowed_goes_with_it(tmp_path: Path) -> None:
    house = House(tmp_path, Shelf(lends_for=3600))
    await house.lease()
    house.broker.adopt({})
    # A minute later, by the loop's own clock: calls may be under way with it; closing does not wait.
    assert (house.shelf.revoked, GRACE_SECONDS) == ([], 60.0)
    await house.broker.close()
    assert house.shelf.revoked == ["creds/reader/1"]
