"""What is measured: each row of the tables, and how long it takes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from bench.gateway import PLAIN, READING, SESSION, STREAMED
from bench.speech import BIG, ECHO, PAGE, Era
from bench.variants import MORE, PARTS

DIRECT, FLOOR = "direct", "floor"
"""The upstream itself, the most that load and upstream can do together; a bare pass-through on Doorward's own HTTP server and client."""
OFF = "Doorward, stages off"
KEY = "Doorward, everything on, agent key"
TOKEN = "Doorward, everything on, access token"
LISTS = "Doorward, everything on, 12 upstreams"

PROGRESS = "step"
"""The token under which callers of the upstream that streams ask for progress."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: who is called, how, and by how many at a time."""

    subject: str
    connections: int
    upstream: str = PLAIN
    tool: str = ECHO
    """Empty: the list of tools."""
    era: Era = Era.EXCHANGE

    @property
    def name(self) -> str:
        """What is called, as the tables say it."""
        return f"{self.subject}, a policy reads an argument" if self.upstream == READING else self.subject

    @property
    def is_ours(self) -> bool:
        """Whether it is Doorward that answers."""
        return self.subject not in (DIRECT, FLOOR)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often and how long each row is measured, and which rows are."""

    repeats: int
    warm_seconds: float
    seconds: float
    open_seconds: float
    """Of each measurement in an open loop."""
    starts: int
    again: int
    """How many measurements of a run are repeated at most because others disturbed them."""
    connections: Sequence[int]
    """Of those that the plan has."""
    parts: int
    """How many of the stages that can be switched off are, one at a time."""
    streams: int
    settle_seconds: float
    """Between a start and the reading of idle memory, and between a load and the next reading."""
    effort: float
    """How much of the usual time the stages are measured for."""


FULL = Pace(3, 0.25, 1.0, 2.0, 3, 12, (1, 16, 64, 256), 7, 1000, 2.0, 1.0)
QUICK = Pace(1, 0.05, 0.1, 0.2, 1, 0, (1, 64), 1, 50, 0.2, 0.05)

CONNECTIONS = (1, 16, 64, 256)
_SUBJECTS = ((DIRECT, PLAIN), (FLOOR, PLAIN), (OFF, PLAIN), (KEY, PLAIN), (TOKEN, PLAIN), (KEY, READING))

ECHOES: Sequence[Row] = [Row(subject, connections, upstream) for (subject, upstream), connections in product(_SUBJECTS, CONNECTIONS)]
"""200 bytes, exchange era."""

SESSIONS: Sequence[Row] = [
    *[
        Row(subject, connections, upstream=SESSION if subject in (OFF, KEY, TOKEN) else PLAIN, era=Era.SESSION)
        for subject, connections in product((DIRECT, FLOOR, OFF, KEY, TOKEN), (1, 64))
    ],
    Row(KEY, 64, READING, era=Era.SESSION),
]
"""200 bytes, session era towards client and upstream; where a policy reads an argument, the upstream speaks the other one."""

LARGE: Sequence[Row] = [Row(subject, 16, tool=tool) for tool, subject in product((PAGE, BIG), (DIRECT, FLOOR, OFF, KEY))]
"""8 and 64 KiB."""

STREAMS: Sequence[Row] = [Row(subject, 64, STREAMED) for subject in (DIRECT, FLOOR, OFF, KEY)]
"""200 bytes after a notification of progress, both as a stream of events."""

LISTINGS: Sequence[Row] = [Row(LISTS, 1, tool="")]
"""A list, filtered for its caller."""

PART_ROWS: Sequence[Row] = [Row(KEY, 64), Row(OFF, 64), *[Row(name, 64) for name in (*PARTS, *MORE)]]
"""Everything on but for one stage; measured beside each other, after the others."""

OPEN: Sequence[Row] = [Row(FLOOR, 64), Row(OFF, 64), Row(KEY, 64), Row(TOKEN, 64), Row(KEY, 64, READING)]
"""In an open loop at half of what the closed one reached."""

MAIN: Sequence[Row] = [*ECHOES, *SESSIONS, *LARGE, *STREAMS, *LISTINGS]


def chosen(rows: Sequence[Row], pace: Pace) -> Sequence[Row]:
    """Those rows that this pace has time for."""
    return [row for row in rows if row.connections in pace.connections or row in LARGE]


def chosen_parts(pace: Pace) -> Sequence[Row]:
    """Those of the parts, with everything on and all of them off before."""
    return PART_ROWS[: 2 + pace.parts]
