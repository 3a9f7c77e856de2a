"""Leases of what is the same for everybody: given out without asking anybody whose they are, and no longer than any other."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
from msgspec.structs import replace

from doorward.credentials.port import EVERYBODY, Use
from tests.credentials.test_broker import GIT, PLAN, House, Press, use

pytestmark = pytest.mark.anyio


@dataclass
class Shared(Press):
    """Makes what is everybody's, and counts how often it is asked whose it is."""

    is_everybodys: ClassVar[bool] = True
    asked: int = 0

    def holder(self, use: Use) -> str:
        self.asked += 1
        return EVERYBODY


async def test_whose_a_credential_of_everybody_is_nobody_is_asked_and_another_plan_makes_another() -> None:
    press = Shared()
    house = House(press)
    assert house.broker.at_hand(use()) is None
    assert [await house.value(agent) for agent in ("ada", "bob")] == ["secret-1-of-ada"] * 2
    asked = press.asked
    house.broker.check(use("eve"))
    assert (house.broker.at_hand(use("eve")), press.asked) == (await house.lease("ada"), asked)
    house.broker.adopt({GIT: replace(PLAN, value="Bearer ${env:U}")})
    assert house.broker.at_hand(use("eve")) is None
    house.broker.adopt({})
    assert house.broker.at_hand(use("eve")) is None


async def test_a_credential_of_everybody_is_looked_after_as_any_other_is() -> None:
    house = House(Shared())
    await house.lease()
    house.passes(0.9)
    assert house.broker.at_hand(use()) is not None
    house.passes(0.1)
    assert house.broker.at_hand(use()) is None
