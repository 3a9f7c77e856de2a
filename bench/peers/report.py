"""The page that a run writes, and its chart: the same tables in the same order each time, so that runs can be compared line by line. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import median

from bench.chart import Bar, Panel, Scale, Tone
from bench.chart import chart as drawn
from bench.figures import Spread, spread
from bench.peers.ours import DIRECT, FLOOR, OURS
from bench.peers.port import Peer
from bench.peers.proxies import NGINX
from bench.peers.run import Figures, Found
from bench.peers.visit import MOST_FOREIGN, Measured
from bench.speech import Era
from bench.tables import table

INTRODUCTION = """\
# Doorward beside other gateways

Written by `make bench-peers`, which installs the gateways below, each in an environment of its own at the version and hashes of its lock, and
measures all of them in one run of about ten minutes; nothing here is edited by hand. Figures depend on the machine: what carries over is how
they compare with each other. Each gateway has its leanest sane configuration: what it can leave out without ceasing to be what it is, it leaves
out, and [what each had on](#what-each-had-on) is said below. Doorward has everything on.

- **direct**: the load calls the upstream without a gateway. It is the most that the two can do together.
- **floor**: a bare pass-through on Doorward's own HTTP server and connection pool, which governs nothing.
- **nginx**: a plain proxy that does not know what it passes on: the bound, not a peer.
"""

METHOD = """\
## How it is measured

- Loopback, plain HTTP, kept connections. The gateway has one core to itself, with all its processes; upstream and load share another.
- One call is `tools/call` of a tool that says about 200 bytes. Each connection calls again as soon as it was answered. Every answer is checked:
  HTTP status 200, the id of its request, a text that no other request sends, word for word, and no error. A measurement with one wrong answer
  does not count, and is told of below.
- In the session era each connection opens a session of its own first, and goes on without where the gateway gives none.
- All gateways in turn, and then all of them again, {repeats} times: each is started anew, waited for, left alone for {settle:g} s, measured and
  ended. A measurement takes {seconds:g} s after {warm:g} s of warming up; with gateways so slow that not each connection is
  answered twice in that time both take longer, up to 6 s. The tables have the median, and the spread from the least to the greatest in percent of it.
- *Calls per CPU-second* divides by the processor time of all processes of the gateway: it holds on machines that are not idle, and with 64
  connections it is what one core can do.
- *Ready* is the time from starting the gateway, once it has been set up, to its first right answer through to the upstream. *Idle* and *after* are
  the resident memory of all its processes before the load and after it.
- Where others took more than {foreign:.0%} of a core meanwhile, a figure is measured once more; the less disturbed measurement counts, whatever
  its result. {disturbed}
- The exchange era has no sessions. Gateways that do not speak it are not in its table.
"""

_ERAS = (
    (Era.SESSION, "Session era", "Revision 2025-11-25 from client to gateway: what every gateway here speaks."),
    (Era.EXCHANGE, "Exchange era", "Revision 2026-07-28 from client to gateway."),
)
_HEAD = ["", "1", "16", "64", "spread", "per CPU-second", "of floor", "p50 ms, 1", "p50 ms, 64", "p99 ms, 64"]
_MOST_TOLD = 300
"""Characters of a fault; the rest is in what the run says while it runs."""


def page(figures: Figures, date: str) -> str:
    """The whole page; `date` as year, month and day."""
    found = figures.found
    return "\n".join(
        [INTRODUCTION, *_machine(figures, date), *_rates(found), *_costs(found), *_had(found), *_missing(found), *_method(figures)]
    )


def chart(figures: Figures) -> str:
    """Calls a second on one core at the most connections, for each era, as SVG."""
    most = figures.pace.connections[-1]
    panels = [Panel(f"{name} ({era})", "calls/s", list(_bars(figures.found, era, most)), Scale.LOGARITHMIC) for era, name, _ in _ERAS]
    note = f"tools/call, 200 bytes, {most} connections, gateway on one core, every answer checked. Marks: least and greatest of {{}} runs."
    legend = ((Tone.OURS, "Doorward, everything on"), (Tone.OTHER, "other gateways, as lean as they go"), (Tone.BOUND, "govern nothing"))
    return drawn("Doorward beside other gateways", note.format(figures.pace.repeats), [panel for panel in panels if panel.bars], legend)


def rate(found: Found, era: Era, connections: int) -> Spread | None:
    """Calls a second, where they were measured."""
    seen = found.measured(era, connections)
    return spread([one.seen.calls / one.seen.seconds for one in seen]) if seen else None


def work(found: Found, era: Era, connections: int) -> float:
    """Calls per CPU-second; 0 where there is nothing to divide by."""
    return median([one.seen.calls / one.spent if one.spent else 0.0 for one in found.measured(era, connections)] or [0.0])


def _bars(found: Sequence[Found], era: Era, connections: int) -> Iterator[Bar]:
    rows = [(one, seen) for one in found if (seen := one.measured(era, connections)) and one.peer is not DIRECT]
    for one, seen in sorted(rows, key=lambda row: -_middle(row[1], _per_second)):
        values = [_per_second(each) for each in seen]
        yield Bar(one.peer.name, median(values), min(values), max(values), _tone(one.peer))


def _tone(peer: Peer) -> Tone:
    if peer in (FLOOR, NGINX):
        return Tone.BOUND
    return Tone.OURS if peer in OURS else Tone.OTHER


def _machine(figures: Figures, date: str) -> Iterator[str]:
    yield "![Calls a second of each gateway on one core](peers.svg)\n\n## The machine\n"
    yield from table(["", ""], [["Date", date], *[[name, value] for name, value in figures.machine.items()]])


def _rates(found: Sequence[Found]) -> Iterator[str]:
    for era, name, told in _ERAS:
        yield f"## {name}\n\n{told} Calls a second at 1, 16 and 64 connections; spread, calls per CPU-second and their share of the floor at 64.\n"
        floor = next((work(one, era, 64) for one in found if one.peer is FLOOR), 0.0)
        yield from table(_HEAD, [_line(one, era, floor) for one in found if one.measured(era, 1)])


def _line(one: Found, era: Era, floor: float) -> list[str]:
    rates = [rate(one, era, connections) for connections in (1, 16, 64)]
    cost = work(one, era, 64)
    return [
        one.peer.name,
        *["" if each is None else f"{each.middle:,.0f}" for each in rates],
        "" if rates[2] is None else f"{rates[2].percent:.0f} %",
        f"{cost:,.0f}" if cost else "",
        f"{cost / floor:.3f}" if cost and floor else "",
        _milliseconds(one, era, 1, _p50),
        _milliseconds(one, era, 64, _p50),
        _milliseconds(one, era, 64, _p99),
    ]


def _costs(found: Sequence[Found]) -> Iterator[str]:
    yield "## Memory, start, size\n"
    head = ["", "version", "ready s", "idle MiB", "after MiB", "on disk MiB"]
    rows = [one for one in found if one.visits and one.peer is not DIRECT]
    yield from table(head, [_cost(one) for one in rows])


def _cost(one: Found) -> list[str]:
    size = f"{one.mebibytes:.0f}" if one.mebibytes else ""
    ready, idle, loaded = one.middle(lambda each: each.ready), one.middle(lambda each: each.idle), one.middle(lambda each: each.loaded)
    return [one.peer.name, one.version, f"{ready:.2f}", f"{idle:.0f}", f"{loaded:.0f}", size]


def _had(found: Sequence[Found]) -> Iterator[str]:
    yield "## What each had on\n"
    head = ["", "authentication", "policy", "inspection", "audit", "speaks"]
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for one in found:
        has = one.peer.governs
        eras = ", ".join(era.value for era in one.peer.eras)
        yield f"| {' | '.join([one.peer.name, has.authentication, has.policy, has.inspection, has.audit, eras])} |"
    yield "\nHow each was configured:\n"
    yield from [f"- **{one.peer.name}**: {one.peer.configured}" for one in found]
    yield ""


def _missing(found: Sequence[Found]) -> Iterator[str]:
    yield "## What did not go well\n"
    told = [f"- {one.peer.name}: {_short(fault)}" for one in found for fault in one.faults]
    yield from [*(told or ["Nothing: each was installed, became ready, and gave no wrong answer."]), ""]


def _method(figures: Figures) -> Iterator[str]:
    pace = figures.pace
    seen = [each for one in figures.found for visit in one.visits for each in visit.measured.values()]
    disturbed = sum(each.foreign > MOST_FOREIGN for each in seen)
    yield METHOD.format(
        repeats=pace.repeats,
        settle=pace.settle_seconds,
        seconds=pace.seconds,
        warm=pace.warm_seconds,
        foreign=MOST_FOREIGN,
        disturbed=f"Of {len(seen)} measurements of this run {disturbed} were disturbed all the same.",
    )


def _milliseconds(one: Found, era: Era, connections: int, of: Callable[[Measured], float]) -> str:
    seen = one.measured(era, connections)
    return f"{1000 * _middle(seen, of):.2f}" if seen else ""


def _middle(seen: Sequence[Measured], of: Callable[[Measured], float]) -> float:
    return median(of(each) for each in seen)


def _per_second(each: Measured) -> float:
    return each.seen.calls / each.seen.seconds


def _p50(each: Measured) -> float:
    return each.seen.p50


def _p99(each: Measured) -> float:
    return each.seen.p99


def _short(fault: str) -> str:
    return " ".join(fault.split())[:_MOST_TOLD].replace("|", "\\|")
