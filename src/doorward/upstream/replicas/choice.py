"""Which address gets a call. Pure."""

from collections.abc import Iterable, Sequence

from doorward.upstream.replicas.address import Address


def least_busy(addresses: Iterable[Address]) -> Address | None:
    """Of those that serve, the one with the least under way; among equals the one that was not chosen for longest."""
    serving = [address for address in addresses if address.is_serving]
    return min(serving, key=_load, default=None)


def least_bad(addresses: Sequence[Address]) -> Address | None:
    """Where none serves: the one whose rest is over first, if nobody tries it already. One that stands alone is left to rest."""
    if len(addresses) == 1:
        return addresses[0] if addresses[0].speaker.vitals.circuit.admits_try else None
    untried = [address for address in addresses if not address.speaker.vitals.circuit.is_tried]
    return min(untried, key=_until, default=None)


def may_leave_out(address: Address, others: Sequence[Address]) -> bool:
    """Whether no more than half would be left out with this address as well."""
    left_out = sum(1 for other in others if other is not address and not other.is_serving)
    return (left_out + 1) * 2 <= len(others)


def all_others_fail(address: Address, others: Sequence[Address]) -> bool:
    """Whether there is no address that calls could better go to."""
    return all(other.speaker.vitals.circuit.is_failing for other in others if other is not address)


def _load(address: Address) -> tuple[int, int]:
    return address.load, address.turn


def _until(address: Address) -> float:
    return address.speaker.vitals.circuit.until
