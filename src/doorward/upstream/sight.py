"""What an upstream shows of itself: how it introduced itself, and everything it lists."""

from collections.abc import Mapping
from dataclasses import dataclass

from doorward.domain.calls import Era

Item = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Introduction:
    """What an upstream says of itself in `initialize` or `server/discover`. Nothing of it is proven."""

    versions: tuple[str, ...]
    """Protocol revisions: the negotiated one (session era), or those it supports (exchange era)."""
    server_info: Mapping[str, object]
    capabilities: Mapping[str, object]
    instructions: str | None


@dataclass(frozen=True, slots=True)
class Sight:
    """An upstream's whole offer as it gave it, seen at one time."""

    era: Era
    versions: tuple[str, ...]
    server_info: Mapping[str, object]
    capabilities: Mapping[str, object]
    instructions: str | None
    tools: tuple[Item, ...]
    prompts: tuple[Item, ...]
    resources: tuple[Item, ...]
    templates: tuple[Item, ...]
