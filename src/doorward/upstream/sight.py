"""What an upstream shows of itself: how it introduced itself, and everything it lists."""

from collections.abc import Mapping

import msgspec

from doorward.domain.calls import Era

Item = Mapping[str, object]


class Introduction(msgspec.Struct, frozen=True):
    """What an upstream says of itself in `initialize` or `server/discover`. Nothing of it is proven."""

    versions: tuple[str, ...]
    """Protocol revisions: the negotiated one (session era), or those it supports (exchange era)."""
    server_info: Mapping[str, object]
    capabilities: Mapping[str, object]
    instructions: str | None


class Sight(msgspec.Struct, frozen=True):
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
