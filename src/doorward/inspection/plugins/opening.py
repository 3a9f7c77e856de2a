"""Guards of others as a document declares them, made; one whose declaration stays is the same guard still."""

import threading
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Final, cast

import msgspec

from doorward.config.guards import GuardRule
from doorward.config.references import Resolver, references_in
from doorward.domain.errors import DoorwardError
from doorward.domain.findings import Direction
from doorward.inspection.plugins.panel import Heard, Panel, Seat, Terms
from doorward.inspection.port import GROUP, AsyncGuard, Factory, SettingsError, SyncGuard

OPENING_SECONDS: Final = 20.0
"""How long a package may take to be loaded and to make its guard."""


class GuardError(DoorwardError):
    """A guard that cannot be had: not installed, not made with these settings, or none at all."""


class Kept(msgspec.Struct, frozen=True):
    """A guard and what it was made of."""

    declared: GuardRule
    seat: Seat


def opened(declared: Mapping[str, GuardRule], resolver: Resolver, heard: Heard, before: Mapping[str, Kept]) -> Mapping[str, Kept]:
    """The guards of a document by their names; raises `GuardError`. `before`: those of the document before, kept where nothing changed."""
    return {name: _same(before, name, rule) or Kept(rule, _seat(name, rule, resolver, heard)) for name, rule in declared.items()}


def panel(kept: Mapping[str, Kept]) -> Panel:
    """Such guards in their order."""
    return Panel(tuple(one.seat for one in kept.values()))


def _same(before: Mapping[str, Kept], name: str, rule: GuardRule) -> Kept | None:
    kept = before.get(name)
    return kept if kept is not None and kept.declared == rule else None


def _seat(name: str, rule: GuardRule, resolver: Resolver, heard: Heard) -> Seat:
    terms = Terms(
        is_closed=rule.mode == "closed",
        seconds=rule.milliseconds / 1000,
        most_bytes=rule.bytes,
        directions=frozenset(map(Direction, rule.directions)),
    )
    return Seat(name, _made(name, rule, resolver), terms, heard)


def _made(name: str, rule: GuardRule, resolver: Resolver) -> SyncGuard | AsyncGuard:
    """The guard, made in a thread that is waited for so long only."""
    settings = _resolved(rule.settings, resolver)
    assert isinstance(settings, dict)
    made: list[object] = []
    thread = threading.Thread(target=_make, args=(rule.use, settings, made), name=f"guard {name} is made", daemon=True)
    thread.start()
    thread.join(OPENING_SECONDS)
    match made[:1]:
        case []:
            raise GuardError(f"inspection.guards.{name}: {rule.use} was not made in {OPENING_SECONDS:g} s")
        case [GuardError() | SettingsError() as error]:
            raise GuardError(f"inspection.guards.{name}: {error}") from error
        case [BaseException() as error]:
            # Its message may hold settings that are secret.
            raise GuardError(f"inspection.guards.{name}: {rule.use} cannot be made, it raised {type(error).__name__}") from error
        case [guard] if callable(getattr(guard, "look", None)):
            return cast("SyncGuard | AsyncGuard", guard)
        case _:
            raise GuardError(f"inspection.guards.{name}: expected {rule.use} to make something with a method look")


def _make(use: str, settings: dict[str, object], made: list[object]) -> None:
    try:
        found = tuple(entry_points(group=GROUP, name=use))
        if len(found) != 1:
            raise GuardError(f"expected one installed package that brings the guard {use}, there are {len(found)}")
        made.append(cast(Factory, found[0].load())(settings))
    except BaseException as error:  # noqa: BLE001 -- a task root: what the code of others raises is told to who waits
        made.append(error)


def _resolved(value: object, resolver: Resolver) -> object:
    """Settings with their references read: such a text becomes a `Secret`."""
    match value:
        case str() if references_in(value):
            return resolver.resolve(value)
        case str():
            return value.replace("$${", "${")
        case dict():
            return {name: _resolved(inner, resolver) for name, inner in value.items()}
        case list() | tuple():
            return [_resolved(inner, resolver) for inner in value]
        case _:
            return value
