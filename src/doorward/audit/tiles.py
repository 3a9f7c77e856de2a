"""Where the pieces of a log are, as C2SP tlog-tiles has it: 256 hashes a tile, 256 entries a bundle."""

from collections.abc import Iterator, Sequence

import msgspec

from doorward.audit.merkle import TILE_HEIGHT, TILE_WIDTH

CHECKPOINT = "checkpoint"


class Tile(msgspec.Struct, frozen=True):
    """A run of consecutive hashes of one level, or of entries; partial where `width` is below 256."""

    level: int
    index: int
    width: int

    @property
    def first(self) -> int:
        """The index of its first hash in its level."""
        return self.index * TILE_WIDTH

    @property
    def path(self) -> str:
        """The path of the hash tile."""
        return f"tile/{self.level}/{self._number}"

    @property
    def bundle_path(self) -> str:
        """The path of the entries under a tile of level 0."""
        return f"tile/entries/{self._number}"

    @property
    def _number(self) -> str:
        digits = f"{self.index:03d}"
        digits = digits.rjust(-(-len(digits) // 3) * 3, "0")
        parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        name = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
        return name if self.width == TILE_WIDTH else f"{name}.p/{self.width}"


def tiles(size: int) -> Iterator[Tile]:
    """Every tile of a tree of `size` leaves, level by level."""
    level, count = 0, size
    while count:
        for index in range(-(-count // TILE_WIDTH)):
            yield Tile(level, index, min(TILE_WIDTH, count - index * TILE_WIDTH))
        level, count = level + 1, count >> TILE_HEIGHT


def bundle(leaves: Sequence[bytes]) -> bytes:
    """The entries of a tile, each after its length (16 bits, big-endian)."""
    return b"".join([len(leaf).to_bytes(2, "big") + leaf for leaf in leaves])
