"""Which intents stand open: in memory as it is, in rows as it was at the last checkpoint, and in the leaves since then.

Rows of their own for each call would cost a page of every flush and two statements, to be read at a start alone. There the leaves after
the last checkpoint, a thousand or so, say the same: an intent's opens its call, and an outcome's closes it.
"""

from collections.abc import Sequence

import apsw
import msgspec

from doorward.audit.query import Located
from doorward.audit.store import Entry
from doorward.stores.sqlite.rows import delete, insert, select

_LAST = "SELECT call, seq FROM open_at_checkpoint"
_SINCE = "SELECT seq, body FROM leaf WHERE seq >= (SELECT coalesce(max(size), 0) FROM checkpoint) ORDER BY seq"
_LEAF = "SELECT body FROM leaf WHERE seq = ?"


class _Leaf(msgspec.Struct, frozen=True):
    type: str
    call: str | None = None


_decode = msgspec.json.Decoder(_Leaf).decode


class OpenIntents:
    """The open intents of one log, in the thread that writes it."""

    __slots__ = ("_kept", "_open")

    def __init__(self) -> None:
        self._open: dict[str, int] = {}
        """The index of each call's intent."""
        self._kept: dict[str, int] = {}
        """What the rows say."""

    def resume(self, db: apsw.Connection) -> None:
        """Goes on from the rows and leaves; also after a batch that failed, of which `write` has noted what never came to be."""
        self._kept = dict(select(db, _LAST))
        self._open = dict(self._kept)
        for seq, body in select(db, _SINCE):
            leaf = _decode(body)
            if leaf.call is not None and leaf.type == "intent":
                self._open[leaf.call] = seq
            elif leaf.call is not None and leaf.type == "outcome":
                self._open.pop(leaf.call, None)

    def write(self, entries: Sequence[Entry], first: int) -> None:
        """Notes what entries open and close; `first` is the index of the first one."""
        opened = self._open
        for seq, entry in enumerate(entries, first):
            if entry.opens is not None:
                opened[entry.opens] = seq
            if entry.closes is not None:
                opened.pop(entry.closes, None)

    def keep(self, db: apsw.Connection) -> None:
        """Brings the rows up to date, in the transaction of a checkpoint."""
        delete(db, "DELETE FROM open_at_checkpoint WHERE call", [call for call in self._kept if call not in self._open])
        insert(db, "INSERT INTO open_at_checkpoint", [row for row in self._open.items() if row[0] not in self._kept])
        self._kept = dict(self._open)

    def stands_open(self, call: str | None) -> bool:
        """Whether a call has an intent and no outcome."""
        return call in self._open

    def leaves(self, db: apsw.Connection) -> tuple[Located, ...]:
        """The intents, oldest first."""
        return tuple([Located(seq, db.execute(_LEAF, (seq,)).get) for seq in sorted(self._open.values())])
