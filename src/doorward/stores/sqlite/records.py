"""Records of the rooms as MessagePack (which has infinity, as JSON has not): what a row holds besides the columns it is found by."""

from typing import TypeVar

import msgspec

from doorward.domain.errors import StoreError

T = TypeVar("T")


def write(record: object) -> bytes:
    """A record as it is stored."""
    return msgspec.msgpack.encode(record)


def read(stored: bytes, kind: type[T]) -> T:
    """A stored record; raises StoreError where it is not of its kind."""
    try:
        return msgspec.msgpack.decode(stored, type=kind)
    except msgspec.MsgspecError as error:
        raise StoreError(f"a stored {kind.__name__} was expected: {error}") from error
