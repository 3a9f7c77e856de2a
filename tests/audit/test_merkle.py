"""The tree against the published vectors, and against a tree built the slow way."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    Node,
    Span,
    Tree,
    consistency_ranges,
    fold,
    frontier_ranges,
    inclusion_ranges,
    is_consistent,
    leaf_hash,
    node_hash,
    root_from_inclusion,
    spans,
)

LEAVES = [
    bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
"""The leaves of the test vectors that go with RFC 6962, and the roots of the first 1 to 8 of them."""
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
}
CONSISTENCY = {
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}


def slow_root(leaves: Sequence[bytes]) -> bytes:
    """MTH as RFC 6962 section 2.1 writes it."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(slow_root(leaves[:middle]), slow_root(leaves[middle:]))


def grown(leaves: Sequence[bytes]) -> tuple[Frontier, list[Node]]:
    frontier = Frontier(0, ())
    nodes: list[Node] = []
    for leaf in leaves:
        nodes += frontier.extend([leaf_hash(leaf)])
    return frontier, nodes


def subtrees(leaves: Sequence[bytes], ranges: Sequence[range]) -> list[bytes]:
    return [slow_root(leaves[part.start : part.stop]) for part in ranges]


def numbered(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


def test_roots_are_those_of_the_vectors() -> None:
    assert EMPTY_ROOT == grown([])[0].root() == slow_root([])
    assert [grown(LEAVES[: size + 1])[0].root().hex() for size in range(8)] == ROOTS


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_inclusion_proofs_are_those_of_the_vectors(index: int, size: int) -> None:
    proof = subtrees(LEAVES, inclusion_ranges(index, size))
    assert [step.hex() for step in proof] == INCLUSION[index, size]
    assert root_from_inclusion(leaf_hash(LEAVES[index]), index, size, proof) == bytes.fromhex(ROOTS[size - 1])


@pytest.mark.parametrize(("old", "new"), CONSISTENCY)
def test_consistency_proofs_are_those_of_the_vectors(old: int, new: int) -> None:
    proof = subtrees(LEAVES, consistency_ranges(old, new))
    assert [step.hex() for step in proof] == CONSISTENCY[old, new]
    assert is_consistent(Tree(old, bytes.fromhex(ROOTS[old - 1])), Tree(new, bytes.fromhex(ROOTS[new - 1])), proof)


@given(st.integers(1, 70), st.data())
def test_every_inclusion_proof_leads_to_the_root_and_no_other_leaf_does(size: int, data: st.DataObject) -> None:
    leaves = numbered(size)
    index, other = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size - 1))
    proof = subtrees(leaves, inclusion_ranges(index, size))
    assert root_from_inclusion(leaf_hash(leaves[index]), index, size, proof) == slow_root(leaves)
    assert (root_from_inclusion(leaf_hash(leaves[other]), index, size, proof) == slow_root(leaves)) is (other == index)
    assert (root_from_inclusion(leaf_hash(leaves[index]), other, size, proof) == slow_root(leaves)) is (other == index)


@given(st.integers(1, 70), st.data())
def test_every_consistency_proof_holds_and_none_for_another_beginning(new: int, data: st.DataObject) -> None:
    leaves = numbered(new)
    old, changed = data.draw(st.integers(1, new)), data.draw(st.integers(0, new - 1))
    proof = subtrees(leaves, consistency_ranges(old, new))
    whole = Tree(new, slow_root(leaves))
    assert is_consistent(Tree(old, slow_root(leaves[:old])), whole, proof)
    forged = [*leaves[:changed], b"forged", *leaves[changed + 1 :]]
    assert is_consistent(Tree(old, slow_root(forged[:old])), whole, proof) is (changed >= old)


@given(st.integers(2, 70), st.data())
def test_a_proof_of_another_length_never_holds(size: int, data: st.DataObject) -> None:
    leaves = numbered(size)
    index = data.draw(st.integers(0, size - 1))
    proof = subtrees(leaves, inclusion_ranges(index, size))
    for wrong in (proof[:-1], [*proof, proof[-1]], []):
        assert root_from_inclusion(leaf_hash(leaves[index]), index, size, wrong) != slow_root(leaves)
    assert root_from_inclusion(leaf_hash(leaves[index]), size, size, proof) is None


def test_nodes_appear_when_their_subtree_is_complete() -> None:
    leaves = numbered(600)
    _, nodes = grown(leaves)
    assert nodes == [Node(1, 0, slow_root(leaves[:256])), Node(1, 1, slow_root(leaves[256:512]))]
    _, nodes = grown([b""] * 65_536)
    assert [(node.level, node.index) for node in nodes[-2:]] == [(1, 255), (2, 0)]


@given(st.integers(0, 3000))
def test_a_frontier_resumed_from_stored_hashes_goes_on_the_same(size: int) -> None:
    frontier, nodes = grown(numbered(size))
    stored = {(node.level, node.index): node.hash for node in nodes}
    stored.update({(0, index): leaf_hash(leaf) for index, leaf in enumerate(numbered(size))})
    roots = [
        fold([[stored[span.level, span.first + at] for at in range(span.count)] for span in spans(part)]) for part in frontier_ranges(size)
    ]
    resumed = Frontier(size, roots)
    for each in (frontier, resumed):
        each.extend([leaf_hash(b"next")])
    assert resumed.root() == frontier.root()


def test_a_proof_in_a_tree_of_a_billion_leaves_reads_few_hashes() -> None:
    wanted = [span for part in inclusion_ranges(123_456_789, 1_000_000_007) for span in spans(part)]
    assert sum(span.count for span in wanted) < 1500
    assert max(span.count for span in wanted) <= 128
    assert spans(range(256, 512)) == [Span(1, 1, 1)]


def test_a_frontier_of_the_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="3 leaves has 2 complete subtrees"):
        Frontier(3, [b""])
    with pytest.raises(ValueError, match="below 5"):
        inclusion_ranges(5, 5)
    with pytest.raises(ValueError, match="from 1 to 5"):
        consistency_ranges(6, 5)
