"""What a table keeps sealed: records of the rooms as ciphertext, and names as marks in the columns that they are found by."""

from typing import TypeVar

from doorward.credentials.envelope import Context, Envelope
from doorward.stores.sqlite import records

T = TypeVar("T")


class Sealed:
    """The sealed column of one table."""

    __slots__ = ("_envelope", "_purpose", "_table")

    def __init__(self, envelope: Envelope, table: str, purpose: str = "record") -> None:
        """`purpose`: the column."""
        self._envelope = envelope
        self._table = table
        self._purpose = purpose

    def write(self, record: object, *row: str) -> bytes:
        """A record as it is stored; `row`: the columns of the primary key, as they stand there."""
        return self._envelope.seal(records.write(record), Context(self._table, row, self._purpose))

    def read(self, stored: bytes, kind: type[T], *row: str) -> T:
        """A stored record; raises `StoreError` where it is not of its kind or does not open in this row."""
        return records.read(self._envelope.open(stored, Context(self._table, row, self._purpose)), kind)

    def mark(self, column: str, text: str) -> str:
        """What stands in a column in place of a name; empty for an empty one, which names nobody."""
        return self._envelope.mark(f"{self._table}.{column}", text) if text else ""

    def hide(self, column: str, text: str) -> str:
        """A mark that can be read again, for a column that is also listed; empty for an empty one."""
        return self._envelope.hide(f"{self._table}.{column}", text) if text else ""

    def shown(self, column: str, hidden: str) -> str:
        """The name in such a column; raises `StoreError` where it was altered."""
        return self._envelope.shown(f"{self._table}.{column}", hidden) if hidden else ""
