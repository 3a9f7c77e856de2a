"""A week's log, made quickly but by the store itself: real leaves and side records; its places, hashes, transactions and checkpoints."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import apsw

from bench.scale.shapes import RESULT, SIDE_BYTES, TEXT, Shape, in_memory, shapes
from doorward.app import clocks
from doorward.app.at_rest import open_at_rest
from doorward.audit import keys
from doorward.audit.auditor import Auditor
from doorward.audit.checkpoint import Signer, Vkey
from doorward.audit.commit import BATCH, Committer, Moment
from doorward.audit.leaf import Bodies
from doorward.audit.sides import Sealer, Wrapper, salts
from doorward.audit.store import Box, Entry
from doorward.audit.veil import Veil
from doorward.config.model import Document
from doorward.credentials.envelope import Envelope
from doorward.domain.ids import CallId
from doorward.stores.sqlite.database import Database, open_database
from doorward.stores.sqlite.log import LogGroup, SqliteLog

WEEK_SECONDS = 7 * 86_400
ACCOUNTS = 100_000
"""Different values of the argument field that an auditor asks for."""
SHAPES = 2_000
_TOGETHER = 64
"""Batches in one transaction."""


class Clock:
    """Both clocks of a week that passes while a log is made."""

    __slots__ = ("_start", "_step", "calls")

    def __init__(self, calls: int) -> None:
        self.calls = 0
        """Told so far."""
        self._start = clocks.now() - WEEK_SECONDS - 60.0
        self._step = WEEK_SECONDS / calls

    def __call__(self) -> Moment:
        passed = self.calls * self._step
        return Moment(int((self._start + passed) * 1e6), passed)

    def id(self, chance: random.Random) -> bytes:
        """A call's id, as `clocks.new_id` would have made it."""
        number = (int((self._start + self.calls * self._step) * 1000) << 80) | chance.getrandbits(80)
        return _ulid(number)


_DIGITS = b"0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple(bytes([first, second]) for first in _DIGITS for second in _DIGITS)


def _ulid(number: int) -> bytes:
    return b"".join([_PAIRS[number >> shift & 0x3FF] for shift in range(120, -1, -10)])


@dataclass(frozen=True, slots=True)
class Held:
    """A log, opened to be read or to be made."""

    database: Database
    committer: Committer
    envelope: Envelope
    veil: Veil
    wrapper: Wrapper
    vkey: Vkey


@asynccontextmanager
async def held(document: Document, root: Path) -> AsyncIterator[Held]:
    """The log of a document's state directory, with its keys, as a gateway opens it."""
    database = open_database(root / document.state)
    secrets = keys.make(database.directory.path, clocks.draw)
    at_rest = await open_at_rest(database, document, root)
    signer, veil, wrapper = Signer(document.audit.origin, secrets.signing), Veil(secrets.audit), Wrapper(secrets.side, clocks.draw)
    try:
        yield Held(database, Committer(signer, Bodies("bench", veil)), at_rest.envelope, veil, wrapper, signer.vkey)
    finally:
        await at_rest.close()
        database.close()


@asynccontextmanager
async def opened(document: Document, root: Path) -> AsyncIterator[tuple[SqliteLog, Auditor]]:
    """The log to be read, and who reads it."""
    async with held(document, root) as at:
        log = SqliteLog(at.database, at.committer, clocks.both, at.envelope)
        try:
            yield log, Auditor(log, at.veil, at.wrapper, at.vkey)
        finally:
            await asyncio.to_thread(log.close)


@dataclass(frozen=True, slots=True)
class Part:
    """Which calls of a week are told of."""

    calls: range
    total: int
    """Of the whole week."""
    kept: float
    """The share of all, from the newest on, that have their side records still."""

    def is_kept(self, number: int) -> bool:
        """Whether the side records of a call were not swept yet."""
        return number >= self.total * (1 - self.kept)


async def make(document: Document, root: Path, part: Part) -> float:
    """Tells a log of some calls; gives the seconds of processor time that the store took for it, making the leaves apart."""
    clock = Clock(part.total)
    async with held(document, root) as at:
        found = await shapes(SHAPES, in_memory(at.veil))
        key, wrapped = at.wrapper.fresh()
        number = await _key_number(at, wrapped)
        maker = Maker(clock, found, at.veil, Sealer(number, key, SIDE_BYTES, salts(clocks.draw)))
        group = LogGroup(at.committer, clock, at.envelope)
        return at.database.now(lambda db: _write(db, group, maker.entries(part)))


async def _key_number(at: Held, wrapped: bytes) -> int:
    log = SqliteLog(at.database, at.committer, clocks.both, at.envelope)
    try:
        return await log.add_data_key(wrapped)
    finally:
        await asyncio.to_thread(log.close)


def _write(db: apsw.Connection, group: LogGroup, entries: Iterator[Entry]) -> float:
    """In the batches of the writer, but many of them in a transaction, and flushed once: a log may take a week, its measurement not."""
    db.pragma("synchronous", "off")
    group.resume(db)
    spent = 0.0
    while together := list(islice(entries, BATCH * _TOGETHER)):
        start = time.thread_time()
        with db:
            for first in range(0, len(together), BATCH):
                group.write(db, together[first : first + BATCH])
                group.committed()
        spent += time.thread_time() - start
    return spent


class Maker:
    """Makes the two entries of each call."""

    __slots__ = ("_accounts", "_chance", "_clock", "_sealer", "_shapes", "_veil")

    def __init__(self, clock: Clock, found: Sequence[Shape], veil: Veil, sealer: Sealer) -> None:
        self._clock, self._shapes, self._veil, self._sealer = clock, found, veil, sealer
        self._chance = random.Random(9)
        self._accounts: dict[int, bytes] = {}

    def entries(self, part: Part) -> Iterator[Entry]:
        """Those of some calls."""
        for number in part.calls:
            self._clock.calls = number
            yield from self._call(number, part.is_kept(number))

    def _call(self, number: int, is_kept: bool) -> tuple[Entry, Entry]:
        chance = self._chance
        shape = self._shapes[chance.randrange(len(self._shapes))]
        call = self._clock.id(chance)
        account, text = chance.randrange(ACCOUNTS), f"{number} {TEXT}"
        said: dict[str, bytes] = {"call": call, "account": self._account(account), "text": chance.randbytes(16).hex().encode()}
        arguments = b'{"account":%d,"text":"%b"}' % (account, text.encode())
        first, asked = self._beside(said, "arguments", arguments, is_kept)
        last, answered = self._beside(said, "result", RESULT, is_kept)
        name = CallId(call.decode())
        return Entry(shape.intent.filled(first), asked, opens=name), Entry(shape.outcome.filled(last), answered, closes=name)

    def _beside(self, said: dict[str, bytes], part: str, text: bytes, is_kept: bool) -> tuple[dict[str, bytes], Box | None]:
        """What a leaf says of its side record, and that; of one that was swept long ago nobody can tell what it held."""
        if not is_kept:
            digests = self._chance.randbytes(64).hex().encode()
            return {**said, "commitment": digests[:64], "side": digests[64:]}, None
        kept = self._sealer.said(f"{said['call'].decode()}/{part}", text)
        assert kept.box is not None
        return {**said, "commitment": kept.commitment.encode(), "side": kept.side.encode()}, kept.box

    def _account(self, number: int) -> bytes:
        known = self._accounts.get(number)
        if known is None:
            known = self._accounts[number] = self._veil.value(number).encode()
        return known
