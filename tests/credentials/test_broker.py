"""Leases: what they hold, how long they are given out, and what is said when there is none."""

import os
from pathlib import Path

import pytest

from doorward.config.references import Resolver
from doorward.credentials.broker import KEPT_SECONDS, LOOKED_AFTER_SECONDS, Broker, Sources
from doorward.credentials.fingerprints import Fingerprints
from doorward.credentials.plan import Nothing, Plan, StaticHeader
from doorward.domain.ids import LeaseId, UpstreamId
from doorward.domain.leases import Lease
from doorward.domain.reasons import Reason, Refused
from doorward.domain.secret import Secret
from tests.made import Clock, principal

pytestmark = pytest.mark.anyio

GIT = UpstreamId("git")
ENV = StaticHeader("https://git.example", "Authorization", "Bearer ${env:T}")
FILE = StaticHeader("https://git.example", "Authorization", "Bearer ${file:token}")


class House:
    """A broker over a directory and an environment."""

    def __init__(self, root: Path, plan: Plan) -> None:
        self.root = root
        self.clock = Clock(0.0)
        self.environment = {"T": "first-secret-of-env"}
        self.fingerprints = Fingerprints(b"k" * 32)
        self.leases = 0
        sources = Sources(Resolver(root, self.environment), root, self.fingerprints, self.clock, self._new_id)
        self.broker = Broker({GIT: plan}, sources)

    def _new_id(self) -> str:
        self.leases += 1
        return f"lease{self.leases}"

    def write(self, text: str, at_ns: int) -> None:
        (self.root / "token").write_text(text)
        os.utime(self.root / "token", ns=(at_ns, at_ns))

    async def value(self) -> str:
        lease = await self.broker.lease(GIT, principal())
        ((_, secret),) = lease.headers
        return secret.reveal()

    async def refusal(self, upstream: UpstreamId = GIT) -> Refused:
        with pytest.raises(Refused) as caught:
            await self.broker.lease(upstream, principal())
        return caught.value


async def test_a_lease_names_its_plan_and_audience_and_says_nothing_of_its_value(tmp_path: Path) -> None:
    house = House(tmp_path, ENV)
    lease = await house.broker.lease(GIT, principal())
    assert lease == Lease(
        LeaseId("lease1"), "static", "https://git.example", "", (("Authorization", Secret("Bearer first-secret-of-env")),)
    )
    assert "first-secret" not in repr(lease)
    assert house.broker.kind(GIT) == "static"


async def test_an_upstream_without_credential_gets_an_empty_lease(tmp_path: Path) -> None:
    house = House(tmp_path, Nothing("https://git.example"))
    assert await house.broker.lease(GIT, principal()) == Lease(LeaseId("lease1"), "none", "https://git.example", "")


async def test_a_lease_is_given_out_again_for_a_bounded_time(tmp_path: Path) -> None:
    house = House(tmp_path, ENV)
    first = await house.broker.lease(GIT, principal())
    house.environment["T"] = "second-secret-of-env"
    house.clock.at = KEPT_SECONDS - 0.001
    assert await house.broker.lease(GIT, principal("other")) is first
    house.clock.at = KEPT_SECONDS
    assert await house.value() == "Bearer second-secret-of-env"


async def test_a_rotated_file_is_used_within_a_second_without_restart(tmp_path: Path) -> None:
    house = House(tmp_path, FILE)
    house.write("first-secret", 1_000_000_000)
    assert await house.value() == "Bearer first-secret"
    house.write("other-secret", 2_000_000_000)
    assert await house.value() == "Bearer first-secret"
    house.clock.at = LOOKED_AFTER_SECONDS
    assert await house.value() == "Bearer other-secret"


async def test_a_file_that_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    house = House(tmp_path, FILE)
    house.write("first-secret", 1_000_000_000)
    await house.value()
    house.clock.at = 2 * LOOKED_AFTER_SECONDS
    await house.value()
    assert house.leases == 1


async def test_a_file_that_is_gone_is_no_credential_although_one_was_leased(tmp_path: Path) -> None:
    house = House(tmp_path, FILE)
    house.write("first-secret", 1_000_000_000)
    await house.value()
    (tmp_path / "token").unlink()
    house.clock.at = LOOKED_AFTER_SECONDS
    assert (await house.refusal()).reason is Reason.NO_CREDENTIAL


async def test_a_missing_secret_names_the_upstream_and_the_reference_and_no_value(tmp_path: Path) -> None:
    house = House(tmp_path, StaticHeader("x", "X-Key", "literal-part ${env:GONE}"))
    found = await house.refusal()
    assert (found.reason, found.public) == (
        Reason.NO_CREDENTIAL,
        "No credential for the upstream `git` is available; the call was not made.",
    )
    assert "GONE" in found.detail
    assert "literal-part" not in found.detail + found.public


async def test_an_unfit_secret_shows_neither_in_the_refusal_nor_in_its_cause(tmp_path: Path) -> None:
    house = House(tmp_path, ENV)
    house.environment["T"] = "secret\nX-Admin: 1"
    found = await house.refusal()
    assert "X-Admin" not in repr((found.detail, found.public, found.__cause__))
    assert found.__suppress_context__


async def test_an_upstream_without_a_plan_is_refused(tmp_path: Path) -> None:
    house = House(tmp_path, ENV)
    assert (await house.refusal(UpstreamId("other"))).reason is Reason.NO_CREDENTIAL
    assert house.broker.kind(UpstreamId("other")) == "none"


async def test_every_leased_secret_is_fingerprinted_also_after_it_was_rotated(tmp_path: Path) -> None:
    house = House(tmp_path, ENV)
    await house.value()
    house.environment["T"] = "second-secret-of-env"
    house.broker.forget(GIT)
    await house.value()
    for secret in ("first-secret-of-env", "second-secret-of-env"):
        assert house.fingerprints.spans(f"<{secret}>", house.fingerprints.hints) == ((1, 1 + len(secret)),)


async def test_another_plan_takes_over_at_once_and_an_unchanged_one_keeps_its_lease(tmp_path: Path) -> None:
    house = House(tmp_path, ENV)
    first = await house.broker.lease(GIT, principal())
    house.broker.adopt({GIT: ENV, UpstreamId("new"): Nothing("x")})
    assert await house.broker.lease(GIT, principal()) is first
    house.broker.adopt({GIT: StaticHeader("https://git.example", "X-Key", "${env:T}")})
    assert await house.value() == "first-secret-of-env"
    house.broker.adopt({})
    assert (await house.refusal()).reason is Reason.NO_CREDENTIAL
