"""The layout of an export, against the examples of C2SP tlog-tiles."""

import json
from pathlib import Path

import pytest

from doorward import verifier
from doorward.audit.checkpoint import verify
from doorward.audit.export import export
from doorward.audit.merkle import leaf_hash
from doorward.audit.tiles import Tile, bundle, tiles
from doorward.domain.errors import StoreError
from doorward.testing.stores.log import SIGNER, fill
from tests.audit.recorders import bench


def test_paths_are_those_of_the_specification() -> None:
    assert Tile(0, 1_234_067, 256).path == "tile/0/x001/x234/067"
    assert Tile(0, 1_234_067, 256).bundle_path == "tile/entries/x001/x234/067"
    assert Tile(2, 0, 17).path == "tile/2/000.p/17"
    assert Tile(1, 1000, 256).path == "tile/1/x001/000"


def test_a_tree_has_the_tiles_that_the_specification_counts() -> None:
    """70,000 leaves: 273 full tiles and one of 112; one full tile above and one of 17; one of 1."""
    found = list(tiles(70_000))
    partial = [(tile.level, tile.index, tile.width) for tile in found if tile.width < 256]
    assert partial == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert [sum(tile.level == level for tile in found) for level in range(3)] == [274, 2, 1]
    assert list(tiles(256)) == [Tile(0, 0, 256), Tile(1, 0, 1)]
    assert list(tiles(0)) == []


def test_entries_stand_after_their_length() -> None:
    assert bundle([b"ab", b"", b"c" * 300]) == b"\x00\x02ab\x00\x00\x01\x2c" + b"c" * 300


@pytest.mark.anyio
async def test_an_export_holds_what_its_checkpoint_covers_and_can_be_made_again(tmp_path: Path) -> None:
    at = bench()
    for size in (300, 520):
        await fill(at.log, size - await at.log.size())
        tree = await export(at.log, SIGNER.vkey, tmp_path)
        assert tree.size == size
        assert verify((tmp_path / "checkpoint").read_bytes(), SIGNER.vkey) == tree
        verdict = verifier.verify_export(tmp_path, [verifier.Key.parse((tmp_path / "vkey").read_text())], ())
        assert verdict is not None
        assert verdict.size == size
    entry = (tmp_path / "tile" / "entries" / "000").read_bytes()
    first = entry[2 : 2 + int.from_bytes(entry[:2], "big")]
    assert json.loads(first)["seq"] == 0
    assert (tmp_path / "tile" / "0" / "000").read_bytes()[:32] == leaf_hash(first)
    assert len((tmp_path / "tile" / "0" / "000").read_bytes()) == 8192


@pytest.mark.anyio
async def test_an_empty_log_is_not_exported(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="at least one leaf"):
        await export(bench().log, SIGNER.vkey, tmp_path)
