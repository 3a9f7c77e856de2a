"""The log as files that need nothing of ours to be read: tiles, entries, checkpoints and the key to verify them with."""

import asyncio
from pathlib import Path

from doorward.audit import checkpoint
from doorward.audit.checkpoint import Vkey
from doorward.audit.merkle import Span, Tree
from doorward.audit.store import LogStore
from doorward.audit.tiles import CHECKPOINT, Tile, bundle, tiles
from doorward.domain.errors import StoreError

CHECKPOINTS = "checkpoints"
"""Every checkpoint up to the exported one, each with an empty line after it: the form of an anchor file."""
VKEY = "vkey"
_PAGE = 1000


async def export(store: LogStore, vkey: Vkey, directory: Path) -> Tree:
    """Writes everything that the newest checkpoint covers, after making a new one; gives its tree. Raises StoreError for an empty log."""
    note = await store.seal()
    if note is None:
        raise StoreError("a log with at least one leaf was expected")
    _, tree = checkpoint.parse(note)
    for tile in tiles(tree.size):
        await _write_tile(store, tile, directory)
    await _write(directory / CHECKPOINTS, await _checkpoints(store, tree.size))
    await _write(directory / VKEY, f"{vkey}\n".encode())
    # Last, so that a checkpoint stands only over what is whole.
    await _write(directory / CHECKPOINT, note)
    return tree


async def _write_tile(store: LogStore, tile: Tile, directory: Path) -> None:
    if tile.level == 0:
        leaves = await store.leaves(tile.first, tile.first + tile.width)
        await _write(directory / tile.bundle_path, bundle([located.leaf for located in leaves]))
    hashes = await store.hashes([Span(tile.level, tile.first, tile.width)])
    await _write(directory / tile.path, b"".join(hashes[0]))


async def _checkpoints(store: LogStore, size: int) -> bytes:
    notes: list[bytes] = []
    after = 0
    while found := await store.checkpoints(after, _PAGE):
        notes += found
        after = checkpoint.parse(found[-1])[1].size
    return b"".join(note + b"\n" for note in notes if checkpoint.parse(note)[1].size <= size)


async def _write(path: Path, contents: bytes) -> None:
    await asyncio.to_thread(_replace, path, contents)


def _replace(path: Path, contents: bytes) -> None:
    """Puts a whole file in place; a reader sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.new")
    partial.write_bytes(contents)
    partial.replace(path)
