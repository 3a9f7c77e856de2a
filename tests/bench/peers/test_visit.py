"""One visit: what of the cores belongs to the peer, and what a peer does that cannot be measured."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.cores import Reading
from bench.load import Seen
from bench.peers.ours import FLOOR
from bench.peers.port import Launch
from bench.peers.run import run
from bench.peers.visit import Pace, measured
from bench.speech import Era

PACE = Pace(repeats=2, warm_seconds=0.05, seconds=0.2, settle_seconds=0.0, again=0, connections=(1, 2))


def _seen(**processes: float) -> Seen:
    spent = Reading({"load": 0.25, "upstream": 0.25, **processes}, {0: 2.0, 1: 0.75})
    return Seen(100, 2.0, 0.001, 0.002, 0.003, 0.004, 0, (), spent)


def test_all_processes_of_a_peer_count_and_others_on_its_core_disturb_it() -> None:
    found = measured(_seen(**{"11": 1.0, "12": 0.5}))
    assert (found.spent, found.foreign) == (1.5, 0.25)


def test_the_gateways_core_does_not_matter_to_direct_calls() -> None:
    found = measured(_seen())
    assert (found.spent, found.foreign) == (0.0, 0.125)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_floor_is_measured_as_a_peer_is() -> None:
    told: list[str] = []
    [found] = run([FLOOR], {}, PACE, told.append).found
    assert found.faults == []
    assert len(found.visits) == 2
    for visit in found.visits:
        assert set(visit.measured) == {(era, connections) for era in Era for connections in (1, 2)}
        assert all(one.seen.calls > 0 and one.seen.wrong == 0 for one in visit.measured.values())
        assert visit.ready > 0
        assert visit.idle > 0
    assert told[0] == "1/2 floor"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_peer_that_ends_is_told_of_and_tried_again_and_the_next_one_is_measured() -> None:
    broken = replace(FLOOR, name="broken", launch=lambda _: Launch([sys.executable, "-c", "print('no licence'); raise SystemExit(3)"]))
    unknown = replace(FLOOR, name="unknown", launch=lambda _: Launch([str(Path("/nowhere/program"))]))
    figures = run([broken, unknown, replace(FLOOR, eras=(Era.EXCHANGE,))], {}, PACE, lambda _: None)
    first, second, third = figures.found
    assert first.faults == ["it ended with 3: no licence\n"] * 2
    assert "/nowhere/program" in second.faults[0]
    assert (first.visits, second.visits, len(third.visits)) == ([], [], 2)
