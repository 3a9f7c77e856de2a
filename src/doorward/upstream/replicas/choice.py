"""Which address gets a call. Pure."""

from collections.abc import Iterable, Sequence

from doorward.upstream.replicas.address import Address


def least_busy(addresses: Iterable[Address]) -> Address | None:
    """Of those that serve, the one with the least under way; among equals the one that was not chosen for longest. (On the way of a call.)"""
    best: Address | None = None
    least = 0
    for address in addresses:
        circuit = address.speaker.vitals.circuit
        if not circuit.is_closed:
            continue
        # Failing is quick and draws calls, so that each failure in a row counts as a call under way.
        load = address.outstanding + circuit.failures
        if best is None or load < least or (load == least and address.turn < best.turn):
            best, least = address, load
    return best


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


def _until(address: Address) -> float:
    return address.speaker.vitals.circuit.until
