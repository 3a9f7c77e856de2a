"""The Merkle tree of the log (RFC 6962 section 2.1; proofs as RFC 9162 section 2.1.3 and 2.1.4).

A tree is never held whole. Complete subtrees of 256 leaves, and of 256 of those, and so on, are kept as *nodes*: the hashes
that C2SP tiles are made of. Whatever else is asked is folded from at most a few hundred of them, so a root, a proof or the
state after a restart costs the same in a log of a thousand leaves and of a billion.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

import msgspec

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf's bytes."""
    return leaf_hashes((leaf,))[0]


def leaf_hashes(leaves: Iterable[bytes]) -> list[bytes]:
    """The hash of each leaf's bytes."""
    sha256 = hashlib.sha256
    return [sha256(b"\x00" + leaf).digest() for leaf in leaves]


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Span(msgspec.Struct, frozen=True):
    """`count` (a power of two, at most 256) consecutive hashes of one tile level, from the `first`: a complete subtree."""

    level: int
    """0: leaf hashes; 1: roots of 256 leaves; 2: roots of 65,536 …"""
    first: int
    count: int


class Node(msgspec.Struct, frozen=True):
    """The root of a complete subtree of `256 ** level` leaves, the `index`-th of its level."""

    level: int
    index: int
    hash: bytes


class Frontier:
    """The right edge of a growing tree: the roots of its complete subtrees, largest first, as the bits of the size say."""

    __slots__ = ("_roots", "size")

    def __init__(self, size: int, roots: Sequence[bytes]) -> None:
        if len(roots) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} complete subtrees, {len(roots)} were given")
        self.size = size
        self._roots = list(roots)

    def copy(self) -> "Frontier":
        """Another frontier of the same tree."""
        return Frontier(self.size, self._roots)

    def extend(self, leaves: Iterable[bytes]) -> list[Node]:
        """Adds the hashes of leaves; gives the nodes that they complete, of each leaf lowest level first."""
        completed: list[Node] = []
        index, roots, sha256 = self.size, self._roots, hashlib.sha256
        for root in leaves:
            left, subtrees = index, []
            while left & 1:
                # As `node_hash`, without a call: there is one for each leaf.
                root = sha256(b"\x01" + roots.pop() + root).digest()  # noqa: PLW2901 - it becomes the root of the subtree
                subtrees.append(root)
                left >>= 1
            if len(subtrees) >= TILE_HEIGHT:
                tall = subtrees[TILE_HEIGHT - 1 :: TILE_HEIGHT]
                completed += [Node(level, index >> level * TILE_HEIGHT, node) for level, node in enumerate(tall, 1)]
            roots.append(root)
            index += 1
        self.size = index
        return completed

    def root(self) -> bytes:
        """The root hash of the tree as it stands."""
        if not self._roots:
            return EMPTY_ROOT
        *others, root = self._roots
        for left in reversed(others):
            root = node_hash(left, root)
        return root


def frontier_ranges(size: int) -> list[range]:
    """The leaves under each root of a frontier, largest subtree first."""
    ranges, start = [], 0
    for height in reversed(range(size.bit_length())):
        if size >> height & 1:
            ranges.append(range(start, start + (1 << height)))
            start += 1 << height
    return ranges


def inclusion_ranges(index: int, size: int) -> list[range]:
    """The subtrees whose hashes prove that the leaf at `index` is in the tree of `size` leaves, in the order of the proof."""
    if not 0 <= index < size:
        raise ValueError(f"a leaf index below {size} was expected, not {index}")
    return list(_inclusion(index, range(size)))


def _inclusion(index: int, tree: range) -> Iterator[range]:
    if len(tree) == 1:
        return
    left, right = _split(tree)
    if index in left:
        yield from _inclusion(index, left)
        yield right
    else:
        yield from _inclusion(index, right)
        yield left


def consistency_ranges(old: int, new: int) -> list[range]:
    """The subtrees whose hashes prove that the tree of `old` leaves is a beginning of the one of `new` leaves."""
    if not 0 < old <= new:
        raise ValueError(f"an older size from 1 to {new} was expected, not {old}")
    return list(_consistency(old, range(new)))


def _consistency(old: int, tree: range) -> Iterator[range]:
    if old == tree.stop:
        # A subtree that is the whole old tree needs no hash: the verifier has its root.
        if tree.start:
            yield tree
        return
    left, right = _split(tree)
    if old <= left.stop:
        yield from _consistency(old, left)
        yield right
    else:
        yield from _consistency(old, right)
        yield left


def _split(tree: range) -> tuple[range, range]:
    middle = tree.start + (1 << (len(tree) - 1).bit_length() - 1)
    return range(tree.start, middle), range(middle, tree.stop)


def spans(tree: range) -> list[Span]:
    """What to read to hash a subtree of the tree: complete subtrees from left to right, each within one tile."""
    found, start = [], tree.start
    for block in frontier_ranges(len(tree)):
        height = len(block).bit_length() - 1
        level = height // TILE_HEIGHT
        found.append(Span(level, start >> level * TILE_HEIGHT, 1 << height - level * TILE_HEIGHT))
        start += len(block)
    return found


def fold(blocks: Iterable[Sequence[bytes]]) -> bytes:
    """The hash of a subtree, from what was read for each of its spans."""
    root = None
    for left in reversed([_complete(list(hashes)) for hashes in blocks]):
        root = left if root is None else node_hash(left, root)
    return EMPTY_ROOT if root is None else root


def _complete(hashes: list[bytes]) -> bytes:
    while len(hashes) > 1:
        hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root that a proof leads to (RFC 9162 section 2.1.3.2); None where the proof has not the form that index and size ask for."""
    if not 0 <= index < size:
        return None
    node, last, root = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return None
        is_right = bool(node & 1) or node == last
        root = node_hash(step, root) if is_right else node_hash(root, step)
        node, last = _above(node, last, is_right)
    return root if last == 0 else None


def _above(node: int, last: int, is_right: bool) -> tuple[int, int]:
    """The parent's place; where the node is the last of its level, levels at which it has no partner are skipped."""
    alone = (node & -node).bit_length() - 1 if is_right and node else 0
    return node >> alone + 1, last >> alone + 1


class Tree(msgspec.Struct, frozen=True):
    """A tree by its size and root hash."""

    size: int
    root: bytes


def is_consistent(old: Tree, new: Tree, proof: Sequence[bytes]) -> bool:
    """Whether a proof shows that `old` is a beginning of `new` (RFC 9162 section 2.1.4.2)."""
    if not 0 < old.size <= new.size:
        return False
    if old.size == new.size:
        return old.root == new.root and not proof
    steps = [old.root, *proof] if old.size.bit_count() == 1 else list(proof)
    return bool(steps) and _roots_from_consistency(old.size, new.size, steps) == (old.root, new.root)


def _roots_from_consistency(old: int, new: int, steps: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    older = newer = steps[0]
    for step in steps[1:]:
        if last == 0:
            return None
        is_right = bool(node & 1) or node == last
        if is_right:
            older, newer = node_hash(step, older), node_hash(step, newer)
        else:
            newer = node_hash(newer, step)
        node, last = _above(node, last, is_right)
    return (older, newer) if last == 0 else None
