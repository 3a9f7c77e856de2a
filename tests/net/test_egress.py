"""Names are looked up once and every answer is checked."""

from collections.abc import Sequence

import pytest

from doorward.domain.reasons import Ran
from doorward.net.addresses import STRICT, Reach, Rule
from doorward.net.egress import checked, resolve
from doorward.net.errors import EgressError, NetError, Trouble
from doorward.net.urls import parse_url

PRIVATE = Rule(Reach.PRIVATE, frozenset({"https", "http"}))


class Names:
    """A resolver that gives other answers each time, as one that rebinds does."""

    def __init__(self, *answers: Sequence[str] | OSError) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer


@pytest.mark.anyio
async def test_name_is_looked_up_exactly_once() -> None:
    names = Names(["1.1.1.1", "2606:4700::1111"], ["127.0.0.1"])
    assert await resolve(parse_url("https://example.com/"), STRICT, names) == ("1.1.1.1", "2606:4700::1111")
    assert names.asked == [("example.com", 443)]


@pytest.mark.anyio
@pytest.mark.parametrize("bad", ["127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "not an address"])
async def test_one_special_answer_among_good_ones_refuses_the_name(bad: str) -> None:
    with pytest.raises(EgressError) as caught:
        await resolve(parse_url("https://example.com/"), STRICT, Names(["1.1.1.1", bad]))
    assert (caught.value.trouble, caught.value.ran) == (Trouble.EGRESS, Ran.NO)


@pytest.mark.anyio
async def test_literal_address_is_checked_and_not_looked_up() -> None:
    names = Names()
    with pytest.raises(EgressError):
        await resolve(parse_url("https://10.0.0.1/"), STRICT, names)
    assert await resolve(parse_url("https://10.0.0.1/"), PRIVATE, names) == ("10.0.0.1",)
    assert names.asked == []


@pytest.mark.anyio
async def test_plain_http_is_refused_unless_declared() -> None:
    with pytest.raises(EgressError, match="plain_http"):
        await resolve(parse_url("http://example.com/"), STRICT, Names(["1.1.1.1"]))
    assert await resolve(parse_url("http://example.com/"), PRIVATE, Names(["1.1.1.1"])) == ("1.1.1.1",)


@pytest.mark.anyio
async def test_failed_look_up_is_unreachable_and_nothing_was_sent() -> None:
    with pytest.raises(NetError) as caught:
        await resolve(parse_url("https://example.com/"), STRICT, Names(OSError("no such name")))
    assert (caught.value.trouble, caught.value.ran) == (Trouble.UNREACHABLE, Ran.NO)


def test_no_answer_is_refused_and_many_answers_are_all_checked() -> None:
    with pytest.raises(EgressError):
        checked((), Reach.PUBLIC)
    with pytest.raises(EgressError):
        checked([*(f"1.1.1.{n}" for n in range(200)), "127.0.0.1"], Reach.PUBLIC)


def test_zone_of_a_link_local_address_is_kept() -> None:
    assert checked(["fe80::1%2"], Reach.PRIVATE) == ("fe80::1%2",)
