"""Lines out of bytes, however they are cut, each no longer than a limit."""


class LongLineError(ValueError):
    """A line that is longer than the limit; what follows cannot be told from it."""


class Lines:
    """Collects bytes and gives whole lines without their end (LF, or CR LF)."""

    __slots__ = ("_held", "_limit", "_size")

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._held: list[bytes] = []
        self._size = 0

    def feed(self, octets: bytes) -> list[bytes]:
        """The lines that this piece completes; raises LongLineError."""
        first, *rest = octets.split(b"\n")
        self._size += len(first)
        if self._size > self._limit:
            raise LongLineError(f"a line of at most {self._limit} bytes was expected")
        self._held.append(first)
        if not rest:
            return []
        lines = [b"".join(self._held), *rest[:-1]]
        self._held, self._size = [rest[-1]], len(rest[-1])
        if self._size > self._limit or any(len(line) > self._limit for line in lines):
            raise LongLineError(f"a line of at most {self._limit} bytes was expected")
        return [line.removesuffix(b"\r") for line in lines]
