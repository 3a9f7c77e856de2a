"""Everything that can be known to be wrong before serving: document, policies, policies against what was accepted. Writes nothing."""

from enum import Enum, auto
from pathlib import Path

import msgspec

from doorward.app.screening import detached
from doorward.catalog.pins import Pins
from doorward.config.problems import dotted
from doorward.domain.errors import StoreError
from doorward.domain.ids import Generation
from doorward.policy.problems import Problems, Weight
from doorward.runtime.build import Materials, Rigour, build
from doorward.runtime.unmatched import unmatched
from doorward.runtime.workbench import Read, ReloadError, read
from doorward.stores.sqlite.database import FILE
from doorward.stores.sqlite.pins import peek


class Against(Enum):
    """What policies are checked against."""

    ACCEPTED = auto()
    """The catalogue in the state directory, as far as it can be read."""
    NOTHING = auto()
    """An empty catalogue, as on a first start: policies may name any tool."""


class Examination(msgspec.Struct, frozen=True):
    """What was found, a line each with file and place."""

    problems: tuple[str, ...]
    """For which a gateway would not start."""
    warnings: tuple[str, ...] = ()
    """What in the policies leads nowhere: a slip, or something that is not accepted yet."""
    notes: tuple[str, ...] = ()
    upstreams: int = 0
    policies: int = 0
    catalogue: str = ""
    """What policies were checked against."""


def examine(path: Path, against: Against) -> Examination:
    """The examination of a document and the policy files it names."""
    try:
        held = read(path)
    except ReloadError as error:
        return Examination(error.problems)
    pins, unread = accepted(held, against)
    loaded = held.loaded
    notes = (*(f"{path}:{note.line}:{note.column}: note: {note.path}: {note.message}" for note in loaded.notes), *unread)
    made = build(Materials(loaded.document, loaded.digest, held.sources, {}, pins, detached()), Generation(1), Rigour.LENIENT)
    if isinstance(made, Problems):
        problems = tuple(str(item) for item in made.items if item.weight is Weight.ERROR)
        return Examination(problems, tuple(str(item) for item in made.items if item.weight is not Weight.ERROR), notes)
    return Examination(
        (),
        (
            *map(str, made.policies.warnings),
            *(f"{path}: {dotted(at)}: {said}" for at, said in unmatched(loaded.document, made.index, made.screen)),
        ),
        notes,
        len(loaded.document.upstreams),
        len(made.policies.rules),
        f"{len(list(pins.items()))} accepted definitions",
    )


def accepted(held: Read, against: Against) -> tuple[Pins, tuple[str, ...]]:
    """What was accepted, and a note where that cannot be read."""
    if against is Against.NOTHING:
        return Pins(), ()
    file = held.loaded.root / held.loaded.document.state / FILE
    try:
        return Pins(peek(file)), ()
    except (StoreError, OSError) as error:
        return Pins(), (f"note: policies are checked without the accepted catalogue: {error}",)
