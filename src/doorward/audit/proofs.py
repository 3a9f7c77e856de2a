"""Proofs about a stored log (RFC 9162): that a leaf is in it, and that it only ever grew."""

from collections.abc import Sequence

from doorward.audit.merkle import Span, consistency_ranges, fold, inclusion_ranges, spans
from doorward.audit.store import LogStore


async def root(store: LogStore, size: int) -> bytes:
    """The root hash of the first `size` leaves."""
    (found,) = await _subtrees(store, [range(size)])
    return found


async def inclusion(store: LogStore, index: int, size: int) -> tuple[bytes, ...]:
    """The hashes that lead from a leaf to the root of the tree of `size` leaves."""
    return await _subtrees(store, inclusion_ranges(index, size))


async def consistency(store: LogStore, old: int, new: int) -> tuple[bytes, ...]:
    """The hashes that show the tree of `old` leaves to be a beginning of the one of `new` leaves."""
    return await _subtrees(store, consistency_ranges(old, new))


async def _subtrees(store: LogStore, ranges: Sequence[range]) -> tuple[bytes, ...]:
    """The hash of each subtree, with one question to the store."""
    wanted: list[list[Span]] = [spans(subtree) for subtree in ranges]
    read = iter(await store.hashes([span for parts in wanted for span in parts]))
    return tuple(fold([next(read) for _ in parts]) for parts in wanted)
