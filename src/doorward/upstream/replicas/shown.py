"""What an address shows, and whether several show the same: calls go only to those that do, for pins are of the upstream. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from doorward.domain.ids import Digest
from doorward.upstream.sight import Item, Sight
from doorward.wire.canonical import canonical, sha256

NAMED = 5
"""Differences that are told by name."""


class Shown(msgspec.Struct, frozen=True):
    """The definitions of one look. Concrete resources are no part of it: they come and go, and policy governs their URIs."""

    digest: Digest
    parts: Mapping[str, Digest]
    """By kind and name."""


def shown(sight: Sight) -> Shown:
    """What was shown, whatever its order."""
    parts = {"era": _digest(sight.era.value), "instructions": _digest(sight.instructions), "capabilities": _digest(sight.capabilities)}
    parts |= _parts("tool", "name", sight.tools) | _parts("prompt", "name", sight.prompts)
    parts |= _parts("template", "uriTemplate", sight.templates)
    return Shown(_digest(parts), parts)


def agreed(votes: Iterable[Digest], before: Digest | None) -> Digest | None:
    """What most addresses show; where as many show something else, what was agreed before, else what the first of them shows."""
    counts = Counter(votes)
    most = max(counts.values(), default=0)
    leading = [digest for digest, count in counts.items() if count == most]
    if before in leading:
        return before
    return leading[0] if leading else None


def differences(one: Shown, other: Shown) -> str:
    """What is not the same in both, by name as far as a person reads on."""
    names = sorted(name for name in {*one.parts, *other.parts} if one.parts.get(name) != other.parts.get(name))
    more = len(names) - NAMED
    return ", ".join([*(name[:100] for name in names[:NAMED]), *([f"and {more} more"] if more > 0 else [])])


def _parts(kind: str, key: str, items: tuple[Item, ...]) -> dict[str, Digest]:
    """INVARIANT: two items of one name are told apart by their number, so that none hides the other."""
    found: dict[str, Digest] = {}
    for item in items:
        name = f"{kind} {item[key]}"
        found[name if name not in found else f"{name} {len(found)}"] = _digest(item)
    return found


def _digest(value: object) -> Digest:
    return sha256(canonical(value))
