"""Many rows in few statements: each statement gives up Python's lock and must wait for it again, whatever it writes."""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any, TypeVar

import apsw

T = TypeVar("T")
Value = int | float | bytes | str | None

_MOST = 256


def select(db: apsw.Connection, sql: str, values: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
    """All rows of a question; their types are what the schema (STRICT) says."""
    return db.execute(sql, values).fetchall()


def insert(db: apsw.Connection, into: str, rows: Sequence[tuple[Value, ...]]) -> None:
    """Inserts rows of equal width; `into` as `INSERT INTO table`."""
    for chunk in _chunks(rows):
        db.execute(_inserting(into, len(chunk), len(chunk[0])), list(chain.from_iterable(chunk)))


def upsert(db: apsw.Connection, into: str, rows: Sequence[tuple[Value, ...]], then: str) -> None:
    """As `insert`; where a row is there already, `then` says what is done instead, as `ON CONFLICT DO …`."""
    for chunk in _chunks(rows):
        db.execute(f"{_inserting(into, len(chunk), len(chunk[0]))} {then}", list(chain.from_iterable(chunk)))


def delete(db: apsw.Connection, where: str, values: Sequence[Value]) -> None:
    """Deletes the rows in which a column has one of the values; `where` as `DELETE FROM table WHERE column`."""
    for chunk in _chunks(values):
        db.execute(_deleting(where, len(chunk)), chunk)


def _chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """At most three pieces, of one among few widths (three significant bits), so that some thirty statements serve every number."""
    start = 0
    while start < len(values):
        left = min(_MOST, len(values) - start)
        spare = max(0, left.bit_length() - 3)
        width = left >> spare << spare
        yield values[start : start + width]
        start += width


@cache
def _inserting(into: str, rows: int, width: int) -> str:
    row = f"({','.join('?' * width)})"
    return f"{into} VALUES {','.join([row] * rows)}"


@cache
def _deleting(where: str, values: int) -> str:
    return f"{where} IN ({','.join('?' * values)})"
