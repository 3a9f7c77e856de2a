"""Law 3: whatever could make a ticket or a principal outside its place is found."""

import pytest

from checks import tickets
from checks.source import Source

IMPORT = "from doorward.domain.tickets import Admitted\n"


def lines(text: str, path: str = "src/doorward/call/stream.py") -> list[int]:
    return [violation.line for violation in tickets.violations(Source.of(path, text))]


@pytest.mark.parametrize("ticket", ["Admitted", "Authorized", "Inspected", "Clearance", "Recorded"])
def test_the_pipeline_makes_every_ticket_and_nobody_else_does(ticket: str) -> None:
    text = f"from doorward.domain.tickets import {ticket}\n{ticket}(1)\n"
    assert lines(text, "src/doorward/call/pipeline.py") == []
    assert lines(text, "src/doorward/policy/engine.py") == [2]
    assert lines(text, "src/doorward/testing/kit.py") == [2]


def test_identity_makes_principals_and_nobody_else_does() -> None:
    text = "from doorward.domain.actors import Principal\nPrincipal(1)\n"
    assert lines(text, "src/doorward/identity/chain.py") == []
    assert lines(text, "src/doorward/call/pipeline.py") == [2]


@pytest.mark.parametrize(
    "forgery",
    [
        "from doorward.domain.tickets import Admitted as Seen\nSeen(1)",
        "from doorward.domain import tickets\ntickets.Admitted(1)",
        "import doorward.domain.tickets\ndoorward.domain.tickets.Admitted(1)",
        IMPORT + "make = Admitted",
        IMPORT + "class Own(Admitted): ...",
        IMPORT + "x = cast(Admitted, y)",
        IMPORT + "x = msgspec.convert(y, Admitted)",
        IMPORT + "x = Admitted.__new__(Admitted)",
        IMPORT + "from dataclasses import replace\ndef f(seen: Admitted): return replace(seen, call=1)",
        IMPORT + "import copy\nasync def f(*, seen: Admitted): return copy.replace(seen, call=1)",
    ],
)
def test_roundabout_ways_to_make_one_are_found(forgery: str) -> None:
    assert lines(forgery)


@pytest.mark.parametrize(
    "use",
    [
        "def f(seen: Admitted, *rest: Admitted) -> list[Admitted]: ...",
        "x: Admitted",
        "Stage = Callable[[Admitted], Admitted]",
        "match x:\n    case Admitted(call=c): ...",
        "y = isinstance(x, Admitted)",
        "from dataclasses import replace\ndef f(seen: Admitted, other): return replace(other, call=seen.call)",
    ],
)
def test_saying_what_is_expected_passes(use: str) -> None:
    assert lines(IMPORT + use) == []


def test_a_ticket_made_where_it_is_defined_is_found() -> None:
    text = "class Admitted:\n    def again(self): return Admitted(1)\n"
    assert lines(text, "src/doorward/domain/tickets.py") == [2]
    assert lines(text, "src/doorward/domain/other.py") == []


def test_every_guarded_class_exists() -> None:
    for origin in tickets.MAKERS:
        module, _, name = origin.rpartition(".")
        assert hasattr(__import__(module, fromlist=[name]), name)
