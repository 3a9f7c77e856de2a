"""Probes: what their answers say of an address, and what they cost when they cannot be made."""

import asyncio
from collections.abc import Callable

import pytest

from doorward.domain.reasons import Ran, Refused
from doorward.net.errors import NetError, Trouble
from doorward.upstream.faults import of_net, turned_away, turned_down
from tests.loops import JumpingLoop
from tests.upstream.kit import DEMO, LEASE
from tests.upstream.replicas.yard import PROBES, Yard

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"loop_factory": JumpingLoop}


def outdated() -> Refused:
    """The credential of the last look is accepted no more."""
    return turned_down(DEMO, 401, b"")


def unrouted() -> Refused:
    """Somebody is there who knows of no such place."""
    return turned_away(DEMO, 404)


def unwritable() -> Refused:
    """Nothing was sent, for a reason that is ours alone."""
    error = NetError(Trouble.REQUEST, "header values of visible ASCII were expected", Ran.NO)
    refused = of_net(DEMO, error)
    refused.__cause__ = error
    return refused


@pytest.mark.parametrize("turns_away", [outdated, unrouted])
@pytest.mark.parametrize("names", ["a", "ab"])
async def test_an_address_is_back_also_where_its_probe_is_turned_away_at_the_door(names: str, turns_away: Callable[[], Refused]) -> None:
    yard = await Yard(*names).seen()
    for speaker in yard.speakers.values():
        speaker.is_up = False
    await yard.calls(10)
    assert set(yard.duties().values()) == {"ejected"}
    for speaker in yard.speakers.values():
        speaker.is_up, speaker.probes_fail_with = True, turns_away
    await asyncio.sleep(10)
    assert set(yard.duties().values()) == {"serving"}
    assert "!" not in await yard.calls(4)
    await yard.front.close()


async def test_a_probe_that_cannot_be_made_is_not_tried_again_at_once() -> None:
    yard = await Yard("a").seen()
    speaker = yard.speakers["a"]
    speaker.is_up = False
    await yard.calls(5)
    speaker.probes_fail_with, speaker.most_probes = unwritable, 50
    await asyncio.sleep(60)
    assert (yard.duties(), 4 <= speaker.probes < 30) == ({"a": "ejected"}, True)
    speaker.is_up = True
    found = await yard.calls(1)
    while found == "!":
        await asyncio.sleep(0.5)
        found = await yard.calls(1)
    assert yard.duties() == {"a": "serving"}, "a call that can be made decides"
    await yard.front.close()


async def test_probes_show_the_credential_of_the_last_look_and_there_is_none_before_it() -> None:
    yard = Yard("a", "b")
    await asyncio.sleep(100)
    assert [speaker.probes for speaker in yard.speakers.values()] == [0, 0]
    await yard.seen()
    await asyncio.sleep(100)
    shown = {order.lease.id for name, order in yard.probed if order.method in PROBES}
    assert shown == {LEASE.id}
    await yard.front.close()
    before = len(yard.probed)
    await asyncio.sleep(100)
    assert len(yard.probed) == before
