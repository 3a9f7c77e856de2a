"""Budgets in SQLite: draws within the log's transactions, and the sums and raises that they are checked against (`BudgetStore`)."""

from collections.abc import Collection, Sequence

import apsw

from doorward.admission.budgets.store import Raise, Spent
from doorward.credentials.envelope import Envelope
from doorward.domain.budgets import Draw, OverdrawnError
from doorward.stores.sqlite.rows import delete, select
from doorward.stores.sqlite.sealed import Sealed
from doorward.stores.sqlite.writer import Writer

_SUMS = "budget_spent"
_SUM = "SELECT coalesce(sum(units), 0) FROM budget_spent WHERE ledger = ? AND key = ? AND until > ?"
_DRAW = "INSERT INTO budget_spent VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET units = units + excluded.units"
_GIVE_BACK = "UPDATE budget_spent SET units = units - ?4 WHERE ledger = ?1 AND key = ?2 AND until = ?3"
_SPENT = "SELECT ledger, key, until, units FROM budget_spent WHERE until > ? AND ledger <> ''"
_SWEEP = "DELETE FROM budget_spent WHERE until <= ? AND ledger <> ''"
_SWEPT = "SELECT max(?, coalesce(max(until), 0)) FROM budget_spent WHERE ledger = ''"
"""The row of no ledger says when others were last deleted."""


class SqliteDraws:
    """The use of budgets within the log's transactions. Keys may be people's names, and are hidden."""

    def __init__(self, envelope: Envelope) -> None:
        self._sealed = Sealed(envelope, _SUMS)

    def overdrawn(self, transaction: apsw.Connection, draws: Sequence[Draw]) -> OverdrawnError | None:
        """The first draw that its budget does not hold; None where all do. There is one writer, so nothing comes between this and `draw`."""
        for one in draws:
            ((spent,),) = select(transaction, _SUM, (one.ledger, self._key(one), one.at))
            if spent + one.units > one.limit:
                return OverdrawnError(one, spent)
        return None

    def draw(self, transaction: apsw.Connection, draws: Sequence[Draw]) -> None:
        """Counts draws."""
        for one in draws:
            transaction.execute(_DRAW, (one.ledger, self._key(one), one.until, one.units))

    def give_back(self, transaction: apsw.Connection, draws: Sequence[Draw]) -> None:
        """Takes corrections off the rows that they were drawn in; one that has stopped counting and is gone stays gone."""
        for one in draws:
            transaction.execute(_GIVE_BACK, (one.ledger, self._key(one), one.until, one.units))

    def _key(self, one: Draw) -> str:
        return self._sealed.hide("key", one.key)


class SqliteBudgets:
    """The sums and raises of one database."""

    def __init__(self, writer: Writer, envelope: Envelope) -> None:
        self._writer = writer
        self._sums, self._raises = Sealed(envelope, _SUMS), Sealed(envelope, "budget_raise")

    async def spent(self, at: int) -> tuple[Spent, ...]:
        """Every sum that still counts."""
        rows = await self._writer.submit(lambda db: select(db, _SPENT, (at,)))
        return tuple(Spent(ledger, self._sums.shown("key", key), until, units) for ledger, key, until, units in rows)

    async def raises(self) -> tuple[Raise, ...]:
        """Every raise that is kept."""
        rows = await self._writer.submit(lambda db: select(db, "SELECT id, record FROM budget_raise ORDER BY id"))
        return tuple(self._raises.read(record, Raise, name) for name, record in rows)

    async def put(self, raised: Raise) -> None:
        """Adds a raise."""
        row = (raised.id, self._raises.write(raised, raised.id))
        await self._writer.submit(lambda db: select(db, "INSERT OR REPLACE INTO budget_raise VALUES (?, ?)", row))

    async def drop(self, raises: Collection[str]) -> None:
        """Forgets raises."""
        await self._writer.submit(lambda db: delete(db, "DELETE FROM budget_raise WHERE id", tuple(raises)))

    async def sweep(self, at: int) -> None:
        """Forgets sums that do not count any more."""
        await self._writer.submit(lambda db: _sweep(db, at))

    async def swept(self) -> int:
        """The latest moment at which sums were forgotten."""
        return await self._writer.submit(lambda db: _swept(db, 0))


def _sweep(db: apsw.Connection, at: int) -> None:
    db.execute(_SWEEP, (at,))
    if db.changes():
        latest = _swept(db, at)
        db.execute("DELETE FROM budget_spent WHERE ledger = ''")
        db.execute("INSERT INTO budget_spent VALUES ('', '', ?, 0)", (latest,))


def _swept(db: apsw.Connection, at: int) -> int:
    """The latest moment at which sums were forgotten, or this one, which is known as well."""
    ((latest,),) = select(db, _SWEPT, (at,))
    return int(latest)
