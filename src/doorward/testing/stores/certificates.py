"""What every `IssuedStore` must do: what was issued is there when it is asked for, until it has ended and is dropped."""

from doorward.domain.ids import AgentId
from doorward.identity.certificates.ca import IssuedRecord
from doorward.identity.certificates.issuing import IssuedStore
from doorward.testing.stores.rooms import Check, Opening

NOW = 1_700_000_000.0


def issued(name: str, agent: str = "one", at: float = NOW) -> IssuedRecord:
    """A certificate that is good for an hour; its serial is longer than a database's numbers."""
    return IssuedRecord(name, AgentId(agent), "7f" * 16, at, at + 3600)


async def issued_certificates_are_kept_the_latest_first(opening: Opening[IssuedStore]) -> None:
    """Those of one agent, and all."""
    first, second, other = issued("a"), issued("b", at=NOW + 1), issued("c", "two", NOW + 2)
    async with opening() as store:
        assert await store.all() == ()
        for one in (second, first, other, first):
            await store.add(one)
    async with opening() as store:
        assert await store.all() == (other, second, first)
        assert await store.all(AgentId("one")) == (second, first)
        assert await store.all(AgentId("three")) == ()


async def ended_certificates_are_dropped(opening: Opening[IssuedStore]) -> None:
    """To the second, and for good."""
    async with opening() as store:
        for at in range(3):
            await store.add(issued(f"n{at}", at=NOW + at))
        assert await store.forget(NOW + 3601) == 2
        assert await store.forget(NOW + 3601) == 0
    async with opening() as store:
        assert await store.all() == (issued("n2", at=NOW + 2),)


CERTIFICATES: tuple[Check[IssuedStore], ...] = (issued_certificates_are_kept_the_latest_first, ended_certificates_are_dropped)
