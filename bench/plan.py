"""What is measured: each row of the tables, and how long it takes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bench.gateway import PLAIN, READING, SESSION
from bench.speech import BIG, ECHO, Era


class Subject(StrEnum):
    """What answers the calls."""

    DIRECT = "direct"
    """The upstream itself: the most that load and upstream can do together."""
    FLOOR = "floor"
    """A bare pass-through on Doorward's own HTTP server and client."""
    DOORWARD = "Doorward"
    LISTS = "Doorward, 12 upstreams"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: who is called, how, and by how many at a time."""

    subject: Subject
    connections: int
    upstream: str = PLAIN
    tool: str = ECHO
    """Empty: the list of tools."""
    era: Era = Era.EXCHANGE

    @property
    def name(self) -> str:
        """What is called, as the tables say it."""
        note = {READING: ", a policy reads an argument"} if self.subject is Subject.DOORWARD else {}
        return f"{self.subject}{note.get(self.upstream, '')}"


@dataclass(frozen=True, slots=True)
class Pace:
    """How often and how long each row is measured."""

    repeats: int
    warm_seconds: float
    seconds: float
    starts: int
    again: int
    """How many measurements of a run are repeated at most because others disturbed them."""


FULL = Pace(repeats=3, warm_seconds=0.5, seconds=3.0, starts=3, again=12)
QUICK = Pace(repeats=1, warm_seconds=0.2, seconds=0.8, starts=1, again=0)

CONNECTIONS = (1, 16, 64)

ECHOES: Sequence[Row] = [
    *[Row(Subject.DIRECT, connections) for connections in CONNECTIONS],
    *[Row(Subject.FLOOR, connections) for connections in CONNECTIONS],
    *[Row(Subject.DOORWARD, connections) for connections in CONNECTIONS],
    *[Row(Subject.DOORWARD, connections, READING) for connections in CONNECTIONS],
]
"""200 bytes, exchange era."""

SESSIONS: Sequence[Row] = [
    Row(Subject.DIRECT, 64, era=Era.SESSION),
    Row(Subject.FLOOR, 64, era=Era.SESSION),
    Row(Subject.DOORWARD, 64, SESSION, era=Era.SESSION),
]
"""200 bytes, session era towards client and upstream."""

BIGS: Sequence[Row] = [Row(subject, 16, tool=BIG) for subject in (Subject.DIRECT, Subject.FLOOR, Subject.DOORWARD)]
"""64 KiB."""

LISTINGS: Sequence[Row] = [Row(Subject.LISTS, 1, tool="")]
"""A list, filtered for its caller."""

ROWS: Sequence[Row] = [*ECHOES, *SESSIONS, *BIGS, *LISTINGS]
