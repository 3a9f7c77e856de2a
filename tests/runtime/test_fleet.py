"""Upstreams come and go with the document; what they carry is carried to its end."""

import asyncio
from dataclasses import dataclass, field

import pytest

from doorward.config.model import Document, Upstream
from doorward.domain.ids import UpstreamId
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.runtime.fleet import Fleet, is_same_server
from doorward.testing.upstream import FakeUpstream
from tests.catalog.shown import document
from tests.loops import JumpingLoop

GIT, HG = UpstreamId("git"), UpstreamId("hg")


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"loop_factory": JumpingLoop}


@dataclass
class Yard:
    """A fleet, everything that it opened, and how busy each upstream is."""

    opened: list[FakeUpstream] = field(default_factory=list)
    busy: dict[str, int] = field(default_factory=dict)

    def fleet(self) -> Fleet:
        return Fleet(self._open, lambda name: self.busy.get(name, 0))

    def _open(self, name: UpstreamId, config: Upstream) -> FakeUpstream:
        self.opened.append(FakeUpstream(name))
        return self.opened[-1]

    @property
    def closed(self) -> list[int]:
        return [upstream.closed for upstream in self.opened]


def of(documented: Document, name: str = "git") -> Upstream:
    return documented.upstreams[name]


FIRST = document("git", "hg")
CHANGED = document("hg", git={"url": "https://other.example.com/mcp"})


@pytest.mark.anyio
async def test_what_did_not_change_goes_on_and_what_did_is_opened_anew() -> None:
    yard = Yard()
    fleet = yard.fleet()
    assert fleet.match(FIRST) == ("git", "hg")
    assert fleet.match(document("git", "hg")) == ()
    hg = fleet.upstream(HG, of(FIRST, "hg"))
    assert fleet.match(CHANGED) == ("git",)
    assert fleet.upstream(HG, of(CHANGED, "hg")) is hg
    assert [upstream.id for upstream in yard.opened] == ["git", "hg", "git"]
    assert fleet.all() == {GIT: yard.opened[2], HG: hg}
    await asyncio.sleep(1)
    assert yard.closed == [1, 0, 0]
    await fleet.close()


@pytest.mark.anyio
async def test_it_counts_the_calls_of_each_upstream_that_went_to_a_second_address() -> None:
    yard = Yard()
    fleet = yard.fleet()
    fleet.match(FIRST)
    yard.opened[1].moved = 3
    assert fleet.moved() == {"git": 0, "hg": 3}
    await fleet.close()


@pytest.mark.anyio
async def test_what_was_removed_is_closed_once_its_calls_have_ended() -> None:
    yard = Yard(busy={"git": 2})
    fleet = yard.fleet()
    fleet.match(FIRST)
    assert fleet.match(document("hg")) == ()
    await asyncio.sleep(10)
    assert yard.closed == [0, 0]
    yard.busy.clear()
    await asyncio.sleep(1)
    assert yard.closed == [1, 0]
    await fleet.close()


@pytest.mark.anyio
async def test_what_does_not_end_is_closed_all_the_same_in_the_end() -> None:
    yard = Yard(busy={"git": 1})
    fleet = yard.fleet()
    fleet.match(FIRST)
    fleet.match(document("hg"))
    await asyncio.sleep(31)
    assert yard.closed == [1, 0]
    await fleet.close()


@pytest.mark.anyio
async def test_closing_waits_for_everything_that_was_ever_opened() -> None:
    yard = Yard(busy={"git": 1})
    fleet = yard.fleet()
    fleet.match(FIRST)
    fleet.match(CHANGED)
    await fleet.close()
    assert yard.closed == [1, 1, 1]
    assert fleet.all() == {}


@pytest.mark.anyio
async def test_a_call_that_was_decided_for_another_server_is_not_carried() -> None:
    yard = Yard()
    fleet = yard.fleet()
    fleet.match(FIRST)
    fleet.match(CHANGED)
    for name, decided, why in ((GIT, of(FIRST), "another server"), (UpstreamId("none"), of(FIRST), "no longer configured")):
        with pytest.raises(Refused, match=why) as caught:
            fleet.upstream(name, decided)
        assert (caught.value.reason, caught.value.ran) == (Reason.UPSTREAM_UNREACHABLE, Ran.NO)
    await fleet.close()


def test_a_server_is_its_address_and_credential_and_not_its_patience() -> None:
    one = of(FIRST)
    assert is_same_server(one, one.model_copy(update={"result_bytes": 1024, "team": "other"}))
    assert not is_same_server(one, one.model_copy(update={"url": "https://x.example.com"}))
    keyed = of(document(git={"credential": {"value": "${env:A}"}}))
    assert not is_same_server(one, keyed)


@pytest.mark.anyio
async def test_an_upstream_that_can_go_over_to_other_addresses_is_not_opened_anew() -> None:
    yard = Yard()
    fleet = yard.fleet()
    fleet.match(document(git={"url": None, "urls": ["https://a.example.com", "https://b.example.com"]}))
    yard.opened[0].adapts = True
    wanted = document(git={"url": None, "urls": ["https://b.example.com", "https://c.example.com"]})
    assert fleet.match(wanted) == ("git",), "it is looked at again"
    assert fleet.upstream(GIT, of(wanted)) is yard.opened[0]
    await fleet.close()
    assert yard.closed == [1]


@pytest.mark.anyio
async def test_a_withdrawn_account_is_dropped_where_it_was_leased() -> None:
    yard = Yard()
    fleet = yard.fleet()
    fleet.match(FIRST)
    fleet.drop(GIT, "ada")
    fleet.drop(UpstreamId("gone"), "ada")
    assert [upstream.dropped for upstream in yard.opened] == [["ada"], []]


def test_a_server_of_several_addresses_is_the_same_as_long_as_one_of_them_stays() -> None:
    def at(*urls: str) -> Upstream:
        return of(document(git={"url": None, "urls": list(urls)}))

    assert is_same_server(at("https://a", "https://b"), at("https://b", "https://c"))
    assert not is_same_server(at("https://a", "https://b"), at("https://c", "https://d"))
    assert is_same_server(of(document(git={"url": "https://a"})), at("https://a", "https://b"))
    one = of(document(git={"url": None, "stdio": {"command": ["x"]}}))
    many = of(document(git={"url": None, "stdio": {"command": ["x"], "processes": 4}}))
    other = of(document(git={"url": None, "stdio": {"command": ["y"]}}))
    assert (is_same_server(one, many), is_same_server(one, other)) == (True, False)
    each = of(document(git={"url": None, "stdio": {"command": ["x"], "per": "user"}}))
    fewer = of(document(git={"url": None, "stdio": {"command": ["x"], "per": "user", "most": 2, "idle_seconds": 5}}))
    assert (is_same_server(each, fewer), is_same_server(one, each)) == (True, False)
