"""Drift that an operator has said is to be accepted without a look: small in every place, and nothing found in it that was not there."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from doorward.catalog.drift import ABSENT, Change, Hint, changes, hints
from doorward.catalog.effects import has_new_effect
from doorward.catalog.index import accepted_body
from doorward.catalog.offer import Offer
from doorward.catalog.pins import Key, Pins
from doorward.catalog.poison.found import Found, Rule, is_at_least
from doorward.catalog.poison.judge import findings
from doorward.catalog.suspicions import Suspicion
from doorward.config.drift import Accepted
from doorward.domain.catalog import Definition, Pin, Standing
from doorward.domain.findings import Severity

DRIFT_RULE = "drift-rule"
"""Who accepted a definition that changed in nothing but what the operator tolerates."""

_GRAVE = frozenset({Hint.ORDERS, Hint.HIDDEN_TEXT, Hint.SIDE_EFFECT, Hint.ADDRESS, Hint.ANNOTATIONS_WEAKER})
_OF_NAMES = frozenset({Rule.NEAR_NAME, Rule.LOOKALIKE, Rule.SAME_NAME, Rule.FOREIGN_PREFIX})
"""Found in the name alone, which no drift changes."""


def tolerated(offer: Offer, pins: Pins, accept: AbstractSet[Accepted], beside: Iterable[Suspicion], at: str) -> tuple[Pin, ...]:
    """Pins for what has drifted in nothing but tolerated ways. `beside`: what is suspicious about all that is offered; `at`: RFC 3339, UTC."""
    if not accept:
        return ()
    drifted = [one for one in offer.definitions.values() if pins.standing(one) is Standing.DRIFTED]
    told = _by_key(beside) if drifted else {}
    return tuple(
        Pin(one.upstream, one.kind, one.name, one.digest, one.canonical, DRIFT_RULE, at)
        for one in drifted
        if (pin := pins.get(one.upstream, one.kind, one.name)) is not None
        and _is_tolerated(one, accepted_body(pin), accept, told.get((one.upstream, one.kind, one.name), ()))
    )


def _by_key(beside: Iterable[Suspicion]) -> Mapping[Key, tuple[Found, ...]]:
    grouped: dict[Key, list[Found]] = {}
    for suspicion in beside:
        grouped.setdefault(suspicion.key, []).append(suspicion.found)
    return {key: tuple(group) for key, group in grouped.items()}


def _is_tolerated(definition: Definition, before: Mapping[str, object], accept: AbstractSet[Accepted], told: Iterable[Found]) -> bool:
    differences = changes(before, definition.body)
    if not all(_kind(change, before, definition.body) in accept for change in differences):
        return False
    if not _GRAVE.isdisjoint(hints(differences)) or has_new_effect(before, definition.body):
        return False
    known = set(_weighty(findings(definition.kind, before)))
    return all(one in known for one in _weighty(told))


def _weighty(found: Iterable[Found]) -> Iterator[Found]:
    return (one for one in found if is_at_least(one.severity, Severity.MEDIUM) and one.rule not in _OF_NAMES)


def _kind(change: Change, before: Mapping[str, object], after: Mapping[str, object]) -> Accepted | None:
    """Of which tolerable kind a change is; None where it is of none."""
    match change.path:
        case ("title",) | ("annotations", "title"):
            return "title"
        case ("annotations", *_):
            return "annotations"
        case ("inputSchema", "properties", str(name), *_) if _is_new_option(name, before, after):
            return "optional_argument"
        case ("description",) | ("inputSchema" | "outputSchema" | "arguments", *_, "description" | "title") if _is_text(change):
            return "wording"
        case _:
            return None


def _is_text(change: Change) -> bool:
    return all(side is ABSENT or isinstance(side, str) for side in (change.before, change.after))


def _is_new_option(name: str, before: Mapping[str, object], after: Mapping[str, object]) -> bool:
    """Whether an argument was not there, and may be left out."""
    required = _schema(after).get("required")
    is_asked_for = isinstance(required, list) and name in required
    return name not in _properties(before) and name in _properties(after) and not is_asked_for


def _properties(body: Mapping[str, object]) -> Mapping[str, object]:
    found = _schema(body).get("properties")
    return found if isinstance(found, Mapping) else {}


def _schema(body: Mapping[str, object]) -> Mapping[str, object]:
    found = body.get("inputSchema")
    return found if isinstance(found, Mapping) else {}
