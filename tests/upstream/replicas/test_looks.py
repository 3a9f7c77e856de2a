"""Looks at several addresses: what each shows is compared, and nothing is called that was not looked at and given out."""

import asyncio

import pytest

from doorward.domain.alerts import AlertKind
from doorward.domain.reasons import Ran, Reason, Refused
from tests.loops import JumpingLoop
from tests.upstream.kit import LEASE
from tests.upstream.replicas.yard import OTHER, VIEW, Yard, config

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"loop_factory": JumpingLoop}


async def test_an_address_that_shows_something_else_is_held_back_and_told_of() -> None:
    yard = await Yard("a", "b", "c").seen(a=OTHER)
    assert yard.duties() == {"a": "held_back", "b": "serving", "c": "serving"}
    assert yard.events == ["a shows other definitions than the others and gets no calls: tool echo"]
    assert [(alert.kind, alert.key, "echo" in alert.sentence) for alert in yard.alerts] == [(AlertKind.DRIFT, "demo a", False)]
    assert set(await yard.calls(10)) == {"b", "c"}
    await yard.seen(a=OTHER)
    assert len(yard.events) == 1, "it is told once"
    assert (await yard.look()) is VIEW
    await yard.seen(a=VIEW)
    assert (yard.events[1:], set(await yard.calls(10))) == (["a shows the same definitions as the others again"], {"a", "b", "c"})
    await yard.front.close()


async def test_those_that_were_right_are_not_outvoted_by_being_down() -> None:
    yard = await Yard("a", "b", "c").seen(c=OTHER)
    yard.speakers["a"].is_up = yard.speakers["b"].is_up = False
    with pytest.raises(Refused) as caught:
        await yard.look()
    assert (caught.value.reason, caught.value.ran) == (Reason.UPSTREAM_UNREACHABLE, Ran.NO)
    with pytest.raises(Refused):
        await yard.call()
    assert all(name != "c" for name, _ in yard.sends)
    assert (yard.front.drain("a"), yard.front.drain("b")) == (True, True)
    with pytest.raises(Refused, match="not looked at yet"):
        await yard.call()
    assert all(name != "c" for name, _ in yard.sends), "the operator has said who is right, but nobody compared that with what is accepted"
    assert yard.changes == 1
    assert (await yard.look(), await yard.call()) == (OTHER, "c")
    await yard.front.close()


async def test_one_that_was_held_back_gets_no_call_when_it_is_the_last_to_stay_before_it_was_looked_at() -> None:
    yard = await Yard("a", "b", "c").seen(c=OTHER)
    assert yard.front.adapt(config("c"))
    assert (await yard.calls(3), yard.duties()) == ("!!!", {"c": "unseen"})
    assert (await yard.look(), await yard.calls(2), yard.duties()) == (OTHER, "cc", {"c": "serving"})
    await yard.front.close()


async def test_one_that_was_never_seen_gets_no_call_when_it_is_the_last_to_stay_before_it_was_looked_at() -> None:
    yard = Yard("a", "b")
    yard.speakers["b"].is_up = False
    await yard.seen()
    yard.speakers["b"].is_up = True
    assert yard.front.adapt(config("b"))
    assert await yard.calls(2) == "!!"
    assert (await yard.look(), await yard.calls(2)) == (VIEW, "bb")
    await yard.front.close()


async def test_an_address_that_was_never_seen_gets_no_calls_until_it_is() -> None:
    yard = Yard("a", "b")
    yard.speakers["b"].is_up = False
    await yard.seen()
    assert (yard.duties(), set(await yard.calls(5))) == ({"a": "serving", "b": "unseen"}, {"a"})
    yard.speakers["b"].is_up, yard.speakers["b"].sight = True, OTHER
    await asyncio.sleep(5)
    assert (yard.changes > 0, yard.duties()["b"], set(await yard.calls(5))) == (True, "unseen", {"a"})
    await yard.seen()
    assert yard.duties()["b"] == "held_back"
    await yard.front.close()


async def test_a_look_is_not_held_up_by_an_address_that_hangs() -> None:
    yard = Yard("a", "b")

    async def hang(lease: object) -> object:
        return await asyncio.Event().wait()

    yard.speakers["b"].discover = hang  # type: ignore[method-assign, assignment]
    began = asyncio.get_running_loop().time()
    assert await yard.look() is VIEW
    assert asyncio.get_running_loop().time() - began == 30
    await yard.front.close()


async def test_those_that_show_something_new_get_no_call_before_it_was_taken() -> None:
    yard = await Yard("a", "b", "c").seen()
    yard.speakers["a"].sight = yard.speakers["b"].sight = OTHER
    sight = await yard.front.discover(LEASE)
    assert (sight, set(await yard.calls(9))) == (OTHER, {"c"}), "calls on their way were decided by what was accepted before"
    yard.front.taken(sight)
    assert (set(await yard.calls(9)), yard.duties()["c"]) == ({"a", "b"}, "held_back")
    await yard.front.close()
